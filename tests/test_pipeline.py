"""Signals in, rows and frames out: the pipeline with a real database of either engine."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cti_server import pipeline as pipeline_module
from cti_server.asterisk.link import SinkFull
from cti_server.floor import topics
from cti_server.floor.agents import By
from cti_server.floor.desk_signals import AgentSeated, ShiftBegan, StateChosen
from cti_server.floor.signals import (
    CallerIdentified,
    LegNumbered,
    LegRow,
    LegStarted,
    LinkChanged,
    LinkState,
    MemberChanged,
    MemberStatus,
    Signal,
    Snapshot,
)
from cti_server.lookup.identify import Lookup
from cti_server.pipeline import Pipeline
from cti_server.push.frames import Frame
from cti_server.push.hub import Hub
from cti_server.record import journal, leases
from cti_server.record.center import agent_states, agents, queues
from cti_server.record.contacts import history, interactions
from cti_server.record.crm import customers
from cti_server.record.database import Database
from cti_server.rules.rights import Viewer
from tests.floor.test_transcripts import seated
from tests.streams import stream_of
from tests.transcripts.play import Transcript

NOW = datetime(2026, 11, 22, tzinfo=UTC)


class Desk:
    """A supervisor's desktop with the floor open: collects every frame that the hub hands it."""

    def __init__(self, hub: Hub, pbx: str = "demo") -> None:
        self.subscriber, _ = hub.subscribe(Viewer(0, "supervisor"))
        hub.open(self.subscriber, f"pbx:{pbx}", topics.FLOOR)
        self.frames: list[Frame] = []

    async def until(self, kind: str) -> list[dict[str, Any]]:
        """Take frames until one of this kind; the sentinel of each test."""
        async with asyncio.timeout(20):
            while True:
                self.frames += await self.subscriber.take(1)
                told = [json.loads(f.text) for f in self.frames]
                if any(one["kind"] == kind for one in told):
                    return told


@asynccontextmanager
async def running(database: Database, pbx: str = "demo", **options: Any) -> AsyncIterator[tuple[Pipeline, Desk]]:
    hub = Hub(limit=100_000)
    stream = stream_of(pbx, hub, database)
    await stream.begin()
    made = Pipeline(pbx, database, Lookup(database), stream, connected=hub.agents, **options)
    assert stream.cards is not None
    stream.cards.attached = made
    desk = Desk(hub, pbx)
    async with leases.hold(database, pbx, "test", NOW) as lease:
        await made.restore(lease)
        task = asyncio.create_task(made.run())
        try:
            yield made, desk
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await made.close()


def last(signals: Sequence[Signal]) -> LinkChanged:
    """The sentinel: a signal after all others that is always told."""
    return LinkChanged(signals[-1].at, LinkState.STALE, "the end of the test")


async def test_a_call_is_in_the_record_once_and_the_journal_is_what_desktops_got(database: Database) -> None:
    signals = [*Transcript.load("answered").signals()]
    async with running(database) as (pipeline, desk):
        for signal in (*signals, last(signals)):
            pipeline.put(signal)
        told = await desk.until("link.changed")
        async with database.read() as conn:
            page = await history.page(conn, history.Filter())
            rows = await journal.read_after(conn, "pbx:demo", 0)

    (row,) = page.items
    assert (row.outcome, row.ended_by, row.complete) == ("answered", "caller", True)
    assert [s.outcome for s in row.segments] == ["answered"]
    assert [r.seq for r in rows] == list(range(1, len(rows) + 1))
    shown = [r for r in rows if topics.FLOOR in r.audience["topics"] or r.audience["everyone"]]
    assert [(r.seq, r.kind, r.body) for r in shown] == [(one["seq"], one["kind"], one["body"]) for one in told]
    assert {one["body"]["call"]["interaction"] for one in told if one["kind"].startswith("call.")} == {row.id}


