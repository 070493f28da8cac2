"""The callers of a PBX: what is kept of each for as long as the call is there, and read again when a phone
rings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from cti_server.floor.calls import Call
from cti_server.floor.signals import CallerIdentified
from cti_server.lookup import callers as module
from cti_server.lookup import identify
from cti_server.lookup.callers import Callers
from cti_server.lookup.identify import Identified, Lookup
from cti_server.record.crm import notes
from cti_server.record.database import Database
from tests.lookup.seed import FAMILY, NOW, World, seed


@pytest.fixture
async def world(database: Database) -> World:
    return await seed(database)


class Floor:
    """The legs of a floor, and what its callers have put into its inbox."""

    def __init__(self, lookup: Lookup) -> None:
        self.legs: set[str] = set()
        self.told: list[CallerIdentified] = []
        self.callers = Callers("demo", lookup, self.told.append, self.legs.__contains__)

    def call(self, linkedid: str, ani: str = "13800138000") -> Call:
        self.legs.add(linkedid)
        return Call("demo", 1, linkedid, 0.0, ani_raw=ani, match="pending")

    async def settled(self) -> None:
        """Return once all that was begun is done."""
        while tasks := list(self.callers._tasks.values()):
            await asyncio.gather(*tasks)


@pytest.fixture
async def floor(database: Database, world: World) -> AsyncIterator[Floor]:
    made = Floor(Lookup(database, now=lambda: NOW))
    yield made
    await made.callers.close()


async def arrived(floor: Floor, linkedid: str, ani: str = "13800138000") -> Call:
    """A call whose caller the dialplan asked for, and whose card has been read."""
    call = floor.call(linkedid, ani)
    identified = await floor.callers._lookup.identify("demo", ani)
    floor.callers.identified_by_dialplan(linkedid, identified)
    await floor.settled()
    call.match = identified.match.standing
    return call


async def test_the_card_is_there_when_the_floor_is_told(floor: Floor, world: World) -> None:
    call = await arrived(floor, "1.1")
    card = floor.callers.card(call)
    assert card is not None
    assert card["customer"] is not None
    assert (card["call"], card["customer"]["id"]) == (call.id, world.li)
    [told] = floor.told
    assert (told.leg, told.match, told.customer and told.customer["id"]) == ("1.1", "verified", world.li)


# --- how many are kept ------------------------------------------------------------------------------------


async def test_no_card_of_a_call_that_is_there_is_lost(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROOM", 1)
    monkeypatch.setattr(module, "EARLY_S", 0.0)
    floor.callers._room = 1
    calls = [await arrived(floor, f"1.{n}") for n in range(20)]
    assert all(floor.callers.card(call) is not None for call in calls)


async def test_callers_whose_calls_are_over_are_let_go(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lookup of a caller who hangs up at once ends after the call."""
    monkeypatch.setattr(module, "ROOM", 1)
    monkeypatch.setattr(module, "EARLY_S", 0.0)
    floor.callers._room = 1
    stays = await arrived(floor, "1.0")
    for n in range(1, 50):
        over = await arrived(floor, f"1.{n}")
        floor.legs.discard(over.linkedid)
        assert len(floor.callers._callers) <= 4
    assert floor.callers.card(stays) is not None


async def test_a_caller_whose_leg_may_be_about_to_come_is_kept(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ROOM", 1)
    floor.callers._room = 1
    early = await arrived(floor, "1.0")
    floor.legs.clear()
    for n in range(1, 10):
        await arrived(floor, f"1.{n}")
    assert floor.callers.card(early) is not None


async def test_a_call_that_ends_takes_its_caller_along(floor: Floor) -> None:
    call = await arrived(floor, "1.1")
    floor.callers.forget(call)
    assert floor.callers.card(call) is None
    assert not floor.callers._callers


# --- how old they are -------------------------------------------------------------------------------------


async def wrote(database: Database, world: World) -> None:
    async with database.begin() as conn:
        await notes.add(conn, world.li, "wants a call back", at=NOW, agent_id=world.agent)


async def test_a_phone_that_rings_later_shows_what_was_written_meanwhile(
    floor: Floor, database: Database, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FRESH_S", 0.0)
    call = await arrived(floor, "1.1")
    await wrote(database, world)
    floor.callers.freshen(call)
    await floor.settled()
    card = floor.callers.card(call)
    assert card is not None
    assert "wants a call back" in [note["text"] for note in card["notes"]]
    assert [told.customer and told.customer["id"] for told in floor.told] == [world.li, world.li]

    floor.callers.freshen(call)
    await floor.settled()
    assert len(floor.told) == 2, "nobody is told of a card that says the same"


async def test_a_phone_that_rings_at_once_costs_no_second_reading(
    floor: Floor, database: Database, world: World
) -> None:
    call = await arrived(floor, "1.1")
    await wrote(database, world)
    floor.callers.freshen(call)
    assert not floor.callers._tasks


async def test_what_an_agent_chose_meanwhile_is_not_undone(
    floor: Floor, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FRESH_S", 0.0)
    call = await arrived(floor, "1.1", FAMILY)
    reading = asyncio.Event()
    card = floor.callers._lookup.card

    async def slow(*args: Any, **how: Any) -> Any:
        read = await card(*args, **how)
        await reading.wait()
        return read

    monkeypatch.setattr(floor.callers._lookup, "card", slow)
    floor.callers.freshen(call)
    asked = asyncio.create_task(floor.callers.fresh_card(call))
    await asyncio.sleep(0)
    monkeypatch.setattr(floor.callers._lookup, "card", card)
    assert await floor.callers.choose(call, world.son, world.agent)
    reading.set()
    await asked
    await floor.settled()
    shown = floor.callers.card(call)
    assert shown is not None
    assert shown["customer"] is not None
    assert shown["customer"]["id"] == world.son
    assert [told.customer and told.customer["id"] for told in floor.told] == [None, world.son]


# --- who goes first ---------------------------------------------------------------------------------------


async def test_cards_wait_for_the_answers_to_callers_on_the_line(
    database: Database, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identify, "GIVES_WAY_S", 30.0)
    lookup = Lookup(database, now=lambda: NOW)
    known = await lookup.identify("demo", "13800138000")
    held = asyncio.Event()
    order: list[str] = []
    read_line = lookup.line

    async def slow_line(dnis: str | None) -> Any:
        await held.wait()
        return await read_line(dnis)

    async def answer() -> Identified:
        found = await lookup.identify("demo", "13800138000")
        order.append("answer")
        return found

    async def card() -> None:
        await lookup.card("c", replace(known))
        order.append("card")

    monkeypatch.setattr(lookup, "line", slow_line)
    answering = [asyncio.create_task(answer()) for _ in range(3)]
    await asyncio.sleep(0)
    reading = asyncio.create_task(card())
    await asyncio.sleep(0)
    held.set()
    await asyncio.gather(*answering, reading)
    assert order == ["answer", "answer", "answer", "card"]


async def test_no_card_waits_for_ever(database: Database, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identify, "GIVES_WAY_S", 0.01)
    lookup = Lookup(database, now=lambda: NOW)
    known = await lookup.identify("demo", "13800138000")
    monkeypatch.setattr(lookup, "line", lambda dnis: asyncio.Event().wait())
    endless = asyncio.create_task(lookup.identify("demo", "13800138000"))
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        assert (await lookup.card("c", known))["customer"] is not None
    endless.cancel()
    with pytest.raises(asyncio.CancelledError):
        await endless
