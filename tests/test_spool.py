"""The record cannot be written: desktops of the process that hears the PBX are told all the same, and nothing is
lost or doubled once it can. With a real database of either engine, which is really kept from writing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from cti_server import pipeline as pipeline_module
from cti_server.floor import topics
from cti_server.floor.events import Event
from cti_server.floor.signals import LinkChanged, LinkState, Signal
from cti_server.live import record_news
from cti_server.live.record_news import RecordNews
from cti_server.lookup.identify import Lookup
from cti_server.memory import Batch
from cti_server.pipeline import Pipeline
from cti_server.push.frames import Frame, Note
from cti_server.push.hub import Hub, Subscriber
from cti_server.record import engines, journal, leases
from cti_server.record.contacts import history
from cti_server.record.database import Database
from cti_server.record.trouble import Troubles
from cti_server.rules.rights import Viewer
from cti_server.spool import Spool
from tests.record.builders import a_customer
from tests.record.held_back import held_back
from tests.streams import stream_of
from tests.transcripts.play import Transcript

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
NAME = "pbx:demo"


class Center:
    """A process that is attached to the PBX, and a supervisor's desktop that has the floor open."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.hub = Hub(limit=100_000)
        self.stream = stream_of("demo", self.hub, database)
        self.pipeline = Pipeline("demo", database, Lookup(database), self.stream)
        self.desk, _ = self.desktop()
        self.told: list[dict[str, Any]] = []

    def desktop(self) -> tuple[Subscriber, Any]:
        subscriber, leave = self.hub.subscribe(Viewer(0, "supervisor"))
        self.hub.open(subscriber, NAME, topics.FLOOR)
        return subscriber, leave

    async def hears(self, *signals: Signal) -> None:
        for signal in signals:
            self.pipeline.put(signal)

    async def until(self, **told: Any) -> dict[str, Any]:
        """Take frames until one has these values."""
        async with asyncio.timeout(20):
            while True:
                for frame in self.told:
                    if told.items() <= frame.items():
                        return frame
                self.told += [json.loads(one.text) for one in await self.desk.take(1)]

    async def until_said(self, detail: str) -> None:
        """Take frames until the link says so: the sentinel of each test."""
        async with asyncio.timeout(20):
            while self.events("link.changed")[-1]["body"]["detail"] != detail:
                self.told += [json.loads(one.text) for one in await self.desk.take(1)]

    def events(self, kind: str | None = None) -> list[dict[str, Any]]:
        return [one for one in self.told if one["type"] == "event" and kind in (None, one["kind"])]

    async def journal(self) -> list[journal.Entry]:
        async with self.database.read() as conn:
            return await journal.read_after(conn, NAME, 0)


@asynccontextmanager
async def center(database: Database) -> AsyncIterator[Center]:
    made = Center(database)
    await made.stream.begin()
    following = asyncio.create_task(made.stream.run())
    assert made.stream.cards is not None
    made.stream.cards.attached = made.pipeline
    async with leases.hold(database, "demo", "test", NOON) as lease:
        await made.pipeline.restore(lease)
        running = asyncio.create_task(made.pipeline.run())
        try:
            await made.hears(LinkChanged(0.0, LinkState.LIVE, "begun"))
            await made.until(kind="link.changed")
            yield made
        finally:
            for task in (running, following):
                task.cancel()
            await asyncio.gather(running, following, return_exceptions=True)
            await made.pipeline.close()


@asynccontextmanager
async def away(database: Database) -> AsyncIterator[None]:
    """Nobody can write meanwhile: SQLite refuses it, PostgreSQL lets everybody wait."""
    async with database.engine.connect() as conn:
        await conn.execution_options(cti_write=True)
        async with conn.begin():
            if not database.is_sqlite:
                await conn.execute(sa.text("LOCK TABLE pbx_leases, customers IN ACCESS EXCLUSIVE MODE"))
            yield


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "BUSY_TIMEOUT_MS", 20)
    monkeypatch.setattr(pipeline_module, "MAX_RETRY_S", 0.05)
    monkeypatch.setattr(pipeline_module, "WRITE_S", 0.5)


def numberless(body: dict[str, Any]) -> dict[str, Any]:
    """The body without the call's number in the record, which nobody knew when it was told."""
    return {**body, "call": {**body["call"], "interaction": 0}} if isinstance(body.get("call"), dict) else body


def end(detail: str) -> LinkChanged:
    return LinkChanged(2e9, LinkState.STALE, detail)


