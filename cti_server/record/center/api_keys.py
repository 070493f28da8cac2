"""Keys of other programs: what each may do, until when, and who made it. Only hashes of the keys are stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, cast

import sqlalchemy as sa

from cti_server.record.engines import Connection
from cti_server.record.schema import CleanText, UtcDateTime, Words, id_column, metadata
from cti_server.rules.rights import GRANTS, Grant

USED_EVERY: Final = timedelta(
    minutes=5
)  # how exactly `used_at` is kept: a write for each request would be too much

api_keys = sa.Table(
    "api_keys",
    metadata,
    id_column(),
    sa.Column("name", CleanText, nullable=False),
    sa.Column("token_hash", CleanText, nullable=False, unique=True),
    sa.Column("scopes", Words, nullable=False),
    sa.Column("created_by", CleanText, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("expires_at", UtcDateTime, nullable=False),
    sa.Column("revoked_at", UtcDateTime),
    sa.Column("used_at", UtcDateTime),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key. `scopes` are those of `rules.operations`, with `full_numbers` among them where it was given."""

    id: int = 0
    name: str
    token_hash: str
    scopes: frozenset[str]
    created_by: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    used_at: datetime | None = None

    @property
    def grants(self) -> frozenset[Grant]:
        """Those among its scopes."""
        return frozenset(grant for grant in GRANTS if grant in self.scopes)

    def is_good(self, now: datetime) -> bool:
        return self.revoked_at is None and self.expires_at > now


async def add(conn: Connection, key: ApiKey) -> int:
    """Store a key; returns its id. `key.id` is ignored."""
    values = {name: getattr(key, name) for name in api_keys.c.keys() if name != "id"}  # noqa: SIM118
    return cast(int, await conn.scalar(sa.insert(api_keys).values(values).returning(api_keys.c.id)))


async def everything(conn: Connection) -> list[ApiKey]:
    """Every key, also those that are over, the latest first."""
    return [
        ApiKey(**row._mapping) for row in await conn.execute(sa.select(api_keys).order_by(api_keys.c.id.desc()))
    ]


async def by_token(conn: Connection, token_hash: str) -> ApiKey | None:
    row = (await conn.execute(sa.select(api_keys).where(api_keys.c.token_hash == token_hash))).one_or_none()
    return None if row is None else ApiKey(**row._mapping)


async def get(conn: Connection, key: int) -> ApiKey | None:
    row = (await conn.execute(sa.select(api_keys).where(api_keys.c.id == key))).one_or_none()
    return None if row is None else ApiKey(**row._mapping)


async def revoke(conn: Connection, key: int, at: datetime) -> bool:
    """From now on it opens nothing. False for one that was revoked already, or never was."""
    live = sa.update(api_keys).where(api_keys.c.id == key, api_keys.c.revoked_at.is_(None))
    return (await conn.execute(live.values(revoked_at=at))).rowcount > 0


async def used(conn: Connection, key: int, at: datetime) -> None:
    await conn.execute(sa.update(api_keys).where(api_keys.c.id == key).values(used_at=at))
