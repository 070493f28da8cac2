"""One websocket, played as a table: what the desktop says, what it is sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from cti_server.push import session as push_session
from cti_server.push.frames import Frame, event, watching
from cti_server.push.hub import Hub, Subscriber
from cti_server.push.session import BAD_TICKET, SIGNED_OUT, TOO_SLOW, Disconnected, Missed, serve
from cti_server.rules.rights import Viewer

AGENT = Viewer(agent=1)


class Socket:
    """The desktop's end. `sent` is what it got; `closed` the code it was closed with. `at_once`: whether a frame
    can be written in the same moment, as behind our own listener."""

    at_once = False

    def __init__(self, *says: dict[str, Any] | str) -> None:
        self._says: asyncio.Queue[str] = asyncio.Queue()
        for one in says:
            self._says.put_nowait(one if isinstance(one, str) else json.dumps(one))
        self.sent: list[dict[str, Any]] = []
        self.closed: int | None = None
        self.arrived = asyncio.Event()
        self.taking = asyncio.Event()
        self.taking.set()

    async def receive_text(self) -> str:
        return await self._says.get()

    async def send_text(self, data: str) -> None:
        await self.taking.wait()
        if self.closed is not None:
            raise Disconnected
        self.sent.append(json.loads(data))
        self.arrived.set()

    def send_now(self, data: str) -> bool:
        if not self.at_once or not self.taking.is_set() or self.closed is not None:
            return False
        self.sent.append(json.loads(data))
        self.arrived.set()
        return True

    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        self.closed = code

    def says(self, *more: dict[str, Any]) -> None:
        for one in more:
            self._says.put_nowait(json.dumps(one))

    async def until(self, count: int) -> list[dict[str, Any]]:
        """Wait until so many frames were sent."""
        async with asyncio.timeout(5):
            while len(self.sent) < count:
                self.arrived.clear()
                await self.arrived.wait()
        return self.sent


@pytest.fixture(autouse=True, params=[False, True], ids=["in turn", "at once"])
def how(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Socket, "at_once", request.param)


def frame(
    seq: int,
    kind: str = "call.changed",
    agents: tuple[int, ...] = (1,),
    stream: str = "pbx:a",
    topics: tuple[str, ...] = (),
) -> Frame:
    text = event(stream, seq, "2026-11-22T05:00:00.000Z", kind, {"n": seq})
    return Frame(stream, seq, text, frozenset(agents), supervisors=False, topics=frozenset(topics))


class Center:
    """A hub with a journal, and one ticket for agent 1, who may open `team` and `queue:a/support`."""

    def __init__(self, limit: int = 100) -> None:
        self.hub = Hub(limit)
        self.hub.positions = {"pbx:a": 10, "desk": 0}
        self.allowed = True
        self.journal: list[Frame] = [frame(n) for n in range(6, 11)]
        self.refused = {"floor": "not_yours", "nonsense": "unknown"}
        self.failing = False
        self.is_known = asyncio.Event()
        self.is_known.set()

    async def known(self) -> None:
        await self.is_known.wait()

    async def admit(self, ticket: str) -> Viewer | None:
        return AGENT if ticket == "good" else None

    def serves(self, viewer: Viewer) -> dict[str, frozenset[str]]:
        return {"a": frozenset({"support"})}

    async def may_go_on(self, viewer: Viewer) -> bool:
        return self.allowed

    async def snapshot(self, viewer: Viewer) -> tuple[dict[str, Any], dict[str, int]]:
        return {"calls": ["whole"]}, dict(self.hub.positions)

    def refuses(self, viewer: Viewer, topic: str) -> Any:
        return self.refused.get(topic)

    def streams(self, topic: str) -> list[str]:
        return ["pbx:a"]

    async def open(self, subscriber: Subscriber, topic: str) -> None:
        if self.failing:
            raise OSError("the database is away")
        await asyncio.sleep(0)  # the lock that it waits for
        self.hub.open(subscriber, "pbx:a", topic)
        subscriber.put(watching(topic, "pbx:a", self.hub.positions["pbx:a"], {"team": []}))

    async def missed(self, subscriber: Subscriber, stream: str, seq: int) -> AsyncIterator[Frame]:
        rows = [f for f in self.journal if f.stream == stream and f.seq > seq]
        if rows and rows[0].seq != seq + 1:
            raise Missed(f"{stream} has nothing before {rows[0].seq}")
        for row in rows:
            if row.concerns(AGENT, self.hub.opened(subscriber, stream)):
                yield row

    def publish(self, *frames: Frame) -> None:
        self.journal += frames
        self.hub.publish(frames)

    def serve(self, socket: Socket) -> asyncio.Task[None]:
        return asyncio.create_task(serve(socket, self.hub, self, self.admit))


HELLO = {"type": "hello", "ticket": "good"}


def resume(*topics: str, **positions: int) -> dict[str, Any]:
    return {
        "type": "resume",
        "ticket": "good",
        "positions": {k.replace("_", ":"): v for k, v in positions.items()},
        "topics": list(topics),
    }


def seqs(sent: list[dict[str, Any]]) -> list[int]:
    return [f["seq"] for f in sent if f["type"] == "event"]


async def test_hello_gets_a_snapshot_and_then_events_in_order() -> None:
    center, socket = Center(), Socket(HELLO)
    task = center.serve(socket)
    await socket.until(1)
    center.publish(frame(11), frame(12, agents=(2,)), frame(13))
    await socket.until(3)

    assert socket.sent[0]["type"] == "welcome"
    assert socket.sent[0]["snapshot"] == {"calls": ["whole"]}
    assert socket.sent[0]["positions"] == {"pbx:a": 10, "desk": 0}
    assert seqs(socket.sent) == [11, 13], "what concerns another agent is not sent; 13 is the sentinel"
    task.cancel()


async def test_a_desktop_that_resumes_while_the_server_starts_waits_for_what_it_shows() -> None:
    center, socket = Center(), Socket(resume("team", pbx_a=10, desk=0))
    center.is_known.clear()
    center.refused["team"] = "unknown"  # as for a call that has not been read yet
    task = center.serve(socket)
    await asyncio.sleep(0.05)
    assert socket.sent == []
    del center.refused["team"]
    center.is_known.set()
    await socket.until(1)
    assert [frame["type"] for frame in socket.sent] == ["welcome"]
    task.cancel()


@pytest.mark.parametrize(
    "first",
    [
        {"type": "hello", "ticket": "bad"},
        {"type": "hello"},
        {"type": "resume", "ticket": "good"},
        {"type": "hello", "ticket": "good", "more": 1},
        {"type": "resume", "ticket": "good", "positions": {"pbx:a": -1}},
        {"type": "resume", "ticket": "good", "positions": {"pbx:a": 10**30}},
        {"type": "resume", "ticket": "good", "positions": {str(n): 1 for n in range(60)}},
        {"type": "resume", "ticket": "good", "positions": {}, "topics": [str(n) for n in range(201)]},
        {"type": "watch", "open": ["team"]},
        "not json",
        '{"type": "hello", "ticket": "' + "9" * 5000 + '"}',
    ],
)
async def test_without_a_good_first_message_the_door_closes(first: Any) -> None:
    socket = Socket(first)
    await Center().serve(socket)

    assert (socket.closed, socket.sent) == (BAD_TICKET, [])


async def test_a_silent_desktop_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(push_session, "FIRST_MESSAGE_S", 0.05)
    socket = Socket()
    await Center().serve(socket)

    assert socket.closed == BAD_TICKET


async def test_resume_gets_what_was_missed_and_no_snapshot() -> None:
    center, socket = Center(), Socket(resume(pbx_a=7, desk=0))
    task = center.serve(socket)
    await socket.until(4)
    center.publish(frame(11))
    await socket.until(5)

    assert socket.sent[0]["resumed"] is True
    assert socket.sent[0]["snapshot"] is None
    assert seqs(socket.sent) == [8, 9, 10, 11]
    task.cancel()


async def test_what_happens_while_the_missed_is_read_comes_once() -> None:
    center = Center()
    socket = Socket(resume(pbx_a=7, desk=0))
    socket.taking.clear()
    task = center.serve(socket)
    while not len(center.hub):
        await asyncio.sleep(0)
    center.publish(frame(11))  # in the journal before it is read, and in the hub's line too
    socket.taking.set()
    await socket.until(2)
    center.publish(frame(12))
    await socket.until(6)

    assert seqs(socket.sent) == [8, 9, 10, 11, 12]
    task.cancel()


@pytest.mark.parametrize("first", [resume(pbx_a=2, desk=0), resume(pbx_a=10), resume(pbx_a=10, desk=0, pbx_b=1)])
async def test_what_cannot_be_resumed_whole_starts_over(first: dict[str, Any]) -> None:
    center, socket = Center(), Socket(first)
    task = center.serve(socket)
    await socket.until(2)

    assert [f["type"] for f in socket.sent] == ["reset", "welcome"]
    assert socket.sent[1]["snapshot"] is not None
    task.cancel()


async def test_a_desktop_that_cannot_keep_up_is_closed_and_holds_nobody_up() -> None:
    """The bound at size 1."""
    center, slow, quick = Center(limit=1), Socket(HELLO), Socket(HELLO)
    first, second = center.serve(slow), center.serve(quick)
    await slow.until(1)
    await quick.until(1)
    slow.taking.clear()
    for n in range(11, 16):
        center.publish(frame(n))
        await quick.until(n - 9)
    slow.taking.set()
    async with asyncio.timeout(5):
        await first

    assert slow.closed == TOO_SLOW
    assert seqs(quick.sent) == [11, 12, 13, 14, 15]
    assert center.hub.overruns == 1
    assert len(center.hub) == 1
    second.cancel()


async def test_a_desktop_that_takes_nothing_at_all_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(push_session, "SEND_S", 0.05)
    center, socket = Center(), Socket(HELLO)
    socket.taking.clear()
    async with asyncio.timeout(5):
        await center.serve(socket)

    assert socket.closed == TOO_SLOW
    assert len(center.hub) == 0


async def test_signing_out_closes_the_agents_desktops_only() -> None:
    center, socket = Center(), Socket(HELLO)
    task = center.serve(socket)
    await socket.until(1)
    center.hub.sign_out(2)
    center.publish(frame(11))
    await socket.until(2)
    center.hub.sign_out(1)
    async with asyncio.timeout(5):
        await task

    assert socket.closed == SIGNED_OUT


async def test_a_session_that_has_expired_ends_its_desktop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(push_session, "HEARTBEAT_S", 0.02)
    monkeypatch.setattr(push_session, "ASK_EVERY_S", 0.05)
    center, socket = Center(), Socket(HELLO)
    task = center.serve(socket)
    await socket.until(6)
    assert socket.closed is None, "asked, and allowed"
    center.allowed = False
    async with asyncio.timeout(5):
        await task
    assert socket.closed == SIGNED_OUT


async def test_heartbeats_tell_the_positions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(push_session, "HEARTBEAT_S", 0.02)
    center, socket = Center(), Socket(HELLO)
    task = center.serve(socket)
    await socket.until(2)

    assert socket.sent[1]["type"] == "heartbeat"
    assert socket.sent[1]["positions"] == {"pbx:a": 10, "desk": 0}
    task.cancel()


# --- topics ------------------------------------------------------------------------------------------------


def told(sent: list[dict[str, Any]]) -> list[Any]:
    """Events by their number, watching frames by their topic and what they say of it."""
    frames = {"event": lambda f: f["seq"], "watching": lambda f: (f["topic"], f.get("refused", f.get("seq")))}
    return [frames[f["type"]](f) for f in sent if f["type"] in frames]


async def test_a_topic_is_answered_with_its_snapshot_in_order_among_the_events() -> None:
    center, socket = Center(), Socket(HELLO)
    task = center.serve(socket)
    await socket.until(1)
    center.publish(frame(11, agents=(), topics=("team",)), frame(12))
    socket.says({"type": "watch", "open": ["team", "floor", "nonsense"]})
    await socket.until(5)
    center.publish(frame(13, agents=(), topics=("team",)), frame(14, agents=(), topics=("floor",)))
    socket.says({"type": "watch", "close": ["team"]}, {"type": "watch", "open": ["nonsense"]})
    await socket.until(7)
    center.publish(frame(15, agents=(), topics=("team",)), frame(16))
    await socket.until(8)

    assert told(socket.sent) == [
        12,
        ("team", 12),
        ("floor", "not_yours"),
        ("nonsense", "unknown"),
        13,
        ("nonsense", "unknown"),
        16,
    ], "16 is the sentinel"
    task.cancel()


async def test_what_a_desktop_says_beside_that_is_ignored() -> None:
    center, socket = Center(), Socket(HELLO, "not json", HELLO, {"type": "watch", "open": ["x"] * 51})
    task = center.serve(socket)
    await socket.until(1)
    socket.says({"type": "watch", "open": ["team"]})
    await socket.until(2)

    assert told(socket.sent) == [("team", 10)]
    task.cancel()


async def test_resume_opens_topics_anew_and_gives_what_they_missed() -> None:
    center, socket = Center(), Socket(resume("team", "floor", pbx_a=10, desk=0))
    both = {"agents": (), "stream": "pbx:a"}
    center.publish(
        frame(11, topics=("team",), **both),
        frame(12, topics=("floor",), **both),
        frame(13, topics=("serving:a/support",), **both),
        frame(14, topics=("serving:a/sales",), **both),
    )
    task = center.serve(socket)
    await socket.until(4)
    center.publish(frame(15, topics=("team",), **both))
    await socket.until(5)

    assert told(socket.sent) == [11, 13, ("floor", "not_yours"), 15]
    task.cancel()


async def test_after_a_reset_the_topics_are_opened_with_snapshots() -> None:
    center, socket = Center(), Socket(resume("team", pbx_a=2, desk=0))
    task = center.serve(socket)
    await socket.until(3)

    assert [f["type"] for f in socket.sent] == ["reset", "welcome", "watching"]
    task.cancel()


async def test_a_topic_that_cannot_be_read_now_makes_the_desktop_come_back() -> None:
    center, socket = Center(), Socket(HELLO)
    center.failing = True
    task = center.serve(socket)
    await socket.until(1)
    socket.says({"type": "watch", "open": ["team"]})
    center.publish(frame(11))
    async with asyncio.timeout(10):
        await task

    assert socket.closed == TOO_SLOW


async def test_a_failure_is_not_taken_for_a_desktop_that_left() -> None:
    """Only Disconnected says that the other side is gone."""

    class Broken(Socket):
        async def send_text(self, data: str) -> None:
            raise RuntimeError("a defect")

    with pytest.raises(RuntimeError, match="a defect"):
        await Center().serve(Broken(HELLO))
