"""What a websocket is fed with, of a real floor and record: snapshots, topics in order, what was missed."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cti_server.desk import Desk, of_customer
from cti_server.floor.signals import LinkChanged, LinkState, MemberChanged, MemberStatus
from cti_server.live.feed import Feed
from cti_server.push.frames import Frame, of_entry
from cti_server.push.hub import Subscriber
from cti_server.push.session import Missed
from cti_server.push.stream import Stream
from cti_server.record import journal
from cti_server.record.crm import customers
from cti_server.record.database import Database
from cti_server.record.engines import Connection
from cti_server.record.journal import Entry
from cti_server.record.trouble import Trouble
from cti_server.record.upkeep.partitions import after, month_of
from cti_server.record.upkeep.run import Kept, run
from cti_server.rules.rights import Viewer
from tests.control.site import NOW, Site, site
from tests.floor.test_transcripts import SEATS

AGENT, SUPERVISOR = Viewer(2), Viewer(1, "supervisor")
QUEUE = "queue:demo/support"


class Fed:
    """One PBX, and the feed of its desktops."""

    def __init__(self, there: Site, database: Database) -> None:
        self.site, self.hub = there, there.hub
        self.hub.positions.setdefault("desk", 0)
        stream = Stream("desk", self.hub, database)
        self.desk = Desk(database, stream.offer, lambda: NOW)
        self.streams = [stream, there.attachment.stream]
        self.feed = Feed(self.streams, self.hub, database, self._me)

    def _publish(self, rows: Sequence[Entry]) -> None:
        self.hub.publish(of_entry(row, row.body) for row in rows)

    async def _me(self, agent: int, live: Sequence[int]) -> dict[str, Any]:
        return {"id": agent, "live": list(live)}

    def desktop(self, viewer: Viewer) -> Subscriber:
        return self.hub.subscribe(viewer, self.feed.serves(viewer))[0]

    async def reached(self, stream: str, seq: int) -> None:
        """Wait until the stream was handed out so far."""
        async with asyncio.timeout(5):
            while self.hub.positions[stream] < seq:
                await asyncio.sleep(0.005)

    async def started_anew(self) -> None:
        """Begin the streams like a server that has just started: it knows nothing but the journal."""
        for stream in self.streams:
            await stream.begin()

    async def join(self, queue: str, seat: str) -> None:
        idle = MemberStatus.IDLE
        self.site.put(MemberChanged(time.time(), queue, seat, seat, "agent", idle, paused=False, reason=None))
        await self.site.attachment.pipeline.when(lambda floor: queue in floor.queues or None, 5)


async def said(desktop: Subscriber) -> list[dict[str, Any]]:
    return [json.loads(frame.text) for frame in await desktop.take(0)]


@pytest.fixture
async def fed(database: Database) -> AsyncIterator[Fed]:
    async with site(database) as there:
        there.put(LinkChanged(time.time(), LinkState.LIVE))
        await there.attachment.pipeline.when(lambda f: True if f.link is LinkState.LIVE and f.agents else None, 5)
        made = Fed(there, database)
        await made.join("support", SEATS[2])
        follow = [asyncio.create_task(stream.run()) for stream in made.streams]
        yield made
        for task in follow:
            task.cancel()
        await asyncio.gather(*follow, return_exceptions=True)


async def test_the_first_snapshot_is_what_concerns_me(fed: Fed) -> None:
    snapshot, positions = await fed.feed.snapshot(AGENT)
    assert snapshot.keys() == {"me", "links", "calls", "parts", "cards", "queues"}
    assert [queue["queue"] for queue in snapshot["queues"]] == ["support"]
    assert snapshot["links"]["demo"]["state"] == "live"
    assert snapshot["me"] == {"id": 2, "live": []}
    assert positions == fed.hub.positions
    other, _ = await fed.feed.snapshot(Viewer(3))
    assert other["queues"] == []


async def test_who_may_open_what(fed: Fed) -> None:
    def refused(viewer: Viewer, *names: str) -> list[str | None]:
        return [fed.feed.refuses(viewer, name) for name in names]

    names = ("floor", "team", QUEUE, "customer:1")
    assert refused(AGENT, *names) == ["not_yours", None, None, None]
    assert refused(Viewer(3), *names) == ["not_yours", None, "not_yours", None]
    assert refused(SUPERVISOR, *names) == [None] * 4
    nonsense = ("", "x", "queue:demo/none", "queue:other/support", "queue:support", "call:demo:1:none", "call:x")
    nonsense += ("serving:demo/support", "customer:x", "customer:" + "9" * 30, "customer:٣")
    assert refused(SUPERVISOR, *nonsense) == ["unknown"] * len(nonsense)


async def test_a_topic_has_its_snapshot_and_then_its_events(fed: Fed) -> None:
    desktop = fed.desktop(SUPERVISOR)
    for topic in ("floor", "team", QUEUE):
        await fed.feed.open(desktop, topic)
    watching = await said(desktop)
    assert [(frame["topic"], frame["stream"]) for frame in watching] == [
        ("floor", "pbx:demo"),
        ("team", "pbx:demo"),
        (QUEUE, "pbx:demo"),
    ]
    assert {frame["seq"] for frame in watching} == {fed.hub.positions["pbx:demo"]}
    floor, team, queue = (frame["snapshot"] for frame in watching)
    assert [one["queue"] for one in floor["queues"]] == ["support"]
    assert {one["agent"] for one in team["team"]} >= {1, 2}
    assert [member["seat"] for member in queue["members"]] == [SEATS[2]]


async def test_a_customers_topic_tells_of_their_record(fed: Fed, database: Database) -> None:
    async with database.begin() as conn:
        number = (await customers.create(conn, kind="person", name="Li", at=NOW)).id
    topic, desktop = f"customer:{number}", fed.desktop(AGENT)

    async def change() -> None:
        async with fed.desk.change() as change:
            version = await customers.touch(change.conn, number, NOW)
            change.tell("customer.changed", {"customer": number, "version": version}, of_customer(number))

    await asyncio.gather(change(), fed.feed.open(desktop, topic), change())
    await change()
    await fed.reached("desk", 3)
    frames = await said(desktop)
    at = next(n for n, frame in enumerate(frames) if frame["type"] == "watching")
    assert at == 0, "an event of the topic came before it was open"
    opened, events = frames[0], frames[1:]
    assert [frame["seq"] for frame in events] == list(range(opened["seq"] + 1, 4))
    assert [frame["body"]["version"] for frame in events] == [
        opened["snapshot"]["version"] + n + 1 for n in range(len(events))
    ]
    gone = fed.desktop(AGENT)
    await fed.feed.open(gone, "customer:999")
    assert (await said(gone))[0]["snapshot"] == {"customer": 999, "version": None, "promises": []}


async def test_what_was_missed_is_what_the_desktop_had_opened(fed: Fed) -> None:
    desktop = fed.desktop(AGENT)

    async def tell(customer: int) -> None:
        async with fed.desk.change() as change:
            change.tell("customer.changed", {"customer": customer, "version": 1}, of_customer(customer))

    for customer in (1, 2, 1):
        await tell(customer)
    fed.hub.open(desktop, "desk", "customer:1")
    assert [frame.seq async for frame in fed.feed.missed(desktop, "desk", 0)] == [1, 3]
    with pytest.raises(Missed):
        [frame async for frame in fed.feed.missed(desktop, "desk", 99)]


async def test_a_position_older_than_what_is_kept_is_missed(fed: Fed, database: Database) -> None:
    """The desktop gets `reset` and starts over with a snapshot; one that was away for less gets its events."""
    desktop = fed.desktop(SUPERVISOR)
    await fed.feed.open(desktop, "customer:1")
    for n in range(3):
        async with fed.desk.change() as change:
            change.tell("customer.changed", {"customer": 1, "version": n}, of_customer(1))
    assert [frame.seq async for frame in fed.feed.missed(desktop, "desk", 0)] == [1, 2, 3]
    kept = Kept(timedelta(days=3), timedelta(days=90))
    later = after(month_of(datetime.now(UTC))) + kept.journal  # PostgreSQL cuts whole months
    done = await run(database, kept, lambda: later)
    assert done is not None
    assert done.failures == {}
    assert [frame.seq async for frame in fed.feed.missed(desktop, "desk", 0)] == [1, 2, 3], (
        "it is known here still"
    )
    await fed.started_anew()
    for position in (0, 2):
        with pytest.raises(Missed):
            [frame async for frame in fed.feed.missed(desktop, "desk", position)]
    assert [frame async for frame in fed.feed.missed(desktop, "desk", 3)] == []


async def test_those_who_come_together_are_told_from_one_reading(
    fed: Fed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When a server is killed, all its desktops come to another: hundreds of readings would keep calls from being
    written. One that has just started reads once; one that was there all the time reads nothing."""
    for n in range(3):
        async with fed.desk.change() as change:
            change.tell("customer.changed", {"customer": 1, "version": n}, of_customer(1))
    await fed.reached("desk", 3)
    readings: list[int] = []
    read_after = journal.read_after

    async def counted(conn: Connection, stream: str, seq: int, limit: int = 1000) -> list[Entry]:
        readings.append(seq)
        return await read_after(conn, stream, seq, limit)

    monkeypatch.setattr(journal, "read_after", counted)
    desktops = [fed.desktop(SUPERVISOR) for _ in range(50)]
    for desktop in desktops:
        fed.hub.open(desktop, "desk", "customer:1")

    async def missed(desktop: Subscriber, seq: int) -> list[int]:
        return [frame.seq async for frame in fed.feed.missed(desktop, "desk", seq)]

    for began_anew, expected in ((False, []), (True, [0])):
        if began_anew:
            await fed.started_anew()
            readings.clear()
        told = await asyncio.gather(*(missed(desktop, n % 3) for n, desktop in enumerate(desktops)))
        assert told == [[*range(n % 3 + 1, 4)] for n in range(len(desktops))]
        assert readings == expected
    async with fed.desk.change() as change:
        change.tell("customer.changed", {"customer": 1, "version": 4}, of_customer(1))
    await fed.reached("desk", 4)
    assert await missed(desktops[0], 2) == [3, 4]


