"""backup, verify-backup, restore: the record into one file, the proof that it comes back, and back."""

from __future__ import annotations

from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.text import Text

from cti_server.settings import Settings

from .common import acts_as_command, err, fail, read_settings, run, say

if TYPE_CHECKING:
    from cti_server.record.backup.archive import Manifest
    from cti_server.record.backup.restore import Proof

T = TypeVar("T")
File = Annotated[Path, typer.Argument(help="The file of the backup.")]


def backup(file: Annotated[Path, typer.Argument(help="The file to write. It must not be there yet.")]) -> None:
    """Write the whole record into one file, as it is at one moment; the server may run meanwhile."""
    from cti_server.record.backup.take import take

    settings = read_settings()
    made = _done(take(settings.database_url, file), settings)
    say(f"{_size(file)} in {file}: {made.facts.rows} rows of {len(made.facts.tables)} tables, {_what(made)}")
    _tell_keys(made)
    _note(settings, made, "record.backed_up", {"rows": made.facts.rows})
    say(f"cti-server verify-backup {file}   proves that it can be restored")


def verify_backup(
    file: File,
    into: Annotated[
        str | None, typer.Option("--into", help="An empty PostgreSQL database to restore into, which keeps it.")
    ] = None,
) -> None:
    """Prove a backup: restore it into a scratch database, and compare that with what was backed up. Exit status 0:
    proven. 1: it cannot be used."""
    from cti_server.record.backup.restore import prove

    settings = read_settings()
    proof = _done(prove(file, settings.database_url, settings.sealer(), into), settings)
    _tell(proof)
    if into is not None:
        say("the database that --into names keeps what was restored: do not start a server on it")
    if proof.wrong:
        for one in proof.wrong:
            err.print(Text(one, "bold red"), soft_wrap=True)
        fail(
            "the backup came back, and is not sound",
            "Use another one, and look at the record that it was made of.",
        )
    say("proven: this backup can be restored")


def restore(file: File) -> None:
    """Restore a backup to where CTI_DATABASE_URL has no record yet. Stop the server first."""
    from cti_server.record import migrate
    from cti_server.record.backup.restore import restore as restored

    settings = read_settings()
    made = _done(restored(file, settings.database_url), settings)
    say(
        f"restored {made.facts.rows} rows of {len(made.facts.tables)} tables, each compared with the backup: "
        f"{_what(made)}"
    )
    _tell_keys(made)
    if made.facts.revision != migrate.head():
        say("it is of an older schema; run: cti-server migrate")
    _note(settings, made, "record.restored", {"of": made.made_at.isoformat(), "by": made.made_by})
    say("everybody signs in again; desktops start over")


def _done(work: Coroutine[Any, Any, T], settings: Settings) -> T:
    from cti_server.record.backup.archive import CannotBackUp

    async def worded() -> T:
        try:
            return await work
        except CannotBackUp as cannot:
            fail(str(cannot), cannot.remedy)

    return run(worded(), settings)


def _note(settings: Settings, made: Manifest, action: str, detail: dict[str, Any]) -> None:
    """For the audit log: who took all of the record away, and why the log goes on where it was at a backup."""
    from cti_server.record import migrate
    from cti_server.record.audit.entries import note
    from cti_server.record.database import Database, DatabaseRefusal

    if made.facts.revision != migrate.head():
        return

    async def noted() -> None:
        acts_as_command()
        async with Database(settings.database_url) as database, database.begin():
            note(action, "record", detail)

    try:
        run(noted())
    except DatabaseRefusal as refused:  # a standby, or a disk that is full: the file is none the worse
        err.print(Text(f"the audit log has no entry of this: {refused.orig}", "yellow"), soft_wrap=True)


def _tell(proof: Proof) -> None:
    made = proof.manifest
    say(f"backup of {_what(made)}")
    say(
        f"restored into a scratch database: {made.facts.rows} rows of {len(made.facts.tables)} tables, each with "
        "the number of rows and the digest that were recorded"
    )
    if proof.upgraded:
        say("brought to the schema of this version")
    log = proof.audit
    said = {"proven": "proven", "unproven": "whole, and not signed throughout", "tampered": "not what was written"}
    say(f"audit log: {said[log.verdict]}, {log.entries} entries in {log.chains} chains")
    if proof.secrets:
        say(f"secrets: the keys of CTI_SECRET_KEY open {proof.opened} of {proof.secrets}")
        if proof.opened < proof.secrets:
            err.print(
                Text(
                    f"without {_keys(made)} the others are lost: docs/operations.md, the key of the passwords",
                    "yellow",
                ),
                soft_wrap=True,
            )


def _tell_keys(made: Manifest) -> None:
    if made.facts.keys:
        say(
            f"{sum(made.facts.keys.values())} secrets in it are encrypted: whoever restores it needs "
            f"{_keys(made)}, which is not in it"
        )


def _keys(made: Manifest) -> str:
    """The keys as `doctor` names them."""
    names = ", ".join(f"{name}…" for name in sorted(made.facts.keys))
    return (
        f"the key {names} of CTI_SECRET_KEY"
        if len(made.facts.keys) == 1
        else f"the keys {names} of CTI_SECRET_KEY"
    )


def _what(made: Manifest) -> str:
    engine = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[made.facts.engine]
    return (
        f"{made.made_at:%Y-%m-%d %H:%M:%S} UTC, revision {made.facts.revision}, {engine} {made.facts.version}, "
        f"by cti-server {made.made_by}"
    )


def _size(file: Path) -> str:
    size = file.stat().st_size
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB"
