"""What a benchmark prints: the goal beside the figure, and the machine it was taken on."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from rich.console import Console
from rich.table import Table

out = Console(highlight=False)


@dataclass(frozen=True)
class Figure:
    """One line. `met` is None where there is no goal."""

    what: str
    figure: str
    goal: str = ""
    met: bool | None = None


def show(title: str, figures: Iterable[Figure]) -> None:
    table = Table("what", "goal", "figure", "", title=title, title_justify="left")
    for one in figures:
        verdict = {True: "[green]met[/]", False: "[bold red]missed[/]", None: ""}[one.met]
        table.add_row(one.what, one.goal, one.figure, verdict)
    out.print(table)


def percentile(values: Sequence[float], percent: float) -> float:
    """The nearest rank: a value that was measured, never one between two."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)]


def spread(values: Sequence[float]) -> str:
    """The tail in one cell, milliseconds."""
    named = ((50, "p50"), (95, "p95"), (99, "p99"), (100, "max"))
    return "  ".join(f"{name} {percentile(values, percent):.1f}" for percent, name in named) + " ms"


def rss_mb(pid: int) -> float:
    """Resident memory of one process, 10^6 bytes."""
    with open(f"/proc/{pid}/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def machine() -> str:
    packages = []
    for name in ("uvloop", "asyncpg", "aiosqlite", "sqlalchemy", "websockets"):
        try:
            packages.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores ({_processor()}), {memory:.0f} GiB, {platform.system()} {platform.release()}, "
        f"{platform.python_implementation()} {platform.python_version()}, {', '.join(packages)}; "
        f"load before {os.getloadavg()[0]:.1f}"
    )


def _processor() -> str:
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        names = [line.partition(":")[2].strip() for line in info if line.startswith("model name")]
    return names[0] if names else platform.machine()
