"""Between floor and record: brings the floor back at a start, and writes what a batch changed."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from .floor import events as kinds
from .floor.agents import Agent, Because, By
from .floor.books import Books
from .floor.calls import Call
from .floor.descriptions import Description, WrapUpRule
from .floor.desk_signals import AgentSeated, ShiftRestored
from .floor.events import About, Event
from .floor.signals import CallerIdentified, QueueDescribed, Signal
from .record import journal, whole_floors
from .record.calls import call_of, record_of
from .record.center import agent_queues, agent_states, agents, phones, queues, shifts
from .record.center.agent_states import AgentStateRow
from .record.center.queues import Queue
from .record.center.shifts import Shift
from .record.contacts import history, interactions, restart
from .record.engines import Connection
from .record.journal import Entry

WRAP_UP_KEPT = timedelta(hours=12)  # an older unfinished wrap-up is not brought back to the floor


@dataclass(frozen=True, slots=True)
class Batch:
    """What is written in one transaction. `shifts` has those that changed; for one that ended, the agent's id.

    `late` has the answers of lookups for calls that are not on the floor. `whole` is the floor as of the last
    event, where it is to be kept.
    """

    calls: Sequence[Call] = ()
    events: Sequence[Event] = ()
    late: Sequence[CallerIdentified] = ()
    shifts: Sequence[Shift | int] = ()
    states: Sequence[AgentStateRow] = ()
    whole: Mapping[str, Any] | None = None

    def then(self, later: Batch) -> Batch:
        """Both as one. A call is written once, as it is by then; of two shifts of an agent the later counts. Only
        the later may have a `whole`."""
        assert self.whole is None
        calls = {call.id: call for call in (*self.calls, *later.calls)}
        shifts = {_agent_of(shift): shift for shift in (*self.shifts, *later.shifts)}
        return Batch(
            list(calls.values()),
            [*self.events, *later.events],
            [*self.late, *later.late],
            list(shifts.values()),
            [*self.states, *later.states],
            later.whole,
        )


def _agent_of(shift: Shift | int) -> int:
    return shift if isinstance(shift, int) else shift.agent_id


async def recall_calls(conn: Connection, pbx: str) -> list[Call]:
    """The calls that were on the floor when the last process stopped: those that went on, and those that an agent
    still wrapped up."""
    since = datetime.now(UTC) - WRAP_UP_KEPT
    left_open = await restart.open_interactions(conn, pbx)
    people = await agents.all_active(conn)
    unwrapped = {s.interaction_id for a in people for s in await history.unwrapped(conn, a.id, since)}
    unwrapped -= {row.id for row in left_open}  # what is left of them was written by an older version
    ended = [await history.get(conn, number) for number in sorted(unwrapped)]
    return [call_of(row) for row in (*left_open, *ended) if row is not None and row.pbx == pbx]


async def recall_people(conn: Connection, pbx: str) -> list[Signal]:
    """The first signals of a floor: the agents and their phones, the queues, and the open shifts."""
    now = time.time()
    signals = await people_and_queues(conn, pbx)
    return signals + [await _restored(conn, now, shift) for shift in await shifts.all_open(conn, pbx)]


async def people_and_queues(conn: Connection, pbx: str, books: Books | None = None) -> list[Signal]:
    """The agents with their phones and the queues, as signals, from the record as it is now.

    People without a PBX of their own (supervisors) are on every floor, because they may sit down anywhere. With
    `books`, also what follows for those whom the floor knows and the record does not, or not any more.
    """
    now = time.time()
    signals: list[Signal] = [
        AgentSeated(
            now, agent.id, agent.name, agent.seat if agent.pbx == pbx else None, agent.extension, agent.role
        )
        for agent in await agents.all_active(conn)
        if agent.pbx in (pbx, None)
    ]
    signals += [described(now, queue) for queue in await queues.all_queues(conn, pbx)]
    return signals + (await _unrecorded(conn, now, signals, books) if books is not None else [])


async def _unrecorded(conn: Connection, now: float, recorded: Sequence[Signal], books: Books) -> list[Signal]:
    """For queues that the record does not name, its policy; for people who may not sign in any more, no phone."""
    named = {_key(signal) for signal in recorded}
    policy = described(now, await queues.policy(conn)).description
    # Whether a code is required is asked of the record, queue by queue.
    plain = replace(policy, title_en=None, title_zh=None, wrap_up=replace(policy.wrap_up, code_required=False))
    return [QueueDescribed(now, name, plain) for name in books.queues if (QueueDescribed, name) not in named] + [
        AgentSeated(now, agent.id, agent.name, None, agent.extension, agent.role)
        for agent in books.agents.values()
        if agent.home is not None and agent.shift is None and (AgentSeated, agent.id) not in named
    ]


def described(at: float, queue: Queue) -> QueueDescribed:
    """The record's queue as a signal at `at` (epoch seconds)."""
    wrap_up = WrapUpRule(
        queue.wrap_up_mode, queue.wrap_up_ms / 1000, queue.wrap_up_extensions, queue.wrap_up_code_required
    )
    description = Description(queue.title_en, queue.title_zh, queue.short_abandon_ms / 1000, wrap_up)
    return QueueDescribed(at, queue.name, description)


