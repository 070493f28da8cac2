"""migrate: what a new database begins with, what going down asks, and to whom the file belongs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cti_server.record import migrate
from tests.cli.commands import Record, run


@pytest.fixture
def new(tmp_path: Path) -> Record:
    made = Record(f"sqlite:///{tmp_path}/data/cti.db")
    made.do("migrate")
    return made


def test_a_new_database_has_what_a_center_needs_and_nothing_comes_back(new: Record) -> None:
    assert {"lunch", "break", "training", "meeting"} <= {one["code"] for one in new.see("reason", "list")}
    assert {one["calendar"] for one in new.see("level", "list")} == {"24x7", "5x9"}
    assert [one["name"] for one in new.see("queue", "list")] == ["*"]
    every = [*new.see("reason", "list"), *new.see("code", "list")]
    assert all(one["title_en"] and one["title_zh"] for one in every)
    for level in new.see("level", "list"):
        new.do("level", "remove", level["code"])
    new.do("reason", "remove", "lunch")
    new.do("migrate")
    assert new.see("level", "list") == []
    assert new.see("reason", "show", "lunch")["active"] is False


def test_what_was_there_before_is_left_alone(tmp_path: Path) -> None:
    """As on an installation that is older than these defaults: what it has is its own."""
    old = Record(f"sqlite:///{tmp_path}/cti.db")
    old.do("migrate")
    for level in ("silver", "bronze"):
        old.do("level", "remove", level)
    old.do("reason", "set", "lunch", "--title", "Meal")
    old.do("migrate", "--down", "0007", "--yes")
    old.do("migrate")
    assert [one["code"] for one in old.see("level", "list")] == ["gold"]
    assert old.see("reason", "show", "lunch")["title_en"] == "Meal"
    assert [one["name"] for one in old.see("queue", "list")] == ["*"]


def test_going_down_asks_and_says_what_is_lost(new: Record) -> None:
    new.do("user", "add", "alice", "--name", "Alice", "--password", "a good one")
    why = new.refused("migrate", "--down", "base")
    assert "0007  Which other contacts an agent joined" in why
    assert "1 people who sign in" in why
    assert "--yes" in why
    assert [one["login"] for one in new.see("user", "list")] == ["alice"]
    assert "name the revision" in new.refused("migrate", "--down")
    assert "there is no revision 4711" in new.refused("migrate", "--down", "4711")
    assert "is not above" in new.refused("migrate", "--down", migrate.head())
    assert "--down base" in new.refused("migrate", "base")
    assert "does not know that revision" in new.refused("migrate", "4711")
    assert "database at base" in new.do("migrate", "--down", "base", "--yes")
    assert "the database is empty" in new.refused("migrate", "--down", "base", "--yes")


def test_the_file_is_for_the_owner_of_its_folder_and_not_for_everybody(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    owner = os.geteuid()
    if owner == 0:
        owner = 65534
        os.chown(folder, owner, owner)
    Record(f"sqlite:///{folder}/cti.db").do("migrate")
    made = (folder / "cti.db").stat()
    assert (made.st_uid, made.st_mode & 0o777) == (owner, 0o600)


def test_a_file_that_strangers_could_read_is_closed_to_them(tmp_path: Path) -> None:
    """By the next migration; a group that makes backups keeps its right."""
    record = Record(f"sqlite:///{tmp_path}/cti.db")
    record.do("migrate")
    (tmp_path / "cti.db").chmod(0o644)
    record.do("migrate")
    assert (tmp_path / "cti.db").stat().st_mode & 0o777 == 0o640


def test_the_default_needs_no_setting() -> None:
    done = run("migrate", "--list")
    assert done.stdout.splitlines()[-1].startswith(migrate.head())
    assert "/var/lib/cti-server/cti-server.db" in run("line", "list").stderr
