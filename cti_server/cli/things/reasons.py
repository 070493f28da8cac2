"""reason: why an agent is not ready, in the words of this center."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Annotated, Any

import typer

from cti_server.cli.common import fail, read, read_settings, say, write
from cti_server.cli.given import LATER, Active, Position, Title, TitleZh, changes, some, there
from cti_server.cli.tables import Json, show_all, show_one

reason = typer.Typer(no_args_is_help=True, help="Reasons for not being ready that agents choose from.")

Code = Annotated[str, typer.Argument(help="Its code, e.g. lunch; the PBX gets it as the reason of a pause.")]
COLUMNS = ("code", "title_en", "title_zh", "position", "active")


@reason.command("list")
def list_reasons(json: Json = False) -> None:
    """Every reason in its order. One that is not active stays in the history, and cannot be chosen."""

    async def rows(conn: Any) -> list[dict[str, Any]]:
        from cti_server.record.center import reasons

        return [asdict(one) for one in await reasons.all_reasons(conn)]

    show_all(COLUMNS, read(read_settings(), rows), json)


@reason.command("show")
def show_reason(code: Code, json: Json = False) -> None:
    """One reason."""

    async def row(conn: Any) -> dict[str, Any]:
        return asdict(await _reason(conn, code))

    show_one(read(read_settings(), row), json)


@reason.command("add")
def add_reason(code: Code, title: Title = None, title_zh: TitleZh = None, position: Position = None) -> None:
    """Add a reason."""
    from cti_server.api.agent.codes import NewReason
    from cti_server.floor.agents import SYSTEM_REASONS

    fields = changes(title_en=title, title_zh=title_zh, position=position)
    check(NewReason, code, fields)
    if code in SYSTEM_REASONS:
        fail(f"the server gives the reason {code} itself", "Take another code.")

    async def add(conn: Any) -> None:
        from cti_server.record.center import reasons

        known = await reasons.all_reasons(conn)
        refuse_known("reason", code, {one.code: one.active for one in known})
        names = {"title_en": title or code, "title_zh": title_zh or title or code}
        last = max((one.position for one in known), default=-1) + 1
        await reasons.save(conn, reasons.ReasonCode(code=code, **{"position": min(last, 10_000)} | names | fields))

    write(read_settings(), add)
    say(f"added reason {code}{LATER}")


@reason.command("set")
def set_reason(
    code: Code, title: Title = None, title_zh: TitleZh = None, position: Position = None, active: Active = None
) -> None:
    """Change only what is given. --active brings a removed one back."""
    fields = changes(title_en=title, title_zh=title_zh, position=position, active=active)
    some(fields, "cti-server reason set")

    async def change(conn: Any) -> None:
        from cti_server.record.center import reasons

        await reasons.save(conn, replace(await _reason(conn, code), **fields))

    write(read_settings(), change)
    say(f"changed reason {code}{LATER}")


@reason.command("remove")
def remove_reason(code: Code) -> None:
    """It cannot be chosen any more; past days keep it. Who is not ready for it now stays so."""

    async def remove(conn: Any) -> None:
        from cti_server.record.center import reasons

        await reasons.save(conn, replace(await _reason(conn, code), active=False))

    write(read_settings(), remove)
    say(f"reason {code} cannot be chosen any more; cti-server reason set {code} --active brings it back{LATER}")


async def _reason(conn: Any, code: str) -> Any:
    from cti_server.record.center import reasons

    return there(await reasons.find(conn, code), f"reason {code}", "cti-server reason list")


def check(shape: Any, code: str, fields: dict[str, Any]) -> None:
    """Refuse what the API would refuse."""
    from pydantic import ValidationError

    try:
        shape(**{"code": code, "title_en": "x", "title_zh": "x"} | fields)
    except ValidationError as bad:
        wrong = bad.errors()[0]
        if wrong["loc"] != ("code",):
            fail(f"{wrong['loc'][0]}: {wrong['msg']}")
        fail(
            f"{code} cannot be a code",
            "It has small letters, digits, _ and -; a wrap-up code also / for its place.",
        )


def refuse_known(thing: str, code: str, known: dict[str, bool]) -> None:
    if known.get(code):
        fail(f"there is a {thing} {code} already", f"cti-server {thing} set {code} …")
    if code in known:
        fail(f"{thing} {code} was removed", f"cti-server {thing} set {code} --active   brings it back")
