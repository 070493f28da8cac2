"""One PBX's signals on their way: inbox → floor → record and journal → stream. Read this file first.

    Link ───────┐                        one transaction
    FastAGI ────┼▶ inbox ▶ floor.apply ▶ [interactions + journal] ▶ stream ▶ desktops of any process
    desks ──────┘  (bounded)   (pure)           │
                                                └▶ orders to the PBX

Each PBX has one task, in the process that holds its lease. It takes the signals from the inbox, applies them in
order, writes the changed calls and the events in one transaction, and hands the rows to the stream. A desktop
gets only events that the journal has, the PBX only orders that follow from what is written, and nothing waits for
a desktop. While the record cannot be written, desktops of this process are told of what happens provisionally, and
it waits in the spool; the PBX is asked for nothing. Once the spool is full the inbox fills, and once that is full
the link starts over with a snapshot, so that no state is lost.

Four jobs have files of their own: looking callers up (`lookup/wanted.py`), limiting frequent events
(`push/paced.py`), what waits to be written (`spool.py`), and what becomes of the rows (`push/stream.py`).
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

import structlog

from . import memory
from .asterisk.link import SinkFull
from .floor import views
from .floor.apply import Floor
from .floor.books import Books
from .floor.calls import Call
from .floor.desk_signals import DesktopSeen, Tick
from .floor.events import FLOOR_BEGAN, Event
from .floor.orders import Order
from .floor.signals import CallerIdentified, LinkChanged, LinkState, QueueJoined, Signal
from .lookup.callers import Callers
from .lookup.identify import Identified, Lookup
from .lookup.shapes import Card
from .lookup.wanted import look_up
from .memory import Batch
from .push.paced import Paced
from .push.stream import Stream
from .record import journal, leases, whole_floors
from .record.contacts.records import CallKey
from .record.database import Database, is_refusal
from .record.journal import Entry
from .spool import Spool, Spooled

MAX_INBOX = 20_000  # signals, about those of 400 calls; beyond it the link gets SinkFull and takes a snapshot
MAX_BATCH = 500  # signals applied before they are written; bounds the transaction, not the throughput
MAX_RETRY_S = 5.0
TOLD_WITHIN_S = 0.5  # for a handover capsule that is read before the offer is handed out
MAX_UNASKED = 10_000
PATIENCE_S = 0.2  # what is not written by then is told all the same, provisionally
WRITE_S = 10.0  # one try to write a batch: a connection that has died is silent for much longer
POISON_TRIES = 3  # a batch that the database refuses this often for its values is written piece by piece
KEEP_AFTER = 2000  # events after which the whole floor is kept again; more of them on a floor with more calls
KEEP_EVERY_S = 600.0
NOTHING = Batch(calls=[], events=[], late=[], shifts=[], states=[])

log = structlog.get_logger()
T = TypeVar("T")


class PipelineClosed(ConnectionError):
    """This process is not attached to the PBX any more, so what a caller of `when` waits for cannot come."""


@dataclass(slots=True)
class Counts:
    """The counters of one pipeline for /metrics."""

    signals: int = 0
    queue_joins: int = 0
    events: int = 0
    retries: int = 0
    refused: int = 0


class Pipeline:
    """One PBX from its signals to the desktops. Await `restore`, then `run` until `stop`, then `close`."""

    def __init__(
        self,
        pbx: str,
        database: Database,
        lookup: Lookup,
        stream: Stream,
        max_inbox: int = MAX_INBOX,
        floor: Floor | None = None,
        on_orders: Callable[[Sequence[Order]], None] = lambda orders: None,
        connected: Callable[[], Set[int]] = frozenset,
    ) -> None:
        """`connected` has the agents who have a desktop now, in whatever process."""
        self.pbx = pbx
        self.stream = stream
        self.floor = floor or Floor(pbx)
        self.callers = Callers(pbx, lookup, self.put, self._has_leg)
        self.counts = Counts()
        self._calm = lookup.calm
        self.spool = Spool()
        self._writing: asyncio.Task[None] | None = None
        self._seq: int | None = None  # of the last event that this process has written
        self._ahead = 0  # of the last event that desktops were told of, where that is later
        self._unnumbered: set[str] = set()  # calls that desktops know without the number of their row
        self._unasked: list[Call] = []  # calls that are over, of callers whom the record could not be asked about
        self._database = database
        self._connected = connected
        self.told_whole = False
        self._kept_at, self._kept = 0, time.monotonic()
        self.lease: leases.Lease | None = None
        self._inbox: deque[Signal] = deque()
        self._max_inbox = max_inbox
        self._wake = asyncio.Event()
        self._stopping = False
        self._paced = Paced(self._member_of_team, self.knows_members)
        self._states = memory.StateLog()
        self._in_record = memory.InRecord()
        self._on_orders = on_orders
        self._answering: asyncio.Task[None] | None = None
        self._late: list[CallerIdentified] = []  # for calls that have not begun, or are over
        self._watchers: dict[asyncio.Future[Any], Callable[[Books], Any]] = {}  # of the callers of `when`
        self._log = log.bind(pbx=pbx)

    @property
    def books(self) -> Books:
        """The floor as it is now, only to be read."""
        return self.floor.books

    def _has_leg(self, leg: str) -> bool:
        return self.books.call_of(leg) is not None or self.books.call_with(leg) is not None

    # --- the inbox -------------------------------------------------------------------------------------

    def put(self, signal: Signal) -> None:
        """Hand in a signal; never waits. Raises SinkFull on a full inbox, except for a signal about the link."""
        if len(self._inbox) >= self._max_inbox and not isinstance(signal, LinkChanged):
            raise SinkFull(f"{len(self._inbox)} signals wait to be applied")
        self._inbox.append(signal)
        self._wake.set()

    @property
    def waiting(self) -> int:
        """Signals in the inbox."""
        return len(self._inbox)

    @property
    def lag_s(self) -> float:
        """How long the oldest batch has been waiting to be written, in seconds; 0 while none is."""
        return 0.0 if self.spool.since is None else time.monotonic() - self.spool.since

    def identified(self, leg: str, identified: Identified) -> None:
        """Hand in the result of the dialplan's lookup for a leg."""
        self.callers.identified_by_dialplan(leg, identified)

    # --- from start to stop ----------------------------------------------------------------------------

    async def restore(self, lease: leases.Lease) -> None:
        """Begin where the last process stopped: agents at their phones, open calls, unfinished wrap-ups."""
        self.lease = lease
        async with self._database.read() as conn:
            calls = await memory.recall_calls(conn, self.pbx)
            people = await memory.recall_people(conn, self.pbx)
            heard = await leases.live_until(conn, self.pbx)
        self.books.heard_until = heard.timestamp() if heard is not None else None
        for call in calls:
            self.floor.restore(call)
            self.callers.recall(call)
        self._states.go_on(people)
        self._put_differing(people)
        for agent in self._connected():
            self.put(DesktopSeen(time.time(), agent, connected=True))

    async def read_again(self) -> None:
        """Take in what the administrator changed in the record: people, their phones, queues.

        It also corrects whose desktop is connected, where a signal about it met a full inbox. May raise SinkFull.
        """
        async with self._database.read() as conn:
            people = await memory.people_and_queues(conn, self.pbx, self.books)
        self._put_differing(people)
        connected = self._connected()
        for agent in list(self.floor.agents.values()):
            if (agent.desktop_gone is None) != (agent.id in connected):  # the signal met a full inbox
                self.put(DesktopSeen(time.time(), agent.id, agent.id in connected))

    async def note_live(self) -> None:
        """Write down that the PBX is heard: so a server that restarts knows how long each call was seen to last,
        and from when on it has seen none. Raises LeaseLost."""
        if self.lease is None or self.books.link is not LinkState.LIVE:
            return
        async with self._database.begin() as conn:
            await leases.fence(conn, self.lease, changes_it=True)
            await leases.note_live(conn, self.pbx, datetime.now(UTC))

    def _put_differing(self, signals: Sequence[Signal]) -> None:
        for signal in self._in_record.differing(signals):
            self.put(signal)
            self._in_record.keep(signal)

    async def run(self) -> None:
        """Apply, write and hand out until stopped. Raises LeaseLost when a newer process took the PBX over."""
        try:
            while self._inbox or not self._stopping:
                await self._woken()
                self._check_writing()
                await self._calm()
                batch = self._batch(self._apply())
                if batch != NOTHING:
                    await self._write_and_tell(batch)
                self._order()
                self._answer_watchers()
                await asyncio.sleep(0)
            if self._writing is not None:
                await self._writing
            self._order()
        finally:
            await self._give_up()

    def _order(self) -> None:
        if not self.spool:
            # Only now: what another process may have to take over must be in the record before the PBX hears.
            self._on_orders(self.floor.take_orders())

    async def _woken(self) -> None:
        """Wait until the inbox has a signal or the floor has something due, and put in a Tick for what is due.

        The Tick is put in on a busy floor too, where the inbox is never empty.
        """
        due = self.floor.next_due()
        waits = [] if due is None else [max(0.0, due - time.time())]
        if (paced := self._paced.due_in_s) is not None:
            waits.append(paced)
        with suppress(TimeoutError):
            async with asyncio.timeout(min(waits, default=None)):
                await self._wake.wait()
        if due is not None and due <= (now := time.time()):
            self._inbox.append(Tick(now))

    def stop(self) -> None:
        """Let `run` end once what is in the inbox is written."""
        self._stopping = True
        self._wake.set()

    async def close(self) -> None:
        """End the waits of `when` with PipelineClosed. Call it once `run` has ended."""
        if self._answering is not None:
            self._answering.cancel()
        for waiting in self._watchers:
            if not waiting.done():
                waiting.set_exception(PipelineClosed(f"{self.pbx} is no longer attached here"))
        await self.callers.close()

    def _member_of_team(self, agent: int) -> views.View:
        return views.member_of_team(views.agent_view(self.books, self.books.agents[agent]))

    # --- signals → events ------------------------------------------------------------------------------

    def knows_members(self) -> bool:
        """Whether a snapshot has come since the start, or the PBX is away, so that none will come soon."""
        return self.books.boot != 0 or self.books.link is not LinkState.CONNECTING

    def _apply(self) -> list[Event]:
        events: list[Event] = []
        for _ in range(min(MAX_BATCH, len(self._inbox))):
            signal = self._inbox.popleft()
            try:
                events.extend(self.floor.apply(signal))
            except Exception:
                # One signal that the floor cannot apply must not stop everybody else's calls.
                self.counts.refused += 1
                self._log.exception("signal.refused", signal=repr(signal)[:500])
            self.counts.signals += 1
            self.counts.queue_joins += isinstance(signal, QueueJoined)
            if isinstance(signal, CallerIdentified) and signal.leg in self.books.early:
                self._late.append(signal)
        if not self._inbox and not self._stopping:
            self._wake.clear()
        for event in events:
            look_up(self.callers, self.floor.calls, event)
        return self._paced.take(events, at_once=self._stopping)

    # --- events → record, journal, desktops ------------------------------------------------------------

    def _batch(self, events: Sequence[Event]) -> Batch:
        late, self._late = self._late, []
        whole = None
        if not self.told_whole and self.knows_members():
            # From here on the events are all that a replica needs, whatever it has missed before.
            self.told_whole, whole = True, views.whole(self.books)
            events = [*events, Event(FLOOR_BEGAN, time.time(), {"pbx": self.pbx})]
        return Batch(
            self.floor.take_changed(),
            events,
            late,
            [memory.shift_of(agent, self.pbx) for agent in self.floor.take_shifts()],
            self._states.rows(events),
            whole,
        )

    async def _write_and_tell(self, batch: Batch) -> None:
        """Write the batch and hand it out. Where that takes long, it is handed out provisionally, and written when
        the record can be; while too much waits for that, this does. Raises LeaseLost."""
        self.counts.events += len(batch.events)
        if self._writing is None or (self._writing.done() and not self.spool):
            self.spool.put(batch)
            self._writing = asyncio.create_task(self._write_all(), name=f"writing {self.pbx}")
            self._writing.add_done_callback(lambda _: self._wake.set())
            await asyncio.wait({self._writing}, timeout=PATIENCE_S)
            self._check_writing()
            if (spooled := self.spool.first()) is not None:
                spooled.ahead = self._tell_ahead(spooled.batch, self._seq)
        else:
            self._check_writing()
            before = self._seq + self.spool.events if self._seq is not None else None
            self.spool.put(batch, ahead=self._tell_ahead(batch, before))
            if self.spool.full:
                await asyncio.wait({self._writing})
        self._check_writing()
        for call in batch.calls:
            if call.id not in self.floor.calls:
                self.callers.forget(call)
                if self.spool and call.match == "pending" and len(self._unasked) < MAX_UNASKED:
                    self._unasked.append(call)

    def _check_writing(self) -> None:
        """Raise what has ended the writing: what can never be written must not be told either."""
        if self._writing is not None and self._writing.done():
            self._writing.result()

    @property
    def _told_to(self) -> int:
        """The number of the last event that desktops have been told of, or are about to be."""
        return max(self._seq or 0, self._ahead)

    def _tell_ahead(self, batch: Batch, after: int | None) -> bool:
        """Hand out what is not written yet, with the numbers that follow `after`. False where those are not known,
        or where something before it has not been handed out."""
        if after is None:
            return False
        rows = memory.ahead(self.stream.name, batch, after)
        if not self.stream.offer_ahead(rows, batch.whole):
            return False
        self._ahead = after + len(rows)
        return True

    async def _write_all(self) -> None:
        """Write what waits, in order, until nothing does."""
        was_ahead = False
        while (spooled := self.spool.first()) is not None:
            entries = await self._write_until_written(spooled)
            self.spool.written()
            was_ahead |= spooled.ahead
            if spooled.ahead:
                self.stream.confirm(entries)
            else:
                self.stream.offer(entries, spooled.batch.whole)
            if entries:
                self._seq = entries[-1].seq
        if was_ahead:
            unasked, self._unasked = self._unasked, []
            self.callers.catch_up([*unasked, *self.floor.calls.values()])
            calls, self._unnumbered = self._unnumbered, set()
            self.floor.tell_again(calls)
            self._inbox.append(Tick(time.time()))

    async def _write_until_written(self, spooled: Spooled) -> Sequence[Entry]:
        tries, singly = 0, False
        while True:
            try:
                async with asyncio.timeout(WRITE_S * (1 + tries)):
                    if tries and (entries := await self._are_written(spooled.batch)) is not None:
                        return entries
                    return await (self._write_singly if singly else self._write)(spooled.batch)
            except leases.LeaseLost:
                raise
            except Exception as cause:
                tries += 1
                singly = tries >= POISON_TRIES and is_refusal(cause)
                self.counts.retries += 1
                if not self._database.trouble.note(cause):
                    self._log.error("record.not_written", cause=f"{type(cause).__name__}: {cause}", tries=tries)
                await asyncio.sleep(min(MAX_RETRY_S, 0.2 * 2 ** min(tries, 10)))

    async def _are_written(self, batch: Batch) -> Sequence[Entry] | None:
        """The rows of a batch whose commit was not answered, where it was done all the same; None otherwise."""
        if self._seq is None or not batch.events:
            return None
        rows = memory.ahead(self.stream.name, batch, self._seq)
        async with self._database.begin() as conn:
            assert self.lease is not None
            # Nobody else writes this stream: its numbers are ours. The stronger lock waits for a first commit that
            # is under way.
            await leases.fence(conn, self.lease, changes_it=True)
            if await journal.position(conn, self.stream.name) < rows[-1].seq:
                return None
            ids, _ = await memory.write(conn, self.stream.name, (self.pbx, self.books.boot), Batch(batch.calls))
        self._number(batch, ids)
        return rows

    async def _give_up(self) -> None:
        """End the writing. What waits yet will never be in the record: desktops that know of it start over."""
        if self._writing is not None:
            self._writing.cancel()
            await asyncio.gather(self._writing, return_exceptions=True)
        if self.spool:
            calls, waited_s = self.spool.calls(), round(self.lag_s, 1)
            if calls:
                self._log.error("spool.lost", events=self.spool.events, calls=calls, waited_s=waited_s)
            else:  # of links, members and states: whoever has the PBX next tells them as they are then
                self._log.info("spool.dropped", events=self.spool.events, waited_s=waited_s)
            self.stream.take_back()

    async def _write(self, batch: Batch) -> Sequence[Entry]:
        assert self.lease is not None
        async with self._database.begin() as conn:
            await leases.fence(conn, self.lease)
            ids, entries = await memory.write(conn, self.stream.name, (self.pbx, self.books.boot), batch)
        self._number(batch, ids)
        return entries

    def _number(self, batch: Batch, ids: Mapping[CallKey, int]) -> None:
        for call in batch.calls:
            if (number := ids.get((call.pbx, call.boot, call.linkedid))) is not None:
                if call.interaction is None and self.spool.ahead:
                    self._unnumbered.add(call.id)
                self.floor.stored(call, number)

    async def _write_singly(self, batch: Batch) -> Sequence[Entry]:
        """Write a batch that the database refuses for its values piece by piece, and log the refused pieces."""
        parts = [Batch([call]) for call in batch.calls]
        parts += [Batch(late=[late]) for late in batch.late]
        parts += [Batch(shifts=[shift]) for shift in batch.shifts]
        parts += [Batch(states=[state]) for state in batch.states]
        for part in parts:
            try:
                await self._write(part)
            except Exception as cause:
                if not is_refusal(cause):
                    raise  # the database is away: the whole batch is tried again, for writing twice does no harm
                self.counts.refused += 1
                what: list[Any] = [views.call_view(call) for call in part.calls]
                what += [*part.late, *part.shifts, *part.states]
                self._log.error("part.not_written", cause=str(cause), part=json.dumps(what, default=str))
        return await self._write(Batch(events=batch.events, whole=batch.whole))

    async def keep_whole(self) -> None:
        """Keep the whole floor as of now, where much has happened since that was done. Raises LeaseLost, and what
        the database raises."""
        replica, position = self.stream.replica, self.stream.position
        if self.lease is None or replica is None or not self.told_whole or self.spool:
            return
        since = position - self._kept_at
        if since == 0 or (
            since < max(KEEP_AFTER, len(replica.calls)) and time.monotonic() - self._kept < KEEP_EVERY_S
        ):
            return
        whole = replica.whole()
        async with self._database.begin() as conn:
            await leases.fence(conn, self.lease)
            await whole_floors.keep(conn, self.stream.name, position, datetime.now(UTC), whole)
        self._kept_at, self._kept = position, time.monotonic()

    # --- for others ------------------------------------------------------------------------------------

    def of_call(self, call: str) -> Card | None:
        """The card of the call with this id as it was last read; None while the lookup is under way."""
        found = self.books.calls.get(call)
        return self.callers.card(found) if found is not None else None

    async def fresh_of_call(self, call: str) -> Card | None:
        """The same, read from the record now."""
        found = self.books.calls.get(call)
        return await self.callers.fresh_card(found) if found is not None else None

    async def when(self, shows: Callable[[Books], T | None], timeout: float) -> T:
        """Wait until `shows` answers something other than None, and return it.

        It is asked at once, and again each time a batch was handed out. `timeout` is in seconds. Raises
        TimeoutError, PipelineClosed, or whatever `shows` raises.
        """
        if (now := shows(self.books)) is not None:
            return now
        waiting: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._watchers[waiting] = shows
        try:
            async with asyncio.timeout(timeout):
                return await waiting
        finally:
            del self._watchers[waiting]

    def _answer_watchers(self) -> None:
        """Ask again what callers of `when` wait for, once everybody who asks this process is shown it."""
        if not self._watchers or self._answering is not None:
            return
        if self.stream.position < self._told_to:
            self._answering = asyncio.create_task(self._answer_once_told(), name=f"answering {self.pbx}")
        else:
            self._answer_now()

    async def _answer_once_told(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(TOLD_WITHIN_S):
                await self.stream.reaches(self._told_to)
        self._answering = None
        self._answer_now()

    def _answer_now(self) -> None:
        for waiting, shows in self._watchers.items():
            if waiting.done():
                continue
            try:
                answer = shows(self.books)
            except Exception as cause:
                waiting.set_exception(cause)  # the caller's to handle; everybody else's calls go on
            else:
                if answer is not None:
                    waiting.set_result(answer)
