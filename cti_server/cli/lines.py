"""line, queue: what the record must know about the PBX before calls come."""

from __future__ import annotations

from typing import Annotated, Any, get_args

import typer

from cti_server.settings import Settings

from .common import fail, out, read_settings, run

line = typer.Typer(no_args_is_help=True, help="Numbers that are dialled: their region, language and queue.")
queue = typer.Typer(no_args_is_help=True, help="Queues of the PBX: titles, limits and wrap-up.")


@line.command("add")
def line_add(
    did: Annotated[str, typer.Argument(help="The number as the PBX sends it (DNIS).")],
    region: Annotated[str | None, typer.Option(help="How callers' numbers are read there, e.g. CN, GB.")] = None,
    title: Annotated[str, typer.Option(help="Its name in English.")] = "",
    title_zh: Annotated[str, typer.Option(help="Its name in Chinese.")] = "",
    language: Annotated[str | None, typer.Option(help="en or zh, when the caller's is not known.")] = None,
    queue: Annotated[str | None, typer.Option(help="The queue it leads to.")] = None,
) -> None:
    """Add a line, or change the one with this number."""
    from cti_server.rules.facts import Line
    from cti_server.rules.numbers import normalise

    settings = read_settings()
    where = (region or settings.default_region).upper()
    number = normalise(did, where)
    if number.e164 is None:
        fail(
            f"{did} is not a number of {where}: {number.reason}", "give it in full, e.g. +4420…, or name --region"
        )
    if language not in (None, "en", "zh"):
        fail("the language is en or zh")
    made = Line(0, number.e164, did, where, title or did, title_zh or title or did, language, queue)
    run(_save(settings, "lines", made))
    out.print(f"line [bold]{did}[/] ({number.e164}, {where}); a running server knows it within 15 s")


@queue.command("add")
def queue_add(
    name: Annotated[str, typer.Argument(help="Its name in queues.conf.")],
    title: Annotated[str, typer.Option(help="Its name in English.")] = "",
    title_zh: Annotated[str, typer.Option(help="Its name in Chinese.")] = "",
    pbx: Annotated[str | None, typer.Option(help="Its PBX; the first one unless named.")] = None,
    short_abandon: Annotated[float, typer.Option(help="Seconds below which an abandon counts apart.")] = 5.0,
    service_level: Annotated[float, typer.Option(help="Seconds within which calls should be answered.")] = 20.0,
    wrap_up: Annotated[str, typer.Option(help="optional, mandatory or forced: docs/desk.md.")] = "mandatory",
    wrap_up_time: Annotated[float, typer.Option(help="Seconds of wrap-up; 0 for no limit.")] = 30.0,
    wrap_up_extensions: Annotated[int, typer.Option(min=0, max=100, help="How often that may be added.")] = 2,
    code_required: Annotated[bool, typer.Option(help="A wrap-up code must be chosen.")] = False,
    skill: Annotated[str | None, typer.Option(help="The skill that orders its agents: `user skill`.")] = None,
) -> None:
    """Add a queue, or change the one with this name."""
    from cti_server.record.center.queues import Queue, WrapUpMode

    if wrap_up not in get_args(WrapUpMode):
        fail(f"--wrap-up is one of {', '.join(get_args(WrapUpMode))}")
    settings = read_settings()
    owner = pbx or settings.attached()[0].name
    made = Queue(
        0,
        owner,
        name,
        title or name,
        title_zh or title or name,
        short_abandon_ms=round(short_abandon * 1000),
        service_level_ms=round(service_level * 1000),
        wrap_up_ms=round(wrap_up_time * 1000),
        wrap_up_mode=wrap_up,  # type: ignore[arg-type]
        wrap_up_code_required=code_required,
        wrap_up_extensions=wrap_up_extensions,
        skill=skill,
    )
    run(_save(settings, "queues", made))
    out.print(f"queue [bold]{name}[/] of {owner}; a running server knows it within 15 s")


async def _save(settings: Settings, table: str, row: Any) -> None:
    from cti_server.record.center import lines, queues
    from cti_server.record.database import Database

    save: Any = {"lines": lines.save, "queues": queues.save}[table]
    async with Database(settings.database_url) as database, database.begin() as conn:
        await save(conn, row)
