"""Reads a dialplan that people wrote: its Queue() steps, and whether a line may be put before each."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from cti_server.doctor.dialplan.lines import is_number
from cti_server.doctor.dialplan.steps import split

from .confs import Line, lines

ASKS = "cti-identify"
#: `exten => 4008001000,1,Queue(support,t)`, `same => n(label),Queue(support)`
STEP = re.compile(r"^(exten|same)\s*=>?\s*(.*)$", re.IGNORECASE)
_QUEUE = re.compile(r"^(?P<priority>[^,]+),\s*Queue\s*\(", re.IGNORECASE)
#: `same => n,ExecIf($[…]?Queue(support))`: another application does it
_INNER_QUEUE = re.compile(r"[?:(]\s*Queue\s*\(", re.IGNORECASE)
#: dialplans in other languages: a line that has a Queue
_OTHER_QUEUE = re.compile(r"\bQueue\s*\(", re.IGNORECASE)
_JUMP = re.compile(r"\b(Goto|GotoIf|GotoIfTime|Gosub|GosubIf)\s*\(", re.IGNORECASE)
#: options of Dial() and the like that lead a call on: F(context^extension^2)
_OPTION = re.compile(r"\b[A-Za-z]\(([^()^]*\^[^()]*)\)")

#: what a Gosub() hands over: (a,${b(c)})
_ARGUMENTS = re.compile(r"\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)\s*$")

Counted = tuple[str | None, str | None]
"""Where steps are counted: a context and an extension, None for any."""


@dataclass(frozen=True, slots=True)
class QueueStep:
    """A step of the dialplan that puts callers into a queue, where it stands, and the number that leads there. On
    FreePBX it is the first step of an inbound route, and the queue is not known; nor is one in a variable.
    `asked`: a step before it in the same extension asks who is calling already. `by_hand`: steps of that extension
    have numbers or are jumped to by number, so that no line may be put between them; or another application does
    the Queue()."""

    line: Line
    exten: str
    queue: str | None
    asked: bool = False
    by_hand: bool = False

    @property
    def is_number(self) -> bool:
        """Whether people can dial it: no `s`, no key of a menu, no pattern."""
        return is_number(self.exten)


def queue_steps(etc: Path) -> list[QueueStep]:
    found: list[QueueStep] = []
    exten: dict[tuple[Path, str], str] = defaultdict(str)
    asking: set[tuple[Path, str, str]] = set()
    counted: set[Counted] = set()
    for line in lines(etc / "extensions.conf", etc):
        if (step := STEP.match(line.text)) is None or line.file.name.startswith("extensions_cti"):
            continue
        place = (line.file, line.section)
        rest = step[2].strip()
        if step[1].lower() == "exten":
            exten[place] = rest.split(",", 1)[0].strip()
            rest = rest.split(",", 1)[1] if "," in rest else ""
        here = exten[place]
        number = re.match(r"\s*(\d+)", rest)
        if number is not None and int(number[1]) > 1:
            counted.add((line.section, here))
        counted.update(_jumps(rest, line.section, here))
        if ASKS in rest:
            asking.add((*place, here))
        if (queue := _QUEUE.match(rest)) is not None:
            try:
                name = arguments(rest[queue.end() :])[0].strip()
            except ValueError:  # nothing closes it: only who wrote it can say what is meant
                name = re.split(r"[,)]", rest[queue.end() :])[0].strip()
            found.append(QueueStep(line, here, None if "$" in name else name, (*place, here) in asking))
        elif (queue := _INNER_QUEUE.search(rest)) is not None:
            name = re.split(r"[,)]", rest[queue.end() :])[0].strip()
            queue_is = None if "$" in name else name
            found.append(QueueStep(line, here, queue_is, (*place, here) in asking, by_hand=True))
    return [
        replace(s, by_hand=s.by_hand or any(_covers(where, s.line.section, s.exten) for where in counted))
        for s in found
    ]


def _covers(where: Counted, context: str, exten: str) -> bool:
    return where[0] in (None, context) and where[1] in (None, exten)


def _jumps(rest: str, context: str, exten: str) -> Iterator[Counted]:
    """Where a step is meant by its number, which a line more before it would make another: by a jump, or by an
    option. A place that only a running call knows may be anywhere."""
    places = []
    for jump in _JUMP.finditer(rest):
        try:
            data = ",".join(arguments(rest[jump.end() :]))
        except ValueError:
            data = rest[jump.end() :]
        if "if" in jump[1].lower():
            _, *branches = split(data, "?")
            data = "?".join(branches)
        places += [split(_ARGUMENTS.sub("", one.strip()), ",") for one in split(data, ":")]
    places += [option.split("^") for option in _OPTION.findall(rest)]
    for parts in places:
        number = parts[-1].strip()
        if number == "1" or not re.fullmatch(r"[+-]?\d+|.*\$.*", number):
            continue
        match [part.strip() for part in parts[:-1]]:
            case []:
                yield context, exten
            case [whom]:
                yield None, _known(whom)  # of this context, or of one that it includes
            case [where, whom]:
                yield _known(where), _known(whom)


def _known(name: str) -> str | None:
    return None if "$" in name else name


def queues_elsewhere(etc: Path) -> list[tuple[str, int, str]]:
    found = []
    for name in ("extensions.ael", "extensions.lua"):
        file = etc / name
        text = file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""
        comment = "--" if name.endswith("lua") else "//"
        for number, line in enumerate(text.splitlines(), 1):
            if _OTHER_QUEUE.search(line.partition(comment)[0]):
                found.append((name, number, line.strip()))
    return found


def arguments(text: str) -> list[str]:
    """The arguments of an application whose call goes on with this text, up to its closing parenthesis: split at
    the commas that are in no function, expression or quotes. Raises ValueError where nothing closes it."""
    return split_call(text)[0]


def split_call(text: str) -> tuple[list[str], str]:
    """As `arguments`, and what follows the call."""
    found, depth, quoted = [""], 0, False
    for at, char in enumerate(text):
        if char == '"' and (at == 0 or text[at - 1] != "\\"):
            quoted = not quoted
        if not quoted and depth == 0 and char == ")":
            return found, text[at + 1 :]
        if not quoted:
            depth += (char in "([{") - (char in ")]}")
        if char == "," and depth == 0 and not quoted:
            found.append("")
        else:
            found[-1] += char
    raise ValueError(f"nothing closes the call: {text}")
