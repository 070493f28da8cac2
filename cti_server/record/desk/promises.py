"""Promises: what was promised to a customer, by when, by whom, and whether it was kept.

A promise is raised once before it falls due, and once more when it is broken. Both are columns that change in the
transaction that journals the event, so that neither a crash nor a second process raises it twice or never.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, cast

import sqlalchemy as sa

from cti_server.record.center.agents import agents
from cti_server.record.crm.customers import customers
from cti_server.record.cursor import Page, bounded, cut, decode
from cti_server.record.engines import Connection
from cti_server.record.schema import CleanText, Id, UtcDateTime, chunks, customer_column, id_column, metadata
from cti_server.record.versions import StaleVersion
from cti_server.rules.facts import Promise, PromiseKind, PromiseState

REMIND_MS = 15 * 60 * 1000
"""How long before it falls due a promise is raised, unless it has its own `remind_ms`."""
MAX_ON_CARD = 20
BROKEN_ON_CARD = timedelta(days=14)
"""For how long a card shows a promise that was broken and that nobody made good."""


def _agent_column(name: str, *, index: bool = False) -> sa.Column[Any]:
    return sa.Column(name, Id, sa.ForeignKey("agents.id", ondelete="SET NULL"), index=index)


promises = sa.Table(
    "promises",
    metadata,
    id_column(),
    customer_column(),
    sa.Column("kind", CleanText, nullable=False),
    sa.Column("text", CleanText, nullable=False),
    sa.Column("number", CleanText),
    sa.Column("starts_at", UtcDateTime),
    sa.Column("due_at", UtcDateTime, nullable=False),
    sa.Column("remind_ms", sa.BigInteger, nullable=False),
    sa.Column("raise_at", UtcDateTime, nullable=False),
    sa.Column("raised_at", UtcDateTime),
    sa.Column("broken_at", UtcDateTime),
    sa.Column("state", CleanText, nullable=False),
    _agent_column("owner_id", index=True),
    _agent_column("created_by"),
    sa.Column("created_at", UtcDateTime, nullable=False),
    _agent_column("settled_by"),
    sa.Column("settled_at", UtcDateTime),
    sa.Column("interaction_id", Id, sa.ForeignKey("interactions.id", ondelete="SET NULL"), index=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Index(
        "ix_promises_open",
        "due_at",
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    ),
)
p = promises.c
owner = agents.alias("owner")
maker = agents.alias("maker")
SELECT = (
    sa.select(
        promises,
        customers.c.name.label("customer_name"),
        owner.c.name.label("owner_name"),
        maker.c.name.label("created_by_name"),
    )
    .join_from(promises, customers, customers.c.id == p.customer_id)
    .outerjoin(owner, owner.c.id == p.owner_id)
    .outerjoin(maker, maker.c.id == p.created_by)
)


class UnknownPromise(LookupError):
    """There is no promise with this id."""


def _promise(row: Any) -> Promise:
    return Promise(**row._mapping)


def raise_at(kind: str, starts_at: datetime | None, due_at: datetime, remind_ms: int) -> datetime:
    """When to raise a promise: `remind_ms` before it is due; a callback no later than when its time begins."""
    before = due_at - timedelta(milliseconds=remind_ms)
    return min(before, starts_at) if kind == "callback" and starts_at is not None else before


async def add(
    conn: Connection,
    *,
    customer_id: int,
    kind: PromiseKind,
    text: str,
    due_at: datetime,
    at: datetime,
    starts_at: datetime | None = None,
    number: str | None = None,
    owner_id: int | None = None,
    created_by: int | None = None,
    interaction_id: int | None = None,
    remind_ms: int = REMIND_MS,
) -> Promise:
    """Promise something."""
    values = {
        "customer_id": customer_id,
        "kind": kind,
        "text": text,
        "number": number,
        "starts_at": starts_at,
        "due_at": due_at,
        "remind_ms": remind_ms,
        "raise_at": raise_at(kind, starts_at, due_at, remind_ms),
        "state": "open",
        "owner_id": owner_id,
        "created_by": created_by,
        "created_at": at,
        "interaction_id": interaction_id,
        "version": 1,
    }
    made = await conn.scalar(sa.insert(promises).values(values).returning(p.id))
    return cast(Promise, await get(conn, cast(int, made)))


async def get(conn: Connection, promise_id: int) -> Promise | None:
    row = (await conn.execute(SELECT.where(p.id == promise_id))).one_or_none()
    return None if row is None else _promise(row)


async def change(
    conn: Connection, promise_id: int, version: int, changes: dict[str, Any], at: datetime, by: int
) -> Promise:
    """Change `state`, `text`, `owner_id`, `starts_at`, `due_at`, `number` of a promise.

    A new time reopens it, and it will be raised again. Raises UnknownPromise, StaleVersion.
    """
    stored = await get(conn, promise_id)
    if stored is None:
        raise UnknownPromise(promise_id)
    new: dict[str, Any] = {**changes, "version": p.version + 1}
    if "due_at" in changes or "starts_at" in changes:
        due, start = changes.get("due_at", stored.due_at), changes.get("starts_at", stored.starts_at)
        new |= {"raise_at": raise_at(stored.kind, start, due, stored.remind_ms), "raised_at": None}
        new.setdefault("state", "open")
    if (state := new.get("state")) is not None:
        settled = state != "open"
        new |= {"settled_at": at if settled else None, "settled_by": by if settled else None}
        if state == "broken" and stored.state != "broken":
            new["broken_at"] = at
    same = sa.and_(p.id == promise_id, p.version == version)
    if (await conn.execute(sa.update(promises).where(same).values(new))).rowcount != 1:
        raise StaleVersion(stored.version, "promise")
    return cast(Promise, await get(conn, promise_id))


async def find(
    conn: Connection,
    *,
    customer_ids: Collection[int] | None = None,
    owner_id: int | None = None,
    concerns: Collection[int] | None = None,
    or_nobodys: bool = False,
    state: PromiseState | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> Page[Promise]:
    """The promises that pass the filters, the first due first. Raises BadCursor.

    `concerns` are agents of whom one owns or made them; with `or_nobodys` also those that nobody owns.
    """
    query = SELECT
    if customer_ids is not None:
        query = query.where(p.customer_id.in_(list(customer_ids)))
    if owner_id is not None:
        query = query.where(p.owner_id == owner_id)
    if concerns is not None:
        theirs = [p.owner_id.in_(concerns), p.created_by.in_(concerns)]
        query = query.where(sa.or_(*theirs, *([p.owner_id.is_(None)] if or_nobodys else [])))
    if state is not None:
        query = query.where(p.state == state)
    if cursor is not None:
        at, last = decode(cursor, datetime, int)
        query = query.where(p.due_at >= at, sa.or_(p.due_at > at, p.id > last))
    limit = bounded(limit)
    rows = await conn.execute(query.order_by(p.due_at, p.id).limit(limit + 1))
    return cut([_promise(row) for row in rows], limit, lambda promise: promise.due_at, lambda promise: promise.id)


async def owed_by(conn: Connection, agent_id: int) -> int:
    """How many open promises this agent owes."""
    query = sa.select(sa.func.count()).select_from(promises).where(p.owner_id == agent_id, p.state == "open")
    return cast(int, await conn.scalar(query))


def on_card(owners: Any, since: sa.BindParameter[datetime]) -> Any:
    """The query for the promises that whoever speaks with these customers next must know of, the first due first:
    those that are open, and those that were broken after `since` and that nobody made good."""
    wanted = sa.or_(p.state == "open", sa.and_(p.state == "broken", p.broken_at > since))
    return SELECT.where(p.customer_id.in_(owners), wanted).order_by(p.due_at, p.id).limit(MAX_ON_CARD)


async def take_due(conn: Connection, at: datetime) -> list[Promise]:
    """The promises to raise now: soon due, or just broken. Each is returned once for either reason: what this
    returns counts as raised once the caller commits."""
    is_open = p.state == "open"
    broken = await conn.scalars(
        sa.update(promises)
        .where(is_open, p.due_at <= at)
        .values(state="broken", broken_at=at, raised_at=sa.func.coalesce(p.raised_at, at), version=p.version + 1)
        .returning(p.id)
    )
    ids = set(broken)
    soon = await conn.scalars(
        sa.update(promises)
        .where(is_open, p.raise_at <= at, p.raised_at.is_(None))
        .values(raised_at=at)
        .returning(p.id)
    )
    ids |= set(soon)
    found = [_promise(row) for some in chunks(ids) for row in await conn.execute(SELECT.where(p.id.in_(some)))]
    return sorted(found, key=lambda promise: (promise.due_at, promise.id))
