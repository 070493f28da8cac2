"""The people on a call, one for each leg that somebody speaks on. A desktop lists them and may ask to drop one.

A phone that a queue rings is not a person on the call yet: fifty phones that ring at once are not fifty people.
A colleague or a number that somebody called is on the call from the first ring.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .calls import Call, Leg
from .parts import Origin, Part, PartState

OF_PART = {
    PartState.RINGING: "ringing",
    PartState.TALKING: "talking",
    PartState.CONSULTING: "talking",
    PartState.HOLD: "talking",  # the agent holds the others, and is not held
}


class Person(NamedTuple):
    """`leg` is what a request to drop this person names; `role` is customer, agent or other."""

    leg: str
    role: str
    agent: int | None
    seat: str | None
    number: str | None
    name: str | None
    state: str


def people(call: Call) -> tuple[Person, ...]:
    """The people on the call in the order in which their legs joined; halves of Local pairs are left out."""
    return tuple(_people(call))


def _people(call: Call) -> Iterator[Person]:
    seats = {part.seat for part in call.parts}
    holders = {p.seat for p in call.parts if p.open and p.state in (PartState.HOLD, PartState.CONSULTING)}
    open_at = {part.seat: part for part in call.parts if part.open}
    reached_by = {part.leg: part for part in call.parts if part.open}
    for leg in call.legs.values():
        if leg.local:
            continue
        part = open_at.get(leg.device) or reached_by.get(leg.id) or call.led_by(leg)
        if part is not None:
            is_old = leg.id != part.leg and part.leg in call.legs and leg.bridge is None  # about to end
            if not is_old and (part.state is not PartState.RINGING or part.origin is not Origin.OFFER):
                yield _agent(leg, part)
        elif leg.device not in seats and (leg.up or not leg.ours):
            # Left out: a phone whose agent has left the call, though its channel may live a moment longer; and an
            # agent's phone that does not ring yet.
            yield _stranger(call, leg, holders, is_customer=leg.id == call.customer_leg)


def _agent(leg: Leg, part: Part) -> Person:
    # An agent who calls out waits for the other end; their own phone does not ring.
    state = "waiting" if leg.up and part.state is PartState.RINGING else OF_PART[part.state]
    return Person(leg.id, "agent", part.agent, part.seat, leg.number, part.name, state)


def _stranger(call: Call, leg: Leg, holders: set[str], *, is_customer: bool) -> Person:
    name = call.customer["name"] if is_customer and call.customer is not None else leg.name
    role = "customer" if is_customer else "other"
    return Person(leg.id, role, None, None, leg.dialled_number or leg.number, name, _state(call, leg, holders))


def _is_parked_through(call: Call, leg: Leg) -> bool:
    """Whether half of a Local pair stands in a parking space for this leg: an agent transferred it there."""
    parked = {half.twin for half in call.halves() if half.parked is not None}
    return bool(parked) and any(half.channel in parked and half.bridge == leg.bridge for half in call.halves())


def _state(call: Call, leg: Leg, holders: set[str]) -> str:
    if leg.parked is not None or _is_parked_through(call, leg):
        return "parked"
    if not leg.up and leg.dialled:
        return "ringing"
    heard = call.reach(leg)
    consulting = {p.seat for p in call.parts if p.open and p.state is PartState.CONSULTING}
    if any(other.device in consulting for other in heard):
        return "talking"  # asked for advice, while the customer waits elsewhere
    if holders and not any(other.device not in holders or len(holders) > 1 for other in heard):
        return "hold"
    if heard or (call.joined and leg.bridge is not None and not holders):
        return "talking"  # or with the customer of another call, whom an agent joined to this one
    return "queued" if call.waiting_since is not None and leg.id == call.first_leg else "waiting"
