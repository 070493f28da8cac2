"""Rows that were left out: counted by reason, and in a file that is mended and imported again."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from cti_server.imports.columns import WrongFile
from cti_server.imports.customers import Options, import_customers
from cti_server.imports.report import BadLine, Report, reasons
from cti_server.record.crm.drafts import Flaw
from cti_server.record.database import Database
from tests.imports.conftest import everyone
from tests.record.builders import NOON

Csv = Callable[[str], Path]


async def load(database: Database, path: Path, **options: object) -> Report:
    return await import_customers(database, path, Options(region="CN", **options), at=NOON)  # type: ignore[arg-type]


def test_each_reason_is_said_once_with_how_many_rows_and_the_first_of_them() -> None:
    letters = "phone {} is no telephone number of CN: letters"
    report = Report(bad=[BadLine(line, (Flaw(letters, (f"'x{line}'",)),)) for line in range(2, 1206)])
    report.bad.append(BadLine(7, (Flaw("name is empty"), Flaw("email {} is no address", ("'{}'",)))))
    assert list(reasons(report, 3)) == [
        "1,204 rows: phone … is no telephone number of CN: letters; lines 2 'x2', 3 'x3', 4 'x4' …",
        "line 7: name is empty",
        "line 7: email '{}' is no address",
    ]
    assert next(reasons(report, 0)) == "1,204 rows: phone … is no telephone number of CN: letters"


async def test_the_rows_left_out_are_mended_and_imported_again(
    ready: Database, csv_file: Csv, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.csv"
    source = csv_file(
        "客户编号,姓名,Rufnr,Farbe\n1,Li,13800138000,rot\n0002,Wang,abc,blau\n"
        '3,"=cmd, ""x""",12,\n合计,3,,\n110101199003071234,Zhao,+86 1,gelb\n'
    )
    report = await load(ready, source, maps=["Rufnr=phone"], bad=bad)
    assert (report.created, len(report.bad)) == (1, 3)
    written = list(csv.reader(bad.read_text(encoding="utf-8-sig").splitlines()))
    assert written[0] == ["why left out", "客户编号", "姓名", "Rufnr", "Farbe"]
    assert [row[1:3] for row in written[1:]] == [
        ["'0002", "Wang"],
        ["3", '\'=cmd, "x"'],
        ["'110101199003071234", "Zhao"],
    ]
    assert written[1][0] == "line 3: phone 'abc' is no telephone number of CN: letters"

    mended = bad.read_text(encoding="utf-8-sig").replace(",abc,", ",13800138002,").replace(",12,", ",13800138003,")
    again = csv_file(mended.replace("'+86 1", "'+86 13800138004"), "mended.csv")  # type: ignore[call-arg]
    report = await load(ready, again)
    assert (report.created, report.bad) == (3, [])
    assert any(told.startswith("as remembered: Rufnr=phone") for told in report.told)
    found = await everyone(ready)
    assert {name: c.external_ref for name, c in found.items()} == {
        "Li": "1", "Wang": "0002", '=cmd, "x"': "3", "Zhao": "110101199003071234",
    }  # fmt: skip
    assert found["Zhao"].contact_points[0].e164 == "+8613800138004"


async def test_what_the_record_refuses_is_in_the_file_too_in_order(
    ready: Database, csv_file: Csv, tmp_path: Path
) -> None:
    await load(ready, csv_file("id,kind,name\n1,company,Acme\n"))
    bad = tmp_path / "bad.csv"
    report = await load(ready, csv_file("id,kind,name\n1,person,Acme\n,person,Li\n2,person,Wang\n"), bad=bad)
    assert report.created == 1
    lines = bad.read_text(encoding="utf-8-sig").splitlines()
    assert lines[1] == '"line 2: 1 is a company in the record, not a person",1,person,Acme'
    assert lines[2] == "line 3: external_ref is empty,,person,Li"


async def test_without_bad_rows_there_is_no_file(ready: Database, csv_file: Csv, tmp_path: Path) -> None:
    await load(ready, csv_file("id,name\n1,Li\n"), bad=tmp_path / "bad.csv")
    assert not (tmp_path / "bad.csv").exists()


async def test_the_file_itself_is_not_written_over(ready: Database, csv_file: Csv) -> None:
    path = csv_file("id,name\n1,\n")
    with pytest.raises(WrongFile, match="name another one"):
        await load(ready, path, bad=path)
    assert path.read_text() == "id,name\n1,\n"
