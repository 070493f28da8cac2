"""Gaps filled from CEL, with a real database of either engine: each call once, nothing that was seen changed."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from cti_server import gap as gap_module
from cti_server.cel.stories import Stories
from cti_server.cel.translate import signals
from cti_server.floor.books import Books
from cti_server.floor.desk_signals import AgentSeated, WrapUpFinished
from cti_server.floor.signals import (
    LegEnded,
    LegHangupAsked,
    LegRow,
    LinkChanged,
    LinkState,
    MemberChanged,
    MemberStatus,
    Signal,
    Snapshot,
)
from cti_server.gap import Gaps
from cti_server.lookup.identify import Lookup
from cti_server.memory import Batch
from cti_server.pipeline import Pipeline
from cti_server.push.hub import Hub
from cti_server.record import leases
from cti_server.record.center import agents
from cti_server.record.contacts import gaps, history, interactions
from cti_server.record.contacts.history import Interaction
from cti_server.record.contacts.records import InteractionRecord
from cti_server.record.database import Database
from cti_server.settings import PbxSettings
from tests.cel.logs import T0, Line, as_csv, call, row
from tests.cel.test_stories import answered
from tests.record.builders import a_customer, an_agent
from tests.streams import stream_of

BEGAN = float(int(time.time()) - 500)  # what a test's log begins with happened then
KILLED, BACK = BEGAN - 30, BEGAN + 400  # before a wrap-up that nobody can finish is over by itself
BOOT = 77


def then(lines: Sequence[Line]) -> list[Line]:
    """The same with ids of that time."""

    def name(leg: str) -> str:
        return re.sub(r"-(\d{9,11})\.", lambda found: f"-{int(found[1]) + int(BEGAN - T0)}.", leg)

    return [
        replace(line, at=line.at + BEGAN - T0, leg=name(line.leg), linkedid=name(line.linkedid)) for line in lines
    ]


@dataclass
class Clock:
    behind_s: float = 0.0
    up_since: float | None = None
    lost_at: float | None = None


@dataclass
class Center:
    """A server's process, from its start to its death. `log` is the PBX's."""

    database: Database
    log: Path
    pipeline: Pipeline
    task: asyncio.Task[None]
    clock: Clock

    async def hears(self, *told: Signal) -> None:
        """All of these are applied and written."""
        for signal in told:
            self.pipeline.put(signal)

        def written(books: Books) -> bool | None:
            return True if not self.pipeline.waiting and not self.pipeline.spool else None

        await self.pipeline.when(written, 10)

    async def comes_live(self, *legs: LegRow, boot: int = BOOT, at: float = BACK) -> None:
        await self.hears(Snapshot(at, boot, legs), LinkChanged(time.time(), LinkState.LIVE))

    async def filled(self, number: int = 1) -> gaps.Gap:
        """The last gap of so many, once nothing more is to be done about any."""
        async with asyncio.timeout(20):
            while True:
                async with self.database.read() as conn:
                    found = await gaps.latest(conn, "demo")
                if len(found) >= number and all(gap.filled_at is not None for gap in found):
                    return found[0]
                await asyncio.sleep(0.02)

    async def contacts(self) -> list[Interaction]:
        async with self.database.read() as conn:
            return list(reversed((await history.page(conn, history.Filter())).items))


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gap_module, "SETTLES_S", 0.01)
    monkeypatch.setattr(gap_module, "AGAIN_S", 0.05)


@asynccontextmanager
async def server(database: Database, log: Path, **settings: Any) -> AsyncIterator[Center]:
    """A server that starts; when the block ends it is killed."""
    given = {"cel": SecretStr(str(log)), **settings}
    async with database.begin() as conn:
        if await agents.by_login(conn, "bob") is None:
            await an_agent(conn, "bob", pbx="demo", seat="PJSIP/1002")
    stream = stream_of("demo", Hub(limit=10_000), database)
    await stream.begin()
    made = Pipeline("demo", database, Lookup(database), stream)
    clock = Clock(up_since=BEGAN - 86_400)
    async with leases.hold(database, "demo", "test", datetime.now(UTC)) as lease:
        await made.restore(lease)
        filling = Gaps(PbxSettings(name="demo", **given), database, made, Lookup(database), lease, clock)
        tasks = [asyncio.create_task(made.run()), asyncio.create_task(filling.run())]
        center = Center(database, log, made, tasks[1], clock)
        seat = "PJSIP/1002"
        await center.hears(
            AgentSeated(0, 1, "Bob", seat),
            MemberChanged(0, "sales", seat, seat, "Bob", MemberStatus.IDLE, False, None),
        )
        try:
            yield center
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await made.close()


async def heard_until(database: Database, at: float) -> None:
    """A server lived, and heard the PBX until then."""
    async with leases.hold(database, "demo", "before", datetime.now(UTC)), database.begin() as conn:
        await leases.note_live(conn, "demo", datetime.fromtimestamp(at, UTC))


def leg_of(line: Line) -> LegRow:
    return LegRow(
        line.leg, line.linkedid or line.leg, line.channel, True, line.number, None, line.exten, None, 5.0
    )


# --- calls that lived wholly in the gap ------------------------------------------------------------------


async def test_calls_of_the_gap_are_in_the_record_once_however_often_a_server_starts(
    database: Database, tmp_path: Path
) -> None:
    await heard_until(database, KILLED)
    async with database.begin() as conn:
        wang = await a_customer(conn, "王秀英", "+8613800138000")
    log = tmp_path / "cti.csv"
    log.write_bytes(as_csv(then([*answered(), *call(12, 60)])))
    for number in (1, 2):
        async with server(database, log) as center:
            await center.comes_live()
            gap = await center.filled(number)
            queued, heard = await center.contacts()
    assert (queued.ani_raw, queued.ani_e164, queued.customer_id) == ("13800138000", "+8613800138000", wang.id)
    assert (queued.queue, queued.outcome, queued.ended_by) == ("sales", "answered", "caller")
    assert (queued.wait_ms, queued.talk_ms, queued.complete, queued.told_by) == (2000, 10_000, False, "cel")
    assert (queued.boot, queued.linkedid) == (BOOT, then([Line("x", 0)])[0].leg)
    assert [(part.agent_id, part.outcome) for part in queued.segments] == [(1, "answered")]
    assert (heard.outcome, heard.told_by) == ("left_in_ivr", "cel")
    assert gap.added == 0, "the second server adds nothing"


async def test_a_call_that_lives_is_left_to_the_floor(database: Database, tmp_path: Path) -> None:
    await heard_until(database, KILLED)
    log, lives = tmp_path / "cti.csv", then(call(12, 600)[:2])
    log.write_bytes(as_csv([*then(answered()), *lives]))
    async with server(database, log) as center:
        await center.comes_live(leg_of(lives[0]))
        assert (await center.filled()).added == 1
        told, live = await center.contacts()
    assert (told.told_by, live.told_by, live.outcome) == ("cel", None, None)
    assert live.linkedid == lives[0].leg


async def test_calls_from_before_and_after_the_gap_are_not_taken_for_unseen(
    database: Database, tmp_path: Path
) -> None:
    """A server that is new at a site does not fill the record with what the log has of years."""
    await heard_until(database, KILLED)
    log = tmp_path / "cti.csv"
    yet_to_come = time.time() + 200 - BEGAN  # from now on: the whole run has taken its time since BEGAN
    new = [replace(line, at=line.at + yet_to_come) for line in call(9, 0)]
    log.write_bytes(as_csv(then([*call(8, -600), *call(12, 60), *new])))
    async with server(database, log) as center:
        await center.comes_live()
        assert (await center.filled()).added == 1
        (told,) = await center.contacts()
    assert told.ani_raw == "02160000012"


async def test_a_server_that_never_heard_the_pbx_has_no_gap(database: Database, tmp_path: Path) -> None:
    log = tmp_path / "cti.csv"
    log.write_bytes(as_csv(then(call(12, 60))))
    async with server(database, log) as center:
        await center.comes_live()
        await center.pipeline.note_live()
        async with database.read() as conn:
            assert await gaps.latest(conn, "demo") == []
        assert await center.contacts() == []


async def test_a_call_without_an_end_in_the_log_is_of_the_asterisk_that_was_killed(
    database: Database, tmp_path: Path
) -> None:
    await heard_until(database, KILLED)
    async with database.begin() as conn:
        await interactions.save_calls(conn, [a_call(boot=BOOT - 1, started=KILLED - 100, linkedid="demo-1.1")])
    log = tmp_path / "cti.csv"
    log.write_bytes(as_csv(then(answered()[:7])))
    async with server(database, log) as center:
        center.clock.up_since = BEGAN + 300
        await center.comes_live()
        assert (await center.filled()).added == 1
        told = (await center.contacts())[-1]
    assert (told.boot, told.outcome, told.ended_at, told.ended_by) == (BOOT - 1, "answered", None, "unknown")


async def test_an_end_that_is_written_late_is_waited_for(database: Database, tmp_path: Path) -> None:
    await heard_until(database, KILLED)
    log, lines = tmp_path / "cti.csv", then(answered())
    log.write_bytes(as_csv(lines[:9]))
    async with server(database, log) as center:
        await center.comes_live()
        async with asyncio.timeout(10):
            while not await trouble(database):
                await asyncio.sleep(0.01)
        log.write_bytes(as_csv(lines))
        assert (await center.filled()).added == 1
        (told,) = await center.contacts()
    assert (told.outcome, told.talk_ms) == ("answered", 10_000)


async def test_a_log_that_cannot_be_read_is_read_once_it_can(database: Database, tmp_path: Path) -> None:
    await heard_until(database, KILLED)
    log = tmp_path / "cti.csv"
    async with server(database, log) as center:
        await center.comes_live()
        async with asyncio.timeout(10):
            while "there is no such file" not in (await trouble(database) or ""):
                await asyncio.sleep(0.01)
        log.write_bytes(as_csv(then(call(12, 60))))
        gap = await center.filled()
    assert (gap.added, gap.trouble) == (1, None)


async def test_a_gap_is_filled_by_a_later_server_that_is_told_where_the_log_is(
    database: Database, tmp_path: Path
) -> None:
    await heard_until(database, KILLED)
    log = tmp_path / "cti.csv"
    log.write_bytes(as_csv(then(call(12, 60))))
    async with server(database, log, cel=SecretStr("")) as center:
        await center.comes_live()
        await center.pipeline.note_live()
        async with asyncio.timeout(10):
            while not await over(database):
                await asyncio.sleep(0.01)
    await heard_until(database, time.time())
    async with server(database, log) as center:
        await center.comes_live()
        await center.filled()
        assert [one.told_by for one in await center.contacts()] == ["cel"]


async def test_a_server_that_lost_its_lease_writes_nothing(database: Database, tmp_path: Path) -> None:
    await heard_until(database, KILLED)
    log = tmp_path / "cti.csv"
    async with server(database, log) as center:
        await center.comes_live()
        async with asyncio.timeout(10):
            while not await trouble(database):
                await asyncio.sleep(0.01)
            async with database.begin() as conn:
                await conn.execute(sa.text("UPDATE pbx_leases SET epoch = epoch + 1"))
            log.write_bytes(as_csv(then(call(12, 60))))
            while filling():
                await asyncio.sleep(0.01)
        assert await center.contacts() == []


async def test_the_link_that_was_lost_leaves_a_gap_too(database: Database, tmp_path: Path) -> None:
    log = tmp_path / "cti.csv"
    log.write_bytes(b"")
    async with server(database, log) as center:
        await center.comes_live(at=KILLED)
        lost = time.time() - 5
        center.clock.lost_at = lost
        await center.hears(LinkChanged(lost, LinkState.STALE, "reset"))
        lines = [replace(line, at=line.at + lost + 1 - BEGAN) for line in then(call(12, 0))]
        lines = [
            replace(line, leg=f"demo-{int(lost) + 1}.12", linkedid=f"demo-{int(lost) + 1}.12") for line in lines
        ]
        log.write_bytes(as_csv([replace(line, at=min(line.at, time.time() - T0)) for line in lines]))
        await center.comes_live(at=time.time())
        assert (await center.filled()).added == 1
        assert [one.told_by for one in await center.contacts()] == ["cel"]


# --- calls that were seen, and lost in the gap -----------------------------------------------------------


async def test_the_end_of_a_call_that_was_seen_comes_from_the_log(database: Database, tmp_path: Path) -> None:
    """The server is killed 3 s into the talk; the caller hangs up 7 s later."""
    seen, lines = lost_at(6.0)
    log = tmp_path / "cti.csv"
    async with server(database, log) as center:
        await center.hears(Snapshot(BEGAN - 1, BOOT), LinkChanged(BEGAN - 1, LinkState.LIVE), *seen)
        before = (await center.contacts())[0]
        assert before.outcome is None
    await heard_until(database, BEGAN + 6)
    log.write_bytes(as_csv(lines))
    async with server(database, log) as center:
        await center.comes_live()
        async with asyncio.timeout(10):
            while not center.pipeline.books.calls:
                await asyncio.sleep(0.01)
        (call_,) = center.pipeline.books.calls.values()
        await center.hears(WrapUpFinished(time.time(), call_.id, 1))  # until then it is the floor's
        await center.filled()
        (told,) = await center.contacts()
    assert (told.id, told.told_by, told.outcome, told.ended_by) == (before.id, "cel_end", "answered", "caller")
    assert told.ended_at == datetime.fromtimestamp(BEGAN + 13, UTC)
    (part,) = told.segments
    assert (part.agent_id, part.talk_ms, part.ended_at) == (1, 10_000, told.ended_at)


async def test_a_call_that_began_in_the_gap_and_goes_on_gets_its_beginning_from_the_log(
    database: Database, tmp_path: Path
) -> None:
    """The caller waited 2 s and was answered 3 s before the server heard the PBX again."""
    lines, caller, agent, legs = answered_before_the_snapshot()
    log = tmp_path / "cti.csv"
    log.write_bytes(as_csv([line for line in lines if line.at <= BEGAN - T0 + 6]))
    await heard_until(database, KILLED)
    async with server(database, log) as center:
        await center.comes_live(*legs, at=BEGAN + 6)
        await asyncio.sleep(0.2)  # the log is read while they talk
        await center.hears(*hang_up(caller, agent))
        (call_,) = center.pipeline.books.calls.values()
        await asyncio.sleep(0.2)
        assert (await center.contacts())[0].talk_ms == 7000  # the floor's, until it is over
        await center.hears(WrapUpFinished(time.time(), call_.id, 1))
        await center.filled()
        (told,) = await center.contacts()
    has_its_beginning(told)


async def test_a_call_that_began_in_the_gap_and_is_over_before_the_log_is_read(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gap_module, "SETTLES_S", 0.5)
    lines, caller, agent, legs = answered_before_the_snapshot()
    log = tmp_path / "cti.csv"
    log.write_bytes(as_csv(lines))
    await heard_until(database, KILLED)
    async with server(database, log) as center:
        await center.comes_live(*legs, at=BEGAN + 6)
        await center.hears(*hang_up(caller, agent))
        (call_,) = center.pipeline.books.calls.values()
        await center.hears(WrapUpFinished(time.time(), call_.id, 1))
        assert not center.pipeline.books.calls
        await center.filled()
        (told,) = await center.contacts()
    has_its_beginning(told)


async def test_a_server_that_ends_before_the_call_does_leaves_its_beginning_to_the_next(
    database: Database, tmp_path: Path
) -> None:
    lines, caller, agent, legs = answered_before_the_snapshot()
    log = tmp_path / "cti.csv"
    log.write_bytes(as_csv([line for line in lines if line.at <= BEGAN - T0 + 6]))
    await heard_until(database, KILLED)
    async with server(database, log) as center:
        await center.comes_live(*legs, at=BEGAN + 6)
        async with asyncio.timeout(10):
            while await trouble(database) != "1 calls of it are still on the floor":
                await asyncio.sleep(0.02)
    async with server(database, log) as center:
        await center.comes_live(*legs, at=BEGAN + 8)
        await center.hears(*hang_up(caller, agent))
        (call_,) = center.pipeline.books.calls.values()
        await center.hears(WrapUpFinished(time.time(), call_.id, 1))
        await center.filled(2)
        (told,) = await center.contacts()
    has_its_beginning(told)


async def test_a_call_that_is_over_as_soon_as_somebody_watches_again(database: Database, tmp_path: Path) -> None:
    """The first that is heard after the snapshot is its end."""
    lines, caller, agent, legs = answered_before_the_snapshot()
    log = tmp_path / "cti.csv"
    log.write_bytes(as_csv(lines))
    await heard_until(database, KILLED)
    async with server(database, log) as center:
        told = (Snapshot(BEGAN + 6, BOOT, legs), LinkChanged(time.time(), LinkState.LIVE), *hang_up(caller, agent))
        await center.hears(*told)
        (call_,) = center.pipeline.books.calls.values()
        await center.hears(WrapUpFinished(time.time(), call_.id, 1))
        await center.filled()
        (row,) = await center.contacts()
    has_its_beginning(row)


@pytest.mark.parametrize("seen_until", [-1.0, 2.0], ids=["began in the gap", "waited when it began"])
async def test_a_call_that_was_answered_in_one_gap_and_over_in_the_next(
    database: Database, tmp_path: Path, seen_until: float
) -> None:
    """Its answer was seen by a snapshot only, three seconds late: the end is taken from the log all the same."""
    seen, lines = lost_at(seen_until)
    _, _, _, legs = answered_before_the_snapshot()
    log = tmp_path / "cti.csv"
    log.write_bytes(as_csv([line for line in lines if line.at <= BEGAN - T0 + 6]))
    async with server(database, log) as center:
        await center.hears(Snapshot(BEGAN - 1, BOOT), LinkChanged(BEGAN - 1, LinkState.LIVE), *seen)
    await heard_until(database, BEGAN + seen_until)
    async with server(database, log) as center:
        await center.comes_live(*legs, at=BEGAN + 6)
        assert [part.answered_at for part in (await center.contacts())[0].segments] == [
            datetime.fromtimestamp(BEGAN + 6, UTC)
        ]
        async with asyncio.timeout(10):
            while not await over(database):
                await asyncio.sleep(0.02)
    await heard_until(database, BEGAN + 7)
    log.write_bytes(as_csv(lines))
    async with server(database, log) as center:
        await center.comes_live()
        async with asyncio.timeout(10):
            while not center.pipeline.books.calls:
                await asyncio.sleep(0.01)
        (call_,) = center.pipeline.books.calls.values()
        await center.hears(WrapUpFinished(time.time(), call_.id, 1))
        await center.filled(2)
        (told,) = await center.contacts()
    assert (told.told_by, told.outcome, told.ended_by) == ("cel_end", "answered", "caller")
    assert (told.queue, told.wait_ms, told.talk_ms) == ("sales", 2000, 10_000)
    assert [(visit.queue, visit.how, visit.agent_id) for visit in told.visits] == [("sales", "answered", 1)]
    assert [(part.agent_id, part.talk_ms) for part in told.segments] == [(1, 10_000)]


def answered_before_the_snapshot() -> tuple[list[Line], str, str, tuple[LegRow, LegRow]]:
    """The log of a call, its two legs, and both as a snapshot finds them six seconds later."""
    lines = then(answered())
    caller, agent = lines[0].leg, next(line.leg for line in lines if line.channel.startswith("PJSIP/1002"))
    both: dict[str, Any] = {"linkedid": caller, "up": True, "exten": None, "name": None, "bridge": "b1"}
    legs = (
        LegRow(leg=caller, channel="PJSIP/cti-trunk-00000001", number="13800138000", age_s=6.0, **both),
        LegRow(leg=agent, channel="PJSIP/1002-00000002", number="1002", age_s=5.0, **both),
    )
    return lines, caller, agent, legs


def hang_up(caller: str, agent: str) -> tuple[Signal, ...]:
    at = BEGAN + 13
    return LegHangupAsked(at, caller, caller), LegEnded(at, agent, caller, 16), LegEnded(at, caller, caller, 16)


def has_its_beginning(told: Interaction) -> None:
    assert (told.outcome, told.complete, told.told_by) == ("answered", True, None)
    assert (told.queue, told.wait_ms, told.talk_ms) == ("sales", 2000, 10_000)
    assert [(visit.queue, visit.how) for visit in told.visits] == [("sales", "answered")]
    (part,) = told.segments
    assert (part.agent_id, part.answered_at, part.talk_ms) == (1, datetime.fromtimestamp(BEGAN + 3, UTC), 10_000)


async def test_an_end_from_the_log_waits_for_what_the_floor_is_yet_to_write(
    database: Database, tmp_path: Path
) -> None:
    """The agent has finished, the database takes its time: the floor has its last word before the log has."""
    seen, lines = lost_at(6.0)
    log = tmp_path / "cti.csv"
    async with server(database, log) as center:
        await center.hears(Snapshot(BEGAN - 1, BOOT), LinkChanged(BEGAN - 1, LinkState.LIVE), *seen)
    await heard_until(database, BEGAN + 6)
    log.write_bytes(as_csv(lines))
    async with server(database, log) as center:
        await center.comes_live()
        async with asyncio.timeout(10):
            while not center.pipeline.books.calls:
                await asyncio.sleep(0.01)
        (call_,) = center.pipeline.books.calls.values()
        write = center.pipeline._write

        async def slowly(batch: Batch) -> Any:
            await asyncio.sleep(1.0)
            return await write(batch)

        center.pipeline._write = slowly  # type: ignore[method-assign]
        center.pipeline.put(WrapUpFinished(time.time(), call_.id, 1))
        await center.filled()
        async with asyncio.timeout(10):
            while center.pipeline.spool:
                await asyncio.sleep(0.01)
        (told,) = await center.contacts()
    assert (told.told_by, told.ended_at) == ("cel_end", datetime.fromtimestamp(BEGAN + 13, UTC))


async def test_a_log_that_tells_another_story_changes_nothing(database: Database, tmp_path: Path) -> None:
    seen, lines = lost_at(6.0)
    log = tmp_path / "cti.csv"
    async with server(database, log) as center:
        await center.hears(Snapshot(BEGAN - 1, BOOT), LinkChanged(BEGAN - 1, LinkState.LIVE), *seen)
    await heard_until(database, BEGAN + 6)
    other = [replace(line, channel=line.channel.replace("1002", "1003")) for line in lines]
    log.write_bytes(as_csv(other))
    async with server(database, log) as center:
        await center.comes_live()
        await center.filled()
        (told,) = await center.contacts()
    assert (told.told_by, told.ended_at, told.ended_by) == (None, None, "unknown")


async def test_a_caller_who_waited_when_the_server_was_killed_and_was_answered_meanwhile(
    database: Database, tmp_path: Path
) -> None:
    seen, lines = lost_at(2.0)
    log = tmp_path / "cti.csv"
    async with server(database, log) as center:
        await center.hears(Snapshot(BEGAN - 1, BOOT), LinkChanged(BEGAN - 1, LinkState.LIVE), *seen)
    await heard_until(database, BEGAN + 2)
    log.write_bytes(as_csv(lines))
    async with server(database, log) as center:
        await center.comes_live()
        await center.filled()
        (told,) = await center.contacts()
    assert (told.told_by, told.outcome, told.wait_ms, told.talk_ms) == ("cel_end", "answered", 2000, 10_000)
    assert [(visit.how, visit.agent_id) for visit in told.visits] == [("answered", 1)]
    assert [(part.seat, part.outcome) for part in told.segments] == [("PJSIP/1002", "answered")]


def lost_at(seconds: float) -> tuple[list[Signal], list[Line]]:
    """What a server hears of a queue call until it is killed, and what the log has of all of it."""
    lines, made = then(answered()), Stories()
    rows = [row(line) for line in lines]
    (story,) = [story for one in rows for story in made.take(one)] + list(made.rest())
    told = [one for one in signals(story, lambda queue, channel: "PJSIP/1002") if one.at <= BEGAN + seconds]
    return told, lines


async def trouble(database: Database) -> str | None:
    async with database.read() as conn:
        found = await gaps.latest(conn, "demo", 1)
    return found[0].trouble if found else None


async def over(database: Database) -> bool:
    async with database.read() as conn:
        found = await gaps.latest(conn, "demo", 1)
    return bool(found) and found[0].until is not None


def filling() -> list[asyncio.Task[Any]]:
    return [task for task in asyncio.all_tasks() if task.get_name().startswith("filling")]


def a_call(boot: int, started: float, linkedid: str) -> InteractionRecord:
    at = datetime.fromtimestamp(started, UTC)
    return InteractionRecord(
        pbx="demo", boot=boot, linkedid=linkedid, started_at=at, ended_at=at, outcome="answered", complete=True
    )
