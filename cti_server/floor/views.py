"""The floor as the JSON that desktops get; docs/api.md and the API's schema describe the shapes.

The first half turns the tuples of `shown.py` into views. The second half makes the snapshot of one agent's desktop
or of one topic: an old snapshot with every event since put in is equal to a fresh one.
"""

from __future__ import annotations

from typing import Any

from .agents import Agent
from .books import Books
from .calls import Call
from .events import About
from .parts import Part, Why
from .possible import can
from .queues import Queue
from .shown import (
    AgentShown,
    CallShown,
    MemberShown,
    PartShown,
    QueueShown,
    agent_shown,
    call_shown,
    member_shown,
    part_shown,
    queue_shown,
)
from .signals import MemberChanged
from .times import iso, ms

View = dict[str, Any]


def about(call: Call) -> About:
    """Whose call it is: all agents and all queues that it has been with."""
    queues = {f"{call.pbx}/{visit.queue}" for visit in call.visits}
    if call.queue is not None:
        queues.add(f"{call.pbx}/{call.queue}")
    return About(frozenset(part.agent for part in call.parts if part.agent is not None), frozenset(queues))


def call_view(call: Call, shown: CallShown | None = None) -> View:
    """CallView: all of a call but its parts."""
    s = shown if shown is not None else call_shown(call)
    return {
        "call": call.id,
        "interaction": call.interaction,
        "pbx": call.pbx,
        "direction": s.direction.value,
        "state": s.state,
        "ani": s.ani,
        "ani_name": s.ani_name,
        "dnis": s.dnis,
        "queue": s.queue,
        "position": s.position,
        "path": [{"step": p["step"], "choice": p["choice"], "at": iso(p["at"])} for p in call.path],
        "started_at": iso(call.started_at),
        "queued_at": iso(s.queued_at),
        "waiting_since": iso(s.waiting_since),
        "answered_at": iso(s.answered_at),
        "ended_at": iso(s.ended_at),
        "wait_ms": ms(s.wait_s) if s.wait_s is not None else None,
        "held_since": iso(s.held_since),
        "customer": s.customer,
        "verdict": s.verdict,
        "match": s.match,
        "agents": [
            {"agent": a.agent, "seat": a.seat, "name": a.name, "state": a.state.value, "since": iso(a.since)}
            for a in s.agents
        ],
        "more_ringing": s.more_ringing,
        "people": [person._asdict() for person in s.people],
        "recording": s.recording.value,
        "park_space": s.park_space,
        "outcome": s.outcome,
        "ended_by": s.ended_by,
        "complete": s.complete,
        "merged_into": s.merged_into,
    }


def part_view(call: Call, part: Part, shown: PartShown | None = None) -> View:
    """PartView: one agent's part, where they stand in the call, and what they may do."""
    s = shown if shown is not None else part_shown(call, part)
    return {
        "call": call.id,
        "position": s.position,
        "agent": s.agent,
        "seat": s.seat,
        "name": s.name,
        "state": s.state.value,
        "since": iso(s.since),
        "reason": s.reason,
        "outcome": s.outcome,
        "origin": s.origin.value,
        "queue": s.queue,
        "offered_at": iso(s.offered_at),
        "answered_at": iso(s.answered_at),
        "talk_ms": ms(s.talk_s),
        "hold_ms": ms(s.hold_s),
        "leg": s.leg,
        "muted": s.muted,
        "from": s.why.given_by if s.why is not None else None,
        "why": _why_view(s.why) if s.why is not None else None,
        "wrap_up": s.wrap_up._asdict() | {"ends_at": iso(s.wrap_up.ends_at)} if s.wrap_up is not None else None,
        "standing": s.standing.value,
        "can": can(s.standing, s.recording, s.muted),
        "consultation": s.consultation._asdict() if s.consultation is not None else None,
    }


def _why_view(why: Why) -> View:
    return {
        "kind": why.kind,
        "queue": why.queue,
        "from": why.given_by,
        "penalty": why.penalty,
        "waited_ms": ms(why.waited_s) if why.waited_s is not None else None,
    }


