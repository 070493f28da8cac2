"""Adds to an event what the journal does not keep: the call's card, and the handover capsule.

Both are read whenever an event is sent, also when it is sent again (docs/decisions/card-not-in-journal.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cti_server.floor import events as kinds
from cti_server.floor.calls import Call
from cti_server.lookup.callers import Callers

Handover = Callable[[str, int], Mapping[str, Any] | None]
"""The handover capsule of a call (its id) for an agent; None when nobody gave them the call."""


class Cards:
    """The cards of one PBX's calls. `calls` are the calls on its floor, by id."""

    def __init__(self, callers: Callers, calls: Mapping[str, Call]) -> None:
        self._callers = callers
        self._calls = calls
        self.handover: Handover = lambda call, agent: None

    def with_card(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        """The body as desktops get it: with the card and the capsule where events of this kind carry them."""
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
