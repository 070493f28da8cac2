"""What a signal costs on floors of ten to ten thousand calls, what one call hands out, and finding its readers.

A recorded queue call (41 signals of a real Asterisk) is played on floors that are made of signals. The number of
things looked at and of views built is exact; times are of this thread's processor, garbage collection on, and each
is set against the smallest floor of the same run.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cti_server.floor import topics, views
from cti_server.floor.apply import Floor
from cti_server.floor.desk_signals import WrapUpFinished
from cti_server.floor.events import Event
from cti_server.floor.replica import Replica
from cti_server.floor.signals import Signal
from cti_server.lookup.callers import Callers
from cti_server.lookup.identify import Lookup
from cti_server.lookup.shapes import Card
from cti_server.memory import audience_of
from cti_server.push import frames
from cti_server.push.cards import Cards
from cti_server.push.frames import Frame
from cti_server.push.hub import Hub
from cti_server.push.paced import QUEUES_EVERY_S, Paced
from cti_server.record import migrate
from cti_server.record.database import Database
from cti_server.rules.rights import Viewer
from tests.floor.big import PBX, big, cost_of_each, drift_check, retold, ring_all, the_call
from tests.floor.replicas import replica_of
from tests.lookup.seed import LI_MOBILE, NOW, seed

from .figures import Figure, show

SIZES = [(calls, agents) for agents in (10, 100, 1000) for calls in (10, 100, 1000, 10_000)]
ROUNDS = 5
CALLS = 20  # in each round
GOAL_RATIO, GOAL_CALL_MS, GOAL_BYTES, GOAL_HUB_US, GOAL_DRIFT_MS = 1.5, 1.5, 500_000, 20.0, 30.0
STREAM = f"pbx:{PBX}"


async def run() -> None:
    _signals()
    await asyncio.sleep(0)
    _checks()
    await _bytes()
    _hub()


# --- a signal ------------------------------------------------------------------------------------------------


def _signals() -> None:
    floors = {size: big(*size) for size in SIZES}
    played = iter(range(1, 10_000))
    for floor in floors.values():
        _play(floor, [retold(the_call(), next(played))])  # what the first call finds new, the next do not
    costs = {size: _cost(floor, next(played)) for size, floor in floors.items()}
    best: dict[tuple[int, int], float] = dict.fromkeys(SIZES, float("inf"))
    gc.collect()
    for _ in range(ROUNDS):
        for size, floor in floors.items():
            told = [retold(the_call(), next(played)) for _ in range(CALLS)]
            best[size] = min(best[size], _play(floor, told))
    smallest = best[SIZES[0]]
    figures = []
    for (calls, agents), seconds in best.items():
        things, compared, built = costs[calls, agents]
        figures.append(
            Figure(
                f"{calls:>6,} calls, {agents:>5,} agents",
                f"{things} looked at, {compared} compared, {built} views; {seconds * 1e6:.1f} µs a signal "
                f"= {seconds / smallest:.2f} x the smallest",
            )
        )
    largest = best[SIZES[-1]] / smallest
    a_call = best[1000, 1000] * len(the_call()) * 1e3
    figures += [
        Figure(
            "counts, over all sizes",
            "the same" if len(set(costs.values())) == 1 else "differ",
            "the same",
            len(set(costs.values())) == 1,
        ),
        Figure("time a signal, largest : smallest", f"{largest:.2f}", f"{GOAL_RATIO:g}", largest <= GOAL_RATIO),
        Figure(
            "the call's 41 signals, 1,000 calls and agents",
            f"{a_call:.2f} ms",
            f"{GOAL_CALL_MS:g} ms",
            a_call <= GOAL_CALL_MS,
        ),
    ]
    show(f"floor: one queue call's signals; best of {ROUNDS} interleaved rounds of {CALLS} calls", figures)


def _play(floor: Floor, calls: Sequence[Sequence[Signal]]) -> float:
    """Seconds of processor time for each signal; the agent's wrap-up is finished beside it."""
    spent = 0.0
    for signals in calls:
        begun = time.thread_time()
        for signal in signals:
            floor.apply(signal)
        floor.take_changed(), floor.take_orders(), floor.take_shifts()
        spent += time.thread_time() - begun
        for call, _ in floor.books.parts_of(1):
            floor.apply(WrapUpFinished(signals[-1].at + 1, call.id, 1))
    return spent / sum(map(len, calls))


def _cost(floor: Floor, number: int) -> tuple[int, int, int]:
    """Of the whole call: things looked at (each once a signal), compared, viewed."""
    costs = cost_of_each(floor, retold(the_call(), number))
    for call, _ in floor.books.parts_of(1):
        floor.apply(WrapUpFinished(floor.books.clock + 1, call.id, 1))
    return sum(c[1] for c in costs), sum(c[2] for c in costs), sum(c[3] for c in costs)


# --- a check, a desktop --------------------------------------------------------------------------------------


