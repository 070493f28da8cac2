"""The layout of FreePBX: whatever of ours is missing or stopped, callers reach queue 600, and an agent whose dial
fails is told why."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from cti_server.demo.calls import Deskphone, PhoneHabits, place_call, trunk_far_end
from tests.live.asterisk_says import AsteriskSays
from tests.live.center import Center, until
from tests.live.freepbx import NIGHT, PEOPLE, QUEUE, pbx, served
from tests.live.stock import LINE, FreePbxLike
from tests.live.test_control import Shop, opened, phones
from tests.live.test_control import to as agent
from tests.live.test_doctor import changed
from tests.live.test_no_harm import detach
from tests.live.test_shift import Desk

__all__ = ["pbx", "phones"]

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]

ANI = "13800138000"
ALICE, BOB, TRUNK = "PJSIP/2001", "PJSIP/2002", "PJSIP/carrier"
MEMBER = "Local/2001@from-queue"
CUSTOM = "extensions_custom.conf"


@pytest.fixture
async def site(pbx: FreePbxLike, sqlite_url: str, tmp_path: Path) -> AsyncIterator[Center]:
    async with served(pbx, sqlite_url, tmp_path) as made:
        yield made


@pytest.fixture
async def shop(site: Center, phones: ExitStack) -> AsyncIterator[Shop]:
    async with opened(site, phones, "alice", "bob", "susan") as made:
        yield made
    site.pbx.cli("channel request hangup all")
    await AsteriskSays(site.pbx).nobody()


# --- half of an installation ------------------------------------------------------------------------------


async def reaches_queue(pbx: FreePbxLike) -> None:
    """A caller waits in queue 600, and a member behind a hint rings."""
    says = AsteriskSays(pbx)
    with Deskphone(pbx, "2001", PhoneHabits(ring_s=None)), place_call(pbx, ANI, LINE):

        async def rings() -> bool:
            there = {(one.device, one.state) for one in await says.channels()}
            return (ALICE, "Ringing") in there and any(device == MEMBER for device, _ in there)

        await until(rings, "a member of the queue that rings")
        assert await says.waiting(QUEUE) == [TRUNK]
    await says.nobody()


def without(line: str) -> Callable[[str], str]:
    return lambda text: text.replace(f"{line}\n", "")


HALVES: dict[str, tuple[str, Callable[[str], str]]] = {
    "as the page has it": (CUSTOM, lambda text: text),
    "no include": (CUSTOM, without("#tryinclude extensions_cti.conf")),
    "a misspelt include": (CUSTOM, lambda text: text.replace("extensions_cti.conf", "extension_cti.conf")),
    "no desk": (CUSTOM, without("#tryinclude extensions_cti_desk.conf")),
    "an empty extensions_cti.conf": ("extensions_cti.conf", lambda _: ""),
    "an empty cti_site.conf": ("cti_site.conf", lambda _: ""),
}


@pytest.mark.parametrize("half", HALVES)
async def test_a_caller_reaches_the_queue_with_half_of_ours(pbx: FreePbxLike, half: str) -> None:
    with changed(pbx, *HALVES[half], "dialplan reload"):
        await reaches_queue(pbx)


@pytest.mark.parametrize("file", ["extensions_cti.conf", "cti_site.conf"])
async def test_a_caller_reaches_the_queue_after_a_restart_without_a_file_of_ours(
    pbx: FreePbxLike, file: str
) -> None:
    """A dialplan that is read anew: where an include loses it, nothing is left of it."""
    path = pbx.etc / file
    gone = path.rename(path.with_suffix(".gone"))
    try:
        await asyncio.to_thread(pbx.restart)
        await reaches_queue(pbx)
    finally:
        gone.rename(path)
        pbx.cli("dialplan reload")


async def test_a_destination_without_what_it_calls_cuts_off(pbx: FreePbxLike) -> None:
    """FreePBX's own line, which nothing of ours can make safe: so the doctor says ✗, and `attach --undo` waits."""
    says, log = AsteriskSays(pbx), pbx.log_file
    with changed(pbx, CUSTOM, lambda text: text.partition("[cti-freepbx]")[0], "dialplan reload"):
        before = len(log.read_bytes())
        with place_call(pbx, ANI, LINE):
            await until(lambda: b"cti-freepbx" in log.read_bytes()[before:], "Asterisk to miss it")
            await says.nobody()
    await reaches_queue(pbx)


