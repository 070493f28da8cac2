"""Reading CEL from files and tables: the right rows, in order, or an error that says what to do."""

from __future__ import annotations

import gzip
import json
import os
import sqlite3
from pathlib import Path

import pytest

from cti_server.cel import csv_file, source
from cti_server.cel.look import CelUnreadable, Look
from cti_server.wire.cel import SAMPLE, Row

from .logs import T0, Line, as_csv, call, look


async def rows(where: Look, since: float = 0, until: float = 1e6) -> list[Row]:
    return [row async for batch in source.rows(where, T0 + since, T0 + until) for row in batch]


def kinds(found: list[Row]) -> list[str]:
    return [row.kind for row in found]


async def test_the_sample_of_cel_custom_needs_no_setting(tmp_path: Path) -> None:
    file = tmp_path / "Master.csv"
    line = call(7, 10)[2]
    file.write_bytes(as_csv([line]))
    (found,) = await rows(look(str(file)))
    assert found == Row(
        "HANGUP",
        T0 + 15,
        line.leg,
        line.leg,
        line.channel,
        "02160000007",
        None,
        "4008001000",
        "",
        "",
        {"hangupcause": 16, "hangupsource": line.channel, "dialstatus": ""},
    )


@pytest.mark.parametrize(
    "header",
    [SAMPLE, "EventType,EventTime,CIDName,CIDNum,ani,rdnis,dnid,Exten,Context,ChanName,AppName,AppData,AMAFlags,"
     "AcctCode,UniqueID,LinkedID,Peer,UserField,UserDefType,EventExtra"],
)  # fmt: skip
async def test_a_header_names_the_columns(tmp_path: Path, header: str) -> None:
    file = tmp_path / "cel.csv"
    file.write_bytes(header.encode() + b"\n" + as_csv(call(1, 0)))
    assert kinds(await rows(look(str(file)))) == ["CHAN_START", "ANSWER", "HANGUP", "CHAN_END", "LINKEDID_END"]


async def test_a_setting_names_the_columns(tmp_path: Path) -> None:
    names = "eventtype,eventtime,CALLERID(num),CHANNEL(channame),CHANNEL(uniqueid),CHANNEL(linkedid)"
    names += ",appname,appdata,extra"
    file = tmp_path / "short.csv"
    values = ["HANGUP", f"{T0:.6f}", "1001", "PJSIP/1001-00000001", f"{int(T0)}.1", f"{int(T0)}.1", "", "", "{}"]
    file.write_text(",".join(f'"{value}"' for value in values) + "\n")
    (found,) = await rows(look(str(file), columns=names))
    assert (found.number, found.channel, found.leg) == ("1001", "PJSIP/1001-00000001", f"{int(T0)}.1")

    with pytest.raises(CelUnreadable, match=r"9 columns, not the 20 of the sample.*CTI_CEL_COLUMNS"):
        await rows(look(str(file)))


async def test_lines_of_a_mapping_that_is_no_more_are_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "grown.csv"
    file.write_bytes(b'"CHAN_START","1767225600.1","demo-1767225600.9"\n' * 3 + as_csv(call(1, 60)))
    assert len(await rows(look(str(file)))) == 5


async def test_json_lines_are_read_too(tmp_path: Path) -> None:
    file = tmp_path / "cel.json"
    with file.open("w") as text:
        for line in call(3, 0):
            text.write(json.dumps(line.values() | {"eventtime": T0 + line.at}) + "\n")
    assert kinds(await rows(look(str(file)))) == ["CHAN_START", "ANSWER", "HANGUP", "CHAN_END", "LINKEDID_END"]


async def test_a_name_with_the_end_of_a_line_quotes_and_commas_is_one_value(tmp_path: Path) -> None:
    name = 'Eve\n"HANGUP","1767225600.000000",\r\nBob, "the" other'
    lines = call(1, 0)
    lines[0].name = name
    file = tmp_path / "hostile.csv"
    file.write_bytes(as_csv(lines))
    found = await rows(look(str(file)))
    assert kinds(found) == ["CHAN_START", "ANSWER", "HANGUP", "CHAN_END", "LINKEDID_END"]
    assert found[0].name == name.strip()


async def test_a_name_is_read_in_the_trunks_encoding(tmp_path: Path) -> None:
    lines = call(1, 0)[:1]
    lines[0].name = "王晓明"
    file = tmp_path / "gbk.csv"
    file.write_bytes(as_csv(lines, "gb18030"))
    (found,) = await rows(look(str(file), encoding="PJSIP/cti-trunk=gb18030"))
    assert found.name == "王晓明"


