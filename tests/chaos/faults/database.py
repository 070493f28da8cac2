"""PostgreSQL goes away under load, and comes back, or another in its place."""

from __future__ import annotations

import asyncio
import time

import httpx

from tests.bench.figures import Figure, spread
from tests.bench.postgres import standby_of
from tests.chaos.desktops import delays_ms, first_card
from tests.chaos.run import Fault, Options, Run, under_load
from tests.chaos.site import PBX

from .killed import card_after

AWAY_S = 15.0
AFTER_S = 12.0  # of calls once it is back
COPIED_S = 8.0  # for the standby's first copy
NOTICED_S = 2.0  # after which whoever watches over the servers promotes the standby
SPARED = frozenset({"ready", "reserved", "talking", "hold", "wrap_up"})


async def away(options: Options) -> list[Figure]:
    away_s = options.away_s or AWAY_S
    async with under_load("database-away", options, 6 + away_s + AFTER_S) as run:
        postgres = run.site.postgres
        assert postgres is not None
        was = time.time()
        away_now = postgres.away()
        await asyncio.to_thread(away_now.__enter__)
        gone = time.time()
        try:
            await asyncio.sleep(away_s)
            _told_meanwhile(run, gone)
        finally:
            await asyncio.to_thread(away_now.__exit__, None, None, None)
        await _comes_back(run, was, time.time())
        await run.finish()
    return run.figures


def _told_meanwhile(run: Run, gone: float) -> None:
    """What the desktops were told while there was no record."""
    now = time.time()
    delays = delays_ms(run.site.people, gone + 0.5, now)
    run.note("parts told while it was away", f"{len(delays)}: {spread(delays)}" if delays else "none")
    card = first_card(run.site.people, gone)
    run.note("cards while it was away", "none" if card is None else f"the first {card - gone:.2f} s later")


async def until_ready(run: Run, since: float, limit_s: float = 20.0) -> float | None:
    """Seconds from `since` until /readyz says 200."""
    deadline = time.time() + limit_s
    while time.time() < deadline:
        async with run.site.servers[0].center.client(timeout=3) as api:
            try:
                if (await api.get("/readyz")).status_code == 200:
                    return time.time() - since
            except httpx.HTTPError:
                pass
        await asyncio.sleep(0.1)
    return None


def nobody_harmed(run: Run, since: float, until: float) -> None:
    """Nobody was cut off, and nobody made not ready, between these times."""
    cut = [broke for one in run.site.everybody for broke in one.broke if since <= broke[0] < until]
    run.note("desktops cut off", str(len(cut)) + (f" ({cut[0][1]})" if cut else ""), "0", not cut)
    states = [(name, why) for one in run.site.people for at, name, why in one.states if since <= at < until]
    harmed = [one for one in states if one[0] not in SPARED]
    run.note("agents made not ready", str(len(harmed)) + (f" ({harmed[0]})" if harmed else ""), "0", not harmed)


async def failover(options: Options) -> list[Figure]:
    async with under_load("database-failover", options, COPIED_S + 6 + AFTER_S) as run:
        postgres, [server] = run.site.postgres, run.site.servers
        assert postgres is not None
        assert server.db is not None
        following = standby_of(postgres)
        standby = await asyncio.to_thread(following.__enter__)
        try:
            await asyncio.sleep(3)
            was = time.time()
            postgres.kill()
            await asyncio.sleep(NOTICED_S)
            await asyncio.to_thread(standby.promote)
            run.site.url = standby.url(PBX)
            server.db.target = standby.port
            back = time.time()
            run.note("from the primary's end to the standby's promotion", f"{back - was:.1f} s")
            await _comes_back(run, was, back)
            await run.finish()
        finally:
            await asyncio.to_thread(following.__exit__, None, None, None)
    return run.figures


async def _comes_back(run: Run, gone: float, back: float) -> None:
    """What is to be told of a record that was away, once it is there again."""
    card = await card_after(run, back)
    run.note("from its return to a card of a later call", "none" if card is None else f"{card:.2f} s")
    ready = await until_ready(run, back)
    run.note("from its return to ready", "not" if ready is None else f"{ready:.2f} s")
    nobody_harmed(run, gone, time.time())
    process = run.site.servers[0].center.process
    run.note("server still the same process", str(process is not None and process.poll() is None))


FAULTS = (
    Fault("database-away", "PostgreSQL is stopped, and started again", away),
    Fault("database-failover", "PostgreSQL is killed, and its synchronous standby takes over", failover),
)
