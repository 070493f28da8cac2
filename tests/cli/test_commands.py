"""The command line as an administrator uses it: real process, real database."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cti_server.demo.stage import only_one
from cti_server.record.center import agent_queues, agents, lines, phones, queues
from cti_server.record.center.phone_secrets import password_of
from cti_server.record.database import Database
from cti_server.record.sealing import Sealer, new_key
from tests.cli.commands import run

HEADER = "external_ref,kind,name,phone\n"


@pytest.fixture
def url(tmp_path: Path) -> str:
    made = f"sqlite:///{tmp_path}/cli.db"
    assert run("migrate", CTI_DATABASE_URL=made).returncode == 0
    return made


def test_serve_on_an_empty_database_says_what_to_run(tmp_path: Path) -> None:
    (tmp_path / "new.db").touch()
    done = run("serve", CTI_DATABASE_URL=f"sqlite:///{tmp_path}/new.db")
    assert done.returncode == 1
    assert "the database is empty" in done.stderr
    assert "run: cti-server migrate" in done.stderr


def test_the_version_is_told() -> None:
    assert re.match(r"cti-server \d+\.\d+", run("--version").stdout)


def test_an_old_sqlite_is_warned_of_by_what_serves_only(url: str) -> None:
    for command in (("user", "list"), ("line", "list")):
        done = run(*command, CTI_DATABASE_URL=url)
        assert (done.returncode, "SQLite" in done.stdout + done.stderr) == (0, False)


def test_a_setting_that_cannot_be_is_named(tmp_path: Path) -> None:
    done = run("serve", CTI_HTTP_PORT="eighty", CTI_DEFAULT_REGION="china")
    assert done.returncode == 2
    assert "CTI_HTTP_PORT" in done.stderr
    assert "CTI_DEFAULT_REGION" in done.stderr


async def test_people_lines_and_queues_are_added_and_changed(url: str) -> None:
    for how, name in (("add", "Alice"), ("set", "Alice Walker")):
        added = run(
            "user", how, "alice", "--name", name, "--seat", "PJSIP/1001", "--password", "a good one",
            CTI_DATABASE_URL=url,
        )  # fmt: skip
        assert added.returncode == 0, added.stderr
    refused = run("line", "add", "02079460100", "--region", "GB", "--queue", "support", CTI_DATABASE_URL=url)
    assert "cti-server queue add support" in refused.stderr
    assert run("queue", "add", "support", "--title-zh", "服务", CTI_DATABASE_URL=url).returncode == 0
    assert (
        run("line", "add", "02079460100", "--region", "GB", "--queue", "support", CTI_DATABASE_URL=url).returncode
        == 0
    )

    async with Database(url) as database, database.read() as conn:
        (person,) = await agents.all_active(conn)
        (line,) = await lines.all_lines(conn)
        (queue,) = await queues.all_queues(conn)
    assert (person.name, person.seat, person.pbx, person.role) == ("Alice Walker", "PJSIP/1001", "main", "agent")
    assert (line.e164, line.region, line.queue) == ("+442079460100", "GB", "support")
    assert (queue.name, queue.pbx, queue.title_zh) == ("support", "main", "服务")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (
            ("user", "add", "x", "--name", "X", "--role", "king", "--password", "12345678"),
            "the role is one of agent",
        ),
        (("user", "add", "x", "--name", "X", "--password", "short"), "a password has 10"),
        (("line", "add", "12", "--region", "GB"), "is not a number of GB"),
    ],
)
def test_what_cannot_be_is_refused_with_its_reason(url: str, arguments: tuple[str, ...], why: str) -> None:
    done = run(*arguments, CTI_DATABASE_URL=url)
    assert done.returncode == 1
    assert why in done.stderr


def test_an_import_keeps_the_good_rows_and_names_the_bad(url: str, tmp_path: Path) -> None:
    file = tmp_path / "customers.csv"
    file.write_text(HEADER + "A1,person,张伟,13800138000\nA2,robot,X,1\n", encoding="gb18030")
    first = run("import", "customers", str(file), CTI_DATABASE_URL=url)
    again = run("import", "customers", str(file), CTI_DATABASE_URL=url)

    assert first.returncode == again.returncode == 1
    assert "line 3:" in first.stderr
    assert "1 added, 0 changed, 0 unchanged, 1 left out" in first.stdout
    assert "0 added, 0 changed, 1 unchanged, 1 left out" in again.stdout


def test_an_import_asks_for_an_encoding_that_is_not_certain(url: str, tmp_path: Path) -> None:
    file = tmp_path / "customers.csv"
    file.write_bytes((HEADER + "A1,person,Søren,+4530123456\n").encode("cp1252"))
    asked = run("import", "customers", str(file), CTI_DATABASE_URL=url)
    assert asked.returncode == 1
    assert "--encoding" in asked.stderr
    told = run("import", "customers", str(file), "--encoding", "windows-1252", CTI_DATABASE_URL=url)
    assert "1 added, 0 changed, 0 unchanged, 0 left out" in told.stdout
    assert "read as" not in told.stdout

    file.write_bytes((HEADER + "A1,person,张伟,13800138000\n").encode("gb18030"))
    guessed = run("import", "customers", str(file), CTI_DATABASE_URL=url)
    assert "read as gb18030" in guessed.stdout


def test_a_mapping_is_said_listed_and_forgotten(url: str, tmp_path: Path) -> None:
    file = tmp_path / "customers.csv"
    file.write_text("Nr,Kunde,Handy,contract,sla,start date\n1,Li,13800138000,,,\n", encoding="utf-8")
    maps = ("--map", "Nr=external_ref", "--map", "Kunde=name", "--map", "Handy=手机")
    asked = run("import", "customers", str(file), CTI_DATABASE_URL=url)
    assert asked.returncode == 1
    assert "--map Nr=external_ref; not known are 'Nr', 'Kunde', 'Handy'" in asked.stderr
    dry = run("import", "customers", str(file), *maps, "--dry-run", CTI_DATABASE_URL=url)
    assert "1 added, 0 changed, 0 unchanged, 0 left out; nothing was written" in dry.stdout
    assert "nothing is remembered" in run("import", "mappings", CTI_DATABASE_URL=url).stdout
    assert run("import", "customers", str(file), *maps, "--dates", "dmy", CTI_DATABASE_URL=url).returncode == 0
    again = run("import", "customers", str(file), CTI_DATABASE_URL=url)
    assert "as remembered: Nr=external_ref, Kunde=name, Handy=mobile" in again.stdout
    listed = run("import", "mappings", CTI_DATABASE_URL=url).stdout
    assert "1  Nr=external_ref, Kunde=name, Handy=mobile, dates dmy  (last for customers.csv, 20" in listed
    assert run("import", "forget", "1", CTI_DATABASE_URL=url).returncode == 0
    twice = run("import", "forget", "1", CTI_DATABASE_URL=url)
    assert (twice.returncode, "there is no mapping 1" in twice.stderr) == (1, True)
    assert run("import", "customers", str(file), CTI_DATABASE_URL=url).returncode == 1


def test_reasons_are_counted_and_bad_rows_are_in_a_file(url: str, tmp_path: Path) -> None:
    file = tmp_path / "customers.csv"
    rows = "".join(f"{n},Name {n},x{n}\n" for n in range(9))
    file.write_text(f"客户资料表,,\nid,name,phone\n{rows}合计,9,\n", encoding="utf-8")
    done = run(
        "import", "customers", str(file), "--show", "2", "--bad", str(tmp_path / "bad.csv"), CTI_DATABASE_URL=url
    )
    assert done.returncode == 1
    assert "9 rows: phone … is no telephone number of" in done.stderr
    assert "lines 3 'x0', 4 'x1' …" in done.stderr
    assert "no customers: titles: 1, totals: 1" in done.stdout
    assert "the rows left out are in " in done.stdout
    assert len((tmp_path / "bad.csv").read_text(encoding="utf-8-sig").splitlines()) == 10
    wrong = run("import", "customers", str(file), "--dates", "dym", CTI_DATABASE_URL=url)
    assert (wrong.returncode, "--dates is one of dmy, mdy, ymd" in wrong.stderr) == (1, True)


def test_a_file_with_other_columns_says_which(url: str, tmp_path: Path) -> None:
    file = tmp_path / "customers.csv"
    file.write_text("nmae,phone\nX,1\n", encoding="utf-8")
    done = run("import", "customers", str(file), CTI_DATABASE_URL=url)
    assert done.returncode == 1
    assert "nmae" in done.stderr


def test_a_call_without_a_demo_says_how_to_start_one(tmp_path: Path) -> None:
    done = run("call", CTI_DEMO_DIR=str(tmp_path))
    assert done.returncode == 1
    assert "start one with: make run" in done.stderr
    unknown = run("call", "--customer", "nobody", CTI_DEMO_DIR=str(tmp_path))
    assert "no seeded customer 'nobody'; there are: covered" in unknown.stderr


def test_a_second_demo_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    with only_one(tmp_path):
        done = run("demo", CTI_DEMO_DIR=str(tmp_path))
    assert done.returncode == 1
    assert "a demo is running" in done.stderr
    assert "CTI_DEMO_DIR=" in done.stderr


def test_a_reference_with_a_digit_that_nobody_has_is_not_dialled(tmp_path: Path) -> None:
    assert "no seeded customer 'K99'" in run("call", "--customer", "K99", CTI_DEMO_DIR=str(tmp_path)).stderr


async def test_who_serves_which_queue_how_well_and_at_which_phone(url: str) -> None:
    key = new_key()
    for arguments in (
        ("user", "add", "alice", "--name", "Alice", "--may-pick", "--password", "a good one"),
        ("queue", "add", "support", "--wrap-up", "forced", "--wrap-up-time", "45", "--skill", "english"),
        ("queue", "add", "sales", "--code-required"),
        ("user", "serves", "alice", "support", "sales"),
        ("user", "skill", "alice", "english=7"),
        ("phone", "add", "PJSIP/1101", "--kind", "browser", "--owner", "alice", "--sip-password", "secret"),
    ):
        done = run(*arguments, CTI_DATABASE_URL=url, CTI_SECRET_KEY=key)
        assert done.returncode == 0, (arguments, done.stderr)
    async with Database(url) as database, database.read() as conn:
        alice = await agents.by_login(conn, "alice")
        assert alice is not None
        assert alice.may_pick
        assert await agent_queues.queues_of(conn, alice.id) == [("sales", 0), ("support", 3)]
        (phone,) = await phones.of_agent(conn, alice.id)
        assert (phone.extension, phone.kind, phone.sip_user) == ("1101", "browser", "1101")
        assert password_of(phone, Sealer([key])) == "secret"
    assert "no queue nowhere" in run("user", "serves", "alice", "nowhere", CTI_DATABASE_URL=url).stderr
    assert "from 1 to 10" in run("user", "skill", "alice", "english=11", CTI_DATABASE_URL=url).stderr
