"""What a file's headings mean: by name, by what somebody says, and by what they said of the last such file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from cti_server.imports.columns import WrongFile
from cti_server.imports.customers import Options, import_customers
from cti_server.imports.headings import may_mean, meaning
from cti_server.imports.mapping import map_headings, parse, said, shape
from cti_server.imports.report import Report
from cti_server.record.crm import import_mappings
from cti_server.record.database import Database
from tests.imports.conftest import everyone
from tests.record.builders import NOON

Csv = Callable[[str], Path]

MEANINGS = {
    "phone": [
        "固定电话", "座机", "办公电话", "联系电话", "Business Phone", "Phone 1 - Value", "phone_2_number",
        "电话(必填)",
    ],
    "mobile": ["手机号码", "移动电话", "手机（必填）", "Mobile Phone", "*手机"],
    "name": ["客户名称", "联系人", "Display Name", "displayname"],
    "company": ["单位名称", "公司", "Account Name", "Organization Name"],
    "contract_number": ["合同编号", "Contract Number"],
    "contract_ends_on": ["到期日", "截止日期", "服务到期", "有效期至", "Expiry Date", "End Date"],
    "email": ["E-mail Address", "E-mail 1 - Value", "email_1", "邮箱地址"],
    "external_ref": ["客户编码", "Record ID", "Contact ID", "客户ID"],
    "": [
        "地址", "Billing Street", "Business Fax", "传真", "序号", "Phone 1 - Label", "phone_1_type", "Birthday",
        "Website",
    ],
}  # fmt: skip


@pytest.mark.parametrize(("heading", "column"), [(h, c) for c, headings in MEANINGS.items() for h in headings])
def test_headings_of_other_systems(heading: str, column: str) -> None:
    assert meaning(heading) == column


@pytest.mark.parametrize("heading", ["Number", "号码", "日期", "Status", "有效期", "编码", "客户分类"])
def test_a_heading_with_several_meanings_has_none(heading: str) -> None:
    assert meaning(heading) is None
    assert may_mean(heading)


def asked(*headings: str, **given: str) -> str:
    with pytest.raises(WrongFile) as refused:
        map_headings(headings, parse(f"{heading}={column}" for heading, column in given.items()))
    return str(refused.value)


def test_what_is_not_certain_is_asked_with_the_words_that_answer_it() -> None:
    text = asked("客户编号", "姓名", "有效期", "telefone", "地址")
    assert (
        "'有效期' may mean that, or something else: --map '有效期=contract_ends_on' or --map '有效期=ignore'"
        in text
    )
    assert "'telefone' (did you mean phone?): --map telefone=phone or --map telefone=ignore" in text
    assert "地址" not in text
    text = asked("客户编码", "客户名称", "联系人", "手机")
    assert "客户名称 and 联系人 both mean name: a person of a company is --map '客户名称=company'" in text
    text = asked("设备型号", "Kundennr", "Handy", "单位名称", "手机")
    assert "--map Kundennr=external_ref; not known are '设备型号', 'Kundennr', 'Handy'" in text
    assert "a heading may be both: --map '手机=external_ref' --map '手机=mobile'" in text
    assert "missing name (客户姓名), of the person or company: --map '单位名称=name'" in text


def test_the_answers_are_taken() -> None:
    found = map_headings(
        ("客户编码", "客户名称", "联系人", "有效期", "备用", "Mobile"),
        parse(["客户名称=公司", "有效期=contract_ends_on", "备用=ignore", "mobile=mobile", "Mobile=phone"]),
    )
    assert found.places == (
        ("external_ref",), ("company",), ("name",), ("contract_ends_on",), (), ("phone",),
    )  # fmt: skip


def test_one_heading_may_feed_two_columns() -> None:
    found = map_headings(("Handy", "name"), parse(["Handy=external_ref", "Handy=mobile"]))
    assert found.places == (("external_ref", "mobile"), ("name",))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("客户", "write it as --map"),
        ("=name", "write it as --map"),
        ("客户=nmae", "'nmae' is no column (did you mean name?)"),
        ("客户=", "is no column"),
    ],
)
def test_a_map_that_cannot_be_says_why(text: str, says: str) -> None:
    with pytest.raises(WrongFile) as refused:
        parse([text])
    assert says in str(refused.value)


def test_a_map_of_a_heading_that_is_not_there_is_refused() -> None:
    assert "'Handi', which is no heading of this file. Its headings: 'Handy', 'name'" in asked(
        "Handy", "name", Handi="phone"
    )


def test_an_unknown_heading_is_named_with_the_line_that_would_take_it() -> None:
    found = map_headings(("id", "name", "Lieblingsfarbe", "Fax", "Rufnr privat"), {})
    assert found.unknown == ("Lieblingsfarbe", "Rufnr privat")
    assert said(found) == [
        "not kept here: 'Fax'",
        "not known, so left out: 'Lieblingsfarbe', 'Rufnr privat'; to take one: --map 'Lieblingsfarbe=our column'",
    ]


def test_files_of_one_shape_have_the_same_headings_in_any_order() -> None:
    assert shape(("客户编号", "姓 名", "why left out", "")) == shape(("姓名", "客户编号"))
    assert shape(("客户编号", "姓名")) != shape(("客户编号", "姓名", "手机"))


async def load(database: Database, path: Path, *maps: str, days: int = 0, **options: object) -> Report:
    given = Options(region="CN", maps=maps, **options)  # type: ignore[arg-type]
    return await import_customers(database, path, given, at=NOON + timedelta(days))


async def test_next_months_file_needs_no_map(ready: Database, csv_file: Csv) -> None:
    november = csv_file("Nr.,Kunde,Rufnr,Farbe\n1,Li,13800138000,rot\n")
    with pytest.raises(WrongFile):
        await load(ready, november)
    report = await load(ready, november, "Nr.=external_ref", "Kunde=name", "Rufnr=phone")
    assert (report.created, report.bad) == (1, [])
    assert not any("as remembered" in told for told in report.told)

    december = csv_file("Kunde,Nr.,Rufnr,Farbe\nWang,2,13900139000,blau\n", "december.csv")  # type: ignore[call-arg]
    report = await load(ready, december, days=30)
    assert report.created == 1
    assert "as remembered: Nr.=external_ref, Kunde=name, Rufnr=phone" in report.told
    assert {c.contact_points[0].e164 for c in (await everyone(ready)).values()} == {
        "+8613800138000",
        "+8613900139000",
    }

    async with ready.begin() as conn:
        [known] = await import_mappings.everything(conn)
        assert (known.file, known.used_at, list(known.headings)) == (
            "december.csv", NOON + timedelta(30), ["Kunde", "Nr.", "Rufnr", "Farbe"],
        )  # fmt: skip
        assert await import_mappings.forget(conn, known.id)
        assert not await import_mappings.forget(conn, known.id)
    with pytest.raises(WrongFile):
        await load(ready, december)


async def test_what_is_said_now_replaces_what_was_said_before(ready: Database, csv_file: Csv) -> None:
    file = csv_file("id,name,x,y\n1,Li,Gold,13800138000\n")
    await load(ready, file, "x=remarks", "y=phone")
    report = await load(ready, file, "x=tier")
    assert "as remembered: y=phone" in report.told
    assert (await everyone(ready))["Li"].tier == "gold"
    async with ready.read() as conn:
        [known] = await import_mappings.everything(conn)
    assert known.meanings == {"x": ["tier"], "y": ["phone"]}


async def test_another_shape_is_asked_again(ready: Database, csv_file: Csv) -> None:
    await load(ready, csv_file("id,Kunde\n1,Li\n"), "Kunde=name")
    with pytest.raises(WrongFile, match="missing name"):
        await load(ready, csv_file("id,Kunde,phone\n1,Li,\n"))


async def test_what_was_of_no_use_is_not_remembered(ready: Database, csv_file: Csv) -> None:
    report = await load(ready, csv_file("id,Kunde,n\n1,,x\n"), "Kunde=name")
    assert len(report.bad) == 1
    await load(ready, csv_file("id,Kunde,n\n1,Li,x\n"), "Kunde=name", dry_run=True)
    async with ready.read() as conn:
        assert await import_mappings.everything(conn) == []


async def test_an_order_of_dates_is_remembered_too_and_only_where_the_file_does_not_tell(
    ready: Database, csv_file: Csv
) -> None:
    text = "id,name,contract,sla,start date\n1,Li,C-1,gold,{}\n"
    report = await load(ready, csv_file(text.format("02/01/2026")))
    assert "say --dates dmy" in report.bad[0].reason
    assert (await load(ready, csv_file(text.format("02/01/2026")), order="dmy")).bad == []
    report = await load(ready, csv_file(text.format("03/01/2026")))
    assert report.bad == []
    assert report.dates["contract_starts_on"].why == "as remembered"
    report = await load(ready, csv_file(text.format("01/31/2026")))
    assert report.bad == []
