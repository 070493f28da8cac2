"""Two servers with a database each on one PBX: the doctor of either sees what the other does to the members."""

from __future__ import annotations

import re
import shutil
import signal
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cti_server.demo.ports import free_ports
from cti_server.demo.seed import seed
from cti_server.doctor import Finding, examine
from cti_server.record.database import Database
from tests.live.center import Center, center, until
from tests.live.test_doctor import settings_of

pytestmark = pytest.mark.live


async def found(site: Center) -> dict[str, Finding]:
    settings = settings_of(site.pbx, site.database_url, http_port=site.http_port, fastagi_port=site.fastagi_port)
    return {finding.code: finding for finding in await examine(settings)}


async def test_pauses_of_a_server_with_another_database(sqlite_url: str, tmp_path: Path) -> None:
    shutil.copyfile(sqlite_url.removeprefix("sqlite:///"), tmp_path / "other.db")
    async with center(sqlite_url, tmp_path) as ours:
        with free_ports(2) as (fastagi_port, http_port):
            other = replace(
                ours, fastagi_port=fastagi_port, http_port=http_port, log=tmp_path / "other.log", process=None
            )
        other.database_url = await seeded(f"sqlite:///{tmp_path / 'other.db'}", ours)
        await ours.start()
        assert "queue.paused_elsewhere" not in await found(ours)
        await other.start()
        try:
            async with other.signed_in("alice") as agent:
                (await agent.post("/api/me/shift", json={"phone": None})).raise_for_status()

                async def seen() -> Finding | None:
                    return (await found(ours)).get("queue.paused_elsewhere")

                finding = await until(seen, "the other server's pause to be seen")
                assert "(signed_in)" in finding.what
                assert "queue.paused_elsewhere" not in await found(other)
        finally:
            await other.stop(signal.SIGKILL)
        connected, unpause = (
            re.search(rf'asterisk -rx "({begins}[^"]*)"', finding.remedy or "") for begins in ("manager", "queue")
        )
        assert connected is not None
        assert unpause is not None
        assert "cti-events" in ours.pbx.cli(connected[1])
        while (again := await seen()) is not None:
            line = re.search(r'asterisk -rx "(queue unpause[^"]*)"', again.remedy or "")
            assert line is not None
            ours.pbx.cli(line[1])


async def seeded(url: str, ours: Center) -> str:
    async with Database(url) as database:
        await seed(database, ours.pbx.config.name, datetime.now(UTC))
    return url
