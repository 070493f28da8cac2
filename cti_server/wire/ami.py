"""The Asterisk Manager Interface on the wire: a decoder for what Asterisk sends, an encoder for what we send.

A message is a number of lines `Name: value`, each ended by CRLF, and an empty line ends the message. This file
does not know which events exist, nor which answer belongs to which action.

Most events of a busy PBX interest nobody: of the 106 events of one queue call 53 are VarSet or CEL. So the
decoder reads only the first line of each message. A header is looked up in the message's text when somebody asks
for it, because a signal needs six or seven of an event's twenty headers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from .text import NONE_DECLARED, Encodings, to_bytes, to_text

END = b"\r\n\r\n"
BANNER_START = b"Asterisk Call Manager/"
MAX_MESSAGE = 256 * 1024  # bytes; the largest seen, a CoreShowChannel row with a 300-digit number, is below 4 kB
MAX_LINE = 1024  # bytes; Asterisk refuses a longer action line (main/manager.c, `struct mansession.inbuf`)
MAX_HEADERS = 128  # Asterisk refuses the 129th (AST_MAX_MANHEADERS)


class MissingHeader(LookupError):
    """A message lacks a header that its kind always has."""


class UnsafeText(ValueError):
    """An action cannot be sent: a value would end its line early, or Asterisk would not read all of it."""


class Message:
    """One AMI message. Of a header that it lacks, `message["Uniqueid"]` raises MissingHeader, `get` gives None.

    Of a header that occurs twice the first counts: a caller's name with a raw newline can only forge what comes
    after it. Values are as Asterisk sent them; `text.py` says how what is not UTF-8 is read.
    """

    __slots__ = ("_text", "block", "event")

    def __init__(self, block: bytes) -> None:
        """`block` is the message's bytes without the empty line that ends it."""
        self.block = block
        #: the event's name, or None for the answer to an action
        self.event = _event_name(block.partition(b"\r\n")[0])
        self._text: str | None = None

    def __getitem__(self, name: str) -> str:
        # Repeats get() instead of calling it: the call would add a tenth to the time of each translated event.
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
        """All headers; of one that occurs twice, the first value."""
        headers: dict[str, str] = {}
        for line in self._lines():
            name, colon, value = line.partition(":")
            if colon:
                headers.setdefault(name, value.removeprefix(" "))
        return headers

    @property
    def duplicates(self) -> tuple[str, ...]:
        """The name of each header that occurs again. Either occurrence may be forged by a caller's name."""
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
        """How many lines have no colon. It is 0 until a header has been read, so a dropped event costs nothing."""
        if self._text is None:
            return 0
        lines = self._lines()
        return len(lines) - len([line for line in lines if ":" in line])

    def _decoded(self) -> str:
        """The block as text. It begins with a line end, so that every header is found by the one before it."""
        try:
            text = self.block.decode()
        except UnicodeDecodeError:
            text = self._by_line(NONE_DECLARED)
        else:
            # In UTF-8 only a private-use character has the byte EE: it might look like a byte that was kept.
            if 0xEE in self.block or 0 in self.block:
                text = self._by_line(NONE_DECLARED)
        self._text = text = "\r\n" + text
        return text

    def _by_line(self, encodings: Encodings) -> str:
        """The text where it is not plain UTF-8. The lines are cut before they are read: no value can join two.

        Each value is read by itself, because a trunk's name and a queue's may be in different encodings.
        """
        lines = [line.partition(b":") for line in self.block.split(b"\r\n")]
        channel = next((value for name, _, value in lines if name == b"Channel"), None)
        declared = encodings.of(to_text(channel).removeprefix(" ") if channel is not None else None)
        return "\r\n".join(
            to_text(name) + colon.decode() + to_text(value, declared) for name, colon, value in lines
        )

    def _lines(self) -> list[str]:
        return (self._text or self._decoded()).split("\r\n")[1:]

    def __repr__(self) -> str:
        return f"<Message {self.event or 'Response: ' + (self.get('Response') or '?')}>"


def messages_in(encodings: Encodings) -> type[Message]:
    """The class of messages in which text that is not UTF-8 is in these encodings.

    A class, because a field would cost each of the many messages that nobody reads.
    """
    if encodings is NONE_DECLARED:
        return Message

    class DeclaredMessage(Message):
        __slots__ = ()

        def _decoded(self) -> str:
            if self.block.isascii():
                return super()._decoded()
            self._text = text = "\r\n" + self._by_line(encodings)
            return text

    return DeclaredMessage


