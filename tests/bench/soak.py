"""Ten minutes of calls of all kinds: each is in the record exactly once, and the server does not grow.

`python -m tests.bench.soak [SECONDS] [--postgres]`; exits 1 when something is wrong.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
import uvloop

from cti_server.record.database import Database
from tests.live.center import Center

from .figures import Figure, machine, out, rss_mb, show
from .floorplan import SALES_LINE, TEAM_LINE, TEAMS, Callers, known_numbers
from .postgres import durable_postgres
from .site import PBX, desktops, recorded, site, unfinished
from .stamps import Stamps, sampled

SECONDS = 600
GROWTH_MB = 10.0  # from the second fifth of the time to the last
SAMPLE_S = 1.0
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


async def soak(seconds: int, postgres: bool) -> bool:
    """Whether all was well."""
    with tempfile.TemporaryDirectory(prefix="cti-soak-") as folder, ExitStack() as stack:
        url = f"sqlite+aiosqlite:///{folder}/soak.db"
        if postgres:
            url = stack.enter_context(stack.enter_context(durable_postgres()).database())
        stamps = Stamps()
        async with site(url, Path(folder), stamps) as (center, _), desktops(stamps, center):
            memory = await _calls(center, stack, seconds)
            return await _verdict(center, stamps, memory, seconds)


async def _calls(center: Center, stack: ExitStack, seconds: int) -> list[float]:
    assert center.process is not None
    pid = center.process.pid
    numbers = known_numbers()
    with sampled(lambda: rss_mb(pid), SAMPLE_S) as memory:
        running = []
        for kind in KINDS:
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
    return memory


async def _verdict(center: Center, stamps: Stamps, memory: list[float], seconds: int) -> bool:
    counts = await recorded(center.database_url)
    written = await _linkedids(center.database_url)
    placed = sum(round(kind.rate * seconds) for kind in KINDS)
    twice, missing = len(written) - len(set(written)), len(stamps.calls - set(written))
    strange = len(set(written) - stamps.calls)
    once = placed == len(stamps.calls) and not (twice or missing or strange)
    fifth = max(1, len(memory) // 5)
    early, late = statistics.median(memory[fifth : 2 * fifth]), statistics.median(memory[-fifth:])
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
        ],
    )
    for call in await unfinished(center.database_url):
        out.print(f"unfinished: {call}")
    return once and whole and slow


async def _linkedids(database_url: str) -> list[str]:
    query = sa.text("SELECT linkedid FROM interactions WHERE pbx = :pbx")
    async with Database(database_url) as database, database.read() as conn:
        return list(await conn.scalars(query, {"pbx": PBX}))


def main(arguments: Sequence[str]) -> int:
    seconds = next((int(one) for one in arguments if one.isdecimal()), SECONDS)
    out.print(machine())
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return 0 if runner.run(soak(seconds, "--postgres" in arguments)) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
