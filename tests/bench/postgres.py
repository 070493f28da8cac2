"""The tests' PostgreSQL server, but durable as a real one: the figures are not won by skipping fsync. With a
standby, if need be."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.conftest import PostgresServer

DURABLE = {
    "fsync=off": "fsync=on",
    "synchronous_commit=off": "synchronous_commit=on",
    "full_page_writes=off": "full_page_writes=on",
    "shared_buffers=64MB": "shared_buffers=512MB",
}
SYNCHRONOUS_WITHIN_S = 30.0


class DurableServer(PostgresServer):
    def _as_user(self, *command: str) -> list[str]:
        return super()._as_user(*(DURABLE.get(part, part) for part in command))

    def kill(self) -> None:
        """As when its machine loses its power: nothing is finished, and nobody is told."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()


class Standby(DurableServer):
    """Follows another server. Once it is there, nothing is committed there that is not here, too."""

    def __init__(self, primary: DurableServer) -> None:
        self._primary = primary
        super().__init__()
        primary.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
        primary.execute("SELECT pg_reload_conf()")
        deadline = time.monotonic() + SYNCHRONOUS_WITHIN_S
        while primary.asked("SELECT sync_state FROM pg_stat_replication") != "sync":
            if time.monotonic() > deadline:
                raise TimeoutError(f"no synchronous standby:\n{(self.folder / 'log').read_text()}")
            time.sleep(0.05)

    def _create(self) -> None:
        shutil.rmtree(self._data, ignore_errors=True)
        source = ("-h", "127.0.0.1", "-p", str(self._primary.port), "-U", "cti")
        copy = (str(self.bin / "pg_basebackup"), "-D", str(self._data), *source)
        subprocess.run(self._as_user(*copy, "-R", "-X", "stream", "-c", "fast"), check=True, cwd=self.folder)

    def promote(self) -> None:
        """From now on it is the one that is written to. Returns once it is."""
        self.asked("SELECT pg_promote()")


@contextmanager
def durable_postgres() -> Iterator[DurableServer]:
    server = DurableServer()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def standby_of(primary: DurableServer) -> Iterator[Standby]:
    """A synchronous standby, for as long as the block runs."""
    server = Standby(primary)
    try:
        yield server
    finally:
        server.stop()