async def test_what_happens_meanwhile_is_told_at_once_and_written_in_order(database: Database) -> None:
    signals = [*Transcript.load("attended-transfer").signals()]
    half = len(signals) // 2
    async with center(database) as site:
        await site.hears(*signals[:half], end("half"))
        await site.until_said("half")
        before = site.stream.position
        async with away(database):
            await site.hears(*signals[half:], end("told"))
            await site.until_said("told")
            marks = [one.get("provisional", False) for one in site.events() if one["seq"] > before]
            assert marks == sorted(marks)  # what was under way when it went away is written
            assert marks.count(True) > 5
            assert site.hub.ahead == {NAME}
            top = site.stream.position
        assert (await site.until(type="confirmed", seq=top))["stream"] == NAME
        assert site.hub.ahead == set()
        rows = await site.journal()
        assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
        written = {row.seq: row for row in rows}
        for one in site.events():
            row = written[one["seq"]]
            assert (row.kind, numberless(row.body)) == (one["kind"], numberless(one["body"]))
        again = stream_of("demo", Hub(), database)
        await again.begin()
        assert again.replica is not None
        assert site.stream.replica is not None
        kept, shown = again.replica.whole(), site.stream.replica.whole()
        assert (kept["calls"], kept["members"]) == (shown["calls"], shown["members"])
    async with database.read() as conn:
        (call,) = (await history.page(conn, history.Filter())).items
    assert call.complete


async def test_desktops_learn_the_number_of_a_contact_that_began_meanwhile(database: Database) -> None:
    signals = [*Transcript.load("answered").signals()]
    answered = next(n for n, signal in enumerate(signals) if type(signal).__name__ == "MemberConnected") + 1
    async with database.begin() as conn:
        await a_customer(conn, "Li", "+8613800138000")
    async with center(database) as site:
        async with away(database):
            await site.hears(*signals[:answered], end("told"))
            await site.until(kind="call.answered")
            assert {one["body"]["call"]["interaction"] for one in site.events("call.answered")} == {None}
            told = len(site.told)
        await site.until(type="confirmed")
        numbered: list[Any] = []
        async with asyncio.timeout(10):
            while not numbered:
                site.told += [json.loads(one.text) for one in await site.desk.take(1)]
                calls = [one["body"].get("call") for one in site.told[told:] if one["type"] == "event"]
                numbered = [
                    call["interaction"] for call in calls if isinstance(call, dict) and call["interaction"]
                ]
        async with database.read() as conn:
            (call,) = (await history.page(conn, history.Filter())).items
        assert set(numbered) == {call.id}


async def test_the_caller_of_a_call_that_came_and_went_meanwhile_is_named_afterwards(database: Database) -> None:
    async with database.begin() as conn:
        customer = await a_customer(conn, "Li", "+8613800138000")
    async with center(database) as site:
        async with away(database):
            await site.hears(*Transcript.load("answered").signals(), end("told"))
            await site.until(kind="call.ended")
        await site.until(type="confirmed")
        async with asyncio.timeout(10):
            while True:
                async with database.read() as conn:
                    found = (await history.page(conn, history.Filter())).items
                if found and found[0].customer_id is not None:
                    break
                await asyncio.sleep(0.02)
    assert [one.customer_id for one in found] == [customer.id]


async def test_a_commit_that_was_done_and_not_answered_is_not_done_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with center(database) as site:
        real, unanswered = site.pipeline._write, iter([True])

        async def write(batch: Any) -> Any:
            done = await real(batch)
            if batch.events and next(unanswered, False):
                raise OSError("the connection was lost while it committed")
            return done

        monkeypatch.setattr(site.pipeline, "_write", write)
        await site.hears(*Transcript.load("answered").signals(), end("told"))
        await site.until_said("told")
        while site.pipeline.spool:
            await asyncio.sleep(0.01)
        rows = await site.journal()
        told = [one["seq"] for one in site.events()]
    assert next(unanswered, None) is None
    assert told == sorted(set(told))
    assert [(row.kind, row.body) for row in rows].count((rows[-1].kind, rows[-1].body)) == 1
    assert len([row for row in rows if row.kind == "call.ended"]) == 1


@pytest.mark.parametrize("answer_only", [False, True])
async def test_a_commit_that_comes_late_or_whose_answer_does_is_done_once(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, answer_only: bool
) -> None:
    monkeypatch.setattr(pipeline_module, "WRITE_S", 0.6)
    signals = [*Transcript.load("answered").signals()]
    answered = next(n for n, signal in enumerate(signals) if type(signal).__name__ == "MemberConnected") + 1
    async with held_back(postgres_url) as (way, url), Database(url) as database, center(database) as site:
        way.hold(b"COMMIT", answer_only=answer_only)
        await site.hears(*signals[:answered])
        await way.held.wait()
        await asyncio.sleep(1.5)
        way.free.set()
        await site.hears(*signals[answered:], end("told"))
        await site.until_said("told")
        while site.pipeline.spool:
            await asyncio.sleep(0.01)
        assert site.pipeline.counts.retries > 0
        rows = await site.journal()
    assert [row.kind for row in rows].count("call.started") == 1
    assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
    kinds = {row.seq: row.kind for row in rows}
    assert all(kinds[one["seq"]] == one["kind"] for one in site.events())
    assert [row.body["call"]["interaction"] is not None for row in rows if row.kind == "call.ended"] == [True]


