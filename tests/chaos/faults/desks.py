"""Five hundred desktops: some of them do not read, or all move to the other process at once."""

from __future__ import annotations

import asyncio
import time

from tests.bench.figures import Figure, percentile, spread
from tests.chaos.desktops import delays_ms
from tests.chaos.run import Fault, Options, under_load

DESKTOPS = 500
DEAF = 50
WINDOW_S = 12.0
CHANGES_GOAL = 0.10
MOVED_GOAL_S = 5.0
COMES_S = 30.0
AT_WORK = 50


async def deaf(options: Options) -> list[Figure]:
    """Those who read: how late they are told, before and while others do not read."""
    others = DESKTOPS - AT_WORK
    async with under_load("desktops-deaf", options, 8 + 2 * WINDOW_S, others=others) as run:
        await asyncio.sleep(2)
        began = time.time()
        await asyncio.sleep(WINDOW_S)
        broken = time.time()
        for one in run.site.others[:DEAF]:
            one.deafen()
        await asyncio.sleep(WINDOW_S)
        over = time.time()
        before = delays_ms(run.site.people, began, broken)
        meanwhile = delays_ms(run.site.people, broken, over)
        run.note("parts at desktops before", f"{spread(before)} of {len(before)}")
        run.note(f"while {DEAF} of {DESKTOPS} do not read", f"{spread(meanwhile)} of {len(meanwhile)}")
        change = percentile(meanwhile, 99) / percentile(before, 99) - 1
        run.note(
            "change of their p99", f"{change * 100:+.0f} %", f"< {CHANGES_GOAL * 100:g} %", change < CHANGES_GOAL
        )
        reading = [*run.site.people, *run.site.others[DEAF:]]
        cut = [one for person in reading for one in person.broke if one[0] >= broken]
        run.note("of those who read, cut off", str(len(cut)), "0", not cut)
        memory = await run.site.servers[0].metric("process_resident_memory_bytes")
        run.note("server memory then", f"{memory / 1e6:.0f} MB")
        await run.finish()
    return run.figures


async def move(options: Options) -> list[Figure]:
    """The process that has none of the PBX has all the desktops, and is killed: all come to the other."""
    others = DESKTOPS - AT_WORK
    async with under_load("desktops-move", options, 30, servers=2, others=others) as run:
        owner = await run.site.owner()
        assert owner is not None, "nobody has the PBX"
        left = next(one for one in run.site.servers if one is not owner)
        there = [one for one in run.site.everybody if one.is_connected and one.port == left.port]
        await asyncio.sleep(2)
        at = time.time()
        await left.kill()
        while time.time() < at + COMES_S:
            back = [one for one in there if any(came.at > at for came in one.came)]
            if len(back) == len(there):
                break
            await asyncio.sleep(0.05)
        times = [min((came.at - at for came in one.came if came.at > at), default=None) for one in there]
        run.worst(f"until all {len(there)} are connected again", times, MOVED_GOAL_S)
        anew = sum(not came.resumed for one in there for came in one.came if came.at > at)
        run.note("of them, begun anew instead of resumed", str(anew), "0", not anew)
        await left.start()
        await run.finish()
    return run.figures


FAULTS = (
    Fault("desktops-deaf", f"{DEAF} of {DESKTOPS} desktops stop reading", deaf),
    Fault("desktops-move", f"{DESKTOPS} desktops move to the other process at once", move),
)
