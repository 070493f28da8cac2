"""The agent's desk: shifts and states, phones, queues that agents serve, wrap-up, promises, messages, help."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

TABLES = (
    "message_reads",
    "messages",
    "help_requests",
    "promises",
    "phones",
    "skills",
    "agent_queues",
    "wrap_up_codes",
    "reasons",
    "agent_states",
    "last_seats",
    "shifts",
)

WRAP_UP_KEPT = timedelta(hours=12)  # a wrap-up left open for longer was not brought back by a restart

# A draft belongs to the segment of whoever wrote it: two agents of one call overwrote each other.
NOTES_TO_SEGMENTS = """
UPDATE segments SET note = (SELECT i.note FROM interactions i WHERE i.id = segments.interaction_id)
WHERE note IS NULL AND agent_id IS NOT NULL AND position = (
    SELECT max(s.position) FROM segments s
    WHERE s.interaction_id = segments.interaction_id AND s.agent_id IS NOT NULL AND s.answered_at IS NOT NULL)
"""
NOTES_THAT_MOVED = """
UPDATE interactions SET note = NULL WHERE note IS NOT NULL AND EXISTS (
    SELECT 1 FROM segments s WHERE s.interaction_id = interactions.id AND s.note = interactions.note)
"""
NOTES_BACK = """
UPDATE interactions SET note = (
    SELECT {join} FROM (
        SELECT s.note, s.position FROM segments s
        WHERE s.interaction_id = interactions.id AND s.note IS NOT NULL ORDER BY s.position) AS written)
