"""What travels with an event and is not journalled: the card of a call, and the capsule of who gave it away.

The journal keeps neither (docs/decisions/card-not-in-journal.md): both are read when an event is sent, and again
when it is sent again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cti_server.floor import events as kinds
from cti_server.floor.calls import Call
from cti_server.lookup.callers import Callers

Handover = Callable[[str, int], Mapping[str, Any] | None]
"""The capsule that the colleague who gives a call away left for this agent; None without one."""


class Cards:
    """Cards of the calls of one PBX. `calls` are those on the floor, by id."""

    def __init__(self, callers: Callers, calls: Mapping[str, Call]) -> None:
        self._callers = callers
        self._calls = calls
        self.handover: Handover = lambda call, agent: None

    def with_card(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        """The body as a desktop gets it."""
        if kind == kinds.CARD_CHANGED:
            return {**body, "card": self._card(body["call"])}
        if kind != kinds.PART_CHANGED:
            return body
        is_offer = body["happened"] == kinds.OFFERED
        pops = is_offer or body["view"] is not None
        handover = self.handover(body["call"], body["agent"]) if is_offer and body["agent"] is not None else None
        return {**body, "card": self._card(body["call"]) if pops else None, "handover": handover}

    def _card(self, call_id: str) -> Any:
        call = self._calls.get(call_id)
        return self._callers.card(call) if call is not None else None
