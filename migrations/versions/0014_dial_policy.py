"""Who may dial what.

From this revision on calls to other countries, to premium and satellite numbers are refused until a policy allows
them, and only a person on shift dials outside. A center that calls abroad says so once, after the upgrade:
`cti-server dialling show >policy.toml`, allow the countries in it, `cti-server dialling set policy.toml`.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "dial_policies",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("policy", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("author_id", ID, nullable=True),
        sa.Column("author", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["author_id"],
            ["agents.id"],
            name=op.f("fk_dial_policies_author_id_agents"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_dial_policies")),
    )


def downgrade() -> None:
    op.drop_table("dial_policies")
