"""Desktops of many agents: their websockets, what they were told and when, and their wrap-ups.

They do as a browser does: whoever loses the connection, or hears nothing for a while, connects again at once, to
the next process, and resumes. Sessions are put into the record beforehand: a password costs 30 ms by intent.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import socket
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage

from cti_server.api.principal import COOKIE, digest
from cti_server.record.center import sessions
from cti_server.record.engines import Connection

SILENCE_S = 12.0  # two heartbeats and a little
AGAIN_S = 0.1
ANSWER_S = 5.0
WRAP_UP_S = 0.3
WORK_S = 10.0
REFUSALS = 6  # of a wrap-up, 0.5 s apart
WRAP_UP_LIMIT_S = 60.0
BROKEN = (OSError, ConnectionClosed, InvalidHandshake, InvalidMessage, TimeoutError, asyncio.IncompleteReadError)


async def signed_in(conn: Connection, agents: Sequence[int]) -> list[str]:
    """The cookie of a session of each agent."""
    cookies = [secrets.token_urlsafe(32) for _ in agents]
    now = datetime.now(UTC)
    for agent, cookie in zip(agents, cookies, strict=True):
        session = sessions.Session(
            token_hash=digest(cookie), agent_id=agent, created_at=now, expires_at=now + timedelta(hours=4)
        )
        await sessions.open_session(conn, session)
    return cookies


async def ask(port: int, cookie: str, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """Status and JSON of one request, over a bare connection: what a client costs must not be most of what is
    measured. Raises one of BROKEN."""
    sent = b"" if body is None else json.dumps(body).encode()
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {COOKIE}={cookie}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(sent)}\r\nConnection: close\r\n\r\n"
    )
    async with asyncio.timeout(ANSWER_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(head.encode() + sent)
            answer = await reader.read()
        finally:
            writer.close()
    told, _, content = answer.partition(b"\r\n\r\n")
    if not told.startswith(b"HTTP/1.1 "):
        raise ConnectionError("no answer")
    status = int(told[9:12])
    is_json = b"json" in told.lower() and b"chunked" not in told.lower()
    return status, json.loads(content) if is_json and content else None


@dataclass(frozen=True, slots=True)
class Told:
    """One event of the websocket: when it happened and when it was here (seconds of the epoch), and its kind."""

    happened: float
    here: float
    kind: str


@dataclass(frozen=True, slots=True)
class Came:
    """The connection came to be at `at`, at this port; `resumed` without a gap or begun anew."""

    at: float
    port: int
    resumed: bool


@dataclass(eq=False)
class Desktop:
    """One agent. `ports` are those of the processes, in the order in which this desktop tries them."""

    agent: int
    cookie: str
    ports: Sequence[int]
    topics: Sequence[str] = ()
    cards: list[Told] = field(default_factory=list)
    parts: list[Told] = field(default_factory=list)
    states: list[tuple[float, str, str | None]] = field(default_factory=list)
    came: list[Came] = field(default_factory=list)
    broke: list[tuple[float, str]] = field(default_factory=list)
    resets: list[tuple[float, str]] = field(default_factory=list)
    again: int = 0
    """Events that came although this desktop had had them."""
    _positions: dict[str, int] = field(default_factory=dict)
    _ahead: dict[str, int] = field(
        default_factory=dict
    )  # streams of which something told is not in the record yet
    _turn: int = 0
    _socket: ClientConnection | None = None
    _wrapping: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _deaf: bool = False

    @property
    def port(self) -> int:
        return self.ports[self._turn % len(self.ports)]

    @property
    def is_connected(self) -> bool:
        return self._socket is not None

    def deafen(self) -> None:
        """Read nothing any more; the connection stays open as long as the server lets it."""
        self._deaf = True
        assert self._socket is not None
        raw: socket.socket = self._socket.transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        transport = self._socket.transport
        assert isinstance(transport, asyncio.Transport) or hasattr(transport, "pause_reading")
        transport.pause_reading()

    async def stay(self) -> None:
        """Be connected for as long as this runs."""
        while True:
            try:
                async with connect(
                    f"ws://127.0.0.1:{self.port}/ws",
                    compression=None,
                    max_size=None,
                    ping_interval=None,
                    close_timeout=0.5,
                    open_timeout=ANSWER_S,
                ) as opened:
                    await self._converse(opened)
            except BROKEN as broken:
                if self._socket is not None:
                    self.broke.append((time.time(), f"{type(broken).__name__}: {broken}"[:120]))
            finally:
                self._socket = None
            self._turn += 1
            await asyncio.sleep(AGAIN_S)

    async def _converse(self, opened: ClientConnection) -> None:
        status, body = await ask(self.port, self.cookie, "POST", "/api/session/ticket")
        if status != 200:
            raise ConnectionError(f"no ticket: {status}")
        first: dict[str, Any] = {"type": "hello", "ticket": body["ticket"]}
        if self._ahead:
            self._positions, self._ahead = {}, {}  # what it was told may never be written
        if self._positions:
            first |= {"type": "resume", "positions": self._positions, "topics": list(self.topics)}
        await opened.send(json.dumps(first))
        is_new = not self._positions
        while True:
            try:
                async with asyncio.timeout(SILENCE_S):
                    text = await opened.recv()
            except TimeoutError:
                if not self._deaf:
                    raise
                await asyncio.Event().wait()  # until it is cancelled: it does not even see that it is closed
            frame = json.loads(text)
            self._take(frame, time.time())
            if frame["type"] == "welcome":
                self._socket = opened
                self.came.append(Came(time.time(), self.port, bool(frame["resumed"])))
                if is_new and self.topics:
                    await opened.send(json.dumps({"type": "watch", "open": list(self.topics)}))

    def _take(self, frame: dict[str, Any], now: float) -> None:
        match frame["type"]:
            case "welcome" if frame["snapshot"] is not None:
                self._positions = dict(frame["positions"])
                self._ahead = {stream: self._positions[stream] for stream in frame.get("provisional", ())}
                self._state(now, frame["snapshot"]["me"]["state"])
                for part in frame["snapshot"]["parts"]:
                    if part["state"] == "wrap_up":
                        self._wrap_up(part["call"])
            case "reset":
                self.resets.append((now, frame["reason"]))
            case "event":
                stream, seq = frame["stream"], frame["seq"]
                if seq <= self._positions.get(stream, -1):
                    self.again += 1
                self._positions[stream] = seq
                if frame.get("provisional"):
                    self._ahead[stream] = seq
                self._event(frame, now)
            case "confirmed" if frame["seq"] >= self._ahead.get(frame["stream"], 0):
                self._ahead.pop(frame["stream"], None)

    def _event(self, frame: dict[str, Any], now: float) -> None:
        kind, body = frame["kind"], frame["body"]
        if kind == "me.changed" and body["agent"] == self.agent:
            self._state(now, body["state"])
        if kind not in ("part.changed", "card.changed"):
            return
        told = Told(datetime.fromisoformat(frame["at"]).timestamp(), now, kind)
        if kind == "part.changed":
            self.parts.append(told)
            if body["agent"] == self.agent and body["part"]["state"] == "wrap_up":
                self._wrap_up(body["call"])
        if body.get("card") is not None:
            self.cards.append(told)

    def _state(self, now: float, state: dict[str, Any]) -> None:
        self.states.append((now, state["name"], state.get("reason")))

    # --- what the agent does ---------------------------------------------------------------------------

    async def work(self) -> None:
        """Begin a shift at the own phone, and be ready. Raises AssertionError where that is refused."""
        for path, body in (("/api/me/shift", {"phone": None}), ("/api/me/state", {"state": "ready"})):
            deadline = time.monotonic() + WORK_S
            while True:  # the shift is asked for, and begins a moment later
                status, answer = await ask(self.port, self.cookie, "POST", path, body)
                if status == 202:
                    break
                assert time.monotonic() < deadline, f"{path}: {status} {answer}"
                await asyncio.sleep(0.1)

    def _wrap_up(self, call: str) -> None:
        if call not in self._wrapping or self._wrapping[call].done():
            self._wrapping[call] = asyncio.create_task(self._finish(call), name=f"wrap-up of {call}")

    async def _finish(self, call: str) -> None:
        """A server that has just started may not know the call yet, so a refusal is not the last word."""
        deadline, refused = time.monotonic() + WRAP_UP_LIMIT_S, 0
        await asyncio.sleep(WRAP_UP_S)
        while time.monotonic() < deadline:
            with suppress(*BROKEN):
                status, _ = await ask(self.port, self.cookie, "POST", f"/api/calls/{call}/wrap-up", {"note": None})
                refused += 400 <= status < 500
                if status < 400 or refused > REFUSALS:
                    return
            await asyncio.sleep(0.5)

    async def close(self) -> None:
        for task in self._wrapping.values():
            task.cancel()
        await asyncio.gather(*self._wrapping.values(), return_exceptions=True)


@asynccontextmanager
async def connected(people: Sequence[Desktop], at_once: int = 20) -> AsyncIterator[Sequence[Desktop]]:
    """All of them connected, as long as the block runs."""
    slots = asyncio.Semaphore(at_once)

    async def enter(person: Desktop) -> asyncio.Task[None]:
        async with slots, asyncio.timeout(30):
            task = asyncio.create_task(person.stay(), name=f"desktop of {person.agent}")
            while not person.is_connected:
                await asyncio.sleep(0.02)
            return task

    staying = await asyncio.gather(*(enter(person) for person in people))
    try:
        yield people
    finally:
        for task in staying:
            task.cancel()
        await asyncio.gather(*staying, *(person.close() for person in people), return_exceptions=True)


def first_card(people: Sequence[Desktop], after: float) -> float | None:
    """When the first card of something that happened after this moment was at one of the desktops."""
    return min((one.here for person in people for one in person.cards if one.happened > after), default=None)


def delays_ms(people: Sequence[Desktop], since: float, until: float) -> list[float]:
    """From what happened to the desktop that was told, of parts that came between these times."""
    told = (one for person in people for one in person.parts if since <= one.here < until)
    return [(one.here - one.happened) * 1000 for one in told]
