"""Seals each day of the audit log once it is over; whichever process comes first does it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Final

import structlog

from cti_server.record.audit import seals
from cti_server.record.database import Database, refused_because
from cti_server.record.sealing import Sealer

EVERY_S: Final = 60.0

log = structlog.get_logger()


class AuditSeals:
    """Run it as a duty."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._signer = next(iter(sealer.signers), None)

    async def run(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(EVERY_S)

    async def look(self) -> None:
        now = datetime.now(UTC)
        async with self._database.read() as conn:
            due = await seals.due(conn, now)
        for day in due:
            try:
                async with self._database.begin() as conn:
                    made = await seals.seal(conn, day, now, self._signer)
            except Exception as cause:
                if refused_because(cause) != "taken":
                    raise
                continue  # another process was first
            log.info("audit.sealed", day=day, hash=made.hash, signed=made.signature is not None)
