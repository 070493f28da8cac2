"""What is no backup, or not a whole one, is refused with its cause, and nothing is left of the try."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from cti_server.record import migrate
from cti_server.record.backup import archive
from cti_server.record.backup.archive import CannotBackUp
from cti_server.record.backup.restore import prove, restore
from cti_server.record.backup.take import take
from cti_server.record.sealing import Sealer
from cti_server.record.urls import normalise_url, sqlite_file
from tests.record.backup.records import SEALER, Target, execute, left_beside


@pytest.mark.parametrize("part", [0, 1, 3, 100, 0.25, 0.5, 0.9, -400, -22, -1])
async def test_half_a_file_is_none(whole: bytes, sqlite_url: str, tmp_path: Path, part: float) -> None:
    half = tmp_path / "half.cti"
    half.write_bytes(whole[: int(part * len(whole)) if isinstance(part, float) else part])
    for use in (prove(half, sqlite_url, Sealer()), restore(half, f"sqlite:///{tmp_path}/new.db")):
        with pytest.raises(CannotBackUp, match=r"no backup|part of a backup"):
            await use
    assert left_beside(tmp_path / "new.db") == []


async def test_a_byte_that_fell_over_is_seen(whole: bytes, tmp_path: Path) -> None:
    """Or it is one that means nothing, such as the time of a member: then all came back."""
    damaged, places = tmp_path / "damaged.cti", range(60, len(whole) - 60, len(whole) // 40)
    refused = 0
    for at in places:
        damaged.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
        try:
            await restore(damaged, f"sqlite:///{tmp_path}/new{at}.db")
        except CannotBackUp:
            refused += 1
            assert left_beside(tmp_path / f"new{at}.db") == []
    assert refused > len(places) * 3 / 4


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "no backup of cti-server"),
        (b"external_ref,kind,name\n", "no backup of cti-server"),
        (b"SQLite format 3\0" + b"\0" * 4000, "an SQLite database, and no backup"),
        (b"PGDMP\x01\x0e", "a dump of pg_dump, and no backup"),
    ],
)
async def test_another_file_is_none(content: bytes, why: str, sqlite_url: str, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_bytes(content)
    with pytest.raises(CannotBackUp, match=why):
        await prove(other, sqlite_url, Sealer())


async def test_another_zip_is_none_and_a_folder_neither(sqlite_url: str, tmp_path: Path) -> None:
    other = tmp_path / "other.zip"
    with zipfile.ZipFile(other, "w") as made:
        made.writestr("manifest.json", "[]")
    with pytest.raises(CannotBackUp, match="a ZIP, and no backup"):
        await prove(other, sqlite_url, Sealer())
    with pytest.raises(CannotBackUp, match="there is no file"):
        await prove(tmp_path / "none", sqlite_url, Sealer())
    with pytest.raises(CannotBackUp, match="cannot be read"):
        await prove(tmp_path, sqlite_url, Sealer())


def rewritten(file: Path, member: str, change: Callable[[bytes], bytes]) -> None:
    """The same backup with one member changed, as somebody could who has the file."""
    with zipfile.ZipFile(file) as old:
        members = {name: old.read(name) for name in old.namelist()}
    with zipfile.ZipFile(file, "w") as new:
        for name, content in members.items():
            new.writestr(name, change(content) if name == member else content)


@pytest.mark.usefixtures("whole")
@pytest.mark.parametrize(
    ("old", "new", "why", "remedy"),
    [
        ('"format": 1', '"format": 2', "made by a newer cti-server", "newer one"),
        (
            f'"revision": "{migrate.head()}"',
            '"revision": "9999"',
            "9999, which this cti-server does not know",
            "newer one",
        ),
        ('"engine": "sqlite"', '"engine": "oracle"', "no backup", "another file"),
    ],
)
async def test_one_of_a_newer_version(
    file: Path, sqlite_url: str, tmp_path: Path, old: str, new: str, why: str, remedy: str
) -> None:
    rewritten(file, "manifest.json", lambda text: text.replace(old.encode(), new.encode()))
    for use in (prove(file, sqlite_url, Sealer()), restore(file, f"sqlite:///{tmp_path}/new.db")):
        with pytest.raises(CannotBackUp, match=why) as refused:
            await use
        assert remedy in refused.value.remedy


async def test_a_copy_that_is_not_what_the_sums_say(record: str, nowhere: Target, file: Path) -> None:
    """One row has another name, the file is whole."""
    await take(record, file)
    await execute(record, "UPDATE agents SET name = 'Mallory' WHERE login = 'alice'")
    other = file.with_name("other.cti")
    await take(record, other)
    with zipfile.ZipFile(other) as source:
        member = archive.MEMBERS["sqlite" if record.startswith("sqlite") else "postgresql"]
        content = source.read(member)
    rewritten(file, member, lambda _: content)
    target = nowhere()
    for use in (prove(file, record, SEALER), restore(file, target)):
        with pytest.raises(CannotBackUp, match="not what was backed up: agents"):
            await use
    if (there := sqlite_file(normalise_url(target))) is not None:
        assert left_beside(there) == []
