"""What a server that stops gives back to the PBX, to be set again when it starts; and who waits to take over."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("shifts", sa.Column("added", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("pbx_leases", sa.Column("standby_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "handed_back",
        sa.Column("pbx", sa.Text, primary_key=True),
        sa.Column("queue", sa.Text, primary_key=True),
        sa.Column("interface", sa.Text, primary_key=True),
        sa.Column("reason", sa.Text, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("handed_back")
    op.drop_column("pbx_leases", "standby_at")
    op.drop_column("shifts", "added")
