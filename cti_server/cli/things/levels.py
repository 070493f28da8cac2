"""level: service levels, what contracts promise."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Annotated, Any

import typer

from cti_server.cli.common import fail, read, read_settings, say, write
from cti_server.cli.given import MAX_NUMBER, Title, TitleZh, changes, some, text, there
from cti_server.cli.tables import Json, show_all, show_one

level = typer.Typer(no_args_is_help=True, help="Service levels: what contracts promise.")

Code = Annotated[str, typer.Argument(help="Its code, as files to import name it, e.g. gold.")]
Rank = Annotated[int | None, typer.Option("--rank", min=1, max=1000, help="Its place among them; 1 is the best.")]
Priority = Annotated[
    int | None, typer.Option("--priority", min=0, max=1000, help="In queues; larger is answered sooner.")
]
Response = Annotated[
    int | None,
    typer.Option(
        "--response", min=0, max=MAX_NUMBER, help="Minutes within which somebody reacts; 0 for no promise."
    ),
]
Resolve = Annotated[
    int | None,
    typer.Option("--resolve", min=0, max=MAX_NUMBER, help="Minutes within which it is solved; 0 for no promise."),
]
Calendar = Annotated[
    str | None, typer.Option("--calendar", help="When these minutes count, e.g. 24x7; '' for none.")
]
COLUMNS = (
    "code",
    "name_en",
    "name_zh",
    "tier_rank",
    "queue_priority",
    "response_minutes",
    "resolve_minutes",
    "calendar",
)


@level.command("list")
def list_levels(json: Json = False) -> None:
    """Every service level, the best first."""

    async def rows(conn: Any) -> list[dict[str, Any]]:
        from cti_server.record.crm import contracts

        return [_row(one) for one in await contracts.all_service_levels(conn)]

    show_all(COLUMNS, read(read_settings(), rows), json)


@level.command("show")
def show_level(code: Code, json: Json = False) -> None:
    """One service level, and how many contracts promise it."""

    async def row(conn: Any) -> dict[str, Any]:
        from cti_server.record.crm import contracts

        found = await of_code(conn, code)
        return _row(found) | {"contracts": await contracts.count_at(conn, found.id)}

    show_one(read(read_settings(), row), json)


@level.command("add")
def add_level(
    code: Code,
    title: Title = None,
    title_zh: TitleZh = None,
    rank: Rank = None,
    priority: Priority = None,
    response: Response = None,
    resolve: Resolve = None,
    calendar: Calendar = None,
) -> None:
    """Add a service level: the last in rank, unless it is given."""
    from cti_server.rules.facts import ServiceLevel

    fields = _fields(title, title_zh, rank, priority, response, resolve, calendar)
    if not code.strip():
        fail("a service level needs a code", "cti-server level add platinum")
    text("the code", code)

    async def add(conn: Any) -> None:
        from cti_server.record.crm import contracts

        known = await contracts.all_service_levels(conn)
        if (same := next((one.code for one in known if one.code.casefold() == code.casefold()), None)) is not None:
            fail(f"there is a service level {same} already", f"cti-server level set {same} …")
        last = max((one.tier_rank for one in known), default=0) + 1
        made = ServiceLevel(0, code, title or code, title_zh or title or code, last, 0)
        await contracts.save_service_level(conn, replace(made, **fields))

    write(read_settings(), add)
    say(f"added service level {code}")


@level.command("set")
def set_level(
    code: Code,
    title: Title = None,
    title_zh: TitleZh = None,
    rank: Rank = None,
    priority: Priority = None,
    response: Response = None,
    resolve: Resolve = None,
    calendar: Calendar = None,
) -> None:
    """Change only what is given, for all contracts that promise it."""
    fields = some(_fields(title, title_zh, rank, priority, response, resolve, calendar), "cti-server level set")

    async def change(conn: Any) -> None:
        from cti_server.record.crm import contracts

        await contracts.save_service_level(conn, replace(await of_code(conn, code), **fields))

    write(read_settings(), change)
    say(f"changed service level {code}")


@level.command("remove")
def remove_level(code: Code) -> None:
    """Remove a service level that no contract promises."""

    async def remove(conn: Any) -> None:
        from cti_server.record.crm import contracts

        found = await of_code(conn, code)
        if count := await contracts.count_at(conn, found.id):
            fail(
                f"{count} contracts promise {code}",
                f"cti-server contract list --level {code}   names them; contract set NUMBER --level … moves one",
            )
        await contracts.remove_service_level(conn, found.id)

    write(read_settings(), remove)
    say(f"removed service level {code}")


async def of_code(conn: Any, code: str) -> Any:
    from cti_server.record.crm import contracts

    known = await contracts.all_service_levels(conn)
    exact = next((one for one in known if one.code == code), None)
    alike = next((one for one in known if one.code.casefold() == code.casefold()), None)  # as an import reads it
    return there(exact or alike, f"service level {code}", "cti-server level list")


def _fields(
    title: str | None,
    title_zh: str | None,
    rank: int | None,
    priority: int | None,
    response: int | None,
    resolve: int | None,
    calendar: str | None,
) -> dict[str, Any]:
    found = changes(
        may_be_empty={"calendar"},
        name_en=title,
        name_zh=title_zh,
        tier_rank=rank,
        queue_priority=priority,
        response_minutes=response,
        resolve_minutes=resolve,
        calendar=calendar,
    )
    return found | {name: None for name in ("response_minutes", "resolve_minutes") if found.get(name) == 0}


def _row(level: Any) -> dict[str, Any]:
    return {name: value for name, value in asdict(level).items() if name != "id"}
