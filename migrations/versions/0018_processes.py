"""Several processes on one record: terms of leases, and the whole floor of each PBX where any process begins."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0015"
branch_labels = None
depends_on = None


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


def downgrade() -> None:
    op.drop_table("pbx_terms")
    op.drop_table("whole_floors")
