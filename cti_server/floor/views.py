"""The floor as the JSON that desktops get; docs/api.md and the API's schema describe the shapes.

They are made of the tuples of `shown.py`. `floor/replica.py` puts them in their places, and makes of them what one
desktop or one topic shows.
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


def agent_view(books: Books, agent: Agent, shown: AgentShown | None = None) -> View:
    """MeBody: all of an agent that this floor shows to themselves."""
    s = shown if shown is not None else agent_shown(agent, books.serves(agent))
    name, extension, role = s.known_as
    return {
        "agent": agent.id,
        "pbx": books.pbx,
        "name": name,
        "extension": extension,
        "role": role,
        "state": state_view(agent, s),
        "queues": sorted(s.serves),
        "shift": s.shift._asdict() | {"since": iso(s.shift.since)} if s.shift is not None else None,
    }


def member_of_team(agent: View) -> View:
    """TeamMember: an agent (`agent_view`) as colleagues see them, without the number of the caller they are busy
    with."""
    state = agent["state"]
    if state["because"] is not None:
        state = {**state, "because": {**state["because"], "number": None}}
    return {name: agent[name] for name in ("agent", "name", "extension", "role")} | {
        "state": state,
        "queues": agent["queues"],
    }


def link_view(books: Books) -> View:
    """LinkView: how well the server knows the PBX at the moment."""
    return {
        "pbx": books.pbx,
        "state": books.link.value,
        "since": iso(books.link_since),
        "detail": books.link_detail,
    }


# --- the whole floor -------------------------------------------------------------------------------------


def whole(books: Books) -> View:
    """All that any desktop can be shown of this floor: what a replica begins with (`floor/replica.py`)."""
    return {
        "link": link_view(books),
        "agents": [agent_view(books, agent) for agent in books.agents.values()],
        "queues": [queue_view(books, queue) for queue in books.queues.values()],
        "members": [
            member_view(books, member) | {"queue": queue.name}
            for queue in books.queues.values()
            for member in queue.members.values()
        ],
        "calls": [
            {
                "call": call_view(call),
                "parts": [part_view(call, part) for part in call.parts],
                "aliases": [f"{call.pbx}:{call.boot}:{linkedid}" for linkedid in call.aliases],
                "about": {"agents": sorted(whose.agents), "queues": sorted(whose.queues)},
            }
            for call in books.calls.values()
            if (whose := about(call)) is not None
        ],
    }
