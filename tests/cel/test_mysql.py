"""CEL in FreePBX's own table, with whole seconds, in a real MariaDB, whose server `make test` installs."""

from __future__ import annotations

import asyncio
import csv
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pymysql
import pytest

from cti_server.cel import source
from cti_server.cel.look import CelUnreadable, Look
from cti_server.cel.replay import Replay
from cti_server.cel.stories import Stories
from cti_server.demo.ports import free_ports
from cti_server.wire.cel import SAMPLE, Row
from tests.floor.test_transcripts import described

from .logs import look
from .test_recorded import CLOSE_MS, FOLDER, floor, told, without

MARIADB = shutil.which("mariadbd", path=f"{os.environ['PATH']}:/usr/sbin")
INSTALL = shutil.which("mariadb-install-db")

ZONE = "Asia/Shanghai"
SECRET = "p@ss/word"
COLUMNS = [name for name in SAMPLE.split(",") if name != "userfield"]
TEXTS = ", ".join(f"{name} varchar(512) NOT NULL" for name in COLUMNS if name not in ("eventtime", "amaflags"))
TABLE = f"""CREATE TABLE cel (id int(11) NOT NULL auto_increment, eventtime datetime NOT NULL, amaflags int(11),
    {TEXTS}, PRIMARY KEY (id), KEY linkedid_index (linkedid)) DEFAULT CHARSET utf8mb4"""


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Any, int]]:
    """A MariaDB on 127.0.0.1, with FreePBX's database and a user who may only read it."""
    if MARIADB is None or INSTALL is None:
        needed = "mariadb-server-core mariadb-client-core"
        pytest.fail(f"apt-get install -y --no-install-recommends {needed}", pytrace=False)
    # Not in pytest's own folder: the user that MariaDB runs as may not go through it.
    with tempfile.TemporaryDirectory(prefix="cti-mariadb-") as name:
        folder = Path(name)
        user = "nobody" if os.geteuid() == 0 else ""
        if user:
            shutil.chown(folder, user)
        as_user = ["setpriv", f"--reuid={user}", "--clear-groups"] if user else []
        basedir = Path(MARIADB).parents[1]
        given = [f"--datadir={folder}/data", f"--basedir={basedir}"]
        plain = ["--no-defaults", *given, "--auth-root-authentication-method=normal", "--skip-test-db"]
        made = subprocess.run([*as_user, INSTALL, *plain], check=False, capture_output=True, text=True, cwd=folder)
        assert made.returncode == 0, made.stdout + made.stderr
        with free_ports(1) as (port,):
            pass
        where = [f"--port={port}", "--bind-address=127.0.0.1", f"--socket={folder}/s"]
        languages = f"--lc-messages-dir={basedir}/share/mysql"
        command = [*as_user, MARIADB, "--no-defaults", *given, *where, languages]
        with subprocess.Popen(command, cwd=folder) as process:
            try:
                yield _connected(port), port
            finally:
                process.terminate()
                process.wait(20)


def _connected(port: int) -> Any:
    deadline = time.monotonic() + 30
    while True:
        try:
            conn = pymysql.connect(host="127.0.0.1", port=port, user="root", autocommit=True)
            break
        except pymysql.MySQLError:
            assert time.monotonic() < deadline, "MariaDB does not start"
            time.sleep(0.1)
    with conn.cursor() as cursor:
        for line in (
            "CREATE DATABASE asteriskcdrdb",
            "USE asteriskcdrdb",
            TABLE,
            f"CREATE USER 'cti'@'%' IDENTIFIED BY '{SECRET}'",
            "GRANT SELECT ON asteriskcdrdb.cel TO 'cti'@'%'",
        ):
            cursor.execute(line)
    return conn


def write(conn: Any, rows: Sequence[dict[str, Any]]) -> None:
    names = ", ".join(COLUMNS)
    marks = ", ".join(["%s"] * len(COLUMNS))
    with conn.cursor() as cursor:
        cursor.execute("TRUNCATE cel")
        cursor.executemany(
            f"INSERT INTO cel ({names}) VALUES ({marks})", [[row[name] for name in COLUMNS] for row in rows]
        )


def as_freepbx(name: str) -> list[dict[str, Any]]:
    """A recording as cel_odbc writes it: local time, which the column cuts to seconds."""
    with (FOLDER / f"{name}.csv").open(newline="") as text:
        rows = [dict(zip(SAMPLE.split(","), row, strict=True)) for row in csv.reader(text)]
    for row in rows:
        local = datetime.fromtimestamp(float(row["eventtime"]), ZoneInfo(ZONE))
        row["eventtime"] = local.strftime("%Y-%m-%d %H:%M:%S.%f")
    return rows


def where(port: int, secret: str = "p%40ss%2Fword", zone: str = ZONE, table: str = "cel") -> Look:
    return look(f"mysql://cti:{secret}@127.0.0.1:{port}/asteriskcdrdb?table={table}", zone=zone)


async def rows_of(there: Look) -> list[Row]:
    return [row async for batch in source.rows(there, 0, 1e11) for row in batch]


@pytest.mark.parametrize("name", ["answered", "short-abandon", "attended-transfer", "local-members", "pickup"])
async def test_whole_seconds_tell_the_same_story(server: tuple[Any, int], name: str) -> None:
    conn, port = server
    write(conn, as_freepbx(name))
    stories = Stories()
    found = [story for row in await rows_of(where(port)) for story in stories.take(row)] + list(stories.rest())
    calls = [call for story in found for call in Replay(floor().books, 0.0).calls(story, 1)]
    mine = sorted(({"linkedid": call.linkedid, **described(call)} for call in calls), key=lambda c: c["linkedid"])
    reference = await asyncio.to_thread(told, name)  # it has a loop of its own
    for one, other in zip(mine, reference, strict=True):
        assert without(one, set()) == without(other, set())
        assert abs((one["wait_ms"] or 0) - (other["wait_ms"] or 0)) <= CLOSE_MS


async def test_what_is_wrong_is_said_without_the_password(server: tuple[Any, int]) -> None:
    conn, port = server
    write(conn, as_freepbx("answered"))
    for there, words in (
        (where(port, secret="wrong-word"), "Access denied"),
        (where(port, table="cdr"), "denied"),
        (where(1), "Can't connect"),
        (where(port, zone="UTC"), "8 hours too late"),
        (where(port, zone=""), "CTI_CEL_ZONE"),
    ):
        with pytest.raises(CelUnreadable, match=words) as refused:
            await rows_of(there)
        assert SECRET not in str(refused.value)
        assert "wrong-word" not in str(refused.value)
