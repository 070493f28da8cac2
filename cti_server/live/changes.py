"""What was changed in the record beside the server, by the command line or another process, reaches the desktops.

People, phones and queues reach the floor by `Pipeline.read_again`, lines by `Lookup`. The rest is here: reasons
and wrap-up codes that desktops keep, and people who may not sign in any more.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import structlog

from cti_server.api.agent.codes import reason_views
from cti_server.attachment import READ_AGAIN_EVERY_S
from cti_server.commands import CommandRefused
from cti_server.desk import Desk
from cti_server.push.hub import Hub
from cti_server.record.center import agents, wrap_up_codes
from cti_server.record.database import Database

from .anywhere import CommandsAnywhere
from .floors import Floors

log = structlog.get_logger()


class Changes:
    """Run it as a duty. What a desktop was told of already is told once more: that changes nothing there."""

    def __init__(
        self,
        database: Database,
        desk: Desk,
        hub: Hub,
        commands: CommandsAnywhere,
        floors: Floors,
    ) -> None:
        self._database, self._desk, self._hub = database, desk, hub
        self._commands, self._floors = commands, floors
        self._known: tuple[list[Any], list[Any]] | None = None

    async def run(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(READ_AGAIN_EVERY_S)

    async def look(self) -> None:
        """Compare the record with what was known, and tell what differs."""
        async with self._database.read() as conn:
            reasons, codes = await reason_views(conn), await wrap_up_codes.all_codes(conn)
            active = {agent.id for agent in await agents.all_active(conn)}
        before, self._known = self._known, (list(reasons), list(codes))
        if before is not None and before[0] != self._known[0]:
            await self._desk.tell("reasons.changed", {"reasons": reasons})
        if before is not None and before[1] != self._known[1]:
            await self._desk.tell("codes.changed", {})
        await self._part_with(active)

    async def _part_with(self, active: set[int]) -> None:
        """Send home whoever may not sign in any more; one who is in a call after the call."""
        at_work = self._floors.at_work()
        for agent in at_work - active:
            with suppress(CommandRefused):  # in a call, or the PBX is away: at the next look
                await self._commands.end_shift(agent)
                log.info("shift.ended", agent=agent, because="they may not sign in any more")
        for agent in set(self._hub.agents()) - active - at_work:
            self._hub.sign_out(agent)
