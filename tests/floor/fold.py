"""A desktop in few lines: an old snapshot plus events. What the TypeScript store does, in Python."""

from __future__ import annotations

import copy
from typing import Any

from cti_server.floor.apply import Floor
from cti_server.floor.events import Event


class Desktop:
    """Holds what a supervisor's desktop holds."""

    def __init__(self, floor: Floor) -> None:
        self.state: dict[str, Any] = copy.deepcopy(floor.snapshot())

    def take(self, event: Event) -> None:
        body = copy.deepcopy(event.body)
        match event.kind:
            case "link.changed":
                self.state["link"] = body
            case "queue.changed":
                self.state["queues"][body["queue"]["queue"]] = body["queue"]
            case "me.changed":
                self.state["agents"][str(body["agent"])] = body["state"]
            case _:
                self._take_call(body["call"])

    def _take_call(self, view: dict[str, Any]) -> None:
        wrapping = any(part["state"] == "wrap_up" for part in view["agents"].values())
        if view["state"] == "ended" and not wrapping:
            self.state["calls"].pop(view["call"], None)
        else:
            self.state["calls"][view["call"]] = view
