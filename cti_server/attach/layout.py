"""What a PBX has, read from its configuration files: its kind, queues, numbers that lead to them, phones."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from .confs import lines, value
from .steps import STEP, QueueStep, queue_steps, queues_elsewhere

#: the context in which FreePBX has them
CUSTOM_DESTINATIONS = "customdests"


class Kind(StrEnum):
    PLAIN = "plain Asterisk"
    FREEPBX = "FreePBX"
    ISSABEL = "Issabel"


@dataclass(frozen=True, slots=True)
class Layout:
    """`queues` maps each queue to the interfaces of its members, `phones` are endpoints whose name is a number,
    `trunks` the others. `elsewhere`: (file, line, text) of each Queue() of a dialplan in AEL or Lua. `manager_on`
    and `manager_port` are what [general] of manager.conf says. `national`: its outbound routes take no number as
    `+…`. `manager_general`: manager.conf has that section, to which lines can be added."""

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
    manager_general: bool = True


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
        queue_steps(etc) if kind is Kind.PLAIN else _routes(etc),
        queues_elsewhere(etc),
        phones,
        trunks,
        manager.get("enabled", "no").lower() in ("yes", "true", "on", "1"),
        int(port) if port.isdecimal() else 5038,
        kind is not Kind.PLAIN and not _takes_plus(etc),
        any(line.section == "general" for line in lines(etc / "manager.conf", etc)),
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


def _routes(etc: Path) -> list[QueueStep]:
    """The inbound routes of FreePBX and Issabel: the numbers in its contexts `ext-did…`."""
    found: dict[str, QueueStep] = {}
    for line in lines(etc / "extensions.conf", etc):
        step = STEP.match(line.text) if line.section.startswith("ext-did") else None
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
        if (step := STEP.match(line.text)) is not None:
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
