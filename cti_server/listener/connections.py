"""uvicorn's connections with limits: what it lacks is a time for headers and bodies, a number, and an end.

`Connection` is one HTTP connection, and `Websocket` what becomes of it at `/ws`. A refusal is said in plain HTTP
wherever the peer can still be answered. `transport.close()` alone ends nothing: it waits until the peer has taken
what was written before, which a peer that does not read never does.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import STATUS_PHRASES, H11Protocol
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from cti_server.api.websocket import WRITE_NOW

from .gate import Gate

LINGER_S = 2.0  # for a refused peer to read why; closed at once, TCP may throw the answer away
MOST_FRAMES = 500  # a second from one websocket; a desktop sends a few messages, and a pong every 20 s
PIECE = 4096  # bytes of frames that are parsed at once: at most 700 frames, some milliseconds
MAX_FRAGMENTS = 256  # of one message; websockets bounds their bytes, and an empty one has none
TOO_MANY, TOO_BIG, TRY_AGAIN = 1008, 1009, 1013  # close codes: RFC 6455 section 7.4.1, and its registry

SORRY = {
    "too_many": "this server has as many connections as it may have; come back in a minute",
    "too_many_of_address": "too many connections from your address; close some, or come back in a minute",
    "gave_way": "another connection needed the place of this one, which had asked for nothing",
    "headers_too_slow": "the headers of the request did not come in time",
    "body_too_slow": "the body of the request did not come in time",
    "bodies_too_large": "too many unfinished requests; send it again",
}


class Stalled:
    """Whether a peer takes what it is sent: it does while what waits for it becomes less now and then."""

    __slots__ = ("_since", "_size")

    def __init__(self) -> None:
        self._size = 0
        self._since = 0.0

    def for_s(self, transport: asyncio.Transport, now: float) -> float:
        """For how many seconds the peer has taken nothing of what waits for it."""
        size = transport.get_write_buffer_size()
        if size == 0 or size < self._size or not self._size:
            self._since = now
        self._size = size
        return now - self._since


class Connection(H11Protocol):
    """One HTTP connection. Subclasses made by `limited` know their gate."""

    gate: Gate

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._deadline: float | None = None
        self._phase = ""  # "headers", "body", or "" while it waits for us, or we for its next request
        self._body = 0
        self._over = False  # it has been told why, and nothing more that it sends is read
        self._stalled = Stalled()

    @property
    def address(self) -> str | None:
        return self.client[0] if self.client else None

    # --- what asyncio calls ----------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if (cause := self.gate.admit(self)) is not None:
            self.transport.write(plain(503, SORRY[cause]))
            self._hang_up()
            return
        self._begin("headers", self.gate.limits.headers_s)

    def data_received(self, data: bytes) -> None:
        if self._over:
            return
        super().data_received(data)
        self._follow(len(data))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._over:
            self.gate.ending -= 1
        self.gate.leave(self)
        super().connection_lost(exc)

    # --- what uvicorn calls ----------------------------------------------------------------------------

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self.transport.is_closing():
            self._follow(0)

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        self._phase = "upgraded"
        super().handle_websocket_upgrade(event)
        after = self.transport.get_protocol()
        assert isinstance(after, Websocket)
        self.gate.hand_over(self, after)

    def send_400_response(self, msg: str) -> None:
        self.gate.note("not_http", self.address)
        try:
            super().send_400_response(msg)
        except h11.LocalProtocolError:  # an answer is under way: rubbish in a body that nobody waits for any more
            self.transport.close()

    # --- where it stands -------------------------------------------------------------------------------

    def _follow(self, received: int) -> None:
        """See where the request stands after so many bytes, and begin the time for it."""
        if self._phase == "upgraded" or self.transport.is_closing():
            return
        if self.conn.their_state is h11.SEND_BODY:
            if self._phase != "body":
                self._begin("body", self.gate.limits.body_s)
                self._body = 0
                self.gate.works(self)
            self._body += received
            self.gate.holds(self, self._body)
            return
        if self._phase == "body":
            self.gate.holds(self, 0)
        if self.conn.their_state is not h11.IDLE:  # the request is here, the answer is ours to give
            self._phase, self._deadline = "", None
            self.gate.works(self)
        elif self.conn.trailing_data[0]:
            if self._phase != "headers":
                self._begin("headers", self.gate.limits.headers_s)
            self.gate.waits(self)  # half of a request is none yet
        elif self._phase != "headers":
            self._phase, self._deadline = "", None  # uvicorn's own time between two requests
            self.gate.waits(self)

    def _begin(self, phase: str, seconds: float) -> None:
        self._phase, self._deadline = phase, self.loop.time() + seconds

    def look(self, now: float) -> None:
        if self._over:
            return
        if self._stalled.for_s(self.transport, now) >= self.gate.limits.stalled_s:
            self.gate.note("not_reading", self.address)
            self.transport.abort()
        elif self._deadline is not None and now >= self._deadline and not self._waits_for_us():
            cause = f"{self._phase}_too_slow"
            self.gate.note(cause, self.address)
            self._end(408, cause)

    def _waits_for_us(self) -> bool:
        """Whether the body does not come because this server has not read what came before."""
        return self._phase == "body" and self.flow.read_paused

    # --- ends ------------------------------------------------------------------------------------------

    def give_way(self) -> None:
        self._end(408, "gave_way")

    def drop_body(self) -> None:
        self._end(503, "bodies_too_large")

    def _end(self, status: int, cause: str) -> None:
        """Answer if the peer has begun to ask and can still be answered, and close."""
        self._unset_keepalive_if_required()
        self._phase, self._deadline = "", None
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        # A browser connects ahead of its requests, and would show its user the answer to one that it never made.
        has_asked = self.conn.their_state is not h11.IDLE or bool(self.conn.trailing_data[0])
        if has_asked and self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE) and not self.transport.is_closing():
            self.transport.write(plain(status, SORRY[cause]))
        self._hang_up()

    def _hang_up(self) -> None:
        """Close our side at once, and the connection once the peer has read why, LINGER_S later at the latest.

        Whoever is refused is about to send a request, and TCP throws away what was written for a peer that sends
        to a closed socket. Where many are refused, that is what happens.
        """
        if self._over:
            return
        self._over = True
        self.gate.ending += 1
        if not self.transport.is_closing():
            if self.gate.ending > self.gate.limits.ending:
                self.transport.close()
            else:
                self.transport.write_eof()
        self.loop.call_later(LINGER_S, self.transport.abort)


class Websocket(WebSocketsSansIOProtocol):
    """One desktop's websocket. `push.session` ends those that say nothing or are too slow; this ends the
    connection of those that do not even read their end."""

    gate: Gate

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._frames = 0
        self._since = 0.0
        self.close_timeout = LINGER_S  # uvicorn's ten seconds would keep the place of those that say nothing
        self._stalled = Stalled()

    @property
    def address(self) -> str | None:
        return self.client[0] if self.client else None

    def connection_lost(self, exc: Exception | None) -> None:
        self.gate.leave(self)
        super().connection_lost(exc)

    def look(self, now: float) -> None:
        if self._stalled.for_s(self.transport, now) >= self.gate.limits.stalled_s:
            self.gate.note("not_reading", self.address)
            self.transport.abort()

    def give_way(self) -> None:
        if self.handshake_complete and not self.close_sent:
            self.conn.fail(TRY_AGAIN, SORRY["gave_way"])
            self.handle_parser_exception()
        self.loop.call_later(LINGER_S, self.transport.abort)

    def drop_body(self) -> None:
        """A websocket has no body."""

    # --- frames --------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Parse what came, as long as it is not too much: a quarter of a megabyte of empty frames, read at once,
        would keep calls waiting for half a second."""
        if (now := self.loop.time()) - self._since >= 1:
            self._since, self._frames = now, 0
        for at in range(0, len(data), PIECE):
            if self.transport.is_closing():
                return
            super().data_received(data[at : at + PIECE])
            if self._frames > MOST_FRAMES and not self.transport.is_closing():
                self.gate.note("too_many_frames", self.address)
                self.conn.fail(TOO_MANY, "too many frames")
                self.handle_parser_exception()
                return

    def handle_ping(self) -> None:
        self._frames += 1
        super().handle_ping()

    def handle_pong(self, event: Any) -> None:
        self._frames += 1
        super().handle_pong(event)

    def handle_bytes(self, event: Any) -> None:
        self._frames += 1
        super().handle_bytes(event)

    def handle_text(self, event: Any) -> None:
        self._frames += 1
        self.gate.works(self)  # only one that has said something keeps its place
        super().handle_text(event)

    def handle_cont(self, event: Any) -> None:
        self._frames += 1
        if len(self.frames) >= MAX_FRAGMENTS:
            self.conn.fail(TOO_BIG, "too many fragments")
            self.handle_parser_exception()
            self.frames = []
            return
        super().handle_cont(event)

    def pause_writing(self) -> None:
        """Whoever does not read is not read from: each of its pings would add to what waits for it."""
        super().pause_writing()
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        super().resume_writing()
        if not self.read_paused and not self.transport.is_closing():
            self.transport.resume_reading()

    async def run_asgi(self) -> None:
        self.scope.setdefault("extensions", {})[WRITE_NOW] = {"write": self.write_now}
        await super().run_asgi()

    def write_now(self, frame: bytes) -> bool:
        """Write a frame of a server, whole and unmasked, if the desktop takes it now. `send` does the same for one
        message, and costs its caller a turn of the loop."""
        if not self.handshake_complete or self.close_sent or self.disconnected:
            return False
        if not self.writable.is_set() or self.transport.is_closing():
            return False
        self.transport.write(frame)
        return True

    async def receive(self) -> Any:
        await self.writable.wait()
        return await super().receive()

    async def send(self, message: Any) -> None:
        if self.close_sent and message["type"] == "websocket.send":
            raise ClientDisconnected  # it was ended here while the application was about to send
        await super().send(message)


def plain(status: int, sentence: str) -> bytes:
    """A whole answer in plain text that ends its connection."""
    body = sentence.encode() + b"\n"
    head = f"HTTP/1.1 {status} {STATUS_PHRASES[status].decode()}\r\n"
    head += f"Content-Type: text/plain; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
    head += "Retry-After: 5\r\n" if status == 503 else ""
    return head.encode() + b"Connection: close\r\n\r\n" + body


def limited(gate: Gate) -> tuple[type[asyncio.Protocol], type[asyncio.Protocol]]:
    """The classes of HTTP connections and of websockets behind this gate, for uvicorn's `http` and `ws`."""
    return type("Connection", (Connection,), {"gate": gate}), type("Websocket", (Websocket,), {"gate": gate})


class NotOfPeers(logging.Filter):
    """Drops the lines that uvicorn writes of each peer that sends rubbish; the gate writes one a minute."""

    LINES = frozenset({"Invalid HTTP request received.", "Unsupported upgrade request."})

    def filter(self, record: logging.LogRecord) -> bool:
        return record.msg not in self.LINES
