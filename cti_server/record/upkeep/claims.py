"""Who does the upkeep now, and when it was done last: a row, because it tells both to every process.

A claim ends by itself a while after its holder stopped to renew it. One that was frozen meanwhile finds that at
its next step, and stops; what two of them cut is cut once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from cti_server.record.engines import Connection
from cti_server.record.schema import CleanText, UtcDateTime, metadata, upsert

CLAIMED_FOR: Final = timedelta(minutes=10)  # no single step takes that long

upkeep_claims = sa.Table(
    "upkeep_claims",
    metadata,
    sa.Column("task", CleanText, primary_key=True),
    sa.Column("holder", CleanText),
    sa.Column("until", UtcDateTime),
    sa.Column("done_at", UtcDateTime),
)
TASK: Final = "upkeep"
_mine = upkeep_claims.c.task == TASK


class ClaimLost(Exception):
    """Another process does the upkeep now."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to do the upkeep until `renew` raises."""

    holder: str

    async def renew(self, conn: Connection, now: datetime) -> None:
        """Call it in each transaction that cuts something. Raises ClaimLost."""
        held = sa.update(upkeep_claims).where(_mine, upkeep_claims.c.holder == self.holder)
        if (await conn.execute(held.values(until=now + CLAIMED_FOR))).rowcount != 1:
            raise ClaimLost("another process does the upkeep now")

    async def release(self, conn: Connection, now: datetime, *, done: bool) -> None:
        """`done`: all of it, so that the next is due an hour later."""
        held = sa.update(upkeep_claims).where(_mine, upkeep_claims.c.holder == self.holder)
        await conn.execute(held.values(holder=None, until=None, **({"done_at": now} if done else {})))


async def take(conn: Connection, holder: str, now: datetime) -> Claim | None:
    """The claim, or None while another process has it. `holder` is unlike that of any other run."""
    await conn.execute(upsert(conn.dialect.name, upkeep_claims).values(task=TASK).on_conflict_do_nothing())
    free = sa.or_(upkeep_claims.c.holder.is_(None), upkeep_claims.c.until < now)
    taken = sa.update(upkeep_claims).where(_mine, free).values(holder=holder, until=now + CLAIMED_FOR)
    return Claim(holder) if (await conn.execute(taken)).rowcount == 1 else None


async def done_at(conn: Connection) -> datetime | None:
    """When any process has last done all of it; None for never."""
    found: datetime | None = await conn.scalar(sa.select(upkeep_claims.c.done_at).where(_mine))
    return found
