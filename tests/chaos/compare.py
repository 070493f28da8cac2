"""The four accounts of a run held against each other: the callers' ledger, the PBX's channel log (CEL), its
queue_log, and the record.

Each caller has a number of their own, and each call at the PBX a linkedid, so all are compared as sets. A wait or
a talk that differs by more than `TOLERANCE_S` is a difference; while nobody watched nothing else is forgiven.
"""

from __future__ import annotations

import asyncio
import csv
import json
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bench.figures import Figure

from .load import Placed
from .site import PBX, TRUNK, Site

TOLERANCE_S = 1.0
SETTLES_S = 60.0  # a gap is filled 2 s after it is over; a call without its end is looked for three times
EVENT, AT, NUMBER, CHANNEL, APPLICATION, UNIQUEID, LINKEDID, EXTRA = 0, 1, 3, 9, 10, 14, 15, 19
RECORD = (
    "SELECT linkedid, ani_raw, outcome, complete, told_by, wait_ms, talk_ms, hold_ms, queued_at, answered_at,"
    f" started_at, ended_at, ended_by FROM interactions WHERE pbx = '{PBX}'"
)


@dataclass(slots=True)
class Life:
    """One caller's channel, by CEL: seconds of the epoch. `ended` is None where the log has no end."""

    id: str
    number: str
    began: float
    ended: float | None = None
    waits: list[tuple[float, float]] = field(default_factory=list)
    talks: list[tuple[float, float]] = field(default_factory=list)
    _queued: float | None = None
    _bridged: float | None = None

    def take(self, kind: str, at: float, application: str) -> None:
        match kind:
            case "APP_START" if application == "Queue":
                self._queued = at
            case "BRIDGE_ENTER":
                self._over_waiting(at)
                self._bridged = at
            case "BRIDGE_EXIT":
                self._over_talking(at)
            case "APP_END" if application == "Queue":
                self._over_waiting(at)
            case "CHAN_END":
                self._over_waiting(at)
                self._over_talking(at)
                self.ended = at

    def _over_waiting(self, at: float) -> None:
        if self._queued is not None:
            self.waits.append((self._queued, at))
            self._queued = None

    def _over_talking(self, at: float) -> None:
        if self._bridged is not None:
            self.talks.append((self._bridged, at))
            self._bridged = None


def lives(cel: Path) -> dict[str, Life]:
    """The channels of callers from the trunk, by linkedid."""
    found: dict[str, Life] = {}
    with cel.open(encoding="utf-8", errors="replace", newline="") as rows:
        for row in csv.reader(rows):
            if len(row) <= EXTRA or not row[CHANNEL].startswith(TRUNK) or row[UNIQUEID] != row[LINKEDID]:
                continue
            if row[EVENT] == "CHAN_START":
                found[row[UNIQUEID]] = Life(row[UNIQUEID], row[NUMBER], float(row[AT]))
            elif (life := found.get(row[UNIQUEID])) is not None:
                life.number = life.number or row[NUMBER]
                life.take(row[EVENT], float(row[AT]), row[APPLICATION])
    return found


def queue_log(file: Path) -> tuple[set[str], set[str]]:
    """The uniqueids of those who waited in a queue, and of those whom an agent answered."""
    waited, answered = set(), set()
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
        fields = line.split("|")
        if len(fields) > 4 and fields[4] == "ENTERQUEUE":
            waited.add(fields[1])
        elif len(fields) > 4 and fields[4] == "CONNECT":
            answered.add(fields[1])
    return waited, answered


@dataclass(frozen=True, slots=True)
class Off:
    """A time that the record and the PBX's log do not have alike, in seconds."""

    linkedid: str
    what: str
    record: float
    log: float
    told_by: str | None
    complete: bool

    def line(self) -> str:
        times = f"{self.record:.1f} s, by the PBX {self.log:.1f} s"
        return f"{self.linkedid}: {self.what} {times}; told by {self.told_by}, complete {self.complete}"


@dataclass(slots=True)
class Comparison:
    """Numbers and linkedids that are not alike. `never_there` called, and their call never reached the PBX."""

    placed: int
    at_pbx: int
    recorded: int
    by_log: int
    answered: int
    never_there: list[str]
    lost: list[str]
    doubled: list[str]
    nobodys: list[str]
    open: list[str]
    off: list[Off]
    waits_missing: list[str]
    answers_missing: list[str]
    ends_off: list[str]
    settled_s: float = 0.0

    @property
    def is_clean(self) -> bool:
        """Nothing is lost, doubled, nobody's, or without an end."""
        return not (self.lost or self.doubled or self.nobodys or self.open)

    def figures(self) -> list[Figure]:
        none = "0"
        recorded = f"{self.recorded} ({self.by_log} by its log, {self.answered} answered)"
        sets = not (self.waits_missing or self.answers_missing)
        return [
            Figure(
                "calls: placed, at the PBX, in the record",
                f"{self.placed}, {self.at_pbx}, {recorded}",
            ),
            Figure("lost", str(len(self.lost)), none, not self.lost),
            Figure(
                "doubled, nobody's",
                f"{len(self.doubled)}, {len(self.nobodys)}",
                "0, 0",
                not (self.doubled or self.nobodys),
            ),
            Figure("without an end", str(len(self.open)), none, not self.open),
            Figure(f"waits or talks off by more than {TOLERANCE_S:g} s", str(len(self.off)), none, not self.off),
            Figure(
                "in queue_log, not in the record: waits, answers",
                f"{len(self.waits_missing)}, {len(self.answers_missing)}",
                "0, 0",
                sets,
            ),
            Figure("hung up by another than the ledger has it", str(len(self.ends_off)), none, not self.ends_off),
            Figure("all that is known was in the record", f"{self.settled_s:.0f} s after the last call"),
        ]

    def details(self) -> Iterable[str]:
        """A few lines of each difference."""
        for what, which in (
            ("lost", self.lost),
            ("doubled", self.doubled),
            ("nobody's", self.nobodys),
            ("without an end", self.open),
            ("a wait that is not in the record", self.waits_missing),
            ("an answer that is not in the record", self.answers_missing),
            ("hung up by another", self.ends_off),
        ):
            yield from (f"{what}: {one}" for one in which[:5])
        yield from (f"off: {one.line()}" for one in self.off[:8])


