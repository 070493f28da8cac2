"""The state an agent is in: from their calls; without any, from their wish; off shift, from the queues."""

from __future__ import annotations

from collections.abc import Collection

from cti_server.floor.agents import LEFT_QUEUES, PBX, SIGNED_OUT, SIGNED_OUT_STATE, Agent, Because, Shift, State
from cti_server.floor.books import Books
from cti_server.floor.parts import Origin, PartState
from cti_server.floor.signals import MemberChanged

#: (state of a part, state of the agent, event that led there); with several parts the topmost row decides
CALL_STATES = (
    (PartState.TALKING, "talking", "call_answered"),
    (PartState.CONSULTING, "talking", "call_answered"),
    (PartState.HOLD, "hold", "hold"),
    (PartState.RINGING, "reserved", "call_offered"),
    (PartState.WRAP_UP, "wrap_up", "call_ended"),
)

DIALLED = frozenset({Origin.INTERNAL, Origin.OUTBOUND})


def state_of(books: Books, agent: Agent) -> State:
    """The state that this agent is in now."""
    parts = books.parts_of(agent.id)
    for part_state, name, event in CALL_STATES if parts else ():
        for call, part in parts:
            if part.state is part_state:
                until = part.wrap.ends_at if part.state is PartState.WRAP_UP else None
                if part_state is PartState.RINGING and part.leg == call.first_leg and part.origin in DIALLED:
                    name, event = "talking", "call_dialled"  # the agent calls; reserved is who is called
                because = Because(event, call.id, part.queue, call.number)
                busy_from = min(p.offered_at if p.offered_at is not None else p.since for _, p in parts)
                return State(name, None, None, because, until, part.since, busy_from)
    members = books.memberships(agent.seat)
    if agent.shift is not None:
        return _at_work(agent.shift, members)
    if not members:
        return SIGNED_OUT_STATE
    if is_paused(members):
        reason = next((m.reason for m in members if m.reason), None)
        if reason == SIGNED_OUT:
            return SIGNED_OUT_STATE
        return State("not_ready", reason, PBX, Because("paused_in_pbx"))
    return State("ready", None, PBX, Because("unpaused_in_pbx"))


def _at_work(shift: Shift, members: Collection[MemberChanged]) -> State:
    wish = shift.wish
    if not members and shift.joined:
        return State("not_ready", LEFT_QUEUES, PBX, Because("paused_in_pbx"))
    return State(wish.name, wish.reason, wish.by, wish.because, began=wish.at)


def is_paused(members: Collection[MemberChanged]) -> bool:
    """Whether the member is paused in every queue, so that none rings this phone; False without any membership."""
    return bool(members) and all(member.paused for member in members)
