"""The tables of contacts: the interaction, its segments, its visits to queues, and its aliases."""

from __future__ import annotations

import sqlalchemy as sa

from cti_server.record.schema import CleanText, Id, UtcDateTime, customer_column, id_column, metadata

interactions = sa.Table(
    "interactions",
    metadata,
    id_column(),
    sa.Column("channel", CleanText, nullable=False),
    sa.Column("direction", CleanText, nullable=False),
    sa.Column("pbx", CleanText),
    sa.Column("boot", sa.BigInteger),
    sa.Column("linkedid", CleanText),
    customer_column(nullable=True, index=False, on_delete="SET NULL"),
    sa.Column("match_standing", CleanText),
    sa.Column("customer_set_at", UtcDateTime),  # when a person said whose it is: that outranks the lookup
    sa.Column("ani_raw", CleanText),
    sa.Column("ani_e164", CleanText, index=True),
    sa.Column("ani_name", CleanText),
    sa.Column("dnis", CleanText),
    sa.Column("line_id", Id, sa.ForeignKey("lines.id", ondelete="SET NULL")),
    sa.Column("queue", CleanText),
    sa.Column("ivr_path", sa.JSON, nullable=False),
    sa.Column("language", CleanText),
    sa.Column("verdict", sa.JSON(none_as_null=True)),
    sa.Column("subject", CleanText),
    sa.Column("note", CleanText),
    sa.Column("started_at", UtcDateTime, nullable=False),
    sa.Column("queued_at", UtcDateTime),
    sa.Column("answered_at", UtcDateTime),
    sa.Column("ended_at", UtcDateTime),
    sa.Column("wait_ms", sa.BigInteger),
    sa.Column("ring_ms", sa.BigInteger),
    sa.Column("talk_ms", sa.BigInteger),
    sa.Column("hold_ms", sa.BigInteger),
    sa.Column("ended_by", CleanText),
    sa.Column("outcome", CleanText),
    sa.Column("complete", sa.Boolean, nullable=False),
    sa.Column("told_by", CleanText),  # who told of it, or of its end, where the server did not see it
    sa.Column("joined", sa.JSON(none_as_null=True)),  # the calls whose customers an agent joined to this one
    sa.Column("resume", sa.JSON(none_as_null=True)),  # while the call is on the floor: record/resume.py
    sa.UniqueConstraint("pbx", "boot", "linkedid"),
    sa.Index("ix_interactions_started_at_id", "started_at", "id"),
    sa.Index("ix_interactions_customer_id_started_at_id", "customer_id", "started_at", "id"),
    sa.Index(
        "ix_interactions_open",
        "pbx",
        sqlite_where=sa.text("outcome IS NULL"),
        postgresql_where=sa.text("outcome IS NULL"),
    ),
    sa.Index(
        "ix_interactions_resume",
        "pbx",
        sqlite_where=sa.text("resume IS NOT NULL"),
        postgresql_where=sa.text("resume IS NOT NULL"),
    ),
    sqlite_autoincrement=True,  # an id is never reused for another contact
)

aliases = sa.Table(
    "interaction_aliases",
    metadata,
    sa.Column("pbx", CleanText, primary_key=True),
    sa.Column("boot", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("linkedid", CleanText, primary_key=True),
    sa.Column(
        "interaction_id", Id, sa.ForeignKey("interactions.id", ondelete="CASCADE"), nullable=False, index=True
    ),
)

visits = sa.Table(
    "visits",
    metadata,
    id_column(),
    sa.Column("interaction_id", Id, sa.ForeignKey("interactions.id", ondelete="CASCADE"), nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("queue", CleanText, nullable=False),
    sa.Column("joined_at", UtcDateTime, nullable=False),
    sa.Column("left_at", UtcDateTime),
    sa.Column("how", CleanText),
    sa.Column("agent_id", Id, sa.ForeignKey("agents.id", ondelete="SET NULL")),
    sa.Column("seat", CleanText),
    sa.Column("place", sa.Integer),
    sa.UniqueConstraint("interaction_id", "position"),
    sa.Index("ix_visits_queue_joined_at", "queue", "joined_at"),
)

KEY = ("pbx", "boot", "linkedid")
"""The columns that identify a call, in interactions and aliases alike."""

segments = sa.Table(
    "segments",
    metadata,
    id_column(),
    sa.Column("interaction_id", Id, sa.ForeignKey("interactions.id", ondelete="CASCADE"), nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("agent_id", Id, sa.ForeignKey("agents.id", ondelete="SET NULL")),
    sa.Column("seat", CleanText),
    sa.Column("queue", CleanText),
    sa.Column("origin", CleanText, nullable=False),
    sa.Column("offered_at", UtcDateTime),
    sa.Column("answered_at", UtcDateTime),
    sa.Column("ended_at", UtcDateTime),
    sa.Column("ring_ms", sa.BigInteger),
    sa.Column("talk_ms", sa.BigInteger),
    sa.Column("hold_ms", sa.BigInteger),
    sa.Column("outcome", CleanText),
    sa.Column("wrapped_at", UtcDateTime),
    sa.Column("note", CleanText),  # this agent's draft, kept from the first letter on
    sa.Column("wrap_code", CleanText),
    sa.Column("wrap_ends_at", UtcDateTime),
    sa.Column("follow_up", sa.JSON(none_as_null=True)),
    sa.Column("owed", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("finished_at", UtcDateTime),  # when the agent said that nothing is missing
    sa.Column("resume", sa.JSON(none_as_null=True)),
    sa.UniqueConstraint("interaction_id", "position"),
    sa.Index("ix_segments_agent_id_interaction_id", "agent_id", "interaction_id"),
    sa.Index(
        "ix_segments_unwrapped",
        "agent_id",
        "ended_at",
        sqlite_where=sa.text("wrapped_at IS NULL"),
        postgresql_where=sa.text("wrapped_at IS NULL"),
    ),
    sa.Index(
        "ix_segments_unfinished",
        "agent_id",
        "ended_at",
        sqlite_where=sa.text("finished_at IS NULL"),
        postgresql_where=sa.text("finished_at IS NULL"),
    ),
)