async def test_what_is_told_ahead_is_not_among_what_was_missed(fed: Fed) -> None:
    """It is in the desktop's line, with its mark: among what was missed it would seem written."""
    stream, body = fed.streams[0], {"customer": 1, "version": 1}
    async with fed.desk.change() as change:
        change.tell("customer.changed", body, of_customer(1))
    await fed.reached("desk", 1)
    assert stream.offer_ahead([Entry("desk", 2, NOW, "customer.changed", body, of_customer(1))])
    assert [row.entry.seq for row in await stream.missed(0, to=1)] == [1]


async def test_who_resumes_waits_a_moment_for_what_is_told_and_not_written_yet(fed: Fed) -> None:
    """A server that has just taken a PBX is ahead of its record when all its desktops come back."""
    stream = "pbx:demo"
    position = fed.hub.positions[stream]
    fed.hub.ahead.add(stream)
    resuming = asyncio.create_task(_missed(fed, stream, position))
    await asyncio.sleep(0.2)
    assert not resuming.done()
    await fed.join("sales", SEATS[2])
    fed.hub.ahead.discard(stream)
    assert isinstance(await resuming, list)


async def test_what_is_told_after_a_desktop_came_is_not_waited_for(
    fed: Fed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under load one batch after the other is told ahead: a desktop waits for those from before it came."""
    stream = "pbx:demo"
    position = fed.hub.positions[stream]
    fed.hub.ahead.add(stream)
    resuming = asyncio.create_task(_missed(fed, stream, position))
    await asyncio.sleep(0.1)
    monkeypatch.setattr(fed.streams[1], "_confirmed", position)
    fed.hub.positions[stream] = position + 5
    async with asyncio.timeout(1):
        await resuming
    fed.hub.positions[stream] = position


async def _missed(fed: Fed, stream: str, position: int) -> list[Frame]:
    return [frame async for frame in fed.feed.missed(fed.desktop(SUPERVISOR), stream, position)]


async def test_who_resumes_does_not_wait_for_a_record_that_is_away(fed: Fed) -> None:
    fed.hub.ahead.add("pbx:demo")
    fed.feed._database.trouble.now = Trouble("it is away", "systemctl start postgresql")
    with pytest.raises(Missed, match="not in the record yet"):
        async with asyncio.timeout(1):
            [frame async for frame in fed.feed.missed(fed.desktop(AGENT), "pbx:demo", 0)]
