"""A stream at several processes on one record: each hands out the journal, in its order and without a gap."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from cti_server.floor import views
from cti_server.floor.apply import Floor
from cti_server.floor.events import FLOOR_BEGAN, LINK_CHANGED
from cti_server.floor.replica import Replica
from cti_server.floor.signals import LinkChanged, LinkState
from cti_server.push.hub import Hub, Subscriber
from cti_server.push.stream import Stream
from cti_server.record import journal, whole_floors
from cti_server.record.database import Database
from cti_server.record.journal import Entry, NewEntry
from cti_server.rules.rights import Viewer
from tests.record.builders import NOON
from tests.transcripts.play import Transcript

NAME = "pbx:demo"


class Process:
    """One process's stream, and a desktop that sees everything of it."""

    def __init__(self, database: Database) -> None:
        self.hub = Hub(limit=100_000)
        self.replica = Replica("demo")
        self.stream = Stream(NAME, self.hub, database, self.replica)
        self.desktop: Subscriber = self.hub.subscribe(Viewer(1, "supervisor"))[0]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Process]:
        await self.stream.begin()
        task = asyncio.create_task(self.stream.run())
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def reaches(self, seq: int) -> None:
        async with asyncio.timeout(5):
            while self.stream.position < seq:
                await asyncio.sleep(0.002)

    async def told(self) -> list[int]:
        return [json.loads(frame.text)["seq"] for frame in await self.desktop.take(0)]


def link(detail: str) -> NewEntry:
    body = {"pbx": "demo", "state": "live", "since": None, "detail": detail}
    everyone = {"agents": [], "topics": [], "everyone": True, "supervisors": False}
    return NewEntry(NOON, LINK_CHANGED, body, everyone)


async def append(database: Database, *new: NewEntry) -> list[Entry]:
    async with database.begin() as conn:
        seqs = await journal.append(conn, NAME, new)
    return [journal.entry(NAME, seq, row) for seq, row in zip(seqs, new, strict=True)]


async def test_what_is_committed_here_is_handed_out_at_once_and_elsewhere_by_a_hint(database: Database) -> None:
    here, there = Process(database), Process(database)
    async with here.running(), there.running():
        rows = await append(database, link("a"), link("b"))
        here.stream.offer(rows)
        assert await here.told() == [1, 2]
        assert there.stream.position == 0
        there.stream.hint(2)
        await there.reaches(2)
        assert await there.told() == [1, 2]
        assert here.replica.whole() == there.replica.whole()
        assert there.replica.link["detail"] == "b"


async def test_rows_that_come_before_their_turn_wait_for_it(database: Database) -> None:
    """Two commits of one process, or of two, whose answers came in another order."""
    process = Process(database)
    async with process.running():
        first, second = await append(database, link("a")), await append(database, link("b"))
        process.stream.offer(second)
        process.stream.offer(first)
        await process.reaches(2)
        assert await process.told() == [1, 2]
        assert process.replica.link["detail"] == "b"
        process.stream.offer(first)  # told of once more
        await append(database, link("c"))
        process.stream.hint(3)
        await process.reaches(3)
        assert await process.told() == [3]


async def test_a_stream_that_is_held_stands_still_and_loses_nothing(database: Database) -> None:
    process = Process(database)
    async with process.running():
        async with process.stream.held() as held:
            process.stream.offer(await append(database, link("a")))
            process.stream.offer(await append(database, link("b")))
            await append(database, link("c"))
            await asyncio.sleep(0)
            assert (held.position, process.replica.link["detail"]) == (0, None)
            await held.reach(1)
            assert (held.position, process.replica.link["detail"]) == (1, "a")
        await process.reaches(2)
        process.stream.hint(3)
        await process.reaches(3)
        assert await process.told() == [1, 2, 3]


async def test_who_begins_later_holds_what_the_others_hold(database: Database) -> None:
    floor, first = Floor("demo"), Process(database)
    floor.apply(LinkChanged(0.0, LinkState.LIVE))
    transcript = Transcript.load("attended-transfer")
    async with first.running():
        began: dict[str, Any] = views.whole(floor.books)
        async with database.begin() as conn:
            (seq,) = await journal.append(conn, NAME, [NewEntry(NOON, FLOOR_BEGAN, {"pbx": "demo"}, NOBODY)])
            await whole_floors.keep(conn, NAME, seq, NOON, began)
        first.stream.hint(seq)
        await first.reaches(seq)
        assert first.replica.loaded
        for signal in transcript.signals():
            new = [NewEntry(NOON, e.kind, e.body, NOBODY | about(e)) for e in floor.apply(signal)]
            if new:
                first.stream.offer(await append(database, *new))
        later = Process(database)
        await later.stream.begin()
        expected = plain(first.replica.whole())
        if database.is_sqlite:  # no other process is beside it: the one before is gone, with its link
            expected["link"] |= {"state": "connecting"}
        assert plain(later.replica.whole()) == expected
        assert later.stream.position == first.stream.position


async def test_a_process_whose_place_is_cut_off_starts_over_with_its_desktops(database: Database) -> None:
    process = Process(database)
    async with process.running():
        rows = [(await append(database, link(str(n))))[0] for n in range(5)]
        async with database.begin() as conn:
            await conn.execute(journal.journal.delete().where(journal.journal.c.seq < 4))
        process.stream.hint(5)
        async with asyncio.timeout(5):
            while not process.desktop.overrun:
                await asyncio.sleep(0.002)
        assert process.stream.position == 5
        again = process.hub.subscribe(Viewer(2, "supervisor"))[0]
        process.stream.offer(await append(database, link("after")))
        assert [json.loads(frame.text)["seq"] for frame in await again.take(0)] == [rows[-1].seq + 1]


@pytest.mark.parametrize("ahead", [7, 10_000])
async def test_a_record_that_was_put_back_is_another_record(database: Database, ahead: int) -> None:
    process = Process(database)
    async with process.running():
        await append(database, link("a"))
        process.stream.hint(1)
        await process.reaches(1)
        process.hub.positions[NAME] = ahead  # of the record before
        process.stream.hint(ahead + 1)
        async with asyncio.timeout(5):
            while not process.desktop.overrun:
                await asyncio.sleep(0.002)
        assert process.stream.position == 1


NOBODY: dict[str, Any] = {"agents": [], "topics": [], "everyone": False, "supervisors": False}


def about(event: Any) -> dict[str, Any]:
    if event.about is None:
        return {}
    return {"about": {"agents": sorted(event.about.agents), "queues": sorted(event.about.queues)}}


def plain(whole: dict[str, Any]) -> Any:
    return json.loads(json.dumps(whole, sort_keys=True))