# --- what an agent does -----------------------------------------------------------------------------------


async def talks(shop: Shop) -> str:
    """Alice talks with a caller of queue 600; returns the call."""
    await shop.phone("2001")
    await shop.caller(LINE)
    call = await shop.agents["alice"].call(mine="talking", state="talking")
    await shop.says.are_together([ALICE, TRUNK])
    return str(call["call"])


async def test_hold_reaches_a_phone_behind_a_member(shop: Shop) -> None:
    """Its Queue() has no b(cti-leg…); the phone inherits what hold needs."""
    alice, call = shop.agents["alice"], await talks(shop)
    await alice.do(call, "hold")
    await alice.call(state="held")
    await alice.do(call, "retrieve")


async def test_a_colleague_is_added_without_confbridge_conf(shop: Shop) -> None:
    alice, call = shop.agents["alice"], await talks(shop)
    await shop.phone("2002")
    with changed(shop.site.pbx, "confbridge.conf", lambda _: "[general]\n", "module reload app_confbridge.so"):
        await alice.do(call, "conference", agent(shop.agents["bob"]))
        await shop.says.are_together([ALICE, BOB, TRUNK])


@pytest.mark.parametrize("verb", ["transfer", "conference"])
async def test_who_would_be_moved_where_nothing_is_stays(shop: Shop, verb: str) -> None:
    alice, call = shop.agents["alice"], await talks(shop)
    await shop.phone("2002")
    with changed(shop.site.pbx, "extensions_cti_desk.conf", lambda _: "", "dialplan reload"):
        done = await alice.ask(f"/api/calls/{call}/{verb}", agent(shop.agents["bob"]))
        assert (done["ok"], done["problem"]["code"]) == (False, "not_at_pbx"), done
        assert "#tryinclude extensions_cti_desk.conf   in extensions.conf" in done["problem"]["remedy"]
        assert CUSTOM in done["problem"]["remedy"]
        await shop.says.are_together([ALICE, TRUNK])
    await alice.do(call, verb, agent(shop.agents["bob"]))


@pytest.fixture
def roomless(pbx: FreePbxLike) -> Iterator[None]:
    """app_confbridge.so is not loaded, nor what needs it."""
    modules = ("app_page.so", "app_confbridge.so")
    for module in modules:
        pbx.cli(f"module unload {module}")
    yield
    for module in reversed(modules):
        pbx.cli(f"module load {module}")


@pytest.mark.usefixtures("roomless")
async def test_without_the_module_of_rooms_nobody_is_moved(shop: Shop) -> None:
    alice, call = shop.agents["alice"], await talks(shop)
    await shop.phone("2002")
    done = await alice.ask(f"/api/calls/{call}/conference", agent(shop.agents["bob"]))
    assert (done["ok"], done["problem"]["code"]) == (False, "not_at_pbx"), done
    remedy = shop.says.cli(done["problem"]["remedy"].removeprefix('asterisk -rx "').removesuffix('"'))
    await shop.says.are_together([ALICE, TRUNK])
    await remedy
    await alice.do(call, "conference", agent(shop.agents["bob"]))
    await shop.says.are_together([ALICE, BOB, TRUNK])


# --- a dial that fails ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "refuse", "why", "outcome"),
    [
        ("6001", "", "number_unknown", "failed"),  # no extension, no route: FreePBX says so in words
        ("13900139000", "404 Not Found", "number_unknown", "failed"),
        ("13900139000", "503 Service Unavailable", "congestion", "failed"),
        ("13900139000", "486 Busy Here", "busy", "busy"),
        ("2002", "", "unreachable", "failed"),  # a colleague whose phone is off
    ],
)
async def test_a_dial_by_the_outbound_routes_says_why(
    shop: Shop, number: str, refuse: str, why: str, outcome: str
) -> None:
    if refuse:
        habits = PhoneHabits(ring_s=0.1, refuse=refuse)
        shop.phones.enter_context(await asyncio.to_thread(trunk_far_end, shop.site.pbx, habits))
    await shop.phone("2001")
    assert await not_reached(shop, number) == why

    async def recorded() -> list[dict[str, Any]]:
        return [row for row in await shop.site.interactions() if row["ended_at"] is not None]

    (row, *_) = await until(recorded, "the contact in the record")
    assert (row["outcome"], row["dnis"]) == (outcome, number)


