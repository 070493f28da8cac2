"""The live side as the API sees it: a floor given its views, commands that remember what was asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cti_server.api.ports import Asking, CallCommand, CommandRefused, Sitting
from cti_server.floor.agents import By
from cti_server.lookup.shapes import Card
from cti_server.record.center.agents import Agent

AT = "2026-11-22T05:00:00.000Z"


def part(agent: int | None, state: str, seat: str = "PJSIP/1001") -> dict[str, Any]:
    return {
        "agent": agent,
        "seat": seat,
        "name": "Li Wei",
        "state": state,
        "since": AT,
        "reason": "answered_elsewhere" if state == "left" else None,
        "origin": "offer",
        "queue": "support",
        "offered_at": AT,
        "answered_at": None,
        "talk_ms": 0,
        "hold_ms": 0,
    }


def call(call_id: str, *parts: dict[str, Any]) -> dict[str, Any]:
    return {
        "call": call_id,
        "interaction": 1,
        "pbx": "demo",
        "direction": "inbound",
        "state": "ringing",
        "ani": "+8613800138000",
        "ani_name": None,
        "dnis": "85550000",
        "queue": "support",
        "position": 1,
        "path": [{"step": "main-menu", "choice": "1", "at": AT}],
        "started_at": AT,
        "queued_at": AT,
        "waiting_since": AT,
        "answered_at": None,
        "ended_at": None,
        "wait_ms": None,
        "held_since": None,
        "customer": {"id": 1, "name": "李小明", "tier": "gold"},
        "verdict": "covered",
        "match": "verified",
        "agents": {str(p["agent"] or p["seat"]): p for p in parts},
        "others": [{"number": "+8613900139000", "name": None, "state": "talking"}],
        "outcome": None,
        "ended_by": None,
        "complete": False,
        "merged_into": None,
    }


def queue(name: str, *agents: int | None) -> dict[str, Any]:
    return {
        "queue": name,
        "title_en": name.title(),
        "title_zh": name,
        "waiting": 1,
        "longest_since": AT,
        "members": [
            {
                "agent": agent,
                "name": "Li Wei",
                "seat": "PJSIP/1001",
                "interface": "PJSIP/1001",
                "status": "idle",
                "paused": False,
                "reason": None,
                "penalty": 0,
            }
            for agent in agents
        ],
    }


def state(name: str = "ready", reachable: bool | None = True) -> dict[str, Any]:
    return {
        "name": name,
        "reason": None,
        "since": AT,
        "by": {"kind": "agent", "name": "Li Wei"},
        "because": None,
        "pending": None,
        "until": None,
        "phone": {"seat": "PJSIP/1001", "reachable": reachable, "since": AT},
        "on_shift": True,
    }


def member(agent: int, name: str, in_state: str = "ready", *queues: str) -> dict[str, Any]:
    return {
        "agent": agent,
        "name": name,
        "extension": "1001",
        "role": "agent",
        "state": state(in_state),
        "queues": list(queues),
    }


class FakeFloor:
    """Shows what it was given."""

    def __init__(self) -> None:
        self.all_calls: list[dict[str, Any]] = []
        self.all_queues: list[dict[str, Any]] = []
        self.cards: dict[str, Card] = {}
        self.all_links: dict[str, dict[str, Any]] = {"demo": {"state": "live", "since": AT, "detail": None}}
        self.lag = 0
        self.states: dict[int, dict[str, Any]] = {}
        self.shifts: dict[int, dict[str, Any]] = {}
        self.members: list[dict[str, Any]] = []

    def calls(self) -> Sequence[Mapping[str, Any]]:
        return self.all_calls

    def call(self, call: str) -> Mapping[str, Any] | None:
        return next((one for one in self.all_calls if one["call"] == call), None)

    async def card(self, call: str) -> Card | None:
        return self.cards.get(call)

    def queues(self) -> Sequence[Mapping[str, Any]]:
        return self.all_queues

    def agent_state(self, agent: int) -> Mapping[str, Any]:
        return self.states.get(agent) or state()

    def shift(self, agent: int) -> Mapping[str, Any] | None:
        return self.shifts.get(agent)

    def at_seat(self, pbx: str, seat: str) -> int | None:
        return next((agent for agent, one in self.shifts.items() if one["seat"] == seat), None)

    def team(self) -> Sequence[Mapping[str, Any]]:
        return self.members

    def links(self) -> Mapping[str, Mapping[str, Any]]:
        return self.all_links

    def lag_ms(self) -> int:
        return self.lag


class FakeCommands:
    """Remembers what was asked, or refuses it."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.refusal: CommandRefused | None = None

    def _ask(self, *what: Any) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.asked.append(what)

    async def begin_shift(self, agent: Agent, phone: Sitting) -> str:
        self._ask("begin_shift", agent.id, phone)
        return "r-1"

    async def end_shift(self, agent: int) -> str:
        self._ask("end_shift", agent)
        return "r-1"

    async def set_state(self, agent: int, state: str, reason: str | None, by: By | None = None) -> str:
        self._ask("set_state", agent, state, reason)
        return "r-1"

    async def choose_customer(self, call: str, customer: int, agent: int) -> None:
        self._ask("choose_customer", call, customer, agent)

    async def finish_wrap_up(self, call: str, agent: int, code: str | None = None) -> None:
        self._ask("finish_wrap_up", call, agent, code)

    async def note_code(self, call: str, agent: int, code: str | None) -> None:
        self._ask("note_code", call, agent, code)

    async def extend_wrap_up(self, call: str, agent: int) -> None:
        self._ask("extend_wrap_up", call, agent)

    async def want_wrap_up(self, call: str, agent: int, wanted: bool) -> None:
        self._ask("want_wrap_up", call, agent, wanted)

    async def signed_out(self, agent: int) -> None:
        self._ask("signed_out", agent)


class FakeControl:
    """Remembers the call commands that were asked, or refuses them."""

    def __init__(self) -> None:
        self.asked: list[tuple[Asking, CallCommand, str | None]] = []
        self.refusal: CommandRefused | None = None
        self.handovers: dict[tuple[str, int], dict[str, Any]] = {}

    async def ask(self, asking: Asking, command: CallCommand, key: str | None = None) -> str:
        if self.refusal is not None:
            raise self.refusal
        self.asked.append((asking, command, key))
        return f"r-{len(self.asked)}"

    async def handover(self, call: str, agent: int) -> Mapping[str, Any] | None:
        return self.handovers.get((call, agent))
