"""A real Asterisk for the tests of this folder; they fail with the line that helps where there can be none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cti_server.demo.asterisk_root import DemoUnavailable
from cti_server.demo.pbx import DemoPbx, free_config


@pytest.fixture(scope="session")
def demo_pbx() -> Iterator[DemoPbx]:
    """One PBX for the session, on free ports. Tests that kill or reconfigure a PBX start their own DemoPbx."""
    try:
        pbx = DemoPbx(free_config())
    except DemoUnavailable as reason:
        pytest.fail(str(reason), pytrace=False)
    with pbx:
        yield pbx
