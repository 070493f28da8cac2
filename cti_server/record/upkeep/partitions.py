"""The journal's partitions on PostgreSQL: one for each month (UTC), made ahead, and cut whole.

    journal ─┬─ journal_2026_11   November and, after the upgrade that made it, what was there before
             ├─ journal_2026_12
             └─ journal_rest      what falls into none of them: a clock that is wrong, months that nobody made

Each has a primary key (stream, seq) of its own; that of the whole table would have to contain `at`. Across them
the row in `journal_streams` gives each number once.

Every lock is waited for a moment only, because whoever comes later waits behind it, callers too.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import sqlalchemy as sa

from cti_server.record.database import Database
from cti_server.record.engines import Connection

AHEAD: Final = 3
"""Months that have their partition before they begin: for so long upkeep may fail without any effect."""
REST: Final = "journal_rest"
LOCK_WAIT_MS: Final = 50
SCAN_WITHIN_MS: Final = 5000  # for rows in `journal_rest` that belong into a new partition
TRIES: Final = 20
TRY_AGAIN_S: Final = 0.25
_MONTH = re.compile(r"journal_(\d{4})_(\d{2})")
_CUT = re.compile(r"journal_cut_\d{4}_\d{2}")


class JournalInUse(Exception):
    """Another program reads or changes the journal for so long that no partition can be made or cut."""


@dataclass(slots=True)
class Changed:
    """The names of the partitions that were made and cut, and those not made because of rows in the rest."""

    made: list[str] = field(default_factory=list)
    cut: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)


def month_of(at: datetime) -> datetime:
    """The moment (UTC) at which the month of `at` began."""
    return at.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def after(month: datetime, months: int = 1) -> datetime:
    """The beginning of the month that comes so many months later."""
    years, index = divmod(month.month - 1 + months, 12)
    return month.replace(year=month.year + years, month=index + 1)


def named(month: datetime) -> str:
    return f"journal_{month:%Y_%m}"


async def change(database: Database, before: datetime, now: datetime, into: Changed | None = None) -> Changed:
    """Make the partitions of this month and the next ones; cut those that ended before `before`.

    `into` has what was done also where it raises: JournalInUse, and what the driver raises.
    """
    done = Changed() if into is None else into
    async with database.read() as conn:
        there = await _months(conn)
    for month in (after(month_of(now), n) for n in range(AHEAD + 1)):
        if named(month) not in there:
            await _make(database, month, done)
    for name in sorted(there):
        if after(there[name]) <= before:
            await _detach(database, name)
            done.cut.append(name)
    async with database.read() as conn:
        detached = await _detached(conn)
    for name in detached:  # those of a run that ended on the way, too
        await _changed(database, [f"DROP TABLE {name}"])
    return done


async def _months(conn: Connection) -> dict[str, datetime]:
    """The names of the months' partitions, with the month that is the last in each."""
    query = (
        "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
        "WHERE i.inhparent = 'journal'::regclass"
    )
    found = (_MONTH.fullmatch(name) for name in await conn.scalars(sa.text(query)))
    return {one[0]: datetime(int(one[1]), int(one[2]), 1, tzinfo=UTC) for one in found if one is not None}


async def _detached(conn: Connection) -> list[str]:
    query = "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'"
    return sorted(name for name in await conn.scalars(sa.text(query)) if _CUT.fullmatch(name))


async def _make(database: Database, month: datetime, done: Changed) -> None:
    """PostgreSQL refuses a partition whose rows stand in the rest. They stay there until they are cut by age; to
    move them would keep readers waiting for as long as there are rows."""
    name = named(month)
    bounds = {"start": month, "end": after(month)}
    async with database.read() as conn:
        query = sa.text(f"SELECT EXISTS (SELECT FROM {REST} WHERE at >= :start AND at < :end)")  # noqa: S608
        if await conn.scalar(query, bounds):
            done.skipped.append(name)
            return
    await _changed(database, [f"SET LOCAL statement_timeout = {SCAN_WITHIN_MS}", *_made(month)])
    done.made.append(name)


def _made(month: datetime) -> list[str]:
    """ATTACH locks readers out of the new table and the rest only; CREATE … PARTITION OF, of all partitions."""
    name = named(month)
    return [
        f"CREATE TABLE {name} (LIKE journal, PRIMARY KEY (stream, seq))",
        f"ALTER TABLE journal ATTACH PARTITION {name} "
        f"FOR VALUES FROM ('{month.isoformat()}') TO ('{after(month).isoformat()}')",
    ]


async def _detach(database: Database, name: str) -> None:
    """In a moment; the table itself is dropped afterwards, when nobody looks at it any more.

    The whole table is locked first: whoever locked the partition first would meet readers, who come from above.
    """
    gone = name.replace("journal_", "journal_cut_")
    await _changed(
        database,
        [
            "LOCK TABLE ONLY journal IN ACCESS EXCLUSIVE MODE",
            f"ALTER TABLE journal DETACH PARTITION {name}",
            f"ALTER TABLE {name} RENAME TO {gone}",
        ],
    )


async def _changed(database: Database, statements: Sequence[str]) -> None:
    """Change tables in one transaction, and again while somebody else has them. Raises JournalInUse."""
    for left in reversed(range(TRIES)):
        try:
            # Not by `Database.begin`: to it a lock that is not granted would be a database that is unusable.
            async with database.engine.begin() as conn:
                await conn.execute(sa.text(f"SET LOCAL lock_timeout = {LOCK_WAIT_MS}"))
                for statement in statements:
                    await conn.execute(sa.text(statement))
            return
        except sa.exc.DBAPIError as refused:
            if getattr(refused.orig, "sqlstate", None) != "55P03":  # lock_not_available
                raise
            if not left:
                raise JournalInUse(await _in_use_by(database)) from None
        await asyncio.sleep(TRY_AGAIN_S)


async def _in_use_by(database: Database) -> str:
    """Who has had the journal for longest, in words."""
    query = sa.text(
        "SELECT a.pid, a.application_name, a.usename FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid "
        "WHERE l.relation IN (SELECT 'journal'::regclass UNION SELECT inhrelid FROM pg_inherits "
        "WHERE inhparent = 'journal'::regclass) AND a.pid <> pg_backend_pid() ORDER BY a.xact_start LIMIT 1"
    )
    async with database.read() as conn:
        who = (await conn.execute(query)).one_or_none()
    if who is None:
        return "the journal is in use all the time"
    name = who.application_name or who.usename
    return f"the journal is in use by {name} (process {who.pid} of PostgreSQL)"
