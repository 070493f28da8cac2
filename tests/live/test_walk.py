"""A short random walk with seeds that stay the same: what floor, desktops and record say is what Asterisk says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.walk.recorded import compare_record
from tests.walk.site import site
from tests.walk.walk import Walk

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]

WALK_S = 18


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_a_short_walk_finds_nothing(sqlite_url: str, tmp_path: Path, seed: int) -> None:
    """As `make walk ARGS="--minutes 0.3 --seed 1"` walks. What it finds is printed with what was done before."""
    async with site(sqlite_url, tmp_path, snapshot_every_s=3600) as made:
        walk = Walk(made, seed)
        await walk.walk(WALK_S)
        await compare_record(walk)
        assert walk.log.comparisons > 0
        assert [f"{one.kind}: {one.text} (action {one.step})" for one in walk.log.findings] == []
