"""Closes the websockets of people whose sessions were ended: by the command line, or in another process."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Final

from cti_server.api.known_holders import KnownHolders
from cti_server.push.hub import Hub
from cti_server.record.center import sessions
from cti_server.record.database import Database

EVERY_S: Final = 1.0
BACK: Final = timedelta(minutes=2)  # for rows of slow transactions, and of machines whose clocks differ


class SignedOut:
    """Run it as a duty. A desktop with a session that goes on connects again by itself."""

    def __init__(self, database: Database, hub: Hub, known: KnownHolders) -> None:
        self._database, self._hub, self._known = database, hub, known
        self._seen: set[int] | None = None  # None: no desktop can be older than this process

    async def run(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(EVERY_S)

    async def look(self) -> None:
        async with self._database.read() as conn:
            ended = await sessions.ends_since(conn, datetime.now(UTC) - BACK)
        fresh = ended.keys() - self._seen if self._seen is not None else set()
        self._seen = set(ended)
        for agent in {ended[number] for number in fresh}:
            self._known.ended(agent)
            self._hub.sign_out(agent)
