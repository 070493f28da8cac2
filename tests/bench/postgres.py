"""The tests' PostgreSQL server, but durable as a real one: the figures are not won by skipping fsync."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.conftest import PostgresServer

DURABLE = {
    "fsync=off": "fsync=on",
    "synchronous_commit=off": "synchronous_commit=on",
    "full_page_writes=off": "full_page_writes=on",
    "shared_buffers=64MB": "shared_buffers=512MB",
}


class _Durable(PostgresServer):
    def _as_user(self, *command: str) -> list[str]:
        return super()._as_user(*(DURABLE.get(part, part) for part in command))


@contextmanager
def durable_postgres() -> Iterator[PostgresServer]:
    server = _Durable()
    try:
        yield server
    finally:
        server.stop()
