"""Spreads several PBXs over the processes: none has more than its share while another one waits for work."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from typing import Final

from cti_server.attachment import Attachment
from cti_server.record import leases
from cti_server.record.database import Database
from cti_server.record.processes import presence

LOOK_EVERY_S: Final = 2.0
CALM_S: Final = 10.0  # so long the number of processes must have stood still: an upgrade changes it twice
PATIENCE_S: Final = 0.4  # a process with its share leaves a free PBX to others for so long


class Spreading:
    """Run `run` as a duty. `alone`: no other process can be beside this one."""

    def __init__(self, database: Database, attachments: Sequence[Attachment], alone: Callable[[], bool]) -> None:
        self._database = database
        self._attachments = attachments
        self._alone = alone
        self._alive = 0
        self._calm_since = 0.0

    async def run(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            if len(self._attachments) > 1 and not self._alone():
                await self.look()

    async def look(self) -> None:
        """See who is there. With more PBXs than its share this process lets one go: that with the fewest calls."""
        async with self._database.read() as conn:
            alive = max(1, await presence.alive(conn))
        now = asyncio.get_running_loop().time()
        if alive != self._alive:
            self._alive, self._calm_since = alive, now
        share = math.ceil(len(self._attachments) / alive)
        owned = [attachment for attachment in self._attachments if attachment.owner]
        if any(attachment.pipeline.spool.ahead for attachment in owned):
            return  # what waits to be written would not all be written in time
        for attachment in self._attachments:
            attachment.patience_s = PATIENCE_S if len(owned) >= share else 0.0
        if len(owned) <= share or now - self._calm_since < CALM_S:
            return
        async with self._database.read() as conn:
            awaited = [one for one in owned if await leases.is_awaited(conn, one.pbx.name)]
        if awaited:
            min(awaited, key=lambda one: len(one.pipeline.books.calls)).let_go()
