"""A desktop as docs/api.md describes it: what a viewer holds after the frames of its websocket, in order.

Written from the page and not from the desktop's own store, so that either may be wrong and be found out.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .findings import Difference

Body = dict[str, Any]
WRAP_UP, LEFT, ENDED = "wrap_up", "left", "ended"


@dataclass
class Held:
    """`calls` and `parts` are the viewer's own; `topics` what each opened topic shows, None where refused."""

    agent: int
    links: Body = field(default_factory=dict)
    state: Body = field(default_factory=dict)
    serves: set[str] = field(default_factory=set)
    calls: dict[str, Body] = field(default_factory=dict)
    parts: dict[str, dict[int, Body]] = field(default_factory=dict)
    queues: dict[str, Body] = field(default_factory=dict)
    topics: dict[str, Any] = field(default_factory=dict)
    positions: dict[str, int] = field(default_factory=dict)
    early: dict[str, Body] = field(default_factory=dict)
    results: dict[str, Body] = field(default_factory=dict)

    def take(self, frame: Body) -> None:
        match frame["type"]:
            case "welcome" if frame["snapshot"] is not None:
                self._begin(frame)
            case "watching":
                self.topics[frame["topic"]] = (
                    None if "refused" in frame else _topic(frame["topic"], frame["snapshot"])
                )
            case "reset":
                self.positions.clear()
            case "event" if frame["seq"] > self.positions.get(frame["stream"], -1):
                self.positions[frame["stream"]] = frame["seq"]
                self._event(frame["kind"], frame["body"])

    def _begin(self, frame: Body) -> None:
        snapshot = frame["snapshot"]
        self.positions = dict(frame["positions"])
        self.links = snapshot["links"]
        self.state, self.serves = snapshot["me"]["state"], set(snapshot["me"]["queues"])
        self.calls = {call["call"]: call for call in snapshot["calls"]}
        self.parts = {}
        for part in snapshot["parts"]:
            self.parts.setdefault(part["call"], {})[part["position"]] = part
        self.queues = {queue["queue"]: queue for queue in snapshot["queues"]}

    def _event(self, kind: str, body: Body) -> None:
        match kind:
            case "command.done":
                self.results[body["request"]] = body
            case "link.changed":
                self.links[body["pbx"]] = {name: body[name] for name in ("state", "since", "detail")}
            case "me.changed" if body["agent"] == self.agent:
                self._me(body)
            case "queue.changed":
                self._queue(body["queue"])
            case "member.changed":
                self._member(body)
            case "team.changed":
                if (team := self.topics.get("team")) is not None:
                    team |= {member["agent"]: member for member in body["agents"]}
            case "part.changed":
                self._part(body)
            case _ if kind.startswith("call."):
                self._call(body["call"])

    def _me(self, body: Body) -> None:
        self.state, self.serves = body["state"], set(body["queues"])
        self.queues |= {name: queue for name, queue in self.early.items() if name in self.serves}
        self.queues = {name: queue for name, queue in self.queues.items() if name in self.serves}
        self.early.clear()

    def _queue(self, view: Body) -> None:
        name = view["queue"]
        if name in self.serves:
            self.queues[name] = view
        else:
            self.early[name] = view  # in one step queues are told before what I am: it may be mine a frame later
        if (floor := self.topics.get("floor")) is not None:
            floor["queues"][name] = view
        if (opened := self.topics.get(f"queue:{view['pbx']}/{name}")) is not None:
            opened["queue"] = view

    def _member(self, body: Body) -> None:
        if (opened := self.topics.get(f"queue:{body['pbx']}/{body['queue']}")) is None:
            return
        opened["members"].pop(body["interface"], None)
        if body["member"] is not None:
            opened["members"][body["interface"]] = body["member"]

    def _part(self, body: Body) -> None:
        call, part = body["call"], body["part"]
        if (opened := self.topics.get(f"call:{call}")) is not None:
            opened["parts"][part["position"]] = part
        if body["agent"] != self.agent:
            return
        parts = self.parts.setdefault(call, {})
        parts.pop(part["position"], None)
        if part["state"] != LEFT:
            parts[part["position"]] = part
        if body["view"] is not None:
            self.calls[call] = body["view"]
        if not parts:
            del self.parts[call]
            self.calls.pop(call, None)

    def _call(self, view: Body) -> None:
        call = view["call"]
        if (floor := self.topics.get("floor")) is not None:
            floor["calls"].pop(call, None)
            if view["state"] != ENDED:
                floor["calls"][call] = view
        if (opened := self.topics.get(f"call:{call}")) is not None:
            opened["call"] = view
            if view["merged_into"] is not None:
                opened |= {"call": None, "parts": {}}
        if view["merged_into"] is not None:
            self.calls.pop(call, None)
            self.parts.pop(call, None)
        elif call in self.calls:
            self.calls[call] = view

    def shown(self) -> Body:
        """All that can be compared with another desktop of the same viewer."""
        topics = {name: _settled(name, copy.deepcopy(topic)) for name, topic in self.topics.items()}
        return {
            "links": self.links,
            "state": self.state,
            "serves": sorted(self.serves),
            "calls": self.calls,
            "parts": self.parts,
            "queues": self.queues,
            "topics": topics,
        }


def _topic(name: str, snapshot: Body) -> Any:
    if name == "floor":
        calls = {call["call"]: call for call in snapshot["calls"]}
        return {"calls": calls, "queues": {queue["queue"]: queue for queue in snapshot["queues"]}}
    if name == "team":
        return {member["agent"]: member for member in snapshot["team"]}
    if name.startswith("queue:"):
        members = {member["interface"]: member for member in snapshot["members"]}
        return {"queue": snapshot["queue"], "members": members}
    parts = {part["position"]: part for part in snapshot["parts"]}
    return {"call": snapshot["call"], "parts": parts}


def _settled(name: str, topic: Any) -> Any:
    """A call that is over, and that nobody wraps up, is gone from the floor: whoever opens it now is refused."""
    if not name.startswith("call:") or topic is None:
        return topic
    over = topic["call"] is None or topic["call"]["state"] == ENDED
    return None if over and not any(part["state"] == WRAP_UP for part in topic["parts"].values()) else topic


def differences(held: Any, fresh: Any, path: tuple[str, ...] = ()) -> Iterator[Difference]:
    """Where two desktops differ: what one held → what a fresh one shows."""
    if isinstance(held, dict) and isinstance(fresh, dict):
        for key in sorted({*held, *fresh}, key=str):
            where = (*path, str(key))
            if key not in held:
                yield _difference(where, "not held", _short(fresh[key]))
            elif key not in fresh:
                yield _difference(where, _short(held[key]), "not there")
            else:
                yield from differences(held[key], fresh[key], where)
    elif held != fresh:
        yield _difference(path, _short(held), _short(fresh))


def _difference(path: tuple[str, ...], held: str, fresh: str) -> Difference:
    """Its kind is where it is, without the calls and numbers that are others each time."""
    words = ["call" if word.startswith("call:") else word for word in path]
    kind = ".".join(word for word in words if not word.isdigit() and ":" not in word.replace("queue:", ""))
    return Difference(f"desktop: {kind}", f"{' '.join(path)}: {held} → {fresh}")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 160 else f"{text[:157]}…"
