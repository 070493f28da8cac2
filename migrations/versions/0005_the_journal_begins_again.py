"""Empties the journal, because the shapes and audiences of its events have changed.

The numbering goes on. A desktop that resumes from an earlier position finds a gap and starts over with a snapshot.
"""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("DELETE FROM journal")


def downgrade() -> None:
    op.execute("DELETE FROM journal")
