"""One PBX's signals on their way: inbox → floor → record and journal → hub. Read this file first.

    Link ───────┐                        one transaction
    FastAGI ────┼▶ inbox ▶ floor.apply ▶ [interactions + journal] ▶ hub ▶ desktops
    desks ──────┘  (bounded)   (pure)

Each PBX has one task. It takes the signals from the inbox, applies them in order, writes the changed calls and
the events in one transaction, and hands the events out. A desktop gets only events that the journal has, and
nothing waits for a desktop. While the database is away, the present batch is tried until it is written, and the
inbox fills; once it is full, the link starts over with a snapshot, so that no change is lost.

Three jobs have files of their own: looking callers up (`lookup/wanted.py`), limiting frequent events
(`push/paced.py`), and adding to an event what the journal does not keep (`push/cards.py`).
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

import structlog

from . import memory
from .asterisk.link import SinkFull
from .floor import views
from .floor.apply import Floor
from .floor.books import Books
from .floor.desk_signals import DesktopSeen, Tick
from .floor.events import Event
from .floor.orders import Order
from .floor.signals import CallerIdentified, LinkChanged, LinkState, QueueJoined, Signal
from .floor.times import iso
from .lookup.callers import Callers
from .lookup.identify import Identified, Lookup
from .lookup.wanted import look_up
from .memory import Batch
from .push import frames
from .push.cards import Cards
from .push.frames import Frame
from .push.hub import Hub
from .push.paced import Paced
from .record import journal, leases
from .record.database import Database, is_refusal

MAX_INBOX = 20_000  # signals, about those of 400 calls; beyond it the link gets SinkFull and takes a snapshot
MAX_BATCH = 500  # signals applied before they are written; bounds the transaction, not the throughput
MAX_RETRY_S = 5.0
POISON_TRIES = 3  # a batch that the database refuses this often for its values is written piece by piece
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
        hub: Hub,
        max_inbox: int = MAX_INBOX,
        floor: Floor | None = None,
        on_orders: Callable[[Sequence[Order]], None] = lambda orders: None,
    ) -> None:
        self.pbx = pbx
        self.stream = f"pbx:{pbx}"
        self.floor = floor or Floor(pbx)
        self.callers = Callers(pbx, lookup, self.put, self._has_leg)
        self.cards = Cards(self.callers, self.floor.calls)
        self.counts = Counts()
        self._calm = lookup.calm
        self.writing_since: float | None = None
        self._database = database
        self._hub = hub
        self._lease: leases.Lease | None = None
        self._inbox: deque[Signal] = deque()
        self._max_inbox = max_inbox
        self._wake = asyncio.Event()
        self._publishing = asyncio.Lock()  # held while the floor is ahead of the journal and the hub
        self._stopping = False
        self._paced = Paced(
            lambda agent: views.member_of_team(self.books, self.books.agents[agent]), self.knows_members
        )
        self._states = memory.StateLog()
        self._in_record = memory.InRecord()
        self._on_orders = on_orders
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
        """Seconds since the server began to write the present batch; 0 between batches."""
        return 0.0 if self.writing_since is None else time.monotonic() - self.writing_since

    def identified(self, leg: str, identified: Identified) -> None:
        """Hand in the result of the dialplan's lookup for a leg."""
        self.callers.identified_by_dialplan(leg, identified)

    # --- from start to stop ----------------------------------------------------------------------------

    async def restore(self, lease: leases.Lease) -> None:
        """Begin where the last process stopped: agents at their phones, open calls, unfinished wrap-ups."""
        self._lease = lease
        async with self._database.read() as conn:
            calls = await memory.recall_calls(conn, self.pbx)
            people = await memory.recall_people(conn, self.pbx)
            heard = await leases.live_until(conn, self.pbx)
            self._hub.positions.setdefault(self.stream, (await journal.positions(conn)).get(self.stream, 0))
        self.books.heard_until = heard.timestamp() if heard is not None else None
        for call in calls:
            self.floor.restore(call)
            self.callers.recall(call)
        self._put_differing(people)
        for agent in self._hub.agents():
            self.put(DesktopSeen(time.time(), agent, connected=True))

    async def read_again(self) -> None:
        """Take in what the administrator changed in the record: people, their phones, queues.

        It also corrects whose desktop is connected, where a signal about it met a full inbox. May raise SinkFull.
        """
        async with self._database.read() as conn:
            people = await memory.people_and_queues(conn, self.pbx, self.books)
        self._put_differing(people)
        connected = self._hub.agents()
        for agent in list(self.floor.agents.values()):
            if (agent.desktop_gone is None) != (agent.id in connected):  # the signal met a full inbox
                self.put(DesktopSeen(time.time(), agent.id, agent.id in connected))

    async def note_live(self) -> None:
        """Write down that the PBX is heard, while it carries calls: so a server that restarts knows how long each
        was seen to last. Raises LeaseLost."""
        if self._lease is None or self.books.link is not LinkState.LIVE or not self.books.calls:
            return
        async with self._database.begin() as conn:
            await leases.fence(conn, self._lease)
            await leases.note_live(conn, self.pbx, datetime.now(UTC))

    def _put_differing(self, signals: Sequence[Signal]) -> None:
        for signal in self._in_record.differing(signals):
            self.put(signal)
            self._in_record.keep(signal)

    async def run(self) -> None:
        """Apply, write and hand out until stopped. Raises LeaseLost when a newer process took the PBX over."""
        while self._inbox or not self._stopping:
            await self._woken()
            await self._calm()
            async with self._publishing:
                events = self._apply()
                self._on_orders(self.floor.take_orders())
                batch = self._batch(events)
                if batch != NOTHING:
                    await self._write_and_tell(batch)
                self._answer_watchers()
            await asyncio.sleep(0)

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
        for waiting in self._watchers:
            if not waiting.done():
                waiting.set_exception(PipelineClosed(f"{self.pbx} is no longer attached here"))
        await self.callers.close()

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
        return Batch(
            self.floor.take_changed(),
            events,
            late,
            [memory.shift_of(agent, self.pbx) for agent in self.floor.take_shifts()],
            self._states.rows(events),
        )

    async def _write_and_tell(self, batch: Batch) -> None:
        self.writing_since = time.monotonic()
        tries, singly = 0, False
        while True:
            try:
                seqs = await (self._write_singly if singly else self._write)(batch)
                break
            except leases.LeaseLost:
                raise
            except Exception as cause:
                tries += 1
                singly = tries >= POISON_TRIES and is_refusal(cause)
                self.counts.retries += 1
                if not self._database.trouble.note(cause):
                    self._log.error("record.not_written", cause=f"{type(cause).__name__}: {cause}", tries=tries)
                await asyncio.sleep(min(MAX_RETRY_S, 0.2 * 2 ** min(tries, 10)))
        self.writing_since = None
        self.counts.events += len(batch.events)
        self._hub.publish(self._frame(event, seq) for event, seq in zip(batch.events, seqs, strict=True))
        for call in batch.calls:
            if call.id not in self.floor.calls:
                self.callers.forget(call)

    async def _write(self, batch: Batch) -> range:
        assert self._lease is not None
        async with self._database.begin() as conn:
            await leases.fence(conn, self._lease)
            ids, seqs = await memory.write(conn, self.stream, (self.pbx, self.books.boot), batch)
        for call in batch.calls:
            if (number := ids.get((call.pbx, call.boot, call.linkedid))) is not None:
                self.floor.stored(call, number)
        return seqs

    async def _write_singly(self, batch: Batch) -> range:
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
        return await self._write(Batch(events=batch.events))

    def _frame(self, event: Event, seq: int) -> Frame:
        body = self.cards.with_card(event.kind, event.body)
        at = iso(event.at) or ""
        return frames.of_event(self.stream, seq, at, event.kind, body, memory.audience_of(event))

    # --- for others ------------------------------------------------------------------------------------

    @asynccontextmanager
    async def settled(self) -> AsyncIterator[tuple[Books, int]]:
        """The floor while it agrees with the journal, and the position of the last event that it includes.

        Only read inside it, and quickly: no signal is applied meanwhile.
        """
        async with self._publishing:
            yield self.books, self._hub.positions.get(self.stream, 0)

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
