"""user serves, unserves, skill, unskill: which queues somebody serves, and how well they can do what."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cti_server.cli.common import fail, read_settings, say, write
from cti_server.cli.given import Pbx, pbx_of, text

from .users import of_login

Who = Annotated[str, typer.Argument(help="Who.")]


def serves(
    login: Who,
    queues: Annotated[list[str], typer.Argument(help="Names of queues; signing in joins them.")],
    penalty: Annotated[
        int | None, typer.Option(min=0, max=1000, help="Rung later than who has less; else told by their skill.")
    ] = None,
    pbx: Pbx = None,
) -> None:
    """Say which queues somebody serves. It counts from their next sign-in on."""
    settings = read_settings()
    of_pbx = pbx_of(settings, pbx)

    async def assign(conn: Any) -> None:
        from cti_server.record.center import agent_queues

        agent = await of_login(conn, login)
        for queue in await _queues(conn, of_pbx, queues):
            await agent_queues.assign(conn, agent.id, queue, penalty)

    write(settings, assign)
    say(f"{login} serves {', '.join(queues)}")


def unserves(
    login: Who,
    queues: Annotated[list[str], typer.Argument(help="Names of queues.")],
    pbx: Pbx = None,
) -> None:
    """Undo `serves`. It counts from their next sign-in on."""
    settings = read_settings()
    of_pbx = pbx_of(settings, pbx)

    async def take_out(conn: Any) -> None:
        from cti_server.record.center import agent_queues

        agent = await of_login(conn, login)
        for name, queue in zip(queues, await _queues(conn, of_pbx, queues), strict=True):
            if not await agent_queues.unassign(conn, agent.id, queue):
                fail(f"{login} does not serve {name}", f"cti-server user show {login}   says which they serve")

    write(settings, take_out)
    say(f"{login} does not serve {', '.join(queues)} any more")


def skill(
    login: Who,
    skills: Annotated[list[str], typer.Argument(help="skill=level, from 1 to 10, e.g. english=8")],
) -> None:
    """Say how well somebody can do something: in a queue that asks for a skill, the best are rung first."""
    levels: dict[str, int] = {}
    for given in skills:
        name, _, level = given.partition("=")
        if not name or not level.isdecimal() or not 1 <= int(level) <= 10:
            fail(f"{given} is not a skill and its level", "write skill=level, from 1 to 10, e.g. english=8")
        levels[text("a skill", name)] = int(level)

    async def teach(conn: Any) -> None:
        from cti_server.record.center import agent_queues

        await agent_queues.teach(conn, (await of_login(conn, login)).id, levels)

    write(read_settings(), teach)
    say(f"{login}: {', '.join(f'{name} {level}' for name, level in levels.items())}")


def unskill(login: Who, skills: Annotated[list[str], typer.Argument(help="Names of skills.")]) -> None:
    """Undo `skill`."""

    async def unteach(conn: Any) -> None:
        from cti_server.record.center import agent_queues

        agent = await of_login(conn, login)
        for name in skills:
            if not await agent_queues.unteach(conn, agent.id, name):
                fail(f"{login} has no skill {name}", f"cti-server user show {login}   says which they have")

    write(read_settings(), unteach)
    say(f"{login} has no {', '.join(skills)} any more")


async def _queues(conn: Any, pbx: str, names: list[str]) -> list[int]:
    """The ids of these queues, which the record must know."""
    from cti_server.record.center import queues

    known = {queue.name: queue.id for queue in await queues.all_queues(conn, pbx)}
    if missing := [name for name in names if name not in known]:
        fail(f"{pbx} has no queue {', '.join(missing)} in the record", f"cti-server queue add {missing[0]}")
    return [known[name] for name in names]
