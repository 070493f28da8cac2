"""What a PBX has, read from its configuration files: its kind, queues, numbers that lead to them, phones."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from cti_server.doctor.dialplan.lines import is_number

from .confs import Line, lines, value

#: `exten => 4008001000,1,Queue(support,t)`, `same => n(label),Queue(support)`
_STEP = re.compile(r"^(exten|same)\s*=>?\s*(.*)$")
_QUEUE = re.compile(r"^(?P<priority>[^,]+),\s*Queue\(", re.IGNORECASE)
#: `same => n,ExecIf($[…]?Queue(support))`: another application does it
_INNER_QUEUE = re.compile(r"[?:(]\s*Queue\(", re.IGNORECASE)
#: dialplans in other languages: a line that has a Queue
_OTHER_QUEUE = re.compile(r"\bQueue\s*\(", re.IGNORECASE)
#: a jump to a step by its number, which a line more before it would make another step
_JUMP = re.compile(r"\b(?:Goto|GotoIf|GotoIfTime|Gosub|GosubIf)\(.*?[,(?:](\d+)\s*[):]", re.IGNORECASE)


ASKS = "cti-identify"
#: the context in which FreePBX has them
CUSTOM_DESTINATIONS = "customdests"


class Kind(StrEnum):
    PLAIN = "plain Asterisk"
    FREEPBX = "FreePBX"
    ISSABEL = "Issabel"


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


@dataclass(frozen=True, slots=True)
class Layout:
    """`queues` maps each queue to the interfaces of its members, `phones` are endpoints whose name is a number,
    `trunks` the others. `elsewhere`: (file, line, text) of each Queue() of a dialplan in AEL or Lua. `manager_on`
    and `manager_port` are what [general] of manager.conf says. `national`: its outbound routes take no number as
    `+…`."""

    etc: Path
    kind: Kind
    queues: dict[str, tuple[str, ...]]
    steps: Sequence[QueueStep]
    elsewhere: Sequence[tuple[str, int, str]]
    phones: Sequence[str]
    trunks: Sequence[str]
    manager_on: bool
    manager_port: int
    national: bool = False


def read(etc: Path) -> Layout:
    """Read /etc/asterisk. Files that are not there are read as empty."""
    phones, trunks = _endpoints(etc)
    kind = _kind(etc)
    manager = _general(etc / "manager.conf", etc)
    port = manager.get("port", "5038")
    return Layout(
        etc,
        kind,
        _queues(etc),
        _steps(etc) if kind is Kind.PLAIN else _routes(etc),
        _elsewhere(etc),
        phones,
        trunks,
        manager.get("enabled", "no").lower() in ("yes", "true", "on", "1"),
        int(port) if port.isdecimal() else 5038,
        kind is not Kind.PLAIN and not _takes_plus(etc),
    )


def _kind(etc: Path) -> Kind:
    root = etc.parent
    if (root / "issabel.conf").exists():
        return Kind.ISSABEL
    generated = (etc / "extensions_additional.conf").exists() and (etc / "extensions_custom.conf").exists()
    return Kind.FREEPBX if generated or (root / "freepbx.conf").exists() else Kind.PLAIN


def _general(file: Path, etc: Path) -> dict[str, str]:
    said = (value(line.text) for line in lines(file, etc) if line.section == "general")
    return dict(pair for pair in said if pair is not None)


def _queues(etc: Path) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for line in lines(etc / "queues.conf", etc):
        if line.section in ("", "general") or "!" in line.inherits:
            continue
        members = found.setdefault(line.section, [])
        if (pair := value(line.text)) is not None and pair[0] == "member":
            members.append(pair[1].split(",")[0].strip())
    return {name: tuple(members) for name, members in found.items()}


def _steps(etc: Path) -> list[QueueStep]:
    found: list[QueueStep] = []
    exten: dict[tuple[Path, str], str] = defaultdict(str)
    asking: set[tuple[Path, str, str]] = set()
    counted: set[tuple[str, str]] = set()
    for line in lines(etc / "extensions.conf", etc):
        if (step := _STEP.match(line.text)) is None or line.file.name.startswith("extensions_cti"):
            continue
        place = (line.file, line.section)
        rest = step[2].strip()
        if step[1] == "exten":
            exten[place] = rest.split(",", 1)[0].strip()
            rest = rest.split(",", 1)[1] if "," in rest else ""
        here = exten[place]
        number = re.match(r"\s*(\d+)", rest)
        if number is not None and int(number[1]) > 1:
            counted.add((line.section, here))
        if any(int(jump[1]) > 1 for jump in _JUMP.finditer(rest)):
            counted.add((line.section, ""))
        if ASKS in rest:
            asking.add((*place, here))
        if (queue := _QUEUE.match(rest)) is not None:
            name = arguments(rest[queue.end() :])[0].strip()
            found.append(QueueStep(line, here, None if "$" in name else name, (*place, here) in asking))
        elif (queue := _INNER_QUEUE.search(rest)) is not None:
            name = re.split(r"[,)]", rest[queue.end() :])[0].strip()
            queue_is = None if "$" in name else name
            found.append(QueueStep(line, here, queue_is, (*place, here) in asking, by_hand=True))
    return [
        replace(s, by_hand=s.by_hand or bool(counted & {(s.line.section, s.exten), (s.line.section, "")}))
        for s in found
    ]


def _elsewhere(etc: Path) -> list[tuple[str, int, str]]:
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


def _routes(etc: Path) -> list[QueueStep]:
    """The inbound routes of FreePBX and Issabel: the numbers in its contexts `ext-did…`."""
    found: dict[str, QueueStep] = {}
    for line in lines(etc / "extensions.conf", etc):
        step = _STEP.match(line.text) if line.section.startswith("ext-did") else None
        exten = step[2].split(",", 1)[0].strip() if step is not None and step[1] == "exten" else ""
        if exten.lstrip("+").isdecimal():
            found.setdefault(exten, QueueStep(line, exten, None))
    return list(found.values())


def _takes_plus(etc: Path) -> bool:
    """Whether an outbound route of FreePBX has a pattern for numbers that begin with `+`."""
    routes = (line.text for line in lines(etc / "extensions.conf", etc) if line.section.startswith("outrt-"))
    return any(re.match(r"exten\s*=>?\s*_?(\[[^\]]*\+|\+|[.!])", text) for text in routes)


def led_through(etc: Path) -> list[str]:
    """From where FreePBX or Issabel leads calls to our contexts: `4008001000 in [ext-did]`. FreePBX has an
    extension for each Custom Destination, which is called; Issabel goes to what the destination says itself."""
    found: list[tuple[str, str, str]] = []
    exten: dict[str, str] = defaultdict(str)
    for line in lines(etc / "extensions.conf", etc):
        if (step := _STEP.match(line.text)) is not None:
            if step[1] == "exten":
                exten[line.section] = step[2].split(",", 1)[0].strip()
            found.append((line.section, exten[line.section], step[2]))
    calls = re.compile(r"\b(?:Gosub|Goto)\((?:cti-freepbx|cti-to-[^,]+),")
    destinations = {
        exten for section, exten, step in found if section == CUSTOM_DESTINATIONS and calls.search(step)
    }
    return [
        f"{exten} in [{section}]"
        for section, exten, step in found
        if (calls.search(step) and section != CUSTOM_DESTINATIONS)
        or any(f"({CUSTOM_DESTINATIONS},{destination}," in step for destination in destinations)
    ]


def _endpoints(etc: Path) -> tuple[list[str], list[str]]:
    """The names of PJSIP endpoints: phones, which have a number for a name and sign in, and trunks."""
    types: dict[str, set[str]] = defaultdict(set)
    templates: dict[str, tuple[str, ...]] = {}
    trunks: set[str] = set()  # the provider is known by its address, or we sign in there
    for line in lines(etc / "pjsip.conf", etc):
        if "!" in line.inherits:
            templates[line.section] = line.inherits
        types[line.section].update(parent for parent in line.inherits if parent not in ("!", "+"))
        if (pair := value(line.text)) is None:
            continue
        match pair[0]:
            case "type":
                types[line.section].add(f"type={pair[1]}")
            case "endpoint":  # of an identify or a registration
                trunks.add(pair[1])
            case "outbound_auth":
                trunks.add(line.section)

    def is_endpoint(name: str, depth: int = 0) -> bool:
        said = types.get(name, set())
        return "type=endpoint" in said or (depth < 4 and any(is_endpoint(other, depth + 1) for other in said))

    named = sorted(name for name in types if name not in templates and is_endpoint(name))
    phones = [name for name in named if name.isdecimal() and name not in trunks]
    return phones, [name for name in named if name not in phones]
