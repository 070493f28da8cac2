"""user, phone: who signs in, which queues they serve and with what skill, and at which phones they may sit."""

from __future__ import annotations

from typing import Annotated, Any, get_args

import typer

from cti_server.settings import Settings

from .common import fail, out, read_settings, run

user = typer.Typer(no_args_is_help=True, help="People who sign in at a desktop, their queues and skills.")
phone = typer.Typer(no_args_is_help=True, help="Phones that people may sit down at.")


@user.command("add")
def user_add(
    login: Annotated[str, typer.Argument(help="What they sign in with.")],
    name: Annotated[str, typer.Option(help="Their name, as colleagues and customers see it.")],
    role: Annotated[str, typer.Option(help="agent, supervisor or administrator.")] = "agent",
    seat: Annotated[str | None, typer.Option(help="Their phone at the PBX, e.g. PJSIP/1001.")] = None,
    pbx: Annotated[str | None, typer.Option(help="The PBX of that phone; the first one unless named.")] = None,
    language: Annotated[str, typer.Option(help="en or zh.")] = "en",
    may_pick: Annotated[bool, typer.Option(help="May pick a waiting caller out of a queue.")] = False,
    password: Annotated[str | None, typer.Option(help="Asked for when not given.")] = None,
) -> None:
    """Add somebody who signs in; or, with a login that exists, change them."""
    from cti_server.api.access.passwords import hash_password

    if role not in ("agent", "supervisor", "administrator") or language not in ("en", "zh"):
        fail("the role is agent, supervisor or administrator; the language en or zh")
    settings = read_settings()
    secret = password or typer.prompt("password", hide_input=True, confirmation_prompt=True)
    try:
        hashed = hash_password(secret)
    except ValueError as bad:
        fail(str(bad))
    fields = {
        "name": name,
        "role": role,
        "language": language,
        "seat": seat,
        "extension": seat.rsplit("/", 1)[-1] if seat else None,
        "pbx": (pbx or settings.attached()[0].name) if seat else None,
        "may_pick": may_pick,
        "password_hash": hashed,
    }
    run(_save_user(settings, login, fields))


async def _save_user(settings: Settings, login: str, fields: dict[str, Any]) -> None:
    from cti_server.record.center import agents
    from cti_server.record.database import Database

    async with Database(settings.database_url) as database, database.begin() as conn:
        existing = await agents.by_login(conn, login)
        if existing is None:
            await agents.add(conn, login=login, **fields)
        else:
            await agents.update(conn, existing.id, **fields)
    out.print(f"{'changed' if existing else 'added'} [bold]{login}[/] ({fields['role']})")
    if fields["seat"]:
        out.print("a running server knows the new seat within 15 s")


@user.command("serves")
def user_serves(
    login: Annotated[str, typer.Argument(help="Who.")],
    queues: Annotated[list[str], typer.Argument(help="Names of queues; signing in joins them.")],
    penalty: Annotated[
        int | None, typer.Option(min=0, max=1000, help="Rung later than who has less; else told by their skill.")
    ] = None,
    pbx: Annotated[str | None, typer.Option(help="The PBX of these queues; the first one unless named.")] = None,
) -> None:
    """Say which queues somebody serves. It counts from their next sign-in on."""
    settings = read_settings()
    run(_serves(settings, login, queues, penalty, pbx or settings.attached()[0].name))
    out.print(f"[bold]{login}[/] serves {', '.join(queues)}")


async def _serves(settings: Settings, login: str, names: list[str], penalty: int | None, pbx: str) -> None:
    from cti_server.record.center import agent_queues, queues
    from cti_server.record.database import Database

    async with Database(settings.database_url) as database, database.begin() as conn:
        agent = await _agent_id(conn, login)
        queue_ids = {queue.name: queue.id for queue in await queues.all_queues(conn, pbx)}
        if missing := [name for name in names if name not in queue_ids]:
            fail(f"{pbx} has no queue {', '.join(missing)}", "cti-server queue add NAME")
        for name in names:
            await agent_queues.assign(conn, agent, queue_ids[name], penalty)


