"""Tells the floors whether an agent has a desktop connected, at whatever process: one without is soon made not
ready."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence, Set
from typing import Final

from cti_server.asterisk.link import SinkFull
from cti_server.attachment import Attachment
from cti_server.floor.desk_signals import DesktopSeen
from cti_server.push.hub import Hub
from cti_server.record.database import Database
from cti_server.record.processes import presence
from cti_server.record.processes.notices import Notices

from .waking import woken

DESKTOPS: Final = "desktops"
EVERY_S: Final = 1.0
FORGET_EVERY_S: Final = 600.0


class Presence:
    """Who has a desktop. Set `changed` as the hub's `presence`, and run `run` as a duty.

    While the record is away, who was connected elsewhere counts as connected still.
    """

    def __init__(self, database: Database, notices: Notices, process: str, hub: Hub) -> None:
        self.attachments: Sequence[Attachment] = ()
        self._database = database
        self._notices = notices
        self._process = process
        self._hub = hub
        self._elsewhere: frozenset[int] = frozenset()
        self._wake = asyncio.Event()
        notices.on(DESKTOPS, lambda said: self._wake.set())

    def connected(self) -> Set[int]:
        """The agents who have a desktop now."""
        return self._hub.agents() | self._elsewhere

    def changed(self, agent: int, connected: bool) -> None:
        """An agent's first desktop here has connected, or their last one here is gone."""
        if connected or agent not in self._elsewhere:
            self._tell(agent, connected)
        self._wake.set()
        self._notices.tell(DESKTOPS)

    async def run(self) -> None:
        """Write down who is here, and read who is anywhere, until cancelled. Raises what the database raises."""
        forgotten = time.monotonic()
        try:
            while True:
                await woken(self._wake, EVERY_S)
                if self._notices.alone:
                    continue
                await self.look()
                if time.monotonic() - forgotten > FORGET_EVERY_S:
                    forgotten = time.monotonic()
                    async with self._database.begin() as conn:
                        await presence.forget(conn)
        finally:
            with contextlib.suppress(Exception):
                if not self._notices.alone:
                    async with asyncio.timeout(EVERY_S), self._database.begin() as conn:
                        await presence.leave(conn, self._process)

    async def look(self) -> None:
        here = frozenset(self._hub.agents())
        async with self._database.begin() as conn:
            if await presence.here(conn, self._process, here):
                self._notices.tell(DESKTOPS)
            anywhere = await presence.connected(conn)
        before, now_here = self.connected(), self._hub.agents()
        self._elsewhere = anywhere - here
        for agent in anywhere - before:
            self._tell(agent, True)
        for agent in before - anywhere - now_here:
            self._tell(agent, False)

    def _tell(self, agent: int, connected: bool) -> None:
        for attachment in self.attachments:
            if not attachment.owner:
                continue  # whoever becomes the owner begins with all who are connected
            # With a full inbox the signal is dropped: `Pipeline.read_again` corrects the floor later.
            with contextlib.suppress(SinkFull):
                attachment.pipeline.put(DesktopSeen(time.time(), agent, connected))
