"""What a walk has found: where the server was not what Asterisk said, and what was done before."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

STEPS_SHOWN = 14


class Difference(NamedTuple):
    """One thing that is not the same on both sides: a kind, by which findings are counted, and words."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Finding:
    """`kind` is how findings are counted; `sides` shows both sides, a line each."""

    seed: int
    step: int
    kind: str
    text: str
    before: tuple[str, ...]
    sides: tuple[str, ...]

    def lines(self) -> Iterator[str]:
        yield f"FINDING  {self.kind}: {self.text}  (seed {self.seed}, action {self.step})"
        yield from (f"  did       {line}" for line in self.before)
        yield from self.sides


@dataclass
class Log:
    """What was done, the last steps of it in words, and what was found."""

    seed: int
    done: Counter[str] = field(default_factory=Counter)
    last: deque[str] = field(default_factory=lambda: deque(maxlen=STEPS_SHOWN))
    findings: list[Finding] = field(default_factory=list)
    calls: int = 0
    comparisons: int = 0
    unquiet: int = 0
    restarts: int = 0
    clean_starts: int = 0
    _began: float = field(default_factory=time.monotonic)

    def did(self, step: int, kind: str, what: str, answer: str) -> None:
        self.done[kind] += 1
        self.note(step, what + (f" → {answer}" if answer else ""))

    def note(self, step: int, what: str) -> None:
        self.last.append(f"{time.monotonic() - self._began:7.2f} s  {step}. {what}")

    def found(self, step: int, kind: str, text: str, sides: Iterable[str] = ()) -> Finding:
        made = Finding(self.seed, step, kind, text, tuple(self.last), tuple(sides))
        self.findings.append(made)
        return made

    def summary(self) -> Iterator[str]:
        actions = sum(self.done.values())
        yield f"seed {self.seed}: {actions} actions, {self.calls} callers, {self.restarts} restarts of the server"
        yield f"  {self.comparisons} comparisons ({self.unquiet} given up: Asterisk did not come to rest)"
        yield f"  {self.clean_starts} clean starts"
        for kind, count in self.done.most_common():
            yield f"  {count:5}  {kind}"
        yield f"  {len(self.findings)} findings"
        for kind, count in Counter(one.kind for one in self.findings).most_common():
            yield f"  {count:5}  {kind}"
