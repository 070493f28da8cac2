"""Who is calling, for each call of one PBX: looked up once, and given to the floor as a signal.

Usually the dialplan asks first, by FastAGI. A call without an AGI leg is looked up when it is queued, offered or
dialled, and after GRACE_S at the latest. Either way the card is read before the signal goes in, so that it is
there when the floor's event about the caller comes out.

A card is kept as long as its call is on the floor, however many calls that are, and is read again when an agent's
phone rings later than FRESH_S after the last reading. Why none is kept from call to call:
docs/decisions/cards-are-read.md.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog

from cti_server.floor.calls import Call, Direction
from cti_server.floor.signals import CallerIdentified

from .card import verdict_view
from .identify import Identified, Lookup
from .shapes import Card

GRACE_S = 0.5  # how long a new call may take to reach the dialplan's lookup before the server looks it up itself
DEADLINE_S = 5.0  # for a lookup that nobody waits for; after it the caller stays `pending`
FRESH_S = 1.0  # what was read so long ago may still be shown when a phone begins to ring
EARLY_S = 10.0  # how long a caller is kept whose leg is not on the floor, because it may be about to come
CATCHING_UP = ""  # among the tasks, which are otherwise by leg
ROOM = 1000  # callers kept before those are looked for whose legs have left the floor

log = structlog.get_logger()

Sink = Callable[[CallerIdentified], None]


@dataclass(frozen=True, slots=True)
class Caller:
    """What a lookup found out about one caller, and the card made from it, at `read_at` of the monotonic clock."""

    identified: Identified
    card: Card
    read_at: float


class Callers:
    """The callers of one PBX. `sink` gets a signal for each caller identified; `failures` counts lookups that
    failed."""

    def __init__(
        self, pbx: str, lookup: Lookup, sink: Sink, on_floor: Callable[[str], bool] = lambda leg: True
    ) -> None:
        """`on_floor` says whether the leg with this Uniqueid, or a call of this linkedid, is on the floor."""
        self._pbx = pbx
        self._lookup = lookup
        self._sink = sink
        self._on_floor = on_floor
        self._callers: dict[str, Caller] = {}  # by the Uniqueid of the leg that was looked up
        self._room = ROOM
        self._tasks: dict[str, asyncio.Task[Any]] = {}
        self._nameless: dict[str, Call] = {}  # by linkedid, whom the record could not be asked about
        self._closed = False
        self.failures = 0

    # --- looking up ------------------------------------------------------------------------------------

    def identified_by_dialplan(self, leg: str, identified: Identified) -> None:
        """Take in what the dialplan's lookup found out about the caller on `leg`. Returns at once."""
        self._start(leg, self._report(leg, None, identified))

    def want(self, call: Call, *, soon: bool) -> None:
        """Have the caller looked up unless that was done; unless `soon`, the dialplan's lookup has GRACE_S to be
        first. Returns at once."""
        if call.match != "pending" or call.linkedid in self._tasks or self._closed:
            return
        if not soon:
            asyncio.get_running_loop().call_later(GRACE_S, lambda: self.want(call, soon=True))
        elif (caller := self.of(call)) is not None:
            # Identified, but the signal was lost: the floor did not know the call yet, or the inbox was full.
            self._sink(_signal(call.linkedid, call.linkedid, caller.identified))
        else:
            self._start(call.linkedid, self._look(call))

    def catch_up(self, calls: Iterable[Call]) -> None:
        """Have the callers looked up whom the record could not be asked about while it was away, one after the
        other; of calls that are over, too. Returns at once."""
        self._nameless.update({call.linkedid: call for call in calls if call.match == "pending"})
        if self._nameless and not self._closed and CATCHING_UP not in self._tasks:
            task = asyncio.create_task(self._look_at_each(), name="lookup of those before")
            self._tasks[CATCHING_UP] = task
            task.add_done_callback(lambda _: self._tasks.pop(CATCHING_UP, None))

    async def _look_at_each(self) -> None:
        while self._nameless:
            leg, call = next(iter(self._nameless.items()))
            if leg not in self._tasks and not await self._guard(leg, self._look(call)):
                return  # the record is away again: who is left is asked about when it is back
            self._nameless.pop(leg, None)

    async def choose(self, call: Call, customer: int, agent: int) -> bool:
        """An agent says who the caller is; it is remembered for the number. False if there is no such customer."""
        caller = self.of(call)
        identified = caller.identified if caller is not None else await self._ask(call)
        chosen = await self._lookup.choose(identified, customer, agent, datetime.now(UTC))
        if chosen is None:
            return False
        await self._report(call.linkedid, call.linkedid, chosen, call.interaction, str(agent))
        return True

    def answered(self, leg: str) -> Identified | None:
        """What was found out about the caller on `leg`, or chosen by an agent; None while nothing is known."""
        caller = self._callers.get(leg)
        return caller.identified if caller is not None else None

    # --- reading ---------------------------------------------------------------------------------------

    def of(self, call: Call) -> Caller | None:
        """The caller of this call; None when no lookup has answered yet."""
        for leg in (call.linkedid, *call.aliases, *call.legs):
            if (caller := self._callers.get(leg)) is not None:
                return caller
        return None

    def card(self, call: Call) -> Card | None:
        """The card of this call as it was last read; None while the lookup is under way."""
        caller = self.of(call)
        return {**caller.card, "call": call.id} if caller is not None else None

    async def fresh_card(self, call: Call) -> Card:
        """Read the card again, with every note, case or edit made since. Raises what the database raises."""
        before = self.of(call)
        identified = before.identified if before is not None else await self._ask(call)
        customer = call.customer["id"] if call.customer is not None else None
        if customer is not None and (identified.customer is None or identified.customer.id != customer):
            identified = await self._lookup.showing(identified, customer) or identified
        began = time.monotonic()
        card = await self._lookup.card(call.id, identified, call.interaction)
        # Not kept for a call that no lookup has answered yet: one that is being dialled may not have its number.
        # Nor where an agent has said meanwhile who it is: that has been read, too.
        if self.of(call) is before and (before is not None or call.match != "pending"):
            self._keep(call.linkedid, Caller(identified, card, began))
        return card

    def freshen(self, call: Call) -> None:
        """A phone rings for this call: read its card again, unless it was read just now. Returns at once; where
        the card is another by now, whoever shows the call is told."""
        kept = self.of(call)
        if kept is None or call.linkedid in self._tasks or self._closed:
            return
        if time.monotonic() - kept.read_at > FRESH_S:
            self._start(call.linkedid, self._freshened(call, kept))

    def recall(self, call: Call) -> None:
        """Read the card of a call that a restart brought back, so that a reload of the page shows it."""
        if call.linkedid not in self._tasks:
            self._start(call.linkedid, self.fresh_card(call))

    def forget(self, call: Call) -> None:
        for leg in (call.linkedid, *call.aliases, *call.legs):
            self._callers.pop(leg, None)

    async def close(self) -> None:
        self._closed = True
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # --- inside ----------------------------------------------------------------------------------------

    def _start(self, leg: str, work: object) -> None:
        task: asyncio.Task[Any] = asyncio.get_running_loop().create_task(
            self._guard(leg, work),
            name=f"lookup {leg}",
        )
        self._tasks[leg] = task
        task.add_done_callback(lambda done: self._tasks.pop(leg, None) if self._tasks.get(leg) is done else None)

    async def _guard(self, leg: str, work: object) -> bool:
        """Whether it was done."""
        try:
            async with asyncio.timeout(DEADLINE_S):
                await work  # type: ignore[misc]
            return True
        except Exception as cause:
            # Whatever failed, the call goes on; its caller stays `pending`.
            self.failures += 1
            log.warning("lookup.failed", pbx=self._pbx, leg=leg, cause=f"{type(cause).__name__}: {cause}")
            return False

    async def _look(self, call: Call) -> None:
        while call.match == "pending":
            asked = (call.direction, call.ani_raw, call.dnis)
            identified = await self._ask(call)
            # The number may come, or be corrected, while the record is read; or the agent dials it only now.
            if asked == (call.direction, call.ani_raw, call.dnis):
                await self._report(call.linkedid, call.linkedid, identified, call.interaction)
                return

    async def _freshened(self, call: Call, before: Caller) -> None:
        card = await self.fresh_card(call)
        now = self.of(call)
        if now is None or now is before or now.card is not card:
            return  # an agent said meanwhile who it is, or the call is over
        if {**card, "call": ""} != {**before.card, "call": ""}:
            self._sink(_signal(call.linkedid, call.linkedid, now.identified, call.chosen_by))

    async def _ask(self, call: Call) -> Identified:
        if call.direction is Direction.INBOUND:
            return await self._lookup.identify(self._pbx, call.ani_raw, call.ani_name, call.dnis)
        return await self._lookup.identify(self._pbx, call.dnis, None, None)

    async def _report(
        self,
        leg: str,
        linkedid: str | None,
        identified: Identified,
        interaction: int | None = None,
        chosen_by: str | None = None,
    ) -> None:
        began = time.monotonic()
        card = await self._lookup.card("", identified, interaction)
        self._keep(leg, Caller(identified, card, began))
        self._sink(_signal(leg, linkedid, identified, chosen_by))

    def _keep(self, leg: str, caller: Caller) -> None:
        self._callers.pop(leg, None)
        self._callers[leg] = caller
        if len(self._callers) > self._room:
            self._let_go()

    def _let_go(self) -> None:
        """Forget callers whose legs are not on the floor: the call ended before its lookup did, or goes on without
        that leg. Who comes to the floor after all is looked up again."""
        early = time.monotonic() - EARLY_S
        gone = [leg for leg, one in self._callers.items() if one.read_at < early and not self._on_floor(leg)]
        for leg in gone:
            del self._callers[leg]
        self._room = max(ROOM, 2 * len(self._callers))  # so that looking costs each caller the same, however many


def _signal(
    leg: str, linkedid: str | None, identified: Identified, chosen_by: str | None = None
) -> CallerIdentified:
    customer = identified.customer
    brief = {"id": customer.id, "name": customer.name, "tier": customer.tier} if customer else None
    return CallerIdentified(
        at=time.time(),
        leg=leg,
        linkedid=linkedid,
        match=identified.match.standing,
        customer=brief,
        verdict=dict(verdict_view(identified.verdict)) if customer is not None else None,
        ani=identified.number.e164,
        line=identified.line.id if identified.line is not None else None,
        language=identified.language,
        chosen_by=chosen_by,
    )
