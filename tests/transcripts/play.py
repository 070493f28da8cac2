"""Play a recorded transcript: the bytes go through the real decoder and translator and come out as signals."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cti_server.asterisk import snapshot
from cti_server.asterisk.translate import stamp, translate
from cti_server.floor.signals import Signal, Snapshot
from cti_server.wire.ami import AmiDecoder, Message, MissingHeader

FOLDER = Path(__file__).parent
#: the lists of one snapshot in the order in which record.py asks for them, by the event that ends each
ENDS = {
    "StatusComplete": "Status",
    "QueueStatusComplete": "Queue",
    "BridgeListComplete": "Bridges",
}
LAST = "DeviceStateListComplete"


@dataclass
class Transcript:
    """A scenario: what was done and what is true of it, and its tapes."""

    name: str
    truth: dict[str, Any]
    tapes: list[bytes] = field(default_factory=list)

    @classmethod
    def load(cls, name: str) -> Transcript:
        truth = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
        return cls(name, truth, [(FOLDER / tape).read_bytes() for tape in truth["tapes"]])

    def signals(self, *, warnings: list[str] | None = None) -> Iterator[Signal]:
        """Every signal of every tape, snapshots among them where record.py took one."""
        at = 0.0
        for tape in self.tapes:
            player = _Tape(at, warnings if warnings is not None else [])
            for message in AmiDecoder().feed(tape):
                yield from player.take(message)
            at = player.at


def names() -> list[str]:
    """All scenarios that were recorded."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


class _Tape:
    def __init__(self, at: float, warnings: list[str]) -> None:
        self.at = at
        self.boot = 0
        self._warnings = warnings
        self._attached = False
        self._rows: dict[str, list[Message]] = {}
        self._lists: dict[str, list[Message]] = {}

    def take(self, message: Message) -> Iterator[Signal]:
        action_id = message.get("ActionID")
        if message.event is None:
            if message.get("CoreStartupDate") is not None:
                self.boot = snapshot.boot_of(message)
            if action_id is not None:
                self._rows[action_id] = []
        elif action_id is not None and action_id in self._rows:
            yield from self._take_row(message, self._rows[action_id])
        else:
            self.at = max(self.at, stamp(message, self.at))
            try:
                if (signal := translate(message, self.at)) is not None:
                    yield signal
            except (MissingHeader, ValueError) as cause:
                self._warnings.append(str(cause))

    def _take_row(self, message: Message, rows: list[Message]) -> Iterator[Snapshot]:
        if message.get("EventList") != "Complete":
            rows.append(message)
            return
        if message.event in ENDS:
            self._lists[ENDS[message.event]] = rows
        if message.event == LAST:
            taken = snapshot.build(
                self.at,
                self.boot,
                self._lists.get("Status", []),
                self._lists.get("Queue", []),
                self._lists.get("Bridges", []),
            )
            # The first one of a tape starts over; the others look for drift.
            yield replace(taken, drift_check=self._attached)
            self._attached = True
