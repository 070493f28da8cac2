"""What the imports of customers begin with: service levels and an agent, and files as other systems write them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cti_server.record.crm import contracts, search
from cti_server.record.database import Database
from cti_server.rules.facts import Customer, ServiceLevel
from tests.record.builders import an_agent


@pytest.fixture
async def ready(database: Database) -> Database:
    """A database with service levels and an agent, as an import needs."""
    async with database.begin() as conn:
        for rank, (code, zh) in enumerate({"gold": "金牌", "silver": "银牌"}.items(), 1):
            level = ServiceLevel(0, code, code.title(), zh, rank, 10)
            await contracts.save_service_level(conn, level)
        await an_agent(conn, "alice")
    return database


@pytest.fixture
def csv_file(tmp_path: Path) -> Callable[[str], Path]:
    """Makes a CSV file of this text."""

    def make(text: str, name: str = "customers.csv") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return make


async def everyone(database: Database) -> dict[str, Customer]:
    """All customers by name."""
    async with database.read() as conn:
        return {found.customer.name: found.customer for found in (await search.find(conn, "", limit=200)).items}
