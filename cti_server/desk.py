"""The desk's stream: what people at desktops did, journalled and handed out like what happened at the PBX."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from .push import frames
from .push.frames import Frame
from .push.hub import Hub
from .record import journal
from .record.database import Database

STREAM = "desk"


class Desk:
    """Tells desktops what was done at another one. One for the process; tells in the order of the journal."""

    def __init__(self, database: Database, hub: Hub) -> None:
        self._database = database
        self._hub = hub
        self._in_order = asyncio.Lock()

    async def start(self) -> None:
        """Know the stream's position, so that a desktop can resume."""
        async with self._database.read() as conn:
            self._hub.positions[STREAM] = (await journal.positions(conn)).get(STREAM, 0)

    async def tell(
        self, kind: str, body: dict[str, Any], agents: Iterable[int] = (), *, everyone: bool = False
    ) -> None:
        """Journal it, then hand it to the desktops of these agents, of supervisors, or of everyone."""
        at = datetime.now(UTC)
        concerned = frozenset(agents)
        audience = {"agents": sorted(concerned), "everyone": everyone}
        async with self._in_order:
            async with self._database.begin() as conn:
                seqs = await journal.append(conn, STREAM, [journal.NewEntry(at, kind, body, audience)])
            stamp = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
            text = frames.event(STREAM, seqs[0], stamp, kind, body)
            self._hub.publish([Frame(STREAM, seqs[0], text, concerned, everyone)])
