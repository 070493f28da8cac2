"""A whole call center for a test: a real Asterisk, a real database, and the server as a process of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from cti_server.demo.pbx import DemoPbx, free_config
from cti_server.demo.ports import free_ports
from cti_server.demo.seed import seed
from cti_server.demo.seed_data import DEMO_PASSWORD
from cti_server.record import migrate
from cti_server.record.database import Database
from cti_server.record.sealing import Sealer, new_key
from tests.live import nursery

ROLES = ("events", "agent", "call", "originate")


@dataclass
class Center:
    """`pbx` is up; `start` and `kill` are for the server. `api` is signed in as a supervisor once it runs."""

    pbx: DemoPbx
    database_url: str
    http_port: int
    fastagi_port: int
    log: Path
    extra: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | nursery.Server | None = None
    key: str = field(default_factory=new_key)
    """What the record's secrets are sealed with."""
    before: Sequence[str] = ()
    """What stands before the command of a server that is not forked: `unshare …`, say."""
    forked: bool = False
    """From a process that has imported the server already. Not for benches: it shares memory with that one."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    def environment(self) -> dict[str, str]:
        config = self.pbx.config
        accounts = {f"CTI_AMI_{role.upper()}_SECRET": config.secrets[f"cti-{role}"] for role in ROLES}
        return os.environ | {
            "CTI_CONFIG": os.devnull,  # no settings of this machine
            "CTI_DATABASE_URL": self.database_url,
            "CTI_HTTP_PORT": str(self.http_port),
            "CTI_FASTAGI_PORT": str(self.fastagi_port),
            "CTI_PBX": config.name,
            "CTI_AMI_PORT": str(config.ami_port),
            "CTI_SECRET_KEY": self.key,
            "CTI_SOFTPHONE_URL": f"ws://127.0.0.1:{config.http_port}/ws",
            **accounts,
            **self.extra,
        }

    async def start(self) -> None:
        """Start the server and wait until it is ready."""
        if self.forked:
            self.process = nursery.start(self.environment(), self.log)
        else:
            with self.log.open("ab") as log:
                command = [*self.before, sys.executable, "-m", "cti_server", "serve"]
                self.process = subprocess.Popen(command, env=self.environment(), stdout=log, stderr=log)

        async def ready() -> bool:
            assert self.process is not None
            assert self.process.poll() is None, self.log.read_text()
            try:
                return (await api.get("/readyz")).status_code == 200
            except httpx.TransportError:
                return False

        async with self.client() as api:
            await until(ready, "the server to be ready", 60)

    def client(self, **given: Any) -> httpx.AsyncClient:
        """Without the authorities of TLS, whose reading takes longer than the requests of a test."""
        return httpx.AsyncClient(base_url=self.url, verify=False, **given)

    async def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End the server: SIGTERM as an administrator does, SIGKILL as a power cut does."""
        process, self.process = self.process, None
        if process is not None and process.poll() is None:
            process.send_signal(how)
            await asyncio.to_thread(process.wait, 15)

    @asynccontextmanager
    async def signed_in(self, login: str) -> AsyncIterator[httpx.AsyncClient]:
        async with self.client() as api:
            body = {"login": login, "password": DEMO_PASSWORD}
            (await api.post("/api/session", json=body)).raise_for_status()
            yield api

    async def interactions(self, **query: Any) -> list[dict[str, Any]]:
        """What the record has of calls that this PBX carried, the latest first."""
        async with self.signed_in("susan") as api:
            answer = await api.get("/api/interactions", params={"limit": 50, **query})
            answer.raise_for_status()
            return [row for row in answer.json()["items"] if (row["call"] or "").startswith(self.pbx.config.name)]


async def until(condition: Callable[[], Any], what: str, limit_s: float = 30) -> Any:
    """Wait for the first true answer; fails with `what` when it does not come."""
    deadline = time.monotonic() + limit_s
    while True:
        answer = condition()
        if asyncio.iscoroutine(answer):
            answer = await answer
        if answer:
            return answer
        assert time.monotonic() < deadline, f"waited {limit_s:g} s for {what}"
        await asyncio.sleep(0.05)


@asynccontextmanager
async def center(
    database_url: str, folder: Path, *, pbx: str = "demo", config: Mapping[str, Any] | None = None, **extra: str
) -> AsyncIterator[Center]:
    """A call center that is not started yet: the PBX is up, the database migrated and seeded. `config` are fields
    of PbxConfig, `extra` the server's settings."""
    with free_ports(2) as (fastagi_port, http_port):
        pass
    await migrate.upgrade(database_url)
    key = new_key()
    async with Database(database_url) as database:
        await seed(database, pbx, datetime.now(UTC), Sealer([key]))
    machine = DemoPbx(free_config(pbx, fastagi=f"127.0.0.1:{fastagi_port}", **(config or {})))
    await asyncio.to_thread(machine.__enter__)
    made = Center(
        machine, database_url, http_port, fastagi_port, folder / "server.log", dict(extra), key=key, forked=True
    )
    try:
        yield made
    finally:
        await made.stop(signal.SIGKILL)
        await asyncio.to_thread(machine.__exit__, None, None, None)
