"""The Asterisk Gateway Interface on the wire: the environment that opens a session, commands, replies.

Lines end in LF. The environment is a number of lines `agi_name: value` and ends with an empty line. After it
Asterisk answers each command with one reply, `200 result=1 (value)`, or with several lines for a usage error
(520). On FastAGI `HANGUP` may come at any time. A caller's name with a newline in it can forge lines of the
environment, so of a name that occurs twice the first value counts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from .text import to_bytes, to_text

MAX_ENVIRONMENT = 16 * 1024  # bytes; a real one is about 900
MAX_VARIABLES = 200
MAX_LINE = 8 * 1024
MAX_COMMAND = 2048 - 1  # res_agi reads commands into a buffer of AGI_BUF_LEN in older versions

_REPLY = re.compile(r"^(?P<code>\d{3})(?P<more>[- ])?(?P<rest>.*)$", re.DOTALL)
_RESULT = re.compile(r"^result=(?P<result>\S*)(?: \((?P<value>.*)\))?(?: endpos=(?P<endpos>\d+))?", re.DOTALL)


class AgiViolation(ValueError):
    """The other end does not speak AGI, or sends more than a PBX would."""


class UnsafeCommand(ValueError):
    """A command cannot be sent: it contains CR, LF or NUL, or is longer than Asterisk reads."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The reply to one command. `result` and `value` are None where it has none; only code 200 has a result."""

    code: int
    result: str | None
    value: str | None
    text: str

    @property
    def ok(self) -> bool:
        """Whether the command ran without failing; `result=-1` means that it failed or the channel hung up."""
        return self.code == 200 and self.result != "-1"


@dataclass(frozen=True, slots=True)
class HungUp:
    """The channel has hung up. Asterisk still answers commands, most of them with 511."""


class AgiDecoder:
    """Turns the chunks of one AGI session into its environment and its replies. Make a new one for each session.

    `declared` is given the environment, and says which codec what is not UTF-8 is in. `environment` is None until
    it is complete. `ignored` counts the lines in it that are not `agi_name: value`.
    """

    __slots__ = ("_buffer", "_codec", "_declared", "_pending", "_usage", "environment", "ignored")

    def __init__(self, declared: Callable[[Mapping[str, str]], str | None] = lambda environment: None) -> None:
        self._buffer = b""
        self._declared = declared
        self._codec: str | None = None
        self._pending: dict[bytes, bytes] = {}
        self._usage: list[str] | None = None
        self.environment: Mapping[str, str] | None = None
        self.ignored = 0

    def feed(self, chunk: bytes) -> list[Reply | HungUp]:
        """The replies that this chunk completes, in order. Raises AgiViolation: close the session then."""
        self._buffer += chunk
        *lines, self._buffer = self._buffer.split(b"\n")
        if len(self._buffer) > MAX_LINE or any(len(line) > MAX_LINE for line in lines):
            raise AgiViolation(f"a line of more than {MAX_LINE} bytes")
        replies: list[Reply | HungUp] = []
        for raw in lines:
            line = raw.removesuffix(b"\r")
            if self.environment is None:
                self._take_variable(line)
            elif (reply := self._take_reply(to_text(line, self._codec))) is not None:
                replies.append(reply)
        return replies

    def _take_variable(self, line: bytes) -> None:
        if not line:
            if b"agi_uniqueid" not in self._pending:
                raise AgiViolation("the AGI environment has no agi_uniqueid; is this Asterisk?")
            self._codec = self._declared(self._read(None))
            self.environment = self._read(self._codec)
            return
        name, colon, value = line.partition(b":")
        if not colon or not name.startswith(b"agi_"):
            self.ignored += 1  # the rest of a caller name with a newline in it
        else:
            self._pending.setdefault(name, value.removeprefix(b" "))
        size = sum(len(k) + len(v) + 3 for k, v in self._pending.items())
        if len(self._pending) > MAX_VARIABLES or self.ignored > MAX_VARIABLES or size > MAX_ENVIRONMENT:
            raise AgiViolation("an AGI environment larger than any PBX sends")

    def _read(self, codec: str | None) -> Mapping[str, str]:
        return {to_text(name): to_text(value, codec) for name, value in self._pending.items()}

    def _take_reply(self, line: str) -> Reply | HungUp | None:
        if self._usage is not None:
            self._usage.append(line)
            if line.startswith("520 "):
                text, self._usage = "\n".join(self._usage), None
                return Reply(520, None, None, text)
            if len(self._usage) > MAX_VARIABLES:
                raise AgiViolation("a usage text without end")
            return None
        if line == "HANGUP":
            return HungUp()
        found = _REPLY.match(line)
        if found is None:
            raise AgiViolation(f"not an AGI reply: {line[:60]!r}")
        code, rest = int(found["code"]), found["rest"]
        if code == 520 and found["more"] == "-":
            self._usage = [rest]
            return None
        if code == 200 and (parts := _RESULT.match(rest)) is not None:
            return Reply(code, parts["result"], parts["value"], rest)
        return Reply(code, None, None, rest)


def query_of(environment: Mapping[str, str]) -> Mapping[str, str]:
    """The parameters after the `?` of the session's URL, of one that occurs twice the first.

    A `+` is a plus: a dialplan writes `agi://…/identify?dnis=${EXTEN}`, and nobody there encodes a form.
    """
    url = environment.get("agi_request") or environment.get("agi_network_script", "")
    found: dict[str, str] = {}
    for part in url.partition("?")[2].split("&"):
        name, equals, value = part.partition("=")
        if equals:
            found.setdefault(name, to_text(unquote_to_bytes(to_bytes(value))))
    return found


def command(verb: str, *arguments: str) -> bytes:
    """The bytes of one command. `verb` may contain a space (`SET VARIABLE`); every argument is quoted and escaped.

    Asterisk's parser honours backslash escapes inside quotes. Nothing escapes CR, LF and NUL: UnsafeCommand.
    """
    quoted = " ".join('"' + a.replace("\\", "\\\\").replace('"', '\\"') + '"' for a in arguments)
    line = to_bytes(f"{verb} {quoted}" if arguments else verb)
    if b"\r" in line or b"\n" in line or b"\0" in line:
        raise UnsafeCommand(f"CR, LF or NUL in an argument of {verb}")
    if len(line) > MAX_COMMAND:
        raise UnsafeCommand(f"{verb} of {len(line)} bytes; Asterisk reads {MAX_COMMAND}")
    return line + b"\n"
