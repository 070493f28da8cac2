"""A PBX asks who is calling, with the database well, slow or broken: environment in, variables out."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from cti_server.ivr import identify as module
from cti_server.ivr.identify import Caller, Heard, IdentifyDialogue, caller_of
from cti_server.lookup.identify import Identified, Lookup
from cti_server.record.database import Database
from cti_server.rules.question import Ruling
from tests.lookup.seed import NOW, World, seed

ENV = {
    "agi_request": "agi://127.0.0.1:4573/identify?pbx=demo",
    "agi_uniqueid": "demo-1795323611.4",
    "agi_callerid": "13800138000",
    "agi_calleridname": 'Li "\r\n',
    "agi_dnid": "85550000",
    "agi_extension": "s",
}


class Channel:
    """The PBX's end of a session."""

    def __init__(self, env: Mapping[str, str] = ENV, hung_up: bool = False) -> None:
        self.env = env
        self.set: dict[str, str] = {}
        self._hung_up = hung_up

    async def finish(self, variables: Mapping[str, str]) -> None:
        if self._hung_up:
            raise ConnectionResetError("hung up")
        self.set = dict(variables)


class Delivered:
    """What reached the desktop's side."""

    def __init__(self) -> None:
        self.arrived: asyncio.Queue[tuple[str, str, Identified | None]] = asyncio.Queue()

    async def __call__(self, pbx: str, uniqueid: str, who: Identified | None) -> None:
        await self.arrived.put((pbx, uniqueid, who))


