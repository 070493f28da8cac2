"""The customer search finds the same on both engines, in the order a person expects."""

from __future__ import annotations

import pytest

from cti_server.record.crm import customers, search
from cti_server.record.cursor import BadCursor
from cti_server.record.database import Database
from cti_server.record.engines import Connection
from tests.record.builders import NOON, a_contract, a_customer


async def names(conn: Connection, q: str) -> list[str]:
    return [found.customer.name for found in (await search.find(conn, q)).items]


async def test_find(database: Database) -> None:
    async with database.begin() as conn:
        huawei = await a_customer(conn, "华为技术 Huawei", "+8675528780808", kind="company")
        await a_customer(conn, "王明", "+8613800138000")
        li = await a_customer(conn, "李明华", "+8613912345678", company_id=huawei.id, external_ref="CRM-77")
        jose = await a_customer(conn, "José O'Neil", "+442079460100-801")
        await a_customer(conn, "Joseph Smith")
        await a_customer(conn, "Jo")
        await a_customer(conn, "🙂 Emoji & Co.", "10086")
        await customers.add_contact_point(conn, jose.id, at=NOON, kind="email", raw="jose@example.com")
        await a_contract(conn, huawei.id, "C-1001")
        await a_contract(conn, li.id, "HW/2026-003")
        for q, expected in {
            "王明": ["王明"],  # two characters, which a trigram index does not find
            "明": ["李明华", "王明"],
            "明华": ["李明华"],
            "华明": [],
            "huawei": ["华为技术 Huawei", "李明华"],
            "HUA 华为": ["华为技术 Huawei", "李明华"],
            "ｈｕａｗｅｉ": ["华为技术 Huawei", "李明华"],
            "jo": ["Jo", "José O'Neil", "Joseph Smith"],
            "jose": ["José O'Neil", "Joseph Smith"],
            "o'neil": ["José O'Neil"],
            "smith jo": ["Joseph Smith"],
            "jose@example.com": ["José O'Neil"],
            "1380013": ["王明"],
            "138 0013 8000": ["王明"],
            "013800138000": ["王明"],
            "+86 138-0013-8000": ["王明"],
            "345": ["李明华"],
            "李 345": ["李明华"],
            "王 345": [],
            "0100801": ["José O'Neil"],
            "10086": ["🙂 Emoji & Co."],
            "C-1001": ["华为技术 Huawei"],
            "c1001": ["华为技术 Huawei"],
            "1001": ["华为技术 Huawei"],
            "hw/2026-003": ["李明华"],
            "crm-77": ["李明华"],
            "emoji": ["🙂 Emoji & Co."],
            "🙂": [],
            "' OR 1=1 --": [],
            '"*': [],
            "\0": [],
            "nobody": [],
            "9" * 300: [],
        }.items():
            assert await names(conn, q) == expected, q
        assert len(await names(conn, "  ")) == 7


async def test_a_number_that_ends_with_what_was_typed_comes_first(database: Database) -> None:
    async with database.begin() as conn:
        await a_customer(conn, "Anna", "+4480012345678")
        await a_customer(conn, "Bruno", "+442079468001")
        await a_customer(conn, "Clara", "+448001222333")
        await a_customer(conn, "Zoe", "+8613800138001")
        assert await names(conn, "8001") == ["Bruno", "Zoe", "Anna", "Clara"]
        page = await search.find(conn, "8001", limit=1)
        found = [page.items[0].customer.name]
        while page.next is not None:
            page = await search.find(conn, "8001", page.next, limit=1)
            found.append(page.items[0].customer.name)
        assert found == ["Bruno", "Zoe", "Anna", "Clara"]
        masked = await search.find(conn, "2079468001", whole_numbers=True)
        assert [one.customer.name for one in masked.items] == ["Bruno"]


async def test_found_with_contracts_and_numbers(database: Database) -> None:
    async with database.begin() as conn:
        acme = await a_customer(conn, "Acme", kind="company")
        li = await a_customer(conn, "Li Na", "+8613912345678", company_id=acme.id)
        await a_contract(conn, acme.id, "C-1")
        await a_contract(conn, li.id, "C-2", "silver")
        [found] = (await search.find(conn, "li na")).items
    assert [point.e164 for point in found.customer.contact_points] == ["+8613912345678"]
    assert found.customer.company is not None
    assert [contract.number for contract in found.contracts] == ["C-2", "C-1"]


async def test_an_edit_is_found_at_once(database: Database) -> None:
    async with database.begin() as conn:
        acme = await a_customer(conn, "Acme", kind="company")
        li = await a_customer(conn, "Li Na", company_id=acme.id)
        await customers.update(conn, acme.id, acme.version, {"name": "Zenith"}, NOON)
        assert await names(conn, "acme") == []
        assert await names(conn, "zenith") == ["Zenith", "Li Na"]
        await customers.delete(conn, li.id)
        assert await names(conn, "zenith") == ["Zenith"]


@pytest.mark.parametrize("q", ["", "same"])
async def test_pages_have_each_customer_once(database: Database, q: str) -> None:
    async with database.begin() as conn:
        made = [(await a_customer(conn, f"Same {'ab'[n % 2]}" if n % 3 else "same")).id for n in range(11)]
        seen: list[int] = []
        cursor = None
        for _ in range(4):
            page = await search.find(conn, q, cursor, limit=3)
            seen += [found.customer.id for found in page.items]
            cursor = page.next
        assert cursor is None
        assert sorted(seen) == made
        with pytest.raises(BadCursor):
            await search.find(conn, q, "nonsense")
