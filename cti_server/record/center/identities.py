"""Who is who at an identity provider: issuer and subject of a person, which of our sessions are its sessions, and
the logout tokens that have counted."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa

from cti_server.record.engines import Connection
from cti_server.record.schema import CleanText, Id, UtcDateTime, metadata, upsert

identities = sa.Table(
    "identities",
    metadata,
    sa.Column("issuer", CleanText, primary_key=True),
    sa.Column("subject", CleanText, primary_key=True),
    sa.Column("agent_id", Id, sa.ForeignKey("agents.id", ondelete="CASCADE"), nullable=False),
    sa.Column("bound_at", UtcDateTime, nullable=False),
    sa.UniqueConstraint("agent_id", "issuer"),
)

provider_sessions = sa.Table(
    "provider_sessions",
    metadata,
    sa.Column("token_hash", CleanText, sa.ForeignKey("sessions.token_hash", ondelete="CASCADE"), primary_key=True),
    sa.Column("issuer", CleanText, nullable=False),
    sa.Column("subject", CleanText, nullable=False),
    sa.Column("sid", CleanText),
    sa.Column("id_token", CleanText, nullable=False),
    sa.Index("ix_provider_sessions_issuer_subject", "issuer", "subject"),
    sa.Index("ix_provider_sessions_issuer_sid", "issuer", "sid"),
)

logout_tokens = sa.Table(
    "logout_tokens",
    metadata,
    sa.Column("issuer", CleanText, primary_key=True),
    sa.Column("jti", CleanText, primary_key=True),
    sa.Column("until", UtcDateTime, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Identity:
    """Issuer and subject are this agent since `bound_at`."""

    issuer: str
    subject: str
    agent_id: int
    bound_at: datetime


@dataclass(frozen=True, slots=True)
class ProviderSession:
    """What the provider calls the session behind one of ours: `sid`, where it has a name. `id_token` is sealed
    where there is a key."""

    issuer: str
    subject: str
    sid: str | None
    id_token: str = field(repr=False)


async def find(conn: Connection, issuer: str, subject: str) -> Identity | None:
    query = sa.select(identities).where(identities.c.issuer == issuer, identities.c.subject == subject)
    row = (await conn.execute(query)).one_or_none()
    return None if row is None else Identity(**row._mapping)


async def of_agent(conn: Connection, agent_id: int) -> list[Identity]:
    query = sa.select(identities).where(identities.c.agent_id == agent_id).order_by(identities.c.issuer)
    return [Identity(**row._mapping) for row in await conn.execute(query)]


async def bind(conn: Connection, identity: Identity) -> None:
    """From now on this issuer and subject are this agent. Raises a DatabaseRefusal, `taken`, where either is bound
    already."""
    await conn.execute(
        sa.insert(identities).values(
            issuer=identity.issuer,
            subject=identity.subject,
            agent_id=identity.agent_id,
            bound_at=identity.bound_at,
        )
    )


async def unbind(conn: Connection, agent_id: int) -> int:
    """Nobody comes in by this account through a provider any more. Returns how many identities it had."""
    return (await conn.execute(sa.delete(identities).where(identities.c.agent_id == agent_id))).rowcount


# --- sessions ----------------------------------------------------------------------------------------------


def is_by_provider(token_hash: sa.ColumnElement[str]) -> sa.Exists:
    """Whether this session was opened through a provider, for a query over sessions."""
    return sa.exists().where(provider_sessions.c.token_hash == token_hash)


async def note_session(conn: Connection, token_hash: str, made: ProviderSession) -> None:
    """This session of ours was opened through a provider."""
    await conn.execute(
        sa.insert(provider_sessions).values(
            token_hash=token_hash, issuer=made.issuer, subject=made.subject, sid=made.sid, id_token=made.id_token
        )
    )


async def session_of(conn: Connection, token_hash: str) -> ProviderSession | None:
    """What the provider calls the session behind this one of ours; None for one that began with a password."""
    p = provider_sessions.c
    query = sa.select(p.issuer, p.subject, p.sid, p.id_token).where(p.token_hash == token_hash)
    row = (await conn.execute(query)).one_or_none()
    return None if row is None else ProviderSession(**row._mapping)


async def sessions_of(conn: Connection, issuer: str, subject: str | None, sid: str | None) -> list[str]:
    """The token hashes of our sessions behind which this one of the provider stands; without a `sid` all of the
    subject. A session that never learnt its `sid` ends with any of its subject."""
    p = provider_sessions.c
    if sid is None:
        mine = p.subject == subject
    elif subject is None:
        mine = p.sid == sid
    else:
        mine = sa.and_(p.subject == subject, sa.or_(p.sid == sid, p.sid.is_(None)))
    return list(await conn.scalars(sa.select(p.token_hash).where(p.issuer == issuer, mine)))


# --- logout tokens -----------------------------------------------------------------------------------------


async def use_logout(conn: Connection, issuer: str, jti: str, until: datetime, now: datetime) -> bool:
    """Use up a logout token. False for one that has been used."""
    await conn.execute(sa.delete(logout_tokens).where(logout_tokens.c.until <= now))
    row = {"issuer": issuer, "jti": jti, "until": until}
    made = upsert(conn.dialect.name, logout_tokens).values(row).on_conflict_do_nothing()
    return bool((await conn.execute(made)).rowcount == 1)
