"""An AMI connection of the walk's own: nothing of the server's code reads what Asterisk says to it.

Lists for the picture of this moment (`rows`), and the events that CEL does not have: hold and music. Others are
dropped unread.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

USER = "walk"
LIMIT_S = 10.0

Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Told:
    """An event of a channel, by its Uniqueid. `at` is Asterisk's own stamp, in seconds."""

    at: float
    event: str
    channel: str
    uniqueid: str


KEPT = frozenset(
    {
        "Hold",
        "Unhold",
        "MusicOnHoldStart",
        "MusicOnHoldStop",
        "HangupRequest",
        "SoftHangupRequest",
        "QueueCallerJoin",  # CEL has only when Queue() began, which on a busy machine is seconds before
    }
)


class Manager:
    """Ask with `rows`. `told` has the events of `KEPT`, in order."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._ids = itertools.count(1)
        self._waiting: dict[str, tuple[list[Row], asyncio.Future[list[Row]]]] = {}
        self.told: list[Told] = []

    async def rows(self, action: str, **given: str) -> list[Row]:
        """The rows of a list, without the answer and the row that ends it. Raises TimeoutError, RuntimeError."""
        number = f"walk-{next(self._ids)}"
        done: asyncio.Future[list[Row]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = ([], done)
        head = [f"Action: {action}", f"ActionID: {number}", *(f"{name}: {text}" for name, text in given.items())]
        self._writer.write(("\r\n".join(head) + "\r\n\r\n").encode())
        async with asyncio.timeout(LIMIT_S):
            return await done

    async def read(self) -> None:
        """Runs for as long as the connection is open."""
        await self._reader.readline()  # the banner
        while True:
            try:
                text = (await self._reader.readuntil(b"\r\n\r\n")).decode(errors="replace")
            except asyncio.IncompleteReadError:
                break
            row: Row = {}
            for line in text.splitlines():
                name, colon, value = line.partition(": ")
                if colon:
                    row.setdefault(name, value)
            self._take(row)
        for _, done in self._waiting.values():
            if not done.done():
                done.set_exception(ConnectionError("Asterisk closed the connection"))

    def _take(self, row: Row) -> None:
        if (event := row.get("Event")) in KEPT:
            at = float(row.get("Timestamp", "0"))
            self.told.append(Told(at, event, row.get("Channel", ""), row.get("Uniqueid", "")))
            return
        waiting = self._waiting.get(row.get("ActionID", ""))
        if waiting is None:
            return
        rows, done = waiting
        if "Response" in row:
            ends = row["Response"] == "Error" or row.get("EventList") != "start"
            if row["Response"] == "Error" and not row.get("Message", "").startswith("No "):
                done.set_exception(RuntimeError(row.get("Message", "refused")))
        else:
            ends = row.get("EventList") == "Complete"
            if not ends:
                rows.append(row)
        if ends:
            del self._waiting[row["ActionID"]]
            if not done.done():
                done.set_result(rows)


@asynccontextmanager
async def manager(port: int, secret: str) -> AsyncIterator[Manager]:
    """A connection that is logged in."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
    made = Manager(reader, writer)
    reading = asyncio.create_task(made.read(), name="the walk's manager")
    try:
        await made.rows("Login", Username=USER, Secret=secret)
        yield made
    finally:
        reading.cancel()
        writer.close()
