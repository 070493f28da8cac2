"""What the doctor says of the PBX's log of channel events, with a file and a database that are real."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from cti_server.doctor import cel
from cti_server.doctor.findings import Finding
from cti_server.doctor.texts.cel import CEL
from cti_server.record.contacts import gaps
from cti_server.record.database import Database
from cti_server.settings import PbxSettings
from tests.cel.logs import T0, Line, as_csv, call
from tests.cel.test_stories import answered


def lately(lines: Sequence[Line]) -> list[Line]:
    """The same, begun a minute ago, with ids that a program chose: nothing to hold their zone against."""
    by = time.time() - 60 - T0
    return [replace(line, at=line.at + by, leg=f"x{line.leg[-3:]}", linkedid="") for line in lines]


def write(file: Path, lines: Sequence[Line]) -> None:
    file.write_bytes(as_csv(lately(lines)))


async def of(file: Path, lines: Sequence[Line] | None, url: str | None = None, **settings: Any) -> list[Finding]:
    if lines is not None:
        write(file, lines)
    return await cel.examine(PbxSettings(name="main", cel=SecretStr(str(file)), **settings), url)


def codes(found: Sequence[Finding]) -> list[str]:
    return [finding.code for finding in found]


async def test_a_log_with_all_that_is_needed(tmp_path: Path) -> None:
    (found,) = await of(tmp_path / "cti.csv", answered())
    assert found.code == "cel.ok"
    assert str(tmp_path / "cti.csv") in found.what


@pytest.mark.parametrize(
    ("lines", "code", "words"),
    [
        ([], "cel.silent", "no event of the last 7 days"),
        ([line for line in answered() if line.kind != "HANGUP"], "cel.events", "HANGUP"),
        (
            [line for line in answered() if not line.kind.startswith("BRIDGE")],
            "cel.events",
            "BRIDGE_ENTER,BRIDGE_EXIT",
        ),
        ([line for line in answered() if not line.kind.startswith("APP_")], "cel.queues", "APP_START,APP_END"),
        ([line for line in answered() if line.kind != "APP_END"], "cel.queues", "lacks APP_END"),
    ],
)
async def test_what_the_log_lacks_is_named_with_the_line_that_mends_it(
    tmp_path: Path, lines: list[Line], code: str, words: str
) -> None:
    (found,) = await of(tmp_path / "cti.csv", lines)
    assert found.code == code
    assert words in found.what
    assert "asterisk -rx" in (found.remedy or "")


async def test_a_call_that_nobody_answered_needs_no_bridges(tmp_path: Path) -> None:
    assert codes(await of(tmp_path / "cti.csv", call(12, 0))) == ["cel.ok"]


async def test_whole_seconds_are_said(tmp_path: Path) -> None:
    file = tmp_path / "cti.csv"
    lines = [line for n in range(60) for line in call(n + 10, n)]
    now = float(int(time.time()) - 200)
    file.write_bytes(as_csv([replace(line, at=float(int(now + line.at - T0)), leg="x1") for line in lines]))
    found = await of(file, None)
    assert codes(found) == ["cel.seconds"]


async def test_what_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    (found,) = await of(tmp_path / "none.csv", None)
    assert (found.code, found.status) == ("cel.unreadable", "problem")
    assert "there is no such file" in found.what


async def test_columns_that_tell_who_called_are_missed(tmp_path: Path) -> None:
    columns = "eventtype,eventtime,channame,appname,appdata,uniqueid,linkedid,extra"
    file = tmp_path / "cti.csv"
    rows = [[line.values()[name] for name in columns.split(",")] for line in lately(answered())]
    file.write_text("".join(",".join('"' + v.replace('"', '""') + '"' for v in row) + "\n" for row in rows))
    found = await of(file, None, cel_columns=columns)
    assert [(f.code, "cid_num" in f.what) for f in found] == [("cel.columns", True)]


async def test_without_a_log_the_gaps_are_told(database: Database, database_url: str, tmp_path: Path) -> None:
    pbx = PbxSettings(name="main")
    assert codes(await cel.examine(pbx, database_url)) == ["cel.none"]
    began = datetime.now(UTC) - timedelta(hours=1)
    async with database.begin() as conn:
        number = await gaps.begin(conn, "main", began)
        await gaps.end(conn, "main", began + timedelta(minutes=5))
    (found,) = await cel.examine(pbx, database_url)
    assert found.code == "cel.none_gaps"
    assert "1 times without a server, 5 min together" in found.what
    async with database.begin() as conn:
        await gaps.note_trouble(conn, number, "the disk is asleep", 0, 0)
    found_too = await of(tmp_path / "cti.csv", answered(), database_url)
    assert codes(found_too) == ["cel.ok", "cel.unfilled"]
    assert "the disk is asleep" in found_too[1].what


def test_every_text_has_a_test() -> None:
    told = Path(__file__).read_text()
    assert [code for code in CEL if f'"{code}"' not in told] == []
