"""Small pictures of what was sampled while something ran: a line of text, and an SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

BARS = "▁▂▃▄▅▆▇█"
WIDTH, HEIGHT, LEFT, GAP = 720, 90, 10, 34
MOST_POINTS = 360


def thinned(values: Sequence[float], most: int) -> list[float]:
    """At most so many of them, each the mean of its stretch, in order."""
    if len(values) <= most:
        return list(values)
    edges = [round(n * len(values) / most) for n in range(most + 1)]
    return [sum(values[a:b]) / (b - a) for a, b in zip(edges, edges[1:], strict=False)]


def sparkline(values: Sequence[float], width: int = 40) -> str:
    """The values between their least and their greatest, one character a stretch."""
    shown = thinned(values, width)
    if not shown:
        return ""
    low, span = min(shown), max(shown) - min(shown)
    return "".join(BARS[round((one - low) / span * (len(BARS) - 1)) if span else 0] for one in shown)


def svg(title: str, series: Mapping[str, Sequence[float]], minutes: float) -> str:
    """One panel a series, each with its own scale from 0, over so many minutes."""
    panels = []
    for number, (name, values) in enumerate(series.items()):
        top = 30 + number * (HEIGHT + GAP)
        shown = thinned(values, MOST_POINTS)
        most = max(shown, default=0.0) or 1.0
        step = WIDTH / max(1, len(shown) - 1)
        points = " ".join(
            f"{LEFT + n * step:.1f},{top + HEIGHT * (1 - one / most):.1f}" for n, one in enumerate(shown)
        )
        words = f"{name}: first {shown[0]:.1f}, last {shown[-1]:.1f}, most {most:.1f}" if shown else name
        panels.append(
            f'<rect x="{LEFT}" y="{top}" width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="#bbb"/>'
            f'<text x="{LEFT}" y="{top - 6}">{escape(words)}</text>'
            f'<polyline points="{points}" fill="none" stroke="#06c" stroke-width="1.5"/>'
        )
    height = 30 + len(series) * (HEIGHT + GAP) + 6
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH + 2 * LEFT}" height="{height}" '
    style = 'font-family="sans-serif" font-size="12">'
    foot = (
        f'<text x="{LEFT}" y="{height - 6}">{escape(title)}, {minutes:g} minutes from left to right</text></svg>\n'
    )
    return head + style + "".join(panels) + foot


def write_svg(file: Path, title: str, series: Mapping[str, Sequence[float]], minutes: float) -> None:
    file.write_text(svg(title, series, minutes), encoding="utf-8")
