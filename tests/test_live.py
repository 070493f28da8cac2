"""Shifts and states asked for over the API: each request has one result, also when something is away."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from cti_server.commands import CommandRefused, Sitting
from cti_server.desk import Desk
from cti_server.floor.signals import LinkChanged, LinkState, MemberChanged, MemberRemoved, MemberStatus
from cti_server.in_hand import InHand
from cti_server.live import agent_commands
from cti_server.live.agent_commands import AgentCommands
from cti_server.live.attached import Attached
from cti_server.live.presence import Presence
from cti_server.record.center import agents
from cti_server.record.center.agents import Agent
from cti_server.record.database import Database
from cti_server.record.journal import Entry
from cti_server.record.processes.notices import Notices
from cti_server.rules.rights import Viewer
from tests.control.site import NOW, Site, site

DESK = Sitting("PJSIP/1009", "1009", "desk", ())


@dataclass
class Shifts:
    """The commands of one PBX, and what was told of them."""

    site: Site
    commands: AgentCommands
    told: list[Entry] = field(default_factory=list)

    async def done(self, request: str) -> dict[str, Any]:
        async with asyncio.timeout(8):
            while True:
                for entry in self.told:
                    if entry.body.get("request") == request:
                        return entry.body
                await asyncio.sleep(0.005)


@asynccontextmanager
async def shifts(database: Database, connected: bool = True) -> AsyncIterator[Shifts]:
    async with site(database) as there:
        told: list[Entry] = []
        desk = Desk(database, told.extend, lambda: NOW)
        presence = Presence(database, Notices(database), "this", there.hub)
        presence.attachments = [there.attachment]
        in_hand = InHand(database, desk, lambda: NOW)
        commands = AgentCommands(Attached([there.attachment]), in_hand, presence.connected, database)
        if connected:
            there.put(LinkChanged(time.time(), LinkState.LIVE))
        await there.attachment.pipeline.when(lambda f: True if f.agents else None, 5)
        if connected:
            await there.attachment.pipeline.when(lambda f: True if f.link is LinkState.LIVE else None, 5)
        there.hub.presence = presence.changed
        try:
            yield Shifts(there, commands, told)
        finally:
            await commands.close()


async def newcomer(database: Database) -> Agent:
    async with database.begin() as conn:
        await agents.add(conn, login="new", name="New", seat=DESK.seat, pbx="demo")
        return next(one for one in await agents.all_active(conn) if one.login == "new")


async def test_who_was_added_a_moment_ago_signs_in_and_their_desktop_counts(database: Database) -> None:
    async with shifts(database) as here:
        agent = await newcomer(database)
        here.site.hub.subscribe(Viewer(agent.id))  # before the floor knows them
        result = await here.done(await here.commands.begin_shift(here.site.attachment, agent.id, DESK))
        assert result["ok"], result
        assert here.site.floor.agents[agent.id].desktop_gone is None


async def test_of_two_who_take_a_phone_at_once_one_is_told_that_it_is_taken(database: Database) -> None:
    async with shifts(database) as here:
        async with database.read() as conn:
            one, two = (await agents.all_active(conn))[:2]
        asked = [await here.commands.begin_shift(here.site.attachment, agent.id, DESK) for agent in (one, two)]
        first, second = [await here.done(request) for request in asked]
        assert first["ok"]
        assert second["problem"]["code"] == "seat_taken"


async def test_nobody_goes_home_while_the_pbx_cannot_be_told(database: Database) -> None:
    async with shifts(database) as here:
        agent = await newcomer(database)
        await here.done(await here.commands.begin_shift(here.site.attachment, agent.id, DESK))
        here.site.put(LinkChanged(time.time(), LinkState.STALE))
        await here.site.attachment.pipeline.when(lambda f: True if f.link is LinkState.STALE else None, 5)
        with pytest.raises(CommandRefused, match="not connected"):
            await here.commands.end_shift(agent.id)
        assert here.site.floor.agents[agent.id].shift is not None


async def test_a_process_that_lost_the_pbx_refuses_at_once(database: Database) -> None:
    async with shifts(database) as here:
        agent = await newcomer(database)
        here.site.attachment.owner = False
        with pytest.raises(CommandRefused, match="not connected"):
            await here.commands.begin_shift(here.site.attachment, agent.id, DESK)


async def test_a_result_waits_for_a_database_that_is_away_for_a_moment(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with shifts(database) as here:
        agent = await newcomer(database)
        desk, failures = here.commands._in_hand._desk, [OSError("gone")]
        real = desk.change

        def change() -> Any:
            if failures:
                raise failures.pop()
            return real()

        monkeypatch.setattr(desk, "change", change)
        assert (await here.done(await here.commands.begin_shift(here.site.attachment, agent.id, DESK)))["ok"]


@pytest.mark.parametrize("leaves", [True, False])
async def test_who_goes_home_is_told_whether_their_phone_left_the_queues(
    database: Database, monkeypatch: pytest.MonkeyPatch, leaves: bool
) -> None:
    monkeypatch.setattr(agent_commands, "CONFIRM_S", 0.5)
    async with shifts(database) as here:
        agent = await newcomer(database)
        await here.done(await here.commands.begin_shift(here.site.attachment, agent.id, DESK))
        at, seat = time.time(), DESK.seat
        here.site.put(MemberChanged(at, "night", seat, seat, "New", MemberStatus.IDLE, False, None, dynamic=True))
        await here.site.attachment.pipeline.when(lambda f: f.memberships(seat) or None, 5)
        request = await here.commands.end_shift(agent.id)
        if leaves:
            here.site.put(MemberRemoved(time.time(), "night", seat))
        result = await here.done(request)
        assert (result["ok"], (result["problem"] or {}).get("code")) == (
            (True, None) if leaves else (False, "not_confirmed")
        )
