"""The manager connection is reset, half open, slow, flooded; Asterisk is killed and started."""

from __future__ import annotations

import asyncio
import time

from tests.bench.figures import Figure, spread
from tests.chaos.desktops import delays_ms
from tests.chaos.run import Fault, Options, Run, under_load
from tests.chaos.site import Server
from tests.chaos.wire import Asked

from .database import nobody_harmed

TIMES = 3
PAUSE_S = 5.0
EXACT_GOAL_S = 2.0
FOUND_GOAL_S = 6.0
SLOW_BYTES_PER_S = 100_000.0  # ten calls a second are three times as much
SLOW_S = 10.0
FLOOD = 60_000
FLOOD_PIECE = 200  # actions sent together; their answers are read in between
COMES_S = 20.0


async def reset(options: Options) -> list[Figure]:
    times = options.times or TIMES
    async with under_load("manager-reset", options, 6 + times * (PAUSE_S + 2)) as run:
        [server] = run.site.servers
        exact: list[float | None] = []
        away: list[float | None] = []
        for _ in range(times):
            await asyncio.sleep(PAUSE_S)
            at = time.time()
            server.ami.reset()
            login = await login_after(server, at)
            away.append(login - at if login is not None else None)
            exact.append(await _exact(run, server, login))
        run.worst(f"from the reset to the login, {times} times", away, FOUND_GOAL_S)
        run.worst("from the login to the exact floor", exact, EXACT_GOAL_S)
        await run.finish()
    return run.figures


async def half_open(options: Options) -> list[Figure]:
    """The connections go on to be open, and nothing passes any more: a firewall that forgot them."""
    times = options.times or TIMES
    dice = options.dice("manager-half-open")
    async with under_load("manager-half-open", options, 6 + times * (PAUSE_S + 8)) as run:
        [server] = run.site.servers
        found: list[float | None] = []
        exact: list[float | None] = []
        for _ in range(times):
            await asyncio.sleep(dice.uniform(PAUSE_S - 2, PAUSE_S))
            at = time.time()
            server.ami.deafen()
            lost = await _log_after(run, server, "link.lost", found_before=len(found))
            found.append(lost - at if lost is not None else None)
            exact.append(await _exact(run, server, await login_after(server, at)))
        run.worst(f"from the last byte to the loss being found, {times} times", found, FOUND_GOAL_S)
        run.worst("from the login to the exact floor", exact, EXACT_GOAL_S)
        await run.finish()
    return run.figures


async def slow(options: Options) -> list[Figure]:
    async with under_load("manager-slow", options, 6 + SLOW_S + 10) as run:
        [server] = run.site.servers
        before = time.time()
        server.ami.slow(SLOW_BYTES_PER_S)
        await asyncio.sleep(SLOW_S)
        server.ami.mend()
        mended = time.time()
        exact, differs = await run.site.exact(server)
        taken = exact - mended if exact is not None else None
        run.worst("from the mending to the exact floor", [taken], EXACT_GOAL_S)
        if differs:
            run.note("what differed last", differs)
        run.note("parts at desktops meanwhile", spread(delays_ms(run.site.people, before, mended) or [0.0]))
        nobody_harmed(run, before, time.time())
        await run.finish()
    return run.figures


async def flooded(options: Options) -> list[Figure]:
    async with under_load("manager-flooded", options, 30) as run:
        [server] = run.site.servers
        await asyncio.sleep(4)
        began = time.time()
        calm = delays_ms(run.site.people, began - 4, began)
        logins = len(server.ami.opened)
        sent_s = await flood(run, FLOOD)
        over = time.time()
        exact, differs = await run.site.exact(server)
        run.note(f"{FLOOD:,} events in", f"{sent_s:.1f} s ({FLOOD / sent_s:,.0f}/s)")
        run.worst("from the last to the exact floor", [exact - over if exact is not None else None], EXACT_GOAL_S)
        if differs:
            run.note("what differed last", differs)
        run.note("parts at desktops before", spread(calm or [0.0]))
        run.note("parts at desktops meanwhile", spread(delays_ms(run.site.people, began, over) or [0.0]))
        lost = len(server.ami.opened) - logins
        run.note("manager connections made anew", str(lost), "0", not lost)
        nobody_harmed(run, began, time.time())
        await run.finish()
    return run.figures


