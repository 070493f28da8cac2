"""The server is killed with -9 under load, again and again, and started at once."""

from __future__ import annotations

import asyncio
import time

from tests.bench.figures import Figure
from tests.chaos.desktops import first_card
from tests.chaos.run import Fault, Options, Run, under_load
from tests.chaos.site import Server

TIMES = 5
BETWEEN_S = (1.0, 5.0)  # from one start to the next kill
EACH_S = 8.0  # a start and the longest pause
READY_GOAL_S = 5.0
CARDS_GOAL_S = 3.0
STOPPED_GOAL_S = 1.0
ENDS_GOAL_S = 5.0
COMES_S = 15.0


async def killed(options: Options) -> list[Figure]:
    """One process: it is killed and started at once."""
    times, dice = options.times or TIMES, options.dice("killed")
    async with under_load("killed", options, 6 + EACH_S * times) as run:
        [server] = run.site.servers
        ready: list[float | None] = []
        cards: list[float | None] = []
        for _ in range(times):
            await asyncio.sleep(dice.uniform(*BETWEEN_S))
            at = time.time()
            await server.kill()
            ready.append(await server.start())
            cards.append(await card_after(run, at))
        run.worst(f"from the start to ready, {times} times", ready, READY_GOAL_S)
        shown = [one for one in cards if one is not None]
        run.note("from the kill to the next card", f"longest {max(shown, default=0):.2f} s")
        await run.finish()
    return run.figures


async def owner_killed(options: Options) -> list[Figure]:
    """Two processes: each time the one that has the PBX is killed, and started at once."""
    times, dice = options.times or TIMES, options.dice("owner-killed")
    async with under_load("owner-killed", options, 6 + EACH_S * times, servers=2) as run:
        cards: list[float | None] = []
        taken: list[float | None] = []
        for _ in range(times):
            await asyncio.sleep(dice.uniform(*BETWEEN_S))
            server = await run.site.owner()
            if server is None:
                taken.append(None)
                continue
            at = time.time()
            await server.kill()
            restarting = asyncio.create_task(server.start(), name="start again")
            other = other_than(run, server)
            took = await run.site.taken_by(other, COMES_S)
            taken.append(took - at if took is not None else None)
            cards.append(await card_after(run, at))
            await restarting
        run.worst(f"from the kill to the next card, {times} times", cards, CARDS_GOAL_S)
        run.worst("from the kill to the other's lease", taken, CARDS_GOAL_S)
        writers(run, await blocks(run), times)
        await run.finish()
    return run.figures


async def owner_stopped(options: Options) -> list[Figure]:
    """Two processes: each time the one that has the PBX is asked to end, as an upgrade does, and started again."""
    times, dice = options.times or TIMES, options.dice("owner-stopped")
    async with under_load("owner-stopped", options, 6 + EACH_S * times, servers=2) as run:
        cards: list[float | None] = []
        ends: list[float | None] = []
        for _ in range(times):
            await asyncio.sleep(dice.uniform(*BETWEEN_S))
            server = await run.site.owner()
            if server is None:
                cards.append(None)
                continue
            taking = asyncio.create_task(run.site.taken_by(other_than(run, server), COMES_S), name="taken")
            at = time.time()
            await server.end()
            ends.append(time.time() - at)
            took = await taking
            # Until then the one that ends shows the cards.
            cards.append(await card_after(run, took) if took is not None else None)
            await server.start()
        run.worst(f"from the other's lease to the next card, {times} times", cards, STOPPED_GOAL_S)
        run.worst("from SIGTERM to the end of the process", ends, ENDS_GOAL_S)
        writers(run, await blocks(run), times)
        await run.finish()
    return run.figures


def other_than(run: Run, server: Server) -> Server:
    return next(one for one in run.site.servers if one is not server)


async def card_after(run: Run, at: float, limit_s: float = COMES_S) -> float | None:
    """Seconds from this moment until a desktop had the card of something that happened after it; None once nobody
    calls any more, too."""
    deadline = time.time() + limit_s
    while time.time() < deadline and run.load.running:
        if (came := first_card(run.site.people, at)) is not None:
            return came - at
        await asyncio.sleep(0.05)
    return None


async def blocks(run: Run) -> list[str]:
    """Who wrote the PBX's journal: each name as often as it began to."""
    rows = await run.site.rows("SELECT written_by FROM journal WHERE stream = 'pbx:chaos' ORDER BY seq")
    names = [row["written_by"] for row in rows]
    return [name for number, name in enumerate(names) if number == 0 or names[number - 1] != name]


def writers(run: Run, found: list[str], times: int) -> None:
    """A stale owner that wrote among the rows of the new one would make more changes of hand than takeovers."""
    changes = len(found) - 1
    run.note("changes of hand in the journal", str(changes), f"{times}", changes == times)


FAULTS = (
    Fault("killed", "kill -9 of the only server, started at once", killed, 400),
    Fault("owner-killed", "kill -9 of the server that has the PBX, a second one is there", owner_killed, 400),
    Fault("owner-stopped", "SIGTERM to the server that has the PBX, a second one is there", owner_stopped, 400),
)
