"""PostgreSQL goes away under load, and comes back."""

from __future__ import annotations

import asyncio
import time

import httpx

from tests.bench.figures import Figure, spread
from tests.chaos.desktops import delays_ms, first_card
from tests.chaos.run import Fault, Options, Run, under_load

from .killed import card_after

AWAY_S = 15.0
AFTER_S = 12.0  # of calls once it is back
SPARED = frozenset({"ready", "reserved", "talking", "hold", "wrap_up"})


async def away(options: Options) -> list[Figure]:
    away_s = options.away_s or AWAY_S
    async with under_load("database-away", options, 6 + away_s + AFTER_S) as run:
        postgres, [server] = run.site.postgres, run.site.servers
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
        back = time.time()
        card = await card_after(run, back)
        run.note("from its return to a card of a later call", "none" if card is None else f"{card:.2f} s")
        ready = await until_ready(run, back)
        run.note("from its return to ready", "not" if ready is None else f"{ready:.2f} s")
        nobody_harmed(run, was, time.time())
        run.note(
            "server still the same process",
            str(server.center.process is not None and server.center.process.poll() is None),
        )
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


FAULTS = (Fault("database-away", "PostgreSQL is stopped, and started again", away),)
