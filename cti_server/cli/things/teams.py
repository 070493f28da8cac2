"""team: people, the queues that they serve together, and who supervises them."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import typer

from cti_server.cli.common import fail, read, read_settings, say, write
from cti_server.cli.given import changes, pbx_of, some, text, there
from cti_server.cli.tables import Json, show_all, show_one
from cti_server.settings import Settings

from .users import of_login

team = typer.Typer(no_args_is_help=True, help="Teams: whom a supervisor supervises.")

Name = Annotated[str, typer.Argument(help="The team's name.")]
NameZh = Annotated[str | None, typer.Option("--name-zh", help="Its name in Chinese; '' for none.")]
Members = Annotated[list[str] | None, typer.Option("--member", help="A login that is in it. Again for more.")]
Without = Annotated[list[str] | None, typer.Option("--without", help="A login that is in it no more.")]
Supervisors = Annotated[
    list[str] | None, typer.Option("--supervisor", help="A login that supervises it. Again for more.")
]
NoSupervisor = Annotated[
    list[str] | None, typer.Option("--no-supervisor", help="A login that supervises it no more.")
]
Queues = Annotated[
    list[str] | None, typer.Option("--queue", help="A queue of theirs, or PBX/QUEUE. Again for more.")
]
NoQueue = Annotated[list[str] | None, typer.Option("--no-queue", help="A queue that is theirs no more.")]
LATER = "; it counts within seconds"
COLUMNS = ("name", "name_zh", "supervisors", "members", "queues")


@team.command("list")
def list_teams(json: Json = False) -> None:
    """Every team. Without any, each supervisor supervises everybody."""
    show_all(COLUMNS, read(read_settings(), _rows), json)


@team.command("show")
def show_team(name: Name, json: Json = False) -> None:
    """One team."""

    async def row(conn: Any) -> dict[str, Any]:
        rows = {one["name"]: one for one in await _rows(conn)}
        return there(rows.get(name), f"team {name}", "cti-server team list")

    show_one(read(read_settings(), row), json)


@team.command("add")
def add_team(
    name: Name,
    name_zh: NameZh = None,
    member: Members = None,
    supervisor: Supervisors = None,
    queue: Queues = None,
) -> None:
    """Add a team. From the first one on, a supervisor sees the teams that they supervise and no others."""
    settings = read_settings()
    text("the name", name)

    async def add(conn: Any) -> list[str]:
        from cti_server.record.center import agents, teams

        known = await teams.everything(conn)
        made = teams.Team(
            name=name,
            name_zh=name_zh or None,
            members=await _people(conn, member),
            supervisors=await _people(conn, supervisor),
            queues=await _queues(conn, settings, queue),
        )
        try:
            await teams.save(conn, made)
        except teams.NameTaken:
            fail(f"there is a team {name} already", f"cti-server team set {name} …")
        supervising = {one for each in (*known, made) for one in each.supervisors}
        return [
            one.login
            for one in await agents.all_active(conn)
            if one.role == "supervisor" and one.id not in supervising
        ]

    without = write(settings, add)
    say(f"added team {name}{LATER}")
    if without:
        say(f"who supervises no team, and so sees nobody's calls but their own: {', '.join(without)}")


@team.command("set")
def set_team(
    name: Name,
    name_zh: NameZh = None,
    new_name: Annotated[str | None, typer.Option("--name", help="Another name for it.")] = None,
    member: Members = None,
    without: Without = None,
    supervisor: Supervisors = None,
    no_supervisor: NoSupervisor = None,
    queue: Queues = None,
    no_queue: NoQueue = None,
) -> None:
    """Change only what is given: people and queues are added and taken away one by one."""
    settings = read_settings()
    fields = changes(may_be_empty={"name_zh"}, name=new_name, name_zh=name_zh)
    lists = [member, without, supervisor, no_supervisor, queue, no_queue]
    some(fields | ({"lists": True} if any(lists) else {}), "cti-server team set")

    async def change(conn: Any) -> None:
        from cti_server.record.center import teams

        known = there(await teams.by_name(conn, name), f"team {name}", "cti-server team list")
        people = (known.members | await _people(conn, member)) - await _people(conn, without)
        leads = (known.supervisors | await _people(conn, supervisor)) - await _people(conn, no_supervisor)
        served = (known.queues | await _queues(conn, settings, queue)) - await _queues(
            conn, settings, no_queue, must_be=False
        )
        try:
            await teams.save(conn, replace(known, members=people, supervisors=leads, queues=served, **fields))
        except teams.NameTaken:
            fail(f"there is a team {new_name} already")

    write(settings, change)
    say(f"changed team {name}{LATER}")


@team.command("remove")
def remove_team(name: Name) -> None:
    """Remove a team; its people and queues stay."""

    async def remove(conn: Any) -> bool:
        from cti_server.record.center import teams

        known = there(await teams.by_name(conn, name), f"team {name}", "cti-server team list")
        await teams.remove(conn, known.id)
        return not await teams.everything(conn)

    was_last = write(read_settings(), remove)
    say(f"removed team {name}{LATER}")
    if was_last:
        say("it was the last one: each supervisor supervises everybody again")


async def _people(conn: Any, logins: list[str] | None) -> frozenset[int]:
    return frozenset([(await of_login(conn, login)).id for login in logins or ()])


async def _queues(
    conn: Any, settings: Settings, names: list[str] | None, *, must_be: bool = True
) -> frozenset[tuple[str, str]]:
    from cti_server.record.center import queues

    found = set()
    for name in names or ():
        pbx, slash, queue = name.rpartition("/")
        there = {(known.pbx, known.name) for known in await queues.all_queues(conn)}
        called_so = [known for known in there if known[1] == queue]
        one = (
            called_so[0]
            if not slash and len(called_so) == 1
            else (pbx_of(settings, pbx if slash else None), queue)
        )
        if must_be and one not in there:
            fail(f"the record has no queue {queue} of {one[0]}", f"cti-server queue add {queue} --pbx {one[0]}")
        found.add(one)
    return frozenset(found)


async def _rows(conn: Any) -> list[dict[str, Any]]:
    from cti_server.record.center import agents, teams

    logins = {agent.id: agent.login for agent in await agents.everyone(conn)}
    return [
        {
            "name": one.name,
            "name_zh": one.name_zh,
            "supervisors": sorted(logins[agent] for agent in one.supervisors),
            "members": sorted(logins[agent] for agent in one.members),
            "queues": [f"{pbx}/{queue}" for pbx, queue in sorted(one.queues)],
        }
        for one in await teams.everything(conn)
    ]
