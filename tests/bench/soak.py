"""Ten minutes or more of calls of all kinds: each is in the record exactly once, and the server does not grow.

`python -m tests.bench.soak [SECONDS] [--minutes M] [--rate R] [--postgres] [--plot FILE]`; exits 1 when something
is wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import sqlalchemy as sa
import uvloop

from cti_server.record.database import Database
from tests.live.center import Center

from .figures import Figure, machine, out, rss_mb, show
from .floorplan import SALES_LINE, TEAM_LINE, TEAMS, Callers, known_numbers
from .plot import sparkline, write_svg
from .postgres import durable_postgres
from .site import PBX, desktops, recorded, site, unfinished
from .stamps import Stamps

SECONDS = 600
GROWTH_MB = 10.0  # from the second fifth of the time to the last
GROWTH_MIB = 5.0  # for each 100,000 calls
PER_CALLS = 100_000
ENOUGH_CALLS = 5000  # of fewer a slope is noise, many times over
FLAT = 10.0  # tasks, and descriptors, by which the last fifth may be over the second one
SAMPLE_S = 1.0
RATE = 2.0
AFTER_S = 8.0  # until the last call is over and wrapped up
IVR_LINE = "4008001000"


@dataclass(frozen=True)
class Kind:
    """Callers of one kind: how many a second, whom they call, and when they hang up if nobody else has."""

    what: str
    rate: float
    lines: Sequence[str]
    stay_s: float


KINDS = (
    Kind("the agent hangs up", 0.9, (SALES_LINE,), 60),
    Kind("five phones ring", 0.3, [f"{TEAM_LINE}{team}" for team in range(TEAMS)], 60),
    Kind("hangs up while it rings", 0.3, (SALES_LINE, f"{TEAM_LINE}3"), 0.6),
    Kind("hangs up while talking", 0.3, (SALES_LINE, f"{TEAM_LINE}7"), 2.2),
    Kind("hangs up in the IVR", 0.2, (IVR_LINE,), 2.0),
)


@dataclass
class Samples:
    """What the server's process had each second: resident MB, tasks of its event loop, open descriptors."""

    memory: list[float] = field(default_factory=list)
    tasks: list[float] = field(default_factory=list)
    descriptors: list[float] = field(default_factory=list)

    async def sample(self, center: Center) -> None:
        """Until cancelled."""
        assert center.process is not None
        pid = center.process.pid
        async with center.client(timeout=10) as api:
            while True:
                self.memory.append(rss_mb(pid))
                self.descriptors.append(len(os.listdir(f"/proc/{pid}/fd")))
                try:
                    lines = (await api.get("/metrics")).text.splitlines()
                    self.tasks.append(next(float(one.split()[1]) for one in lines if one.startswith("cti_tasks ")))
                except (httpx.HTTPError, StopIteration):
                    self.tasks.append(self.tasks[-1] if self.tasks else 0.0)
                await asyncio.sleep(SAMPLE_S)


async def soak(seconds: int, postgres: bool, rate: float = RATE, plot: Path | None = None) -> bool:
    """Whether all was well. `rate` is of all kinds together, in calls a second."""
    kinds = [replace(kind, rate=kind.rate * rate / RATE) for kind in KINDS]
    with tempfile.TemporaryDirectory(prefix="cti-soak-") as folder, ExitStack() as stack:
        url = f"sqlite+aiosqlite:///{folder}/soak.db"
        if postgres:
            url = stack.enter_context(stack.enter_context(durable_postgres()).database())
        stamps = Stamps()
        async with site(url, Path(folder), stamps) as (center, _), desktops(stamps, center):
            samples = Samples()
            sampling = asyncio.create_task(samples.sample(center), name="sample")
            try:
                await _calls(center, stack, kinds, seconds)
            finally:
                sampling.cancel()
                await asyncio.gather(sampling, return_exceptions=True)
            if plot is not None:
                series = {"memory, MB": samples.memory, "tasks": samples.tasks, "descriptors": samples.descriptors}
                write_svg(plot, f"soak, {rate:g} calls/s", series, round(seconds / 60, 1))
            return await _verdict(center, stamps, samples, kinds, seconds)


async def _calls(center: Center, stack: ExitStack, kinds: Sequence[Kind], seconds: int) -> None:
    assert center.process is not None
    numbers = known_numbers()
    running = []
    for kind in kinds:
        pairs = [(number, line) for number in numbers for line in kind.lines]
        calls = round(kind.rate * seconds)
        callers = Callers(center.pbx, pairs, rate=kind.rate, calls=calls, stay_s=kind.stay_s)
        stack.callback(callers.close)
        running.append(callers)
    async with asyncio.timeout(seconds + 120):
        while any(callers.running for callers in running):
            assert center.process.poll() is None, f"the server ended: {center.log.read_text()[-2000:]}"
            await asyncio.sleep(0.5)
    await asyncio.sleep(AFTER_S)


