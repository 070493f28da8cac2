"""Where a call stands, for a server that restarts; and when a process was last seen to be attached to a PBX."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("interactions", sa.Column("resume", sa.JSON(none_as_null=True), nullable=True))
    op.create_index(
        "ix_interactions_resume",
        "interactions",
        ["pbx"],
        sqlite_where=sa.text("resume IS NOT NULL"),
        postgresql_where=sa.text("resume IS NOT NULL"),
    )
    op.add_column("segments", sa.Column("resume", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("pbx_leases", sa.Column("live_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("pbx_leases", "live_at")
    op.drop_column("segments", "resume")
    op.drop_index("ix_interactions_resume", "interactions")
    op.drop_column("interactions", "resume")
