"""Two calls become one: whatever names the one names the other afterwards, tables that come later too."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from cti_server.record.contacts.interactions import save_calls
from cti_server.record.contacts.merging import REWRITTEN, names_an_interaction
from cti_server.record.database import Database
from cti_server.record.desk import help_requests, promises
from cti_server.record.schema import Id, id_column, metadata
from tests.record.builders import NOON, a_customer, an_agent, call, part


@pytest.fixture
def surveys() -> Iterator[sa.Table]:
    """A table as somebody may add it tomorrow, with two columns that name an interaction."""
    table = sa.Table(
        "surveys",
        metadata,
        id_column(),
        sa.Column("contact", Id, sa.ForeignKey("interactions.id", ondelete="CASCADE"), nullable=False),
        sa.Column("callback", Id, sa.ForeignKey("interactions.id", ondelete="SET NULL")),
    )
    yield table
    metadata.remove(table)


async def test_a_table_that_is_added_tomorrow_moves_along(database: Database, surveys: sa.Table) -> None:
    async with database.begin() as conn:
        await conn.run_sync(surveys.create)
        ids = await save_calls(conn, [call("a"), call("b"), call("c")])
        a, b, c = (ids["demo", 100, name] for name in "abc")
        rows = [{"contact": b, "callback": None}, {"contact": c, "callback": b}]
        await conn.execute(sa.insert(surveys), rows)
        await save_calls(conn, [call("a", aliases=("b",))])
        moved = await conn.execute(sa.select(surveys.c.contact, surveys.c.callback).order_by(surveys.c.id))
        assert [tuple(row) for row in moved] == [(a, None), (c, a)]


async def test_what_was_promised_and_asked_in_the_one_belongs_to_the_other(database: Database) -> None:
    async with database.begin() as conn:
        alice, wang = await an_agent(conn), await a_customer(conn)
        ids = await save_calls(conn, [call("a"), call("b", segments=(part(0, agent_id=alice),))])
        a, b = ids["demo", 100, "a"], ids["demo", 100, "b"]
        promise = await promises.add(
            conn, customer_id=wang.id, kind="other", text="", due_at=NOON, at=NOON, interaction_id=b
        )
        asked = await help_requests.ask(
            conn, call="demo:100:b", agent_id=alice, said=None, at=NOON, interaction_id=b
        )
        await save_calls(conn, [call("a", aliases=("b",), segments=(part(0, agent_id=alice),))])
        promised, helped = await promises.get(conn, promise.id), await help_requests.get(conn, asked.id)
    assert promised is not None
    assert helped is not None
    assert (promised.interaction_id, helped.interaction_id) == (a, a)


def test_every_column_that_names_an_interaction_is_moved_or_written_anew() -> None:
    moved = {(column.table.name, column.name) for column in names_an_interaction()}
    rewritten = {(table.name, "interaction_id") for table in REWRITTEN}
    found = {
        (table.name, key.parent.name)
        for table in metadata.tables.values()
        for key in table.foreign_keys
        if key.target_fullname == "interactions.id"
    }
    assert moved | rewritten == found
    assert not moved & rewritten
    assert ("promises", "interaction_id") in moved


def test_a_row_that_is_moved_can_meet_no_other_there() -> None:
    """A table with one row for each interaction cannot be moved by an update: it needs a rule of its own."""
    for column in names_an_interaction():
        table = column.table
        keys = [
            constraint.columns for constraint in table.constraints if isinstance(constraint, sa.UniqueConstraint)
        ]
        keys += [index.columns for index in table.indexes if index.unique]
        assert not any(column.name in key for key in (*keys, table.primary_key.columns)), column


def test_whoever_imports_anything_of_the_record_has_the_whole_metadata() -> None:
    script = "import cti_server.record.schema as s; print(*sorted(s.metadata.tables))"
    said = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    assert said.split() == sorted(metadata.tables)
