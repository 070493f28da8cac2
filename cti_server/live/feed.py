"""Feeds a websocket: the desktop's first snapshot, the topics that it opens, and the events that it missed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from cti_server.api.principal import viewer_of
from cti_server.attachment import Attachment
from cti_server.desk import STREAM as DESK
from cti_server.desk import Desk
from cti_server.floor import topics, views
from cti_server.floor.books import Books
from cti_server.lookup.card import promise_view
from cti_server.push import frames
from cti_server.push.frames import Frame, Positions, Refusal
from cti_server.push.hub import Hub, Subscriber
from cti_server.push.session import Missed
from cti_server.record import journal
from cti_server.record.center import sessions
from cti_server.record.crm import customers
from cti_server.record.database import Database
from cti_server.record.desk import promises
from cti_server.rules import rights
from cti_server.rules.rights import EVERYBODY, Oversight, Viewer, may_see

from .floors import Floors, thing_of

MAX_MISSED = 5_000  # events of a stream; beyond it a snapshot is cheaper to read and to send
MAX_PROMISES = 50  # open promises that a customer's topic shows

Me = Callable[[int, Sequence[int]], Awaitable[Mapping[str, Any] | None]]
"""Makes the `Me` of an agent who is still in these interactions; None for an agent who is gone."""


class Feed:
    """Serves all websockets of this process; a `push.session.Source`."""

    def __init__(
        self,
        attachments: Sequence[Attachment],
        hub: Hub,
        database: Database,
        desk: Desk,
        me: Me,
        oversight: Callable[[int], Oversight] = lambda agent: EVERYBODY,
    ) -> None:
        self._attachments = attachments
        self._floors = Floors(attachments)
        self._by_pbx = {a.pbx.name: a for a in attachments}
        self._by_stream = {a.pipeline.stream: a for a in attachments}
        self._hub = hub
        self._database = database
        self._desk = desk
        self._me = me
        self._oversight = oversight

    # --- a desktop begins ------------------------------------------------------------------------------

    async def known(self) -> None:
        """Return once the floors know what they knew before a start; see `Attachment.known`."""
        await asyncio.gather(*(attachment.known() for attachment in self._attachments))

    def serves(self, viewer: Viewer) -> Mapping[str, frozenset[str]]:
        """The queues that the viewer serves now, by PBX."""
        return {a.pbx.name: views.serves(a.pipeline.books, viewer.agent) for a in self._attachments}

    async def snapshot(self, viewer: Viewer) -> tuple[dict[str, Any], Positions]:
        """What concerns this agent, and the position of each stream that the snapshot belongs to."""
        positions = dict(self._hub.positions)
        whole: dict[str, Any] = {"links": {}, "calls": [], "parts": [], "cards": {}, "queues": []}
        for attachment in self._attachments:
            pipeline = attachment.pipeline
            async with pipeline.settled() as (books, position):
                positions[pipeline.stream] = position
                link = views.link_view(books)
                whole["links"][link.pop("pbx")] = link
                desk = views.desk_of(books, viewer.agent)
                for name in ("calls", "parts", "queues"):
                    whole[name] += desk[name]
                for view in desk["calls"]:
                    whole["cards"][view["call"]] = pipeline.callers.card(books.calls[view["call"]])
        # Read last, so that it is no older than the positions: getting an event twice does no harm.
        live = [view["interaction"] for view in whole["calls"] if view["interaction"] is not None]
        whole["me"] = await self._me(viewer.agent, live)
        return whole, positions

    async def may_go_on(self, viewer: Viewer) -> bool:
        """Whether the viewer is still signed in with the same rights. Who is not connects again, with those of
        now."""
        async with self._database.read() as conn:
            agent = await sessions.signed_in(conn, viewer.agent, datetime.now(UTC))
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
                return list(self._by_stream)
            case "queue" | "call":
                return [self._by_pbx[rest.partition("/" if kind == "queue" else ":")[0]].pipeline.stream]
            case _:
                return [DESK]

    async def open(self, subscriber: Subscriber, topic: str) -> None:
        """Open the topic, and put its snapshots into the subscriber's line, each in its place among the events."""
        for stream in self.streams(topic):
            attachment = self._by_stream.get(stream)
            if attachment is None:
                async with self._desk.settled() as conn:
                    snapshot = await self._of_customer(conn, int(topic.partition(":")[2]))
                    self._put(subscriber, topic, stream, self._hub.positions.get(stream, 0), snapshot)
                continue
            async with attachment.pipeline.settled() as (books, position):
                # Ask again: the viewer may have lost the right while this waited for the lock.
                if (why := self.refuses(subscriber.viewer, topic)) is not None:
                    subscriber.put(frames.refused(topic, why))
                    return
                self._put(subscriber, topic, stream, position, of_floor(books, topic, subscriber.viewer))

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
                exists = pbx in self._by_pbx and name in self._by_pbx[pbx].pipeline.books.queues
                return rights.Queue(pbx, name) if exists else None
            case "call":
                found = self._floors.find(rest)
                return thing_of(found[1]) if found is not None else None
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
        if self._hub.positions.get(stream, 0) - seq > MAX_MISSED:
            raise Missed(f"more than {MAX_MISSED} events of {stream} were missed")
        attachment = self._by_stream.get(stream)
        viewer = subscriber.viewer
        try:
            async for entry in self._entries(stream, seq):
                body = attachment.pipeline.cards.with_card(entry.kind, entry.body) if attachment else entry.body
                frame = frames.of_entry(entry, body)
                if frame.concerns(viewer, self._hub.opened(subscriber, stream)):
                    yield frame
        except journal.PositionGone as gone:
            raise Missed(str(gone)) from gone

    async def _entries(self, stream: str, seq: int) -> AsyncIterator[journal.Entry]:
        """The journal's entries after `seq`, in order. Raises journal.PositionGone when some are pruned."""
        async with self._database.read() as conn:
            while entries := await journal.read_after(conn, stream, seq):
                for entry in entries:
                    yield entry
                seq = entries[-1].seq


def of_floor(books: Books, topic: str, viewer: Viewer) -> dict[str, Any]:
    """The snapshot of a topic of a floor, for this viewer. The right to open it was asked for before."""
    kind, rest = topics.parse(topic) or ("", "")
    match kind:
        case "floor":
            whole = views.floor_topic(books)
            if viewer.oversees.agents is None:
                return whole
            return whole | {
                "calls": [
                    view for view in whole["calls"] if may_see(viewer, views.about(books.calls[view["call"]]))
                ],
                "queues": [
                    view for view in whole["queues"] if may_see(viewer, rights.Queue(books.pbx, view["queue"]))
                ],
            }
        case "team":
            return views.team_topic(books)
        case "queue":
            return views.queue_topic(books, rest.partition("/")[2])
        case _:
            return views.call_topic(books, rest)
