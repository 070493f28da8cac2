"""One run: the site comes up, callers come, something is broken meanwhile, and the accounts are compared."""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from tests.bench.figures import Figure, out
from tests.bench.floorplan import SALES

from .compare import Comparison, kept, settled
from .load import Load
from .site import LINE, Site, site

WARM_S = 4.0  # of calls before something is broken
OVER_S = 90.0  # after which calls that should be over are given up


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says. `seconds`, `times` and `away_s` are None for the short form of each fault."""

    seed: int = 1
    rate: float = 10.0
    seconds: float | None = None
    times: int | None = None
    away_s: float | None = None
    agents: int = SALES
    times_too: bool = True
    """Whether waits and talks are to settle, too; without, a run ends once nothing is lost, doubled or open."""
    keep: Path | None = None

    def dice(self, fault: str) -> random.Random:
        """The same for the same seed and fault, whatever ran before."""
        return random.Random(f"{self.seed} {fault}")


class Fault(NamedTuple):
    """`run` breaks it and returns what was measured; it ends by itself within `limit_s`."""

    name: str
    what: str
    run: Callable[[Options], Awaitable[list[Figure]]]
    limit_s: float = 300.0


@dataclass(eq=False)
class Run:
    """A site under load. Break something, `note` figures, then `finish`."""

    name: str
    options: Options
    site: Site
    load: Load
    figures: list[Figure] = field(default_factory=list)
    comparison: Comparison | None = None

    def note(self, what: str, figure: str, goal: str = "", met: bool | None = None) -> None:
        self.figures.append(Figure(what, figure, goal, met))

    def worst(self, what: str, seconds: list[float | None], goal_s: float) -> None:
        """The longest of several times beside its goal; None is one that never came."""
        if not seconds or any(one is None for one in seconds):
            missing = sum(one is None for one in seconds)
            self.note(what, f"{missing} of {len(seconds)} did not come", f"{goal_s:g} s", met=False)
            return
        taken = sorted(one for one in seconds if one is not None)
        middle = taken[len(taken) // 2]
        shown = f"{taken[-1]:.2f} s" + (f" (median {middle:.2f} s of {len(taken)})" if len(taken) > 1 else "")
        self.note(what, shown, f"{goal_s:g} s", met=taken[-1] <= goal_s)

    async def finish(self) -> None:
        """Wait until the last call is over, compare, and note what came of it."""
        deadline = time.monotonic() + (self.options.seconds or 0) + OVER_S
        while self.load.running and time.monotonic() < deadline:
            await asyncio.sleep(0.2)
        ledger = self.load.ledger()
        self.comparison = await settled(self.site, ledger, times_too=self.options.times_too)
        self.figures += self.comparison.figures()
        self._people()
        for line in self.comparison.details():
            out.print(f"  {self.name}: {line}", style="dim", markup=False)
        if self.options.keep is not None:
            kept(self.site, self.options.keep / self.name, ledger)

    def _people(self) -> None:
        again = sum(one.again for one in self.site.everybody)
        resets = sum(len(one.resets) for one in self.site.everybody)
        self.note("desktops: events told twice, started over", f"{again}, {resets}", "0, 0", not (again or resets))
        reasons = Counter(reason for one in self.site.everybody for _, reason in one.resets)
        for reason, count in reasons.items():
            out.print(f"  {self.name}: {count} desktops started over: {reason}", style="dim", markup=False)


@asynccontextmanager
async def under_load(name: str, options: Options, seconds: float, **made: Any) -> AsyncIterator[Run]:
    """A run whose callers come for `seconds`, or as long as the options say; `made` is for `site`. Whatever
    happens in the block, everything is ended after it."""
    with tempfile.TemporaryDirectory(prefix="cti-chaos-") as folder:
        async with site(Path(folder), agents_at_work=options.agents, **made) as there:
            load = Load(there.pbx, LINE, options.rate, options.seconds or seconds, options.seed)
            run = Run(name, options, there, load)
            try:
                await asyncio.sleep(WARM_S)
                yield run
            except BaseException:
                if options.keep is not None:
                    kept(there, options.keep / name, load.ledger())
                raise
            finally:
                if aborted := load.errors().count("Aborting call"):
                    out.print(f"  {name}: {aborted} calls went otherwise than a caller expects", style="dim")
                load.close()