class SlowLookup(Lookup):
    """A lookup that waits to be let go."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.go = asyncio.Event()

    async def identify(self, *args: Any, **kwargs: Any) -> Identified:
        await self.go.wait()
        return await super().identify(*args, **kwargs)


class BrokenLookup(Lookup):
    async def identify(self, *args: Any, **kwargs: Any) -> Identified:
        raise OSError("no database\r\nhere")


@pytest.fixture
async def world(database: Database) -> World:
    return await seed(database)


async def test_in_time(database: Database, world: World) -> None:
    channel, delivered = Channel(), Delivered()
    async with IdentifyDialogue(Lookup(database, now=lambda: NOW), delivered, deadline_ms=5000) as dialogue:
        await dialogue(channel)
        pbx, uniqueid, who = await delivered.arrived.get()
    assert channel.set["CTI_CUSTOMER"] == str(world.li)
    assert list(channel.set)[-1] == "CTI_STATUS"
    assert channel.set["CTI_STATUS"] == "ok"
    assert (pbx, uniqueid) == ("demo", "demo-1795323611.4")
    assert who is not None
    assert who.ani_name == 'Li "\r\n'


async def test_late_for_the_caller_but_not_for_the_desktop(database: Database, world: World) -> None:
    channel, delivered, ended = Channel(), Delivered(), []
    slow = SlowLookup(database, now=lambda: NOW)
    async with IdentifyDialogue(
        slow, delivered, deadline_ms=20, observe=lambda status, seconds: ended.append(status)
    ) as dialogue:
        await dialogue(channel)
        assert channel.set == {"CTI_STATUS": "timeout"}
        assert delivered.arrived.empty()
        slow.go.set()
        _, _, who = await delivered.arrived.get()
    assert who is not None
    assert who.customer is not None
    assert who.customer.id == world.li
    assert ended == ["timeout"]


async def test_the_database_is_broken(database: Database) -> None:
    channel, delivered = Channel(), Delivered()
    async with IdentifyDialogue(BrokenLookup(database), delivered) as dialogue:
        await dialogue(channel)
        assert channel.set == {"CTI_STATUS": "error"}
        assert (await delivered.arrived.get())[2] is None


async def test_the_caller_hung_up(database: Database, world: World) -> None:
    delivered = Delivered()
    async with IdentifyDialogue(Lookup(database), delivered, deadline_ms=5000) as dialogue:
        await dialogue(Channel(hung_up=True))
        assert (await delivered.arrived.get())[2] is not None


async def test_the_desktops_side_fails(database: Database, world: World) -> None:
    async def fails(pbx: str, uniqueid: str, who: Identified | None) -> None:
        raise RuntimeError("full")

    channel = Channel()
    async with IdentifyDialogue(Lookup(database), fails, deadline_ms=5000) as dialogue:
        await dialogue(channel)
    assert channel.set["CTI_STATUS"] == "ok"


async def test_too_many_under_way(database: Database, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_UNDER_WAY", 1)
    slow = SlowLookup(database)
    first, second = Channel(), Channel()
    async with IdentifyDialogue(slow, Delivered(), deadline_ms=5000) as dialogue:
        waiting = asyncio.create_task(dialogue(first))
        await asyncio.sleep(0)
        await dialogue(second)
        assert second.set == {"CTI_STATUS": "timeout"}
        slow.go.set()
        await waiting
    assert first.set["CTI_STATUS"] == "ok"


async def test_it_ends_with_the_server(database: Database) -> None:
    slow, delivered = SlowLookup(database), Delivered()
    async with IdentifyDialogue(slow, delivered, deadline_ms=10) as dialogue:
        await dialogue(Channel())
    assert delivered.arrived.empty()


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({}, ("main", None, None, None, None)),
        (
            {"agi_callerid": "unknown", "agi_dnid": "unknown", "agi_extension": "400"},
            ("main", None, None, "400", None),
        ),
        ({"agi_network_script": "identify?pbx=east&dnis=4008001234"}, ("east", None, None, "4008001234", None)),
        ({"agi_request": "agi://[", "agi_callerid": "1"}, ("main", "1", None, None, None)),
        ({"agi_network_script": "identify?dnis=+864008001234"}, ("main", None, None, "+864008001234", None)),
        (
            {"agi_network_script": "identify?dnis=%2B864008001234&pbx="},
            ("main", None, None, "+864008001234", None),
        ),
        ({"agi_callerid": "+8613800138000;npdi"}, ("main", "+8613800138000;npdi", None, None, None)),
        (
            {"agi_request": "agi://h/identify?pbx=p&secret=%2B8613800138000"},
            ("p", None, None, None, "+8613800138000"),
        ),
        ({"agi_request": "agi://h/identify?pbx=p&secret="}, ("p", None, None, None, None)),
    ],
)
def test_environments(env: dict[str, str], expected: tuple[str, ...]) -> None:
    assert caller_of(env, "main") == expected


class Ruled:
    """Answers each question by one ruling, and repeats what was found before."""

    def __init__(self, ruling: Ruling, before: Identified | None = None) -> None:
        self.heard = Heard(ruling, before)
        self.asked: list[tuple[Caller, str, float]] = []

    async def __call__(self, caller: Caller, uniqueid: str, grace_s: float) -> Heard:
        self.asked.append((caller, uniqueid, grace_s))
        return self.heard


async def test_a_question_that_is_refused_finds_and_tells_nothing(
    database: Database, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    channel, delivered, ended = Channel(), Delivered(), []
    ruled = Ruled(Ruling("refuse", "other_number", {"numbers_said": 2}))
    async with IdentifyDialogue(
        BrokenLookup(database), delivered, observe=lambda status, seconds: ended.append(status), hear=ruled
    ) as dialogue:
        await dialogue(channel)
    assert channel.set == {"CTI_STATUS": "unknown"}
    assert delivered.arrived.empty()
    assert (dialogue.refused, ended) == ({"other_number": 1}, ["refused"])
    said = capsys.readouterr().out
    assert "identify.refused" in said
    assert "13800138000" not in said
    assert ruled.asked[0][1:] == ("demo-1795323611.4", 0.15)


async def test_of_many_refusals_some_are_logged(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    ruled = Ruled(Ruling("refuse", "unknown_channel"))
    async with IdentifyDialogue(BrokenLookup(database), Delivered(), hear=ruled) as dialogue:
        for _ in range(350):
            await dialogue(Channel())
    assert capsys.readouterr().out.count("identify.refused") == module.MAX_LOGGED + 2


async def test_what_was_found_first_is_the_answer_again_and_is_told_once(database: Database, world: World) -> None:
    first = await Lookup(database, now=lambda: NOW).identify("demo", "13800138000")
    channel, delivered = Channel(), Delivered()
    ruled = Ruled(Ruling("repeat", "asked_before"), first)
    async with IdentifyDialogue(BrokenLookup(database), delivered, hear=ruled) as dialogue:
        await dialogue(channel)
    assert (channel.set["CTI_STATUS"], channel.set["CTI_CUSTOMER"]) == ("ok", str(world.li))
    assert delivered.arrived.empty()


async def test_while_the_manager_is_away_the_caller_is_answered_and_no_desk_is_told(
    database: Database, world: World
) -> None:
    channel, delivered = Channel(), Delivered()
    ruled = Ruled(Ruling("ask", "manager_away", told=False))
    async with IdentifyDialogue(
        Lookup(database, now=lambda: NOW), delivered, deadline_ms=5000, hear=ruled
    ) as dialogue:
        await dialogue(channel)
        await asyncio.gather(*dialogue._under_way)
    assert channel.set["CTI_STATUS"] == "ok"
    assert delivered.arrived.empty()
