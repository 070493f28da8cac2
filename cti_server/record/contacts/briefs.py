"""A customer's last contacts in a line each, as a card and the reasons for a call need them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from cti_server.record.center.agents import agents
from cti_server.record.contacts.tables import interactions, segments
from cti_server.record.crm.customers import customers
from cti_server.record.engines import Connection
from cti_server.rules.facts import InteractionBrief

i, s = interactions.c, segments.c

BETWEEN_NOTES = "\n"
NO_INTERACTION = 0
"""No interaction has this id."""

CustomerId = int | sa.BindParameter[int]


def finished() -> sa.ColumnElement[bool]:
    """What is written about a part is its author's alone until they have finished, or their wrap-up is over."""
    return sa.or_(s.finished_at.is_not(None), s.wrapped_at.is_not(None))


def of_customer(customer_id: CustomerId) -> sa.ColumnElement[bool]:
    """Whether an interaction was with this customer, or with the people of this company."""
    # A subquery, not a list of ids: a company may have more people than a statement may have parameters (32,767 on
    # PostgreSQL). With both conditions inside it, each engine uses the index of (customer, time) for a small
    # company, and PostgreSQL the index of times for a large one.
    of_it = sa.or_(customers.c.id == customer_id, customers.c.company_id == customer_id)
    return i.customer_id.in_(sa.select(customers.c.id).where(of_it))


def together(*texts: str | None) -> str | None:
    """These notes as one, each once; None without any."""
    return BETWEEN_NOTES.join(dict.fromkeys(text for text in texts if text)) or None


def last(customer_id: CustomerId, limit: int, without: int | sa.BindParameter[int] = NO_INTERACTION) -> Any:
    """The query for the last contacts with a customer, and with a company's people, the latest first.

    `without` is an interaction to leave out: the one that is going on.
    """
    answered_by = (
        sa.select(agents.c.name)
        .join_from(segments, agents, agents.c.id == s.agent_id)
        .where(s.interaction_id == i.id, s.answered_at.is_not(None))
        .order_by(s.position.desc())
        .limit(1)
        .scalar_subquery()
    )
    written = (
        sa.select(s.note).where(s.interaction_id == i.id, s.note.is_not(None), finished()).order_by(s.position)
    )
    parts = written.correlate(interactions).subquery("written")
    of_parts = sa.select(sa.func.aggregate_strings(parts.c.note, BETWEEN_NOTES)).scalar_subquery()
    columns = (i.id, i.channel, i.direction, i.started_at, i.outcome, i.queue, i.talk_ms, i.subject, i.note)
    return (
        sa.select(*columns, answered_by.label("agent_name"), of_parts.label("part_notes"))
        .where(of_customer(customer_id), i.id != without)
        .order_by(i.started_at.desc(), i.id.desc())
        .limit(limit)
    )


def brief(row: Any) -> InteractionBrief:
    """A row of `last` as a fact."""
    return InteractionBrief(
        id=row.id,
        channel=row.channel,
        direction=row.direction,
        at=row.started_at,
        outcome=row.outcome,
        queue=row.queue,
        agent_name=row.agent_name,
        talk_ms=row.talk_ms,
        subject=row.subject,
        note=together(row.note, row.part_notes),
    )


async def recent(
    conn: Connection, customer_id: int, limit: int = 10, without: int | None = None
) -> list[InteractionBrief]:
    """The last contacts with a customer, and with a company's people, the latest first."""
    query = last(customer_id, limit, without or NO_INTERACTION)
    return [brief(row) for row in await conn.execute(query)]
