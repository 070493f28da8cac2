"""queue: what the PBX does not know of its queues: titles, limits, wrap-up, skill."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, get_args

import typer

from cti_server.cli.common import fail, read, read_settings, say, write
from cti_server.cli.given import LATER, Pbx, Title, TitleZh, changes, one_of, pbx_of, some, text, there
from cti_server.cli.tables import Json, show_all, show_one

queue = typer.Typer(
    no_args_is_help=True,
    help="Queues of the PBX: titles, limits and wrap-up. '*' is the policy: it counts for queues that are not "
    "named here, and a new one begins with it.",
)

Name = Annotated[str, typer.Argument(help="Its name in queues.conf; '*' for the policy.")]
DAY_S = 86_400
ShortAbandon = Annotated[
    float | None,
    typer.Option("--short-abandon", min=0, max=DAY_S, help="Seconds below which an abandon counts apart."),
]
ServiceLevel = Annotated[
    float | None,
    typer.Option("--service-level", min=0, max=DAY_S, help="Seconds within which calls should be answered."),
]
WrapUp = Annotated[str | None, typer.Option("--wrap-up", help="optional, mandatory or forced: docs/desk.md.")]
WrapUpTime = Annotated[
    float | None,
    typer.Option("--wrap-up-time", min=0, max=DAY_S, help="Seconds of wrap-up; 0 for no limit."),
]
Extensions = Annotated[
    int | None, typer.Option("--wrap-up-extensions", min=0, max=100, help="How often that may be added.")
]
CodeRequired = Annotated[
    bool | None, typer.Option("--code-required/--no-code-required", help="A wrap-up code must be chosen.")
]
Skill = Annotated[
    str | None, typer.Option("--skill", help="The skill that orders its agents: `user skill`; '' for none.")
]
COLUMNS = ("name", "pbx", "title_en", "title_zh", "service_level_s", "wrap_up_mode", "wrap_up_s", "skill")


@queue.command("list")
def list_queues(json: Json = False) -> None:
    """Every queue of all PBXs, and the policy."""

    async def rows(conn: Any) -> list[dict[str, Any]]:
        from cti_server.record.center import queues

        return [_row(one) for one in [await queues.policy(conn), *await queues.all_queues(conn)]]

    show_all(COLUMNS, read(read_settings(), rows), json)


@queue.command("show")
def show_queue(name: Name, pbx: Pbx = None, json: Json = False) -> None:
    """One queue, and who serves it."""
    settings = read_settings()
    of_pbx = pbx_of(settings, pbx)

    async def row(conn: Any) -> dict[str, Any]:
        from cti_server.record.center import agent_queues

        found = await _queue(conn, of_pbx, name)
        return _row(found) | {"agents": await agent_queues.serving(conn, found.id)}

    show_one(read(settings, row), json)


@queue.command("add")
def add_queue(
    name: Name,
    title: Title = None,
    title_zh: TitleZh = None,
    pbx: Pbx = None,
    short_abandon: ShortAbandon = None,
    service_level: ServiceLevel = None,
    wrap_up: WrapUp = None,
    wrap_up_time: WrapUpTime = None,
    wrap_up_extensions: Extensions = None,
    code_required: CodeRequired = None,
    skill: Skill = None,
) -> None:
    """Tell the record of a queue. What is not given is as the policy `*` says."""
    settings = read_settings()
    owner = pbx_of(settings, pbx)
    changes(name=name)
    fields = _fields(
        title,
        title_zh,
        short_abandon,
        service_level,
        wrap_up,
        wrap_up_time,
        wrap_up_extensions,
        code_required,
        skill,
    )

    async def add(conn: Any) -> None:
        from cti_server.record.center import queues

        policy = await queues.policy(conn)
        if name == queues.POLICY or await queues.find(conn, owner, name) is not None:
            fail(f"there is a queue {name} already", f"cti-server queue set {name} …")
        named = {"title_en": title or name, "title_zh": title_zh or title or name}
        await queues.save(conn, replace(policy, pbx=owner, name=name, **named | fields))

    write(settings, add)
    say(f"queue {name} of {owner}{LATER}")


@queue.command("set")
def set_queue(
    name: Name,
    title: Title = None,
    title_zh: TitleZh = None,
    pbx: Pbx = None,
    short_abandon: ShortAbandon = None,
    service_level: ServiceLevel = None,
    wrap_up: WrapUp = None,
    wrap_up_time: WrapUpTime = None,
    wrap_up_extensions: Extensions = None,
    code_required: CodeRequired = None,
    skill: Skill = None,
) -> None:
    """Change only what is given."""
    settings = read_settings()
    of_pbx = pbx_of(settings, pbx)
    fields = some(
        _fields(
            title,
            title_zh,
            short_abandon,
            service_level,
            wrap_up,
            wrap_up_time,
            wrap_up_extensions,
            code_required,
            skill,
        ),
        "cti-server queue set",
    )

    async def change(conn: Any) -> None:
        from cti_server.record.center import queues

        await queues.save(conn, replace(await _queue(conn, of_pbx, name), **fields))

    write(settings, change)
    say(f"changed queue {name}{LATER}")


@queue.command("remove")
def remove_queue(name: Name, pbx: Pbx = None) -> None:
    """Remove a queue from the record, unless something names it. The PBX keeps its queue."""
    settings = read_settings()
    of_pbx = pbx_of(settings, pbx)

    async def remove(conn: Any) -> None:
        from cti_server.record.center import agent_queues, lines, queues, wrap_up_codes

        found = await _queue(conn, of_pbx, name)
        if name == queues.POLICY:
            fail("the policy stays: something must count for queues without a row", "cti-server queue set '*' …")
        uses = [f"cti-server user unserves {who} {name}" for who in await agent_queues.serving(conn, found.id)]
        uses += [
            f"cti-server line set {one.raw} --queue ''" for one in await lines.all_lines(conn) if one.queue == name
        ]
        uses += [
            f"cti-server code remove {code.code}"
            for code in await wrap_up_codes.all_codes(conn)
            if code.active and code.queue == name
        ]
        if uses:
            fail(f"queue {name} is in use; these let go of it:", "\n".join(uses))
        await queues.remove(conn, found.id)

    write(settings, remove)
    say(f"removed queue {name} of {of_pbx}{LATER}")


async def _queue(conn: Any, pbx: str, name: str) -> Any:
    from cti_server.record.center import queues

    if name == queues.POLICY:
        return await queues.policy(conn)
    return there(
        await queues.find(conn, pbx, name), f"queue {name} of {pbx} in the record", "cti-server queue list"
    )


def _fields(
    title: str | None,
    title_zh: str | None,
    short_abandon: float | None,
    service_level: float | None,
    wrap_up: str | None,
    wrap_up_time: float | None,
    wrap_up_extensions: int | None,
    code_required: bool | None,
    skill: str | None,
) -> dict[str, Any]:
    from cti_server.record.center.queues import WrapUpMode

    one_of("--wrap-up", wrap_up, get_args(WrapUpMode))
    seconds = {
        "short_abandon_ms": short_abandon,
        "service_level_ms": service_level,
        "wrap_up_ms": wrap_up_time,
    }
    return changes(
        may_be_empty={"skill"},
        title_en=title,
        title_zh=title_zh,
        wrap_up_mode=wrap_up,
        wrap_up_extensions=wrap_up_extensions,
        wrap_up_code_required=code_required,
        skill=skill if not skill else text("--skill", skill),
        **{name: None if value is None else round(value * 1000) for name, value in seconds.items()},
    )


def _row(queue: Any) -> dict[str, Any]:
    return {
        "name": queue.name,
        "pbx": queue.pbx,
        "title_en": queue.title_en,
        "title_zh": queue.title_zh,
        "short_abandon_s": queue.short_abandon_ms / 1000,
        "service_level_s": queue.service_level_ms / 1000,
        "wrap_up_mode": queue.wrap_up_mode,
        "wrap_up_s": queue.wrap_up_ms / 1000,
        "wrap_up_extensions": queue.wrap_up_extensions,
        "code_required": queue.wrap_up_code_required,
        "skill": queue.skill,
    }
