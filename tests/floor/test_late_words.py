"""Words of the PBX that come late: what a queue says of a leg that has ended, and that it refused the caller."""

from __future__ import annotations

import pytest

from cti_server.floor.apply import Floor
from cti_server.floor.desk_signals import AgentSeated
from cti_server.floor.signals import (
    DialStatus,
    LegBridged,
    LegDialEnded,
    LegDialled,
    LegEnded,
    LegHangupAsked,
    LegRefused,
    LegStarted,
    MemberConnected,
    MemberOffered,
    QueueJoined,
    Snapshot,
)


@pytest.fixture
def waiting() -> Floor:
    """Agent 2 sits at 1002; a caller waits, and the phone 1002 has been dialled and has ended."""
    floor = Floor("demo")
    floor.apply(Snapshot(0.5, 1))
    floor.apply(AgentSeated(0.5, 2, "agent 2", "PJSIP/1002"))
    floor.apply(LegStarted(1.0, "x.1", "x.1", "PJSIP/trunk-00000001", True, "100", None, "400"))
    floor.apply(QueueJoined(2.0, "x.1", "x.1", "support", 1))
    floor.apply(LegStarted(3.0, "x.2", "x.1", "PJSIP/1002-00000002", False, None, None, "s"))
    return floor


@pytest.mark.parametrize("kind", [MemberOffered, MemberConnected])
def test_of_a_phone_that_was_never_seen_to_ring(waiting: Floor, kind: type[MemberOffered]) -> None:
    waiting.apply(LegEnded(3.2, "x.2", "x.1", 17))
    waiting.apply(kind(3.3, "x.1", "x.1", "support", "PJSIP/1002", "x.2"))
    (call,) = waiting.calls.values()
    assert call.parts == []
    assert waiting.agents[2].state.name != "reserved"


def test_of_a_phone_that_rang_and_declined(waiting: Floor) -> None:
    waiting.apply(LegDialled(3.1, "x.2", "x.1", "x.1", "PJSIP/1002-00000002", None))
    waiting.apply(LegEnded(3.2, "x.2", "x.1", 17))
    waiting.apply(MemberOffered(3.3, "x.1", "x.1", "support", "PJSIP/1002", "x.2"))
    (call,) = waiting.calls.values()
    assert [(p.agent, p.queue, p.outcome) for p in call.parts] == [(2, "support", "rejected")]


def test_a_phone_that_the_queue_names_first_is_rung(waiting: Floor) -> None:
    waiting.apply(MemberOffered(3.1, "x.1", "x.1", "support", "PJSIP/1002", "x.2"))
    assert waiting.agents[2].state.name == "reserved"


@pytest.mark.parametrize("first", [LegRefused, LegHangupAsked])
def test_a_caller_who_was_refused_has_not_given_up_whichever_word_comes_first(first: type[LegRefused]) -> None:
    """Asterisk refuses the caller and then says so; the caller's phone may have ended the call in between."""
    floor = Floor("demo")
    floor.apply(Snapshot(0.5, 1))
    floor.apply(AgentSeated(0.5, 1, "agent 1", "PJSIP/1001"))
    floor.apply(LegStarted(1.0, "x.1", "x.1", "PJSIP/trunk-00000001", False, "100", None, "400"))
    floor.apply(LegStarted(2.0, "x.2", "x.1", "PJSIP/1001-00000002", False, None, None, "s"))
    floor.apply(LegDialled(2.1, "x.2", "x.1", "x.1", "PJSIP/1001-00000002", "1001"))
    floor.apply(LegDialEnded(3.0, "x.2", "x.1", "PJSIP/1001-00000002", DialStatus.BUSY))
    floor.apply(LegEnded(3.0, "x.2", "x.1", 17))
    words = {LegRefused: LegRefused(3.1, "x.1", "x.1"), LegHangupAsked: LegHangupAsked(3.1, "x.1", "x.1")}
    floor.apply(words.pop(first))
    if first is LegHangupAsked:  # the other way round the hangup is the PBX's own by its state, and is not told
        floor.apply(words.pop(LegRefused))
    (call,) = floor.calls.values()
    floor.apply(LegEnded(3.2, "x.1", "x.1", 17))
    assert (call.outcome, call.ended_by) == ("busy", "system")


def test_a_phone_that_is_told_of_before_the_consultation_is_consulted_all_the_same() -> None:
    """Of a call that was transferred before: the ring is told before half of the pair is seen beside the agent."""
    floor = Floor("demo")
    floor.apply(Snapshot(0.5, 1))
    for agent in (1, 2):
        floor.apply(AgentSeated(0.5, agent, f"agent {agent}", f"PJSIP/100{agent}"))
    floor.apply(LegStarted(1.0, "x.1", "x.1", "PJSIP/trunk-00000001", True, "100", None, "400"))
    floor.apply(LegStarted(2.0, "x.2", "x.1", "PJSIP/1001-00000002", False, None, None, "s"))
    floor.apply(LegDialled(2.0, "x.2", "x.1", "x.1", "PJSIP/1001-00000002", "1001"))
    floor.apply(LegBridged(3.0, "x.2", "x.1", "b1"))
    floor.apply(LegBridged(3.0, "x.1", "x.1", "b1"))
    (call,) = floor.calls.values()
    call.transferred = True
    for leg, half in (("x.3", 1), ("x.4", 2)):
        floor.apply(LegStarted(4.0, leg, "x.1", f"Local/00@cti-consult-00000001;{half}", True, None, None, "00"))
    floor.apply(LegBridged(4.1, "x.2", "x.1", "b2"))
    floor.apply(LegStarted(4.2, "x.5", "x.1", "PJSIP/1002-00000003", False, None, None, "s"))
    floor.apply(LegDialled(4.2, "x.5", "x.1", "x.4", "PJSIP/1002-00000003", "1002"))
    floor.apply(LegBridged(4.2, "x.3", "x.1", "b2"))
    assert [(part.agent, part.origin) for part in call.parts] == [(1, "offer"), (2, "consult")]
    assert floor.agents[2].state.name == "reserved"