async def test_a_long_file_is_read_from_the_wanted_time_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two weeks of calls, some with names that have lines which look like events."""
    lines = [line for n in range(2000) for line in call(n, n * 600.0)]
    for line in lines[::7]:
        line.name = 'x\n"CHAN_START","1767225600.000000","a","b"\n'
    file = tmp_path / "long.csv"
    file.write_bytes(as_csv(lines))
    looked_at = 0
    reading = csv_file.CsvFile._values

    def counted(self: csv_file.CsvFile, row: list[str]) -> object:
        nonlocal looked_at
        looked_at += 1
        return reading(self, row)

    monkeypatch.setattr(csv_file.CsvFile, "_values", counted)
    since, until = 1500 * 600.0 - 1, 1510 * 600.0 - 1
    found = await rows(look(str(file)), since, until)
    assert [round(row.at - T0, 3) for row in found] == [line.at for line in lines if since <= line.at <= until]
    assert looked_at < 2000, "not all of it is read"


async def test_what_logrotate_put_aside_is_read_before_the_file(tmp_path: Path) -> None:
    file = tmp_path / "Master.csv"
    file.write_bytes(as_csv(call(3, 200)))
    (tmp_path / "Master.csv.1").write_bytes(as_csv(call(2, 100)))
    with gzip.open(tmp_path / "Master.csv.2.gz", "wb") as packed:
        packed.write(as_csv(call(1, 0)))
    os.utime(tmp_path / "Master.csv.2.gz", (T0 + 90, T0 + 90))
    os.utime(tmp_path / "Master.csv.1", (T0 + 190, T0 + 190))
    found = await rows(look(str(file)))
    assert [row.number for row in found if row.kind == "CHAN_START"] == [
        "02160000001",
        "02160000002",
        "02160000003",
    ]


async def test_a_file_that_is_not_there_or_not_to_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(CelUnreadable, match=r"Master.csv: there is no such file.*cel.conf"):
        await rows(look(str(tmp_path / "Master.csv")))
    with pytest.raises(CelUnreadable, match="directory"):
        await rows(look(str(tmp_path)))


async def test_times_in_the_wrong_zone_are_refused_with_the_hours(tmp_path: Path) -> None:
    file = tmp_path / "local.csv"
    line = call(1, 0)[0]
    values = line.values("2026-01-01 08:00:00")
    file.write_text(",".join(f'"{value}"' for value in values.values()) + "\n")
    with pytest.raises(CelUnreadable, match=r"no zone.*CTI_CEL_ZONE"):
        await rows(look(str(file)), -1e6)
    with pytest.raises(CelUnreadable, match=r"8 hours too late.*CTI_CEL_ZONE"):
        await rows(look(str(file), zone="UTC"), -1e6)
    with pytest.raises(CelUnreadable, match=r"3 hours too late"):
        await rows(look(str(file), zone="Asia/Karachi"))
    with pytest.raises(CelUnreadable, match=r"1 hours too early"):
        await rows(look(str(file), zone="Asia/Tokyo"), 0, 60)
    assert len(await rows(look(str(file), zone="Asia/Shanghai"))) == 1


# --- cel_sqlite3_custom ----------------------------------------------------------------------------------


def sqlite(file: Path, lines: list[Line], columns: str = SAMPLE) -> None:
    names = columns.split(",")
    with sqlite3.connect(file) as db:
        db.execute(f"CREATE TABLE cel ({', '.join(f'{name} TEXT' for name in names)})")
        marks = ", ".join("?" * len(names))
        db.executemany(
            f"INSERT INTO cel VALUES ({marks})",
            [[line.values()[name] for name in names] for line in lines],
        )


async def test_an_sqlite_file_is_read_by_its_rows_numbers(tmp_path: Path) -> None:
    file = tmp_path / "master.db"
    lines = [line for n in range(300) for line in call(n, n * 600.0)]
    sqlite(file, lines)
    since, until = 200 * 600.0 - 1, 210 * 600.0 - 1
    found = await rows(look(f"sqlite:///{file}"), since, until)
    assert [round(row.at - T0, 3) for row in found] == [line.at for line in lines if since <= line.at <= until]


async def test_asterisks_own_sample_for_sqlite_lacks_the_linkedid_and_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "master.db"
    sqlite(file, call(1, 0), SAMPLE.replace(",linkedid", ""))
    with pytest.raises(CelUnreadable, match="no column linkedid"):
        await rows(look(f"sqlite:///{file}"))


async def test_a_table_that_is_not_there_is_named(tmp_path: Path) -> None:
    file = tmp_path / "master.db"
    sqlite(file, [])
    assert await rows(look(f"sqlite:///{file}")) == []
    with pytest.raises(CelUnreadable, match="no such table"):
        await rows(look(f"sqlite:///{file}?table=other"))
    with pytest.raises(CelUnreadable, match="unable to open"):
        await rows(look(f"sqlite:///{tmp_path}/nowhere.db"))
