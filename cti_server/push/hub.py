"""The hub hands each frame to the desktops that it concerns, and never waits for any of them.

It looks the readers of a frame up by agent, by topic and by right: the cost of a frame grows with its readers, not
with the desktops that are connected.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Set
from typing import Any, TypeVar

from cti_server.floor import topics
from cti_server.record.journal import stream_of
from cti_server.rules.rights import Viewer

from . import frames
from .frames import MAX_OPEN, Frame, Note, Positions

MAX_WAITING = 1000  # frames that may wait for a desktop; beyond it the desktop is closed with 4408 and resumes

SLICE = 100  # desktops that are handed a frame in one turn of the loop: about two milliseconds

Topic = tuple[str, str]  # stream and name: a topic is opened for each stream that it draws on
Key = TypeVar("Key")


Sink = Callable[[Frame | Note], bool]
"""Sends a frame in this moment; False where the desktop cannot take it now."""


class Subscriber:
    """One desktop's line of frames. A desktop that lags too far is `overrun`, and gets no more frames."""

    __slots__ = ("_limit", "_pump", "_sink", "_waiting", "_wake", "open", "overrun", "signed_out", "viewer")

    def __init__(self, viewer: Viewer, limit: int, pump: Pump) -> None:
        self.viewer = viewer
        self.overrun = False
        self.signed_out = False
        self.open: dict[Topic, None] = {}
        self._limit = limit
        self._pump = pump
        self._sink: Sink | None = None  # there while the session waits for a frame
        self._waiting: deque[Frame | Note] = deque()
        self._wake = asyncio.Event()

    def put(self, frame: Frame | Note) -> None:
        """Add a frame to the line; never waits. On a full line the subscriber is overrun, and its line emptied."""
        if self.overrun:
            return
        if len(self._waiting) >= self._limit:
            self.overran()
            return
        self._waiting.append(frame)
        if self._sink is None:
            self._wake.set()
        elif len(self._waiting) == 1:  # else it is handed out, or its session is woken up, already
            self._pump.hand_out(self)

    def hand_out(self) -> None:
        """Send what waits, as far as the desktop takes it at once; the rest wakes the session up."""
        while self._waiting:
            if self._sink is None or not self._sink(self._waiting[0]):
                self._wake.set()
                return
            self._waiting.popleft()

    def overran(self) -> None:
        """It missed something: it gets no more frames, is closed at once, and connects again."""
        self.overrun = True
        self._waiting.clear()
        self._wake.set()

    def sign_out(self) -> None:
        self.signed_out = True
        self._wake.set()

    async def take(self, timeout: float, sink: Sink | None = None) -> list[Frame | Note]:
        """The waiting frames, in order; empty when none came within `timeout` seconds, or all that came went to
        the `sink`.

        Look at `overrun` and `signed_out` after each call: both wake it up.
        """
        if not self._waiting and not self.overrun and not self.signed_out:
            self._sink = sink
            try:
                async with asyncio.timeout(timeout):
                    await self._wake.wait()
            except TimeoutError:
                return []
            finally:
                self._sink = None
        self._wake.clear()
        waiting = list(self._waiting)
        self._waiting.clear()
        return waiting


class Pump:
    """Hands frames to sessions that wait for them. To wake a task for each costs ten times what sending costs; but
    a frame for thousands goes out a slice at a time, so that calls do not wait for it."""

    def __init__(self) -> None:
        self._due: deque[Subscriber] = deque()
        self._left = SLICE
        self._turn: asyncio.Handle | None = None

    def hand_out(self, subscriber: Subscriber) -> None:
        self._turn = self._turn or asyncio.get_running_loop().call_soon(self._next)
        if self._left and not self._due:
            self._left -= 1
            subscriber.hand_out()
        else:
            self._due.append(subscriber)

    def _next(self) -> None:
        self._turn, self._left = None, SLICE
        for _ in range(min(SLICE, len(self._due))):
            self._due.popleft().hand_out()
        if self._due:
            self._turn = asyncio.get_running_loop().call_soon(self._next)


