"""Who supervises whom, kept in memory and read again each second, so that a change counts in every process."""

from __future__ import annotations

import asyncio
from typing import Final

from cti_server.record.center import teams
from cti_server.record.center.teams import Team
from cti_server.record.database import Database
from cti_server.rules.rights import Oversight

EVERY_S: Final = 1.0


class Oversights:
    """Call `look` before the first desktop connects, and run it as a duty."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._teams: list[Team] = []
        self._known: dict[int, Oversight] = {}

    def of(self, agent: int) -> Oversight:
        """Whom this supervisor supervises."""
        if (found := self._known.get(agent)) is None:
            found = self._known[agent] = teams.oversight(self._teams, agent)
        return found

    async def look(self) -> None:
        async with self._database.read() as conn:
            found = await teams.everything(conn)
        if found != self._teams:
            self._teams, self._known = found, {}

    async def run(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            await self.look()
