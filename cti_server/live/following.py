"""Has the streams of this process follow what other processes append: told at once, and looked for each second."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from cti_server.push.stream import Stream
from cti_server.record import journal, leases
from cti_server.record.database import Database
from cti_server.record.processes.notices import Notices

from .waking import woken

JOURNAL: Final = "journal"
LOOK_EVERY_S: Final = 1.0


class Following:
    """Run `run` as a duty. Give `announce` to the streams."""

    def __init__(self, database: Database, notices: Notices) -> None:
        self.streams: Sequence[Stream] = ()
        self.unattached: Mapping[str, datetime] = {}  # PBXs that no process has, and since when
        self._terms: Mapping[str, datetime] | None = None  # as they were at the start
        self._database = database
        self._notices = notices
        self._wake = asyncio.Event()
        notices.on(JOURNAL, self._heard)

    def announce(self, stream: str, top: int) -> None:
        """This process has appended up to this number."""
        self._notices.tell(JOURNAL, stream, str(top))

    def _heard(self, said: str) -> None:
        name, _, top = said.rpartition(" ")
        for stream in self.streams:
            if stream.name == name and top.isdecimal():
                stream.hint(int(top))
        if not said:
            self._wake.set()

    async def run(self) -> None:
        while True:
            await woken(self._wake, LOOK_EVERY_S)
            if self._notices.alone:
                continue
            async with self._database.read() as conn:
                tops = await journal.positions(conn)
            await self.look()
            for stream in self.streams:
                stream.hint(tops.get(stream.name, 0))

    async def look(self) -> None:
        """See which PBXs a process has. Call it once before the first desktop.

        A term that nobody has renewed since this process began may be a killed one's: it counts as ended.
        """
        if self._notices.alone:
            return
        async with self._database.read() as conn:
            terms = await leases.terms(conn)
        if self._terms is None:
            self._terms = {pbx: term.until for pbx, term in terms.items()}
        self.unattached = {
            pbx: term.until for pbx, term in terms.items() if term.ended or term.until == self._terms.get(pbx)
        }