async def _verdict(center: Center, stamps: Stamps, samples: Samples, kinds: Sequence[Kind], seconds: int) -> bool:
    counts = await recorded(center.database_url)
    written = await _linkedids(center.database_url)
    placed = sum(round(kind.rate * seconds) for kind in kinds)
    twice, missing = len(written) - len(set(written)), len(stamps.calls - set(written))
    strange = len(set(written) - stamps.calls)
    once = placed == len(stamps.calls) and not (twice or missing or strange)
    early, late = early_and_late(samples.memory)
    growth = _growth(samples, placed)
    outcomes = {name: n for name, n in counts.items() if name not in ("calls", "complete", "open")}
    whole = counts["calls"] == counts["complete"] and not counts["open"]
    slow = late - early < GROWTH_MB
    show(
        f"soak: {placed} calls in {seconds} s",
        [
            Figure(
                "calls placed, seen at AMI, in the record",
                f"{placed}, {len(stamps.calls)}, {len(written)}",
                "the same",
                once,
            ),
            Figure("missing, twice, nobody's", f"{missing}, {twice}, {strange}", "0, 0, 0", once),
            Figure("complete, still open", f"{counts['complete']}, {counts['open']}", f"{placed}, 0", whole),
            Figure("outcomes", ", ".join(f"{name} {n}" for name, n in sorted(outcomes.items()))),
            Figure("offers without a card", f"{stamps.lost()} of {len(stamps.called)}"),
            Figure(
                "server memory, early and late", f"{early:.1f}, {late:.1f} MB", f"grows < {GROWTH_MB:g} MB", slow
            ),
            *growth,
        ],
    )
    for call in await unfinished(center.database_url):
        out.print(f"unfinished: {call}")
    return once and whole and slow and not any(one.met is False for one in growth)


async def _linkedids(database_url: str) -> list[str]:
    query = sa.text("SELECT linkedid FROM interactions WHERE pbx = :pbx")
    async with Database(database_url) as database, database.read() as conn:
        return list(await conn.scalars(query, {"pbx": PBX}))


def _growth(samples: Samples, calls: int) -> list[Figure]:
    """How the server's process grew with its calls. A slope of too few calls has no goal."""
    mib = slope(samples.memory, calls / max(1, len(samples.memory))) * PER_CALLS * 1e6 / 2**20
    met = mib < GROWTH_MIB if calls >= ENOUGH_CALLS else None
    goal = f"< {GROWTH_MIB:g} MiB" + ("" if met is not None else f", of {ENOUGH_CALLS:,} calls or more")
    found = [
        Figure(f"memory for each {PER_CALLS:,} calls, by {calls:,}", f"{mib:+.1f} MiB", goal, met),
        Figure("memory, from left to right", sparkline(samples.memory)),
    ]
    for what, values in (("tasks", samples.tasks), ("descriptors", samples.descriptors)):
        early, late = early_and_late(values)
        figure = f"{early:.0f}, {late:.0f}  {sparkline(values)}"
        found.append(Figure(f"{what}, early and late", figure, f"+{FLAT:g} at most", late - early <= FLAT))
    return found


def early_and_late(values: Sequence[float]) -> tuple[float, float]:
    """The medians of the second fifth and of the last: in the first a server warms up."""
    fifth = max(1, len(values) // 5)
    return statistics.median(values[fifth : 2 * fifth] or values), statistics.median(values[-fifth:])


def slope(values: Sequence[float], calls_each: float) -> float:
    """By how much the values grow with each call, of a straight line through all but the first fifth; `calls_each`
    is how many calls there are between two values."""
    later = values[len(values) // 5 :]
    if len(later) < 2:
        return 0.0
    return statistics.linear_regression([n * calls_each for n in range(len(later))], later).slope


def arguments(given: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.soak", description=__doc__)
    parser.add_argument("seconds", type=int, nargs="?", default=SECONDS)
    parser.add_argument("--minutes", type=float, default=None, help="instead of seconds")
    parser.add_argument("--rate", type=float, default=RATE, help="calls a second, of all kinds together")
    parser.add_argument("--postgres", action="store_true", help="on PostgreSQL instead of SQLite")
    parser.add_argument("--plot", type=Path, default=None, help="an SVG to write")
    return parser.parse_args(given)


def main(given: Sequence[str]) -> int:
    asked = arguments(given)
    seconds = round(asked.minutes * 60) if asked.minutes is not None else asked.seconds
    out.print(machine())
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return 0 if runner.run(soak(seconds, asked.postgres, asked.rate, asked.plot)) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
