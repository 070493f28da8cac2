"""A desktop in few lines: an old snapshot plus events. What the TypeScript store does, for any viewer."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, field
from typing import Any

from cti_server.floor import topics, views
from cti_server.floor.apply import Floor
from cti_server.floor.events import Event
from tests.floor.replicas import replica_of

State = dict[str, Any]


@dataclass(frozen=True)
class Viewer:
    """Who looks: an agent (0: nobody of the floor), and which topics their desktop opened."""

    agent: int
    opened: tuple[str, ...] = ()


@dataclass
class Desktop:
    """What one viewer's desktop holds. `sent` counts the bytes that it was handed."""

    floor: Floor
    viewer: Viewer
    state: State = field(init=False)
    sent: int = 0

    def __post_init__(self) -> None:
        self.state = fresh(self.floor, self.viewer)

    def concerns(self, event: Event) -> bool:
        """As the hub decides it: by agent, by topic, and for the queues that the agent serves."""
        serving = {topics.serving(self.floor.pbx, queue) for queue in self.state["serves"]}
        return (
            event.everyone
            or self.viewer.agent in event.agents
            or bool(event.topics & {*self.viewer.opened, *serving})
        )

    def take(self, event: Event) -> None:
        if self.concerns(event):
            self._take(event)

    def forget_what_is_over(self) -> None:
        """A call that was opened and is over is nothing any more once nobody wraps it up."""
        for opened in self.state["opened"].values():
            is_over = "parts" in opened and opened["call"] is not None and opened["call"]["state"] == "ended"
            if is_over and not any(part["state"] == "wrap_up" for part in opened["parts"].values()):
                opened |= {"call": None, "parts": {}}

    def _take(self, event: Event) -> None:
        body = copy.deepcopy(event.body)
        self.sent += len(json.dumps(body, ensure_ascii=False).encode())
        match event.kind:
            case "link.changed":
                self.state["link"] = body
            case "queue.changed":
                self._take_queue(body["queue"])
            case "queue.removed":
                self._drop_queue(body["queue"])
            case "member.changed":
                self._take_member(body)
            case "me.changed":
                self.state["me"], self.state["serves"] = body["state"], body["queues"]
                for name in set(self.state["queues"]) - set(body["queues"]):
                    del self.state["queues"][name]
            case "part.changed":
                self._take_part(body)
            case "card.changed":
                pass  # says that the card is another, not what it is
            case _:
                self._take_call(body["call"])

    def _take_queue(self, view: State) -> None:
        name = view["queue"]
        if name in self.state["serves"]:
            self.state["queues"][name] = view
        if topics.FLOOR in self.viewer.opened:
            self.state["floor"]["queues"][name] = view
        if (opened := self.state["opened"].get(topics.queue(self.floor.pbx, name))) is not None:
            opened["queue"] = view

    def _drop_queue(self, name: str) -> None:
        self.state["queues"].pop(name, None)
        if topics.FLOOR in self.viewer.opened:
            self.state["floor"]["queues"].pop(name, None)
        if (opened := self.state["opened"].get(topics.queue(self.floor.pbx, name))) is not None:
            opened |= {"queue": None, "members": []}

    def _take_member(self, body: State) -> None:
        opened = self.state["opened"].get(topics.queue(self.floor.pbx, body["queue"]))
        if opened is None:
            return
        members = {member["interface"]: member for member in opened["members"]}
        members.pop(body["interface"], None)
        if body["member"] is not None:
            members[body["interface"]] = body["member"]
        opened["members"] = [member for _, member in sorted(members.items())]

    def _take_part(self, body: State) -> None:
        call, part = body["call"], body["part"]
        if (opened := self.state["opened"].get(topics.call(call))) is not None:
            opened["parts"][part["position"]] = part
        if body["agent"] != self.viewer.agent:
            return
        parts = self.state["parts"].setdefault(call, {})
        parts.pop(part["position"], None)
        if part["state"] != "left":
            parts[part["position"]] = part
        if body["view"] is not None:
            self.state["calls"][call] = body["view"]
        if not parts:
            del self.state["parts"][call]
            self.state["calls"].pop(call, None)

    def _take_call(self, view: State) -> None:
        call = view["call"]
        if topics.FLOOR in self.viewer.opened:
            self.state["floor"]["calls"].pop(call, None)
            if view["state"] != "ended":
                self.state["floor"]["calls"][call] = view
        if (opened := self.state["opened"].get(topics.call(call))) is not None:
            opened["call"] = view
            if view["merged_into"] is not None:  # docs/api.md: it is over for everybody, and with it go its parts
                opened |= {"call": None, "parts": {}}
        if view["merged_into"] is not None:
            self.state["calls"].pop(call, None)
            self.state["parts"].pop(call, None)
        elif call in self.state["calls"]:
            self.state["calls"][call] = view


def fresh(floor: Floor, viewer: Viewer) -> State:
    """What a desktop of this viewer gets that connects now."""
    books = floor.books
    desk = replica_of(books).desk_of(viewer.agent)
    agent = books.agents.get(viewer.agent)
    state: State = {
        "link": views.link_view(books),
        "me": views.state_view(agent) if agent is not None else None,
        "serves": sorted(replica_of(books).serves(viewer.agent)),
        "calls": {call["call"]: call for call in desk["calls"]},
        "parts": {},
        "queues": {queue["queue"]: queue for queue in desk["queues"]},
        "opened": {},
    }
    for part in desk["parts"]:
        state["parts"].setdefault(part["call"], {})[part["position"]] = part
    if topics.FLOOR in viewer.opened:
        whole = replica_of(books).floor_topic()
        state["floor"] = {
            "calls": {call["call"]: call for call in whole["calls"]},
            "queues": {queue["queue"]: queue for queue in whole["queues"]},
        }
    for topic in viewer.opened:
        kind, name = topics.parse(topic) or ("", "")
        if kind == "queue":
            state["opened"][topic] = replica_of(books).queue_topic(name.partition("/")[2])
        elif kind == "call":
            of_call = replica_of(books).call_topic(name)
            state["opened"][topic] = {
                "call": of_call["call"],
                "parts": {part["position"]: part for part in of_call["parts"]},
            }
    return copy.deepcopy(state)
