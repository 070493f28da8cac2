"""A shift of two: Alice and Bob in a browser each, callers and desk phones beside them, and Asterisk's word."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import Error as PageError

from cti_server.demo.calls import Deskphone, PhoneHabits, place_call, trunk_far_end
from cti_server.demo.sipp_process import Sipp
from cti_server.record.center import agents
from cti_server.record.database import Database
from tests.live.asterisk_says import AsteriskSays
from tests.live.center import Center, center, until
from tests.live.listening import Sound, arriving
from tests.live.two_browsers import Agent, Office, heard, office

NIGHT = "4008005000"  # whose queue has only members who signed in
# Whoever does not answer is given up soon; long enough for an answer on a machine that has other things to do.
RING_S = 8
CONFIG = {"site": {"CTI_RING": str(RING_S)}, "queue_overrides": {"night": {"timeout": RING_S}}}
ANI, CUSTOMER = "02162881234", "上海申江精密仪器有限公司"


@dataclass
class Workplace:
    site: Center
    office: Office
    alice: Agent
    bob: Agent
    phones: ExitStack = field(default_factory=ExitStack)

    @property
    def asterisk(self) -> AsteriskSays:
        return AsteriskSays(self.site.pbx)

    # --- the people around ---------------------------------------------------------------------------------

    async def caller(self, line: str = NIGHT, ani: str = ANI, *, echo: bool = True, **changes: Any) -> Sipp:
        """Somebody calls; with `echo` they say what they hear."""
        placed = await asyncio.to_thread(place_call, self.site.pbx, ani, line, echo=echo, **changes)
        return self.phones.enter_context(placed)

    async def phone(self, extension: str, ring_s: float | None = None) -> Deskphone:
        """A phone on a desk; it rings until told to answer, unless `ring_s` says how long."""
        made = await asyncio.to_thread(Deskphone, self.site.pbx, extension, PhoneHabits(ring_s=ring_s))
        return self.phones.enter_context(made)

    async def outside(self, ring_s: float | None = None) -> Sipp:
        """Whoever is called through the trunk."""
        return self.phones.enter_context(
            await asyncio.to_thread(trunk_far_end, self.site.pbx, PhoneHabits(ring_s=ring_s))
        )

    async def answered_call(self, agent: Agent, **changes: Any) -> Sipp:
        """A caller whom this agent has answered."""
        await agent.ready()
        caller = await self.caller(**changes)
        await agent.call_is("ringing")
        await agent.answer()
        return caller

    async def hears(self, phone: Sipp, *who: str) -> Sound:
        """Waits until exactly these are heard at this phone; nobody: until it is silent."""
        return await heard(lambda: arriving(phone.media_port), who, "the phone")

    # --- between two tests ---------------------------------------------------------------------------------

    async def tidy(self) -> None:
        """Nobody is in a call or owes a wrap-up, everybody is not ready, nothing is open on a page."""
        await asyncio.to_thread(self.phones.close)
        if not self.site.pbx.running:
            await asyncio.to_thread(self.site.pbx.start)
        if self.site.process is None:
            await self.site.start()
        if (await self.asterisk.channels()) != []:
            await self.asterisk.cli("channel request hangup all")
            await self.asterisk.nobody()
        for agent in (self.alice, self.bob):
            await self._rest(agent)
        shutil.rmtree(self.site.pbx.work / "spool" / "monitor", ignore_errors=True)

    async def _rest(self, agent: Agent) -> None:
        with contextlib.suppress(PageError):
            await agent.page.keyboard.press("Escape")
        async with agent.api() as api:

            async def free() -> bool:
                state = (await api.get("/api/me")).json()["state"]
                if state["name"] == "wrap_up":
                    await agent.finish_wrap_ups()
                return state["name"] in ("ready", "not_ready")

            await until(free, f"{agent.name} to be free")
            rest = {"state": "not_ready", "reason": "break"}

            async def resting() -> bool:
                return (await api.post("/api/me/state", json=rest)).status_code == 202

            await until(resting, f"{agent.name} to take a break")
        await agent.is_("not_ready")
        await agent.no_call()

    # --- after a failure -----------------------------------------------------------------------------------

    async def keep(self, folder: Path) -> None:
        """Pictures of all pages, both logs, and what Asterisk says at this moment."""
        shutil.rmtree(folder, ignore_errors=True)
        await asyncio.to_thread(folder.mkdir, parents=True)
        for number, agent in enumerate(self.office.agents):
            with contextlib.suppress(PageError):
                await agent.page.screenshot(path=folder / f"{number}-{agent.login}.png")
            (folder / f"{number}-{agent.login}.frames").write_text("\n".join(agent.told), encoding="utf-8")
        if self.site.pbx.running:
            asked = ("core show channels concise", "bridge show all", "queue show", "parking show default")
            said = [f"# {command}\n{await self.asterisk.cli(command)}" for command in asked]
            (folder / "asterisk-says.txt").write_text("\n".join(said), encoding="utf-8")
        shutil.copy(self.site.pbx.log_file, folder / "asterisk.log")
        shutil.copy(self.site.log, folder / "server.log")


@asynccontextmanager
async def workplace(url: str, folder: Path, **extra: str) -> AsyncIterator[Workplace]:
    settings = {"CTI_DESKTOP_GRACE_S": "4", "CTI_PHONE_GRACE_S": "2", **extra}
    async with center(url, folder, config=CONFIG, **settings) as site, office(site, folder) as rooms:
        await may_pick(url, "bob")
        await site.start()
        alice, bob = await asyncio.gather(
            rooms.at_browser_phone("alice", "1101"), rooms.at_browser_phone("bob", "1102")
        )
        made = Workplace(site, rooms, alice, bob)
        try:
            yield made
        finally:
            await asyncio.to_thread(made.phones.close)


async def may_pick(url: str, login: str) -> None:
    """Give this agent the right to choose a caller who waits."""
    async with Database(url) as database, database.begin() as conn:
        agent = await agents.by_login(conn, login)
        assert agent is not None
        await agents.update(conn, agent.id, may_pick=True)
