"""One engine is enough here: what differs between the two is tested where the record is."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from cti_server.record.database import Database


@pytest.fixture
async def database(sqlite_url: str) -> AsyncIterator[Database]:
    async with Database(sqlite_url) as made:
        yield made
