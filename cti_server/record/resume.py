"""What a restarted server needs in order to go on with a call, and nobody else asks for: JSON beside the columns.

The columns of a contact say what happened; this says where it stands. It is written with each change, and emptied
once the call has left the floor. Times are seconds since the epoch.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from cti_server.floor.calls import Call, Leg
from cti_server.floor.descriptions import WrapUpRule
from cti_server.floor.parts import Part, PartState, Why
from cti_server.floor.signals import DialStatus, Recording

Json = dict[str, Any]

OF_CALL = (
    "first_leg", "customer_leg", "meant", "position", "waiting_since", "chosen_by", "abandoned",
    "left_queue_unanswered", "transferred", "was_parked", "refused", "forwarded", "reached", "not_taken",
    "hangup_by", "hangup_at", "last_dial", "refused_with", "given_by", "fetched", "made_inside", "lent", "parted",
)  # fmt: skip
OF_LEG = (
    "channel", "started_at", "number", "name", "exten", "up", "up_at", "ringing", "bridge", "conference", "parked",
    "aside", "holds", "desk_holds", "held_at", "held_in", "home", "muted", "recording", "dialled", "dialled_by",
    "dialled_number", "dial_over", "hangup_asked", "asked_at",
)  # fmt: skip
OF_PART = ("name", "since", "leg", "reason", "met_customer", "customer_gone")
OF_WRAP_UP = ("wanted", "extensions_left")


def of_call(call: Call) -> Json | None:
    """Where the call stands, with its legs; None for one that is over."""
    if call.ended and not call.wrapping_up:
        return None
    legs = {leg.id: _set(leg, OF_LEG) for leg in call.legs.values()}
    return {**_set(call, OF_CALL), "legs": legs}


def of_part(part: Part) -> Json:
    """Where the part stands, for as long as its call does."""
    wrap = part.wrap
    return {
        **_set(part, OF_PART),
        "state": part.state.value,
        "why": asdict(part.why) if part.why is not None else None,
        "wrap": {**_set(wrap, OF_WRAP_UP), "rule": asdict(wrap.rule)},
    }


def _set(thing: object, names: tuple[str, ...]) -> Json:
    """The values of these fields, those left out that say nothing."""
    values = ((name, getattr(thing, name)) for name in names)
    told = ((name, sorted(value) if isinstance(value, set) else value) for name, value in values)
    return {name: value for name, value in told if value not in (None, False, [])}


def call_goes_on(call: Call, kept: Json) -> None:
    """Bring the call back to where it stood, with its legs: the next snapshot shows which still live."""
    for name in OF_CALL:
        now = getattr(call, name)
        plain = now if isinstance(now, float | set) else False if isinstance(now, bool) else None
        value = kept.get(name, plain)
        setattr(call, name, set(value or ()) if isinstance(now, set) else value)
    call.last_dial = DialStatus(call.last_dial) if call.last_dial is not None else None
    for leg, facts in kept["legs"].items():
        call.put(Leg(leg, **facts | {"recording": Recording(facts["recording"])}))


def part_goes_on(part: Part, kept: Json) -> None:
    """Bring the part back to where it stood. What the columns say goes before: an agent may have finished it."""
    part.state, part.since = PartState(kept["state"]), kept["since"]
    if part.state is PartState.WRAP_UP and part.wrapped_at is not None:
        part.state, part.since = PartState.LEFT, part.wrapped_at
    part.name, part.leg, part.reason = kept["name"], kept.get("leg"), kept.get("reason")
    part.met_customer = kept.get("met_customer", False)
    part.customer_gone = kept.get("customer_gone", False)
    part.why = Why(**kept["why"]) if kept["why"] is not None else None
    wrap = kept["wrap"]
    part.wrap.rule = WrapUpRule(**wrap["rule"])
    part.wrap.wanted, part.wrap.extensions_left = wrap.get("wanted", False), wrap.get("extensions_left", 0)