async def pbx_killed(options: Options) -> list[Figure]:
    """Asterisk is killed and started. Who was in a call is cut off: that is the fault, and not ours."""
    async with under_load("pbx-killed", options, 30) as run:
        [server] = run.site.servers
        await asyncio.sleep(3)
        before = time.time()
        await asyncio.to_thread(run.site.pbx.kill9)
        await asyncio.to_thread(run.site.pbx.start)
        started = time.time()
        login = await login_after(server, before)
        run.note(
            "from its death to its start, to our login", f"{started - before:.1f} s, " + _shown(login, before)
        )
        run.worst("from the login to the exact floor", [await _exact(run, server, login)], EXACT_GOAL_S)
        cut = [one for person in run.site.everybody for one in person.broke if one[0] >= before]
        run.note("desktops cut off", str(len(cut)), "0", not cut)
        await run.finish()
        assert run.comparison is not None
        never = len(run.comparison.never_there)
        run.note("callers who never reached it", str(never))
    return run.figures


def _shown(at: float | None, since: float) -> str:
    return "none" if at is None else f"{at - since:.1f} s"


async def _exact(run: Run, server: Server, login: float | None) -> float | None:
    """Seconds from the login to the first moment in which the floor was what the PBX had."""
    if login is None:
        return None
    at, differs = await run.site.exact(server)
    if at is None:
        run.note("what differed last", differs)
        return None
    return max(0.0, at - login)


async def login_after(server: Server, at: float) -> float | None:
    """When the connection for events logged in: the last login before the first list of channels after `at`."""
    deadline = time.time() + COMES_S
    while time.time() < deadline:
        asked = [one for one in server.ami.asked if one.at > at]
        lists = next((number for number, one in enumerate(asked) if one.action == "Status"), None)
        if lists is not None:
            return _login_of(asked, lists)
        await asyncio.sleep(0.02)
    return None


def _login_of(asked: list[Asked], number: int) -> float:
    logins = [one.at for one in asked[:number] if one.action == "Login"]
    return logins[-1] if logins else asked[number].at


async def _log_after(run: Run, server: Server, word: str, found_before: int) -> float | None:
    """When the server's log has this word once more; None if not within `COMES_S`."""
    deadline = time.time() + COMES_S
    while time.time() < deadline:
        text = await asyncio.to_thread(server.center.log.read_text)
        if text.count(word) > found_before:
            return time.time()
        await asyncio.sleep(0.05)
    return None


async def flood(run: Run, events: int) -> float:
    """Seconds for so many UserEvents of a manager's user, each of which Asterisk sends to the server too."""
    user, secret = run.site.pbx.flooder
    reader, writer = await asyncio.open_connection("127.0.0.1", run.site.pbx.config.ami_port)
    try:
        writer.write(f"Action: Login\r\nUsername: {user}\r\nSecret: {secret}\r\nEvents: off\r\n\r\n".encode())
        await reader.readuntil(b"accepted\r\n")
        piece = (
            b"Action: UserEvent\r\nUserEvent: Chaos\r\nHeader: 0123456789012345678901234567890123456789\r\n\r\n"
        )
        began = time.monotonic()
        for _ in range(events // FLOOD_PIECE):
            writer.write(piece * FLOOD_PIECE)
            answered = 0
            while answered < FLOOD_PIECE:
                data = await reader.readuntil(b"\r\n\r\n")
                answered += data.count(b"Response: Success")
        return time.monotonic() - began
    finally:
        writer.close()


FAULTS = (
    Fault("manager-reset", "the connections to the PBX are reset", reset),
    Fault("manager-half-open", "the connections to the PBX stay open, and nothing passes", half_open),
    Fault("manager-slow", f"the PBX is heard at {SLOW_BYTES_PER_S / 1000:g} kB/s for {SLOW_S:g} s", slow),
    Fault("manager-flooded", f"{FLOOD:,} events beside the calls'", flooded),
    Fault("pbx-killed", "Asterisk is killed, and started", pbx_killed),
)
