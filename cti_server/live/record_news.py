"""Tells the desktops of this process that the record cannot be used, since when, and when it can be again.

Where this process is attached to the PBX, its desktops are told of calls all the while (`spool.py`). Where another
one is, nothing more is heard of that PBX here: what desktops show of it is as of then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from cti_server.push import frames
from cti_server.push.hub import Hub
from cti_server.record.trouble import Troubles

LOOK_EVERY_S = 0.25
AWAY_S = 1.0  # a restart of the database that is over sooner is nobody's news


class RecordNews:
    """Run `run` as a duty. `unheard` has the streams that this process only reads."""

    def __init__(self, trouble: Troubles, hub: Hub, unheard: Callable[[], Iterable[str]]) -> None:
        self._trouble = trouble
        self._hub = hub
        self._unheard = unheard
        self._since: datetime | None = None
        self._told: tuple[str, ...] | None = None  # the streams of which desktops know that nothing is heard

    async def run(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            self.look(datetime.now(UTC))

    def look(self, now: datetime) -> None:
        """Tell what has changed since the last look."""
        if self._trouble.now is None:
            self._since = None
            if self._told is not None:
                self._told = None
                self._hub.tell_while_it_lasts(frames.record(None, ()), lasts=False)
            return
        self._since = self._since or now
        stale = tuple(sorted(self._unheard()))
        if stale != self._told and (now - self._since).total_seconds() >= AWAY_S:
            self._told = stale
            self._hub.tell_while_it_lasts(frames.record(self._since, stale), lasts=True)
