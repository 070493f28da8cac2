"""`cti-server move` as an administrator meets it: the server is stopped, and goes on by PostgreSQL's socket."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx

from cti_server.demo.ports import free_ports
from cti_server.demo.seed import seed
from cti_server.demo.seed_data import DEMO_PASSWORD
from cti_server.record.database import Database


def environment(url: str, http: int = 0) -> dict[str, str]:
    """Without a PBX: nothing listens on port 1."""
    return os.environ | {
        "CTI_DATABASE_URL": url,
        "CTI_HTTP_PORT": str(http),
        "CTI_FASTAGI_PORT": "0",
        "CTI_AMI_PORT": "1",
        "COLUMNS": "200",
    }


def command(url: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cti_server", *words],
        env=environment(url),
        capture_output=True,
        text=True,
        timeout=100,
    )


@contextmanager
def serving(url: str, log: Path) -> Iterator[httpx.Client]:
    with free_ports(1) as (port,):
        pass
    with log.open("wb") as out:
        server = subprocess.Popen(
            [sys.executable, "-m", "cti_server", "serve"], env=environment(url, port), stdout=out, stderr=out
        )
    try:
        with httpx.Client(
            base_url=f"http://127.0.0.1:{port}",
            verify=False,
            transport=httpx.HTTPTransport(retries=9, verify=False),
        ) as client:
            client.get("/healthz").raise_for_status()
            yield client
    finally:
        server.terminate()
        server.wait(20)


def test_from_a_file_to_postgresql_by_peer(sqlite_url: str, peer_url: str, tmp_path: Path) -> None:
    async def fill() -> None:
        async with Database(sqlite_url) as database:
            await seed(database, "main", datetime.now(UTC))

    asyncio.run(fill())
    with serving(sqlite_url, tmp_path / "server.log"):
        refused = command(sqlite_url, "move", "--to", peer_url)
    assert refused.returncode == 1
    assert "has" in refused.stderr
    assert "stop it first: systemctl stop cti-server" in refused.stderr

    moved = command(sqlite_url, "move", "--to", peer_url)
    assert moved.returncode == 0, moved.stderr
    assert "each read back and compared" in moved.stdout
    assert f"CTI_DATABASE_URL={peer_url}" in moved.stdout.replace("\n", "")

    assert "at 0" in command(peer_url, "migrate").stdout
    assert "answers, at revision" in command(peer_url, "doctor").stdout
    with serving(peer_url, tmp_path / "server.log") as client:
        session = client.post("/api/session", json={"login": "alice", "password": DEMO_PASSWORD})
        assert session.status_code == 200, session.text
        found = client.get("/api/customers", params={"q": "申江"}).json()["items"]
        assert "上海申江精密仪器有限公司" in [one["name"] for one in found]


def test_what_cannot_be_moved_is_said_in_words(sqlite_url: str, tmp_path: Path) -> None:
    for target, said in (
        ("postgresql:///nowhere?host=/nowhere", "nothing was moved: "),
        ("mysql://host/cti", "SQLite or PostgreSQL"),
        ("sqlite:///other.db", "from SQLite to PostgreSQL"),
    ):
        done = command(sqlite_url, "move", "--to", target)
        assert done.returncode == 1
        assert said in done.stderr.replace("\n", " ")
        assert "Traceback" not in done.stderr
