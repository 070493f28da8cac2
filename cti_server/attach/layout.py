"""What a PBX has, read from its configuration files: its kind, queues, numbers that lead to them, phones."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from .confs import Line, lines, value

#: `exten => 4008001000,1,Queue(support,t)`, `same => n(label),Queue(support)`
_STEP = re.compile(r"^(exten|same)\s*=>?\s*(.*)$")
_QUEUE = re.compile(r"^(?:(?P<exten>[^,]+),)?(?P<priority>[^,]+),\s*Queue\((?P<args>.*)\)\s*$")


class Kind(StrEnum):
    PLAIN = "plain Asterisk"
    FREEPBX = "FreePBX"
    ISSABEL = "Issabel"


@dataclass(frozen=True, slots=True)
class QueueStep:
    """A step of the dialplan that puts callers into a queue, where it stands, and the number that leads there. On
    FreePBX it is the first step of an inbound route, and the queue is not known."""

    line: Line
    exten: str
    queue: str | None


@dataclass(frozen=True, slots=True)
class Layout:
    """`queues` maps each queue to the interfaces of its members, `phones` are endpoints whose name is a number,
    `trunks` the others. `manager_on` and `manager_port` are what [general] of manager.conf says."""

    etc: Path
    kind: Kind
    queues: dict[str, tuple[str, ...]]
    steps: Sequence[QueueStep]
    phones: Sequence[str]
    trunks: Sequence[str]
    manager_on: bool
    manager_port: int


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
        phones,
        trunks,
        manager.get("enabled", "no").lower() in ("yes", "true", "on", "1"),
        int(port) if port.isdecimal() else 5038,
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
    for line in lines(etc / "extensions.conf", etc):
        if (step := _STEP.match(line.text)) is None or line.file.name.startswith("extensions_cti"):
            continue
        place = (line.file, line.section)
        rest = step[2].strip()
        if step[1] == "exten":
            exten[place] = rest.split(",", 1)[0].strip()
            rest = rest.split(",", 1)[1] if "," in rest else ""
        if (queue := _QUEUE.match(rest)) is not None and not queue["exten"]:
            name = queue["args"].split(",")[0].strip()
            found.append(QueueStep(line, exten[place], name))
    return found


def _routes(etc: Path) -> list[QueueStep]:
    """The inbound routes of FreePBX and Issabel: the numbers in its contexts `ext-did…`."""
    found: dict[str, QueueStep] = {}
    for line in lines(etc / "extensions.conf", etc):
        step = _STEP.match(line.text) if line.section.startswith("ext-did") else None
        exten = step[2].split(",", 1)[0].strip() if step is not None and step[1] == "exten" else ""
        if exten.lstrip("+").isdecimal():
            found.setdefault(exten, QueueStep(line, exten, None))
    return list(found.values())


def _endpoints(etc: Path) -> tuple[list[str], list[str]]:
    """The names of PJSIP endpoints, and of chan_sip peers: phones, and others."""
    types: dict[str, set[str]] = defaultdict(set)
    templates: dict[str, tuple[str, ...]] = {}
    for line in lines(etc / "pjsip.conf", etc):
        if "!" in line.inherits:
            templates[line.section] = line.inherits
        types[line.section].update(parent for parent in line.inherits if parent not in ("!", "+"))
        if (pair := value(line.text)) is not None and pair[0] == "type":
            types[line.section].add(f"type={pair[1]}")

    def is_endpoint(name: str, depth: int = 0) -> bool:
        said = types.get(name, set())
        return "type=endpoint" in said or (depth < 4 and any(is_endpoint(other, depth + 1) for other in said))

    named = [name for name in types if name not in templates and is_endpoint(name)]
    return sorted(n for n in named if n.isdecimal()), sorted(n for n in named if not n.isdecimal())
