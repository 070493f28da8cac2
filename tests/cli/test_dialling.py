"""cti-server dialling: the policy as a file, rule by rule, what it says of a number, and the fence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cti_server.rules.dial_policy import DEFAULT
from cti_server.rules.dial_policy_form import written
from tests.cli.commands import Record, run

POLICY = """
internal = ["6XX"]

[[rules]]
name = "hong-kong"
answer = "allow"
countries = ["HK"]
hours = { zone = "Asia/Shanghai", weekdays = ["mon", "tue"], from = "08:00", to = "18:00" }

[[rules]]
name = "home"
answer = "allow"
kinds = ["national", "internal"]

[[limits]]
a_minute = 5
at_once = 1
roles = ["agent"]
"""


def allowed(record: Record, number: str, *more: str, login: str = "alice") -> tuple[bool, str]:
    done = run("dialling", "check", number, "--as", login, *more, "--json", **record.settings)
    assert done.returncode in (0, 1), done.stderr
    found = json.loads(done.stdout)
    assert found["allowed"] is (done.returncode == 0)
    return found["allowed"], found["rule"]


@pytest.fixture
def people(record: Record) -> Record:
    for login, role in (("alice", "agent"), ("sun", "supervisor"), ("root", "administrator")):
        record.do("user", "add", login, "--name", login, "--role", role, "--password", "a good one")
    record.do("user", "set", "sun", "--seat", "PJSIP/20101", "--extension", "20101")
    return record


def test_show_and_set_are_each_others_way_back(record: Record, tmp_path: Path) -> None:
    shown = record.do("dialling", "show")
    assert shown.startswith("# version 0, the default\n")
    file = tmp_path / "policy.toml"
    file.write_text(shown)
    assert "version 1; a running server decides by it within 2 s" in record.do("dialling", "set", str(file))
    assert record.see("dialling", "show")["policy"] == written(DEFAULT)
    file.write_text(POLICY)
    assert "version 2" in record.do("dialling", "set", str(file))
    again = record.do("dialling", "show")
    assert "of command line" in again
    record.do("dialling", "set", "-", typed=again)
    policy = record.see("dialling", "show")["policy"]
    assert [rule["name"] for rule in policy["rules"]] == ["hong-kong", "home"]
    record.do("dialling", "set", "-", typed=json.dumps(policy))
    assert record.see("dialling", "show")["policy"] == policy
    versions = record.see("dialling", "history")
    assert [one["version"] for one in versions] == [4, 3, 2, 1]
    assert {one["author"] for one in versions} == {"command line"}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            ('kinds = ["national"', 'kinds = ["nation"'),
            "line 13: rule 2 (home): kinds: 'nation' is none of internal",
        ),
        (('zone = "Asia', 'zone = "Azia'), "line 8: rule 1 (hong-kong): hours.zone: is to be a time zone"),
        (("at_once = 1\n", ""), "line 15: limit 1: at_once: is to be a whole number"),
        (('internal = ["6XX"]', 'internal = ["6?"]'), "line 2: internal: '6?' is not digits and X"),
        (("internal = [", "internl = ["), "line 2: internl: there is no such field"),
        (('answer = "allow"', "answer = allow"), "is not TOML: "),
        (('answer = "allow"', "answer = allow"), "line 6"),
        ((POLICY, "{"), "is not JSON: "),
        ((POLICY, ""), "rules: there is to be a rule at least"),
    ],
)
def test_a_mistake_is_named_by_line_rule_and_field(
    record: Record, tmp_path: Path, change: tuple[str, str], says: str
) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(POLICY.replace(*change))
    why = record.refused("dialling", "set", str(file))
    assert says in why
    assert record.see("dialling", "show")["version"] == 0


def test_a_file_that_is_not_there(record: Record) -> None:
    assert "cti-server dialling show >policy.toml" in record.refused("dialling", "set", "nowhere.toml")


def test_rules_one_by_one(people: Record) -> None:
    assert allowed(people, "+852 2345 6789") == (False, "abroad")
    people.do("dialling", "allow", "hong-kong", "--country", "HK", "--kind", "international", "--role", "agent")
    assert allowed(people, "+852 2345 6789") == (True, "hong-kong")
    assert allowed(people, "+852 2345 6789", login="sun") == (False, "abroad")
    people.do("dialling", "refuse", "no-mobiles", "--number", "+8526", "--number", "+8529")
    assert allowed(people, "+852 9123 4567") == (False, "no-mobiles")
    assert [rule["name"] for rule in people.see("dialling", "rules")][:3] == ["no-mobiles", "hong-kong", "inside"]
    assert "hong-kong\tallow\tagent" in people.do("dialling", "rules")
    people.do("dialling", "remove", "no-mobiles")
    people.do("dialling", "allow", "boss", "--login", "SUN", "--kind", "international", "--before", "abroad")
    assert allowed(people, "+44 20 7946 0018", login="sun") == (True, "boss")
    assert "another rule is called boss" in people.refused("dialling", "allow", "boss", "--kind", "national")
    assert "everybody and every number" in people.refused("dialling", "allow", "all")
    assert "there is no rule x" in people.refused("dialling", "remove", "x")
    assert "'UK' is none ISO regions" in people.refused("dialling", "allow", "uk", "--country", "UK")
    people.do("dialling", "default")
    assert people.see("dialling", "show")["policy"] == written(DEFAULT)


def test_what_it_says_of_a_number(people: Record) -> None:
    assert allowed(people, "9-110") == (True, "emergency")
    assert allowed(people, "110", "--off-shift") == (True, "emergency")
    assert allowed(people, "138 0013 8000", "--off-shift") == (False, "off_shift")
    assert allowed(people, "20101", "--off-shift") == (True, "inside"), "an extension that the record knows"
    assert allowed(people, "20102") == (False, "unlisted")
    assert allowed(people, "+44 20 7946 0018", login="root") == (True, "abroad-administrators")
    assert allowed(people, "1-900-FLOWERS", login="root") == (False, "not_a_number")
    assert "nobody signs in as bob" in people.refused("dialling", "check", "110", "--as", "bob")
    assert "names no time zone" in people.refused("dialling", "check", "110", "--as", "sun", "--at", "2026-12-24")


def test_hours_at_a_moment(people: Record) -> None:
    people.do("dialling", "set", "-", typed=POLICY)
    monday = "2026-11-23T08:00+08:00"
    assert allowed(people, "+852 2345 6789", "--at", monday) == (True, "hong-kong")
    assert allowed(people, "+852 2345 6789", "--at", "2026-11-23T18:00+08:00") == (False, "no_rule")
    assert allowed(people, "+852 2345 6789", "--at", "2026-11-25T12:00+08:00") == (False, "no_rule")


def test_the_fence(people: Record, tmp_path: Path) -> None:
    printed = people.do("dialling", "fence")
    assert "[cti-fence]" in printed
    file = tmp_path / "extensions_cti_fence.conf"
    assert "dialplan reload" in people.do("dialling", "fence", str(file))
    assert file.read_text() == printed
    before = file.read_text()
    done = run("dialling", "fence", str(file), "--anybody", **people.settings)
    assert "abroad-administrators decide for some people or hours is let through for all" in done.stderr
    assert file.read_text() != before
    assert "cannot be written" in people.refused("dialling", "fence", str(tmp_path / "no" / "folder"))
    assert "name no PBX berlin" in people.refused("dialling", "fence", "--pbx", "berlin")
