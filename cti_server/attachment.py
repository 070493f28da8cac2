"""Attaches this process to one PBX: starts and ends lease, pipeline, link and command connections together.

Only one process is attached to a PBX at a time. A process waits while another holds the lease; one that loses the
lease stops writing at once, and waits again.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Awaitable, Callable, Sequence, Set
from contextlib import suppress
from datetime import UTC, datetime

import structlog

from . import handing_back
from .asterisk.call_actions import ParkedCalls
from .asterisk.commands import Commands, NoAccount
from .asterisk.link import Link
from .asterisk.members import Members
from .asterisk.session import ActionFailed, ListBroken
from .floor.apply import Floor
from .floor.orders import Order
from .gap import Gaps
from .lookup.identify import Lookup
from .pipeline import Pipeline, PipelineClosed
from .push.stream import Stream
from .record import leases
from .record.database import Database
from .settings import PbxSettings, Settings
from .unheard import LEAVES_IT_S, Unheard, until_another_may_hear
from .wire.ami import Message

TRY_LEASE_EVERY_S = 2.0
AFTER_TERM_S = 0.05  # so long after the end of another process's term this one asks for the lease
LOOK_EVERY_S = 0.5  # for a process that waits: the owner may let the PBX go before its term ends
NOTE_LIVE_EVERY_S = 5.0  # by so much a call that ends while the server is away may seem shorter than it was
READ_AGAIN_EVERY_S = 15.0  # for people, phones and queues in the record; for 200 agents it takes milliseconds
KNOWN_WITHIN_S = 5.0  # a desktop that connects while the server starts waits so long at the most
DRAIN_S = 3.0  # to write what is in the inbox when the server ends
DRAIN_LIMIT_S = 30.0  # for all of it, where the record has just come back
PBX_COMES_S = 24 * 3600.0  # a PBX that is away longer has forgotten who was paused
GIVE_BACK_S = 5.0  # to give back what was set at the queues of the PBX, when the server ends

LET_GO_S = 4.0  # a PBX that was let go for another process to take is not asked for meanwhile

log = structlog.get_logger()


class LetGo(Exception):
    """Another process is to have this PBX."""


class Attachment:
    """The attachment of one PBX. It runs in rounds: whenever one ends, the next begins with a new `pipeline`.

    `owner` says whether this process holds the lease.
    """

    def __init__(
        self,
        pbx: PbxSettings,
        database: Database,
        lookup: Lookup,
        stream: Stream,
        times: Settings,
        connected: Callable[[], Set[int]] = frozenset,
    ) -> None:
        """`stream` is the PBX's, and `connected` has the agents who have a desktop now."""
        self.pbx = pbx
        self.commands = Commands(pbx)
        self.owner = False
        self.stream = stream
        self.taken: Callable[[leases.Lease], Awaitable[None]] | None = None  # called when this one is the owner
        self._database, self._lookup, self._connected = database, lookup, connected
        self._times = times
        self.patience_s = 0.0  # for so long a free PBX is left to others
        self._let_go = asyncio.Event()
        self._decided = asyncio.Event()  # whether this process is attached; if so, the floor is restored
        self._begin_round()

    def _begin_round(self) -> None:
        """Begin with a fresh floor: the record and a snapshot fill it, and nothing of the old round is used."""
        floor = Floor(
            self.pbx.name, desktop_grace_s=self._times.desktop_grace_s, phone_grace_s=self._times.phone_grace_s
        )
        self.pipeline = Pipeline(
            self.pbx.name,
            self._database,
            self._lookup,
            self.stream,
            floor=floor,
            on_orders=self._order,
            connected=self._connected,
        )
        self.link = Link(self.pbx, self.pipeline.put, self._times.snapshot_every_s, self._parked)
        self._members = Members(self.commands, self.pipeline.put)

    async def known(self) -> None:
        """Return once the floor knows what it knew before a start: it is restored, and the PBX has listed what it
        has, unless it is away. At once where another process is attached; after `KNOWN_WITHIN_S` in any case."""
        with suppress(TimeoutError, PipelineClosed):
            async with asyncio.timeout(KNOWN_WITHIN_S):
                await self._decided.wait()
                if self.owner:
                    pipeline = self.pipeline
                    await pipeline.when(lambda books: pipeline.told_whole or None, KNOWN_WITHIN_S)

    async def _read_again(self) -> None:
        """Take in the administrator's changes without a restart."""
        while True:
            await asyncio.sleep(READ_AGAIN_EVERY_S)
            try:
                await self.pipeline.read_again()
            except Exception as cause:  # the database is away, or the inbox is full: try again later
                if self._database.trouble.note(cause):
                    continue
                log.warning("record.not_read", pbx=self.pbx.name, cause=f"{type(cause).__name__}: {cause}")

    async def _parked(self) -> Sequence[Message]:
        """Who is parked where. Without the right to ask, a call keeps the space that an event named."""
        try:
            return (await self.commands.run(ParkedCalls())).rows
        except (NoAccount, ActionFailed, ListBroken, OSError, TimeoutError) as cause:
            log.warning("parked.not_listed", pbx=self.pbx.name, cause=f"{type(cause).__name__}: {cause}")
            return ()

    async def _note_live(self) -> None:
        while True:
            await asyncio.sleep(NOTE_LIVE_EVERY_S)
            try:
                await self.pipeline.note_live()
                await self.pipeline.keep_whole()
            except Exception as cause:
                if self._database.trouble.note(cause):
                    continue
                log.warning("record.not_written", pbx=self.pbx.name, cause=f"{type(cause).__name__}: {cause}")

    def _order(self, orders: Sequence[Order]) -> None:
        self._members.take(orders)

    async def _pause_again(self) -> None:
        """What the last server gave back when it stopped, once the PBX has listed its members."""
        pipeline = self.pipeline
        try:
            await pipeline.when(lambda books: True if books.boot != 0 else None, PBX_COMES_S)
            await handing_back.pause_again(self.pbx.name, self._database, self.commands, pipeline.books)
        except (PipelineClosed, TimeoutError, NoAccount, ActionFailed, OSError) as cause:
            log.warning("queues.not_paused_again", pbx=self.pbx.name, cause=f"{type(cause).__name__}: {cause}")

    async def _give_back(self) -> None:
        """Leave the PBX's queues as they were, now that nothing listens to what they say. With another process in
        line there is nothing to give back: it goes on where this one stops."""
        if not self._times.give_back_on_stop:
            return
        try:
            async with self._database.read() as conn:
                awaited = await leases.is_awaited(conn, self.pbx.name)
        except Exception as cause:  # without the record nobody knows what is ours
            log.warning("queues.not_given_back", pbx=self.pbx.name, cause=str(cause), remedy="cti-server detach")
            return
        if awaited:
            log.info("queues.left_to_another", pbx=self.pbx.name, reason="another process waits for this PBX")
            return
        await handing_back.on_stop(self.pbx, self._database, self.commands, GIVE_BACK_S)

    async def _stop_waiting(self) -> None:
        with suppress(Exception):  # a record that is away forgets it by itself, a little later
            async with self._database.begin() as conn:
                await leases.stop_waiting(conn, self.pbx.name)

    async def run(self) -> None:
        """Stay attached, or wait for the lease, until cancelled."""
        who = f"{socket.gethostname()}:{os.getpid()}"
        waiting = record_was_away = False
        not_before = 0.0
        try:
            while True:
                try:
                    again_s = TRY_LEASE_EVERY_S
                    now = datetime.now(UTC)
                    if record_was_away:
                        not_before = leases.clock() + leases.BACK_S
                    async with leases.hold(
                        self._database, self.pbx.name, who, now, not_before, self.patience_s
                    ) as lease:
                        self.owner, waiting, record_was_away = True, False, False
                        self.commands.right = lease
                        await self._attached(lease)
                except* leases.LeaseTaken as taken:
                    record_was_away = False
                    if not waiting:
                        log.info("pbx.waiting", pbx=self.pbx.name, reason=str(taken.exceptions[0]))
                    waiting = True
                    again_s = _again(taken.exceptions)
                except* LetGo as gone:
                    log.info("pbx.let_go", pbx=self.pbx.name, reason=str(gone.exceptions[0]))
                    again_s = LET_GO_S
                except* Unheard as unheard:
                    log.warning("pbx.left_to_another", pbx=self.pbx.name, reason=str(unheard.exceptions[0]))
                    again_s = LEAVES_IT_S
                except* leases.LeaseLost as lost:
                    log.warning("pbx.lost", pbx=self.pbx.name, reason=str(lost.exceptions[0]))
                except* Exception as failed:
                    record_was_away = all(self._database.trouble.note(cause) for cause in failed.exceptions)
                    if not record_was_away:
                        log.exception("pbx.failed", pbx=self.pbx.name, again_in_s=TRY_LEASE_EVERY_S)
                finally:
                    self.owner = False
                    self._decided.set()
                await asyncio.sleep(again_s)
                if not waiting:
                    self._begin_round()
        finally:
            if waiting:
                await self._stop_waiting()
            self.commands.close()

    def let_go(self) -> None:
        """Let another process have the PBX; nothing is given back to it, and none of its events is lost."""
        self._let_go.set()

    async def _drained(self, writing: asyncio.Task[None]) -> None:
        """Wait for the writing to end, for as long as it gets on: after the record was away that takes."""
        until = time.monotonic() + DRAIN_LIMIT_S
        left = self.pipeline.spool.events + 1
        while left > self.pipeline.spool.events and time.monotonic() < until:
            left = self.pipeline.spool.events
            if (await asyncio.wait({writing}, timeout=DRAIN_S))[0]:
                return

    async def _letting(self) -> None:
        await self._let_go.wait()
        raise LetGo("another process has fewer PBXs")

    async def _attached(self, lease: leases.Lease) -> None:
        await self.pipeline.restore(lease)
        if self.taken is not None:
            await self.taken(lease)
        if self.stream.cards is not None:
            self.stream.cards.attached = self.pipeline
        gaps = Gaps(self.pbx, self._database, self.pipeline, self._lookup, lease, self.link)
        self._decided.set()
        log.info("pbx.attached", pbx=self.pbx.name, epoch=lease.epoch)
        stopping = False
        writing = asyncio.create_task(self.pipeline.run(), name=f"pipeline {self.pbx.name}")
        linked = asyncio.create_task(self.link.run(), name=f"link {self.pbx.name}")
        ordered = asyncio.create_task(self._members.run(), name=f"members {self.pbx.name}")
        reading = asyncio.create_task(self._read_again(), name=f"reading {self.pbx.name}")
        noting = asyncio.create_task(self._note_live(), name=f"noting {self.pbx.name}")
        pausing = asyncio.create_task(self._pause_again(), name=f"pausing {self.pbx.name}")
        self._let_go.clear()
        letting = asyncio.create_task(self._letting(), name=f"letting {self.pbx.name}")
        losing = asyncio.create_task(_lost(lease), name=f"lease lost {self.pbx.name}")
        filling = asyncio.create_task(gaps.run(), name=f"gaps {self.pbx.name}")
        hearing = asyncio.create_task(
            until_another_may_hear(self.link, self._database, self.pbx.name), name=f"hearing {self.pbx.name}"
        )
        try:
            # None of these returns; the first that fails ends the round.
            ending = {writing, linked, ordered, losing, letting, hearing}
            await asyncio.wait(ending, return_when=asyncio.FIRST_EXCEPTION)
        except asyncio.CancelledError:
            stopping = True
            raise
        finally:
            if self.stream.cards is not None:
                self.stream.cards.attached = None
            beside = (linked, ordered, reading, noting, pausing, losing, letting, hearing, filling)
            for task in beside:
                task.cancel()
            self.pipeline.stop()
            # Write what the link has heard: a call that has just ended must not be taken for "unseen" later.
            await self._drained(writing)
            writing.cancel()
            ended = await asyncio.gather(writing, *beside, return_exceptions=True)
            await self.pipeline.close()
            if stopping:
                await self._give_back()
            else:
                self.commands.drop()
        for cause in ended:
            if isinstance(cause, Exception):
                raise cause


async def _lost(lease: leases.Lease) -> None:
    await asyncio.shield(lease.lost)  # a round that ends cancels this task, and not what it waits for
    raise leases.LeaseLost(f"{lease.pbx}: a newer process is attached to it")


def _again(taken: Sequence[BaseException]) -> float:
    """When to ask for the lease again, in seconds."""
    left = [cause.for_s for cause in taken if isinstance(cause, leases.LeaseTaken) and cause.for_s is not None]
    return min([LOOK_EVERY_S, *(max(0.0, for_s) + AFTER_TERM_S for for_s in left)])
