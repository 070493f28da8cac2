"""Two processes on one record: what one asks of the PBX that the other has, and what becomes of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import pytest

from cti_server.attachment import Attachment
from cti_server.commands import CommandRefused
from cti_server.desk import Desk
from cti_server.in_hand import LOST, InHand
from cti_server.live import mailbox as mailbox_module
from cti_server.live.mailbox import Mailbox, NotAnswered
from cti_server.live.presence import Presence
from cti_server.push.hub import Hub
from cti_server.record import leases
from cti_server.record.center import agents
from cti_server.record.database import Database
from cti_server.record.journal import Entry
from cti_server.record.leases import Lease
from cti_server.record.processes import asked
from cti_server.record.processes.notices import Notices
from cti_server.record.processes.requests import Accepted
from cti_server.rules.facts import Reason
from cti_server.rules.rights import Viewer
from tests.control.site import NOW


@dataclass
class Process:
    """One process: its mailbox, and what its owner's handlers were asked."""

    mailbox: Mailbox
    notices: Notices
    attachment: Any
    done: list[Mapping[str, Any]]


def process(database: Database, lease: Lease | None = None) -> Process:
    pipeline = SimpleNamespace(lease=lease)
    attachment = SimpleNamespace(pbx=SimpleNamespace(name="demo"), owner=lease is not None, pipeline=pipeline)
    notices = Notices(database)
    made = Process(Mailbox(database, notices, [cast(Attachment, attachment)]), notices, attachment, [])

    async def double(at: Attachment, body: Mapping[str, Any]) -> Any:
        made.done.append(body)
        return {"twice": body["number"] * 2}

    async def refuse(at: Attachment, body: Mapping[str, Any]) -> Any:
        raise CommandRefused("wrong_state", "you talk", "Hang up.", Reason("rule", {"n": 1}))

    async def fail(at: Attachment, body: Mapping[str, Any]) -> Any:
        raise RuntimeError("as it happens")

    async def hang(at: Attachment, body: Mapping[str, Any]) -> Any:
        made.done.append(body)
        await asyncio.Event().wait()

    made.mailbox.handlers |= {"double": double, "refuse": refuse, "fail": fail, "hang": hang}
    return made


@asynccontextmanager
async def running(*processes: Process) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(run()) for p in processes for run in (p.mailbox.run, p.notices.run)]
    try:
        yield
    finally:
        for task in [*tasks, *(task for p in processes for task in p.mailbox._doing)]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
async def two(postgres_url: str) -> AsyncIterator[tuple[Process, Process, Database]]:
    """The owner of the PBX, and another process."""
    async with (
        Database(postgres_url) as one,
        Database(postgres_url) as other,
        leases.hold(one, "demo", "one", NOW) as lease,
    ):
        owner, asking = process(one, lease), process(other)
        async with running(owner, asking):
            yield owner, asking, other


async def test_the_owner_answers_wherever_it_is_asked(two: tuple[Process, Process, Database]) -> None:
    owner, asking, database = two
    asks = [asking.mailbox.ask("demo", "double", {"number": n}) for n in range(5)]
    assert await asyncio.gather(*asks) == [{"twice": 2 * n} for n in range(5)]
    assert sorted(body["number"] for body in owner.done) == [0, 1, 2, 3, 4]
    assert asking.done == []
    async with database.read() as conn:
        kept = await asked.find(conn, 1)
    assert kept is not None
    assert (kept.state, kept.body) == ("answered", {}), "what was asked is not kept"
    assert await owner.mailbox.ask("demo", "double", {"number": 9}) == {"twice": 18}


async def test_a_refusal_is_the_owners_word_for_word(two: tuple[Process, Process, Database]) -> None:
    _, asking, _ = two
    with pytest.raises(CommandRefused) as refused:
        await asking.mailbox.ask("demo", "refuse", {})
    why = refused.value
    assert (why.code, why.detail, why.remedy) == ("wrong_state", "you talk", "Hang up.")
    assert why.reason == Reason("rule", {"n": 1})
    with pytest.raises(CommandRefused) as failed:
        await asking.mailbox.ask("demo", "fail", {})
    assert failed.value.code == "internal"


async def test_what_nobody_claims_is_taken_back_and_never_done(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailbox_module, "LOOK_EVERY_S", 0.05)
    async with Database(postgres_url) as database:
        asking = process(database)
        async with running(asking):
            with pytest.raises(CommandRefused) as refused:
                await asking.mailbox.ask("demo", "double", {"number": 1}, within_s=0.2)
        assert refused.value.code == "pbx_unreachable"
        async with leases.hold(database, "demo", "late", NOW) as lease:
            owner = process(database, lease)
            async with running(owner):
                assert await owner.mailbox.ask("demo", "double", {"number": 2}) == {"twice": 4}
                await owner.mailbox._serve(owner.attachment)
        assert [body["number"] for body in owner.done] == [2]


