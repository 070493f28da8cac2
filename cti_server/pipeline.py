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
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import structlog

from .asterisk.link import SinkFull
from .floor import events as kinds
from .floor.apply import Floor
from .floor.calls import Call, Direction
from .floor.desk_signals import AgentSeated
from .floor.events import Event
from .floor.signals import CallerIdentified, LinkChanged, QueueDescribed, Signal
from .floor.times import iso
from .lookup.callers import Callers
from .lookup.identify import Identified, Lookup
from .push import frames
from .push.frames import Frame
from .push.hub import Hub
from .record import agents, history, interactions, journal, leases, queues, restart
from .record.calls import call_of, record_of
from .record.database import Database, is_refusal

MAX_INBOX = 20_000  # signals; about 400 calls' worth. Past it SinkFull: the link takes a fresh snapshot
MAX_BATCH = 500  # signals applied before they are written; bounds the transaction, not the throughput
MAX_RETRY_S = 5.0
QUEUE_EVERY_S = 0.5  # a queue's view goes to each of its members: told more often, it is most of what is sent
POISON_TRIES = 3  # a batch whose values the database refuses so often is written call by call
WRAP_UP_KEPT = timedelta(hours=12)  # a wrap-up left open longer ago than that is not brought back

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

    def __init__(self, pbx: str, database: Database, lookup: Lookup, hub: Hub, max_inbox: int = MAX_INBOX) -> None:
        self.pbx = pbx
        self.stream = f"pbx:{pbx}"
        self.floor = Floor(pbx)
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
        self._queues: dict[str, Event] = {}  # the latest view of each queue that waits to be told
        self._queues_due = 0.0
        self._queue_timer: asyncio.TimerHandle | None = None
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
        now = time.time()
        since = datetime.now(UTC) - WRAP_UP_KEPT
        async with self._database.read() as conn:
            people = await agents.all_active(conn, self.pbx)
            described = await queues.all_queues(conn, self.pbx)
            left_open = await restart.open_interactions(conn, self.pbx)
            owed = {s.interaction_id for a in people for s in await history.unwrapped(conn, a.id, since)}
            owed -= {row.id for row in left_open}
            ended = [await history.get(conn, number) for number in sorted(owed)]
            self._hub.positions.setdefault(self.stream, (await journal.positions(conn)).get(self.stream, 0))
        for row in (*left_open, *(row for row in ended if row is not None and row.pbx == self.pbx)):
            call = call_of(row)
            self.floor.restore(call)
            self.callers.recall(call)
        for agent in people:
            self.put(AgentSeated(now, agent.id, agent.name, agent.seat))
        for queue in described:
            short = queue.short_abandon_ms / 1000
            self.put(QueueDescribed(now, queue.name, queue.title_en, queue.title_zh, short))

    async def run(self) -> None:
        """Apply, write, hand out, until stopped. Raises LeaseLost when a newer process took the PBX over."""
        while self._inbox or not self._stopping:
            await self._wake.wait()
            async with self._whole:
                events = self._apply()
                if events or self.floor.has_changed or self._late:
                    await self._write_and_tell(events)
                self._look()
            await asyncio.sleep(0)

    def stop(self) -> None:
        """Take nothing more in; `run` ends when what is in the inbox is written."""
        self._stopping = True
        self._wake.set()

    async def close(self) -> None:
        if self._queue_timer is not None:
            self._queue_timer.cancel()
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
        return self._coalesced(events)

    def _coalesced(self, events: Sequence[Event]) -> list[Event]:
        """The events, but of each queue only its latest view, and that not more often than QUEUE_EVERY_S."""
        kept: list[Event] = []
        for event in events:
            if event.kind == kinds.QUEUE_CHANGED:
                name = event.body["queue"]["queue"]
                before = self._queues.pop(name, None)
                agents = event.agents | (before.agents if before is not None else frozenset())
                self._queues[name] = replace(event, agents=agents)
            else:
                kept.append(event)
        if not self._queues:
            return kept
        now = time.monotonic()
        if now >= self._queues_due or self._stopping:
            self._queues_due = now + QUEUE_EVERY_S
            kept.extend(self._queues.values())
            self._queues.clear()
        elif self._queue_timer is None:
            loop = asyncio.get_running_loop()
            self._queue_timer = loop.call_later(self._queues_due - now, self._queues_wake)
        return kept

    def _queues_wake(self) -> None:
        self._queue_timer = None
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

    async def _write_and_tell(self, events: Sequence[Event]) -> None:
        changed = self.floor.take_changed()
        self.writing_since = time.monotonic()
        tries, singly = 0, False
        while True:
            try:
                seqs = await (self._write_singly if singly else self._write)(changed, events)
                break
            except leases.LeaseLost:
                raise
            except Exception as cause:
                tries += 1
                singly = tries >= POISON_TRIES and is_refusal(cause)
                self.counts.retries += 1
                self._log.error("record.not_written", cause=f"{type(cause).__name__}: {cause}", tries=tries)
                await asyncio.sleep(min(MAX_RETRY_S, 0.2 * 2 ** min(tries, 10)))
        self._late.clear()
        self.writing_since = None
        self.counts.events += len(events)
        self._hub.publish(self._frame(event, seq) for event, seq in zip(events, seqs, strict=True))
        for event in events:
            if event.kind in (kinds.CALL_ENDED, kinds.CALL_WRAPPED) and event.call not in self.floor.calls:
                self._forget(event)

    async def _write(self, changed: Sequence[Call], events: Sequence[Event]) -> range:
        assert self._lease is not None
        async with self._database.begin() as conn:
            await leases.fence(conn, self._lease)
            rows = [record_of(call) for call in changed if call.merged_into is None]
            ids = await interactions.save_calls(conn, rows)
            self._number(changed, ids, events)
            for late in self._late:
                await interactions.identify(conn, (self.pbx, self.floor.boot, late.linkedid or late.leg), late)
            return await journal.append(conn, self.stream, [_entry(event) for event in events])

    async def _write_singly(self, changed: Sequence[Call], events: Sequence[Event]) -> range:
        """The database refuses the batch for what is in it: find the call, and keep that one in the log."""
        for call in changed:
            try:
                await self._write([call], ())
            except Exception as cause:
                if not is_refusal(cause):
                    raise  # it is away by now: all of it is tried again, and writing twice changes nothing
                self.counts.refused += 1
                self._log.error("call.not_written", cause=str(cause), call=json.dumps(call.view()))
        return await self._write((), events)

    def _number(
        self, changed: Sequence[Call], ids: dict[interactions.CallKey, int], events: Sequence[Event]
    ) -> None:
        """Views that were made before their call had a row get its number."""
        numbers = {}
        for call in changed:
            number = ids.get((call.pbx, call.boot, call.linkedid))
            if number is not None:
                self.floor.stored(call, number)
                numbers[call.id] = number
        for event in events:
            if event.call in numbers:
                event.body["call"]["interaction"] = numbers[event.call]

    def _frame(self, event: Event, seq: int) -> Frame:
        body = self.with_card(event.kind, event.body)
        text = frames.event(self.stream, seq, iso(event.at) or "", event.kind, body)
        return Frame(self.stream, seq, text, event.agents, event.everyone)

    def with_card(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        """The body as a desktop gets it: the card travels with the event, and is not kept in the journal."""
        if kind not in WITH_CARD:
            return body
        call = self.floor.calls.get(body["call"]["call"])
        return {**body, "card": self.callers.card(call) if call is not None else None}

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


def _entry(event: Event) -> journal.NewEntry:
    audience = {"agents": sorted(event.agents), "everyone": event.everyone}
    return journal.NewEntry(datetime.fromtimestamp(event.at, UTC), event.kind, event.body, audience)


def frame_of(entry: journal.Entry, body: dict[str, Any]) -> Frame:
    """A journal row as the frame it was sent in."""
    audience = entry.audience or {"agents": [], "everyone": True}
    at = entry.at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    text = frames.event(entry.stream, entry.seq, at, entry.kind, body)
    return Frame(entry.stream, entry.seq, text, frozenset(audience["agents"]), audience["everyone"])


async def missed(database: Database, stream: str, seq: int) -> AsyncIterator[journal.Entry]:
    """What the journal has after `seq`, in order. Raises journal.PositionGone."""
    async with database.read() as conn:
        while entries := await journal.read_after(conn, stream, seq):
            for entry in entries:
                yield entry
            seq = entries[-1].seq
