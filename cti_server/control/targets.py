"""Turns the target that an agent chose into an extension, a number or a queue that the PBX can dial.

A colleague is reached at the phone where they sit now. Raises CommandRefused: `bad_target` for what cannot be a
target, `agent_unreachable` for a colleague who cannot be reached.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cti_server.asterisk import moves
from cti_server.commands import AgentTarget, CommandRefused, NumberTarget, QueueTarget, Target
from cti_server.floor.agents import Agent
from cti_server.floor.books import Books
from cti_server.rules import numbers
from cti_server.rules.facts import DialForm

BROWSER = "browser"


@dataclass(frozen=True, slots=True)
class MyPhone:
    """The phone where an agent sits. `kind` and `reachable` are None while unknown."""

    seat: str
    extension: str
    kind: str | None = None
    reachable: bool | None = None

    @property
    def answers_itself(self) -> bool:
        """Whether the agent's desktop can answer it: it can where the phone is in the browser."""
        return self.kind == BROWSER


def phone_of(books: Books, agent: int) -> MyPhone | None:
    """The phone of the agent's shift, else the one that is theirs by the record; None without either."""
    found = books.agents.get(agent)
    if found is None or found.seat is None:
        return None
    extension = found.extension or _extension(found.seat)
    kind = found.shift.kind if found.shift is not None else None
    return MyPhone(found.seat, extension, kind, found.phone_reachable)


def _extension(seat: str) -> str:
    """The extension of a seat that the record has none for: `PJSIP/1001` is dialled as 1001."""
    return seat.rpartition("/")[2]


def resolve(books: Books, asking: int, target: Target, dialled: Callable[[str], str]) -> moves.Target:
    """What the PBX dials for `target` now. `asking` is the agent who asks; `dialled` makes of a number as a person
    writes it what the PBX is told, or raises CommandRefused. Whether it may be dialled is not decided here."""
    match target:
        case AgentTarget(agent):
            return _colleague(books, asking, agent)
        case QueueTarget(name):
            if name not in books.queues:
                raise CommandRefused("bad_target", f"there is no queue {name!r} at this PBX")
            return moves.Queue(name)
        case NumberTarget(number):
            own_phone = phone_of(books, asking)
            told = dialled(number)
            if own_phone is not None and told == own_phone.extension:
                raise CommandRefused("bad_target", "that is your own phone")
            return moves.Number(told)


def seat_at(books: Books, target: moves.Target | None) -> str | None:
    """The seat of a target that is a phone of this PBX; None for any other target."""
    if not isinstance(target, moves.Number):
        return None
    sitting = (a.seat for a in books.agents.values() if a.seat is not None and a.extension == target.number)
    device = f"PJSIP/{target.number}"
    return next(sitting, device if books.is_seat(device) else None)


def _colleague(books: Books, asking: int, agent: int) -> moves.Target:
    if agent == asking:
        raise CommandRefused("bad_target", "that is you")
    colleague = books.agents.get(agent)
    phone = phone_of(books, agent)
    if colleague is None:
        raise CommandRefused("bad_target", "there is no such colleague at this PBX")
    if phone is None or colleague.state.name == "signed_out":
        raise _unreachable(colleague, "is signed out")
    if colleague.phone_reachable is False:
        raise _unreachable(colleague, "cannot be rung: their phone is not reachable")
    return moves.Number(phone.extension)


def _unreachable(agent: Agent, why: str) -> CommandRefused:
    return CommandRefused("agent_unreachable", f"{agent.name} {why}", "Choose somebody else, or a queue.")


def dialable(number: str, region: str, form: DialForm = "e164") -> str:
    """What the PBX is told to dial: a number outside in its form; an extension or a short code as it is."""
    read = numbers.normalise(number, region)
    if read.kind == "e164" and read.e164 is not None:
        return numbers.dialled(read.e164, form, region)
    if read.kind == "extension" and read.extension is not None:
        return read.extension
    if read.reason == "short_code":
        return numbers.short_code(number)
    raise CommandRefused(
        "bad_target", f"{number[:40]!r} is not a number that can be dialled: {read.reason.replace('_', ' ')}"
    )
