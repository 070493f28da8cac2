"""Several processes on one record: terms of leases, and the whole floor of each PBX where any process begins."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "whole_floors",
        sa.Column("stream", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("floor", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("stream", name=op.f("pk_whole_floors")),
    )
    op.create_table(
        "pbx_terms",
        sa.Column("pbx", sa.Text(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("standby_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("pbx", name=op.f("pk_pbx_terms")),
    )
    op.create_table(
        "processes",
        sa.Column("process", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("process", name=op.f("pk_processes")),
    )
    op.create_table(
        "desktops",
        sa.Column("process", sa.Text(), nullable=False),
        sa.Column("agent_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["process"], ["processes.process"], name=op.f("fk_desktops_process_processes"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["agent_id"], ["agents.id"], name=op.f("fk_desktops_agent_id_agents"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("process", "agent_id", name=op.f("pk_desktops")),
    )
    op.create_table(
        "asked",
        sa.Column("id", ID, nullable=False),
        sa.Column("pbx", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_asked")),
    )
    op.create_index("ix_asked_pbx_state", "asked", ["pbx", "state"])
    op.create_table(
        "requests",
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("agent_id", ID, nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("command", sa.Text(), nullable=False),
        sa.Column("call", sa.Text(), nullable=True),
        sa.Column("pbx", sa.Text(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["agent_id"], ["agents.id"], name=op.f("fk_requests_agent_id_agents"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("request", name=op.f("pk_requests")),
        sa.UniqueConstraint("agent_id", "key", name=op.f("uq_requests_agent_id_key")),
    )
    op.create_table(
        "handovers",
        sa.Column("id", ID, nullable=False),
        sa.Column("call", sa.Text(), nullable=False),
        sa.Column("agent_id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("to_agent_id", ID, nullable=True),
        sa.Column("said", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["agent_id"], ["agents.id"], name=op.f("fk_handovers_agent_id_agents"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["to_agent_id"], ["agents.id"], name=op.f("fk_handovers_to_agent_id_agents"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handovers")),
    )
    op.create_index(op.f("ix_handovers_call"), "handovers", ["call"])
    op.create_index(op.f("ix_handovers_at"), "handovers", ["at"])


def downgrade() -> None:
    for table in ("handovers", "requests", "asked", "desktops", "processes"):
        op.drop_table(table)
    op.drop_table("pbx_terms")
    op.drop_table("whole_floors")
