"""A server whose disk runs full: it says so once, is not ready, goes on trying, and is itself again."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from cti_server.doctor.database import examine
from tests.live.center import center, until
from tests.record.disks import small_disk

pytestmark = pytest.mark.live

WATCHED_S = 8.0


async def test_a_disk_that_runs_full(sqlite_url: str, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "24m") as disk:
        shutil.copyfile(sqlite_url.removeprefix("sqlite:///"), disk.folder / "cti.db")
        url = f"sqlite:///{disk.folder / 'cti.db'}"
        async with center(url, tmp_path) as site:
            await site.start()
            disk.fill()
            async with site.client() as api:

                async def why() -> str | None:
                    answer = await api.get("/readyz")
                    return answer.json()["detail"] if answer.status_code == 503 else None

                said = await until(why, "503", 40)
                assert "the database cannot be written: database or disk is full" in said
                begun = len(site.log.read_text().splitlines())
                await asyncio.sleep(WATCHED_S)
                [finding] = [f for f in await examine(url) if f.code == "database.unwritable"]
                assert finding.remedy == f"make room:  df -h {disk.folder}"
                signed_in = await api.post("/api/session", json={"login": "susan", "password": "wrong"})
                log = site.log.read_text()
                assert "Traceback" not in log
                assert len(log.splitlines()) - begun <= 2
                assert log.count("database.unusable") == 1
                assert f"make room:  df -h {disk.folder}" in log
                assert signed_in.status_code in (401, 503)
                disk.clear()

                async def ready() -> bool:
                    return (await api.get("/readyz")).status_code == 200

                await until(ready, "the server to be ready again", 30)
            assert "database.usable" in site.log.read_text()
            assert not [f for f in await examine(url) if f.code == "database.unwritable"]
