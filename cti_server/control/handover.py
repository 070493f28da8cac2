"""Leaves what the sender typed with the call, before it goes: so it is there when the colleague's phone rings.

`push/capsules.py` makes of it what the colleague is shown.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

import structlog

from cti_server.record.database import Database
from cti_server.record.processes import handovers
from cti_server.record.processes.handovers import Handover

WITHIN_S: Final = 1.0  # the call goes without it after that

log = structlog.get_logger()


class Handovers:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def leave(self, call: str, left: Handover) -> int | None:
        """Keep it with the call of this id; its number, None where the record did not take it in time."""
        try:
            async with asyncio.timeout(WITHIN_S), self._database.begin() as conn:
                return await handovers.leave(conn, call, left)
        except Exception as cause:
            if not self._database.trouble.note(cause):
                log.warning(
                    "handover.not_kept", call=call, agent=left.agent, cause=f"{type(cause).__name__}: {cause}"
                )
            return None

    async def withdraw(self, number: int) -> None:
        """Forget it, because the call did not go. Where that fails, it is shown with the next transfer's."""
        with suppress(Exception):
            async with asyncio.timeout(WITHIN_S), self._database.begin() as conn:
                await handovers.withdraw(conn, number)
