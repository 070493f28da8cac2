"""Adds to an event what the journal does not keep: the call's card, and the handover capsule.

Both are read whenever an event is sent, also when it is sent again (docs/decisions/card-not-in-journal.md). The
process that is attached to the PBX has the cards in memory, because it looked the callers up. Any other reads the
card of a call when one of its own desktops is to be shown it, and keeps it for as long as the call says the same.
A capsule is read for each offer that comes from a colleague.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import structlog

from cti_server.floor import events as kinds
from cti_server.floor.replica import Replica
from cti_server.lookup.identify import Lookup
from cti_server.lookup.shapes import Card
from cti_server.record.journal import Entry

from .capsules import KINDS, Capsules

READ_S = 0.5  # for the cards that a desktop of this process waits for; after it the offer goes without

log = structlog.get_logger()
Sign = tuple[Any, ...]
Wanted = tuple[str, int | None]
"""A call's card; with an agent, what was left for them with the call."""


class Known(Protocol):
    """The cards of the process that is attached to the PBX."""

    def of_call(self, call: str) -> Card | None:
        """The card of the call with this id as it was last read; None while the lookup is under way."""
        ...

    async def fresh_of_call(self, call: str) -> Card | None:
        """The same, read from the record now."""
        ...


class Cards:
    """The cards of one PBX's calls. `attached` is set while this process is attached to the PBX."""

    def __init__(self, replica: Replica, lookup: Lookup, capsules: Capsules | None = None) -> None:
        self.attached: Known | None = None
        self._capsules = capsules
        self._handovers: dict[tuple[str, int], dict[str, Any] | None] = {}  # read for the rows that come next
        self._replica = replica
        self._lookup = lookup
        self._read: dict[str, tuple[Sign, Card]] = {}

    # --- for events ------------------------------------------------------------------------------------

    @staticmethod
    def adds_to(kind: str) -> bool:
        """Whether events of this kind may carry a card."""
        return kind in (kinds.CARD_CHANGED, kinds.PART_CHANGED)

    def lacking(self, entries: Iterable[Entry]) -> Sequence[Wanted]:
        """What these rows are to carry and has to be read first. In a process that is attached no card is: what it
        does not know, a lookup will tell."""
        wanted: dict[Wanted, None] = {}
        for entry in entries:
            kind, body = entry.kind, entry.body
            if kind == kinds.CARD_CHANGED and self.attached is None:
                self._read.pop(body["call"], None)
                wanted[body["call"], None] = None
            elif kind == kinds.PART_CHANGED:
                if self.attached is None and _pops(body) and self.of(body["call"]) is None:
                    wanted[body["call"], None] = None
                if (key := self._given_to(body)) is not None and key not in self._handovers:
                    wanted[key] = None
        return tuple(wanted)

    def lacks(self, call: str) -> bool:
        """Whether the card of this call has to be read before it can be shown."""
        return self.attached is None and self._sign(call) is not None and self.of(call) is None

    async def read(self, wanted: Iterable[Wanted]) -> None:
        """Read all of this, beside each other. What cannot be read in time is left out."""
        await asyncio.gather(*(self._try(call, agent) for call, agent in wanted))

    def with_card(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        """The body as desktops get it: with the card and the capsule where events of this kind carry them."""
        if kind == kinds.CARD_CHANGED:
            return {**body, "card": self.of(body["call"])}
        if kind != kinds.PART_CHANGED:
            return body
        key = self._given_to(body)
        handover = self._handovers.pop(key, None) if key is not None else None
        return {**body, "card": self.of(body["call"]) if _pops(body) else None, "handover": handover}

    def forget(self, entries: Iterable[Entry]) -> None:
        """Forget the cards of calls that have left with these rows."""
        for entry in entries:
            call = entry.body.get("call")
            key = call["call"] if isinstance(call, dict) else call
            if key in self._read and key not in self._replica.calls:
                del self._read[key]

    # --- for anybody -----------------------------------------------------------------------------------

    def of(self, call: str) -> Card | None:
        """The card of this call as it was last read here; None where it was not, or no longer fits the call."""
        if self.attached is not None:
            return self.attached.of_call(call)
        sign, card = self._read.get(call, (None, None))
        return card if sign is not None and sign == self._sign(call) else None

    async def fresh(self, call: str) -> Card | None:
        """The card, read from the record now; None for a call that is over. Raises what the database raises."""
        if self.attached is not None:
            return await self.attached.fresh_of_call(call)
        view = self._replica.calls.get(call)
        if view is None:
            return None
        sign = self._sign(call)
        identified = await self._lookup.identify(view["pbx"], _number(view), view["ani_name"], _line(view))
        chosen = view["customer"]["id"] if view["customer"] is not None else None
        if chosen is not None and (identified.customer is None or identified.customer.id != chosen):
            identified = await self._lookup.showing(identified, chosen) or identified
        card = await self._lookup.card(call, identified, view["interaction"])
        if call in self._replica.calls and sign is not None:
            self._read[call] = sign, card
        return card

    async def handover(self, call: str, agent: int) -> Mapping[str, Any] | None:
        """What a colleague left for the agent with this call. Raises what the database raises."""
        return await self._capsules.read(call, agent) if self._capsules is not None else None

    async def _try(self, call: str, agent: int | None) -> None:
        try:
            async with asyncio.timeout(READ_S):
                if agent is None:
                    await self.fresh(call)
                elif self._capsules is not None:
                    self._handovers[call, agent] = await self._capsules.read(call, agent)
        except Exception as cause:
            log.warning("card.not_read", call=call, cause=f"{type(cause).__name__}: {cause}")

    def _given_to(self, body: Mapping[str, Any]) -> tuple[str, int] | None:
        """The call and the agent, where a colleague may have left something for them with this offer: they were
        called by one, or one has had the call before and gave it to a queue."""
        call, agent = body["call"], body["agent"]
        if body["happened"] != kinds.OFFERED or agent is None:
            return None
        had = (part["agent"] != agent and part["answered_at"] is not None for part in self._replica.parts(call))
        return (call, agent) if body["part"]["origin"] in KINDS or any(had) else None

    def _sign(self, call: str) -> Sign | None:
        """What a card is made of that the call itself says; None while nobody has been looked up."""
        view = self._replica.calls.get(call)
        if view is None or view["match"] == "pending":
            return None
        customer = view["customer"]["id"] if view["customer"] is not None else None
        return customer, view["match"], view["verdict"], view["interaction"], view["ani"], view["dnis"]


def _pops(body: Mapping[str, Any]) -> bool:
    """Whether a change of a part shows its agent a call that they have not seen."""
    return body["happened"] == kinds.OFFERED or body["view"] is not None


def _number(view: Mapping[str, Any]) -> str | None:
    """The customer's number: of a call that we make, the one that was dialled."""
    number: str | None = view["ani"] if view["direction"] == "inbound" else view["dnis"]
    return number


def _line(view: Mapping[str, Any]) -> str | None:
    line: str | None = view["dnis"] if view["direction"] == "inbound" else None
    return line