@lru_cache(maxsize=512)  # a PBX sends about 200 different first lines
def _event_name(first_line: bytes) -> str | None:
    return to_text(first_line[7:]) if first_line.startswith(b"Event: ") else None


class AmiDecoder:
    """Turns the chunks of one connection into messages. Make a new one for each connection.

    `encodings` says which codec what is not UTF-8 is in. `version` is the protocol version of the banner, None
    until the banner is complete. `oversize` counts the messages of more than MAX_MESSAGE bytes: each is skipped up
    to its end, and the stream goes on after it.
    """

    __slots__ = ("_buffer", "_message", "_skipping", "oversize", "version")

    def __init__(self, encodings: Encodings = NONE_DECLARED) -> None:
        self._message = messages_in(encodings)
        self._buffer = b""
        self._skipping = False
        self.version: str | None = None
        self.oversize = 0

    def feed(self, chunk: bytes) -> list[Message]:
        """The messages that this chunk completes, in order. Raises NotAmi: close the connection then."""
        self._buffer += chunk
        if self.version is None and not self._take_banner():
            return []
        *blocks, rest = self._buffer.split(END)
        if self._skipping and blocks:
            self._skipping = False
            blocks.pop(0)
        if len(self._buffer) > MAX_MESSAGE:  # else none of them is too long
            short = [block for block in blocks if len(block) <= MAX_MESSAGE]
            self.oversize += len(blocks) - len(short)
            blocks = short
        if len(rest) >= MAX_MESSAGE + len(END):  # its end may have begun
            if not self._skipping:
                self.oversize += 1
                self._skipping = True
            rest = rest[-(len(END) - 1) :]
        self._buffer = rest
        # An extra CRLF between two messages is skipped.
        message = self._message
        return [message(block) for raw in blocks if (block := raw.lstrip(b"\r\n"))]

    def _take_banner(self) -> bool:
        """Whether the banner is complete: `Asterisk Call Manager/11.0.0`, ended by a single CRLF."""
        line, end, rest = self._buffer.partition(b"\r\n")
        if b"\n" in line:
            raise NotAmi("the first line ends in LF and not in CRLF, as Asterisk's do; is this the manager port?")
        if len(line if end else line.removesuffix(b"\r")) > MAX_LINE:
            raise NotAmi("no AMI banner in the first 1,024 bytes; is this the manager port?")
        if not end:
            return False
        if not line.startswith(BANNER_START):
            shown = line[:60].decode("ascii", "backslashreplace")
            raise NotAmi(f"expected 'Asterisk Call Manager/…', got {shown!r}; is this the manager port?")
        self.version = line[len(BANNER_START) :].decode("ascii", "backslashreplace")
        self._buffer = rest
        return True


class NotAmi(ValueError):
    """The other end does not speak AMI."""


def encode(headers: Iterable[tuple[str, str]]) -> bytes:
    """The bytes of one action. Raises UnsafeText where a value could forge a header or is too long.

    Asterisk ends an action line at a bare LF too, so CR, LF and NUL are all refused. A name whose bytes were kept
    goes back as these bytes, so that a queue is found by it.
    """
    lines = list(_lines(headers))
    if len(lines) > MAX_HEADERS:
        raise UnsafeText(f"an action of {len(lines)} headers; Asterisk reads {MAX_HEADERS}")
    return b"\r\n".join(lines) + END


def _lines(headers: Iterable[tuple[str, str]]) -> Iterator[bytes]:
    for name, value in headers:
        line = to_bytes(f"{name}: {value}")
        if b"\r" in line or b"\n" in line or b"\0" in line:
            raise UnsafeText(f"CR, LF or NUL in action header {name}")
        if len(line) > MAX_LINE:
            raise UnsafeText(f"action header {name} is {len(line)} bytes; Asterisk reads {MAX_LINE}")
        yield line


@dataclass(frozen=True, slots=True)
class ListEnd:
    """The event that ends a list. `rows` is how many rows it says came before it, -1 where it does not say."""

    rows: int

    @classmethod
    def of(cls, message: Message) -> ListEnd | None:
        """The list's end, or None where the message does not end a list."""
        if message.get("EventList") != "Complete":
            return None
        items = message.get("ListItems")
        return cls(int(items) if items is not None and items.isdecimal() else -1)
