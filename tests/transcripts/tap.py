"""A plain AMI socket that keeps every byte it received; no code of the server, whose codec these bytes test."""

from __future__ import annotations

import contextlib
import secrets
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Self

Message = dict[str, str]
WAIT_S = 60.0  # a machine that is busy with other tests stalls Asterisk for longer than one thinks


class NotSeen(AssertionError):
    """What was waited for did not come in time; the text lists what came last."""


class Tap:
    """Logged in as one role. Messages are parsed only to know when to go on; `raw` is what counts."""

    def __init__(self, port: int, user: str, secret: str, *, events: bool = True) -> None:
        self.raw = bytearray()
        self.messages: list[Message] = []
        self._changed = threading.Condition()
        self._rest = b""
        self._socket = socket.create_connection(("127.0.0.1", port), 5)
        self._socket.settimeout(None)
        self.closed = False
        self._reader = threading.Thread(target=self._read, name=f"tap {user}", daemon=True)
        self._reader.start()
        answer = self.ask("Login", Username=user, Secret=secret, Events="on" if events else "off")
        assert answer["Response"] == "Success", answer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection; what arrived until then is in `raw`."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._reader.join(5)
        self._socket.close()

    def send(self, action: str, **headers: str) -> str:
        """Sends an action; returns its ActionID. `Channel_` may be written where Python reserves a word."""
        return self._send(action, [(name.rstrip("_"), value) for name, value in headers.items()])

    def ask_lines(self, action: str, lines: Sequence[tuple[str, str]]) -> Message:
        """The same with headers of which one may come twice."""
        action_id = self._send(action, lines)
        return self.wait(lambda m: "Response" in m and m.get("ActionID") == action_id, f"response to {action}")

    def _send(self, action: str, headers: Sequence[tuple[str, str]]) -> str:
        action_id = secrets.token_hex(16)
        lines = [f"Action: {action}", f"ActionID: {action_id}"]
        lines += [f"{name}: {value}" for name, value in headers]
        self._socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        return action_id

    def ask(self, action: str, **headers: str) -> Message:
        """Sends an action and waits for its response."""
        action_id = self.send(action, **headers)
        return self.wait(lambda m: "Response" in m and m.get("ActionID") == action_id, f"response to {action}")

    def list(self, action: str, **headers: str) -> list[Message]:
        """Sends a list action and waits for its end; the rows."""
        action_id = self.send(action, **headers)
        done = self.wait(
            lambda m: (
                m.get("ActionID") == action_id
                and (m.get("EventList") in ("Complete", "cancelled") or m.get("Response") == "Error")
            ),
            f"end of {action}",
        )
        assert done.get("Response") != "Error", done
        return [m for m in self.messages if m.get("ActionID") == action_id and "Event" in m][:-1]

    def event(self, name: str, since: int = 0, **headers: str) -> Message:
        """Waits for an event with these headers (underscore for a hyphen is not needed in AMI)."""
        return self.wait(
            lambda m: m.get("Event") == name and all(m.get(k) == v for k, v in headers.items()),
            f"{name} {headers}",
            since,
        )

    def wait(
        self, wanted: Callable[[Message], bool], what: str, since: int = 0, limit_s: float = WAIT_S
    ) -> Message:
        """The first message from index `since` on that is wanted."""
        deadline = time.monotonic() + limit_s
        position = since
        with self._changed:
            while True:
                while position < len(self.messages):
                    if wanted(self.messages[position]):
                        return self.messages[position]
                    position += 1
                left = deadline - time.monotonic()
                if self.closed or left <= 0 or not self._changed.wait(left):
                    last = [m.get("Event") or m.get("Response") for m in self.messages[-30:]]
                    raise NotSeen(f"{what}; closed={self.closed}; last: {last}")

    def wait_closed(self, limit_s: float = WAIT_S) -> None:
        """Until the PBX has closed the connection."""
        self._reader.join(limit_s)
        assert self.closed, "the PBX did not close the connection"

    def here(self) -> int:
        """The index that the next message will have; for `since`."""
        with self._changed:
            return len(self.messages)

    def _read(self) -> None:
        while True:
            try:
                data = self._socket.recv(65536)
            except OSError:
                data = b""
            with self._changed:
                if not data:
                    self.closed = True
                    self._changed.notify_all()
                    return
                self.raw += data
                *whole, self._rest = (self._rest + data).split(b"\r\n\r\n")
                self.messages += [_parse(one) for one in whole]
                self._changed.notify_all()


def _parse(block: bytes) -> Message:
    message: Message = {}
    for line in block.decode("utf-8", "replace").split("\r\n"):
        name, colon, value = line.partition(":")
        if colon:
            message.setdefault(name, value.removeprefix(" "))
    return message


def tap(port: int, secrets_by_role: Mapping[str, str], role: str = "cti-events") -> Tap:
    return Tap(port, role, secrets_by_role[role], events=role == "cti-events")
