"""A short random walk with seeds that stay the same: what floor, desktops and record say is what Asterisk says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.walk.recorded import compare_record
from tests.walk.site import site
from tests.walk.walk import Walk

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]

STEPS_S = 25


@pytest.mark.parametrize(("seed", "restarts"), [(1, False), (2, True)])
async def test_a_short_walk_finds_nothing(sqlite_url: str, tmp_path: Path, seed: int, restarts: bool) -> None:
    """As `make walk ARGS="--minutes 0.4 --seed 1"` walks. What it finds is printed with what was done before."""
    async with site(sqlite_url, tmp_path, snapshot_every_s=3600) as made:
        walk = Walk(made, seed, restarts)
        await walk.walk(STEPS_S)
        await compare_record(walk)
        assert walk.log.comparisons > 0
        assert [f"{one.kind}: {one.text} (action {one.step})" for one in walk.log.findings] == []
