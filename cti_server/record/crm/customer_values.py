"""What a customer is worth to the center, their tier and the agent they prefer: each change, and who made it.

These two decide who is served first and by whom, so no change of them is without an author. Rows are only added.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

import sqlalchemy as sa

from cti_server.record.center.agents import agents
from cti_server.record.engines import Connection
from cti_server.record.schema import CleanText, Id, UtcDateTime, chunks, customer_column, id_column, metadata

customer_values = sa.Table(
    "customer_values",
    metadata,
    id_column(),
    customer_column(),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("field", CleanText, nullable=False),
    sa.Column("before", CleanText),
    sa.Column("after", CleanText),
    sa.Column("origin", CleanText, nullable=False),
    sa.Column("author_id", Id, sa.ForeignKey("agents.id", ondelete="SET NULL")),
    sa.Column("author", CleanText, nullable=False),
    sa.Column("reason", CleanText),
)

Origin = Literal["person", "import", "command", "program"]
ValueField = Literal["tier", "preferred_agent"]
FIELDS: Final[Mapping[str, ValueField]] = {"tier": "tier", "preferred_agent_id": "preferred_agent"}
"""The columns of customers that are valued, and what each is called in a change."""


@dataclass(frozen=True, slots=True)
class Author:
    """Who changed it: a person, by `agent_id` and the name that they had; the file of an import; a
    command; a program, by the name of its key."""

    origin: Origin
    name: str
    agent_id: int | None = None


@dataclass(frozen=True, slots=True)
class ValueChange:
    """One change of one field, which made the customer's `version`. An agent is named as they were called then;
    None is no tier, and no agent."""

    id: int
    customer_id: int
    version: int
    at: datetime
    field: ValueField
    before: str | None
    after: str | None
    author: Author
    reason: str | None


@dataclass(frozen=True, slots=True)
class Valued:
    """A customer's values before a write, and those of them that it sets, both by columns."""

    customer_id: int
    version: int
    before: Mapping[str, Any]
    after: Mapping[str, Any]

    def changed(self) -> dict[str, tuple[Any, Any]]:
        """Before and after of each column that changes."""
        pairs = {name: (self.before.get(name), self.after[name]) for name in FIELDS if name in self.after}
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


async def add(
    conn: Connection, written: Iterable[Valued], by: Author | None, at: datetime, reason: str | None = None
) -> None:
    """Keep what these writes changed; `version` of each is the one that the write made.

    Raises ValueError where something changed and nobody is named.
    """
    changes = [(one, name, *pair) for one in written for name, pair in one.changed().items()]
    if not changes:
        return
    if by is None:
        raise ValueError("a change of tier or preferred agent needs an author")
    named = {id_ for _, name, *pair in changes if name == "preferred_agent_id" for id_ in pair if id_ is not None}
    names = await _names(conn, named)
    rows = [
        {
            "customer_id": one.customer_id,
            "version": one.version,
            "at": at,
            "field": FIELDS[name],
            "before": names.get(before, before) if name == "preferred_agent_id" else before,
            "after": names.get(after, after) if name == "preferred_agent_id" else after,
            "origin": by.origin,
            "author_id": by.agent_id,
            "author": by.name,
            "reason": reason,
        }
        for one, name, before, after in changes
    ]
    await conn.execute(sa.insert(customer_values), rows)


async def of_customer(conn: Connection, customer_id: int, limit: int = 100) -> list[ValueChange]:
    """The changes of a customer, the latest first."""
    c = customer_values.c
    query = sa.select(customer_values).where(c.customer_id == customer_id).order_by(c.id.desc()).limit(limit)
    return [
        ValueChange(
            id=row.id,
            customer_id=row.customer_id,
            version=row.version,
            at=row.at,
            field=row.field,
            before=row.before,
            after=row.after,
            author=Author(row.origin, row.author, row.author_id),
            reason=row.reason,
        )
        for row in await conn.execute(query)
    ]


async def _names(conn: Connection, wanted: Collection[int]) -> dict[int, str]:
    names: dict[int, str] = {}
    for some in chunks(sorted(wanted)):
        query = sa.select(agents.c.id, agents.c.name).where(agents.c.id.in_(some))
        names |= {row.id: row.name for row in await conn.execute(query)}
    return names