async def test_a_number_in_a_form_that_no_route_has(
    pbx: FreePbxLike, sqlite_url: str, tmp_path: Path, phones: ExitStack
) -> None:
    """Without CTI_DIAL=national: `+86…` matches neither `0X.` nor `1X.`."""
    async with (
        served(pbx, sqlite_url, tmp_path, CTI_DIAL="e164") as site,
        opened(site, phones, *PEOPLE, "susan") as shop,
    ):
        await shop.phone("2001")
        assert await not_reached(shop, "13900139000") == "number_unknown"


async def not_reached(shop: Shop, number: str) -> str:
    """Why a number that Alice dials is not reached, as her desktop is told."""
    alice = shop.agents["alice"]
    assert (await alice.ask("/api/me/shift", {"phone": None}))["ok"]  # only who is on shift dials outside
    done = await alice.ask("/api/calls", {"to": number})
    assert done["ok"], done

    def told() -> list[str]:
        parts = [frame["body"] for frame in alice.told if frame.get("kind") == "part.changed"]
        return [body["reason"] for body in parts if body["happened"] == "not_reached"]

    (reason,) = await until(told, "why nobody was reached", 10)
    return str(reason)


# --- the server goes --------------------------------------------------------------------------------------


def member(pbx: FreePbxLike, queue: str = QUEUE) -> str:
    """Alice's line of `queue show`; empty where she is no member."""
    lines = pbx.cli(f"queue show {queue}").splitlines()
    return next((line.strip() for line in lines if "2001" in line), "")


@pytest.fixture
async def alice(site: Center, phones: ExitStack) -> AsyncIterator[Desk]:
    """At work, and not ready yet: a static agent of 600, and a member of 601 as long as her shift lasts."""
    async with site.signed_in("alice") as api:
        desk = Desk(site, api)
        phones.enter_context(await asyncio.to_thread(Deskphone, site.pbx, "2001", PhoneHabits(ring_s=0.2)))
        await desk.connect()
        await desk.begin()
        await until(lambda: member(site.pbx, NIGHT), "a member of the queue that nobody is in")
        yield desk
    phones.close()
    await AsteriskSays(site.pbx).nobody()


async def test_a_stop_in_mid_call_leaves_a_queue_that_rings(
    pbx: FreePbxLike, alice: Desk, phones: ExitStack
) -> None:
    await alice.ready()
    phones.enter_context(await asyncio.to_thread(place_call, pbx, ANI, LINE))
    await until(lambda: "paused:on_call" in member(pbx), "the pause of a call")
    await alice.site.stop()
    assert "paused" not in member(pbx), member(pbx)
    assert member(pbx, NIGHT) == ""
    says = AsteriskSays(pbx)
    await says.are_together([ALICE, TRUNK])
    pbx.cli("queue reload all")
    assert "paused" not in member(pbx)
    phones.close()
    await says.nobody()
    await reaches_queue(pbx)

    await alice.site.start()  # who was at work is so again
    await until(lambda: member(pbx, NIGHT), "a member again")


async def test_detach_gives_back_what_a_killed_server_left(
    pbx: FreePbxLike, alice: Desk, phones: ExitStack
) -> None:
    """persistentmembers: what a server put into a queue, Asterisk has after its restart, too."""
    site = alice.site
    assert (await asyncio.to_thread(detach, site)).returncode == 1, "refused while the server runs"
    await site.stop(signal.SIGKILL)
    assert "paused" in member(pbx)
    phones.close()
    await asyncio.to_thread(pbx.restart)
    assert "paused" in member(pbx, NIGHT), "kept by persistentmembers"
    done = await asyncio.to_thread(detach, site)
    assert done.returncode == 0, done.stderr
    assert f"{NIGHT}: PJSIP/2001 is out of the queue" in done.stdout
    assert "paused" not in member(pbx)
    await reaches_queue(pbx)
    await asyncio.to_thread(pbx.restart)
    assert member(pbx, NIGHT) == "", "not even after a restart"
