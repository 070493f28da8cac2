"""The page to read first: inbox → floor → record and journal → hub.

    Link ───────┐                        one transaction
    FastAGI ────┼▶ inbox ▶ floor.apply ▶ [interactions + journal] ▶ hub ▶ desktops
    desks ──────┘  (bounded)   (pure)

One task for each PBX takes what waits in the inbox, applies it in order, writes what changed and what happened
in one transaction, and hands out what was written. Nothing reaches a desktop that the journal does not have,
and nothing waits for a desktop. When the database is away the batch in hand is tried until it is written; the
inbox fills meanwhile, and past its bound the link starts over with a snapshot instead of losing a part.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog

from . import memory
from .asterisk.link import SinkFull
from .floor import events as kinds
from .floor.apply import Floor
from .floor.calls import Call, Direction
from .floor.desk_signals import DesktopSeen, Tick
from .floor.events import Event
from .floor.orders import Order
from .floor.signals import CallerIdentified, LinkChanged, Signal
from .floor.times import iso
from .lookup.callers import Callers
from .lookup.identify import Identified, Lookup
from .memory import Batch
from .push import frames
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

WITH_CARD = frozenset({kinds.CALL_OFFERED, kinds.CALL_IDENTIFIED, kinds.CALL_ANSWERED})
WANTS_CALLER = frozenset({kinds.CALL_QUEUED, kinds.CALL_OFFERED})

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
    """One PBX from its signals to the desktops."""

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
        self.counts = Counts()
        self.writing_since: float | None = None
        self._database = database
        self._hub = hub
        self._lease: leases.Lease | None = None
        self._inbox: deque[Signal] = deque()
        self._max_inbox = max_inbox
        self._wake = asyncio.Event()
        self._whole = asyncio.Lock()  # held while floor and journal differ
        self._stopping = False
        self._pace = Paced(self.floor.team_member)
        self._pace_timer: asyncio.TimerHandle | None = None
        self._states = memory.StateLog()
        self._on_orders = on_orders
        # What the colleague who gives the call away says of it, for the one it rings at.
        self.handover: Callable[[str, int], Mapping[str, Any] | None] = lambda call, agent: None
        self._late: list[CallerIdentified] = []  # of calls that are not on the floor: not begun, or over already
        self._looking: dict[asyncio.Future[Any], Callable[[Floor], Any]] = {}  # who waits for what to show
        self._log = log.bind(pbx=pbx)

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

    # --- the life of it --------------------------------------------------------------------------------

    async def restore(self, lease: leases.Lease) -> None:
        """Begin where the last process stopped: who sits where, the calls left open, wrap-ups not finished."""
        self._lease = lease
        async with self._database.read() as conn:
            calls = await memory.recall_calls(conn, self.pbx)
            told = await memory.recall_people(conn, self.pbx)
            self._hub.positions.setdefault(self.stream, (await journal.positions(conn)).get(self.stream, 0))
        for call in calls:
            self.floor.restore(call)
            self.callers.recall(call)
        for signal in told:
            self.put(signal)
        for agent in self._hub.agents():
            self.put(DesktopSeen(time.time(), agent, connected=True))

    async def read_again(self) -> None:
        """Take in what the administrator changed in the record: people, their phones, queues."""
        async with self._database.read() as conn:
            told = await memory.known_people(conn, self.pbx)
        for signal in told:
            self.put(signal)
        there = self._hub.agents()
        for agent in list(self.floor.agents.values()):
            if (agent.desktop_gone is None) != (agent.id in there):  # told while the inbox was full
                self.put(DesktopSeen(time.time(), agent.id, agent.id in there))

    async def run(self) -> None:
        """Apply, write, hand out, until stopped. Raises LeaseLost when a newer process took the PBX over."""
        while self._inbox or not self._stopping:
            await self._woken()
            async with self._whole:
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
        with suppress(TimeoutError):
            async with asyncio.timeout(None if due is None else max(0.0, due - time.time())):
                await self._wake.wait()
        if due is not None and due <= (now := time.time()):
            self._inbox.append(Tick(now))

    def stop(self) -> None:
        """Take nothing more in; `run` ends when what is in the inbox is written."""
        self._stopping = True
        self._wake.set()

    async def close(self) -> None:
        if self._pace_timer is not None:
            self._pace_timer.cancel()
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
            if isinstance(signal, CallerIdentified) and signal.leg in self.floor.early:
                self._late.append(signal)
        if not self._inbox and not self._stopping:
            self._wake.clear()
        for event in events:
            self._look_up(event)
        return self._paced(events)

    def _paced(self, events: Sequence[Event]) -> list[Event]:
        """The events that go out now; the rest is told with a later batch, or by the timer."""
        kept = self._pace.take(events, at_once=self._stopping)
        if (wait := self._pace.due_in_s) is not None and self._pace_timer is None:
            self._pace_timer = asyncio.get_running_loop().call_later(wait, self._pace_wake)
        return kept

    def _pace_wake(self) -> None:
        self._pace_timer = None
        self._wake.set()

    def _look_up(self, event: Event) -> None:
        call = self.floor.calls.get(event.call) if event.call is not None else None
        if call is None or call.match != "pending":
            return
        if event.kind in WANTS_CALLER or call.direction is Direction.OUTBOUND:
            self.callers.want(call, soon=True)
        elif event.kind == kinds.CALL_STARTED and call.direction is Direction.INBOUND:
            self.callers.want(call, soon=False)

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
        for event in batch.events:
            if event.kind in (kinds.CALL_ENDED, kinds.CALL_WRAPPED) and event.call not in self.floor.calls:
                self._forget(event)

    async def _write(self, batch: Batch) -> range:
        assert self._lease is not None
        async with self._database.begin() as conn:
            await leases.fence(conn, self._lease)
            ids, seqs = await memory.write(conn, self.stream, (self.pbx, self.floor.boot), batch)
        for call in batch.calls:
            if (number := ids.get((call.pbx, call.boot, call.linkedid))) is not None:
                self.floor.stored(call, number)
        return seqs

    async def _write_singly(self, batch: Batch) -> range:
        """The database refuses the batch for what is in it: find that part, and keep it in the log."""
        parts = [Batch([call]) for call in batch.calls]
        parts += [Batch(shifts=[shift]) for shift in batch.shifts]
        parts += [Batch(states=[state]) for state in batch.states]
        for part in parts:
            try:
                await self._write(part)
            except Exception as cause:
                if not is_refusal(cause):
                    raise  # it is away by now: all of it is tried again, and writing twice changes nothing
                self.counts.refused += 1
                what: list[Any] = [call.view() for call in part.calls] or [*part.shifts, *part.states]
                self._log.error("part.not_written", cause=str(cause), part=json.dumps(what, default=str))
        return await self._write(Batch(events=batch.events, late=batch.late))

    def _frame(self, event: Event, seq: int) -> Frame:
        body = self.with_card(event.kind, event.body)
        text = frames.event(self.stream, seq, iso(event.at) or "", event.kind, body)
        return Frame(self.stream, seq, text, event.agents, event.everyone)

    def with_card(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        """The body as a desktop gets it: the card travels with the event, and is not kept in the journal."""
        if kind not in WITH_CARD:
            return body
        call = self.floor.calls.get(body["call"]["call"])
        made = {**body, "card": self.callers.card(call) if call is not None else None}
        if kind == kinds.CALL_OFFERED and body["agent"] is not None:
            made["handover"] = self.handover(body["call"]["call"], body["agent"])
        return made

    def _forget(self, event: Event) -> None:
        legs = event.body["call"]["call"].split(":", 2)[2]
        self.callers.forget(Call(self.pbx, 0, legs, 0.0))

    # --- what others ask -------------------------------------------------------------------------------

    async def snapshot(self) -> tuple[dict[str, Any], int]:
        """The floor and the position of the last event in it, which belong together."""
        async with self._whole:
            return self.floor.snapshot(), self._hub.positions.get(self.stream, 0)

    async def when(self, seen: Callable[[Floor], T | None], timeout: float) -> T:
        """The first answer of `seen` that is not None: asked now, and after each batch once it is told.

        `timeout` in seconds. Raises TimeoutError, PipelineClosed, or what `seen` raises.
        """
        if (now := seen(self.floor)) is not None:
            return now
        waiting: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._looking[waiting] = seen
        try:
            async with asyncio.timeout(timeout):
                return await waiting
        finally:
            del self._looking[waiting]

    def _look(self) -> None:
        for waiting, seen in self._looking.items():
            if waiting.done():
                continue
            try:
                answer = seen(self.floor)
            except Exception as cause:
                waiting.set_exception(cause)  # theirs to explain; the calls of everybody else go on
            else:
                if answer is not None:
                    waiting.set_result(answer)

    def identified(self, leg: str, identified: Identified) -> None:
        """The FastAGI dialogue found out who is on this leg."""
        self.callers.told(leg, identified)


def frame_of(entry: journal.Entry, body: dict[str, Any]) -> Frame:
    """A journal row as the frame it was sent in."""
    audience = entry.audience or {"agents": [], "everyone": True}
    at = entry.at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    text = frames.event(entry.stream, entry.seq, at, entry.kind, body)
    floor = audience.get("floor", True)
    return Frame(entry.stream, entry.seq, text, frozenset(audience["agents"]), audience["everyone"], floor)


async def missed(database: Database, stream: str, seq: int) -> AsyncIterator[journal.Entry]:
    """What the journal has after `seq`, in order. Raises journal.PositionGone."""
    async with database.read() as conn:
        while entries := await journal.read_after(conn, stream, seq):
            for entry in entries:
                yield entry
            seq = entries[-1].seq