def compare(
    ledger: Mapping[str, Placed],
    callers: Mapping[str, Life],
    record: Iterable[Mapping[str, Any]],
    queued: tuple[set[str], set[str]],
) -> Comparison:
    """`callers` are CEL's lives by linkedid, `record` the rows of RECORD, `queued` what queue_log says."""
    rows = list(record)
    ours = {linkedid: life for linkedid, life in callers.items() if life.number in ledger}
    there = {life.number for life in ours.values()}
    counted = Counter(row["linkedid"] for row in rows)
    by_linkedid = {row["linkedid"]: row for row in rows}
    per_number = Counter(row["ani_raw"] for row in rows)
    at_pbx = Counter(life.number for life in ours.values())
    return Comparison(
        placed=len(ledger),
        at_pbx=len(ours),
        recorded=len(rows),
        by_log=sum(row["told_by"] is not None for row in rows),
        answered=sum(row["answered_at"] is not None for row in rows),
        never_there=sorted(set(ledger) - there),
        lost=sorted(set(ours) - set(counted)),
        doubled=sorted(
            {one for one, n in counted.items() if n > 1}
            | {number for number, n in per_number.items() if number in at_pbx and n > at_pbx[number]}
        ),
        nobodys=sorted(f"{row['linkedid']} {row['ani_raw']}" for row in rows if row["linkedid"] not in callers),
        open=sorted(_words(row) for row in rows if _is_open(row, ours.get(row["linkedid"]))),
        off=[off for life in ours.values() if life.id in by_linkedid for off in _off(life, by_linkedid[life.id])],
        waits_missing=sorted(one for one in queued[0] & set(by_linkedid) if by_linkedid[one]["queued_at"] is None),
        answers_missing=sorted(
            one for one in queued[1] & set(by_linkedid) if by_linkedid[one]["answered_at"] is None
        ),
        ends_off=sorted(
            f"{life.id}: the caller's ledger says {ledger[life.number].ended_by}, the record {row['ended_by']}"
            for life in ours.values()
            if (row := by_linkedid.get(life.id)) is not None
            and _ended_otherwise(ledger[life.number].ended_by, row["ended_by"])
        ),
    )


def _is_open(row: Mapping[str, Any], life: Life | None) -> bool:
    """Whether the record lacks an end that the PBX's log has."""
    return row["outcome"] is None or (row["ended_at"] is None and (life is None or life.ended is not None))


def _ended_otherwise(ledger: str, record: str | None) -> bool:
    """`unknown` is no other word: nothing is guessed of an end that nobody saw."""
    if not ledger or record in (None, "unknown"):
        return False
    return (ledger == "we") != (record == "caller")


def _words(row: Mapping[str, Any]) -> str:
    shown = ("ani_raw", "outcome", "complete", "told_by", "started_at", "answered_at", "ended_at")
    return f"{row['linkedid']}: " + ", ".join(f"{name} {row[name]}" for name in shown)


def _off(life: Life, row: Mapping[str, Any]) -> Iterable[Off]:
    if life.ended is None:
        return  # the PBX was killed: nobody knows
    talked = sum(end - begin for begin, end in life.talks)
    waited = sum(end - begin for begin, end in life.waits)
    for what, column, truth in (("waited", "wait_ms", waited), ("talked", "talk_ms", talked)):
        mine = (row[column] or 0) / 1000
        if what == "talked":
            mine += (row["hold_ms"] or 0) / 1000
        if abs(mine - truth) > TOLERANCE_S:
            yield Off(life.id, what, mine, truth, row["told_by"], bool(row["complete"]))


async def settled(site: Site, ledger: Mapping[str, Placed], *, times_too: bool = True) -> Comparison:
    """The comparison once nothing changes it any more: all calls are over and all gaps filled, or after
    `SETTLES_S`. Without `times_too`, once no call is lost, doubled or open."""
    began = time.monotonic()
    while True:
        callers = lives(site.pbx.cel)
        found = compare(ledger, callers, await site.rows(RECORD), queue_log(site.pbx.queue_log))
        gaps = await site.rows(f"SELECT id FROM gaps WHERE pbx = '{PBX}' AND filled_at IS NULL")
        found.settled_s = time.monotonic() - began
        if (found.is_clean and not (times_too and (found.off or gaps))) or found.settled_s > SETTLES_S:
            return found
        if not gaps and found.settled_s > 20 and not found.lost and not found.open:
            return found  # what is off stays off
        await asyncio.sleep(1)


def kept(site: Site, folder: Path, ledger: Mapping[str, Placed]) -> None:
    """Keep what a difference can be looked up in: the ledger, both logs of the PBX, ours."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cel.csv").write_bytes(site.pbx.cel.read_bytes())
    (folder / "asterisk.log").write_bytes(site.pbx.log_file.read_bytes())
    if site.pbx.queue_log.exists():
        (folder / "queue_log").write_bytes(site.pbx.queue_log.read_bytes())
    for server in site.servers:
        (folder / server.center.log.name).write_bytes(server.center.log.read_bytes())
    lines = [json.dumps({name: getattr(one, name) for name in Placed.__slots__}) for one in ledger.values()]
    (folder / "ledger.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
