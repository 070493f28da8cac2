"""The attachment to a real Asterisk: wrong secret, TLS, a killed and restarted PBX, two PBXs at once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr

from cti_server.asterisk.link import Link
from cti_server.demo.calls import Deskphone, PhoneHabits, place_call
from cti_server.demo.pbx import DemoPbx, free_config
from cti_server.floor.apply import Floor
from cti_server.floor.signals import LinkState, Signal
from cti_server.record import migrate
from cti_server.settings import Account, PbxSettings
from tests.live.center import Center, center, until

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]


class Inbox:
    """Takes signals and applies them, as the pipeline does, without a record."""

    def __init__(self, pbx: str) -> None:
        self.floor = Floor(pbx)
        self.states: list[LinkState] = []
        self.told: list[str] = []

    def __call__(self, signal: Signal) -> None:
        for event in self.floor.apply(signal):
            self.told.append(event.kind)
            if event.kind == "link.changed":
                self.states.append(LinkState(event.body["state"]))


def account(pbx: DemoPbx, secret: str | None = None) -> Account:
    return Account(user="cti-events", secret=SecretStr(secret or pbx.config.secrets["cti-events"]))


@asynccontextmanager
async def attached(settings: PbxSettings) -> AsyncIterator[tuple[Link, Inbox]]:
    inbox = Inbox(settings.name)
    link = Link(settings, inbox, snapshot_every_s=2)
    running = asyncio.create_task(link.run())
    try:
        yield link, inbox
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_wrong_secret_is_named_and_mended_without_a_restart(
    demo_pbx: DemoPbx, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cti_server.asterisk.link.REFUSED_AGAIN_S", 2.0)
    manager = demo_pbx.work / "etc" / "manager.conf"
    before, secret = manager.read_text(), demo_pbx.config.secrets["cti-events"]
    assert secret in before
    manager.write_text(before.replace(secret, "somebody changed it"))
    try:
        await asyncio.to_thread(demo_pbx.cli, "manager reload")
        settings = PbxSettings(name="demo", port=demo_pbx.config.ami_port, events=account(demo_pbx))
        async with attached(settings) as (link, inbox):
            await until(lambda: link.state is LinkState.REFUSED, "the refusal")
            assert "refused AMI user cti-events: Authentication failed" in (link.detail or "")
            assert inbox.states == [LinkState.REFUSED]
            failed = demo_pbx.log_file.read_text().count("failed to authenticate as 'cti-events'")
            assert failed == 1

            manager.write_text(before)
            await asyncio.to_thread(demo_pbx.cli, "manager reload")
            await until(lambda: link.state is LinkState.LIVE, "the next try")
            assert LinkState.STALE not in inbox.states
    finally:
        manager.write_text(before)
        await asyncio.to_thread(demo_pbx.cli, "manager reload")


async def test_ami_over_tls_with_the_right_authority_and_not_without(demo_pbx: DemoPbx) -> None:
    plain = PbxSettings(
        name="demo",
        port=demo_pbx.config.ami_tls_port,
        tls=True,
        ca=demo_pbx.ami_certificate,
        events=account(demo_pbx),
    )
    async with attached(plain) as (link, _):
        await until(lambda: link.state is LinkState.LIVE, "the link over TLS")
    stranger = plain.model_copy(update={"ca": None})
    async with attached(stranger) as (link, _):
        await until(lambda: "CERTIFICATE_VERIFY_FAILED" in (link.detail or ""), "the certificate to be refused")
        assert link.state is LinkState.STALE


async def test_asterisk_killed_in_mid_call_and_started_again(tmp_path: Path) -> None:
    config = free_config("phoenix", fastagi="127.0.0.1:9")
    pbx = await asyncio.to_thread(DemoPbx(config).__enter__)
    try:
        settings = PbxSettings(name="phoenix", port=config.ami_port, events=account(pbx))
        async with attached(settings) as (link, inbox):
            await until(lambda: link.state is LinkState.LIVE, "the link")
            phone = await asyncio.to_thread(Deskphone, pbx, "1001", PhoneHabits(ring_s=0.2))
            caller = place_call(pbx, "13800138000", "4008004000", stay_s=60)
            call = await until(
                lambda: next((c for c in inbox.floor.calls.values() if c.connected()), None), "talk"
            )
            boot = inbox.floor.books.boot
            await asyncio.to_thread(pbx.kill9)
            caller.close()
            await until(lambda: link.state is LinkState.STALE, "the loss to be noticed")
            assert not call.ended, "the end was not seen, so nothing is claimed yet"
            phone.close()

            await asyncio.to_thread(pbx.start)
            await until(lambda: link.state is LinkState.LIVE, "the link to come back", 30)
            assert inbox.floor.books.boot != boot
            assert (call.outcome, call.ended_by, call.complete, call.ended_at) == (
                "answered",
                "unknown",
                False,
                None,
            )
            assert not inbox.floor.calls
    finally:
        await asyncio.to_thread(pbx.__exit__, None, None, None)


async def test_two_pbxs_are_two_floors_of_one_server(tmp_path: Path, demo_pbx: DemoPbx) -> None:
    url = f"sqlite:///{tmp_path}/two.db"
    await migrate.upgrade(url)
    secret = {"user": "cti-events", "secret": demo_pbx.config.secrets["cti-events"]}
    async with center(url, tmp_path, pbx="east") as site:
        east = {"name": "east", "port": site.pbx.config.ami_port}
        east["events"] = {"user": "cti-events", "secret": site.pbx.config.secrets["cti-events"]}
        west = {"name": "west", "port": demo_pbx.config.ami_port, "events": secret}
        site.extra["CTI_PBXS"] = json.dumps([east, west])
        await site.start()
        async with site.signed_in("susan") as api:
            ready = (await api.get("/readyz")).json()
        assert ready["links"] == {"east": "live", "west": "live"}
        phone = await asyncio.to_thread(Deskphone, site.pbx, "1001", PhoneHabits(ring_s=0.2))
        caller = place_call(site.pbx, "02162881234", "4008004000", stay_s=3)
        (row,) = await until(lambda: ended(site), "the call at the east")
        assert row["call"].startswith("east:")
        assert row["outcome"] == "answered"
        caller.close()
        phone.close()


async def ended(site: Center) -> list[dict[str, object]]:
    return [row for row in await site.interactions() if row["outcome"] is not None]


async def test_a_member_whose_phone_is_named_by_a_hint_as_freepbx_does(demo_pbx: DemoPbx) -> None:
    queues = demo_pbx.work / "etc" / "queues.conf"
    before = queues.read_text()
    queues.write_text(before + "\n[night](+)\nmember = Local/1002@from-queue/n,0,Bob,hint:1002@cti-phones\n")
    try:
        await asyncio.to_thread(demo_pbx.cli, "queue reload all")
        settings = PbxSettings(name="demo", port=demo_pbx.config.ami_port, events=account(demo_pbx))
        async with attached(settings) as (link, inbox):
            await until(lambda: link.state is LinkState.LIVE, "the link")
            (member,) = inbox.floor.queues["night"].members.values()
            assert (member.interface, member.seat) == ("Local/1002@from-queue/n", "PJSIP/1002")
    finally:
        queues.write_text(before)
        await asyncio.to_thread(demo_pbx.cli, "queue reload all")


async def test_a_queue_that_is_taken_out_of_the_files_leaves_the_floor(demo_pbx: DemoPbx) -> None:
    queues = demo_pbx.work / "etc" / "queues.conf"
    before = queues.read_text()
    queues.write_text(before + "\n[summer]\nmember = PJSIP/1002\n")
    try:
        await asyncio.to_thread(demo_pbx.cli, "queue reload all")
        settings = PbxSettings(name="demo", port=demo_pbx.config.ami_port, events=account(demo_pbx))
        async with attached(settings) as (_, inbox):
            await until(lambda: "summer" in inbox.floor.queues, "the queue")
            queues.write_text(before)
            await asyncio.to_thread(demo_pbx.cli, "queue reload all")
            await until(lambda: "summer" not in inbox.floor.queues, "the queue to be gone")
            assert inbox.told.count("queue.removed") == 1
            assert "support" in inbox.floor.queues
    finally:
        queues.write_text(before)
        await asyncio.to_thread(demo_pbx.cli, "queue reload all")
