"""Feeds a websocket: the desktop's first snapshot, the topics that it opens, and the events that it missed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from cti_server.api.principal import viewer_of
from cti_server.desk import STREAM as DESK
from cti_server.floor import topics
from cti_server.floor.replica import Replica
from cti_server.lookup.card import promise_view
from cti_server.push import frames
from cti_server.push.frames import Frame, Positions, Refusal
from cti_server.push.hub import Hub, Subscriber
from cti_server.push.session import Missed
from cti_server.push.stream import Stream
from cti_server.record import journal
from cti_server.record.center import sessions
from cti_server.record.crm import customers
from cti_server.record.database import Database
from cti_server.record.desk import promises
from cti_server.rules import rights
from cti_server.rules.rights import EVERYBODY, Oversight, Viewer, may_see

from .floors import Floors, thing_of

MAX_MISSED = 5_000  # events of a stream; beyond it a snapshot is cheaper to read and to send
WRITTEN_WITHIN_S = 3.0  # how long a desktop that resumes waits for what is told and not written yet
LOOK_EVERY_S = 0.05
MAX_PROMISES = 50  # open promises that a customer's topic shows

Me = Callable[[int, Sequence[int]], Awaitable[Mapping[str, Any] | None]]
"""Makes the `Me` of an agent who is still in these interactions; None for an agent who is gone."""


class Feed:
    """Serves all websockets of this process; a `push.session.Source`."""

    def __init__(
        self,
        streams: Sequence[Stream],
        hub: Hub,
        database: Database,
        me: Me,
        oversight: Callable[[int], Oversight] = lambda agent: EVERYBODY,
        known: Callable[[], Awaitable[object]] | None = None,
    ) -> None:
        """`streams` are the desk's and that of each PBX. `known` returns once the floors know what they knew
        before a start."""
        self._streams = {stream.name: stream for stream in streams}
        self._replicas = {s.name: s.replica for s in streams if s.replica is not None}
        self._floors = Floors({replica.pbx: replica for replica in self._replicas.values()})
        self._hub = hub
        self._database = database
        self._me = me
        self._oversight = oversight
        self._known = known

    # --- a desktop begins ------------------------------------------------------------------------------

    async def known(self) -> None:
        """Return once the floors know what they knew before a start; see `Attachment.known`."""
        if self._known is not None:
            await self._known()

    def serves(self, viewer: Viewer) -> Mapping[str, frozenset[str]]:
        """The queues that the viewer serves now, by PBX."""
        return {replica.pbx: replica.serves(viewer.agent) for replica in self._replicas.values()}

    async def snapshot(self, viewer: Viewer) -> tuple[dict[str, Any], Positions]:
        """What concerns this agent, and the position of each stream that the snapshot belongs to."""
        positions = dict(self._hub.positions)
        whole: dict[str, Any] = {"links": {}, "calls": [], "parts": [], "cards": {}, "queues": []}
        for name, replica in self._replicas.items():
            stream = self._streams[name]
            async with stream.held() as held:
                desk = replica.desk_of(viewer.agent)
                calls = [view["call"] for view in desk["calls"]]
                if stream.cards is not None:
                    await stream.cards.read([(call, None) for call in calls if stream.cards.lacks(call)])
                    whole["cards"] |= {call: stream.cards.of(call) for call in calls}
                positions[name] = held.position
                whole["links"][replica.pbx] = {k: v for k, v in replica.link.items() if k != "pbx"}
                for part in ("calls", "parts", "queues"):
                    whole[part] += desk[part]
        # Read last, so that it is no older than the positions: getting an event twice does no harm.
        live = [view["interaction"] for view in whole["calls"] if view["interaction"] is not None]
        whole["me"] = await self._me(viewer.agent, live)
        return whole, positions

    async def may_go_on(self, viewer: Viewer) -> bool:
        """Whether the viewer is still signed in with the same rights. Who is not connects again, with those of
        now. While the record is away, they are."""
        try:
            async with self._database.read() as conn:
                agent = await sessions.signed_in(conn, viewer.agent, datetime.now(UTC))
        except Exception as cause:
            if not self._database.trouble.note(cause):
                raise
            return True
        return agent is not None and viewer_of(agent, self._oversight) == replace(viewer, serves=frozenset())

    # --- topics ----------------------------------------------------------------------------------------

    def refuses(self, viewer: Viewer, topic: str) -> Refusal | None:
        """Why this viewer cannot open the topic; None where they can."""
        thing = self._thing(topic)
        if thing is None:
            return "unknown"
        viewer = replace(viewer, serves=self._floors.serves(viewer.agent))
        return None if rights.may_see(viewer, thing) else "not_yours"

    def streams(self, topic: str) -> Sequence[str]:
        """The streams whose events a topic shows; only for a topic that `refuses` does not refuse."""
        kind, rest = topics.parse(topic) or ("", "")
        match kind:
            case "floor" | "team":
                return list(self._replicas)
            case "queue" | "call":
                pbx = rest.partition("/" if kind == "queue" else ":")[0]
                return [name for name, replica in self._replicas.items() if replica.pbx == pbx]
            case _:
                return [DESK]

    async def open(self, subscriber: Subscriber, topic: str) -> None:
        """Open the topic, and put its snapshots into the subscriber's line, each in its place among the events."""
        for name in self.streams(topic):
            async with self._streams[name].held() as held:
                # Ask again: the viewer may have lost the right while this waited.
                if (why := self.refuses(subscriber.viewer, topic)) is not None:
                    subscriber.put(frames.refused(topic, why))
                    return
                if (replica := self._replicas.get(name)) is not None:
                    self._put(subscriber, topic, name, held.position, of_floor(replica, topic, subscriber.viewer))
                    continue
                async with self._database.moment() as conn:
                    snapshot = await self._of_customer(conn, int(topic.partition(":")[2]))
                    position = (await journal.positions(conn)).get(name, 0)
                await held.reach(position)
                self._put(subscriber, topic, name, position, snapshot)

    def _put(self, subscriber: Subscriber, topic: str, stream: str, seq: int, snapshot: dict[str, Any]) -> None:
        self._hub.open(subscriber, stream, topic)
        subscriber.put(frames.watching(topic, stream, seq, snapshot))

    def _thing(self, topic: str) -> rights.Thing | None:
        kind, rest = topics.parse(topic) or ("", "")
        match kind:
            case "floor":
                return rights.Floor()
            case "team":
                return rights.Shared()
            case "customer":
                return rights.Shared() if rest.isascii() and rest.isdigit() and len(rest) <= 18 else None
            case "queue":
                pbx, _, name = rest.partition("/")
                at = self._floors.of(pbx)
                return rights.Queue(pbx, name) if at is not None and name in at.queues else None
            case "call":
                found = self._floors.with_call(rest)
                return thing_of(found, rest) if found is not None else None
            case _:
                return None

    async def _of_customer(self, conn: Any, customer: int) -> dict[str, Any]:
        found = await customers.get(conn, customer)
        page = await promises.find(conn, customer_ids=[customer], state="open", limit=MAX_PROMISES)
        return {
            "customer": customer,
            "version": found.version if found is not None else None,
            "promises": [promise_view(promise) for promise in page.items],
        }

    # --- what was missed -------------------------------------------------------------------------------

    async def missed(self, subscriber: Subscriber, stream: str, seq: int) -> AsyncIterator[Frame]:
        """The events of one stream after `seq` for this desktop, those of its open topics too.

        Raises Missed when the journal does not have them all any more.
        """
        told = self._hub.positions.get(stream, 0)  # what is told from now on is in the desktop's line
        if told - seq > MAX_MISSED:
            raise Missed(f"more than {MAX_MISSED} events of {stream} were missed")
        if stream in self._hub.ahead and not await self._written(stream, told):
            raise Missed(f"what happened last in {stream} is not in the record yet")
        cards = self._streams[stream].cards
        try:
            rows = await self._streams[stream].missed(seq, told)
            opened = self._hub.opened(subscriber, stream)
            for row in [row for row in rows if row.frame.concerns(subscriber.viewer, opened)]:
                if cards is None or not cards.adds_to(row.entry.kind):
                    yield row.frame
                    continue
                await cards.read(cards.lacking([row.entry]))
                yield frames.of_entry(row.entry, cards.with_card(row.entry.kind, row.entry.body))
        except journal.PositionGone as gone:
            raise Missed(str(gone)) from gone
        except Exception as cause:
            if not self._database.trouble.note(cause):
                raise
            raise Missed("the record cannot be read") from cause

    async def _written(self, stream: str, told: int) -> bool:
        """Whether what was told up to this number is written within a moment. A server that has just taken a PBX,
        or to which all desktops come at once, is ahead for seconds: without patience they would all begin anew."""
        loop = asyncio.get_running_loop()
        until = loop.time() + WRITTEN_WITHIN_S
        while stream in self._hub.ahead and self._streams[stream].confirmed < told:
            if self._database.trouble.now is not None or loop.time() > until:
                return False
            await asyncio.sleep(LOOK_EVERY_S)
        return True


def of_floor(replica: Replica, topic: str, viewer: Viewer) -> dict[str, Any]:
    """The snapshot of a topic of a floor, for this viewer. The right to open it was asked for before."""
    kind, rest = topics.parse(topic) or ("", "")
    match kind:
        case "floor":
            whole = replica.floor_topic()
            if viewer.oversees.agents is None:
                return whole
            return {
                "calls": [view for view in whole["calls"] if may_see(viewer, replica.about(view["call"]))],
                "queues": [
                    view for view in whole["queues"] if may_see(viewer, rights.Queue(replica.pbx, view["queue"]))
                ],
            }
        case "team":
            return replica.team_topic()
        case "queue":
            return replica.queue_topic(rest.partition("/")[2])
        case _:
            return replica.call_topic(rest)
