"""What a websocket is fed with: a desktop's first snapshot, the topics that it opens, and what it missed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from cti_server.attachment import Attachment
from cti_server.desk import STREAM as DESK
from cti_server.desk import Desk
from cti_server.floor import topics, views
from cti_server.floor.apply import Floor as Books
from cti_server.lookup.card import promise_view
from cti_server.pipeline import missed
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
from cti_server.rules.rights import Viewer

from .floors import Floors, books_of, thing_of

MAX_MISSED = 5_000  # events of a stream; past it a snapshot is less to read, and to send, than what was missed
MAX_PROMISES = 50  # open ones that a customer's topic shows

Me = Callable[[int, Sequence[int]], Awaitable[Mapping[str, Any] | None]]
"""Makes the `Me` of an agent, who is still in these interactions."""


class Feed:
    """One for all websockets of this process."""

    def __init__(
        self, attachments: Sequence[Attachment], hub: Hub, database: Database, desk: Desk, me: Me
    ) -> None:
        self._attachments = attachments
        self._floors = Floors(attachments)
        self._by_pbx = {a.pbx.name: a for a in attachments}
        self._by_stream = {a.pipeline.stream: a for a in attachments}
        self._hub = hub
        self._database = database
        self._desk = desk
        self._me = me

    # --- a desktop begins ------------------------------------------------------------------------------

    def serves(self, viewer: Viewer) -> Mapping[str, frozenset[str]]:
        """Of each PBX the queues that the viewer serves now."""
        return {a.pbx.name: views.serves(books_of(a), viewer.agent) for a in self._attachments}

    async def snapshot(self, viewer: Viewer) -> tuple[dict[str, Any], Positions]:
        """What concerns this agent, with the positions that belong to it."""
        positions = dict(self._hub.positions)
        whole: dict[str, Any] = {"links": {}, "calls": [], "parts": [], "cards": {}, "queues": []}
        for attachment in self._attachments:
            pipeline = attachment.pipeline
            async with self._settled(attachment) as (books, position):
                positions[pipeline.stream] = position
                link = views.link_view(books)
                whole["links"][link.pop("pbx")] = link
                desk = views.desk_of(books, viewer.agent)
                for name in ("calls", "parts", "queues"):
                    whole[name] += desk[name]
                for view in desk["calls"]:
                    whole["cards"][view["call"]] = pipeline.callers.card(books.calls[view["call"]])
        # Last, so that it is no older than the positions: an event that is told again does no harm.
        live = [view["interaction"] for view in whole["calls"] if view["interaction"] is not None]
        whole["me"] = await self._me(viewer.agent, live)
        return whole, positions

    async def may_go_on(self, viewer: Viewer) -> bool:
        """Whether they are still signed in, and may still see as much."""
        async with self._database.read() as conn:
            agent = await sessions.signed_in(conn, viewer.agent, datetime.now(UTC))
        return agent is not None and agent.role == viewer.role

    # --- topics ----------------------------------------------------------------------------------------

    def refuses(self, viewer: Viewer, topic: str) -> Refusal | None:
        """Why this viewer cannot open the topic; None where they can."""
        thing = self._thing(topic)
        if thing is None:
            return "unknown"
        viewer = replace(viewer, serves=self._floors.serves(viewer.agent))
        return None if rights.may_see(viewer, thing) else "not_yours"

    def streams(self, topic: str) -> Sequence[str]:
        """The streams that a topic draws on."""
        kind, rest = topics.parse(topic) or ("", "")
        match kind:
            case "floor" | "team":
                return list(self._by_stream)
            case "queue" | "call":
                return [self._by_pbx[rest.partition("/" if kind == "queue" else ":")[0]].pipeline.stream]
            case _:
                return [DESK]

    async def open(self, subscriber: Subscriber, topic: str) -> None:
        """Put the topic's snapshot into the subscriber's line, of each stream in its place among the events."""
        for stream in self.streams(topic):
            attachment = self._by_stream.get(stream)
            if attachment is None:
                async with self._desk.settled() as conn:
                    snapshot = await self._of_customer(conn, int(topic.partition(":")[2]))
                    self._put(subscriber, topic, stream, self._hub.positions.get(stream, 0), snapshot)
                continue
            async with self._settled(attachment) as (books, position):
                # Asked again: while this waited the right may have been lost.
                if (why := self.refuses(subscriber.viewer, topic)) is not None:
                    subscriber.put(frames.refused(topic, why))
                    return
                self._put(subscriber, topic, stream, position, _of_floor(books, topic))

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
                there = pbx in self._by_pbx and name in books_of(self._by_pbx[pbx]).queues
                return rights.Queue(pbx, name) if there else None
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
        """What this desktop missed of one stream, in the topics that it has open too.

        Raises Missed when the journal cannot give it whole.
        """
        if self._hub.positions.get(stream, 0) - seq > MAX_MISSED:
            raise Missed(f"more than {MAX_MISSED} events of {stream} were missed")
        attachment = self._by_stream.get(stream)
        viewer = subscriber.viewer
        try:
            async for entry in missed(self._database, stream, seq):
                body = attachment.pipeline.with_card(entry.kind, entry.body) if attachment else entry.body
                frame = frames.of_entry(entry, body)
                if frame.concerns(viewer.agent, viewer.supervises, self._hub.opened(subscriber, stream)):
                    yield frame
        except journal.PositionGone as gone:
            raise Missed(str(gone)) from gone

    @asynccontextmanager
    async def _settled(self, attachment: Attachment) -> AsyncIterator[tuple[Books, int]]:
        """The floor while it is what the journal tells, and the position of its last event."""
        pipeline = attachment.pipeline
        async with pipeline._whole:
            yield books_of(attachment), self._hub.positions.get(pipeline.stream, 0)


def _of_floor(books: Books, topic: str) -> dict[str, Any]:
    kind, rest = topics.parse(topic) or ("", "")
    match kind:
        case "floor":
            return views.floor_topic(books)
        case "team":
            return views.team_topic(books)
        case "queue":
            return views.queue_topic(books, rest.partition("/")[2]) or {}
        case _:
            return views.call_topic(books, rest)
