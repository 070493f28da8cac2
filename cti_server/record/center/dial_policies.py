"""The dial policy: each version that was ever in force, with who made it and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa

from cti_server.record.engines import Connection
from cti_server.record.schema import CleanText, Id, UtcDateTime, metadata
from cti_server.record.versions import StaleVersion
from cti_server.rules import dial_policy_form
from cti_server.rules.dial_policy import DEFAULT, Policy

dial_policies = sa.Table(
    "dial_policies",
    metadata,
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("policy", sa.JSON, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("author_id", Id, sa.ForeignKey("agents.id", ondelete="SET NULL")),
    sa.Column("author", CleanText, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Kept:
    """A policy with its version. Version 0 is the default, which nobody has made (`at` None, `author` empty).

    `author` is a login, or `command line`; it outlives the agent, of whom `author_id` is None then.
    """

    version: int
    policy: Policy
    at: datetime | None = None
    author: str = ""
    author_id: int | None = None


UNTOUCHED = Kept(0, DEFAULT)


async def current(conn: Connection) -> Kept:
    """The policy that is in force."""
    query = sa.select(dial_policies).order_by(dial_policies.c.version.desc()).limit(1)
    row = (await conn.execute(query)).one_or_none()
    return UNTOUCHED if row is None else _kept(row)


async def version(conn: Connection) -> int:
    """The version that is in force: the cheap question whether anything changed."""
    return cast(int, await conn.scalar(sa.select(sa.func.coalesce(sa.func.max(dial_policies.c.version), 0))))


async def save(
    conn: Connection,
    policy: Policy,
    at: datetime,
    author: str,
    author_id: int | None = None,
    expected: int | None = None,
) -> Kept:
    """Put a policy in force. Raises StaleVersion where it is `expected` to follow on another version than the one
    in force; of two people who save at once the second violates the key, which the edge answers as `taken`."""
    now = await version(conn)
    if expected is not None and expected != now:
        raise StaleVersion(now, "dial policy")
    kept = Kept(now + 1, policy, at, author, author_id)
    row = {
        "version": kept.version,
        "policy": dial_policy_form.written(policy),
        "at": at,
        "author": author,
        "author_id": author_id,
    }
    await conn.execute(sa.insert(dial_policies).values(row))
    return kept


async def history(conn: Connection, limit: int = 50) -> list[Kept]:
    """The versions, the latest first."""
    query = sa.select(dial_policies).order_by(dial_policies.c.version.desc()).limit(limit)
    return [_kept(row) for row in await conn.execute(query)]


def _kept(row: Any) -> Kept:
    return Kept(row.version, dial_policy_form.read(row.policy), row.at, row.author, row.author_id)
