"""The Asterisk Gateway Interface on the wire: the environment that opens a session, commands, replies.

Lines end in LF. The environment is lines `agi_name: value` up to an empty line; after it each command line
is answered by one reply, `200 result=1 (value)`, or by several lines for a usage error (520). `HANGUP` may
come at any time on FastAGI. A caller's name with a newline can forge environment lines: the first wins.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

MAX_ENVIRONMENT = 16 * 1024  # bytes; a real one is about 900
MAX_VARIABLES = 200
MAX_LINE = 8 * 1024
MAX_COMMAND = 2048 - 1  # res_agi reads commands into a buffer of AGI_BUF_LEN in older versions

_REPLY = re.compile(r"^(?P<code>\d{3})(?P<more>[- ])?(?P<rest>.*)$", re.DOTALL)
_RESULT = re.compile(r"^result=(?P<result>\S*)(?: \((?P<value>.*)\))?(?: endpos=(?P<endpos>\d+))?", re.DOTALL)


class AgiViolation(ValueError):
    """The other end is not speaking AGI, or says more than a PBX would."""


class UnsafeCommand(ValueError):
    """A command that cannot be sent: CR, LF or NUL inside, or longer than Asterisk reads."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer to a command. `result` is None where the code is not 200."""

    code: int
    result: str | None
    value: str | None
    text: str

    @property
    def ok(self) -> bool:
        """The command ran and did not fail (`result=-1` is failure or hangup)."""
        return self.code == 200 and self.result != "-1"


@dataclass(frozen=True, slots=True)
class HungUp:
    """The channel is gone; commands still get answers, 511 for most."""


class AgiDecoder:
    """Feed it chunks; `environment` is there once complete, replies come in order after it."""

    __slots__ = ("_buffer", "_pending", "_usage", "environment", "ignored")

    def __init__(self) -> None:
        self._buffer = b""
        self._pending: dict[str, str] = {}
        self._usage: list[str] | None = None
        self.environment: Mapping[str, str] | None = None
        self.ignored = 0

    def feed(self, chunk: bytes) -> list[Reply | HungUp]:
        """The replies that this chunk completes. Raises AgiViolation past a limit or on rubbish."""
        self._buffer += chunk
        *lines, self._buffer = self._buffer.split(b"\n")
        if len(self._buffer) > MAX_LINE:
            raise AgiViolation(f"a line of more than {MAX_LINE} bytes")
        replies: list[Reply | HungUp] = []
        for raw in lines:
            line = raw.removesuffix(b"\r").decode("utf-8", "replace")
            if self.environment is None:
                self._take_variable(line)
            elif (reply := self._take_reply(line)) is not None:
                replies.append(reply)
        return replies

    def _take_variable(self, line: str) -> None:
        if not line:
            if "agi_uniqueid" not in self._pending:
                raise AgiViolation("the AGI environment has no agi_uniqueid; is this Asterisk?")
            self.environment = self._pending
            return
        name, colon, value = line.partition(":")
        if not colon or not name.startswith("agi_"):
            self.ignored += 1  # the rest of a caller name with a newline in it
        else:
            self._pending.setdefault(name, value.removeprefix(" "))
        size = sum(len(k) + len(v) + 3 for k, v in self._pending.items())
        if len(self._pending) > MAX_VARIABLES or self.ignored > MAX_VARIABLES or size > MAX_ENVIRONMENT:
            raise AgiViolation("an AGI environment larger than any PBX sends")

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


def command(verb: str, *arguments: str) -> bytes:
    """One command line. `verb` may hold a space (`SET VARIABLE`); every argument is quoted and escaped.

    The parser in Asterisk honours backslash escapes inside quotes; CR, LF and NUL cannot be carried.
    """
    quoted = " ".join('"' + a.replace("\\", "\\\\").replace('"', '\\"') + '"' for a in arguments)
    text = f"{verb} {quoted}" if arguments else verb
    if "\r" in text or "\n" in text or "\0" in text:
        raise UnsafeCommand(f"CR, LF or NUL in an argument of {verb}")
    line = text.encode("utf-8")
    if len(line) > MAX_COMMAND:
        raise UnsafeCommand(f"{verb} of {len(line)} bytes; Asterisk reads {MAX_COMMAND}")
    return line + b"\n"