async def _restored(conn: Connection, now: float, shift: Shift) -> ShiftRestored:
    phone = await phones.find(conn, shift.pbx, shift.seat)
    last = await agent_states.last(conn, shift.agent_id)
    return ShiftRestored(
        now,
        shift.agent_id,
        shift.seat,
        phone.extension if phone is not None else None,
        phone.kind if phone is not None else "other",
        tuple(await agent_queues.queues_of(conn, shift.agent_id, shift.pbx)),
        since=shift.since.timestamp(),
        ready=shift.state == "ready",
        reason=shift.reason,
        by=By(shift.by_kind or "system", shift.by_name),
        because=Because(**shift.because) if shift.because else Because("chosen"),
        chosen_at=shift.state_since.timestamp(),
        added=tuple(shift.added or ()),
        was=(last.name, last.reason, last.at.timestamp()) if last is not None else None,
    )


def shift_of(agent: Agent, pbx: str) -> Shift | int:
    """The agent's shift as the record keeps it; the agent's id when the shift has ended."""
    shift = agent.shift
    if shift is None or agent.seat is None:
        return agent.id
    wish = shift.wish
    return Shift(
        agent_id=agent.id,
        seat=agent.seat,
        pbx=pbx,
        since=_moment(shift.since),
        state=wish.name,
        state_since=_moment(wish.at),
        reason=wish.reason,
        by_kind=wish.by.kind,
        by_name=wish.by.name,
        because=wish.because.view(),
        added=sorted(shift.added) or None,
    )


class InRecord:
    """The last signal about each person and queue in the record, so that only changes go to the floor again."""

    def __init__(self) -> None:
        self._last: dict[tuple[type[Signal], int | str], Signal] = {}

    def differing(self, signals: Iterable[Signal]) -> list[Signal]:
        """The signals that differ from the kept ones in more than their time. `keep` each once it is put."""
        return [s for s in signals if (kept := self._last.get(_key(s))) is None or replace(kept, at=s.at) != s]

    def keep(self, signal: Signal) -> None:
        """Remember a signal that the floor has been given."""
        self._last[_key(signal)] = signal


def _key(signal: Signal) -> tuple[type[Signal], int | str]:
    match signal:
        case QueueDescribed():
            return QueueDescribed, signal.queue
        case AgentSeated() | ShiftRestored():
            return type(signal), signal.agent
    raise TypeError(f"the record says no {type(signal).__name__}")