@user.command("skill")
def user_skill(
    login: Annotated[str, typer.Argument(help="Who.")],
    skills: Annotated[list[str], typer.Argument(help="skill=level, from 1 to 10, e.g. english=8")],
) -> None:
    """Say how well somebody can do something: in a queue that asks for a skill, the best are rung first."""
    levels: dict[str, int] = {}
    for given in skills:
        name, _, level = given.partition("=")
        if not name or not level.isdecimal() or not 1 <= int(level) <= 10:
            fail(f"{given} is not a skill and its level", "write skill=level, from 1 to 10, e.g. english=8")
        levels[name] = int(level)
    run(_teach(read_settings(), login, levels))
    out.print(f"[bold]{login}[/]: {', '.join(f'{name} {level}' for name, level in levels.items())}")


async def _teach(settings: Settings, login: str, levels: dict[str, int]) -> None:
    from cti_server.record.center import agent_queues
    from cti_server.record.database import Database

    async with Database(settings.database_url) as database, database.begin() as conn:
        await agent_queues.teach(conn, await _agent_id(conn, login), levels)


@phone.command("add")
def phone_add(
    seat: Annotated[str, typer.Argument(help="Its interface at the PBX, e.g. PJSIP/1001.")],
    extension: Annotated[
        str | None, typer.Option(help="What colleagues dial; told by the seat unless given.")
    ] = None,
    kind: Annotated[str, typer.Option(help="desk, browser or other.")] = "desk",
    label: Annotated[str | None, typer.Option(help="What it is called, in English.")] = None,
    label_zh: Annotated[str | None, typer.Option(help="What it is called, in Chinese.")] = None,
    owner: Annotated[
        str | None, typer.Option(help="The login whose own phone it is; nobody else sits there.")
    ] = None,
    sip_user: Annotated[str | None, typer.Option(help="What a browser registers as.")] = None,
    sip_password: Annotated[
        str | None, typer.Option(help="Asked for, for a browser phone, when not given.")
    ] = None,
    pbx: Annotated[str | None, typer.Option(help="Its PBX; the first one unless named.")] = None,
) -> None:
    """Add a phone, or change the one at this seat."""
    from cti_server.record.center.phones import Phone, PhoneKind

    if kind not in get_args(PhoneKind):
        fail(f"--kind is one of {', '.join(get_args(PhoneKind))}")
    if "/" not in seat:
        fail(f"{seat} is not an interface", f"write PJSIP/{seat}")
    settings = read_settings()
    number = extension or seat.rsplit("/", 1)[-1]
    if kind == "browser":
        sip_user = sip_user or number
        sip_password = sip_password or typer.prompt("SIP password", hide_input=True)
    made = Phone(
        pbx=pbx or settings.attached()[0].name,
        seat=seat,
        extension=number,
        label_en=label,
        label_zh=label_zh,
        kind=kind,  # type: ignore[arg-type]
        sip_user=sip_user,
        sip_password=sip_password,
    )
    run(_save_phone(settings, made, owner))
    out.print(f"phone [bold]{seat}[/] ({kind}, {number}) of {made.pbx}")


async def _save_phone(settings: Settings, made: Any, owner: str | None) -> None:
    from dataclasses import replace

    from cti_server.record.center import phones
    from cti_server.record.database import Database

    async with Database(settings.database_url) as database, database.begin() as conn:
        agent = await _agent_id(conn, owner) if owner is not None else None
        await phones.save(conn, replace(made, agent_id=agent))


async def _agent_id(conn: Any, login: str) -> int:
    from cti_server.record.center import agents

    found = await agents.by_login(conn, login)
    if found is None:
        fail(f"nobody signs in as {login}", "cti-server user add")
    return found.id
