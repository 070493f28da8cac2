"""audit: the audit log: read it, follow its chains and seals, and take it away."""

from __future__ import annotations

import json as json_of
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from cti_server.cli.common import err, fail, read, read_settings, run, say
from cti_server.cli.tables import Json, show_all

audit = typer.Typer(no_args_is_help=True, help="The audit log: who changed what, and what only a grant allowed.")

COLUMNS = ("at", "actor", "actor_name", "address", "action", "thing", "allowed_by", "detail")
MEANINGS = {
    "changed": "was changed",
    "missing": "is missing",
    "added": "was added later",
    "forged": "has a signature that is not its key's",
    "unsigned": "is not signed",
    "unsealed": "is not sealed yet",
    "other_key": "was signed with another key",
    "late": "was sealed late",
}


@audit.command("list")
def list_entries(
    action: Annotated[
        str | None, typer.Option("--action", help="One action, or with a dot at its end a group.")
    ] = None,
    actor: Annotated[str | None, typer.Option("--actor", help="As user:3, key:1 or command:root.")] = None,
    last: Annotated[int, typer.Option("--last", min=1, max=200, help="How many, the latest first.")] = 50,
    json: Json = False,
) -> None:
    """The latest entries."""

    async def rows(conn: Any) -> list[dict[str, Any]]:
        from cti_server.record.audit import entries

        page = await entries.page(conn, action=action, actor=actor, limit=last)
        return [{name: getattr(entry, name) for name in COLUMNS} for entry in page.items]

    show_all(COLUMNS, read(read_settings(), rows), json)


@audit.command("verify")
def verify(
    trust: Annotated[
        list[str] | None, typer.Option("--trust", help="The public key of a key that was retired. Again for more.")
    ] = None,
) -> None:
    """Follow every chain and every seal. Exit status 0: proven. 1: something was changed, added or is missing.
    2: it cannot be proven, for a day is not sealed in time by a key that is trusted."""
    from cti_server.record.audit import seals

    settings = read_settings()
    own = [signer.public for signer in settings.sealer().signers]
    trusted = dict.fromkeys([*own, *(trust or ())])

    async def found(conn: Any) -> Any:
        return await seals.verify(conn, datetime.now(UTC), trusted)

    told = read(settings, found)
    for one in told.findings:
        line = f"{one.where} {MEANINGS[one.code]}: {one.detail}"
        err.print(Text(line, "bold red" if one.is_tampering else "yellow"), soft_wrap=True)
    what = f"{told.entries} entries in {told.chains} chains, {told.seals} days sealed"
    if own:
        say(f"the next day is signed by {own[0]}")
    if told.verdict == "tampered":
        fail(
            f"the audit log is not what was written: {what}", "Compare it with what cti-server audit export gave."
        )
    if told.verdict == "unproven":
        remedy = (
            "Compare these days with what cti-server audit export gave. For a key that was retired:  --trust KEY"
            if own
            else "Set CTI_SECRET_KEY to what  cti-server key  prints: without it no day can be signed."
        )
        fail(f"nothing was found, and not all is proven: {what}", remedy, status=2)
    say(f"intact: {what}")


def _iso(value: datetime) -> str:
    return value.isoformat()


@audit.command("export")
def export(
    file: Annotated[
        Path | None, typer.Argument(help="Where to; stdout unless given. It must not be there yet.")
    ] = None,
) -> None:
    """Every entry and every seal, one JSON object a line, each with its hash: what somebody else can keep and
    check."""
    settings = read_settings(quiet=file is None)
    try:
        to = sys.stdout if file is None else file.open("x", encoding="utf-8")
    except FileExistsError:
        fail(f"{file} is there already", "Name another file.")
    except OSError as cause:
        fail(f"{file} cannot be written: {cause.strerror}")
    count = 0

    def written(one: Any) -> None:
        nonlocal count
        count += 1
        values = {"type": type(one).__name__.lower(), **asdict(one)}
        to.write(json_of.dumps(values, ensure_ascii=False, default=_iso) + "\n")

    async def work(conn: Any) -> None:
        from cti_server.record.audit import seals

        await seals.exported(conn, written)

    try:
        read(settings, work)
    finally:
        if to is not sys.stdout:
            to.close()
    if file is not None:
        say(f"{count} lines in {file}")


@audit.command("seal")
def seal() -> None:
    """Seal the days that are over, as a running server does a few minutes after midnight UTC."""
    settings = read_settings()

    async def work() -> list[str]:
        from cti_server.cli.common import opened
        from cti_server.record.audit import seals

        now, signer = datetime.now(UTC), next(iter(settings.sealer().signers), None)
        async with opened(settings) as database:
            async with database.read() as conn:
                due = await seals.due(conn, now)
            for day in due:
                async with database.begin() as conn:
                    await seals.seal(conn, day, now, signer)
        return due

    sealed = run(work(), settings)
    say(f"sealed {', '.join(sealed)}" if sealed else "no day is over that was not sealed")
