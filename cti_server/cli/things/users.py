"""user: who signs in, in which role and at which phone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, get_args

import typer

from cti_server.cli.common import ask_secret, fail, read, read_settings, say, write
from cti_server.cli.given import LATER, Active, Pbx, changes, one_of, pbx_of, some, text
from cti_server.cli.tables import Json, show_all, show_one
from cti_server.rules.facts import DeskLanguage, Role
from cti_server.rules.rights import GRANTS

user = typer.Typer(no_args_is_help=True, help="People who sign in at a desktop, their queues and skills.")

Login = Annotated[str, typer.Argument(help="What they sign in with.")]
Name = Annotated[str | None, typer.Option("--name", help="Their name, as colleagues and customers see it.")]
RoleIs = Annotated[str | None, typer.Option("--role", help="agent, supervisor or administrator.")]
Seat = Annotated[str | None, typer.Option("--seat", help="Their phone at the PBX, e.g. PJSIP/1001; '' for none.")]
Extension = Annotated[
    str | None, typer.Option("--extension", help="What colleagues dial; told by the seat unless given.")
]
LanguageIs = Annotated[str | None, typer.Option("--language", help="Of their desk: en, zh or browser.")]
MayPick = Annotated[
    bool | None,
    typer.Option("--may-pick/--may-not-pick", help="May pick a waiting caller out of a queue."),
]
AutoAnswer = Annotated[
    bool | None, typer.Option("--auto-answer/--no-auto-answer", help="Their phone answers queue calls by itself.")
]
BreakGlass = Annotated[
    bool | None,
    typer.Option(
        "--break-glass/--no-break-glass", help="Their password counts also with CTI_PASSWORD_SIGN_IN=false."
    ),
]
Password = Annotated[str | None, typer.Option("--password", help="Seen by others in the list of processes.")]

COLUMNS = ("login", "name", "role", "seat", "extension", "pbx", "language", "active")


@user.command("list")
def list_users(
    everyone: Annotated[bool, typer.Option("--all", help="Also those who were removed.")] = False,
    json: Json = False,
) -> None:
    """Everybody who signs in."""

    async def rows(conn: Any) -> list[dict[str, Any]]:
        from cti_server.record.center import agents

        return [_row(agent) for agent in await agents.everyone(conn) if agent.active or everyone]

    show_all(COLUMNS, read(read_settings(), rows), json)


@user.command("show")
def show_user(login: Login, json: Json = False) -> None:
    """One person: queues (and penalty there), skills, own phones, whether their second factor is on."""

    async def row(conn: Any) -> dict[str, Any]:
        from cti_server.record.center import agent_queues, identities, phones, second_factors

        agent = await of_login(conn, login)
        factor = await second_factors.find(conn, agent.id)
        return _row(agent) | {
            "may_pick": agent.may_pick,
            "auto_answer": agent.auto_answer,
            "grants": sorted(agent.all_grants),
            "queues": dict(await agent_queues.queues_of(conn, agent.id)),
            "skills": await agent_queues.skills_of(conn, agent.id),
            "phones": [phone.seat for phone in await phones.of_agent(conn, agent.id)],
            "second_factor": factor is not None and factor.on_since is not None,
            "recovery_codes": await second_factors.codes_left(conn, agent.id),
            "break_glass": agent.break_glass,
            "identities": [f"{one.subject} at {one.issuer}" for one in await identities.of_agent(conn, agent.id)],
        }

    show_one(read(read_settings(), row), json)


@user.command("add")
def add_user(
    login: Login,
    name: Name = None,
    role: RoleIs = None,
    seat: Seat = None,
    extension: Extension = None,
    pbx: Pbx = None,
    language: LanguageIs = None,
    may_pick: MayPick = None,
    break_glass: BreakGlass = None,
    password: Password = None,
    no_password: Annotated[
        bool, typer.Option("--no-password", help="They sign in through the identity provider only.")
    ] = False,
) -> None:
    """Add somebody who signs in. The password is asked for, or read from a pipe, when it is not given."""
    settings = read_settings()
    if not login.strip() or any(c.isspace() for c in login.strip()):
        fail("a login is a word without spaces", "cti-server user add li.wei --name 'Li Wei'")
    text("the login", login.strip())
    if name is None:
        fail("--name is needed: colleagues and customers see it", f"cti-server user add {login} --name 'Li Wei'")
    fields = _fields(settings, name=name, role=role, seat=seat, extension=extension, pbx=pbx, language=language)
    fields |= changes(may_pick=may_pick, break_glass=break_glass)
    if no_password and (password or break_glass):
        fail("--no-password leaves nothing for --password or --break-glass to count", "leave one of them out")

    async def refuse_known(conn: Any) -> None:
        from cti_server.record.center import agents

        known = await agents.by_login(conn, login)
        if known is not None and known.active:
            fail(f"{login} signs in already", f"cti-server user set {login} …   changes only what is given")
        if known is not None:
            fail(f"{login} was removed", f"cti-server user set {login} --active   brings them back")

    async def add(conn: Any) -> None:
        from cti_server.record.center import agents

        await refuse_known(conn)
        await agents.add(conn, login=login, password_hash=hashed, **fields)

    read(settings, refuse_known)  # before a password is asked for
    hashed = None if no_password else hash_of(password or ask_secret("password", twice=True), login, name)
    write(settings, add)
    say(f"added {login} ({fields.get('role', 'agent')})" + LATER)
    _tell_of_seat(fields)


@user.command("set")
def set_user(
    login: Login,
    name: Name = None,
    role: RoleIs = None,
    seat: Seat = None,
    extension: Extension = None,
    pbx: Pbx = None,
    language: LanguageIs = None,
    may_pick: MayPick = None,
    auto_answer: AutoAnswer = None,
    active: Active = None,
    break_glass: BreakGlass = None,
    password: Password = None,
    new_password: Annotated[bool, typer.Option("--new-password", help="Ask for a new password.")] = False,
) -> None:
    """Change only what is given. A new password or role signs them out everywhere; --active brings one back."""
    settings = read_settings()
    fields = _fields(settings, name=name, role=role, seat=seat, extension=extension, pbx=pbx, language=language)
    fields |= changes(may_pick=may_pick, auto_answer=auto_answer, active=active, break_glass=break_glass)
    known = read(settings, lambda conn: of_login(conn, login))  # before a password is asked for
    if password or new_password:
        fields["password_hash"] = hash_of(
            password or ask_secret("password", twice=True), login, name or known.name
        )
    some(fields, "cti-server user set")

    async def change(conn: Any) -> None:
        from cti_server.record.center import agents, sessions

        agent = await of_login(conn, login)
        if "seat" in fields and fields["seat"] is not None and pbx is None and agent.pbx is not None:
            fields["pbx"] = agent.pbx  # another phone of the same PBX
        await agents.update(conn, agent.id, **fields)
        if (
            "password_hash" in fields
            or fields.get("active") is False
            or fields.get("role", agent.role) != agent.role
        ):
            await sessions.close_all(conn, agent.id, datetime.now(UTC))

    write(settings, change)
    say(f"changed {login}: {', '.join(_shown(fields))}" + LATER)
    _tell_of_seat(fields)


Grants = Annotated[list[str], typer.Argument(help=f"One or more of {', '.join(GRANTS)}.")]


@user.command("grant")
def grant(login: Login, grants: Grants) -> None:
    """Let somebody do what their role does not: see numbers in full, listen, administer, …"""
    _grants(login, grants, given=True)


@user.command("revoke")
def revoke(login: Login, grants: Grants) -> None:
    """Take back what `grant` gave. What comes with the role stays."""
    _grants(login, grants, given=False)


def _grants(login: str, grants: list[str], *, given: bool) -> None:
    for name in grants:
        one_of("a grant", name, GRANTS)

    async def change(conn: Any) -> Any:
        from cti_server.record.center import agents, sessions

        agent = await of_login(conn, login)
        changed = agent.grants | set(grants) if given else agent.grants - set(grants)
        await sessions.look_again(conn, agent.id, datetime.now(UTC))
        now = await agents.update(conn, agent.id, grants=changed) or agent
        return now.all_grants, changed != agent.grants

    now, is_new = write(read_settings(), change)
    if not is_new:
        say(f"nothing changed: {login} {'had' if given else 'was not given'} {', '.join(grants)}")
    say(f"{login} has: {', '.join(sorted(now)) or 'no grants'}; it counts within seconds")
    if kept := now & set(grants) if not given else ():
        say(f"{', '.join(sorted(kept))} comes with the role: cti-server user set {login} --role agent")


@user.command("enable")
def enable_user(login: Login) -> None:
    """They may sign in again, as `user set --active`."""
    write(read_settings(), lambda conn: _set_active(conn, login))
    say(f"{login} may sign in again{LATER}")


async def _set_active(conn: Any, login: str) -> None:
    from cti_server.record.center import agents

    agent = await of_login(conn, login)
    if agent.active:
        fail(f"{login} may sign in already")
    await agents.update(conn, agent.id, active=True)


@user.command("disable")
@user.command("remove")
def remove_user(login: Login) -> None:
    """Nobody signs in with this login any more. What they did stays readable; `user set --active` undoes it."""
    settings = read_settings()

    async def remove(conn: Any) -> list[str]:
        from cti_server.record.center import agents, phones, sessions, shifts
        from cti_server.record.crm import customers
        from cti_server.record.desk import promises

        agent = await of_login(conn, login)
        if not agent.active:
            fail(f"{login} was removed already", f"cti-server user set {login} --active   brings them back")
        others = [
            one for one in await agents.all_active(conn) if one.role == "administrator" and one.id != agent.id
        ]
        if agent.role == "administrator" and not others:
            fail(f"{login} is the last administrator", "cti-server user add LOGIN --name … --role administrator")
        await agents.update(conn, agent.id, active=False)
        await sessions.close_all(conn, agent.id, datetime.now(UTC))
        left = []
        if (shift := await shifts.of_agent(conn, agent.id)) is not None:
            left.append(f"they are at work at {shift.seat}: a running server sends them home soon")
        if owed := await promises.owed_by(conn, agent.id):
            left.append(f"{owed} open promises are still theirs: supervisors give them to others at the desktop")
        if preferring := await customers.preferring(conn, agent.id):
            left.append(f"{preferring} customers prefer them, and are served like others now")
        left += [
            f"nobody else may sit at {phone.seat}: cti-server phone set {phone.seat} --owner "
            + ("LOGIN --sip-password …   they had the old one" if phone.kind == "browser" else "''")
            for phone in await phones.of_agent(conn, agent.id)
        ]
        return left

    left = write(settings, remove)
    say(f"{login} cannot sign in any more; cti-server user set {login} --active brings them back")
    for line in left:
        say(line)


async def of_login(conn: Any, login: str) -> Any:
    from cti_server.record.center import agents

    found = await agents.by_login(conn, login)
    if found is None:
        fail(f"nobody signs in as {login}", f"cti-server user add {login} --name …")
    return found


def hash_of(password: str, *known: str | None) -> str:
    """`known` is what others know of the person: no part of a password."""
    from cti_server.api.access.passwords import WeakPassword, check_password, hash_password

    try:
        check_password(password, *(text for text in known if text))
    except WeakPassword as weak:
        fail(str(weak), "a few words that do not belong together are easy to keep and hard to guess")
    return hash_password(password)


def _fields(settings: Any, *, seat: str | None, pbx: str | None, **options: Any) -> dict[str, Any]:
    one_of("the role", options["role"], get_args(Role))
    one_of("the language", options["language"], get_args(DeskLanguage))
    fields = changes(may_be_empty={"seat", "extension"}, seat=seat, **options)
    if pbx is not None:
        fields["pbx"] = pbx_of(settings, pbx)
    if "seat" not in fields:
        return fields
    if fields["seat"] is None:
        return {"extension": None, "pbx": None} | fields
    if "/" not in fields["seat"]:
        fail(f"{fields['seat']} is not an interface", f"write PJSIP/{fields['seat']}")
    fields.setdefault("extension", fields["seat"].rpartition("/")[2])
    return fields | {"pbx": pbx_of(settings, pbx)}


def _tell_of_seat(fields: dict[str, Any]) -> None:
    """The record takes any seat, as one may be named before there is a phone; only the PBX knows what it has."""
    if fields.get("seat"):
        say(f"cti-server doctor   looks whether the PBX has {fields['seat']}")


def _shown(fields: dict[str, Any]) -> list[str]:
    """The changes in words; a password only by its name."""
    words = {None: "none", True: "yes", False: "no"}
    return [
        "password" if name == "password_hash" else f"{name.replace('_', ' ')} {words.get(value, value)}"
        for name, value in fields.items()
    ]


def _row(agent: Any) -> dict[str, Any]:
    return {name: getattr(agent, name) for name in COLUMNS}
