"""phone: the phones that people may sit down at, beside the one that each user's record names."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Annotated, Any, get_args

import typer
from rich.text import Text

from cti_server.cli.common import (
    ask_secret,
    err,
    fail,
    opened,
    read,
    read_settings,
    run,
    say,
    write,
)
from cti_server.cli.given import LATER, Pbx, changes, one_of, pbx_of, some, there
from cti_server.cli.tables import Json, show_all, show_one

from . import sip_passwords
from .users import of_login

phone = typer.Typer(no_args_is_help=True, help="Phones that people may sit down at.")

Seat = Annotated[str, typer.Argument(help="Its interface at the PBX, e.g. PJSIP/1001.")]
Extension = Annotated[
    str | None, typer.Option("--extension", help="What colleagues dial; told by the seat unless given.")
]
Kind = Annotated[str | None, typer.Option("--kind", help="desk, browser or other.")]
Label = Annotated[str | None, typer.Option("--label", help="What it is called, in English; '' for nothing.")]
LabelZh = Annotated[str | None, typer.Option("--label-zh", help="What it is called, in Chinese.")]
Owner = Annotated[
    str | None,
    typer.Option("--owner", help="The login whose own phone it is; nobody else sits there. '' for everybody's."),
]
SipUser = Annotated[str | None, typer.Option("--sip-user", help="What a browser registers as.")]
SipPassword = Annotated[
    str | None, typer.Option("--sip-password", help="Asked for, for a new browser phone, when not given.")
]
Shared = Annotated[
    bool,
    typer.Option("--shared", help="A browser phone for everybody: whoever sits down there is given its password."),
]
MAY_BE_EMPTY = ("label_en", "label_zh", "sip_user")
COLUMNS = ("seat", "extension", "pbx", "kind", "label_en", "owner", "shared")


@phone.command("list")
def list_phones(json: Json = False) -> None:
    """Every phone, of all PBXs."""

    async def rows(conn: Any) -> list[dict[str, Any]]:
        from cti_server.record.center import agents, phones

        logins = {agent.id: agent.login for agent in await agents.everyone(conn)}
        return [_row(one, logins) for one in await phones.all_phones(conn)]

    show_all(COLUMNS, read(read_settings(), rows), json)


@phone.command("show")
def show_phone(seat: Seat, pbx: Pbx = None, json: Json = False) -> None:
    """One phone. Its SIP password is not shown."""
    settings = read_settings()
    of_pbx = pbx_of(settings, pbx)

    async def row(conn: Any) -> dict[str, Any]:
        from cti_server.record.center import agents

        logins = {agent.id: agent.login for agent in await agents.everyone(conn)}
        return _row(await _phone(conn, of_pbx, seat), logins)

    show_one(read(settings, row), json)


@phone.command("add")
def add_phone(
    seat: Seat,
    extension: Extension = None,
    kind: Kind = None,
    label: Label = None,
    label_zh: LabelZh = None,
    owner: Owner = None,
    shared: Shared = False,
    sip_user: SipUser = None,
    sip_password: SipPassword = None,
    pbx: Pbx = None,
) -> None:
    """Add a phone. A browser phone is somebody's own, unless it is to be shared."""
    from cti_server.record.center.phones import Phone

    settings = read_settings()
    fields = _fields(extension, kind, label, label_zh, sip_user)
    password = sip_passwords.given(sip_password)
    if "/" not in seat:
        fail(f"{seat} is not an interface", f"write PJSIP/{seat}")
    changes(seat=seat)
    made = Phone(
        pbx=pbx_of(settings, pbx), seat=seat, **({"extension": seat.rpartition("/")[2], "kind": "desk"} | fields)
    )
    sealer = settings.sealer()
    sip_passwords.check_whose(made.kind, owner, shared)
    if made.kind == "browser" or password:
        sip_passwords.check_key(sealer)

    async def refuse_known(conn: Any) -> None:
        from cti_server.record.center import phones

        if owner:
            await of_login(conn, owner)
        if await phones.by_seat(conn, made.pbx, seat) is not None:
            fail(f"{made.pbx} has a phone {seat} already", f"cti-server phone set {seat} …")

    async def add(conn: Any) -> None:
        from cti_server.record.center import phone_passwords, phones

        await refuse_known(conn)
        agent = (await of_login(conn, owner)).id if owner else None
        await phone_passwords.forget(conn, made.pbx, seat)  # of a phone that was removed
        await phones.save(conn, replace(made, agent_id=agent, shared=shared))

    read(settings, refuse_known)  # before a password is asked for
    if made.kind == "browser":
        password = password or ask_secret("SIP password")
        made = replace(made, sip_user=made.sip_user or made.extension)
    made = sip_passwords.sealed(made, password, sealer)
    write(settings, add)
    whose = f", {owner}'s own" if owner else ", shared" if shared else ""
    say(f"phone {seat} ({made.kind}, {made.extension}{whose}) of {made.pbx}")


