"""How a customer is addressed: "Dr", "Frau", "女士"."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("customers", sa.Column("salutation", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("customers", "salutation")
