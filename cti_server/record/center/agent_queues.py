"""Which queues an agent serves, and with what skill: signing in joins these queues."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from cti_server.record.center.agents import agents
from cti_server.record.center.queues import queues
from cti_server.record.engines import Connection
from cti_server.record.schema import CleanText, Id, metadata, upsert
from cti_server.rules.skills import penalty


def _agent_column() -> sa.Column[int]:
    return sa.Column(
        "agent_id", Id, sa.ForeignKey("agents.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )


agent_queues = sa.Table(
    "agent_queues",
    metadata,
    _agent_column(),
    sa.Column(
        "queue_id",
        Id,
        sa.ForeignKey("queues.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
        index=True,
    ),
    sa.Column("penalty", sa.Integer),
)

skills = sa.Table(
    "skills",
    metadata,
    _agent_column(),
    sa.Column("skill", CleanText, primary_key=True),
    sa.Column("level", sa.Integer, nullable=False),
)


async def queues_of(conn: Connection, agent_id: int, pbx: str | None = None) -> list[tuple[str, int]]:
    """The names of the queues that an agent serves, each with their penalty there, by name."""
    same_skill = sa.and_(skills.c.agent_id == agent_queues.c.agent_id, skills.c.skill == queues.c.skill)
    query = (
        sa.select(queues.c.name, agent_queues.c.penalty, skills.c.level)
        .join_from(agent_queues, queues, queues.c.id == agent_queues.c.queue_id)
        .outerjoin(skills, same_skill)
        .where(agent_queues.c.agent_id == agent_id)
        .order_by(queues.c.name)
    )
    if pbx is not None:
        query = query.where(queues.c.pbx == pbx)
    return [(row.name, penalty(row.penalty, row.level)) for row in await conn.execute(query)]


async def serving(conn: Connection, queue_id: int) -> list[str]:
    """The logins of those who serve a queue, and may sign in."""
    query = (
        sa.select(agents.c.login)
        .join_from(agent_queues, agents, agents.c.id == agent_queues.c.agent_id)
        .where(agent_queues.c.queue_id == queue_id, agents.c.active)
        .order_by(agents.c.login)
    )
    return list(await conn.scalars(query))


async def skills_of(conn: Connection, agent_id: int) -> dict[str, int]:
    """The agent's skills by name, each with its level."""
    query = sa.select(skills.c.skill, skills.c.level).where(skills.c.agent_id == agent_id)
    return {row.skill: row.level for row in await conn.execute(query.order_by(skills.c.skill))}


async def assign(conn: Connection, agent_id: int, queue_id: int, given: int | None = None) -> None:
    """The agent serves this queue from now on. `given` is a penalty that overrides the one from their skill."""
    statement = upsert(conn.dialect.name, agent_queues).values(agent_id=agent_id, queue_id=queue_id, penalty=given)
    await conn.execute(
        statement.on_conflict_do_update(
            index_elements=["agent_id", "queue_id"], set_={"penalty": statement.excluded.penalty}
        )
    )


async def teach(conn: Connection, agent_id: int, levels: Mapping[str, int]) -> None:
    """Set the levels, from 1 to 10, of these skills of the agent; other skills stay."""
    for skill, level in levels.items():
        statement = upsert(conn.dialect.name, skills).values(agent_id=agent_id, skill=skill, level=level)
        await conn.execute(
            statement.on_conflict_do_update(
                index_elements=["agent_id", "skill"], set_={"level": statement.excluded.level}
            )
        )


async def unassign(conn: Connection, agent_id: int, queue_id: int) -> bool:
    """The agent does not serve this queue any more. False if they did not."""
    c = agent_queues.c
    deleted = sa.delete(agent_queues).where(c.agent_id == agent_id, c.queue_id == queue_id)
    return (await conn.execute(deleted)).rowcount == 1


async def unteach(conn: Connection, agent_id: int, skill: str) -> bool:
    """Forget a skill of the agent. False if they did not have it."""
    deleted = sa.delete(skills).where(skills.c.agent_id == agent_id, skills.c.skill == skill)
    return (await conn.execute(deleted)).rowcount == 1
