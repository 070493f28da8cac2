"""Whether this process should let another one have the PBX, because it does not hear the PBX itself.

A lease says who may write, and not who hears: an owner that is cut off from the PBX alone would keep it, and every
desktop an old floor, while a process beside it could be told everything.
"""

from __future__ import annotations

import asyncio

from .asterisk.link import Link
from .floor.signals import LinkState
from .record import leases
from .record.database import Database

LOOK_EVERY_S = 0.25
LOST_FOR_S = 1.5  # of a link that was live: a connection that was only reset is there again by then
# Of one that never was: while the PBX itself is down the lease goes to and fro, and need not do so often.
NEVER_FOR_S = 30.0
# The PBX lets this process in with none of its accounts: time mends nothing, and another may have the right ones.
REFUSED_FOR_S = 0.5
LEAVES_IT_S = 5.0  # so long the one that let go does not ask for the PBX again


class Unheard(Exception):
    """Another process waits for the PBX, and may hear it."""


async def until_another_may_hear(link: Link, database: Database, pbx: str) -> None:
    """Raises Unheard, once the link was away for too long and somebody waits; it does not return."""
    was_live, since = False, leases.clock()
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        now = leases.clock()
        if link.state is LinkState.LIVE:
            was_live, since = True, now
        elif now - since >= _patience_s(link, was_live=was_live) and await _is_awaited(database, pbx):
            raise Unheard(f"not heard for {now - since:.1f} s: {link.detail or link.state.value}")


def _patience_s(link: Link, *, was_live: bool) -> float:
    if link.state is LinkState.REFUSED:
        return REFUSED_FOR_S
    return LOST_FOR_S if was_live else NEVER_FOR_S


async def _is_awaited(database: Database, pbx: str) -> bool:
    if database.is_sqlite:
        return False  # there is one process
    try:
        async with database.read() as conn:
            return await leases.is_awaited(conn, pbx)
    except Exception as cause:  # who cannot be asked about takes nothing over
        database.trouble.note(cause)
        return False
