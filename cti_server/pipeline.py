"""The page to read first: inbox → floor → record and journal → hub.

    Link ───────┐                        one transaction
    FastAGI ────┼▶ inbox ▶ floor.apply ▶ [interactions + journal] ▶ hub ▶ desktops
    desks ──────┘  (bounded)   (pure)

One task for each PBX takes what waits in the inbox, applies it in order, writes what changed and what happened
in one transaction, and hands out what was written. Nothing reaches a desktop that the journal does not have,
and nothing waits for a desktop. When the database is away the batch in hand is tried until it is written; the
inbox fills meanwhile, and past its bound the link starts over with a snapshot instead of losing a part.

Beside it stand who looks callers up (`lookup/wanted.py`), what is told at most so often (`push/paced.py`) and what
travels with an event and is not journalled (`push/cards.py`).
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
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
from .floor.signals import CallerIdentified, LinkChanged, Signal
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

MAX_INBOX = 20_000  # signals; about 400 calls' worth. Past it SinkFull: the link takes a fresh snapshot
MAX_BATCH = 500  # signals applied before they are written; bounds the transaction, not the throughput
MAX_RETRY_S = 5.0
POISON_TRIES = 3  # a batch whose values the database refuses so often is written call by call
NOTHING = Batch(calls=[], events=[], late=[], shifts=[], states=[])

log = structlog.get_logger()
T = TypeVar("T")


class PipelineClosed(ConnectionError):
    """The PBX is not this process's any more: what was awaited will not be seen here."""


@dataclass(slots=True)
class Counts:
    """What /metrics tells of one pipeline."""

    signals: int = 0
    events: int = 0
    retries: int = 0
    refused: int = 0


