"""`python -m tests.walk [--minutes M] [--seed N] [--restarts]`: walks, prints, exits 1 when there are findings."""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import uvloop

from tests.bench.postgres import durable_postgres
from tests.transcripts.tap import tap

from .recorded import compare_record
from .site import site
from .walk import Walk


def arguments(given: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.walk", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=None, help="as a former walk printed it")
    parser.add_argument("--restarts", action="store_true", help="kill -9 of the server now and then")
    parser.add_argument("--postgres", action="store_true", help="on PostgreSQL instead of SQLite")
    parser.add_argument(
        "--snapshot-every", type=float, default=3600.0, help="seconds between the server's own checks"
    )
    parser.add_argument("--without-cel", action="store_true", help="the server has no log of the channels")
    parser.add_argument("--known", action="append", default=[], help="count findings of this kind, and walk on")
    parser.add_argument("--keep", type=Path, help="a folder for the logs of server and Asterisk, and the AMI tape")
    return parser.parse_args(given)


async def run(options: argparse.Namespace) -> int:
    """How many findings there were."""
    seed = options.seed if options.seed is not None else secrets.randbelow(1_000_000)
    print(f"seed {seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="cti-walk-") as temporary, ExitStack() as stack:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        url = f"sqlite:///{folder}/walk-{int(time.time())}.db"
        if options.postgres:
            url = stack.enter_context(stack.enter_context(durable_postgres()).database())
        async with site(url, folder, options.snapshot_every, fills_gaps=not options.without_cel) as made:
            pbx = made.pbx.config
            tape = stack.enter_context(tap(pbx.ami_port, pbx.secrets)) if options.keep is not None else None

            def keep() -> None:
                if tape is not None:
                    (folder / "walk.ami").write_bytes(bytes(tape.raw))
                    (folder / "cel.csv").write_bytes(made.pbx.cel.read_bytes())
                    (folder / "asterisk.log").write_bytes(made.pbx.log_file.read_bytes())

            def say(line: str) -> None:
                print(line, flush=True)
                if line.startswith("FINDING"):
                    keep()  # what explains it need not wait until the walk is over

            walk = Walk(made, seed, options.restarts, known=tuple(options.known), say=say)
            try:
                await walk.walk(options.minutes * 60)
                await compare_record(walk)
            finally:
                keep()
    for line in walk.log.summary():
        print(line)
    print("  refused or failed: " + ", ".join(f"{name} {n}" for name, n in sorted(walk.around.refused.items())))
    return len(walk.log.findings)


def main(given: Sequence[str]) -> int:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return 1 if runner.run(run(arguments(given))) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