@phone.command("set")
def set_phone(
    seat: Seat,
    extension: Extension = None,
    kind: Kind = None,
    label: Label = None,
    label_zh: LabelZh = None,
    owner: Owner = None,
    shared: Shared = False,
    sip_user: SipUser = None,
    sip_password: SipPassword = None,
    pbx: Pbx = None,
) -> None:
    """Change only what is given."""
    settings = read_settings()
    of_pbx = pbx_of(settings, pbx)
    fields = _fields(extension, kind, label, label_zh, sip_user)
    password = sip_passwords.given(sip_password)
    given = {"owner": owner, "shared": shared or None, "sip_password": password}
    some(fields | {name: value for name, value in given.items() if value is not None}, "cti-server phone set")
    sealer = settings.sealer()
    if password:
        sip_passwords.check_key(sealer)

    async def change(conn: Any) -> list[str]:
        from cti_server.record.center import phone_passwords, phones

        known = await _phone(conn, of_pbx, seat)
        changed = replace(known, **fields)
        if owner is not None:
            changed = replace(changed, agent_id=(await of_login(conn, owner)).id if owner else None, shared=shared)
        elif shared and changed.agent_id is not None:
            fail(f"{seat} is somebody's own", f"cti-server phone set {seat} --owner '' --shared")
        else:
            changed = replace(changed, shared=shared or (known.shared and changed.kind == "browser"))
        if owner is not None or shared or changed.kind != known.kind:
            sip_passwords.check_whose(changed.kind, owner or changed.agent_id, changed.shared)
        if password is not None:
            if not password or password != sip_passwords.opened(known, sealer):
                await phone_passwords.forget(conn, of_pbx, seat)
            changed = sip_passwords.sealed(changed, password, sealer)
        if changed.kind == "browser" and not changed.sip_password:
            fail("a browser phone needs the password of its SIP account", "--sip-password …")
        await phones.save(conn, replace(changed, sip_user=changed.sip_user or _sip_user(changed)))
        return await sip_passwords.knowing(conn, changed)

    knowing = write(settings, change)
    say(f"changed phone {seat} of {of_pbx}{LATER}")
    for line in knowing:
        say(line)


@phone.command("seal")
def seal_phones() -> None:
    """Encrypt SIP passwords and second factors with the first key of CTI_SECRET_KEY, as a server does that
    starts."""
    from cti_server.record.center import phone_secrets, second_factors

    settings = read_settings()
    sealer = settings.sealer()
    sip_passwords.check_key(sealer)

    async def work() -> tuple[phone_secrets.Sealing, int]:
        async with opened(settings) as database:
            done = await phone_secrets.seal_all(database, sealer)
            async with database.begin() as conn:
                return done, await second_factors.seal_anew(conn, sealer)

    done, factors = run(work(), settings)
    if factors:
        say(f"{factors} second factors were encrypted with an older key; now sealed with the present one")
    say(
        f"{len(done.sealed)} passwords were in clear, {len(done.resealed)} encrypted with an older key; now sealed"
    )
    if done.traces is not None:
        say(f"old copies may be left in the database's files ({done.traces}): change these passwords at the PBX")
    for lost, why in done.left.items():
        err.print(Text(f"{lost}: {why}", "bold red"), soft_wrap=True)
        err.print(Text(why.remedy), soft_wrap=True)
    if done.left:
        raise typer.Exit(1)


@phone.command("remove")
def remove_phone(seat: Seat, pbx: Pbx = None) -> None:
    """Remove a phone, unless somebody is at work there."""
    settings = read_settings()
    of_pbx = pbx_of(settings, pbx)

    async def remove(conn: Any) -> list[str]:
        from cti_server.record.center import agents, phones, shifts

        known = await _phone(conn, of_pbx, seat)
        for shift in await shifts.all_open(conn, of_pbx):
            if shift.seat == seat and (agent := await agents.get(conn, shift.agent_id)) is not None:
                fail(
                    f"{agent.login} is at work at {seat}", "They end their shift, or move to another phone, first."
                )
        knowing = await sip_passwords.knowing(conn, replace(known, agent_id=None, shared=False))
        await phones.remove(conn, known.id)
        return knowing

    knowing = write(settings, remove)
    say(f"removed phone {seat} of {of_pbx}")
    for line in knowing:
        say(line)


async def _phone(conn: Any, pbx: str, seat: str) -> Any:
    from cti_server.record.center import phones

    return there(await phones.by_seat(conn, pbx, seat), f"phone {seat} of {pbx}", "cti-server phone list")


def _fields(
    extension: str | None,
    kind: str | None,
    label: str | None,
    label_zh: str | None,
    sip_user: str | None,
) -> dict[str, Any]:
    from cti_server.record.center.phones import PhoneKind

    one_of("--kind", kind, get_args(PhoneKind))
    return changes(
        may_be_empty=MAY_BE_EMPTY,
        extension=extension,
        kind=kind,
        label_en=label,
        label_zh=label_zh,
        sip_user=sip_user,
    )


def _sip_user(phone: Any) -> str | None:
    return phone.extension if phone.kind == "browser" else None


def _row(phone: Any, logins: dict[int, str]) -> dict[str, Any]:
    row = {name: value for name, value in asdict(phone).items() if name not in ("id", "agent_id", "sip_password")}
    return row | {"sip_password_set": phone.sip_password is not None, "owner": logins.get(phone.agent_id or 0)}