async def test_a_lease_that_is_lost_before_anything_was_told_cuts_nobody_off(database: Database) -> None:
    async with center(database) as site:
        assert site.pipeline.lease is not None
        site.pipeline.lease.epoch -= 1
        before = site.stream.position
        await site.hears(end("nobody hears this"))
        await asyncio.sleep(0.6)
        assert (site.stream.position, site.desk.overrun) == (before, False)


async def test_what_could_not_be_told_ahead_is_told_once_it_is_written(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stream was behind at that moment: nothing that follows may take the numbers of what was left out."""
    signals = [*Transcript.load("answered").signals()]
    async with center(database) as site:
        real, behind = site.stream.offer_ahead, iter([True])
        monkeypatch.setattr(site.stream, "offer_ahead", lambda *of: not next(behind, False) and real(*of))
        async with away(database):
            for signal in signals:
                await site.hears(signal)
                await asyncio.sleep(0.02)
        await site.hears(end("told"))
        await site.until_said("told")
        rows = await site.journal()
        told = [(one["seq"], one["kind"]) for one in site.events()]
    assert next(behind, None) is None
    assert [seq for seq, _ in told] == sorted({seq for seq, _ in told})
    assert set(told) <= {(row.seq, row.kind) for row in rows}


async def test_a_lease_that_is_lost_takes_back_what_was_told(database: Database) -> None:
    async with center(database) as site:
        other, _ = site.desktop()
        async with away(database):
            await site.hears(*[*Transcript.load("answered").signals()][:30], end("told"))
            await site.until(kind="call.started")
            assert site.pipeline.lease is not None
            site.pipeline.lease.epoch -= 1  # the record has a newer one than this process
        async with asyncio.timeout(10):
            while not (site.desk.overrun and other.overrun):
                await asyncio.sleep(0.01)
        while site.hub.ahead:
            await asyncio.sleep(0.01)
        assert site.stream.replica is not None
        assert site.stream.replica.calls == {}
        async with database.read() as conn:
            assert site.stream.position == await journal.position(conn, NAME)
            assert not (await history.page(conn, history.Filter())).items


def test_a_spool_is_bounded_and_is_taken_in_pieces() -> None:
    spool = Spool(max_events=2500)
    for number in range(25):
        assert not spool.full
        spool.put(Batch(events=[Event("x", float(number), {"n": n}) for n in range(100)]), ahead=True)
    assert spool.full
    assert len(spool) == 3
    numbers = []
    while (first := spool.first()) is not None:
        numbers += [(event.at, event.body["n"]) for event in first.batch.events]
        assert len(first.batch.events) <= 1000
        spool.written()
    assert numbers == [(float(at), n) for at in range(25) for n in range(100)]
    assert (spool.events, spool.since, spool.ahead) == (0, None, False)


async def test_desktops_are_told_since_when_the_record_is_away_and_of_what_nothing_is_heard() -> None:
    trouble, hub = Troubles(sa.make_url("postgresql://nobody@127.0.0.1:1/none")), Hub()
    early, _ = hub.subscribe(Viewer(1))
    unheard = ["pbx:b"]
    news = RecordNews(trouble, hub, lambda: unheard)

    async def said(one: Subscriber) -> list[Any]:
        return [
            (told["away_since"], told["stale"])
            for note in await one.take(0)
            if isinstance(note, Note | Frame) and (told := json.loads(note.text))["type"] == "record"
        ]

    news.look(NOON)
    trouble.note(OSError("connection refused"))
    news.look(NOON)
    assert await said(early) == []  # it may be over at once
    news.look(NOON + timedelta(seconds=record_news.AWAY_S))
    late, _ = hub.subscribe(Viewer(2))
    since = "2026-11-29T12:00:00.000Z"
    assert await said(early) == await said(late) == [(since, ["pbx:b"])]
    unheard.append("pbx:a")  # this process has let it go meanwhile
    news.look(NOON + timedelta(seconds=5))
    assert await said(early) == [(since, ["pbx:a", "pbx:b"])]
    trouble.over()
    news.look(NOON + timedelta(seconds=6))
    after, _ = hub.subscribe(Viewer(3))
    assert await said(early) == [(None, [])]
    assert await said(after) == []
