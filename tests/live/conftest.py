"""A real Asterisk for the tests of this folder; they fail with the line that helps where there can be none. What a
failed test saw stays in var/live."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect

from cti_server.demo.asterisk_root import DemoUnavailable
from cti_server.demo.pbx import DemoPbx, free_config
from tests.live.center import Center
from tests.live.real_desks import Desks, desks
from tests.live.workplace import Workplace, workplace

# Beside other workers a page may take seconds for what it does in a moment alone; only a failure waits this long.
expect.set_options(timeout=20_000)

KEPT = Path(__file__).parents[2] / "var" / "live"


@pytest.fixture(scope="session")
def demo_pbx() -> Iterator[DemoPbx]:
    """One PBX for the session, on free ports. Tests that kill or reconfigure a PBX start their own DemoPbx."""
    try:
        pbx = DemoPbx(free_config())
    except DemoUnavailable as reason:
        pytest.fail(str(reason), pytrace=False)
    with pbx:
        yield pbx


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(_sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Workplace]:
    """PBX, server and two browsers with an agent each, for all tests of a module."""
    folder = tmp_path_factory.mktemp("place")
    url = f"sqlite:///{folder / 'cti.db'}"
    shutil.copyfile(_sqlite_template, folder / "cti.db")
    async with workplace(url, folder) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def work(place: Workplace, request: pytest.FixtureRequest) -> AsyncIterator[Workplace]:
    """The workplace, with nobody in a call and everybody not ready, before and after each test."""
    await place.tidy()
    yield place
    report = getattr(request.node, "report", None)
    if report is not None and report.failed:
        await place.keep(KEPT / request.node.name)
    await place.tidy()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def real_desks(_sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desks]:
    """PBX and server, for all tests of a module that put phones of other makers on the desks."""
    folder = tmp_path_factory.mktemp("desks")
    shutil.copyfile(_sqlite_template, folder / "cti.db")
    async with desks(f"sqlite:///{folder / 'cti.db'}", folder) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def shop(real_desks: Desks) -> AsyncIterator[Desks]:
    """The same with nobody in a call and no phone on a desk, before and after each test."""
    await real_desks.tidy()
    yield real_desks
    await real_desks.tidy()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """So that a fixture knows how its test went; and the logs of a test that failed are kept."""
    report = yield
    if report.when == "call":
        item.report = report  # type: ignore[attr-defined]
    if report.failed:
        for made in getattr(item, "funcargs", {}).values():
            keep_logs(made, KEPT / re.sub(r"[^\w-]+", "-", item.name))
    return report


def keep_logs(made: object, folder: Path) -> None:
    """Those of a PBX or a server that a fixture has made, or that what it has made stands on."""
    for part in (made, getattr(made, "pbx", None), getattr(made, "site", None)):
        if isinstance(part, DemoPbx):
            logs = {"asterisk.log": part.log_file}
        elif isinstance(part, Center):
            logs = {"asterisk.log": part.pbx.log_file, "server.log": part.log}
        else:
            continue
        folder.mkdir(parents=True, exist_ok=True)
        for name, file in logs.items():
            if file.exists():
                shutil.copy(file, folder / name)