async def test_an_owner_whose_term_has_ended_asks_whoever_has_the_pbx_now(
    two: tuple[Process, Process, Database],
) -> None:
    owner, _, database = two
    async with leases_after(database) as lease:
        now = process(database, lease)
        async with running(now):
            owner.attachment.pipeline.lease.until = 0.0  # as when it was frozen, and does not know yet
            assert await owner.mailbox.ask("demo", "double", {"number": 4}) == {"twice": 8}
    assert (len(owner.done), len(now.done)) == (0, 1)


async def test_a_claimed_question_is_done_by_nobody_else(
    two: tuple[Process, Process, Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, asking, database = two
    monkeypatch.setattr(mailbox_module, "ANSWER_WITHIN_S", 0.2)
    with pytest.raises(NotAnswered):
        await asking.mailbox.ask("demo", "hang", {"number": 1})
    async with leases_after(database) as lease:
        later = process(database, lease)
        async with running(later):
            await later.mailbox._serve(later.attachment)
        assert later.done == []
    assert len(owner.done) == 1


@asynccontextmanager
async def leases_after(database: Database) -> AsyncIterator[Lease]:
    """The next owner, as if the one before were gone: it renews its term until it learns of it."""
    async with asyncio.timeout(10):
        while True:
            async with database.begin() as conn:
                await conn.execute(leases.pbx_terms.update().values(until=NOW))
            try:
                async with leases.hold(database, "demo", "next", NOW) as lease:
                    yield lease
                    return
            except leases.LeaseTaken:
                continue


async def test_what_an_owner_had_in_hand_is_told_once_by_the_next(database: Database) -> None:
    told: list[Entry] = []
    async with database.begin() as conn:
        agent = await agents.add(conn, login="li", name="Li")
    in_hand = InHand(database, Desk(database, told.extend, lambda: NOW), lambda: NOW)
    async with leases.hold(database, "demo", "one", NOW) as first:
        for request in ("done", "in hand"):
            accepted = Accepted(request, agent, "hold", "demo:1:a")
            await in_hand.accept(first, accepted, f"hold {request}", key=request)
        await in_hand.done(agent, Accepted("done", agent, "hold", None), None, "demo:1:a")
        await in_hand.tell_left(first)
        assert [entry.body["request"] for entry in told] == ["done"], "its own are not left"
    async with leases.hold(database, "demo", "two", NOW) as second:
        await in_hand.tell_left(second)
        await in_hand.tell_left(second)
    assert [(e.body["request"], e.body["problem"]) for e in told] == [("done", None), ("in hand", LOST)]
    # The first one comes to life again, and has a result.
    await in_hand.done(agent, Accepted("in hand", agent, "hold", None), None, None)
    assert len(told) == 2
    assert await in_hand.repeated(agent, "in hand", "hold in hand") == "in hand"
    with pytest.raises(CommandRefused) as reused:
        await in_hand.repeated(agent, "in hand", "hangup")
    assert reused.value.code == "key_reused"
    with pytest.raises(CommandRefused) as stale:
        await in_hand.accept(first, Accepted("late", agent, "hold", None), "hold")
    assert stale.value.code == "pbx_unreachable"


async def test_who_has_a_desktop_anywhere_is_known_everywhere(postgres_url: str) -> None:
    async with Database(postgres_url) as one, Database(postgres_url) as two:
        async with one.begin() as conn:
            li, wang = [await agents.add(conn, login=name, name=name) for name in ("li", "wang")]
        seen: list[tuple[int, bool]] = []
        here, there = (presence(database, name) for database, name in ((one, "one"), (two, "two")))
        here.attachments = [owned(seen)]
        leave = there._hub.subscribe(Viewer(li))[1]
        there._hub.subscribe(Viewer(wang))
        here._hub.subscribe(Viewer(wang))
        await there.look()
        await here.look()
        assert set(here.connected()) == {li, wang}
        assert seen == [(li, True)], "Wang's own desktop was told by the hub"
        leave()
        await there.look()
        await here.look()
        assert seen == [(li, True), (li, False)]
        assert set(there.connected()) == {wang}


def presence(database: Database, name: str) -> Presence:
    return Presence(database, Notices(database), name, Hub())


def owned(seen: list[tuple[int, bool]]) -> Attachment:
    """An attachment whose floor only notes who is said to be connected."""
    pipeline = SimpleNamespace(put=lambda signal: seen.append((signal.agent, signal.connected)))
    return cast(Attachment, SimpleNamespace(owner=True, pipeline=pipeline))
