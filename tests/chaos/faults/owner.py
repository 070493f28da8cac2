"""The server that has the PBX is frozen, or cut off from the database or from the PBX, and a second one is there.

Whoever lost the PBX must not order and must not write from the moment in which the other has it. Orders are seen
on the stale server's own wire to AMI, what it wrote by the names in the journal's rows.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable

from tests.bench.figures import Figure
from tests.chaos.run import Fault, Options, Run, under_load
from tests.chaos.site import Server

from .killed import blocks, card_after, other_than, writers

LASTS_S = 14.0
AFTER_S = 6.0
GOAL_S = 10.0

Break = Callable[[Server], Awaitable[None]]


async def _broken(name: str, options: Options, breaks: Break, mends: Break) -> list[Figure]:
    async with under_load(name, options, 6 + LASTS_S + AFTER_S, servers=2) as run:
        stale = await run.site.owner()
        assert stale is not None, "nobody has the PBX"
        other = other_than(run, stale)
        at = time.time()
        await breaks(stale)
        try:
            taking = asyncio.create_task(run.site.taken_by(other, LASTS_S), name="taken by the other")
            card = await card_after(run, at, LASTS_S)
            took = await taking
            run.worst("from the fault to the other's lease", [took - at if took is not None else None], GOAL_S)
            if took is not None:
                card = await card_after(run, took, LASTS_S)
                card = None if card is None else card + took - at
            run.worst("from the fault to a card by the other", [card if took is not None else None], GOAL_S)
            await asyncio.sleep(max(0.0, at + LASTS_S - time.time()))
        finally:
            await mends(stale)
        await asyncio.sleep(AFTER_S)
        if took is not None:
            await _silent(run, stale, took)
        await run.finish()
    return run.figures


async def _silent(run: Run, stale: Server, since: float) -> None:
    orders = stale.ami.orders(since)
    told = f" ({orders[0].action} {orders[0].at - since:.2f} s after)" if orders else ""
    run.note("orders of the stale one after that", f"{len(orders)}{told}", "0", not orders)
    rows = await run.site.rows(
        "SELECT count(*) AS n FROM journal AS j WHERE stream = 'pbx:chaos' AND written_by = '" + stale.name + "'"
        " AND seq > (SELECT min(seq) FROM journal WHERE stream = 'pbx:chaos' AND written_by <> '"
        + stale.name
        + "')"
    )
    run.note("rows it wrote after the other's first", str(rows[0]["n"]), "0", not rows[0]["n"])
    writers(run, await blocks(run), 1)


async def frozen(options: Options) -> list[Figure]:
    async def stop(server: Server) -> None:
        os.kill(server.pid, signal.SIGSTOP)

    async def go_on(server: Server) -> None:
        os.kill(server.pid, signal.SIGCONT)

    return await _broken("owner-frozen", options, stop, go_on)


async def without_database(options: Options) -> list[Figure]:
    async def cut(server: Server) -> None:
        assert server.db is not None
        server.db.hold()

    async def mend(server: Server) -> None:
        assert server.db is not None
        server.db.mend()

    return await _broken("owner-without-database", options, cut, mend)


async def without_pbx(options: Options) -> list[Figure]:
    async def cut(server: Server) -> None:
        server.ami.hold()

    async def mend(server: Server) -> None:
        server.ami.mend()

    return await _broken("owner-without-pbx", options, cut, mend)


FAULTS = (
    Fault("owner-frozen", "the server that has the PBX is frozen (SIGSTOP) and goes on later", frozen),
    Fault("owner-without-database", "no packet passes between the owner and PostgreSQL", without_database),
    Fault("owner-without-pbx", "no packet passes between the owner and the PBX", without_pbx),
)