class StateLog:
    """Picks the changes of agents' states to write: those of agents at work, without repeats of the same state."""

    def __init__(self) -> None:
        self._last: dict[int, tuple[str, str | None]] = {}
        self._before: dict[int, tuple[str, str | None]] = {}  # a restart: of those who are not back at work yet

    def go_on(self, signals: Iterable[Signal]) -> None:
        """These shifts go on: of a state that is written already no second row is."""
        for signal in signals:
            if isinstance(signal, ShiftRestored) and signal.was is not None:
                self._before[signal.agent] = signal.was[:2]

    def rows(self, events: Iterable[Event]) -> list[AgentStateRow]:
        found = []
        for event in events:
            if event.kind != kinds.ME_CHANGED:
                continue
            agent, state = event.body["agent"], event.body["state"]
            now = (state["name"], state["reason"])
            if state["on_shift"] and self._before.pop(agent, None) == now:
                self._last[agent] = now
            if self._last.get(agent) == now or not (state["on_shift"] or agent in self._last):
                continue
            self._last[agent] = now
            by = state["by"] or {"kind": None, "name": None}
            found.append(
                AgentStateRow(
                    agent_id=agent,
                    name=state["name"],
                    reason=state["reason"],
                    at=_moment(event.at),
                    by_kind=by["kind"],
                    by_name=by["name"],
                    because=state["because"],
                )
            )
            if not state["on_shift"]:
                del self._last[agent]
        return found


async def write(
    conn: Connection, stream: str, key: tuple[str, int], batch: Batch
) -> tuple[dict[interactions.CallKey, int], list[Entry]]:
    """Write a batch in the caller's transaction. Returns the interaction id of each call, and the journal's rows.

    `key` is the PBX and its boot, for late answers of lookups.
    """
    rows = [record_of(call) for call in batch.calls if call.merged_into is None]
    ids = await interactions.save_calls(conn, rows)
    for late in batch.late:
        await interactions.identify(conn, (*key, late.linkedid or late.leg), late)
    for shift in batch.shifts:
        if isinstance(shift, int):
            await shifts.end(conn, shift)
        else:
            await shifts.save(conn, shift)
    await agent_states.append(conn, batch.states)
    _number(batch, ids)
    new = [_entry(event) for event in batch.events]
    seqs = await journal.append(conn, stream, new)
    if batch.whole is not None:
        await whole_floors.keep(conn, stream, seqs[-1], new[-1].at, batch.whole)
    return ids, [journal.entry(stream, seq, row) for seq, row in zip(seqs, new, strict=True)]


def ahead(stream: str, batch: Batch, after: int) -> list[Entry]:
    """The journal's rows of this batch as they will be when it is written: the owner of a PBX alone writes its
    stream, so their numbers follow `after`."""
    return [journal.entry(stream, seq, _entry(event)) for seq, event in enumerate(batch.events, after + 1)]


def _number(batch: Batch, ids: dict[interactions.CallKey, int]) -> None:
    """Put the interaction's id into views that were made before their call had a row."""
    numbers = {call.id: ids.get((call.pbx, call.boot, call.linkedid)) for call in batch.calls}
    for event in batch.events:
        if event.call is not None and (number := numbers.get(event.call)) is not None:
            view = event.body["view"] if event.kind == kinds.PART_CHANGED else event.body["call"]
            if isinstance(view, dict):
                view["interaction"] = number
    for told in batch.whole["calls"] if batch.whole is not None else ():
        if (number := numbers.get(told["call"]["call"])) is not None:
            told["call"]["interaction"] = number


def audience_of(event: Event) -> dict[str, Any]:
    """The audience of an event, as the journal keeps it."""
    return {
        "agents": sorted(event.agents),
        "topics": sorted(event.topics),
        "everyone": event.everyone,
        "supervisors": False,
        **({"about": _about(event.about)} if event.about is not None else {}),
    }


def _about(about: About) -> dict[str, list[Any]]:
    return {"agents": sorted(about.agents), "queues": sorted(about.queues)}


def _entry(event: Event) -> journal.NewEntry:
    return journal.NewEntry(_moment(event.at), event.kind, event.body, audience_of(event))


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
