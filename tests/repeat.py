"""Runs each test several times and says how often it passed: `make repeat TESTS=tests/live/test_link.py TIMES=20`.

A plugin of pytest (`-p tests.repeat --times=20`). The turns of a test are spread over the workers,
so each has the load of others beside it.
"""

from __future__ import annotations

from collections import Counter

import pytest
from _pytest.terminal import TerminalReporter

TURN = "_turn"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--times", type=int, default=1, help="run each test so many times")


@pytest.fixture
def _turn(request: pytest.FixtureRequest) -> object:
    """Which time this is, counted from 1."""
    return request.param


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    times = metafunc.config.getoption("times")
    metafunc.fixturenames.append(TURN)
    metafunc.parametrize(TURN, range(1, times + 1), indirect=True, ids=lambda turn: f"turn-{turn}")


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """A turn counts as passed when its set-up, the test and what comes after it all went well."""
    ran: dict[str, set[str]] = {}
    failed: Counter[str] = Counter()
    for outcome in ("passed", "failed", "error"):
        for report in terminalreporter.stats.get(outcome, []):
            name, _, turn = report.nodeid.rpartition("turn-")
            ran.setdefault(name, set()).add(turn)
            failed[name] += outcome != "passed"
    terminalreporter.section("how often")
    for name, turns in sorted(ran.items()):
        passed = len(turns) - failed[name]
        terminalreporter.line(f"{passed} of {len(turns)} passed  {name.rstrip('-[')}", red=bool(failed[name]))
