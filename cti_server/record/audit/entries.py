"""Entries of the audit log: noted during a transaction, and appended to this process's chain right before it
commits.

    async with database.begin() as conn:
        …change something…
        note("user.changed", "user:li", {"role": "supervisor"})

A transaction that is rolled back leaves no entry, and one whose entry cannot be written is rolled back.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection as Connection  # database.py stands above this

from cti_server.record.cursor import Page, bounded, cut, decode
from cti_server.record.schema import CleanText, UtcDateTime, clean, id_column, metadata, to_json

BLOCK: Final = 1000  # entries that are read at once
FIRST: Final = "0" * 64
"""What the first entry of a chain names as the one before."""

audit = sa.Table(
    "audit",
    metadata,
    id_column(),
    sa.Column("process", CleanText, nullable=False),
    sa.Column("day", CleanText, nullable=False),
    sa.Column("seq", sa.Integer, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False, index=True),
    sa.Column("actor", CleanText, nullable=False),
    sa.Column("actor_name", CleanText, nullable=False),
    sa.Column("address", CleanText),
    sa.Column("action", CleanText, nullable=False),
    sa.Column("thing", CleanText, nullable=False),
    sa.Column("allowed_by", CleanText),
    sa.Column("detail", CleanText, nullable=False),
    sa.Column("previous", CleanText, nullable=False),
    sa.Column("hash", CleanText, nullable=False),
    sa.UniqueConstraint("process", "day", "seq"),
)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does it: `user:12`, `key:3`, `command:root` (the command line, and who ran it) or `server`."""

    id: str
    name: str
    address: str | None = None


SERVER: Final = Actor("server", "cti-server")
_actor: ContextVar[Actor] = ContextVar("audit_actor", default=SERVER)
_noted: ContextVar[_Notes | None] = ContextVar("audit_noted", default=None)


@dataclass(frozen=True, slots=True)
class _Note:
    action: str
    thing: str
    detail: Mapping[str, Any]
    allowed_by: str | None
    actor: Actor


class _Notes(list[_Note]):
    """What is noted in one transaction; `over` once it has ended, for a task that it left behind."""

    over = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry. `day` is the UTC date `2026-11-29`, `seq` counts from 1 in the chain of (process, day),
    `detail` is JSON, `allowed_by` the grant without which it would have been refused, `hash` that of `previous`
    and all else."""

    id: int = 0
    process: str
    day: str
    seq: int
    at: datetime
    actor: str
    actor_name: str
    address: str | None
    action: str
    thing: str
    allowed_by: str | None
    detail: str
    previous: str
    hash: str = ""

    def hashed(self) -> str:
        """The SHA-256 of the entry, its hash left out, as 64 hex digits."""
        at = self.at.astimezone(UTC).isoformat(timespec="microseconds")
        said = [self.previous, self.process, self.day, self.seq, at, self.actor, self.actor_name, self.address]
        said += [self.action, self.thing, self.allowed_by, self.detail]
        return hashlib.sha256(to_json(said).encode()).hexdigest()


@dataclass(slots=True)
class Operation:
    """What a request or a command does, noted with its first transaction that commits. `noted` says that one
    has."""

    action: str
    thing: str
    detail: Mapping[str, Any]
    allowed_by: str | None = None
    noted: bool = False


_operation: ContextVar[Operation | None] = ContextVar("audit_operation", default=None)


def acts(actor: Actor, operation: Operation | None = None) -> None:
    """From here on this actor does what this task does; `operation` is noted with its first transaction."""
    _actor.set(actor)
    _operation.set(operation)


def note(
    action: str, thing: str, detail: Mapping[str, Any] | None = None, *, allowed_by: str | None = None
) -> None:
    """Have an entry written with the present transaction. `detail` must hold no secret.

    Raises RuntimeError outside of `Database.begin()`: the entry would be lost.
    """
    noted = _noted.get()
    if noted is None or noted.over:
        raise RuntimeError(f"{action}: there is no transaction to write this entry with")
    noted.append(_Note(action, thing, detail or {}, allowed_by, _actor.get()))


@contextmanager
def noting() -> Iterator[list[_Note]]:
    """A transaction's notes. For `Database.begin()`."""
    before, notes, operation = _noted.get(), _Notes(), _operation.get()
    _noted.set(notes)
    if operation is not None and not operation.noted:
        note(operation.action, operation.thing, operation.detail, allowed_by=operation.allowed_by)
    try:
        yield notes
        if operation is not None:
            operation.noted = True
    finally:
        notes.over = True
        _noted.set(before)


@dataclass(slots=True)
class Chain:
    """This process's chain in one database."""

    process: str = field(default_factory=lambda: secrets.token_hex(8))
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    _day: str = ""
    _seq: int = 0
    _head: str = FIRST
    _appending: asyncio.Lock = field(default_factory=asyncio.Lock)

    @asynccontextmanager
    async def appended(self, conn: Connection, notes: Sequence[_Note]) -> AsyncIterator[None]:
        """Append the notes; leave this after the commit. Enter it last in the transaction: it holds the chain, and
        whoever waits for a row while holding it would keep everybody waiting."""
        async with self._appending:
            now = self.now()
            day = max(now.date().isoformat(), self._day)  # a clock that goes back goes on in the day that there is
            seq, head = (self._seq, self._head) if day == self._day else (0, FIRST)
            rows: list[dict[str, Any]] = []
            for one in notes:
                seq += 1
                entry = Entry(
                    process=self.process,
                    day=day,
                    seq=seq,
                    at=now,
                    actor=one.actor.id,
                    actor_name=clean(one.actor.name),
                    address=None if one.actor.address is None else clean(one.actor.address),
                    action=one.action,
                    thing=clean(one.thing),
                    allowed_by=one.allowed_by,
                    detail=to_json(dict(one.detail)),
                    previous=head,
                )
                head = entry.hashed()
                row = {name: getattr(entry, name) for name in audit.c.keys() if name != "id"}  # noqa: SIM118
                rows.append(row | {"hash": head})
            await conn.execute(sa.insert(audit), rows)
            yield
            self._day, self._seq, self._head = day, seq, head


async def page(
    conn: Connection,
    *,
    action: str | None = None,
    actor: str | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> Page[Entry]:
    """Entries, the latest first. `action` is one, or with a dot at its end all that begin so. Raises BadCursor."""
    limit = bounded(limit)
    query = sa.select(audit).order_by(audit.c.id.desc()).limit(limit + 1)
    if action is not None:
        is_group = action.endswith(".")
        query = query.where(
            audit.c.action.startswith(action, autoescape=True) if is_group else audit.c.action == action
        )
    if actor is not None:
        query = query.where(audit.c.actor == actor)
    if cursor is not None:
        (before,) = decode(cursor, int)
        query = query.where(audit.c.id < before)
    found = [Entry(**row._mapping) for row in await conn.execute(query)]
    return cut(found, limit, lambda entry: entry.id)


async def chains(conn: Connection, day: str | None = None) -> AsyncIterator[Entry]:
    """Every entry, or those of one day, chain by chain in their order."""
    place = sa.tuple_(audit.c.day, audit.c.process, audit.c.seq)
    last: Entry | None = None
    while True:
        query = sa.select(audit).order_by(audit.c.day, audit.c.process, audit.c.seq).limit(BLOCK)
        if day is not None:
            query = query.where(audit.c.day == day)
        if last is not None:
            query = query.where(place > (last.day, last.process, last.seq))
        rows = (await conn.execute(query)).all()
        for row in rows:
            last = Entry(**row._mapping)
            yield last
        if len(rows) < BLOCK:
            return
