"""The people on a call, one for each leg that somebody speaks on: what a desktop lists, and may ask to drop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .parts import PartState

if TYPE_CHECKING:
    from .calls import Call, Leg

OF_PART = {
    PartState.RINGING: "ringing",
    PartState.TALKING: "talking",
    PartState.CONSULTING: "talking",
    PartState.HOLD: "talking",  # who holds is not held
}


def people(call: Call) -> list[dict[str, Any]]:
    """The legs of a call without plumbing, the first caller first."""
    seats = {part.seat for part in call.parts}
    there = [leg for leg in call.legs.values() if not leg.local]
    strangers = [leg for leg in there if leg.device not in seats and call.part_on(leg) is None]
    customer = strangers[0].id if strangers else None
    # A phone whose agent has left the call is no person in it, though its channel may live a moment longer.
    return [_person(call, leg, customer) for leg in there if leg in strangers or call.part_on(leg) is not None]


def _person(call: Call, leg: Leg, customer: str | None) -> dict[str, Any]:
    part = call.part_on(leg)
    if part is not None:
        return {
            "leg": leg.id,
            "role": "agent",
            "agent": part.agent,
            "seat": part.seat,
            "number": leg.number,
            "name": part.name,
            # Who calls out waits for the other end; their own phone does not ring.
            "state": "waiting" if leg.up and part.state is PartState.RINGING else OF_PART[part.state],
        }
    first = leg.id == customer
    return {
        "leg": leg.id,
        "role": "customer" if first else "other",
        "agent": None,
        "seat": None,
        "number": leg.dialled_number or leg.number,
        "name": (call.customer or {}).get("name") if first and call.customer else leg.name,
        "state": _state(call, leg),
    }


def _state(call: Call, leg: Leg) -> str:
    if leg.parked is not None:
        return "parked"
    if not leg.up and leg.dialled:
        return "ringing"
    held = [p for p in call.open_parts() if p.state in (PartState.HOLD, PartState.CONSULTING)]
    heard = call.reach(leg)
    if held and not any(other.device != p.seat for p in held for other in heard):
        return "hold"
    if heard:
        return "talking"
    return "queued" if call.waiting_since is not None and leg.id == call.first_leg else "waiting"