class Pipeline:
    """One PBX from its signals to the desktops. Begin with `restore`; then `run` until `stop`, then `close`."""

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
        self.callers = Callers(pbx, lookup, self.put)
        self.cards = Cards(self.callers, self.floor.calls)
        self.counts = Counts()
        self.writing_since: float | None = None
        self._database = database
        self._hub = hub
        self._lease: leases.Lease | None = None
        self._inbox: deque[Signal] = deque()
        self._max_inbox = max_inbox
        self._wake = asyncio.Event()
        self._told_all = asyncio.Lock()  # held while the floor is ahead of the journal
        self._stopping = False
        self._paced = Paced(lambda agent: views.member_of_team(self.books, self.books.agents[agent]))
        self._states = memory.StateLog()
        self._in_record = memory.InRecord()
        self._on_orders = on_orders
        self._late: list[CallerIdentified] = []  # of calls that are not on the floor: not begun, or over already
        self._looking: dict[asyncio.Future[Any], Callable[[Books], Any]] = {}  # who waits for what to show
        self._log = log.bind(pbx=pbx)

    @property
    def books(self) -> Books:
        """The floor as it is, to be read."""
        return self.floor.books

    # --- the inbox -------------------------------------------------------------------------------------

    def put(self, signal: Signal) -> None:
        """Hand in a signal; never waits. Raises SinkFull, but not for what tells of the link itself."""
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
        """For how long the present batch has been trying to be written."""
        return 0.0 if self.writing_since is None else time.monotonic() - self.writing_since

    def identified(self, leg: str, identified: Identified) -> None:
        """The FastAGI dialogue found out who is on this leg."""
        self.callers.identified_by_dialplan(leg, identified)

    # --- the life of it --------------------------------------------------------------------------------

    async def restore(self, lease: leases.Lease) -> None:
        """Begin where the last process stopped: who sits where, the calls left open, wrap-ups not finished."""
        self._lease = lease
        async with self._database.read() as conn:
            calls = await memory.recall_calls(conn, self.pbx)
            people = await memory.recall_people(conn, self.pbx)
            self._hub.positions.setdefault(self.stream, (await journal.positions(conn)).get(self.stream, 0))
        for call in calls:
            self.floor.restore(call)
            self.callers.recall(call)
        self._put_differing(people)
        for agent in self._hub.agents():
            self.put(DesktopSeen(time.time(), agent, connected=True))

    async def read_again(self) -> None:
        """Take in what the administrator changed in the record: people, their phones, queues."""
        async with self._database.read() as conn:
            people = await memory.known_people(conn, self.pbx)
        self._put_differing(people)
        there = self._hub.agents()
        for agent in list(self.floor.agents.values()):
            if (agent.desktop_gone is None) != (agent.id in there):  # told while the inbox was full
                self.put(DesktopSeen(time.time(), agent.id, agent.id in there))

    def _put_differing(self, signals: Sequence[Signal]) -> None:
        for signal in self._in_record.differing(signals):
            self.put(signal)
            self._in_record.keep(signal)

    async def run(self) -> None:
        """Apply, write, hand out, until stopped. Raises LeaseLost when a newer process took the PBX over."""
        while self._inbox or not self._stopping:
            await self._woken()
            async with self._told_all:
                events = self._apply()
                self._on_orders(self.floor.take_orders())
                batch = self._batch(events)
                if batch != NOTHING:
                    await self._write_and_tell(batch)
                self._look()
            await asyncio.sleep(0)

    async def _woken(self) -> None:
        """Something is in the inbox, or something is due; on a busy floor the inbox is never empty."""
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
        """Take nothing more in; `run` ends when what is in the inbox is written."""
        self._stopping = True
        self._wake.set()

    async def close(self) -> None:
        """Whoever waits for the floor to show something is told that it will not. Call it once `run` has ended."""
        for waiting in self._looking:
            if not waiting.done():
                waiting.set_exception(PipelineClosed(f"{self.pbx} is no longer attached here"))
        await self.callers.close()

    # --- signals → events ------------------------------------------------------------------------------

    def _apply(self) -> list[Event]:
        events: list[Event] = []
        for _ in range(min(MAX_BATCH, len(self._inbox))):
            signal = self._inbox.popleft()
            try:
                events.extend(self.floor.apply(signal))
            except Exception:
                # One signal that the floor chokes on must not stop the calls of everybody else.
                self.counts.refused += 1
                self._log.exception("signal.refused", signal=repr(signal)[:500])
            self.counts.signals += 1
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
        """The database refuses the batch for what is in it: find that part, and keep it in the log."""
        parts = [Batch([call]) for call in batch.calls]
        parts += [Batch(late=[late]) for late in batch.late]
        parts += [Batch(shifts=[shift]) for shift in batch.shifts]
        parts += [Batch(states=[state]) for state in batch.states]
        for part in parts:
            try:
                await self._write(part)
            except Exception as cause:
                if not is_refusal(cause):
                    raise  # it is away by now: all of it is tried again, and writing twice changes nothing
                self.counts.refused += 1
                what: list[Any] = [views.call_view(call) for call in part.calls]
                what += [*part.late, *part.shifts, *part.states]
                self._log.error("part.not_written", cause=str(cause), part=json.dumps(what, default=str))
        return await self._write(Batch(events=batch.events))

    def _frame(self, event: Event, seq: int) -> Frame:
        body = self.cards.with_card(event.kind, event.body)
        at = iso(event.at) or ""
        return frames.of_event(self.stream, seq, at, event.kind, body, memory.audience_of(event))

    # --- what others ask -------------------------------------------------------------------------------

    @asynccontextmanager
    async def settled(self) -> AsyncIterator[tuple[Books, int]]:
        """The floor while it is what the journal tells, and the position of its last event.

        Do not await inside for longer than it takes to read: no signal is applied meanwhile.
        """
        async with self._told_all:
            yield self.books, self._hub.positions.get(self.stream, 0)

    async def when(self, shows: Callable[[Books], T | None], timeout: float) -> T:
        """The first answer of `shows` that is not None: asked now, and after each batch once it is told.

        `timeout` in seconds. Raises TimeoutError, PipelineClosed, or what `shows` raises.
        """
        if (now := shows(self.books)) is not None:
            return now
        waiting: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._looking[waiting] = shows
        try:
            async with asyncio.timeout(timeout):
                return await waiting
        finally:
            del self._looking[waiting]

    def _look(self) -> None:
        for waiting, shows in self._looking.items():
            if waiting.done():
                continue
            try:
                answer = shows(self.books)
            except Exception as cause:
                waiting.set_exception(cause)  # theirs to explain; the calls of everybody else go on
            else:
                if answer is not None:
                    waiting.set_result(answer)