def _checks() -> None:
    waiting = big(5000, 10)
    check = drift_check(waiting)
    waiting.apply(check)
    drift = _best(lambda: waiting.apply(check)) * 1e3
    crowded = big(1000, 1000)
    replica = replica_of(crowded.books)
    desk = _best(lambda: replica.desk_of(2)) * 1e6
    show(
        "floor: what is asked now and then",
        [
            Figure(
                "drift check, 5,000 waiting calls",
                f"{drift:.1f} ms",
                f"{GOAL_DRIFT_MS:g} ms",
                drift <= GOAL_DRIFT_MS,
            ),
            Figure("a desktop's first snapshot, 1,000 calls and agents", f"{desk:.0f} µs"),
        ],
    )


def _best(work: Any) -> float:
    taken = []
    for _ in range(ROUNDS):
        begun = time.thread_time()
        work()
        taken.append(time.thread_time() - begun)
    return min(taken)


# --- what one call hands out ---------------------------------------------------------------------------------


async def _bytes() -> None:
    """Fifty phones ring for one caller, with a real customer's card; a supervisor shows floor, team and queue."""
    with tempfile.TemporaryDirectory(prefix="cti-bench-") as folder:
        url = f"sqlite+aiosqlite:///{Path(folder) / 'floor.db'}"
        await migrate.upgrade(url)
        async with Database(url) as database:
            await seed(database)
            lookup = Lookup(database, now=lambda: NOW)
            floor = big(10, 60)
            callers = Callers(PBX, lookup, lambda signal: None)
            callers.identified_by_dialplan("all-1.1", await lookup.identify(PBX, LI_MOBILE, None, "85550000"))
            await asyncio.gather(*callers._tasks.values())
            cards = Cards(replica := replica_of(floor.books), lookup)
            cards.attached = _Attached(floor, callers)
            handed = _hand_out(floor, replica, cards, list(ring_all(50)))
            await callers.close()
    total = sum(handed.values())
    most = ", ".join(f"{kind} {size / 1000:.0f}" for kind, size in handed.most_common(4))
    show(
        "floor: bytes handed out for one call that rings fifty phones, cards included",
        [
            Figure(
                "to the agents and one supervisor, kB",
                f"{total / 1000:.0f}",
                f"{GOAL_BYTES / 1000:.0f}",
                total <= GOAL_BYTES,
            ),
            Figure("most of it, kB", most),
        ],
    )


class _Attached:
    """The cards of this floor's calls, as the process has them that is attached to the PBX."""

    def __init__(self, floor: Floor, callers: Callers) -> None:
        self._floor = floor
        self._callers = callers

    def of_call(self, call: str) -> Card | None:
        found = self._floor.calls.get(call)
        return self._callers.card(found) if found is not None else None

    async def fresh_of_call(self, call: str) -> Card | None:
        return self.of_call(call)


def _hand_out(floor: Floor, replica: Replica, cards: Cards, signals: Sequence[Signal]) -> Counter[str]:
    """Bytes by kind of event: each frame as often as there are desktops that get it."""
    hub = Hub(limit=100_000)
    for number in floor.agents:
        hub.subscribe(Viewer(number), {PBX: replica.serves(number)})
    supervisor, _ = hub.subscribe(Viewer(999_999, "supervisor"))
    for topic in (topics.FLOOR, topics.TEAM, topics.queue(PBX, "support")):
        hub.open(supervisor, STREAM, topic)
    paced = Paced(lambda agent: views.member_of_team(views.agent_view(floor.books, floor.books.agents[agent])))
    handed: Counter[str] = Counter()
    told_at = signals[0].at
    for number, signal in enumerate(signals):
        events = floor.apply(signal)
        # Time does not pass while this runs: what is paced goes out as often as the signals' own stamps say.
        due = signal.at - told_at >= QUEUES_EVERY_S or number == len(signals) - 1
        told_at = signal.at if due else told_at
        for event in paced.take(events, at_once=due):
            replica.take(event.kind, event.body, event.about)
            frame = _frame(event, number, cards)
            readers = set(hub._readers(frame))
            handed[event.kind] += len(frame.text.encode()) * len(readers)
    return handed


def _frame(event: Event, number: int, cards: Cards) -> Frame:
    body = cards.with_card(event.kind, event.body)
    return frames.of_event(STREAM, number, "2026-11-22T05:00:00.000Z", event.kind, body, audience_of(event))


# --- the hub -------------------------------------------------------------------------------------------------


def _hub() -> None:
    hub = Hub()
    desktops = [hub.subscribe(Viewer(number), {PBX: ("support",)})[0] for number in range(10_000)]
    spent = []
    for number in range(1000):
        frame = Frame(STREAM, number, "x" * 800, frozenset({number * 7 % 10_000}), supervisors=False)
        begun = time.perf_counter()
        hub.publish([frame])
        spent.append(time.perf_counter() - begun)
    assert sum(len(desktop._waiting) for desktop in desktops) == 1000
    median = statistics.median(spent) * 1e6
    show(
        "floor: the hub",
        [
            Figure(
                "one frame to one of 10,000 desktops",
                f"{median:.1f} µs",
                f"{GOAL_HUB_US:g} µs",
                median <= GOAL_HUB_US,
            )
        ],
    )
