"""The journal: what happened, once, in order, numbered without a gap in each stream. That number is the client's
cursor.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from cti_server.record import swift
from cti_server.record.engines import Connection
from cti_server.record.schema import CleanText, UtcDateTime, metadata, upsert

journal = sa.Table(
    "journal",
    metadata,
    sa.Column("stream", CleanText, primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("kind", CleanText, nullable=False),
    sa.Column("audience", sa.JSON(none_as_null=True)),
    sa.Column("body", sa.JSON, nullable=False),
    sqlite_with_rowid=False,
    postgresql_partition_by="RANGE (at)",  # upkeep/partitions.py; on SQLite an index finds what is to be cut
)

# Apart from the rows, so that pruning never lets a number be used twice. The lock on its row makes the commits of
# a stream happen in the order of their numbers, even with several processes.
streams = sa.Table(
    "journal_streams",
    metadata,
    sa.Column("stream", CleanText, primary_key=True),
    sa.Column("seq", sa.BigInteger, nullable=False),
)


RECENT = 500  # events, in which one about a call is looked for


class PositionGone(Exception):
    """The entries after this position can no longer be read without a gap; start over with a snapshot."""


@dataclass(frozen=True, slots=True)
class NewEntry:
    """An event to append. `audience` and `body` are JSON; audience None means everybody."""

    at: datetime
    kind: str
    body: dict[str, Any]
    audience: Any = None


@dataclass(frozen=True, slots=True)
class Entry:
    """An event at its position in its stream."""

    stream: str
    seq: int
    at: datetime
    kind: str
    body: dict[str, Any]
    audience: Any


def stream_of(pbx: str) -> str:
    """The name of the stream of a PBX."""
    return f"pbx:{pbx}"


async def append(conn: Connection, stream: str, entries: Sequence[NewEntry]) -> range:
    """Append in the caller's transaction; returns the numbers of the entries, in order. After a rollback they are
    used again.
    """
    if not entries:
        return range(0)
    taken = await swift.run(conn, _take_numbers(conn.dialect.name), [{"stream": stream, "seq": len(entries)}])
    ((top,),) = taken
    seqs = range(top - len(entries) + 1, top + 1)
    await swift.run(
        conn,
        _APPEND,
        [
            {"stream": stream, "seq": seq, "at": e.at, "kind": e.kind, "audience": e.audience, "body": e.body}
            for seq, e in zip(seqs, entries, strict=True)
        ],
    )
    return seqs


@functools.cache
def _take_numbers(dialect: str) -> Any:
    new = upsert(dialect, streams).values(stream=sa.bindparam("stream"), seq=sa.bindparam("seq"))
    return new.on_conflict_do_update(
        index_elements=[streams.c.stream], set_={"seq": streams.c.seq + new.excluded.seq}
    ).returning(streams.c.seq)


_APPEND = sa.insert(journal)


def entry(stream: str, seq: int, new: NewEntry) -> Entry:
    """The appended event at its position."""
    return Entry(stream, seq, new.at, new.kind, new.body, new.audience)


async def position(conn: Connection, stream: str) -> int:
    """The last number of this stream; 0 where it has none."""
    return await conn.scalar(sa.select(streams.c.seq).where(streams.c.stream == stream)) or 0


async def last_of_calls_at(conn: Connection, stream: str) -> datetime | None:
    """When the last event about a call was, of the last hundreds; None where there is none."""
    top = await position(conn, stream)
    recent = sa.and_(journal.c.stream == stream, journal.c.seq > top - RECENT)
    about_calls = sa.or_(journal.c.kind.startswith("call."), journal.c.kind.startswith("part."))
    query = sa.select(journal.c.at).where(recent, about_calls).order_by(journal.c.seq.desc()).limit(1)
    at: datetime | None = await conn.scalar(query)
    return at


async def positions(conn: Connection) -> dict[str, int]:
    """The last number of each stream that has any."""
    rows = await conn.execute(sa.select(streams.c.stream, streams.c.seq))
    return {row.stream: row.seq for row in rows}


async def read_after(conn: Connection, stream: str, seq: int, limit: int = 1000) -> list[Entry]:
    """The entries that follow `seq`, at most `limit`, without a gap.

    Raises PositionGone when the next entry has been pruned, or when `seq` is ahead of the stream (the client comes
    from another database).
    """
    # The top is read first: in the other order, a row appended between the two queries would look like a gap.
    top = await conn.scalar(sa.select(streams.c.seq).where(streams.c.stream == stream)) or 0
    if top == seq:
        return []
    rows = await conn.execute(
        sa.select(journal)
        .where(journal.c.stream == stream, journal.c.seq > seq)
        .order_by(journal.c.seq)
        .limit(limit)
    )
    entries = [Entry(r.stream, r.seq, r.at, r.kind, r.body, r.audience) for r in rows]
    if [entry.seq for entry in entries] != list(range(seq + 1, seq + 1 + len(entries))) or not entries:
        raise PositionGone(
            f"{stream}: asked for what follows {seq}, it has {entries[0].seq if entries else 0} to {top}"
        )
    return entries


async def cut(conn: Connection, before: datetime, limit: int, table: str = "journal") -> int:
    """Delete the oldest entries from before this time, at most `limit`; returns how many. Their numbers are not
    used again. `table` may be a partition.
    """
    rows = sa.table(table, *(sa.column(c.name, c.type) for c in (journal.c.stream, journal.c.seq, journal.c.at)))
    oldest = sa.select(rows.c.stream, rows.c.seq).where(rows.c.at < before).order_by(rows.c.at).limit(limit)
    return (await conn.execute(sa.delete(rows).where(sa.tuple_(rows.c.stream, rows.c.seq).in_(oldest)))).rowcount
