"""`python -m tests.bench [name…]`: all benchmarks, or those that are named. Each is bounded in time."""

from __future__ import annotations

import asyncio
import importlib
import sys
from collections.abc import Coroutine, Sequence
from typing import Any

import uvloop

from .figures import machine, out

NAMES = ("floor", "decode", "pop", "lookup", "connect", "fanout", "upkeep", "page")
LIMIT_S = 600  # for one benchmark


async def _one(name: str) -> None:
    async with asyncio.timeout(LIMIT_S):
        await importlib.import_module(f"{__package__}.{name}").run()


def _run(work: Coroutine[Any, Any, None]) -> None:
    """On uvloop, as the server: what stamps must not be slower than what is stamped."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(work)


def main(names: Sequence[str]) -> int:
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        out.print(f"no benchmark {', '.join(unknown)}; there are: {', '.join(NAMES)}")
        return 2
    out.print(machine())
    for name in names or NAMES:
        _run(_one(name))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
