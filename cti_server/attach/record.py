"""What the record must know before the first call: the PBX's queues and numbers, an administrator, the agents."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from cti_server.api.access.passwords import hash_password
from cti_server.record.center import agents, lines, queues
from cti_server.record.engines import Connection
from cti_server.rules.facts import Line
from cti_server.rules.numbers import normalise

from .layout import Layout

#: no sign at which a command line takes a password for an option, and nothing that looks like something else
LEGIBLE = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
PHONES = frozenset({"PJSIP", "SIP", "Local", "IAX2", "DAHDI", "SCCP"})


@dataclass(frozen=True, slots=True)
class Login:
    """Somebody who can sign in now. The password is shown once."""

    login: str
    name: str
    role: str
    seat: str | None
    password: str


async def add_queues(conn: Connection, pbx: str, layout: Layout) -> list[str]:
    """Tell the record of the queues that it does not know yet; returns their names."""
    policy = await queues.policy(conn)
    added = [name for name in layout.queues if await queues.find(conn, pbx, name) is None]
    for name in added:
        await queues.save(conn, replace(policy, pbx=pbx, name=name, title_en=name, title_zh=name))
    return added


async def add_lines(conn: Connection, found: Mapping[str, Sequence[str]], region: str) -> list[str]:
    """Tell the record of the numbers (with the queues that each may lead to); returns those that are new. The line
    of a menu has several queues, and so none of its own."""
    known = {line.raw for line in await lines.all_lines(conn)}
    added = []
    for dialled, queues_of in found.items():
        number = normalise(dialled, region)
        if dialled in known or number.e164 is None:
            continue
        queue = queues_of[0] if len(queues_of) == 1 else None
        await lines.save(conn, Line(0, number.e164, dialled, region, dialled, dialled, None, queue))
        added.append(dialled)
    return added


async def add_people(conn: Connection, pbx: str, seats: Mapping[str, str]) -> list[Login]:
    """An administrator, if there is none, and an agent for each seat (interface → name) that nobody has."""
    there = await agents.everyone(conn)
    wanted: list[tuple[str, str, str, str | None]] = []
    if not any(agent.role == "administrator" and agent.active for agent in there):
        wanted.append(("admin", "Administrator", "administrator", None))
    taken = {agent.seat for agent in there}
    wanted += [(_extension(seat), name, "agent", seat) for seat, name in seats.items() if seat not in taken]
    logins = {agent.login for agent in there}
    made = []
    for login, name, role, seat in wanted:
        if login in logins:
            continue
        password = "".join(secrets.choice(LEGIBLE) for _ in range(14))
        extension = _extension(seat) if seat is not None else None
        await agents.add(
            conn,
            login=login,
            name=name,
            role=role,  # type: ignore[arg-type]
            password_hash=hash_password(password),
            seat=seat,
            extension=extension,
            pbx=pbx if seat is not None else None,
            grants={"full_numbers"},  # their phones show them already, before anybody has decided about it
        )
        made.append(Login(login, name, role, seat, password))
    return made


async def free_seats(conn: Connection, layout: Layout) -> dict[str, str]:
    """The phones of `seats_of` at which nobody sits by the record."""
    taken = {agent.seat for agent in await agents.everyone(conn)}
    return {seat: name for seat, name in seats_of(layout).items() if seat not in taken}


def seats_of(layout: Layout) -> dict[str, str]:
    """The phones that are members of queues, with a name for whoever sits there: `PJSIP/1001`, from
    `Local/1001@from-queue/n` too."""
    interfaces: Sequence[str] = sorted({member for members in layout.queues.values() for member in members})
    found = {}
    for interface in interfaces:
        kind, _, rest = interface.partition("/")
        number = rest.partition("@")[0].partition("/")[0]
        if not number or kind not in PHONES:
            continue  # an agent of a pool sits at the phone that they log in from
        seat = f"PJSIP/{number}" if kind == "Local" else f"{kind}/{number}"
        found[seat] = f"Agent {number}"
    return found


def _extension(seat: str) -> str:
    return seat.rpartition("/")[2]
