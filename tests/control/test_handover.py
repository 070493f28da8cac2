"""The handover capsule: what is typed when sending, the draft in the record, what the floor knows by itself."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from cti_server.control import handover as handover_module
from cti_server.control.handover import Handovers, Sent
from cti_server.floor.calls import Call
from cti_server.floor.standing import Standing
from cti_server.record.contacts import wrap_ups
from cti_server.record.database import Database
from tests.control.floors import floor_when
from tests.control.site import site

BY_ALICE = Sent(2, "agent 2", "transfer", 100.0, to=3, said="wants a refund")


class Calls(dict[str, Call]):
    """The live calls."""

    def add(self, name: str) -> Call:
        call = self[f"demo:1:{name}"] = Call("demo", 1, name, 0.0)
        return call


async def test_only_who_it_is_meant_for_sees_it_and_the_last_counts(database: Database) -> None:
    calls = Calls()
    call = calls.add("a")
    handovers = Handovers(calls.get, database)
    await handovers.send(call, BY_ALICE)
    for_anybody = replace(BY_ALICE, to=None, at=200.0, said="again")
    assert handovers.view(call.id, 5) is None
    await handovers.send(call, for_anybody)

    capsule = handovers.view(call.id, 3)
    assert capsule is not None
    assert (capsule["said"], capsule["from"]) == ("again", {"agent": 2, "name": "agent 2"})
    assert handovers.view(call.id, 5) is not None
    assert handovers.view(call.id, 2) is None, "the sender gets their own call back without a capsule"
    assert handovers.view("demo:1:other", 3) is None


async def test_it_is_found_by_the_call_it_was_merged_into(database: Database) -> None:
    calls = Calls()
    younger, older = calls.add("younger"), calls.add("older")
    handovers = Handovers(calls.get, database)
    await handovers.send(younger, BY_ALICE)
    older.aliases.append("younger")
    assert handovers.view(older.id, 3) is not None


async def test_calls_that_are_over_are_forgotten_first(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handover_module, "MAX_CALLS", 2)
    calls = Calls()
    handovers = Handovers(calls.get, database)
    a, b, c, d = (calls.add(name) for name in "abcd")
    await handovers.send(a, BY_ALICE)
    await handovers.send(b, BY_ALICE)
    del calls[b.id]
    await handovers.send(c, BY_ALICE)
    assert handovers.view(a.id, 3) is not None
    await handovers.send(d, BY_ALICE)
    assert [handovers.view(one.id, 3) is not None for one in (a, c, d)] == [False, True, True]


async def test_the_draft_is_the_senders_and_is_read_again(database: Database) -> None:
    async with site(database) as here:
        scene = await here.play("attended-transfer", 2, Standing.TALKING)
        await here.play_written(scene.call)
        assert scene.call.interaction is not None

        async def note(agent: int, text: str, code: str | None) -> None:
            async with database.begin() as conn:
                mine = await wrap_ups.mine(conn, scene.call.interaction or 0, agent)
                assert mine is not None
                assert await wrap_ups.save_draft(conn, mine.id, {"note": text, "wrap_code": code})

        await note(2, "is angry", "billing/refund")
        handovers = here.control.handovers
        await handovers.send(scene.call, BY_ALICE)
        capsule = handovers.view(scene.call.id, 3)
        assert capsule is not None
        assert (capsule["note"], capsule["code"]) == ("is angry", "billing/refund")
        await note(2, "is angry, was promised a call", None)
        fresh = await here.control.handover(scene.call.id, 3)
        assert fresh is not None
        assert fresh["note"] == "is angry, was promised a call"


async def test_a_record_that_is_away_does_not_stop_the_transfer(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(*_: object) -> None:
        raise OSError("the database is gone")

    monkeypatch.setattr(wrap_ups, "mine", gone)
    calls = Calls()
    call = calls.add("a")
    call.interaction = 1
    handovers = Handovers(calls.get, database)
    assert (await handovers.send(call, BY_ALICE)).note is None
    assert handovers.view(call.id, 3) is not None


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
    capsule = Handovers(floor.calls.get, database).view(scene.call.id, agent)
    assert capsule is not None
    assert (capsule["from"], capsule["kind"], capsule["said"]) == ({"agent": 2, "name": "agent 2"}, kind, None)


async def test_a_call_from_a_queue_has_none(database: Database) -> None:
    floor, scene = floor_when("answered", 2, Standing.RINGING)
    assert Handovers(floor.calls.get, database).view(scene.call.id, 2) is None


async def test_a_transfer_does_not_wait_for_a_record_that_hangs(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hangs(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(wrap_ups, "mine", hangs)
    monkeypatch.setattr(handover_module, "DRAFT_S", 0.1)
    calls = Calls()
    call = calls.add("a")
    call.interaction = 1
    handovers = Handovers(calls.get, database)
    async with asyncio.timeout(5):
        assert await handovers.send(call, BY_ALICE) is BY_ALICE
    assert handovers.view(call.id, 3) is not None
