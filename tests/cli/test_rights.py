"""Grants, teams, keys of other programs and the audit log, by the commands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cti_server.cli.common import without_secrets
from tests.cli.commands import Record

ALICE = ("user", "add", "alice", "--name", "Alice", "--password", "a good one")
ZHAO = ("user", "add", "zhao", "--name", "Zhao", "--role", "supervisor", "--password", "a good one")


def test_a_grant_is_given_and_taken_and_what_comes_with_the_role_stays(record: Record) -> None:
    record.do(*ALICE)
    record.do(*ZHAO)
    assert record.see("user", "show", "alice")["grants"] == []
    assert "alice has: full_numbers, listen" in record.do("user", "grant", "alice", "listen", "full_numbers")
    assert "alice has: full_numbers" in record.do("user", "revoke", "alice", "listen")
    assert "nothing changed" in record.do("user", "revoke", "alice", "listen")
    assert "a grant is one of listen" in record.refused("user", "grant", "alice", "everything")
    assert "comes with the role" in record.do("user", "revoke", "zhao", "full_numbers")


def test_a_team_and_who_is_left_without_one(record: Record) -> None:
    record.do(*ALICE)
    record.do(*ZHAO)
    record.do("queue", "add", "support")
    without = record.do("team", "add", "North", "--name-zh", "北区", "--member", "alice", "--queue", "support")
    assert "who supervises no team" in without
    assert "zhao" in without
    assert "there is a team North already" in record.refused("team", "add", "North")
    assert "nobody signs in as bob" in record.refused("team", "set", "North", "--member", "bob")
    assert "has no queue nothing" in record.refused("team", "set", "North", "--queue", "nothing")
    assert "nothing to change" in record.refused("team", "set", "North")
    record.do("team", "set", "North", "--supervisor", "zhao", "--without", "alice", "--name", "South")
    told = record.see("team", "show", "South")
    assert (told["supervisors"], told["members"], told["queues"]) == (["zhao"], [], ["main/support"])
    assert "everybody again" in record.do("team", "remove", "South")
    assert "there is no team South" in record.refused("team", "show", "South")


def test_a_key_is_shown_once_and_can_be_revoked(record: Record) -> None:
    key = record.do("api-key", "add", "crm", "--scope", "customers:read", "--days", "30").strip()
    assert key.startswith("ctik_")
    [listed] = record.see("api-key", "list")
    assert (listed["name"], listed["scopes"], listed["good"]) == ("crm", ["customers:read"], True)
    assert key not in json.dumps(listed)
    assert "there is no scope everything" in record.refused("api-key", "add", "x", "--scope", "everything")
    record.do("api-key", "revoke", "1")
    assert "no key 1 that still opens" in record.refused("api-key", "revoke", "1")
    assert record.see("api-key", "list")[0]["good"] is False


def test_each_command_that_changes_something_is_in_the_audit_log(record: Record, tmp_path: Path) -> None:
    record.do(*ALICE)
    record.do("user", "grant", "alice", "listen")
    record.refused("user", "grant", "bob", "listen")
    entries = record.see("audit", "list")
    assert [entry["action"] for entry in entries] == ["user.grant", "user.add"]
    assert json.loads(entries[0]["detail"]) == {"with": ["user", "grant", "alice", "listen"]}
    assert [entry["thing"] for entry in entries] == ["user:alice", "user:alice"]
    assert entries[0]["actor"].startswith("command:")
    assert "a good one" not in json.dumps(entries)
    assert "intact: 2 entries in 2 chains, 0 days sealed" in record.do("audit", "verify")
    assert "no day is over" in record.do("audit", "seal")
    file = tmp_path / "audit.jsonl"
    assert "2 lines" in record.do("audit", "export", str(file))
    assert {json.loads(line)["type"] for line in file.read_text().splitlines()} == {"entry"}
    assert "is there already" in record.refused("audit", "export", str(file))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("user add li --password p4ss --name Li", "user add li --password … --name Li"),
        ("user add li --password=p4ss", "user add li --password=…"),
        ("phone set x --sip-password p4ss", "phone set x --sip-password …"),
        ("user set li --new-password --role agent", "user set li --new-password --role agent"),
        ("move postgresql://cti:p4ss@db/cti", "move postgresql://cti:…@db/cti"),
        ("user add li --password", "user add li --password"),
    ],
)
def test_what_is_told_of_a_command_has_no_secret(words: str, told: str) -> None:
    assert " ".join(without_secrets(words.split())) == told