class Hub:
    """All desktops of this process. `positions` has the number of the last event handed out, by stream."""

    def __init__(self, limit: int = MAX_WAITING) -> None:
        self._limit = limit
        self._pump = Pump()
        # Called when an agent's first desktop connects, and when their last one is gone.
        self.presence: Callable[[int, bool], None] = lambda agent, connected: None
        self.positions: Positions = {}
        self.ahead: set[str] = set()  # streams of which something was told that is not in the record yet
        self.overruns = 0
        self._lasting: Note | None = None
        self._all: set[Subscriber] = set()
        self._supervising: set[Subscriber] = set()
        self._of_teams: set[Subscriber] = set()  # of supervisors who do not supervise everybody
        self._of_agent: dict[int, set[Subscriber]] = {}
        self._of_topic: dict[Topic, set[Subscriber]] = {}
        self._serving: dict[int, set[Topic]] = {}  # the queues of each agent with a desktop

    def __len__(self) -> int:
        return len(self._all)

    # --- desktops --------------------------------------------------------------------------------------

    def subscribe(
        self, viewer: Viewer, serves: Mapping[str, Iterable[str]] | None = None
    ) -> tuple[Subscriber, Callable[[], None]]:
        """Add a desktop, which gets frames from now on. Returns it, and the function that removes it again.

        `serves` has the queues that the viewer serves at this moment, by PBX.
        """
        subscriber = Subscriber(viewer, self._limit, self._pump)
        agent = viewer.agent
        first = agent not in self._of_agent
        self._all.add(subscriber)
        _add(self._of_agent, agent, subscriber)
        if viewer.supervises:
            self._supervising.add(subscriber)
        if viewer.oversees.agents is not None:
            self._of_teams.add(subscriber)
        for pbx, queues in (serves or {}).items():
            self._serve(agent, pbx, frozenset(queues))
        for topic in self._serving.setdefault(agent, set()):
            _add(self._of_topic, topic, subscriber)
        if self._lasting is not None:
            subscriber.put(self._lasting)
        if first:
            self.presence(agent, True)
        return subscriber, lambda: self._leave(subscriber)

    def agents(self) -> Set[int]:
        """The agents with a desktop connected."""
        return self._of_agent.keys()

    def _leave(self, subscriber: Subscriber) -> None:
        if subscriber not in self._all:
            return
        agent = subscriber.viewer.agent
        self._all.discard(subscriber)
        self._supervising.discard(subscriber)
        self._of_teams.discard(subscriber)
        for topic in (*subscriber.open, *self._serving[agent]):
            _remove(self._of_topic, topic, subscriber)
        subscriber.open.clear()
        _remove(self._of_agent, agent, subscriber)
        if agent not in self._of_agent:
            del self._serving[agent]
            self.presence(agent, False)

    def sign_out(self, agent: int) -> None:
        """Close an agent's desktops; those with another valid session connect again by themselves."""
        for subscriber in self._of_agent.get(agent, ()):
            subscriber.sign_out()

    # --- topics ----------------------------------------------------------------------------------------

    def open(self, subscriber: Subscriber, stream: str, topic: str) -> Callable[[], None]:
        """Give the subscriber this stream's events of the topic from now on. Returns the function that undoes it.

        The caller must have checked the right to it. For a subscriber that has left this does nothing.
        """
        keys = [(stream, topic)]
        if topic == topics.FLOOR and subscriber in self._of_teams:
            keys.append((stream, topics.OF_TEAMS))
        for key in keys:
            self._open(subscriber, key)

        def undo() -> None:
            for key in keys:
                self._close(subscriber, key)

        return undo

    def _open(self, subscriber: Subscriber, key: Topic) -> None:
        if subscriber in self._all and key not in subscriber.open:
            while len(subscriber.open) >= MAX_OPEN:
                _, oldest = next(iter(subscriber.open))
                self.close(subscriber, oldest)
                subscriber.put(frames.refused(oldest, "unknown"))
            subscriber.open[key] = None
            _add(self._of_topic, key, subscriber)

    def close(self, subscriber: Subscriber, topic: str) -> None:
        """Undo `open` for every stream; does nothing for a topic that is not open."""
        names = (topic, topics.OF_TEAMS) if topic == topics.FLOOR else (topic,)
        for key in [key for key in subscriber.open if key[1] in names]:
            self._close(subscriber, key)

    def _close(self, subscriber: Subscriber, key: Topic) -> None:
        if key in subscriber.open:
            del subscriber.open[key]
            _remove(self._of_topic, key, subscriber)

    def opened(self, subscriber: Subscriber, stream: str) -> set[str]:
        """The topics of this stream that the subscriber gets: those it opened, and its agent's queues."""
        keys = (*subscriber.open, *self._serving.get(subscriber.viewer.agent, ()))
        return {topic for topic_stream, topic in keys if topic_stream == stream}

    # --- handing out -----------------------------------------------------------------------------------

    def tell_all(self, note: Note) -> None:
        """Tell every desktop of this process."""
        for subscriber in self._all:
            subscriber.put(note)

    def tell_while_it_lasts(self, note: Note, *, lasts: bool) -> None:
        """Tell every desktop how things stand; while that `lasts` also each that connects."""
        self._lasting = note if lasts else None
        self.tell_all(note)

    def publish(self, published: Iterable[Frame]) -> None:
        """Hand out frames in the journal's order. Their rows are committed, or the stream is `ahead`."""
        batch = list(published)
        for frame in batch:
            # A batch has the counts of a queue before the event that says who serves it. Whoever begins to serve
            # the queue needs those counts, so they get the topic before the batch is handed out.
            if frame.serves is not None:
                self._serve_also(frame.serves.agent, _topics(frame.serves))
        for frame in batch:
            self.positions[frame.stream] = frame.seq
            for subscriber in self._readers(frame):
                was_overrun = subscriber.overrun
                subscriber.put(frame)
                self.overruns += subscriber.overrun and not was_overrun
            if frame.serves is not None:
                self._serve(frame.serves.agent, frame.serves.pbx, frame.serves.queues)
            if frame.left is not None:
                self._lose(frame.left[0], frame.stream, topics.call(frame.left[1]))

    def _readers(self, frame: Frame) -> Iterable[Subscriber]:
        if frame.everyone:
            return self._all
        found: list[Set[Subscriber]] = [self._of_agent[agent] for agent in frame.agents if agent in self._of_agent]
        found += [
            self._theirs(frame, readers) if topic in topics.BY_TEAM else readers
            for topic in frame.topics
            if (readers := self._of_topic.get((frame.stream, topic))) is not None
        ]
        if frame.supervisors:
            found.append(self._theirs(frame, self._supervising))
        return found[0] if len(found) == 1 else {subscriber for readers in found for subscriber in readers}

    def is_read(self, stream: str, audience: Mapping[str, Any] | None) -> bool:
        """Whether a desktop of this process may be told of an event with this audience."""
        if audience is None or audience["everyone"] or audience["supervisors"]:
            return bool(self._all)
        if any(agent in self._of_agent for agent in audience["agents"]):
            return True
        return any((stream, topic) in self._of_topic for topic in audience["topics"])

    def overrun_all(self) -> None:
        """This process missed events: its desktops connect again, and start over."""
        for subscriber in self._all:
            subscriber.overran()

    def _theirs(self, frame: Frame, readers: Set[Subscriber]) -> Set[Subscriber]:
        """Of those who are told by their role, the ones whose teams it is about."""
        if frame.about is None or not self._of_teams:
            return readers
        return {reader for reader in readers if reader not in self._of_teams or frame.is_of(reader.viewer)}

    # --- rights that come and go -----------------------------------------------------------------------

    def _serve_also(self, agent: int, gained: set[Topic]) -> None:
        if agent in self._of_agent:
            serving = self._serving.setdefault(agent, set())
            for topic in gained - serving:
                serving.add(topic)
                for subscriber in self._of_agent[agent]:
                    _add(self._of_topic, topic, subscriber)

    def _serve(self, agent: int, pbx: str, queues: frozenset[str]) -> None:
        """The agent serves exactly these queues of the PBX from now on. A queue that they watched and do not serve
        any more is closed.
        """
        if agent not in self._of_agent:
            return
        stream = stream_of(pbx)
        now = {(stream, topic) for topic in frames.serving(pbx, queues)}
        self._serve_also(agent, now)
        for key in {key for key in self._serving[agent] if key[0] == stream} - now:
            self._serving[agent].discard(key)
            for subscriber in self._of_agent[agent]:
                _remove(self._of_topic, key, subscriber)
        allowed = {topics.queue(pbx, name) for name in queues}
        for subscriber in self._of_agent[agent]:
            for topic_stream, topic in list(subscriber.open):
                if topic_stream == stream and topic.startswith("queue:") and topic not in allowed:
                    self._revoke(subscriber, topic_stream, topic)

    def _lose(self, agent: int, stream: str, topic: str) -> None:
        for subscriber in self._of_agent.get(agent, ()):
            if (stream, topic) in subscriber.open:
                self._revoke(subscriber, stream, topic)

    def _revoke(self, subscriber: Subscriber, stream: str, topic: str) -> None:
        if not _sees_by_role(subscriber.viewer, topic):
            self._close(subscriber, (stream, topic))
            subscriber.put(frames.refused(topic, "not_yours"))


def _sees_by_role(viewer: Viewer, topic: str) -> bool:
    """Whether a supervisor keeps a topic that an agent loses: a queue of their teams, a call that they were in."""
    kind, _, name = topic.partition(":")
    return viewer.supervises and (kind != "queue" or viewer.oversees.has_queue(name))


def _topics(serves: frames.Serves) -> set[Topic]:
    stream = stream_of(serves.pbx)
    return {(stream, topic) for topic in frames.serving(serves.pbx, serves.queues)}


def _add(index: dict[Key, set[Subscriber]], key: Key, subscriber: Subscriber) -> None:
    index.setdefault(key, set()).add(subscriber)


def _remove(index: dict[Key, set[Subscriber]], key: Key, subscriber: Subscriber) -> None:
    readers = index.get(key)
    if readers is not None:
        readers.discard(subscriber)
        if not readers:
            del index[key]
