"""What a soak says of growth, on figures that are known."""

from __future__ import annotations

from .plot import sparkline, svg, thinned
from .soak import early_and_late, slope


def test_growth_is_told_from_a_warm_up() -> None:
    warming = [100.0 + min(n, 20) for n in range(100)]
    assert slope(warming, 2.0) < 0.005
    assert early_and_late(warming) == (120.0, 120.0)
    leaking = [value + n * 0.5 for n, value in enumerate(warming)]
    assert abs(slope(leaking, 2.0) - 0.25) < 0.005
    assert slope([1.0], 2.0) == 0.0


def test_pictures() -> None:
    assert sparkline([0.0, 7.0]) == "▁█"
    assert sparkline([3.0, 3.0]) == "▁▁"
    assert sparkline([]) == ""
    assert thinned([1.0, 3.0, 5.0, 7.0], 2) == [2.0, 6.0]
    drawn = svg("soak", {"memory, MB": [1.0, 2.0], "none": []}, 1.5)
    assert drawn.startswith("<svg")
    assert "last 2.0" in drawn
