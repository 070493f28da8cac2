"""Commands in hand: written down before they are carried out, and told once when they are done.

What is written down outlives the process that had it in hand. The next owner of the PBX tells the agent that the
result is not known; an Idempotency-Key that comes again is recognised by whichever process owns the PBX then.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import structlog

from .commands import CommandRefused
from .desk import Desk, only
from .record.database import Database
from .record.leases import Lease, LeaseLost, fence
from .record.processes import requests
from .record.processes.requests import Accepted

log = structlog.get_logger()

LOST = {
    "code": "not_confirmed",
    "detail": "the server that had it in hand is gone; whether it was done is not known",
    "remedy": "Look at the call, then decide.",
}


class InHand:
    """The commands of all PBXs that this process is attached to."""

    def __init__(self, database: Database, desk: Desk, now: Callable[[], datetime]) -> None:
        self._database = database
        self._desk = desk
        self._now = now

    async def repeated(self, agent: int, key: str, command: str) -> str | None:
        """The request that came with this Idempotency-Key before, to whatever process. `command` is all of it.

        Raises CommandRefused `key_reused` where that was another command.
        """
        try:
            async with self._database.read() as conn:
                found = await requests.by_key(conn, agent, key, self._now())
        except Exception as cause:  # without the record nothing is accepted anyway
            self._database.trouble.note(cause)
            return None
        if found is not None and found[1] != requests.digest(command):
            raise CommandRefused("key_reused", "this Idempotency-Key was used for another command")
        return found[0] if found is not None else None

    async def accept(self, lease: Lease | None, accepted: Accepted, command: str, key: str | None = None) -> None:
        """Write a command down. Raises CommandRefused where that cannot be done, for then it must not be done."""
        if lease is None:
            return
        try:
            async with self._database.begin() as conn:
                await fence(conn, lease)
                await requests.accept(conn, lease, accepted, requests.digest(command), key, self._now())
        except LeaseLost as cause:
            raise CommandRefused("pbx_unreachable", f"{cause}; nothing was done", "Try again.") from cause
        except Exception as cause:
            if not self._database.trouble.note(cause):
                log.error("command.not_written", cause=f"{type(cause).__name__}: {cause}"[:300])
            if self._database.is_sqlite:
                return  # no other process can have the PBX: a full disk keeps nobody from hanging up
            raise CommandRefused(
                "record_away", "the record cannot be written; nothing was done", "Use the keys of your phone."
            ) from cause

    async def done(self, agent: int, accepted: Accepted, problem: dict[str, Any] | None, call: str | None) -> None:
        """Tell the agent the result, unless one was told already. `call` is the call's id afterwards."""
        body = {
            "request": accepted.request,
            "command": accepted.command,
            "call": call,
            "ok": problem is None,
            "problem": problem,
        }
        await self._desk.tell("command.done", body, only(agent), once=accepted.request)

    async def tell_left(self, lease: Lease) -> None:
        """Call it when this process becomes the owner of a PBX: the owner before had these in hand."""
        async with self._database.read() as conn:
            left = await requests.left(conn, lease)
        for accepted in left:
            log.warning("command.left", request=accepted.request, command=accepted.command, pbx=lease.pbx)
            await self.done(accepted.agent_id, accepted, LOST, accepted.call)
