"""Which other contacts an agent joined to this one: two customers whom a colleague connected and left."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("interactions", sa.Column("joined", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    op.drop_column("interactions", "joined")
