"""FastAGI is flooded with connections that ask about calls of nobody, while callers are being asked about."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter

from tests.bench.figures import Figure
from tests.chaos.run import Fault, Options, Run, under_load

PER_S = 1000
SECONDS = 10
TURN_S = 0.05  # so often a share of them connects
ASKS_S = 2.0  # how long one of them waits for its answer
#: the first value that is checked after the question is CTI_STATUS; `down` means that no answer came in time
STATUS = re.compile(
    r'Executing \[s@cti-checked:1\] Set\("(PJSIP/cti-trunk-[0-9a-f]+)", "LOCAL\(good\)=(\w*)"', re.MULTILINE
)


async def flooded(options: Options) -> list[Figure]:
    async with under_load("questions-flooded", options, 8 + SECONDS) as run:
        [server] = run.site.servers
        began = time.time()
        ended = await _flood(server.center.fastagi_port)
        took = time.time() - began
        total = sum(ended.values())
        how = ", ".join(f"{name} {n}" for name, n in ended.most_common(4))
        run.note("connections of the flood", f"{total:,} in {took:.1f} s: {how}")
        await run.finish()
        statuses = await asyncio.to_thread(_statuses, run)
        down = statuses["down"] + statuses[""]
        told = ", ".join(f"{name or 'none'} {n}" for name, n in statuses.most_common())
        run.note("callers' CTI_STATUS in the dialplan", told, "down 0", not down)
    return run.figures


async def _flood(port: int) -> Counter[str]:
    ended: Counter[str] = Counter()
    asking: set[asyncio.Task[None]] = set()
    began = time.monotonic()
    placed = 0

    async def ask(number: int) -> None:
        environment = (
            f"agi_network: yes\nagi_network_script: identify?pbx=chaos\nagi_uniqueid: flood-1.{number}\n"
            f"agi_callerid: {13000000000 + number}\n\n"
        )
        writer = None
        try:
            async with asyncio.timeout(ASKS_S):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(environment.encode())
                said = await reader.readline()
                ended["answered" if said else "closed"] += 1
        except TimeoutError:
            ended["no answer"] += 1
        except OSError:
            ended["refused"] += 1
        finally:
            if writer is not None:
                writer.transport.abort()

    while (passed := time.monotonic() - began) < SECONDS:
        for _ in range(min(PER_S, int(passed * PER_S) - placed)):
            placed += 1
            task = asyncio.create_task(ask(placed), name="a question about nobody")
            asking.add(task)
            task.add_done_callback(asking.discard)
        await asyncio.sleep(TURN_S)
    await asyncio.gather(*asking)
    return ended


def _statuses(run: Run) -> Counter[str]:
    """The CTI_STATUS with which each caller went on, by the dialplan's own steps in Asterisk's log."""
    first: dict[str, str] = {}
    for channel, value in STATUS.findall(run.site.pbx.log_file.read_text(encoding="utf-8", errors="replace")):
        first.setdefault(channel, value)
    return Counter(first.values())


FAULTS = (Fault("questions-flooded", f"{PER_S:,} FastAGI connections a second for {SECONDS} s", flooded),)
