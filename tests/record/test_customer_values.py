"""Tier and preferred agent: every way to write them keeps who did, when, from what to what, and why."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from cti_server.demo.seed import seed
from cti_server.imports.customers import Options, import_customers
from cti_server.record.center import agents
from cti_server.record.crm import customer_values, customers, search
from cti_server.record.crm.customer_values import FIELDS, Author
from cti_server.record.crm.customers import StaleVersion
from cti_server.record.database import Database
from cti_server.record.engines import Connection
from tests.record.builders import NOON, a_customer, after, an_agent

Shown = tuple[str, str | None, str | None, int, str, str, str | None]


async def changes(conn: Connection, customer_id: int) -> list[Shown]:
    """The latest first: field, before, after, version, origin, author, reason."""
    return [
        (one.field, one.before, one.after, one.version, one.author.origin, one.author.name, one.reason)
        for one in await customer_values.of_customer(conn, customer_id)
    ]


async def test_each_change_is_kept_with_its_author_and_reason(database: Database) -> None:
    async with database.begin() as conn:
        alice, boss = await an_agent(conn), await an_agent(conn, "boss", name="Zhao 主管")
        li = await a_customer(conn, "Li")
        by = Author("person", "Zhao 主管", boss)
        given = {"tier": "gold", "preferred_agent_id": alice, "remarks": "deaf"}
        await customers.update(conn, li.id, 1, given, after(1), by=by, reason="signed for three years")
        await customers.update(conn, li.id, 2, {"tier": None}, after(2), by=by)
        await customers.update(conn, li.id, 3, {"tier": None, "preferred_agent_id": alice}, after(3))  # no change
        assert await changes(conn, li.id) == [
            ("tier", "gold", None, 3, "person", "Zhao 主管", None),
            ("preferred_agent", None, "Alice", 2, "person", "Zhao 主管", "signed for three years"),
            ("tier", None, "gold", 2, "person", "Zhao 主管", "signed for three years"),
        ]
        [first, *_] = await customer_values.of_customer(conn, li.id)
        assert (first.at, first.author.agent_id, first.customer_id) == (after(2), boss, li.id)
        # What they were called then stays.
        await agents.update(conn, alice, name="Alice Wang", active=False)
        assert (await changes(conn, li.id))[1][2] == "Alice"
        await customers.delete(conn, li.id)
        assert await changes(conn, li.id) == []


@pytest.mark.parametrize("field", list(FIELDS))
async def test_nobody_changes_a_value_without_a_name(database: Database, field: str) -> None:
    """The table of FIELDS: a value that is added there is looked at here."""
    async with database.begin() as conn:
        value = {"tier": "gold", "preferred_agent_id": await an_agent(conn)}[field]
        li = await a_customer(conn, "Li")
        with pytest.raises(ValueError, match="needs an author"):
            await customers.update(conn, li.id, 1, {field: value}, after(1))
    async with database.begin() as conn:
        with pytest.raises(ValueError, match="needs an author"):
            await customers.create(conn, kind="person", name="Wu", at=NOON, **{field: value})


async def test_of_two_changes_at_once_one_is_kept(database: Database) -> None:
    async with database.begin() as conn:
        li = await a_customer(conn, "Li")

    async def give(tier: str) -> bool:
        try:
            async with database.begin() as conn:
                by = Author("person", tier)
                await customers.update(conn, li.id, li.version, {"tier": tier}, after(1), by=by)
        except StaleVersion:
            return False
        return True

    done = await asyncio.gather(*(give(tier) for tier in ("gold", "silver", "vip")))
    async with database.read() as conn:
        found = await customers.get(conn, li.id)
        [kept] = await changes(conn, li.id)
    assert found is not None
    assert (done.count(True), kept[2], kept[5]) == (1, found.tier, found.tier)


FILE = "customer id,name,tier,agent\nC-1,Li,gold,alice\nC-2,Wu,,\n"


async def _by_file(database: Database, folder: Path, text: str, *, dry: bool = False) -> None:
    file = folder / "crm 导出.csv"
    file.write_text(text, encoding="utf-8")
    await import_customers(database, file, Options(region="CN", dry_run=dry), at=NOON)


async def test_an_import_is_an_author(database: Database, tmp_path: Path) -> None:
    async with database.begin() as conn:
        await an_agent(conn)
    await _by_file(database, tmp_path, FILE)
    await _by_file(database, tmp_path, FILE)
    await _by_file(database, tmp_path, FILE.replace("gold", "vip"), dry=True)
    await _by_file(database, tmp_path, FILE.replace("gold", "silver").replace("Wu,,", "Wu,gold,"))
    async with database.read() as conn:
        ids = await customers.ids_by_ref(conn, ["C-1", "C-2"])
        assert await changes(conn, ids["C-1"]) == [
            ("tier", "gold", "silver", 2, "import", "crm 导出.csv", None),
            ("preferred_agent", None, "Alice", 1, "import", "crm 导出.csv", None),
            ("tier", None, "gold", 1, "import", "crm 导出.csv", None),
        ]
        assert await changes(conn, ids["C-2"]) == [("tier", None, "gold", 2, "import", "crm 导出.csv", None)]
        assert (await customers.get_many(conn, ids.values()))[ids["C-1"]].version == 2


async def test_what_the_demo_gives_has_an_author(database: Database) -> None:
    await seed(database, "demo", NOON)
    async with database.read() as conn:
        [sun] = (await search.find(conn, "孙悦")).items
        assert ("tier", None, "vip", 1, "command", "cti-server demo", None) in await changes(conn, sun.customer.id)


async def test_the_version_of_a_change_is_the_one_that_the_customer_then_had(
    database: Database, tmp_path: Path
) -> None:
    """A number that the same file adds raises the version by no more than the one."""
    async with database.begin() as conn:
        await an_agent(conn)
    await _by_file(database, tmp_path, "customer id,name,tier,phone\nC-1,Li,gold,13800138000\n")
    await _by_file(database, tmp_path, "customer id,name,tier,phone\nC-1,Li,vip,13800138001\n")
    async with database.read() as conn:
        [number] = (await customers.ids_by_ref(conn, ["C-1"])).values()
        found = await customers.get(conn, number)
        assert found is not None
        assert [one[3] for one in await changes(conn, number)] == [found.version, 1]
