"""Requests for help on a call: an agent asks, a supervisor takes it, and it is done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast

import sqlalchemy as sa

from cti_server.record.center.agents import agents
from cti_server.record.engines import Connection
from cti_server.record.schema import CleanText, Id, UtcDateTime, id_column, metadata, upsert

HelpState = Literal["open", "taken", "done"]
MAX_LISTED = 200

help_requests = sa.Table(
    "help_requests",
    metadata,
    id_column(),
    sa.Column("call", CleanText, nullable=False),
    sa.Column("interaction_id", Id, sa.ForeignKey("interactions.id", ondelete="SET NULL"), index=True),
    sa.Column("agent_id", Id, sa.ForeignKey("agents.id", ondelete="CASCADE"), nullable=False),
    sa.Column("said", CleanText),
    sa.Column("state", CleanText, nullable=False),
    sa.Column("asked_at", UtcDateTime, nullable=False),
    sa.Column("taken_by", Id, sa.ForeignKey("agents.id", ondelete="SET NULL")),
    sa.Column("taken_at", UtcDateTime),
    sa.Column("done_at", UtcDateTime),
    # An agent has one open request per call: asking again changes its words.
    sa.Index(
        "uq_help_requests_asked",
        "agent_id",
        "call",
        unique=True,
        sqlite_where=sa.text("state <> 'done'"),
        postgresql_where=sa.text("state <> 'done'"),
    ),
)
h = help_requests.c
NOT_DONE = h.state != sa.literal_column("'done'")
"""Written exactly as in the index: with a parameter, SQLite would read every request there ever was."""
asker = agents.alias("asker")
taker = agents.alias("taker")
_SELECT: Any = (
    sa.select(help_requests, asker.c.name.label("agent_name"), taker.c.name.label("taken_by_name"))
    .join_from(help_requests, asker, asker.c.id == h.agent_id)
    .outerjoin(taker, taker.c.id == h.taken_by)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpRequest:
    """An agent asks for help on a call. `said` is what they typed, if anything."""

    id: int
    call: str
    interaction_id: int | None
    agent_id: int
    agent_name: str
    said: str | None
    state: HelpState
    asked_at: datetime
    taken_by: int | None
    taken_by_name: str | None
    taken_at: datetime | None
    done_at: datetime | None


async def ask(
    conn: Connection,
    *,
    call: str,
    agent_id: int,
    said: str | None,
    at: datetime,
    interaction_id: int | None = None,
) -> HelpRequest:
    """Ask for help; asking again on the same call changes the words and nothing else."""
    values = {
        "call": call,
        "interaction_id": interaction_id,
        "agent_id": agent_id,
        "said": said,
        "state": "open",
        "asked_at": at,
    }
    statement = upsert(conn.dialect.name, help_requests).values(values)
    request_id = await conn.scalar(
        statement.on_conflict_do_update(
            index_elements=["agent_id", "call"],
            index_where=sa.text("state <> 'done'"),
            set_={"said": sa.func.coalesce(statement.excluded.said, h.said)},
        ).returning(h.id)
    )
    return cast(HelpRequest, await get(conn, cast(int, request_id)))


async def get(conn: Connection, request_id: int) -> HelpRequest | None:
    row = (await conn.execute(_SELECT.where(h.id == request_id))).one_or_none()
    return None if row is None else HelpRequest(**row._mapping)


async def waiting(conn: Connection, agent_id: int | None = None) -> list[HelpRequest]:
    """The requests that are not done yet, the oldest first; of one agent only, if given."""
    query = _SELECT.where(NOT_DONE).order_by(h.id).limit(MAX_LISTED)
    if agent_id is not None:
        query = query.where(h.agent_id == agent_id)
    return [HelpRequest(**row._mapping) for row in await conn.execute(query)]


async def take(conn: Connection, request_id: int, by: int, at: datetime) -> bool:
    """A supervisor takes the request. False when somebody already has."""
    wanted = sa.and_(h.id == request_id, h.state == "open")
    values = {"state": "taken", "taken_by": by, "taken_at": at}
    return (await conn.execute(sa.update(help_requests).where(wanted).values(values))).rowcount == 1


async def finish(conn: Connection, request_id: int, by: int | None, at: datetime) -> bool:
    """The request is done. False when it already was."""
    wanted = sa.and_(h.id == request_id, h.state != "done")
    values = {
        "state": "done",
        "done_at": at,
        "taken_by": sa.func.coalesce(h.taken_by, by),
        "taken_at": sa.func.coalesce(h.taken_at, at) if by is not None else h.taken_at,
    }
    return (await conn.execute(sa.update(help_requests).where(wanted).values(values))).rowcount == 1
