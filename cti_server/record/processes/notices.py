"""Notices: what processes on one PostgreSQL tell each other at once.

A notice only says that there is something to read. Whoever acts on notices looks by itself from time to time, too:
one that is lost costs a second, and nothing else. They are sent after the commit, on a connection of their own and
together: a NOTIFY inside of a transaction makes all commits of the database wait for each other.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import sqlalchemy as sa
import structlog

from cti_server.record.database import Database
from cti_server.record.engines import Connection, lone_engine

CHANNEL: Final = "cti_server"
PROVE_EVERY_S: Final = 2.0  # a connection that does not answer is given up
WITHIN_S: Final = 2.0
AGAIN_S: Final = 0.5
MAX_WAITING: Final = 10_000  # notices; beyond it the oldest is dropped

log = structlog.get_logger()

Hear = Callable[[str], None]


def this_process() -> str:
    """A name for this process that no other has, as `host:pid:random`."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


class Notices:
    """Run `run` as a duty. On SQLite there is nobody to tell, and nothing is."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._hear: dict[str, Hear] = {}
        self._waiting: dict[tuple[str, str], str] = {}
        self._wake = asyncio.Event()

    @property
    def alone(self) -> bool:
        """No other process can work on this record."""
        return self._database.is_sqlite

    def on(self, topic: str, hear: Hear) -> None:
        """Call `hear` with what a notice of this topic says, also one of this process. It must not wait.

        It is called with "" when notices may have been missed."""
        self._hear[topic] = hear

    def tell(self, topic: str, key: str = "", value: str = "") -> None:
        """Tell all processes; never waits. Of notices with one key that wait, only the newest is sent."""
        if self.alone:
            return
        self._waiting.pop((topic, key), None)
        self._waiting[topic, key] = value
        if len(self._waiting) > MAX_WAITING:
            del self._waiting[next(iter(self._waiting))]
        self._wake.set()

    async def run(self) -> None:
        if self.alone:
            await asyncio.Event().wait()
        engine = lone_engine(self._database.url)
        try:
            while True:
                try:
                    async with asyncio.timeout(WITHIN_S):
                        conn = await engine.connect()
                    try:
                        await self._converse(conn)
                    finally:
                        with suppress(Exception):
                            async with asyncio.timeout(WITHIN_S):
                                await conn.invalidate()
                                await conn.close()
                except Exception as cause:
                    if not self._database.trouble.note(cause):
                        log.warning("notices.interrupted", cause=f"{type(cause).__name__}: {cause}"[:300])
                await asyncio.sleep(AGAIN_S)
        finally:
            await engine.dispose()

    async def _converse(self, conn: Connection) -> None:
        """Listen and tell on this connection until it fails."""
        await conn.execution_options(isolation_level="AUTOCOMMIT")
        driver: Any = (await conn.get_raw_connection()).driver_connection
        async with asyncio.timeout(WITHIN_S):
            await driver.add_listener(CHANNEL, lambda *heard: self._heard(heard[-1]))
        for hear in self._hear.values():
            hear("")
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(PROVE_EVERY_S):
                    await self._wake.wait()
            self._wake.clear()
            waiting, self._waiting = self._waiting, {}
            said = [f"{topic} {key} {value}".rstrip() for (topic, key), value in waiting.items()]
            try:
                async with asyncio.timeout(WITHIN_S):
                    await conn.execute(
                        sa.text("SELECT pg_notify(:channel, said) FROM unnest(CAST(:said AS text[])) AS said"),
                        {"channel": CHANNEL, "said": said},
                    )
            except BaseException:
                self._waiting = waiting | self._waiting
                raise

    def _heard(self, said: str) -> None:
        topic, _, rest = said.partition(" ")
        if (hear := self._hear.get(topic)) is not None:
            try:
                hear(rest)
            except Exception:
                log.exception("notice.not_heard", topic=topic)
