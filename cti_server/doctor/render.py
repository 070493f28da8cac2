"""Prints findings at a terminal: a heading per check, a line with a mark per finding, the remedy below it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import groupby

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from cti_server.doctor.findings import Finding, Status

MARKS = {Status.OK: ("✓", "green"), Status.WARNING: ("!", "yellow"), Status.PROBLEM: ("✗", "bold red")}


def render(findings: Iterable[Finding], console: Console | None = None) -> None:
    """Print the findings in order, and the count at the end."""
    console = console or Console()
    shown = list(findings)
    for check, group in groupby(shown, key=lambda finding: finding.check):
        console.print(Text(check, style="bold"))
        for finding in group:
            mark, style = MARKS[finding.status]
            plain = finding.status is Status.OK
            console.print(
                Padding(Text.assemble((f"{mark} ", style), (finding.what, "" if plain else style)), (0, 2))
            )
            if finding.remedy is not None:
                # Not wrapped, because people copy it.
                for line in finding.remedy.splitlines():
                    console.print(Text(f"      {line}"), soft_wrap=True)
    console.print(Text(summary(shown)))


def summary(findings: Iterable[Finding]) -> str:
    counts = Counter(finding.status for finding in findings)
    if not counts[Status.PROBLEM] and not counts[Status.WARNING]:
        return "\nNothing is in the way."
    problems, warnings = counts[Status.PROBLEM], counts[Status.WARNING]
    return f"\n{problems} problem{'s' * (problems != 1)}, {warnings} warning{'s' * (warnings != 1)}"
