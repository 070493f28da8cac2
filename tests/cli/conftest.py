"""The record of a test, by the commands."""

from __future__ import annotations

import pytest

from cti_server.record.sealing import new_key
from tests.cli.commands import Record


@pytest.fixture
def record(sqlite_url: str) -> Record:
    return Record(sqlite_url, CTI_SECRET_KEY=new_key())
