"""The handover capsule: what is typed when sending, the draft in the record, what the floor knows by itself."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from cti_server.control import handover as handover_module
from cti_server.control.handover import Handovers
from cti_server.floor.replica import Replica
from cti_server.floor.standing import Standing
from cti_server.push.capsules import Capsules
from cti_server.record.center import agents
from cti_server.record.contacts import wrap_ups
from cti_server.record.database import Database
from cti_server.record.processes import handovers
from cti_server.record.processes.handovers import Handover
from tests.control.floors import floor_when
from tests.control.site import NOW, site
from tests.floor.replicas import replica_of
from tests.floor.test_transcripts import SEATS

BY_ALICE = Handover(2, "agent 2", "transfer", NOW, to=3, said="wants a refund")


@pytest.fixture
async def staffed(database: Database) -> Database:
    async with database.begin() as conn:
        for number, seat in SEATS.items():
            await agents.add(conn, login=f"agent{number}", name=f"agent {number}", seat=seat, pbx="demo")
    return database


def talking() -> tuple[Replica, str]:
    """A replica with a call from a queue that agent 2 answered; the call's id."""
    floor, scene = floor_when("answered", 2, Standing.TALKING)
    return replica_of(floor.books), scene.call.id


async def test_only_who_it_is_meant_for_sees_it_and_the_last_counts(staffed: Database) -> None:
    replica, call = talking()
    left, capsules = Handovers(staffed), Capsules(replica, staffed)
    await left.leave(call, BY_ALICE)
    assert await capsules.read(call, 5) is None
    await left.leave(call, replace(BY_ALICE, to=None, at=NOW + timedelta(minutes=1), said="again"))

    capsule = await capsules.read(call, 3)
    assert capsule is not None
    assert (capsule["said"], capsule["from"]) == ("again", {"agent": 2, "name": "agent 2"})
    assert await capsules.read(call, 5) is not None
    assert await capsules.read(call, 2) is None, "the sender gets their own call back without a capsule"
    assert await capsules.read("demo:1:other", 3) is None


async def test_it_is_found_by_the_call_it_was_merged_into(staffed: Database) -> None:
    replica, call = talking()
    await Handovers(staffed).leave("demo:1:younger", BY_ALICE)
    capsules = Capsules(replica, staffed)
    assert await capsules.read(call, 3) is None
    younger = replica.calls[call] | {"call": "demo:1:younger", "state": "ended", "merged_into": call}
    replica.take("call.ended", {"call": younger})
    assert await capsules.read(call, 3) is not None
    again = Replica("demo")
    again.load(replica.whole())
    assert await Capsules(again, staffed).read(call, 3) is not None, "also where a process begins later"


async def test_what_did_not_go_is_withdrawn_and_the_old_is_forgotten(staffed: Database) -> None:
    replica, call = talking()
    left, capsules = Handovers(staffed), Capsules(replica, staffed)
    number = await left.leave(call, BY_ALICE)
    assert number is not None
    await left.withdraw(number)
    assert await capsules.read(call, 3) is None
    await left.leave(call, BY_ALICE)
    async with staffed.begin() as conn:
        await handovers.prune(conn, NOW + handovers.KEPT - timedelta(seconds=1))
    assert await capsules.read(call, 3) is not None
    async with staffed.begin() as conn:
        await handovers.prune(conn, NOW + handovers.KEPT + timedelta(seconds=1))
    assert await capsules.read(call, 3) is None


async def test_the_draft_is_the_senders_and_is_read_again(database: Database) -> None:
    async with site(database) as here:
        scene = await here.play("attended-transfer", 2, Standing.TALKING)
        await here.play_written(scene.call)
        assert scene.call.interaction is not None
        cards = here.attachment.stream.cards
        assert cards is not None

        async def note(agent: int, text: str, code: str | None) -> None:
            async with database.begin() as conn:
                mine = await wrap_ups.mine(conn, scene.call.interaction or 0, agent)
                assert mine is not None
                assert await wrap_ups.save_draft(conn, mine.id, {"note": text, "wrap_code": code})

        await note(2, "is angry", "billing/refund")
        await Handovers(database).leave(scene.call.id, BY_ALICE)
        capsule = await cards.handover(scene.call.id, 3)
        assert capsule is not None
        assert (capsule["note"], capsule["code"]) == ("is angry", "billing/refund")
        await note(2, "is angry, was promised a call", None)
        fresh = await cards.handover(scene.call.id, 3)
        assert fresh is not None
        assert fresh["note"] == "is angry, was promised a call"


@pytest.mark.parametrize("fault", ["fails", "hangs"])
async def test_a_record_that_is_away_does_not_stop_the_transfer(
    staffed: Database, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    async def gone(*_: object) -> None:
        if fault == "hangs":
            await asyncio.Event().wait()
        raise OSError("the database is gone")

    monkeypatch.setattr(handovers, "leave", gone)
    monkeypatch.setattr(handover_module, "WITHIN_S", 0.1)
    async with asyncio.timeout(5):
        assert await Handovers(staffed).leave("demo:1:a", BY_ALICE) is None


@pytest.mark.parametrize(
    ("transcript", "agent", "standing", "kind"),
    [
        ("attended-transfer", 3, Standing.RINGING, "consult"),
        ("attended-transfer", 3, Standing.TALKING, "consult"),
        ("blind-transfer", 3, Standing.RINGING, "transfer"),
        ("blonde-transfer", 3, Standing.TALKING, "transfer"),
    ],
)
async def test_a_call_given_by_a_phones_own_keys_has_a_capsule_too(
    database: Database, transcript: str, agent: int, standing: Standing, kind: str
) -> None:
    floor, scene = floor_when(transcript, agent, standing)
    capsule = await Capsules(replica_of(floor.books), database).read(scene.call.id, agent)
    assert capsule is not None
    assert (capsule["from"], capsule["kind"], capsule["said"]) == ({"agent": 2, "name": "agent 2"}, kind, None)


async def test_a_call_from_a_queue_has_none(database: Database) -> None:
    floor, scene = floor_when("answered", 2, Standing.RINGING)
    assert await Capsules(replica_of(floor.books), database).read(scene.call.id, 2) is None
