"""Gives back to a PBX what this server set at its queues, and puts it in place again at the next start.

For a server that stops (`attachment.py`) and for `cti-server detach`. The pauses of agents at work need no second
order: their shifts are in the record, and a floor that starts orders what they say.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from .asterisk.actions import Action, QueuePause
from .asterisk.commands import Commands
from .asterisk.handing_back import Given, Ours, given_back
from .asterisk.link import tls_context
from .asterisk.session import ActionFailed, Session
from .asterisk.snapshot import Hints, take
from .floor.agents import SIGNED_OUT, SYSTEM_REASONS
from .floor.books import Books
from .record.center import handed_back, reasons, shifts
from .record.center.handed_back import HandedBack
from .record.database import Database
from .record.engines import Connection
from .settings import PbxSettings

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Done:
    """What was given back, and the actions that the PBX refused, with its words."""

    given: Given
    failed: Sequence[tuple[Action, str]] = ()


async def give_back(pbx: PbxSettings, database: Database, commands: Commands, *, at_once: bool = False) -> Done:
    """Unpause whom this server paused, and take out of queues whom it put in.

    `at_once` takes members out of queues in which callers wait, too. Raises what Session.open and Session.ask
    raise, and NoAccount without a manager user for queues.
    """
    async with database.read() as conn:
        ours = await of_record(conn, pbx.name)
    session = await Session.open(pbx.host, pbx.port, pbx.events, tls=tls_context(pbx), encodings=pbx.encodings)
    try:
        snapshot = await take(session, Hints())
    finally:
        session.close()
    given = given_back(snapshot, ours, at_once=at_once)
    failed = []
    for action in given.actions():  # first: a queue rings again, though nothing can be written
        try:
            await commands.run(action)
        except ActionFailed as cause:
            failed.append((action, str(cause)))
    async with database.begin() as conn:
        gone_home = [m for m in given.unpaused if m.reason == SIGNED_OUT]
        await handed_back.keep(conn, [HandedBack(pbx.name, m.queue, m.interface, SIGNED_OUT) for m in gone_home])
        await shifts.nobody_added(conn, pbx.name, [(m.queue, m.seat) for m in given.kept])
    return Done(given, failed)


async def of_record(conn: Connection, pbx: str) -> Ours:
    """What of the PBX's queues is this server's doing, as the record has it."""
    at_work = await shifts.all_open(conn, pbx)
    left = await shifts.last_seats_of(conn, pbx)
    codes = [reason.code for reason in await reasons.all_reasons(conn)]
    joined = {(queue, shift.seat) for shift in at_work for queue in shift.added or ()}
    seats = frozenset(shift.seat for shift in at_work)
    return Ours(seats, SYSTEM_REASONS.union(codes), frozenset(left), frozenset(joined))


async def on_stop(pbx: PbxSettings, database: Database, commands: Commands, limit_s: float) -> None:
    """Give back within this many seconds. What could not be is logged, with the command that does it later."""
    try:
        async with asyncio.timeout(limit_s):
            done = await give_back(pbx, database, commands)
    except Exception as cause:  # whatever it is, the server ends
        why = f"{type(cause).__name__}: {cause}" if str(cause) else type(cause).__name__
        log.warning("queues.not_given_back", pbx=pbx.name, cause=why, remedy="cti-server detach")
        return
    log.info(
        "queues.given_back",
        pbx=pbx.name,
        unpaused=len(done.given.unpaused),
        removed=len(done.given.removed),
        kept=len(done.given.kept),
        refused=[said for _, said in done.failed],
    )


async def pause_again(pbx: str, database: Database, commands: Commands, books: Books) -> None:
    """Pause the phones of agents who had gone home when an earlier server stopped, unless they are at work now.

    Call it once the floor knows the members. Raises what Commands.run raises; then the next start tries again.
    """
    async with database.read() as conn:
        rows = await handed_back.of_pbx(conn, pbx)
    for row in rows:
        queue = books.queues.get(row.queue)
        member = queue.members.get(row.interface) if queue is not None else None
        agent = books.agent_at(member.seat) if member is not None else None
        if member is not None and not member.paused and (agent is None or agent.shift is None):
            await commands.run(QueuePause(row.interface, True, row.reason, row.queue))
    if rows:
        async with database.begin() as conn:
            await handed_back.forget(conn, pbx)
