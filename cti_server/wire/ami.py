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
from functools import lru_cache

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
    """One AMI message. Of a header that it lacks, `message["Uniqueid"]` raises MissingHeader, `get` gives None.

    Of a header that occurs twice the first counts: a caller's name with a raw newline can only forge what comes
    after it. Values are as Asterisk sent them, with U+FFFD for bytes that are not UTF-8.
    """

    __slots__ = ("_text", "block", "event")

    def __init__(self, block: bytes) -> None:
        """`block` is the message's bytes without the empty line that ends it."""
        self.block = block
        #: the event's name, or None for the answer to an action
        self.event = _event_name(block.partition(b"\r\n")[0])
        self._text: str | None = None

    def __getitem__(self, name: str) -> str:
        # The lines of get() once more: calling it would add a tenth to the time of each translated event.
        _, found, rest = (self._text or self._decoded()).partition(f"\r\n{name}:")
        if not found:
            raise MissingHeader(f"{self.event or 'response'} without header {name}")
        return rest.partition("\r\n")[0].removeprefix(" ")

    def get(self, name: str) -> str | None:
        """The header's value, or None where the message has no header of that name."""
        _, found, rest = (self._text or self._decoded()).partition(f"\r\n{name}:")
        return rest.partition("\r\n")[0].removeprefix(" ") if found else None

    def all(self, name: str) -> list[str]:
        """Every value of a header that may repeat (`Output`, `Variable`), in order."""
        return [line[len(name) + 1 :].removeprefix(" ") for line in self._lines() if line.startswith(f"{name}:")]

    @property
    def headers(self) -> dict[str, str]:
        """All headers, each by its first occurrence."""
        headers: dict[str, str] = {}
        for line in self._lines():
            name, colon, value = line.partition(":")
            if colon:
                headers.setdefault(name, value.removeprefix(" "))
        return headers

    @property
    def duplicates(self) -> tuple[str, ...]:
        """The name of each header that occurs again. A caller's name may have forged either of the two."""
        names: set[str] = set()
        repeated: list[str] = []
        for line in self._lines():
            name, colon, _ = line.partition(":")
            if colon and name in names:
                repeated.append(name)
            names.add(name)
        return tuple(repeated)

    @property
    def malformed(self) -> int:
        """How many lines have no colon; 0 where nobody has read a header, as of the events that are dropped."""
        if self._text is None:
            return 0
        lines = self._lines()
        return len(lines) - len([line for line in lines if ":" in line])

    def _decoded(self) -> str:
        """The block as text; each line of it has a line end before it, by which a header is found."""
        self._text = text = "\r\n" + self.block.decode("utf-8", "replace")
        return text

    def _lines(self) -> list[str]:
        return (self._text or self._decoded()).split("\r\n")[1:]

    def __repr__(self) -> str:
        return f"<Message {self.event or 'Response: ' + (self.get('Response') or '?')}>"


@lru_cache(maxsize=512)  # a PBX sends some 200 first lines; what a hostile one sends more pushes out the oldest
def _event_name(first_line: bytes) -> str | None:
    return first_line[7:].decode("utf-8", "replace") if first_line.startswith(b"Event: ") else None


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
        return [Message(block) for raw in blocks if (block := raw.lstrip(b"\r\n"))]

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
