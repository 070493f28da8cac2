"""A customer file comes in: good rows kept, bad ones named by line and reason, twice the same as once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import xlsxwriter

from cti_server.imports.columns import COLUMNS, WrongFile
from cti_server.imports.customers import Options, import_customers
from cti_server.imports.headings import meaning
from cti_server.imports.report import Report, reasons
from cti_server.record.crm import contracts, search
from cti_server.record.database import Database
from cti_server.rules.facts import Customer, ServiceLevel
from tests.record.builders import NOON, a_contract, a_customer, an_agent

EXAMPLE = Path(__file__).parents[2] / "docs" / "import-example.csv"


@pytest.fixture
async def ready(database: Database) -> Database:
    """A database with service levels and an agent, as an import needs."""
    async with database.begin() as conn:
        for rank, (code, zh) in enumerate({"gold": "金牌", "silver": "银牌"}.items(), 1):
            level = ServiceLevel(0, code, code.title(), zh, rank, 10)
            await contracts.save_service_level(conn, level)
        await an_agent(conn, "alice")
    return database


async def load(database: Database, path: Path, region: str = "CN") -> Report:
    return await import_customers(database, path, Options(region=region), at=NOON)


def csv_file(tmp_path: Path, text: str | bytes, name: str = "customers.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


async def everyone(database: Database) -> dict[str, Customer]:
    async with database.read() as conn:
        return {found.customer.name: found.customer for found in (await search.find(conn, "", limit=200)).items}


def counts(report: Report) -> tuple[int, int, int, int]:
    return report.created, report.updated, report.unchanged, len(report.bad)


async def test_the_example_comes_in_and_a_second_time_changes_nothing(ready: Database) -> None:
    report = await load(ready, EXAMPLE)
    assert report.bad == []
    assert counts(report) == (5, 0, 0, 0)
    before = await everyone(ready)
    assert counts(await load(ready, EXAMPLE)) == (0, 0, 5, 0)
    assert await everyone(ready) == before
    emily, li = before["Emily Carter"], before["李秀英"]
    assert emily.company is not None
    assert emily.company.name == "Harbour Freight Logistics"
    assert [(p.e164, p.extension, p.label) for p in emily.contact_points if p.kind == "phone"] == [
        ("+442079460958", "12", ""),
        ("+447700900123", None, "mobile"),
    ]
    assert [(p.e164, p.extension, p.standing) for p in li.contact_points if p.kind == "phone"] == [
        ("+862162881234", "806", "verified"),
        ("+8613816880001", None, "verified"),
    ]
    assert before["王小明"].remarks == "重要客户,请先致歉"
    async with ready.read() as conn:
        found = await contracts.by_number(conn, "JN-2026-07")
        assert [f.customer.name for f in (await search.find(conn, "JN-2026-07")).items] == [
            "江南精密仪器有限公司",
            "李秀英",
        ][:1]
    assert found is not None
    assert (found.service_level.code, found.status, found.minutes_total, found.minutes_used) == (
        "silver",
        "active",
        600,
        90,
    )


TEXT = (
    "客户编号,姓名,手机,服务等级,合同号,合同开始日期\n"
    "1,王小明,13800138000,金牌,C-1,2026年1月2日\n"
    "2,李娜,013900139000,,,\n"
)


@pytest.mark.parametrize(
    "encoded",
    [
        TEXT.encode(),
        TEXT.encode("utf-8-sig"),
        TEXT.encode("gb18030"),
        TEXT.encode("utf-16"),
        TEXT.replace(",", ";").replace("\n", "\r\n").encode(),
        TEXT.replace(",", "\t").encode("gb18030"),
    ],
    ids=["utf-8", "utf-8 with BOM", "gb18030", "utf-16", "semicolons", "tabs in gb18030"],
)
async def test_encodings_and_separators(ready: Database, tmp_path: Path, encoded: bytes) -> None:
    assert counts(await load(ready, csv_file(tmp_path, encoded))) == (2, 0, 0, 0)
    found = await everyone(ready)
    assert {name: c.contact_points[0].e164 for name, c in found.items()} == {
        "李娜": "+8613900139000",
        "王小明": "+8613800138000",
    }


ROUNDED = [
    # a customer number, as Excel, LibreOffice and other programs write one that was too long for them
    ("external_ref", "2.02401E+11"),
    ("external_ref", "2,02401E+11"),  # where the decimal mark is a comma
    ("external_ref", "2.02401e+11"),
    ("external_ref", "8.96529E+19"),  # powershell-intune-samples 140
    ("external_ref", "4E+11"),
    ("external_ref", "110101199003071000"),  # eighteen digits, of which fifteen are true
    ("external_ref", '="2.02401E+11"'),
    ("name", "1.5E+10"),
    ("company", "2.02401E+11"),
    ("contract_number", "6.2286E+15"),
    ("phone", "1.38E+10"),
    ("phone", "1,38E+10"),
    ("phone", "3.108207129E9"),  # xlsx2csv 190
    ("phone", "4.41E+11"),  # camptix 40
    ("external_ref", "#N/A"),  # and one of a failed VLOOKUP is no number of anybody
    ("company", "#REF!"),
    ("external_ref", "########"),
]


@pytest.mark.parametrize(("column", "text"), ROUNDED)
async def test_what_a_spreadsheet_has_lost_digits_of_is_nobodys_number(
    ready: Database, tmp_path: Path, column: str, text: str
) -> None:
    row = {"external_ref": "K-1", "name": "Li", "company": "", "contract_number": "", "phone": ""} | {column: text}
    row |= {"service_level": "gold", "contract_starts_on": "2026-01-01"} if row["contract_number"] else {}
    file = csv_file(
        tmp_path,
        ",".join(row)
        + "\n"
        + ",".join(f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in row.values())
        + "\nK-2,Wang\n",
    )
    report = await load(ready, file)
    assert counts(report) == (1, 0, 0, 1)
    assert report.bad[0].line == 2
    assert column in report.bad[0].reason
    assert re.search("rounded by a spreadsheet|a spreadsheet's error", report.bad[0].reason)
    assert list(await everyone(ready)) == ["Wang"]


async def test_two_customers_with_one_rounded_number_do_not_become_one(ready: Database, tmp_path: Path) -> None:
    first = "external_ref,name,phone\n2.02401E+11,Li Wei,13800138000\n2.02401E+11,Wang Fang,13800138001\n"
    assert counts(await load(ready, csv_file(tmp_path, first))) == (0, 0, 0, 2)
    second = "external_ref,name,phone\n2.02401E+11,Zhang Min,13800138002\n"
    assert counts(await load(ready, csv_file(tmp_path, second))) == (0, 0, 0, 1)
    assert await everyone(ready) == {}


@pytest.mark.parametrize(
    "ref", ["1E5", "12E3", "E+11", "7E10", "202401000000001", "2024.01", "1.0", "0012", "E2E"]
)
async def test_a_customer_number_that_only_looks_like_it_is_kept(
    ready: Database, tmp_path: Path, ref: str
) -> None:
    assert counts(await load(ready, csv_file(tmp_path, f"external_ref,name\n{ref},Li\n"))) == (1, 0, 0, 0)
    assert (await everyone(ready))["Li"].external_ref == ref


async def test_a_spreadsheet_keeps_fifteen_digits(ready: Database, tmp_path: Path) -> None:
    path = tmp_path / "customers.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        for column, name in enumerate(["external_ref", "name", "company", "phone"]):
            sheet.write(0, column, name)
        for line, (ref, company) in enumerate(
            [(110101199003071234, ""), (202401000012345, ""), ("110101199003071234", ""), (1, 1234567890123456)], 1
        ):
            write = sheet.write_string if isinstance(ref, str) else sheet.write_number
            write(line, 0, ref)
            sheet.write_string(line, 1, f"Row {line}")
            if company:
                sheet.write_number(line, 2, company)
            sheet.write_number(line, 3, 13800138000 + line)
    report = await load(ready, path)
    assert [(bad.line, bad.reason.partition(" ")[0]) for bad in report.bad] == [
        (2, "external_ref"),
        (5, "company"),
    ]
    assert all("was rounded by a spreadsheet" in bad.reason for bad in report.bad)
    found = await everyone(ready)
    assert {c.external_ref for c in found.values()} == {"202401000012345", "110101199003071234"}


PHONES = [
    ("+86 138-0013-8000", ["+8613800138000"]),
    ("+44 7700-900-123", ["+447700900123"]),
    ("13800138000/13900139000", ["+8613800138000", "+8613900139000"]),
    ("010-85551234-801 / +86 138-0013-8000", ["+861085551234", "+8613800138000"]),
    ("tel:+86-10-85551234;ext=12", ["+861085551234"]),
    ("+8613800138000;npdi;rn=+8613900139000;13900139001", ["+8613800138000", "+8613900139001"]),
    ("13800138000.0", ["+8613800138000"]),  # rapidpro 241
    ("'+86 138 0013 8000", ["+8613800138000"]),
    ("85551234/35", []),
    ("110/120", []),
]


@pytest.mark.parametrize(("cell", "numbers"), PHONES)
async def test_telephone_numbers_as_people_write_them(
    ready: Database, tmp_path: Path, cell: str, numbers: list[str]
) -> None:
    report = await load(ready, csv_file(tmp_path, f'external_ref,name,phone\n1,Li,"{cell}"\n'))
    if not numbers:
        assert "is no telephone number of CN: ambiguous" in report.bad[0].reason
    else:
        assert report.bad == []
        assert [p.e164 for p in (await everyone(ready))["Li"].contact_points] == numbers


async def test_names_in_the_encoding_of_the_file_or_in_the_one_that_is_given(
    ready: Database, tmp_path: Path
) -> None:
    text = "external_ref;name;company\r\nK-1;Jürgen Müller;Große & Söhne GmbH\r\nK-2;José Núñez;\r\n"
    file = csv_file(tmp_path, text.encode("cp1252"))
    report = await load(ready, file)
    assert (report.encoding, report.created) == ("cp1252", 2)
    assert set(await everyone(ready)) == {"Jürgen Müller", "Große & Söhne GmbH", "José Núñez"}

    unsure = csv_file(tmp_path, "external_ref;name\r\nK-3;Søren\r\n".encode("cp1252"))
    with pytest.raises(WrongFile, match="--encoding"):
        await load(ready, unsure)
    report = await import_customers(ready, unsure, Options(region="CN", encoding="Latin-1"), at=NOON)
    assert report.created == 1
    assert "Søren" in await everyone(ready)


async def test_a_spreadsheet(ready: Database, tmp_path: Path) -> None:
    path = tmp_path / "customers.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        for column, name in enumerate(["编号", "Name", "Phone", "Contract", "SLA", "start date"]):
            sheet.write(0, column, name)
        sheet.write_number(1, 0, 7)
        sheet.write_string(1, 1, "=cmd|' /C calc'!A0")
        sheet.write_number(1, 2, 13800138000)
        sheet.write_string(1, 3, "C-9")
        sheet.write_string(1, 4, "Gold")
        sheet.write_datetime(1, 5, NOON.replace(tzinfo=None), day)
        sheet.write_string(3, 1, "nobody")
    report = await load(ready, path)
    assert counts(report) == (1, 0, 0, 1)
    assert report.bad[0].line == 4
    [(name, customer)] = (await everyone(ready)).items()
    assert (name, customer.external_ref) == ("=cmd|' /C calc'!A0", "7")
    assert customer.contact_points[0].e164 == "+8613800138000"
    assert counts(await load(ready, path)) == (0, 0, 1, 1)


async def test_a_cell_that_shows_an_error_is_not_an_empty_one(ready: Database, tmp_path: Path) -> None:
    path = tmp_path / "customers.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("客户")
        for column, name in enumerate(["customer id", "name", "phone", "contract"]):
            sheet.write(1, column + 1, name)
        sheet.write_row(2, 1, ["1", "Good", "13800138000"])
        sheet.write_row(3, 1, ["2", "Li"])
        sheet.write_formula(3, 3, "=VLOOKUP(1,A1:A2,9)", None, "#REF!")
        sheet.write_row(4, 1, ["3", "Zhao", "13800138003"])
        sheet.write_formula(4, 4, "=NOSUCH()", None, "#NAME?")
        sheet.write_row(5, 1, ["4"])
        sheet.write_formula(5, 2, "=NA()", None, "#N/A")
    report = await load(ready, path)
    assert set(await everyone(ready)) == {"Good"}
    assert [bad.line for bad in report.bad] == [4, 5, 6]
    for bad, error in zip(report.bad, ("#REF!", "#NAME?", "#N/A"), strict=True):
        assert error in bad.reason


async def test_bad_rows_are_named_and_good_ones_kept(ready: Database, tmp_path: Path) -> None:
    async with ready.begin() as conn:
        other = await a_customer(conn, "Other", external_ref="O")
        await a_contract(conn, other.id, "C-taken")
        for _ in range(2):
            await a_customer(conn, "Twin Ltd", kind="company")
    rows: list[tuple[str, str]] = [
        ("1,Good,,13800138000,,,,", ""),
        (",No ref,,,,,,", "external_ref is empty"),
        ("2,,,,,,,", "name is empty"),
        ("3,Short,,12345,,,,", "phone '12345' is no telephone number of CN: short_code"),
        (f"4,Long,,{'9' * 300},,,,", "too_long"),
        ("5,Rounded,,1.38E+10,,,,", "was rounded by a spreadsheet"),
        (
            "6,Two wrong,,abc,nosuch@,,,",
            "phone 'abc' is no telephone number of CN: letters; email 'nosuch@' is no",
        ),
        ("7,Level,,,,C-7,golden,2026-01-01", "service_level is 'golden'; did you mean gold?"),
        ("8,Date,,,,C-8,gold,31/02/2026", "contract_starts_on is '31/02/2026'; write a date like 2026-01-31"),
        ("9,Day,,,,C-9,gold,2026-02-30", "write a date like"),
        ("9a,Month,,,,C-9a,gold,2026-12", "contract_starts_on is '2026-12'; write a date like"),
        ("9b,Month,,,,C-9b,gold,202612", "write a date like"),
        ("9c,Month,,,,C-9c,gold,2026.12", "write a date like"),
        ("9d,Which,,,,C-9d,gold,2026112", "write a date like"),
        ("10,Lone level,,,,,gold,", "service_level without a contract_number"),
        ("11,Bare contract,,,,C-11,,", "service_level is empty; contract_starts_on is empty"),
        ("12,Taken,,,,C-taken,gold,2026-01-01", "contract C-taken belongs to customer O in the record"),
        ("13,Of twins,Twin Ltd,,,,,", "several companies are called Twin Ltd"),
        ("1,Good again,,,,,,", "line 2 says otherwise about 1"),
        ("14,Comma,Inc,,13800138001,,,,x", "has 9 cells, the header 8"),
        (f"15,{'x' * 300},,,,,,", "name has 300 characters, 200 is the most"),
        ('16,"Two\nlines 🙂 O\'Neil",,+86 138 0013 8002,,,,', ""),
        ("17,After,,,,,,", ""),
    ]
    text = "external_ref,name,company,phone,email,contract_number,service_level,contract_starts_on\n"
    line = 2
    expected = {}
    for row, reason in rows:
        if reason:
            expected[line] = reason
        text += row + "\n"
        line += 1 + row.count("\n")
    text += "\n,,,,,,,\n"
    report = await load(ready, csv_file(tmp_path, text))
    assert [bad.line for bad in report.bad] == list(expected)
    for bad in report.bad:
        assert expected[bad.line] in bad.reason
    assert report.created == 3
    found = await everyone(ready)
    assert found["Two lines 🙂 O'Neil"].contact_points[0].e164 == "+8613800138002"
    commonest, *others = reasons(report, 2)
    assert commonest == (
        "6 rows: contract_starts_on is …; write a date like 2026-01-31; lines 10 '31/02/2026', 11 '2026-02-30' …"
    )
    assert "line 3: external_ref is empty" in others


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"ref,names,telefone\n", "unknown 'names' (did you mean name?): --map names=name or --map names=ignore"),
        (b"ref,names,telefone\n", "unknown 'telefone' (did you mean phone?)"),
        (b"ref,names,telefone\n", "missing external_ref"),
        (b"ref,names,telefone\n", "--map ref=external_ref"),
        (b"name,name\n", "name and name both mean name"),
        ("姓名,电话\n".encode("gb18030"), "missing external_ref"),
        (b"PK\x03\x04 not really", "is not a readable XLSX file"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1old", "old Excel file or has a password"),
        (b"\x00\x01\x02\xff" * 50, "the header is not readable"),
    ],
)
async def test_a_file_that_cannot_be_imported_says_why(
    ready: Database, tmp_path: Path, content: bytes, says: str
) -> None:
    with pytest.raises(WrongFile) as refused:
        await load(ready, csv_file(tmp_path, content))
    assert says in str(refused.value)


async def test_an_unclosed_quote_is_one_bad_row(ready: Database, tmp_path: Path) -> None:
    text = 'external_ref,name\n1,Good\n2,"open\n' + "".join(f"{n},Name {n}\n" for n in range(3, 12000))
    report = await load(ready, csv_file(tmp_path, text))
    assert report.created > 0
    assert report.bad[0].line == 3
    assert "a quote is opened and not closed" in report.bad[0].reason


@pytest.mark.parametrize(
    ("rows", "line", "says"),
    [
        ('1,"Wang,13800138000\n2,Li,13900139000\n3,"Zhao",13700137000\n', 2, "so the lines up to 4 were taken"),
        ('1,"Wang,13800138000\n2,Li,13900139000\n', 2, "so the lines up to 3 were taken"),
        ('1,"Wang \\"Big\\" X",13800138000\n', 2, "write it twice"),
    ],
)
async def test_a_quote_that_is_not_closed_takes_no_customer_under_anothers_name(
    ready: Database, tmp_path: Path, rows: str, line: int, says: str
) -> None:
    report = await load(ready, csv_file(tmp_path, f"customer id,name,phone\n{rows}9,Last,13600136000\n"))
    assert set(await everyone(ready)) <= {"Last"}
    assert report.bad[0].line == line
    assert says in report.bad[0].reason or "so the lines up to" in report.bad[0].reason


async def test_a_file_that_shifts_its_letters_is_not_read_as_rubbish(ready: Database, tmp_path: Path) -> None:
    text = b"customer id,name\n1," + "田中".encode("iso2022_jp") + b"\n2,Li\n"
    report = await load(ready, csv_file(tmp_path, text))
    assert set(await everyone(ready)) == {"Li"}
    assert "not text in the file's encoding" in report.bad[0].reason


async def test_one_damaged_byte_does_not_turn_the_names_to_rubbish(ready: Database, tmp_path: Path) -> None:
    text = "客户编号,姓名\n1,王小明和他的朋友们\n2,李娜\n".encode() + b"3,bad\xff\n"
    report = await load(ready, csv_file(tmp_path, text))
    assert counts(report) == (2, 0, 0, 1)
    assert "王小明和他的朋友们" in await everyone(ready)


async def test_an_empty_cell_changes_nothing_and_a_new_value_does(ready: Database, tmp_path: Path) -> None:
    await load(ready, csv_file(tmp_path, "external_ref,name,tier,phone,agent\n1,Li,gold,13800138000,alice\n"))
    report = await load(ready, csv_file(tmp_path, "external_ref,name,tier,phone\n1,Li Na,,13900139000\n"))
    assert counts(report) == (0, 1, 0, 0)
    found = (await everyone(ready))["Li Na"]
    assert (found.tier, found.version) == ("gold", 2)
    assert found.preferred_agent is not None
    assert [p.e164 for p in found.contact_points] == ["+8613800138000", "+8613900139000"]
    async with ready.read() as conn:
        assert [f.customer.id for f in (await search.find(conn, "na")).items] == [found.id]


async def test_a_company_is_one_whether_its_people_or_itself_come_first(ready: Database, tmp_path: Path) -> None:
    text = "external_ref,kind,name,company\n1,person,Li,Acme\n2,person,Wang,ACME\n3,公司,Acme,\n4,,Zhao,3\n"
    for expected in ((4, 0, 0, 0), (0, 0, 4, 0)):
        assert counts(await load(ready, csv_file(tmp_path, text))) == expected
    found = await everyone(ready)
    assert len(found) == 4
    assert {c.company.id for c in found.values() if c.company} == {found["Acme"].id}
    later = "external_ref,kind,name\n9,company,Nova\n"
    await load(ready, csv_file(tmp_path, "external_ref,name,company\n8,Xu,Nova\n"))
    assert counts(await load(ready, csv_file(tmp_path, later))) == (0, 1, 0, 0)
    assert (await everyone(ready))["Nova"].external_ref == "9"


async def test_a_number_of_two_customers_is_shared(ready: Database, tmp_path: Path) -> None:
    await load(ready, csv_file(tmp_path, "external_ref,name,phone\n1,Li,13800138000\n"))
    await load(ready, csv_file(tmp_path, "external_ref,name,phone\n2,Wang,+8613800138000\n3,Xu,13900139000\n"))
    found = await everyone(ready)
    assert [found[name].contact_points[0].standing for name in ("Li", "Wang", "Xu")] == [
        "shared",
        "shared",
        "verified",
    ]


async def test_two_contracts_of_one_customer_are_two_rows(ready: Database, tmp_path: Path) -> None:
    text = (
        "external_ref,name,contract,sla,start date,end date\n"
        "1,Li,A,gold,2026/1/1,2026.12.31\n"
        "1,Li,B,银牌,20260101,\n"
    )
    path = csv_file(tmp_path, text)
    report = await load(ready, path)
    assert report.bad == []
    async with ready.read() as conn:
        [found] = (await search.find(conn, "li")).items
    assert [contract.number for contract in found.contracts] == ["A", "B"]
    assert counts(await load(ready, path)) == (0, 0, 2, 0)
    with_other = csv_file(tmp_path, text + "2,Wang,A,gold,2026-01-01,\n")
    assert "contract A is given to 1 in a row before" in (await load(ready, with_other)).bad[0].reason


async def test_progress_is_told_to_the_end(ready: Database, tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []
    text = "external_ref,name\n" + "".join(f"{n},Name {n}\n" for n in range(250))
    path = csv_file(tmp_path, text)
    await import_customers(ready, path, Options(region="CN"), at=NOON, progress=lambda *now: heard.append(now))
    assert heard == [(100, 252), (200, 252), (250, 252)]


def test_every_column_is_documented_by_names_that_are_accepted() -> None:
    rows = re.findall(r"^\| (`.*?) \| (\S+) \|", (EXAMPLE.parent / "import.md").read_text(), re.MULTILINE)
    documented = [name for names, _ in rows for name in re.findall(r"`(\w+)`", names)]
    assert sorted(documented) == sorted(COLUMNS)
    for names, chinese in rows:
        [column, *_] = re.findall(r"`(\w+)`", names)
        assert meaning(chinese) == meaning(column) == column


async def test_a_plain_text_of_a_customer_is_a_column_by_its_own_name(ready: Database, tmp_path: Path) -> None:
    text = "external_ref,name,Salutation,tier\nK1,Erika Mustermann,Frau Dr.,Gold\nK2,Li Na,,\n"
    assert counts(await load(ready, csv_file(tmp_path, text))) == (2, 0, 0, 0)
    found = await everyone(ready)
    assert (found["Erika Mustermann"].salutation, found["Erika Mustermann"].tier) == ("Frau Dr.", "gold")
    assert found["Li Na"].salutation is None
