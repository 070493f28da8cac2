"""What may be wrong with an installation, and harms no caller: half of it is missing, the trunk is wrong, the
server is stopped, killed or taken away in the middle of a call."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from cti_server.demo.calls import Deskphone, PhoneHabits, place_call, trunk_far_end
from cti_server.demo.pbx import DemoPbx
from tests.live.asterisk_says import TRUNK
from tests.live.center import Center, center, until
from tests.live.test_control import ALICE, Shop, phones, shop
from tests.live.test_control import to as agent
from tests.live.test_shift import Desk

__all__ = ["phones", "shop"]

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]


@pytest.fixture
async def site(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Center]:
    async with center(sqlite_url, tmp_path) as made:
        await made.start()
        yield made


@contextmanager
def changed(pbx: DemoPbx, file: str, change: Callable[[str], str], reload: str) -> Iterator[None]:
    path = pbx.work / "etc" / file
    before = path.read_text()
    try:
        path.write_text(change(before))
        pbx.cli(reload)
        yield
    finally:
        path.write_text(before)
        pbx.cli(reload)


# --- half of an installation ------------------------------------------------------------------------------


async def test_who_would_be_moved_to_a_context_that_is_not_there_stays(shop: Shop) -> None:
    """Asterisk itself hangs up whom a Redirect or BlindTransfer sends nowhere."""
    alice, call = await shop.alice_talks()
    await shop.phone("1002")
    pbx = shop.site.pbx
    without = changed(pbx, "extensions_cti_desk.conf", lambda _: "", "dialplan reload")
    with without:
        for verb, body in (
            ("transfer", agent(shop.agents["bob"])),
            ("park", None),
            ("conference", agent(shop.agents["bob"])),
        ):
            done = await alice.ask(f"/api/calls/{call}/{verb}", body)
            assert (done["ok"], done["problem"]["code"]) == (False, "not_at_pbx"), (verb, done)
            assert "nothing was done" in done["problem"]["detail"]
            assert "#tryinclude extensions_cti_desk.conf" in done["problem"]["remedy"]
            await shop.says.are_together([ALICE, TRUNK])
    await alice.do(call, "conference", agent(shop.agents["bob"]))
    await alice.call(state="conference")


async def test_a_room_needs_nothing_of_confbridge_conf(shop: Shop) -> None:
    """Whoever was turned into a conference was hung up where confbridge_cti.conf was not included."""
    alice, call = await shop.alice_talks()
    await shop.phone("1002")
    with changed(shop.site.pbx, "confbridge.conf", lambda _: "[general]\n", "module reload app_confbridge.so"):
        await alice.do(call, "conference", agent(shop.agents["bob"]))
        await shop.says.are_together([ALICE, "PJSIP/1002", TRUNK])


# --- a wrong trunk ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trunk", "refuse", "why", "outcome"),
    [
        ("misspelt", "", "no_trunk", "failed"),
        ("cti-trunk", "404 Not Found", "number_unknown", "failed"),
        ("cti-trunk", "503 Service Unavailable", "congestion", "failed"),
        ("cti-trunk", "486 Busy Here", "busy", "busy"),
    ],
)
async def test_a_dial_that_fails_says_why_at_once(
    shop: Shop, trunk: str, refuse: str, why: str, outcome: str
) -> None:
    if refuse:
        habits = PhoneHabits(ring_s=0.1, refuse=refuse)
        shop.phones.enter_context(await asyncio.to_thread(trunk_far_end, shop.site.pbx, habits))
    alice = shop.agents["alice"]
    await shop.phone("1001")
    assert (await alice.ask("/api/me/shift", {"phone": None}))["ok"]
    wrong = lambda text: text.replace("Set(CTI_TRUNK=cti-trunk)", f"Set(CTI_TRUNK={trunk})")  # noqa: E731
    with changed(shop.site.pbx, "cti_site.conf", wrong, "dialplan reload"):
        # Whether the phone was seen to ring is another thing: where the machine stalls, all is over by then.
        await alice.ask("/api/calls", {"to": "13900139000"})

        def told() -> list[dict[str, Any]]:
            parts = [f["body"] for f in alice.told if f.get("kind") == "part.changed"]
            return [body for body in parts if body["happened"] == "not_reached"]

        (body,) = await until(told, "why nobody was reached", 10)
    assert body["reason"] == why

    async def recorded() -> list[dict[str, Any]]:
        rows = await shop.site.interactions()
        return [row for row in rows if row["ended_at"] is not None]

    (row, *_) = await until(recorded, "the contact in the record")
    assert (row["direction"], row["outcome"]) == ("outbound", outcome)
    assert row["dnis"].endswith("13900139000"), row


# --- the server goes ----------------------------------------------------------------------------------------


def members(pbx: DemoPbx, queue: str) -> list[str]:
    return [line.strip() for line in pbx.cli(f"queue show {queue}").splitlines() if "PJSIP/1001" in line]


async def test_a_stop_in_mid_call_leaves_queues_that_ring(site: Center, phones: ExitStack) -> None:
    pbx = site.pbx
    before = {queue: members(pbx, queue) for queue in ("support", "night")}
    assert before["support"], "a member of queues.conf"
    assert before["night"] == [], "nobody"
    async with site.signed_in("alice") as api:
        alice = Desk(site, api)
        phones.enter_context(await asyncio.to_thread(Deskphone, pbx, "1001", PhoneHabits(ring_s=0.2)))
        await alice.connect()
        await alice.begin()
        await alice.ready()
        await until(lambda: members(pbx, "night"), "a member of the queue that nobody is in")
        assert "paused:on_call" not in members(pbx, "support")[0]
        phones.enter_context(await asyncio.to_thread(place_call, pbx, "02162881234", "4008004000"))
        await until(lambda: "on_call" in members(pbx, "support")[0], "the pause of a call")
        await site.stop(signal.SIGTERM)
    assert "paused" not in members(pbx, "support")[0], members(pbx, "support")
    assert members(pbx, "night") == []
    assert len([c for c in pbx.cli("core show channels concise").splitlines() if "!Up!" in c]) >= 2, "they talk on"
    pbx.cli("queue reload all")
    assert "paused" not in members(pbx, "support")[0]

    await site.start()  # who was at work is so again
    await until(lambda: members(pbx, "night"), "a member again")
    await until(lambda: "on_call" in members(pbx, "support")[0], "paused in the call again")


def detach(site: Center, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cti_server", "detach", *options]
    return subprocess.run(command, env=site.environment(), capture_output=True, text=True, timeout=60, cwd="/")


async def test_detach_gives_back_what_a_killed_server_left(site: Center, phones: ExitStack) -> None:
    pbx = site.pbx
    pbx.cli("queue add member PJSIP/1005 to sales")
    pbx.cli("queue pause member PJSIP/1005 queue sales reason lunch_of_somebody_else")
    async with site.signed_in("alice") as api:
        alice = Desk(site, api)
        phones.enter_context(await asyncio.to_thread(Deskphone, pbx, "1001", PhoneHabits(ring_s=0.2)))
        await alice.connect()
        await alice.begin()
        await until(lambda: members(pbx, "night"), "a member of the queue that nobody is in")
        refused = await asyncio.to_thread(detach, site)
        assert refused.returncode == 1
        assert "systemctl stop cti-server" in refused.stderr
        await site.stop(signal.SIGKILL)
    assert "paused" in members(pbx, "support")[0]
    done = await asyncio.to_thread(detach, site)
    assert done.returncode == 0, done.stderr
    assert "night: PJSIP/1001 is out of the queue" in done.stdout
    assert "paused" not in members(pbx, "support")[0]
    assert members(pbx, "night") == []
    others = [line for line in pbx.cli("queue show sales").splitlines() if "PJSIP/1005" in line]
    assert "lunch_of_somebody_else" in others[0], "what others set is theirs"
    again = await asyncio.to_thread(detach, site)
    assert (again.returncode, "nothing of this server" in again.stdout) == (0, True)


async def test_who_had_gone_home_is_not_rung_after_a_restart(site: Center, phones: ExitStack) -> None:
    """A member of queues.conf stays one after a shift, paused. A stop unpauses; the next start pauses again."""
    pbx = site.pbx
    async with site.signed_in("alice") as api:
        alice = Desk(site, api)
        phones.enter_context(await asyncio.to_thread(Deskphone, pbx, "1001", PhoneHabits(ring_s=None)))
        await alice.connect()
        await alice.begin()
        done = await alice.ask("DELETE", "/api/me/shift")
        assert done["ok"], done
    await until(lambda: "signed_out" in members(pbx, "support")[0], "the pause of who went home")
    await site.stop(signal.SIGTERM)
    assert "paused" not in members(pbx, "support")[0]
    await site.start()
    await until(lambda: "signed_out" in members(pbx, "support")[0], "the pause again")


async def test_after_a_crash_in_mid_call_the_next_start_mends_the_pause(site: Center, phones: ExitStack) -> None:
    pbx = site.pbx
    async with site.signed_in("alice") as api:
        alice = Desk(site, api)
        phone = phones.enter_context(await asyncio.to_thread(Deskphone, pbx, "1001", PhoneHabits(ring_s=0.2)))
        await alice.connect()
        await alice.begin()
        await alice.ready()
        phones.enter_context(await asyncio.to_thread(place_call, pbx, "02162881234", "4008004000"))
        await until(lambda: "on_call" in members(pbx, "support")[0], "the pause of a call")

        async def numbered() -> int | None:
            number: int | None = (await alice.call())["interaction"]
            return number

        interaction = await until(numbered, "the row of the call")
        await site.stop(signal.SIGKILL)
    phone.hang_up()
    await until(lambda: "!Up!" not in pbx.cli("core show channels concise"), "the end of the call")
    assert "on_call" in members(pbx, "support")[0], "nobody is there to mend it"

    await site.start()
    async with site.signed_in("alice") as api:
        alice = Desk(site, api)
        await alice.connect()

        async def wrapped_up() -> bool:
            return (
                await api.post(
                    f"/api/interactions/{interaction}/wrap-up", json={"code": None, "note": "seen by nobody"}
                )
            ).is_success

        await until(wrapped_up, "the wrap-up of the call that ended unseen")
        await until(lambda: "paused" not in members(pbx, "support")[0], "a phone that is rung again")
        await alice.leave()
