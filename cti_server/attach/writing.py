"""Writes our files: those for the PBX with this site's values, and the lines that the server's settings lack."""

from __future__ import annotations

import os
from pathlib import Path

from dotenv import dotenv_values

from cti_server.demo.render import dialplans_folder
from cti_server.record.sealing import new_key
from cti_server.settings import Settings

from . import wanted
from .hands import Hands
from .layout import Kind
from .ledger import Ledger, digest
from .terminal import Terminal

KEY = "CTI_SECRET_KEY"


def write_files(site: wanted.Site, kind: Kind, hands: Hands, ledger: Ledger, terminal: Terminal) -> None:
    """Write our files into the PBX's folder. What was there before is kept in the ledger; one that somebody
    has changed since is only written over if they agree."""
    for name, text in wanted.files(site, kind, dialplans_folder()).items():
        there = hands.text(name)
        now = digest(there.encode("utf-8", "surrogateescape"))
        if there == text:
            continue  # of an earlier run, or somebody else's: then it is not taken back
        if there and now == ledger.before.get(name):
            ledger.originals.setdefault(name, there)
        elif (
            there
            and now != ledger.written.get(name)
            and not terminal.confirm(f"{name} was changed since it was written. Write it anew?", default=False)
        ):
            continue
        ledger.written[name] = digest(text.encode())
        ledger.save()
        hands.write(name, text)
    ledger.save()


def write_settings(file: Path, site: wanted.Site, outside: Settings) -> list[str]:
    """Add to the settings file the lines that it lacks; returns their names. It is made where there is none.

    `outside` are the settings of the environment: the service will not have them, so they go into the file. The
    key for SIP passwords is made where there is none, and never made anew: what it encrypted would be lost.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    there = dotenv_values(file) if file.exists() else {}
    text = wanted.settings(site, outside.http_port)
    if outside.database_url != Settings.model_fields["database_url"].default:
        text += f"CTI_DATABASE_URL={outside.database_url}\n"
    lines = [line for line in text.splitlines() if line.partition("=")[0] not in there]
    if not there.get(KEY):  # also where it is empty: of two lines the later one counts
        lines.append(f"{KEY}={','.join(key.get_secret_value() for key in outside.secret_key) or new_key()}")
    if not lines:
        return []
    made = not file.exists()
    old = "" if made else file.read_text(encoding="utf-8")
    gap = "" if not old or old.endswith("\n") else "\n"
    # Whoever runs the server is in the folder's group, and nobody else may read its secrets.
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640), "w", encoding="utf-8") as out:
        out.write(old + gap + "\n".join(lines) + "\n")
    file.chmod(file.stat().st_mode & 0o770)
    if made and os.geteuid() == 0:
        owner = file.parent.stat()
        os.chown(file, owner.st_uid, owner.st_gid)
    return [line.partition("=")[0] for line in lines]
