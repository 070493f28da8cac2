"""The upkeep of the record, by whichever process comes first each hour, and what it did, for /metrics."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from cti_server.record.database import Database
from cti_server.record.upkeep import claims
from cti_server.record.upkeep.run import Done, Kept, run

DUE: Final = timedelta(hours=1)  # after the last one
LOOK_EVERY_S: Final = 300.0

log = structlog.get_logger()


class Upkeep(Collector):
    """Run it as a duty, and register it with /metrics."""

    def __init__(self, database: Database, kept: Kept) -> None:
        self._database, self._kept = database, kept
        self._rows: Counter[str] = Counter()
        self._partitions: Counter[str] = Counter()
        self._failures: Counter[str] = Counter()
        self._seconds = 0.0
        self._done_at: datetime | None = None

    async def run(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Do it if no process has done it within the last hour."""
        async with self._database.read() as conn:
            self._done_at = await claims.done_at(conn)
        now = datetime.now(UTC)
        # A time that lies ahead is one of a clock that was wrong.
        if self._done_at is not None and abs(now - self._done_at) < DUE:
            return
        done = await run(self._database, self._kept)
        if done is not None:
            self._count(done)

    def _count(self, done: Done) -> None:
        self._rows.update(done.rows)
        self._partitions.update(made=len(done.partitions.made), cut=len(done.partitions.cut))
        self._failures.update(done.failures.keys())
        self._seconds = done.seconds
        if not done.failures:
            self._done_at = done.at
        for step, cause in done.failures.items():
            log.warning("upkeep.failed", step=step, cause=cause, remedy="cti-server maintain   tries it again")
        if done.partitions.skipped:
            log.warning("upkeep.partitions_not_made", names=done.partitions.skipped, cause="journal_rest has rows")
        if any(done.rows.values()) or done.partitions.made or done.partitions.cut:
            log.info(
                "upkeep.done",
                seconds=round(done.seconds, 3),
                rows=done.rows,
                partitions_made=done.partitions.made,
                partitions_cut=done.partitions.cut,
            )

    def collect(self) -> Iterable[Metric]:
        rows = CounterMetricFamily("cti_upkeep_rows", "Rows that this process has cut by age", labels=["table"])
        for table, count in self._rows.items():
            rows.add_metric([table], count)
        partitions = CounterMetricFamily(
            "cti_upkeep_partitions", "Months of the journal that this process has made and cut", labels=["what"]
        )
        for what in ("made", "cut"):
            partitions.add_metric([what], self._partitions[what])
        failures = CounterMetricFamily(
            "cti_upkeep_failures", "Steps of the upkeep that failed in this process", labels=["step"]
        )
        for step, count in self._failures.items():
            failures.add_metric([step], count)
        yield from (rows, partitions, failures)
        yield GaugeMetricFamily("cti_upkeep_seconds", "How long this process's last upkeep took", self._seconds)
        at = 0.0 if self._done_at is None else self._done_at.timestamp()
        yield GaugeMetricFamily(
            "cti_upkeep_done_timestamp_seconds", "When any process has last done all of the upkeep", at
        )
