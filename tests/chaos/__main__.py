"""`python -m tests.chaos [--fault NAME]… [--seed N] [--rate R] [--times N] [--seconds S] [--list]`

Breaks what is named, or everything in a short form, and prints figure beside goal. Exits 1 when a goal is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import uvloop

from tests.bench.figures import Figure, machine, out, show

from .faults import FAULTS
from .run import Fault, Options


def arguments(given: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--fault", action="append", choices=sorted(FAULTS), help="only this one; may be repeated")
    parser.add_argument("--seed", type=int, default=None, help="as a former run printed it")
    parser.add_argument("--rate", type=float, default=10.0, help="calls a second")
    parser.add_argument("--times", type=int, default=None, help="how often what is broken is broken")
    parser.add_argument("--seconds", type=float, default=None, help="how long callers come")
    parser.add_argument("--away", type=float, default=None, help="how many seconds the database is away")
    parser.add_argument("--keep", type=Path, default=None, help="a folder for the ledger and all logs")
    parser.add_argument("--list", action="store_true", help="the faults, and what they do")
    return parser.parse_args(given)


async def _one(fault: Fault, options: Options) -> list[Figure]:
    running = asyncio.current_task()
    assert running is not None
    # As Ctrl-C does: the run ends everything that it started, and then itself.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    limit = fault.limit_s + (options.seconds or 0) + 20 * (options.times or 0) + (options.away_s or 0)
    try:
        async with asyncio.timeout(limit):
            return await fault.run(options)
    except Exception as failed:  # the others still run
        out.print_exception(max_frames=6)
        return [Figure("the run itself", f"{type(failed).__name__}: {failed}"[:200], "ends", met=False)]


def main(given: Sequence[str]) -> int:
    asked = arguments(given)
    if asked.list:
        for fault in FAULTS.values():
            out.print(f"{fault.name:24} {fault.what}", markup=False)
        return 0
    seed = asked.seed if asked.seed is not None else secrets.randbelow(1_000_000)
    options = Options(seed, asked.rate, asked.seconds, asked.times, asked.away, keep=asked.keep)
    out.print(machine())
    out.print(f"seed {seed}")
    missed = 0
    for name in asked.fault or FAULTS:
        began = time.monotonic()
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                figures = runner.run(_one(FAULTS[name], options))
        except asyncio.CancelledError:
            return 143
        show(f"{name}: {FAULTS[name].what} ({time.monotonic() - began:.0f} s, seed {seed})", figures)
        missed += sum(one.met is False for one in figures)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