def queue_view(books: Books, queue: Queue, shown: QueueShown | None = None) -> View:
    """QueueView: the queue in numbers. Without a title in the record it goes by the PBX's name."""
    s = shown if shown is not None else queue_shown(queue)
    return {
        "pbx": books.pbx,
        "queue": queue.name,
        **s._asdict(),
        "title_en": s.title_en or queue.name,
        "title_zh": s.title_zh or queue.name,
        "longest_since": iso(s.longest_since),
    }


def member_view(books: Books, member: MemberChanged, shown: MemberShown | None = None) -> View:
    """MemberView: one phone that serves the queue."""
    s = shown if shown is not None else member_shown(books, member)
    return s._asdict() | {"status": s.status.value}


def state_view(agent: Agent, shown: AgentShown | None = None) -> View:
    """AgentStateView: the agent's state, why, since when and by whom, and the wish that waits for the end of a
    call."""
    s = shown if shown is not None else agent_shown(agent, frozenset())
    pending = s.pending
    return {
        "name": s.name,
        "reason": s.reason,
        "since": iso(s.since),
        "by": s.by.view() if s.by is not None else None,
        "because": s.because.view() if s.because is not None else None,
        "pending": (
            {"name": pending[0], "reason": pending[1], "by": pending[2].view()} if pending is not None else None
        ),
        "until": iso(s.until),
        "phone": {"seat": s.seat, "reachable": s.phone_reachable, "since": iso(s.phone_since)},
        "on_shift": s.on_shift,
    }


def member_of_team(books: Books, agent: Agent) -> View:
    """TeamMember: an agent as colleagues see them, without the number of the caller they are busy with."""
    state = state_view(agent)
    if state["because"] is not None:
        state["because"] = {**state["because"], "number": None}
    return {
        "agent": agent.id,
        "name": agent.name,
        "extension": agent.extension,
        "role": agent.role,
        "state": state,
        "queues": sorted(books.serves(agent)),
    }


def link_view(books: Books) -> View:
    """LinkView: how well the server knows the PBX at the moment."""
    return {
        "pbx": books.pbx,
        "state": books.link.value,
        "since": iso(books.link_since),
        "detail": books.link_detail,
    }


# --- snapshots -------------------------------------------------------------------------------------------


def serves(books: Books, agent: int) -> frozenset[str]:
    """The queues that this agent is a member of; none for an agent whom this floor does not know."""
    found = books.agents.get(agent)
    return books.serves(found) if found is not None else frozenset()


def desk_of(books: Books, agent: int) -> View:
    """What concerns this agent: their calls, their own parts in them, and the queues that they serve."""
    parts = books.parts_of(agent)
    calls = {call.id: call for call, _ in parts}
    return {
        "calls": [call_view(call) for call in calls.values()],
        "parts": [part_view(call, part) for call, part in parts],
        "queues": [queue_view(books, books.queues[name]) for name in sorted(serves(books, agent))],
    }


def floor_topic(books: Books) -> View:
    """Every call that goes on, and every queue."""
    return {
        "calls": [call_view(call) for call in books.calls.values() if not call.ended],
        "queues": [queue_view(books, queue) for _, queue in sorted(books.queues.items())],
    }


def team_topic(books: Books) -> View:
    """The agents of this floor."""
    return {"team": [member_of_team(books, agent) for agent in books.agents.values()]}


def queue_topic(books: Books, name: str) -> View:
    """A queue with its members; `queue` is None once the PBX does not have it any more."""
    queue = books.queues.get(name)
    if queue is None:
        return {"queue": None, "members": []}
    members = [member_view(books, member) for _, member in sorted(queue.members.items())]
    return {"queue": queue_view(books, queue), "members": members}


def call_topic(books: Books, call_id: str) -> View:
    """A call with all its parts; `call` is None once it has left the floor."""
    call = books.calls.get(call_id)
    if call is None:
        return {"call": None, "parts": []}
    return {"call": call_view(call), "parts": [part_view(call, part) for part in call.parts]}
