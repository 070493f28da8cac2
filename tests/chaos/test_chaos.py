"""Half a minute of chaos in each test run: the server is killed under load, and no call is lost or doubled.

All the faults, longer and with figures: `make chaos`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.compare import compare, lives, queue_log
from tests.chaos.faults.killed import killed
from tests.chaos.load import Placed
from tests.chaos.run import Options

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]


async def test_a_server_that_is_killed_under_load_loses_and_doubles_nothing(tmp_path: Path) -> None:
    figures = await killed(
        Options(seed=7, rate=3.0, times=1, seconds=10.0, agents=12, times_too=False, keep=tmp_path)
    )
    judged = {
        one.what: one.figure for one in figures if one.what in ("lost", "doubled, nobody's", "without an end")
    }
    assert judged == {"lost": "0", "doubled, nobody's": "0, 0", "without an end": "0"}


def test_what_the_comparison_finds(tmp_path: Path) -> None:
    """Four callers: one is in the record, one is not, one is there twice, one never reached the PBX; and somebody
    is in the record whom nobody placed."""
    cel = tmp_path / "cti.csv"
    cel.write_text("".join(_life(number, 100.0 + number) for number in (1, 2, 3)), encoding="utf-8")
    (tmp_path / "queue_log").write_text("100|c-1|bench|NONE|ENTERQUEUE||1\n104|c-1|bench|Agent|CONNECT|3|c-9|1\n")
    ledger = {f"013{n}": Placed(f"013{n}", f"{n}-1@127.0.0.1", 100.0 + n) for n in (1, 2, 3, 4)}
    ledger["0131"].ended_by, ledger["0133"].ended_by = "we", "they"
    record = [_row(1, wait_ms=3000, talk_ms=2000), _row(3), _row(3), _row(5)]
    found = compare(ledger, lives(cel), record, queue_log(tmp_path / "queue_log"))
    assert (found.lost, found.doubled, found.never_there) == (["c-2"], ["0133", "c-3"], ["0134"])
    assert [one.split()[0] for one in found.nobodys] == ["c-5"]
    assert [(one.linkedid, one.what, one.record, one.log) for one in found.off] == [
        ("c-3", "waited", 0.0, 3.0),
        ("c-3", "talked", 0.0, 2.0),
    ]
    assert [one.partition(":")[0] for one in found.ends_off] == ["c-1"]
    assert not found.is_clean


def _life(number: int, at: float) -> str:
    """A caller who waits 3 s and talks for 2 s, as CEL has it."""

    def row(event: str, after: float, application: str = "") -> str:
        fields = [""] * 20
        fields[0], fields[1], fields[3] = event, f"{at + after:.6f}", f"013{number}"
        fields[9], fields[10] = "PJSIP/cti-trunk-1", application
        fields[14] = fields[15] = f"c-{number}"
        return ",".join(f'"{one}"' for one in fields) + "\n"

    events = (("CHAN_START", 0.0, ""), ("APP_START", 1.0, "Queue"), ("BRIDGE_ENTER", 4.0, "Queue"))
    return "".join(row(*event) for event in (*events, ("BRIDGE_EXIT", 6.0, "Queue"), ("CHAN_END", 6.1, "")))


def _row(number: int, **times: int) -> dict[str, object]:
    return {
        "linkedid": f"c-{number}",
        "ani_raw": f"013{number}",
        "outcome": "answered",
        "complete": True,
        "told_by": None,
        "wait_ms": 0,
        "talk_ms": 0,
        "hold_ms": 0,
        "queued_at": 101.0,
        "answered_at": 104.0,
        "started_at": 100.0,
        "ended_at": 106.0,
        "ended_by": "agent",
        **times,
    }
