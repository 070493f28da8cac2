"""The duty that does the upkeep each hour in one of the servers, and tells /metrics of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from cti_server.live.upkeep import DUE, Upkeep
from cti_server.record import journal
from cti_server.record.database import Database
from cti_server.record.journal import NewEntry
from cti_server.record.upkeep import claims
from cti_server.record.upkeep import run as upkeep
from cti_server.record.upkeep.run import Kept

KEPT = Kept(timedelta(days=3), timedelta(days=90))


class Server:
    """One process's duty and metrics."""

    def __init__(self, database: Database) -> None:
        self.duty = Upkeep(database, KEPT)
        self._registry = CollectorRegistry()
        self._registry.register(self.duty)

    def value(self, name: str, **labels: str) -> float | None:
        return self._registry.get_sample_value(name, labels)


async def done_at(database: Database, at: datetime) -> None:
    async with database.begin() as conn:
        claim = await claims.take(conn, "somebody", at)
        assert claim is not None
        await claim.release(conn, at, done=True)


async def test_one_of_two_servers_does_it_and_both_tell_when(database: Database) -> None:
    async with database.begin() as conn:
        await journal.append(conn, "desk", [NewEntry(datetime(2000, 1, 1, tzinfo=UTC), "call.changed", {})] * 3)
    first, second = Server(database), Server(database)
    before = datetime.now(UTC).timestamp()
    with capture_logs() as said:
        for server in (first, second):
            await server.duty.look()
        await second.duty.look()
    cut = 3 if database.is_sqlite else 0  # there it is in the present month's partition
    assert first.value("cti_upkeep_rows_total", table="journal") == cut
    assert second.value("cti_upkeep_rows_total", table="journal") is None
    for server in (first, second):
        at = server.value("cti_upkeep_done_timestamp_seconds")
        assert at is not None
        assert at >= before
    assert [line["event"] for line in said if line["event"].startswith("upkeep")] == ["upkeep.done"] * bool(cut)
    assert (first.value("cti_upkeep_seconds") or 0) > 0
    assert first.value("cti_upkeep_partitions_total", what="cut") == 0


@pytest.mark.parametrize(("ago", "is_due"), [(DUE / 2, False), (DUE * 2, True), (-DUE * 2, True)])
async def test_it_is_due_an_hour_after_the_last(database: Database, ago: timedelta, is_due: bool) -> None:
    """Also where that seems to lie ahead: the clock was wrong then, or is now."""
    await done_at(database, datetime.now(UTC) - ago)
    server = Server(database)
    await server.duty.look()
    assert (server.value("cti_upkeep_seconds") != 0) is is_due


async def test_a_failure_is_counted_and_it_is_tried_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*given: object) -> int:
        raise RuntimeError("as it happens")

    monkeypatch.setattr(upkeep.messages, "prune", fails)
    server = Server(database)
    with capture_logs() as said:
        for _ in range(2):
            await server.duty.look()
    assert server.value("cti_upkeep_failures_total", step="messages") == 2
    assert server.value("cti_upkeep_done_timestamp_seconds") == 0
    assert [(one["step"], one["cause"]) for one in said if one["event"] == "upkeep.failed"] == [
        ("messages", "as it happens")
    ] * 2
    monkeypatch.undo()
    await server.duty.look()
    assert server.value("cti_upkeep_done_timestamp_seconds") != 0