WHERE note IS NULL
"""
JOIN = {
    "sqlite": "group_concat(written.note, char(10))",
    "postgresql": "string_agg(written.note, chr(10) ORDER BY written.position)",
}


def upgrade() -> None:
    _people()
    _codes()
    _promises()
    _messages()
    op.add_column("agents", sa.Column("auto_answer", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("agents", sa.Column("may_pick", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("queues", sa.Column("wrap_up_mode", sa.Text(), server_default="mandatory", nullable=False))
    op.add_column(
        "queues", sa.Column("wrap_up_code_required", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    op.add_column("queues", sa.Column("wrap_up_extensions", sa.Integer(), server_default="2", nullable=False))
    op.add_column("queues", sa.Column("skill", sa.Text(), nullable=True))
    _segments()


def downgrade() -> None:
    op.execute(NOTES_BACK.format(join=JOIN[op.get_bind().dialect.name]))
    op.drop_index("ix_segments_unfinished", table_name="segments")
    for column in ("finished_at", "owed", "follow_up", "wrap_ends_at", "wrap_code"):
        op.drop_column("segments", column)
    for column in ("skill", "wrap_up_extensions", "wrap_up_code_required", "wrap_up_mode"):
        op.drop_column("queues", column)
    for column in ("may_pick", "auto_answer"):
        op.drop_column("agents", column)
    for table in TABLES:
        op.drop_table(table)


def _segments() -> None:
    op.add_column("segments", sa.Column("wrap_code", sa.Text(), nullable=True))
    op.add_column("segments", sa.Column("wrap_ends_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("segments", sa.Column("follow_up", sa.JSON(), nullable=True))
    op.add_column("segments", sa.Column("owed", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("segments", sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_segments_unfinished",
        "segments",
        ["agent_id", "ended_at"],
        sqlite_where=sa.text("finished_at IS NULL"),
        postgresql_where=sa.text("finished_at IS NULL"),
    )
    op.execute(NOTES_TO_SEGMENTS)
    op.execute(NOTES_THAT_MOVED)
    # Until now nothing was owed: what was wrapped up is finished, and so is what nobody came back to.
    moment = sa.DateTime(timezone=True)
    moments = ("finished_at", "wrapped_at", "ended_at", "answered_at")
    s = sa.table("segments", sa.column("outcome"), *(sa.column(n, moment) for n in moments))
    stale = datetime.now(UTC) - WRAP_UP_KEPT
    if op.get_bind().dialect.name == "sqlite":
        stale = stale.replace(tzinfo=None)
    # Of what ended while nobody looked it is only known when it began.
    unseen = sa.and_(s.c.outcome.is_not(None), s.c.ended_at.is_(None), s.c.answered_at < stale)
    over = sa.or_(s.c.wrapped_at.is_not(None), s.c.ended_at < stale, unseen)
    at = sa.func.coalesce(s.c.wrapped_at, s.c.ended_at, s.c.answered_at)
    op.execute(sa.update(s).where(over).values(finished_at=at))


def _agent(name: str = "agent_id", *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, ID, nullable=nullable)


def _to(table: str, column: str, target: str, on_delete: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}"), ondelete=on_delete
    )


def _people() -> None:
    op.create_table(
        "shifts",
        sa.Column("agent_id", ID, autoincrement=False, nullable=False),
        sa.Column("seat", sa.Text(), nullable=False),
        sa.Column("pbx", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("by_kind", sa.Text(), nullable=True),
        sa.Column("by_name", sa.Text(), nullable=True),
        sa.Column("because", sa.JSON(), nullable=True),
        sa.Column("state_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("pending", sa.JSON(), nullable=True),
        _to("shifts", "agent_id", "agents", "CASCADE"),
        sa.PrimaryKeyConstraint("agent_id", name=op.f("pk_shifts")),
    )
    op.create_table(
        "last_seats",
        sa.Column("agent_id", ID, autoincrement=False, nullable=False),
        sa.Column("seat", sa.Text(), nullable=False),
        sa.Column("pbx", sa.Text(), nullable=False),
        _to("last_seats", "agent_id", "agents", "CASCADE"),
        sa.PrimaryKeyConstraint("agent_id", name=op.f("pk_last_seats")),
    )
    op.create_table(
        "agent_states",
        sa.Column("id", ID, nullable=False),
        _agent(),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("by_kind", sa.Text(), nullable=True),
        sa.Column("by_name", sa.Text(), nullable=True),
        sa.Column("because", sa.JSON(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        _to("agent_states", "agent_id", "agents", "CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agent_states")),
    )
    op.create_index("ix_agent_states_agent_id_at", "agent_states", ["agent_id", "at"])
    op.create_table(
        "agent_queues",
        sa.Column("agent_id", ID, autoincrement=False, nullable=False),
        sa.Column("queue_id", ID, autoincrement=False, nullable=False),
        sa.Column("penalty", sa.Integer(), nullable=True),
        _to("agent_queues", "agent_id", "agents", "CASCADE"),
        _to("agent_queues", "queue_id", "queues", "CASCADE"),
        sa.PrimaryKeyConstraint("agent_id", "queue_id", name=op.f("pk_agent_queues")),
    )
    op.create_index(op.f("ix_agent_queues_queue_id"), "agent_queues", ["queue_id"])
    op.create_table(
        "skills",
        sa.Column("agent_id", ID, autoincrement=False, nullable=False),
        sa.Column("skill", sa.Text(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        _to("skills", "agent_id", "agents", "CASCADE"),
        sa.PrimaryKeyConstraint("agent_id", "skill", name=op.f("pk_skills")),
    )
    op.create_table(
        "phones",
        sa.Column("id", ID, nullable=False),
        sa.Column("pbx", sa.Text(), nullable=False),
        sa.Column("seat", sa.Text(), nullable=False),
        sa.Column("extension", sa.Text(), nullable=False),
        sa.Column("label_en", sa.Text(), nullable=True),
        sa.Column("label_zh", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("sip_user", sa.Text(), nullable=True),
        sa.Column("sip_password", sa.Text(), nullable=True),
        _agent(nullable=True),
        _to("phones", "agent_id", "agents", "CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phones")),
        sa.UniqueConstraint("pbx", "seat", name=op.f("uq_phones_pbx_seat")),
    )
    op.create_index(op.f("ix_phones_agent_id"), "phones", ["agent_id"])
    op.create_index("ix_phones_pbx_extension", "phones", ["pbx", "extension"])


def _codes() -> None:
    op.create_table(
        "reasons",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("title_en", sa.Text(), nullable=False),
        sa.Column("title_zh", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_reasons")),
    )
    op.create_table(
        "wrap_up_codes",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("parent", sa.Text(), nullable=True),
        sa.Column("queue", sa.Text(), nullable=True),
        sa.Column("title_en", sa.Text(), nullable=False),
        sa.Column("title_zh", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_wrap_up_codes")),
    )


def _promises() -> None:
    op.create_table(
        "promises",
        sa.Column("id", ID, nullable=False),
        sa.Column("customer_id", ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("remind_ms", sa.BigInteger(), nullable=False),
        sa.Column("raise_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("broken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        _agent("owner_id", nullable=True),
        _agent("created_by", nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        _agent("settled_by", nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("interaction_id", ID, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        _to("promises", "customer_id", "customers", "CASCADE"),
        _to("promises", "owner_id", "agents", "SET NULL"),
        _to("promises", "created_by", "agents", "SET NULL"),
        _to("promises", "settled_by", "agents", "SET NULL"),
        _to("promises", "interaction_id", "interactions", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promises")),
    )
    for column in ("customer_id", "owner_id", "interaction_id"):
        op.create_index(op.f(f"ix_promises_{column}"), "promises", [column])
    op.create_index(
        "ix_promises_open",
        "promises",
        ["due_at"],
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )


def _messages() -> None:
    op.create_table(
        "messages",
        sa.Column("id", ID, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        _agent("sender_id"),
        sa.Column("to_kind", sa.Text(), nullable=False),
        _agent("to_agent_id", nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("call", sa.Text(), nullable=True),
        _to("messages", "sender_id", "agents", "CASCADE"),
        _to("messages", "to_agent_id", "agents", "CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_messages_sender_id"), "messages", ["sender_id"])
    op.create_index(op.f("ix_messages_to_agent_id"), "messages", ["to_agent_id"])
    op.create_index("ix_messages_to_kind_id", "messages", ["to_kind", "id"])
    op.create_table(
        "message_reads",
        sa.Column("agent_id", ID, autoincrement=False, nullable=False),
        sa.Column("up_to", sa.BigInteger(), nullable=False),
        _to("message_reads", "agent_id", "agents", "CASCADE"),
        sa.PrimaryKeyConstraint("agent_id", name=op.f("pk_message_reads")),
    )
    op.create_table(
        "help_requests",
        sa.Column("id", ID, nullable=False),
        sa.Column("call", sa.Text(), nullable=False),
        sa.Column("interaction_id", ID, nullable=True),
        _agent(),
        sa.Column("said", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        _agent("taken_by", nullable=True),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        _to("help_requests", "interaction_id", "interactions", "SET NULL"),
        _to("help_requests", "agent_id", "agents", "CASCADE"),
        _to("help_requests", "taken_by", "agents", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_help_requests")),
    )
    op.create_index(op.f("ix_help_requests_interaction_id"), "help_requests", ["interaction_id"])
    op.create_index(
        "uq_help_requests_asked",
        "help_requests",
        ["agent_id", "call"],
        unique=True,
        sqlite_where=sa.text("state <> 'done'"),
        postgresql_where=sa.text("state <> 'done'"),
    )
