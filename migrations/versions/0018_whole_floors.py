"""The whole floor of each PBX as of a position of its stream, where any process begins to follow."""

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


def downgrade() -> None:
    op.drop_table("whole_floors")
