"""The Asterisk Manager Interface on the wire: a decoder for what Asterisk sends, an encoder for what we send.

A message is lines `Name: value` ended by CRLF, and an empty line ends the message. This file knows no more
than that: not which events exist, not which answer belongs to which action.

Decoding is lazy, because of a busy PBX's events most are of no interest (of 106 events of one queue call 53
are VarSet or CEL): finding where a message ends and what its first line says is done for each, headers are
parsed for those that somebody reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

END = b"\r\n\r\n"
BANNER_START = b"Asterisk Call Manager/"
MAX_MESSAGE = 256 * 1024  # bytes; the largest seen, a CoreShowChannel row with a 300-digit number, is below 4 kB
MAX_LINE = 1024  # bytes; Asterisk refuses a longer action line (main/manager.c, `struct mansession.inbuf`)
MAX_HEADERS = 128  # Asterisk refuses the 129th (AST_MAX_MANHEADERS)


class MissingHeader(LookupError):
    """A message lacks a header that its kind always has."""


class UnsafeText(ValueError):
    """A value that would end its line early, or a line or action longer than Asterisk reads."""


class Message:
    """One AMI message. `message["Uniqueid"]` raises MissingHeader; `message.get(…)` is None where absent.

    Of a header that occurs twice the first counts: a caller's name with a raw newline can only forge what
    comes after it. `duplicates` names those that occurred more than once, `malformed` counts lines without a
    colon; both are for the one who must decide whether to trust the message.
    """

    __slots__ = ("_headers", "block", "duplicates", "event", "malformed")

    def __init__(self, block: bytes) -> None:
        self.block = block
        end = block.find(b"\r\n")
        first = block if end < 0 else block[:end]
        #: the event's name, or None for an answer to an action
        self.event: str | None = first[7:].decode("utf-8", "replace") if first.startswith(b"Event: ") else None
        self._headers: dict[str, str] | None = None
        self.duplicates: tuple[str, ...] = ()
        self.malformed = 0

    @property
    def headers(self) -> dict[str, str]:
        """All headers, first occurrence of each; values as sent, bytes that are not UTF-8 as U+FFFD."""
        if self._headers is None:
            self._headers = self._parse()
        return self._headers

    def _parse(self) -> dict[str, str]:
        headers: dict[str, str] = {}
        lines = self.block.decode("utf-8", "replace").split("\r\n")
        for line in lines:
            name, colon, value = line.partition(":")
            if not colon:
                self.malformed += 1
            elif name in headers:
                self.duplicates += (name,)
            else:
                headers[name] = value[1:] if value[:1] == " " else value
        return headers

    def __getitem__(self, name: str) -> str:
        try:
            return self.headers[name]
        except KeyError:
            raise MissingHeader(f"{self.event or 'response'} without header {name}") from None

    def get(self, name: str) -> str | None:
        """The header's value, or None where the message has none of that name."""
        return self.headers.get(name)

    def all(self, name: str) -> list[str]:
        """Every value of a header that may repeat (`Output`, `Variable`), in order."""
        prefix = name + ":"
        lines = self.block.decode("utf-8", "replace").split("\r\n")
        return [line[len(prefix) :].removeprefix(" ") for line in lines if line.startswith(prefix)]

    def __repr__(self) -> str:
        return f"<Message {self.event or 'Response: ' + (self.get('Response') or '?')}>"


class AmiDecoder:
    """Feed it chunks, get whole messages.

    `version` is what the banner said, None before it came. `oversize` counts messages over MAX_MESSAGE,
    which are skipped up to their end so that one of them cannot stop the stream.
    """

    __slots__ = ("_buffer", "_skipping", "oversize", "version")

    def __init__(self) -> None:
        self._buffer = b""
        self._skipping = False
        self.version: str | None = None
        self.oversize = 0

    def feed(self, chunk: bytes) -> list[Message]:
        """The messages that this chunk completes, in order."""
        self._buffer += chunk
        if self.version is None and not self._take_banner():
            return []
        *blocks, rest = self._buffer.split(END)
        if self._skipping and blocks:
            self._skipping = False
            blocks.pop(0)
        if len(rest) > MAX_MESSAGE:
            if not self._skipping:
                self.oversize += 1
                self._skipping = True
            rest = rest[-(len(END) - 1) :]
        self._buffer = rest
        # An extra CRLF between messages is no message.
        return [Message(block.lstrip(b"\r\n")) for block in blocks if block.strip(b"\r\n")]

    def _take_banner(self) -> bool:
        """The first line, `Asterisk Call Manager/11.0.0`, is ended by one CRLF only."""
        line, end, rest = self._buffer.partition(b"\r\n")
        if not end:
            if len(line) > MAX_LINE:
                raise NotAmi("no AMI banner in the first 1,024 bytes; is this the manager port?")
            return False
        if not line.startswith(BANNER_START):
            shown = line[:60].decode("utf-8", "replace")
            raise NotAmi(f"expected 'Asterisk Call Manager/…', got {shown!r}; is this the manager port?")
        self.version = line[len(BANNER_START) :].decode("ascii", "replace")
        self._buffer = rest
        return True


class NotAmi(ValueError):
    """The other end does not speak AMI."""


def encode(headers: Iterable[tuple[str, str]]) -> bytes:
    """The bytes of one action; raises UnsafeText rather than let a value forge a header.

    A bare LF ends an action line too, so CR, LF and NUL are all refused.
    """
    lines = list(_lines(headers))
    if len(lines) > MAX_HEADERS:
        raise UnsafeText(f"an action of {len(lines)} headers; Asterisk reads {MAX_HEADERS}")
    return b"\r\n".join(lines) + END


def _lines(headers: Iterable[tuple[str, str]]) -> Iterator[bytes]:
    for name, value in headers:
        text = f"{name}: {value}"
        if "\r" in text or "\n" in text or "\0" in text:
            raise UnsafeText(f"CR, LF or NUL in action header {name}")
        line = text.encode("utf-8")
        if len(line) > MAX_LINE:
            raise UnsafeText(f"action header {name} is {len(line)} bytes; Asterisk reads {MAX_LINE}")
        yield line


@dataclass(frozen=True, slots=True)
class ListEnd:
    """What the last row of a list answer claims: how many rows came before it."""

    rows: int

    @classmethod
    def of(cls, message: Message) -> ListEnd | None:
        """The claim, or None where the message does not end a list."""
        if message.get("EventList") != "Complete":
            return None
        items = message.get("ListItems")
        return cls(int(items) if items is not None and items.isdecimal() else -1)
