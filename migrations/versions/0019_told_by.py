"""Who told of a contact that the server did not see, and the times in which it saw nothing."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("interactions", sa.Column("told_by", sa.Text(), nullable=True))
    op.create_table(
        "gaps",
        sa.Column("id", ID, nullable=False),
        sa.Column("pbx", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("filled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("added", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("completed", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("left_out", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("trouble", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gaps")),
    )
    op.create_index("ix_gaps_pbx_since", "gaps", ["pbx", "since"])


def downgrade() -> None:
    op.drop_table("gaps")
    op.drop_column("interactions", "told_by")
