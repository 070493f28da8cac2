"""What is shown of the floor: an agent's desk, and the topics that a desktop may open."""

from __future__ import annotations

from typing import Any

from .agents import Agent
from .apply import Floor
from .calls import Call
from .parts import CONNECTED, Part, PartState

SHOWN_RINGING = 3  # of the phones that ring at once, while nobody is on the call
OFF = ("unavailable", "invalid", "unknown")


def link_view(books: Floor) -> dict[str, Any]:
    return books.link_view()


def state_view(agent: Agent) -> dict[str, Any]:
    return agent.view()


def desk_of(books: Floor, agent: int) -> dict[str, Any]:
    """What concerns one agent: their calls, their parts in them, the queues that they serve."""
    found = [(call, part) for call in books.calls.values() for part in call.parts if part.agent == agent]
    there = [(call, part) for call, part in found if part.state is not PartState.LEFT]
    calls = {call.id: call for call, _ in there}
    return {
        "calls": [call_view(call) for call in calls.values()],
        "parts": [part_view(call, part) for call, part in there],
        "queues": [queue_view(books, name) for name in sorted(serves(books, agent))],
    }


def serves(books: Floor, agent: int) -> frozenset[str]:
    """The names of the queues that this agent serves."""
    known = books.agents.get(agent)
    if known is None or known.seat is None:
        return frozenset()
    return frozenset(member.queue for member in books.memberships(known.seat))


def floor_topic(books: Floor) -> dict[str, Any]:
    calls = [call_view(call) for call in books.calls.values() if not call.ended]
    return {"calls": calls, "queues": [queue_view(books, name) for name in sorted(books.queues)]}


def team_topic(books: Floor) -> dict[str, Any]:
    return {"team": [books.team_member(number) for number in books.agents]}


def queue_topic(books: Floor, queue: str) -> dict[str, Any]:
    return {"queue": queue_view(books, queue), "members": members(books, queue)}


def call_topic(books: Floor, call_id: str) -> dict[str, Any]:
    call = books.calls.get(call_id)
    if call is None:
        return {"call": None, "parts": []}
    return {"call": call_view(call), "parts": [part_view(call, part) for part in call.parts]}


def call_view(call: Call) -> dict[str, Any]:
    view = call.view()
    del view["others"]
    return view | {"agents": _on_it(call)}


def _on_it(call: Call) -> list[dict[str, Any]]:
    on = call.connected() or [p for p in call.open_parts() if p.state is PartState.RINGING][:SHOWN_RINGING]
    shown = ("agent", "seat", "name", "state", "since")
    return [{name: view[name] for name in shown} for view in (part.view() for part in on)]


def part_view(call: Call, part: Part) -> dict[str, Any]:
    return part.view() | {
        "call": call.id,
        "position": part.position,
        "outcome": part.outcome,
        "muted": call.is_muted(part),
        "standing": _standing(part),
        "can": {},
        "consultation": None,
    }


def _standing(part: Part) -> str:
    if part.state in CONNECTED or part.state in (PartState.RINGING, PartState.WRAP_UP):
        return part.state.value
    return "none"


def queue_view(books: Floor, name: str) -> dict[str, Any]:
    view = books.queue(name).view(books.seated())
    members = view.pop("members")
    off = sum(one["status"] in OFF for one in members)
    idle = [one for one in members if one["status"] == "idle"]
    paused = sum(one["paused"] for one in idle)
    counts = {"ready": len(idle) - paused, "busy": len(members) - off - len(idle), "paused": paused, "off": off}
    return view | {"pbx": books.pbx, "members": len(members)} | counts


def members(books: Floor, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = books.queue(name).view(books.seated())["members"]
    return found
