"""What must hold for each input: one function a part of `cti_server/wire/`. Each raises AssertionError where it
does not, and anything else where the part raises what it does not document.

The first bytes of an input say how the rest is cut, and which encoding is declared.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

from cti_server.wire import agi, ami, text
from cti_server.wire.agi import AgiDecoder, AgiViolation, UnsafeCommand, command, query_of
from cti_server.wire.ami import AmiDecoder, Message, MissingHeader, NotAmi, UnsafeText, encode
from cti_server.wire.text import ENCODINGS, Encodings, read_again, to_bytes, to_text

CODECS: Final = (None, *sorted(set(ENCODINGS.values())))
BANNER: Final = b"Asterisk Call Manager/11.0.0\r\n"
#: some characters have two codes in these: another one may come back (`text.to_bytes`)
TWO_CODES: Final = frozenset({"cp932", "cp950", "big5hkscs"})
_QUOTED: Final = re.compile(rb'"((?:[^"\\]|\\.)*)"', re.DOTALL)


def small_limits() -> None:
    """Lower the limits of the wire, so that inputs of a few hundred bytes reach them."""
    ami.MAX_MESSAGE, ami.MAX_LINE, ami.MAX_HEADERS = 900, 64, 12
    agi.MAX_LINE, agi.MAX_ENVIRONMENT, agi.MAX_VARIABLES, agi.MAX_COMMAND = 200, 700, 12, 120


def cut(data: bytes) -> tuple[int, list[bytes], bytes]:
    """A number, the pieces of the rest, and the rest itself."""
    number, step, rest = (data[0] if data else 0), (data[1] if len(data) > 1 else 0) + 1, data[2:]
    # Small pieces first, where most limits are; the pieces grow, lest a long input take a second.
    pieces, at = [], 0
    while at < len(rest):
        pieces.append(rest[at : at + step])
        at, step = at + step, min(step + step // 4 + (number & 1), 4096)
    return number, pieces, rest


def manager(data: bytes) -> None:
    """AMI, from the PBX."""
    number, pieces, stream = cut(data)
    if number & 2:
        stream, pieces = BANNER + stream, [BANNER, *pieces]
    declared = CODECS[number // 4 % len(CODECS)]
    encodings = Encodings(declared) if declared is not None else text.NONE_DECLARED
    whole, at_once = _fed(AmiDecoder(encodings), [stream])
    parted, in_pieces = _fed(AmiDecoder(encodings), pieces)
    assert at_once == in_pieces
    if at_once is None:
        assert [one.block for one in whole] == [one.block for one in parted]
    for message in whole:
        _readable(message)


def _fed(decoder: AmiDecoder, pieces: list[bytes]) -> tuple[list[Message], type[Exception] | None]:
    messages: list[Message] = []
    for piece in pieces:
        try:
            messages += decoder.feed(piece)
        except NotAmi:
            return messages, NotAmi
        assert len(decoder._buffer) < ami.MAX_MESSAGE + len(ami.END)
    return messages, None


def _readable(message: Message) -> None:
    headers = message.headers
    assert message.malformed + sum(":" in line for line in message._lines()) == len(message._lines())
    assert set(message.duplicates) <= set(headers)
    for name, value in headers.items():
        assert "\r\n" not in value
        assert "\0" not in value
        assert message.get(name) == message[name] == value == message.all(name)[0]
        value.encode()  # a database takes it
    for absent in ("Nowhere", "ActionID\r\nX"):
        if absent not in headers:
            assert message.get(absent) is None
            with suppress(MissingHeader):
                raise AssertionError(f"{absent} is {message[absent]!r}")
    ami.ListEnd.of(message)
    repr(message)


def actions(data: bytes) -> None:
    """AMI, to the PBX: what is encoded is that many lines, and is read back as the same."""
    number, pieces, _ = cut(data)
    values = [to_text(piece, CODECS[number % len(CODECS)]) for piece in pieces]
    headers = [(f"X{n}", value) for n, value in enumerate(values)]
    try:
        sent = encode(headers)
    except UnsafeText:
        assert len(values) > ami.MAX_HEADERS or any(_unsafe(one, ami.MAX_LINE - 8) for one in values)
        return
    assert sent.endswith(ami.END)
    lines = sent.removesuffix(ami.END).split(b"\r\n")
    assert len(lines) == len(headers) or not headers
    assert not any(byte in line for line in lines for byte in (b"\r", b"\n", b"\0"))
    assert [line.partition(b": ")[2] for line in lines if line] == [to_bytes(value) for value in values]


def _unsafe(value: str, most: int) -> bool:
    raw = to_bytes(value)
    return len(raw) > most or any(byte in raw for byte in (b"\r", b"\n", b"\0"))


def session(data: bytes) -> None:
    """AGI, from the PBX."""
    number, pieces, stream = cut(data)
    if number & 2:
        opening = b"agi_network_script: identify?pbx=a\nagi_uniqueid: a.1\n\n"
        stream, pieces = opening + stream, [opening, *pieces]
    codec = CODECS[number // 4 % len(CODECS)]
    whole, at_once, one = _answers(AgiDecoder(lambda environment: codec), [stream])
    parted, in_pieces, other = _answers(AgiDecoder(lambda environment: codec), pieces)
    assert at_once == in_pieces
    if at_once is None:
        assert (whole, one) == (parted, other)
    for name, value in (one or {}).items():
        assert "\n" not in name + value
        assert "\0" not in name + value
        value.encode()
    for value in query_of(one or {}).values():
        value.encode()


def _answers(
    decoder: AgiDecoder, pieces: list[bytes]
) -> tuple[list[Any], type[Exception] | None, Mapping[str, str] | None]:
    answers: list[Any] = []
    for piece in pieces:
        try:
            answers += decoder.feed(piece)
        except AgiViolation:
            return answers, AgiViolation, decoder.environment
        assert len(decoder._buffer) <= agi.MAX_LINE
        assert sum(len(one) for pair in decoder._pending.items() for one in pair) <= agi.MAX_ENVIRONMENT
    return answers, None, decoder.environment


def commands(data: bytes) -> None:
    """AGI, to the PBX: one line, whose arguments Asterisk's parser reads as they were given."""
    number, pieces, _ = cut(data)
    values = [to_text(piece, CODECS[number % len(CODECS)]) for piece in pieces[:4]]
    try:
        sent = command("SET VARIABLE", *values)
    except UnsafeCommand:
        # Each byte may be escaped, and each argument is quoted.
        longest = len("SET VARIABLE") + sum(2 * len(to_bytes(one)) + 3 for one in values)
        assert longest > agi.MAX_COMMAND or any(_unsafe(one, agi.MAX_COMMAND) for one in values)
        return
    assert sent.endswith(b"\n")
    assert not any(byte in sent[:-1] for byte in (b"\r", b"\n", b"\0"))
    if values:
        read = [re.sub(rb"\\(.)", rb"\1", one, flags=re.DOTALL) for one in _QUOTED.findall(sent)]
        assert read == [to_bytes(value) for value in values]


def texts(data: bytes) -> None:
    """Text in any encoding: never an error, no line end or colon that was not there, and the same bytes again."""
    declared = CODECS[(data[0] if data else 0) % len(CODECS)]
    raw = data[1:]
    read = to_text(raw, declared)
    read.encode()
    assert "\0" not in read
    for mark in ("\r", "\n", ":"):
        assert read.count(mark) == raw.count(mark.encode())
    again = {to_bytes(read, codec) for codec in ("utf-8", "gb18030", "cp1252", declared or "utf-8")}
    assert raw in again or declared in TWO_CODES
    # what is read again without a declaration was kept or is plain
    assert read_again(to_text(raw), None) == to_text(to_bytes(to_text(raw))) or text.is_plain(to_text(raw))
    with suppress(UnicodeDecodeError):
        to_bytes(raw.decode("utf-16-le", "surrogatepass")).decode("utf-8", "replace")


TARGETS: Final[Mapping[str, Callable[[bytes], None]]] = {
    "manager": manager,
    "actions": actions,
    "session": session,
    "commands": commands,
    "texts": texts,
}
