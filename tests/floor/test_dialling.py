"""A number that was dialled from the desk and not reached: the agent is told why, and the contact is theirs."""

from __future__ import annotations

import pytest

from cti_server.floor.apply import Floor
from cti_server.floor.desk_signals import AgentSeated
from cti_server.floor.signals import DialStatus, LegAnswered, LegDialled, LegEnded, LegStarted, NumberNotReached

ALICE = "PJSIP/1001"


def dialling() -> Floor:
    """Alice has picked up her phone, and the PBX dials."""
    floor = Floor("demo")
    floor.apply(AgentSeated(0.0, 1, "Alice", ALICE, "1001"))
    floor.apply(LegStarted(1.0, "a", "a", f"{ALICE}-00000001", False, None, None, "s"))
    floor.apply(LegDialled(1.0, "a", "a", None, f"{ALICE}-00000001", None))
    floor.apply(LegAnswered(2.0, "a", "a"))
    return floor


@pytest.mark.parametrize(
    ("status", "cause", "known", "why", "outcome"),
    [
        (DialStatus.FAILED, 3, False, "no_trunk", "failed"),
        (DialStatus.FAILED, 1, True, "number_unknown", "failed"),
        (DialStatus.FAILED, 57, True, "not_allowed", "failed"),
        (DialStatus.FAILED, 20, True, "unreachable", "failed"),
        (DialStatus.FAILED, 21, True, "refused", "failed"),
        (DialStatus.FAILED, 34, True, "congestion", "failed"),
        (DialStatus.FAILED, 127, True, "failed", "failed"),
        (DialStatus.BUSY, 17, True, "busy", "busy"),
        (DialStatus.NO_ANSWER, 19, True, "no_answer", "no_answer"),
    ],
)
def test_a_dial_that_fails_says_why(status: DialStatus, cause: int, known: bool, why: str, outcome: str) -> None:
    floor = dialling()
    call = next(iter(floor.calls.values()))
    told = floor.apply(NumberNotReached(3.0, "a", "a", "+8613900139000", status, cause, True, known))
    (part,) = [event.body for event in told if event.kind == "part.changed"]
    assert (part["happened"], part["reason"], part["agent"]) == ("not_reached", why, 1)
    floor.apply(LegEnded(3.1, "a", "a", cause))
    assert (call.direction, call.dnis, call.outcome) == ("outbound", "+8613900139000", outcome)
    assert call.parts[0].reason == why


def test_what_the_trunk_said_counts_where_a_local_channel_hands_on_no_cause() -> None:
    """As FreePBX dials by its outbound routes: of what the trunk answered the dialplan knows nothing."""
    floor = dialling()
    call = next(iter(floor.calls.values()))
    for leg, channel in (("l", "Local/139@from-internal-1;1"), ("t", "PJSIP/carrier-00000002")):
        floor.apply(LegStarted(2.1, leg, "a", channel, False, None, None, "s"))
        floor.apply(LegDialled(2.1, leg, "a", "a", channel, None))
    floor.apply(LegEnded(2.5, "t", "a", 1))
    floor.apply(LegEnded(2.6, "l", "a", 0))
    floor.apply(NumberNotReached(3.0, "a", "a", "13900139000", DialStatus.FAILED, 34, True, True))
    assert call.parts[0].reason == "number_unknown"


def test_a_colleague_who_is_not_reached_is_no_contact_outside() -> None:
    floor = dialling()
    call = next(iter(floor.calls.values()))
    floor.apply(NumberNotReached(3.0, "a", "a", "1002", DialStatus.BUSY, 17, False, True))
    assert call.direction == "internal"