async def test_the_database_goes_away_and_nothing_is_lost(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    signals = [*Transcript.load("answered").signals()]
    gone = [OSError("gone"), TimeoutError("slow"), OSError("disk is full")]
    failures = iter(gone * 2)  # more often than a batch of bad values is tried: nothing here is bad
    real = interactions.save_calls

    async def save(*arguments: Any) -> Any:
        if (failure := next(failures, None)) is not None:
            raise failure
        return await real(*arguments)

    monkeypatch.setattr(pipeline_module.memory.interactions, "save_calls", save)
    monkeypatch.setattr(pipeline_module, "MAX_RETRY_S", 0.01)
    async with running(database) as (pipeline, desk):
        for signal in (*signals, last(signals)):
            pipeline.put(signal)
        told = await desk.until("link.changed")
        assert (pipeline.counts.retries, pipeline.counts.refused) == (6, 0)
    async with database.read() as conn:
        (row,) = (await history.page(conn, history.Filter())).items
    assert row.outcome == "answered"
    seqs = [one["seq"] for one in told]
    assert seqs == sorted(set(seqs))


async def test_one_call_that_the_database_refuses_does_not_stop_the_others(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    signals = [*Transcript.load("asterisk-killed").signals()]
    real = interactions.save_calls

    async def save(conn: Any, rows: Any) -> Any:
        if any(row.ani_raw == "13900139000" for row in rows):
            raise ValueError("this one never")
        return await real(conn, rows)

    monkeypatch.setattr(pipeline_module.memory.interactions, "save_calls", save)
    monkeypatch.setattr(pipeline_module, "MAX_RETRY_S", 0.01)
    async with running(database) as (pipeline, desk):
        for signal in (*signals, last(signals)):
            pipeline.put(signal)
        await desk.until("link.changed")
        assert pipeline.counts.refused == 1
    async with database.read() as conn:
        rows = (await history.page(conn, history.Filter())).items
    assert [(row.ani_raw, row.outcome) for row in rows] == [("13800138000", "answered")] * 2


async def test_a_lookup_that_comes_after_the_call_still_names_the_customer(database: Database) -> None:
    signals = [*Transcript.load("short-abandon").signals()]
    async with database.begin() as conn:
        customer = await customers.create(conn, kind="person", name="Li", at=NOW)
    async with running(database) as (pipeline, desk):
        for signal in (*signals, last(signals)):
            pipeline.put(signal)
        told = await desk.until("link.changed")
        linkedid = next(one for one in told if one["kind"] == "call.ended")["body"]["call"]["call"].split(":", 2)[
            2
        ]
        who = {"id": customer.id, "name": "Li", "tier": None}
        pipeline.put(CallerIdentified(1e10, linkedid, linkedid, "verified", who, ani="+8613800138000"))
        pipeline.put(LinkChanged(2e9, LinkState.LIVE))
        async with asyncio.timeout(10):
            while pipeline.counts.signals < len(signals) + 3 or pipeline.spool:
                await asyncio.sleep(0.01)
    async with database.read() as conn:
        (row,) = (await history.page(conn, history.Filter())).items
    assert (row.customer_id, row.match_standing) == (customer.id, "verified")


async def test_calls_that_are_gone_after_a_restart_end_unseen_in_the_record(database: Database) -> None:
    """One call was answered, one waited; the server was down when they ended, or the PBX was."""
    signals = [*Transcript.load("asterisk-killed").signals()]
    killed = next(n for n, s in enumerate(signals) if isinstance(s, Snapshot) and n and s.boot != signals[0].boot)  # type: ignore[attr-defined]
    end = last(signals[:killed])
    async with running(database) as (pipeline, desk):
        for signal in (*signals[:killed], end):
            pipeline.put(signal)
        await desk.until("link.changed")
    async with running(database) as (pipeline, desk):
        pipeline.put(Snapshot(end.at + 60, boot=1))
        pipeline.put(end)
        await desk.until("link.changed")
    async with database.read() as conn:
        rows = (await history.page(conn, history.Filter())).items
    assert [(r.outcome, r.ended_by, r.ended_at, r.complete) for r in reversed(rows)] == [
        ("answered", "unknown", None, False),
        ("unseen", "unknown", None, False),
    ]
    assert [s.outcome for r in reversed(rows) for s in r.segments] == ["answered"]


async def test_a_call_that_a_server_finds_when_it_starts_has_its_number_for_who_asks_and_for_who_is_told(
    database: Database,
) -> None:
    """It began while nobody listened: its row is made with the whole floor that replicas begin from."""
    legs = (
        LegRow("a.1", "a.1", "PJSIP/trunk-00000001", True, "13800138000", None, "400", "b1", 5.0),
        LegRow("a.2", "a.1", "PJSIP/1002-00000002", True, "1002", None, None, "b1", 4.0),
    )
    async with running(database) as (pipeline, desk):
        for signal in (*seated(), Snapshot(100.0, 7, legs), LinkChanged(100.0, LinkState.LIVE)):
            pipeline.put(signal)
        await desk.until("link.changed")
        replica = pipeline.stream.replica
        assert replica is not None
        async with asyncio.timeout(10):
            while not (replica.loaded and replica.calls):
                await asyncio.sleep(0.01)
        (view,) = replica.calls.values()
    async with database.read() as conn:
        (row,) = (await history.page(conn, history.Filter())).items
    assert view["interaction"] == row.id


async def test_stopping_writes_what_was_heard(database: Database) -> None:
    signals = [*Transcript.load("answered").signals()]
    pipeline = Pipeline("demo", database, Lookup(database), stream_of("demo", Hub(), database))
    async with leases.hold(database, "demo", "test", NOW) as lease:
        await pipeline.restore(lease)
        for signal in signals:
            pipeline.put(signal)
        pipeline.stop()
        async with asyncio.timeout(20):
            await pipeline.run()
    async with database.read() as conn:
        (row,) = (await history.page(conn, history.Filter())).items
    assert (row.outcome, row.complete) == ("answered", True)


async def test_a_busy_queue_is_told_in_its_latest_view_and_not_for_each_change(database: Database) -> None:
    def member(number: int, paused: bool) -> MemberChanged:
        return MemberChanged(1.0 + number, "support", "PJSIP/1", "PJSIP/1", "Li", MemberStatus.IDLE, paused, None)

    async with running(database) as (pipeline, desk):
        for number in range(200):
            pipeline.put(member(number, bool(number % 2)))
            await asyncio.sleep(0)
        async with asyncio.timeout(10):
            while True:
                desk.frames += await desk.subscriber.take(1)
                told = [json.loads(f.text)["body"]["queue"] for f in desk.frames]
                if told and told[-1]["paused"] and pipeline.waiting == 0:
                    break
        assert len(told) < 20


async def test_a_full_inbox_refuses_but_hears_of_the_link(database: Database) -> None:
    """The bound at size 1."""
    pipeline = Pipeline("demo", database, Lookup(database), stream_of("demo", Hub(), database), max_inbox=1)
    pipeline.put(Snapshot(1.0, 1))
    with pytest.raises(SinkFull, match="1 signals wait"):
        pipeline.put(Snapshot(2.0, 1))
    pipeline.put(LinkChanged(2.0, LinkState.STALE))
    assert pipeline.waiting == 2


async def test_a_signal_that_the_floor_chokes_on_is_counted_and_the_rest_go_on(database: Database) -> None:
    async with running(database) as (pipeline, desk):
        broken = LegStarted(1.0, "a.1", "a.1", None, False, None, None, None)  # type: ignore[arg-type]
        pipeline.put(broken)
        pipeline.put(LinkChanged(2.0, LinkState.LIVE))
        await desk.until("link.changed")
        assert pipeline.counts.refused == 1


async def test_a_process_that_lost_the_pbx_writes_nothing_more(database: Database) -> None:
    hub = Hub()
    stale = Pipeline("demo", database, Lookup(database), stream_of("demo", hub, database))
    async with leases.hold(database, "demo", "old", NOW) as old:
        await stale.restore(old)
    async with leases.hold(database, "demo", "new", NOW):
        stale.put(LinkChanged(2.0, LinkState.LIVE))
        with pytest.raises(leases.LeaseLost):
            async with asyncio.timeout(10):
                await stale.run()
    async with database.read() as conn:
        assert await journal.positions(conn) == {}


async def test_a_restart_brings_back_the_call_and_the_wrap_up(database: Database) -> None:
    signals = [*seated(), *Transcript.load("answered").signals()]
    middle = [n for n, s in enumerate(signals) if isinstance(s, Snapshot)][2]
    end = last(signals)
    async with running(database) as (pipeline, desk):
        for signal in (*signals[:middle], end):
            pipeline.put(signal)
        await desk.until("link.changed")
    async with running(database) as (pipeline, desk):
        assert [c.answered_at is not None for c in pipeline.floor.calls.values()] == [True]
        for signal in (*seated(), *signals[middle:], end):
            pipeline.put(signal)
        await desk.until("link.changed")
    async with database.read() as conn:
        (row,) = (await history.page(conn, history.Filter())).items
    assert (row.outcome, row.complete, len(row.segments)) == ("answered", True, 1)
    assert 1800 <= (row.talk_ms or 0) <= 3500


async def test_what_is_due_happens_though_signals_never_stop(database: Database) -> None:
    """A busy floor always has something in its inbox; a wrap-up must end all the same."""
    async with database.begin() as conn:
        anna = await agents.add(conn, login="anna", name="Anna", seat="PJSIP/1001", pbx="demo")
    async with running(database) as (pipeline, _):
        now = time.time()
        pipeline.put(ShiftBegan(now, anna, "PJSIP/1001", "1001", "desk", ()))
        pipeline.put(StateChosen(now, anna, True, None, By("agent", "Anna")))
        pipeline.books.desktop_grace_s = 0.0
        busy, real = 0, pipeline._write

        async def write(batch: Any) -> range:
            nonlocal busy
            busy += 1
            pipeline.put(LegStarted(time.time(), f"9.{busy}", f"9.{busy}", "PJSIP/t-1", True, "1", None, "4000"))
            return await real(batch)

        pipeline._write = write  # type: ignore[method-assign]
        while busy < 10:
            await asyncio.sleep(0)
        assert pipeline.floor.agents[anna].state.reason == "connection_lost"


async def test_a_desktop_whose_coming_was_not_heard_is_known_a_little_later(database: Database) -> None:
    async with running(database) as (pipeline, _):
        pipeline.put(AgentSeated(time.time(), 7, "Anna", "PJSIP/1001", "1001"))
        await pipeline.when(lambda floor: floor.agents.get(7), 5)
        pipeline.stream._hub.subscribe(Viewer(7))  # as when the inbox is full
        await pipeline.read_again()
        await pipeline.when(lambda floor: True if floor.agents[7].desktop_gone is None else None, 5)


async def test_what_the_record_says_again_is_not_put_in_again(database: Database) -> None:
    """Every few seconds the record is read: on a floor of hundreds only what differs may cost anything."""
    async with database.begin() as conn:
        for number in range(50):
            await agents.add(conn, login=f"a{number}", name=f"A{number}", seat=f"PJSIP/{number}", pbx="demo")
        anna = await agents.add(conn, login="anna", name="Anna", seat="PJSIP/1001", pbx="demo")
    async with running(database) as (pipeline, _):
        await pipeline.when(lambda floor: floor.agents.get(anna), 5)
        before = pipeline.counts.signals
        await pipeline.read_again()
        assert pipeline.waiting == 0
        async with database.begin() as conn:
            await agents.update(conn, anna, name="Anna Li")
        await pipeline.read_again()
        assert pipeline.waiting == 1
        await pipeline.when(lambda floor: True if floor.agents[anna].name == "Anna Li" else None, 5)
        assert pipeline.counts.signals == before + 1


async def test_a_number_that_comes_late_brings_its_customers_card(database: Database) -> None:
    """The anonymous caller has been looked up, and found nobody, when the PBX learns the number."""
    async with database.begin() as conn:
        anna = await customers.create(conn, kind="person", name="Anna", at=NOW)
        number = "+862085551234"
        await customers.add_contact_point(conn, anna.id, at=NOW, kind="phone", raw=number, e164=number)
    async with running(database) as (pipeline, _):
        pipeline.put(LegStarted(1.0, "c.1", "c.1", "DAHDI/4-1", False, "anonymous", None, "400"))
        call = await pipeline.when(lambda books: books.call_of("c.1"), 5)
        await pipeline.when(lambda books: call.match != "pending", 5)
        assert call.customer is None
        pipeline.put(LegNumbered(3.0, "c.1", "c.1", "02085551234", None))
        await pipeline.when(lambda books: call.customer, 5)
        assert call.customer["id"] == anna.id
        card = pipeline.callers.card(call)
        assert card is not None
        assert card["customer"]["name"] == "Anna"


async def test_a_restart_shows_nobody_without_their_queues(database: Database) -> None:
    """Desktops that resume keep their queues, and those of colleagues, until the PBX has told them anew."""
    async with database.begin() as conn:
        anna = await agents.add(conn, login="anna", name="Anna", seat="PJSIP/1001", pbx="demo")
    member = MemberChanged(1.0, "support", "PJSIP/1001", "PJSIP/1001", "Anna", MemberStatus.IDLE, False, None)
    async with running(database) as (pipeline, _):
        pipeline.put(Snapshot(1.0, 1, (), ("support",), (member,)))
        await pipeline.when(lambda floor: floor.memberships("PJSIP/1001") or None, 5)
    async with database.read() as conn:
        before = (await journal.positions(conn))["pbx:demo"]
    async with running(database) as (pipeline, _):
        await pipeline.when(lambda floor: floor.agents.get(anna), 5)
        pipeline.put(Snapshot(60.0, 1, (), ("support",), (member,)))
        await pipeline.when(lambda floor: floor.memberships("PJSIP/1001") or None, 5)
        pipeline.put(LinkChanged(61.0, LinkState.LIVE))
        await pipeline.when(lambda floor: floor.link is LinkState.LIVE or None, 5)
        async with asyncio.timeout(10):
            while "team.changed" not in [row.kind for row in await since(database, before)]:
                await asyncio.sleep(0.05)
    rows = await since(database, before)
    assert [row.body["queues"] for row in rows if row.kind == "me.changed"] == [["support"]]
    assert [member["queues"] for row in rows if row.kind == "team.changed" for member in row.body["agents"]] == [
        ["support"]
    ]


async def test_a_state_goes_on_over_a_change_of_hands(database: Database) -> None:
    """Since when an agent is what they are does not begin anew with another server, and is written once."""
    async with database.begin() as conn:
        anna = await agents.add(conn, login="anna", name="Anna", seat="PJSIP/1001", pbx="demo")
    member = MemberChanged(1.0, "support", "PJSIP/1001", "PJSIP/1001", "Anna", MemberStatus.IDLE, False, None)
    began = time.time() - 600

    async def state(pipeline: Pipeline) -> tuple[str, str | None, int]:
        found = await pipeline.when(lambda floor: floor.agents.get(anna), 5)
        assert found.since is not None
        return found.state.name, found.state.reason, round(found.since - began)

    async with running(database) as (pipeline, _):
        await pipeline.when(lambda floor: floor.agents.get(anna), 5)
        pipeline.put(Snapshot(began, 1, (), ("support",), (member,)))
        pipeline.put(ShiftBegan(began + 1, anna, "PJSIP/1001", "1001", "desk", (("support", 0),)))
        await pipeline.when(lambda floor: floor.agents[anna].shift, 5)
        assert await state(pipeline) == ("not_ready", "signed_in", 1)
        pipeline.put(StateChosen(began + 5, anna, True, None, By("agent")))
        await pipeline.when(lambda floor: floor.agents[anna].state.name == "ready" or None, 5)
        await pipeline.when(lambda floor: True if not pipeline.spool else None, 5)
    for _ in ("one", "another"):
        async with running(database) as (pipeline, _):
            await pipeline.when(lambda floor: floor.agents.get(anna) and floor.agents[anna].shift, 5)
            assert await state(pipeline) == ("ready", None, 5)
            pipeline.put(Snapshot(began + 60, 1, (), ("support",), (member,)))
            pipeline.put(LinkChanged(began + 61, LinkState.LIVE))
            await pipeline.when(lambda floor: floor.link is LinkState.LIVE or None, 5)
            assert await state(pipeline) == ("ready", None, 5)
            await pipeline.when(lambda floor: True if not pipeline.spool else None, 5)
    async with database.read() as conn:
        day = datetime.fromtimestamp(began, UTC) - timedelta(hours=1)
        rows = await agent_states.of_day(conn, anna, day, day + timedelta(hours=9))
    assert [(row.name, round(row.at.timestamp() - began)) for row in rows] == [("not_ready", 1), ("ready", 5)]


async def test_a_pbx_that_is_away_keeps_nobodys_state_back(database: Database) -> None:
    async with running(database) as (pipeline, desk):
        pipeline.put(AgentSeated(1.0, 7, "Anna", "PJSIP/1001"))
        pipeline.put(LinkChanged(2.0, LinkState.STALE))
        await desk.until("link.changed")
    assert [row.body["agent"] for row in await since(database, 0) if row.kind == "me.changed"] == [7]


async def since(database: Database, seq: int) -> list[journal.Entry]:
    async with database.read() as conn:
        return await journal.read_after(conn, "pbx:demo", seq)


async def test_queues_that_the_record_does_not_name_are_treated_by_its_policy(database: Database) -> None:
    async with running(database) as (pipeline, _):
        for queue in ("sales", "support"):
            pipeline.put(
                MemberChanged(time.time(), queue, "PJSIP/1", "PJSIP/1", "Anna", MemberStatus.IDLE, False, None)
            )

        async def mode(queue: str, wanted: str) -> None:
            await pipeline.read_again()

            def shown(books: Any) -> bool | None:
                found = books.queues.get(queue)
                return True if found is not None and found.description.wrap_up.mode == wanted else None

            await pipeline.when(shown, 5)

        async with database.begin() as conn:
            policy = await queues.policy(conn)
            await queues.save(conn, replace(policy, wrap_up_mode="forced"))
            number = await queues.save(conn, queues.Queue(0, "demo", "sales", "Sales", "销售"))
        await pipeline.when(lambda books: True if len(books.queues) == 2 else None, 5)
        await mode("support", "forced")
        await mode("sales", "mandatory")
        assert pipeline.books.queues["support"].description.title_en is None
        async with database.begin() as conn:
            await queues.remove(conn, number)
        await mode("sales", "forced")


async def test_the_phone_of_somebody_who_was_removed_is_nobodys(database: Database) -> None:
    async with database.begin() as conn:
        anna = await agents.add(conn, login="anna", name="Anna", seat="PJSIP/1001", pbx="demo")
    async with running(database) as (pipeline, _):
        await pipeline.when(lambda books: books.seats.get("PJSIP/1001"), 5)
        async with database.begin() as conn:
            await agents.update(conn, anna, active=False)
        await pipeline.read_again()
        await pipeline.when(lambda books: True if "PJSIP/1001" not in books.seats else None, 5)
