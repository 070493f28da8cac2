"""The journal in partitions by month on PostgreSQL, and who does the upkeep.

What is in the journal becomes the partition of this month as it stands: no row is copied, so that whoever waits to
write waits for a look through them only. Entries that are dated after this month move to the rest.
"""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

AHEAD = 3  # months that have their partition before they begin


def upgrade() -> None:
    op.create_table(
        "upkeep_claims",
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=True),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("task", name=op.f("pk_upkeep_claims")),
    )
    if op.get_bind().dialect.name == "sqlite":
        return
    now: datetime = op.get_bind().scalar(sa.text("SELECT now()"))
    month = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    first, end = f"journal_{month:%Y_%m}", _after(month)
    op.execute(f"ALTER TABLE journal RENAME TO {first}")
    op.execute(f"ALTER INDEX pk_journal RENAME TO {first}_pkey")
    op.execute(
        "CREATE TABLE journal (stream text NOT NULL, seq bigint NOT NULL, at timestamptz NOT NULL, "
        "kind text NOT NULL, audience json, body json NOT NULL) PARTITION BY RANGE (at)"
    )
    op.execute("CREATE TABLE journal_rest PARTITION OF journal (PRIMARY KEY (stream, seq)) DEFAULT")
    op.execute("CREATE INDEX journal_rest_at ON journal_rest (at)")  # its rows are cut by age
    op.execute(
        f"WITH late AS (DELETE FROM {first} WHERE at >= '{end.isoformat()}' RETURNING *) "  # noqa: S608
        "INSERT INTO journal_rest SELECT * FROM late"
    )
    op.execute("DROP INDEX ix_journal_at")
    op.execute(f"ALTER TABLE journal ATTACH PARTITION {first} FOR VALUES FROM (MINVALUE) TO ('{end.isoformat()}')")
    for _ in range(AHEAD):
        month, end = end, _after(end)
        if op.get_bind().scalar(
            sa.text("SELECT EXISTS (SELECT FROM journal_rest WHERE at >= :start AND at < :end)"),
            {"start": month, "end": end},
        ):
            continue
        op.execute(
            f"CREATE TABLE journal_{month:%Y_%m} PARTITION OF journal (PRIMARY KEY (stream, seq)) "
            f"FOR VALUES FROM ('{month.isoformat()}') TO ('{end.isoformat()}')"
        )


def downgrade() -> None:
    op.drop_table("upkeep_claims")
    if op.get_bind().dialect.name == "sqlite":
        return
    op.execute("ALTER TABLE journal RENAME TO journal_by_month")
    op.execute(
        "CREATE TABLE journal (stream text NOT NULL, seq bigint NOT NULL, at timestamptz NOT NULL, "
        "kind text NOT NULL, audience json, body json NOT NULL)"
    )
    op.execute("INSERT INTO journal SELECT stream, seq, at, kind, audience, body FROM journal_by_month")
    op.execute("DROP TABLE journal_by_month")  # with its partitions
    op.execute("ALTER TABLE journal ADD CONSTRAINT pk_journal PRIMARY KEY (stream, seq)")
    op.execute("CREATE INDEX ix_journal_at ON journal (at)")


def _after(month: datetime) -> datetime:
    return month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)
