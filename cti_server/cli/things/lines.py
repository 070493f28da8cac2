"""line: the numbers that customers dial, and what dialling each one means."""

from __future__ import annotations

import re
from dataclasses import asdict, replace
from typing import Annotated, Any, get_args

import typer

from cti_server.cli.common import fail, read, read_settings, say, write
from cti_server.cli.given import LATER, Title, TitleZh, changes, one_of, region_of, some, there
from cti_server.cli.tables import Json, show_all, show_one
from cti_server.rules.facts import Language

line = typer.Typer(no_args_is_help=True, help="Numbers that are dialled: their region, language and queue.")

Did = Annotated[str, typer.Argument(help="The number as the PBX sends it (DNIS).")]
Region = Annotated[str | None, typer.Option("--region", help="How callers' numbers are read there, e.g. CN, GB.")]
LanguageIs = Annotated[
    str | None, typer.Option("--language", help="en or zh, when the caller's is not known; '' for none.")
]
Queue = Annotated[str | None, typer.Option("--queue", help="The queue it leads to; '' for none.")]
Switchboard = Annotated[
    bool | None,
    typer.Option("--switchboard/--no-switchboard", help="The center's own general number."),
]
COLUMNS = ("number", "e164", "region", "title_en", "title_zh", "language", "queue")


@line.command("list")
def list_lines(json: Json = False) -> None:
    """Every line."""

    async def rows(conn: Any) -> list[dict[str, Any]]:
        from cti_server.record.center import lines

        return [_row(one) for one in await lines.all_lines(conn)]

    show_all(COLUMNS, read(read_settings(), rows), json)


@line.command("show")
def show_line(did: Did, json: Json = False) -> None:
    """One line."""

    async def row(conn: Any) -> dict[str, Any]:
        return _row(await _line(conn, did))

    show_one(read(read_settings(), row), json)


@line.command("add")
def add_line(
    did: Did,
    region: Region = None,
    title: Title = None,
    title_zh: TitleZh = None,
    language: LanguageIs = None,
    queue: Queue = None,
    switchboard: Switchboard = None,
) -> None:
    """Add a line."""
    from cti_server.rules.facts import Line

    settings = read_settings()
    fields = _fields(title, title_zh, language, queue, switchboard)
    did = re.sub(r"[\s().-]", "", did)  # the PBX sends digits
    where = region_of(region) if region is not None else settings.default_region
    number = _e164(did, where)
    names: dict[str, Any] = {"title_en": title or did, "title_zh": title_zh or title or did}
    made = replace(Line(0, number, did, where, **names), **fields)

    async def add(conn: Any) -> None:
        from cti_server.record.center import lines

        known = await lines.by_number(conn, did) or await lines.by_number(conn, number)
        if known is not None:
            fail(f"there is a line {known.raw} ({known.e164}) already", f"cti-server line set {known.raw} …")
        await _queue_is_known(conn, made.queue)
        await lines.save(conn, made)

    write(settings, add)
    say(f"line {did} ({number}, {where}){LATER}")


@line.command("set")
def set_line(
    did: Did,
    region: Region = None,
    title: Title = None,
    title_zh: TitleZh = None,
    language: LanguageIs = None,
    queue: Queue = None,
    switchboard: Switchboard = None,
) -> None:
    """Change only what is given."""
    fields = _fields(title, title_zh, language, queue, switchboard)
    if region is not None:
        fields["region"] = region_of(region)
    some(fields, "cti-server line set")

    async def change(conn: Any) -> None:
        from cti_server.record.center import lines

        known = await _line(conn, did)
        if "region" in fields:
            fields["e164"] = _e164(known.raw, fields["region"])
        await _queue_is_known(conn, fields.get("queue"))
        await lines.save(conn, replace(known, **fields))

    write(read_settings(), change)
    say(f"changed line {did}{LATER}")


@line.command("remove")
def remove_line(did: Did) -> None:
    """Remove a line. Calls on it are still answered; their callers' numbers are read as of the default region."""

    async def remove(conn: Any) -> None:
        from cti_server.record.center import lines

        await lines.remove(conn, (await _line(conn, did)).id)

    write(read_settings(), remove)
    say(f"removed line {did}{LATER}")


def _fields(
    title: str | None, title_zh: str | None, language: str | None, queue: str | None, switchboard: bool | None
) -> dict[str, Any]:
    if language:
        one_of("the language", language, get_args(Language))
    return changes(
        may_be_empty={"language", "queue"},
        title_en=title,
        title_zh=title_zh,
        language=language,
        queue=queue,
        switchboard=switchboard,
    )


async def _queue_is_known(conn: Any, queue: str | None) -> None:
    """Of whichever PBX: a line may be carried by any."""
    from cti_server.record.center import queues

    names = sorted({one.name for one in await queues.all_queues(conn)})
    if queue and queue not in names:
        fail(f"the record has no queue {queue}", f"cti-server queue add {queue}   or one of: {', '.join(names)}")


def _e164(did: str, region: str) -> str:
    from cti_server.rules.numbers import normalise

    number = normalise(did, region)
    if number.e164 is None:
        fail(
            f"{did} is not a number of {region}: {number.reason}",
            "give it in full, e.g. +4420…, or name --region",
        )
    return number.e164


async def _line(conn: Any, did: str) -> Any:
    from cti_server.record.center import lines

    return there(await lines.by_number(conn, did), f"line {did}", "cti-server line list")


def _row(line: Any) -> dict[str, Any]:
    row = asdict(line)
    return {"number": row.pop("raw")} | {name: value for name, value in row.items() if name != "id"}
