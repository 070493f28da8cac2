"""One stream of the journal on its way to the desktops of this process: followed in order, and without a gap.

    rows committed here ──▶ offer ┐
                                  ├▶ replica (a PBX's floor) ▶ card added ▶ hub ▶ desktops
    rows of other processes ▶ hint┘    ▲ the journal itself, where rows are not the next ones

The process that writes hands its rows over as they are committed, so nobody waits for a read; every other one is
told how far the stream is, and reads. Both see the same rows in the same order, because a stream's numbers are
committed in their order (`record/journal.py`).

While the record cannot be written, the process that is attached to the PBX hands out what happens *ahead* of it,
with the numbers that the rows will have: it alone writes that stream. Desktops are told so, and told again once it
is written; one whose connection is lost between starts over.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import structlog

from cti_server.floor import events as kinds
from cti_server.floor.events import About
from cti_server.floor.replica import Replica
from cti_server.record import journal, whole_floors
from cti_server.record.database import Database
from cti_server.record.journal import Entry, PositionGone

from . import frames
from .cards import Cards, Wanted
from .frames import of_entry
from .hub import Hub
from .recent import Recent, Row

READ_WITHIN_S = 5.0  # what is told ahead waits for a reading that is under way, and a dead connection says nothing

log = structlog.get_logger()


class Stream:
    """A stream of the journal. Await `begin` before the first desktop connects, and let `run` follow it.

    With a `replica`, it is the stream of that PBX; `cards` then adds to events what the journal does not keep.
    """

    def __init__(
        self,
        name: str,
        hub: Hub,
        database: Database,
        replica: Replica | None = None,
        cards: Cards | None = None,
        announce: Callable[[str, int], None] = lambda stream, top: None,
    ) -> None:
        """`announce` tells other processes how far the stream is now; it must not wait."""
        self.name = name
        self._announce = announce
        self.replica = replica
        self.cards = cards
        self._hub = hub
        self._database = database
        self._top = 0  # as far as the journal is known to go
        self._behind = asyncio.Event()
        self._moved = asyncio.Event()
        self._taken_back = False
        self._confirmed = 0  # up to this number everything that was handed out ahead is in the record
        self._ahead: deque[tuple[Entry, Mapping[str, Any] | None]] = deque()  # while others hold the stream
        self._handing = asyncio.Lock()  # held while what is folded and what is handed out may differ
        self._recent = Recent()
        self._looking_back = asyncio.Lock()

    @property
    def position(self) -> int:
        """The number of the last event that the replica includes and the hub has handed out."""
        return self._hub.positions.get(self.name, 0)

    async def reaches(self, seq: int) -> None:
        """Return once everything up to this number is handed out."""
        while self.position < seq:
            self._moved.clear()
            await self._moved.wait()

    @property
    def confirmed(self) -> int:
        """Up to this number everything that was handed out ahead of the record is in it."""
        return self._confirmed

    async def missed(self, seq: int, to: int) -> Sequence[Row]:
        """The rows after `seq`, up to `to` at least. Raises PositionGone, and what the database raises.

        Desktops that come together share one reading, and it has one connection: calls are written meanwhile.
        """
        if (rows := self._recent.after(seq, to)) is not None:
            return rows
        async with self._looking_back:
            if (rows := self._recent.after(seq, to)) is not None:
                return rows
            async with asyncio.timeout(READ_WITHIN_S):
                read = await self._look_back(seq, to)
        self._recent.add_before(read)
        return read

    async def _look_back(self, seq: int, to: int) -> Sequence[Row]:
        rows: list[Row] = []
        async with self._database.read() as conn:
            while entries := await journal.read_after(conn, self.name, seq):
                rows += map(Row, entries)
                seq = entries[-1].seq
                if seq >= to:
                    break
        return rows

    # --- coming to know --------------------------------------------------------------------------------

    async def begin(self) -> None:
        """Take up the stream where the journal is now: from the whole floor that was kept, and what followed."""
        async with self._handing:
            await self._take_up()

    async def _take_up(self) -> None:
        async with self._database.read() as conn:
            kept = await whole_floors.kept(conn, self.name) if self.replica is not None else None
            top = (await journal.positions(conn)).get(self.name, 0)
            if kept is None or self.replica is None:
                self._stands_at(top)
                return
            self.replica.load(kept.floor)
            if self._database.is_sqlite:  # no other process can be attached to the PBX yet
                self.replica.link |= {"state": "connecting", "detail": None}
            position = kept.seq
            try:
                while entries := await journal.read_after(conn, self.name, position):
                    for entry in entries:
                        self._fold(self.replica, entry)
                    position = entries[-1].seq
            except PositionGone as gone:
                # What is left of the floor is put right when the owner of the PBX begins, or with each event.
                log.warning("stream.begins_with_a_gap", stream=self.name, cause=str(gone))
                position = top
            self._stands_at(position)

    def _stands_at(self, position: int) -> None:
        self._hub.positions[self.name] = position
        self._recent.begin(position)

    def offer(self, entries: Sequence[Entry], whole: Mapping[str, Any] | None = None) -> None:
        """Rows that this process has committed, in order; never waits. `whole` is the floor that they begin.

        They are handed out at once where they are the next ones, and read from the journal where they are not.
        """
        if not entries:
            return
        self._announce(self.name, entries[-1].seq)
        if self._handing.locked() or entries[0].seq != self.position + 1 or self._lacking(entries):
            self.hint(entries[-1].seq)
            return
        for entry in entries:
            self._fold(self.replica, entry, whole)
        self._publish(entries)

    def offer_ahead(self, entries: Sequence[Entry], whole: Mapping[str, Any] | None = None) -> bool:
        """Rows as they will be once the record can be written: handed out provisionally, and never waits. False,
        and nothing is done, where they are not the next ones. `confirm` follows, or `take_back`."""
        if entries and entries[0].seq != self._end + 1:
            return False
        self._ahead.extend((entry, whole) for entry in entries)
        if not self._handing.locked():
            self._hand_out_ahead()
        return True

    def confirm(self, entries: Sequence[Entry]) -> None:
        """These rows were handed out by `offer_ahead`, and have been committed since."""
        if entries:
            self._confirmed = top = entries[-1].seq
            self._announce(self.name, top)
            if top >= self._end:
                self._hub.ahead.discard(self.name)
            self._hub.tell_all(frames.confirmed(self.name, top))

    def take_back(self) -> None:
        """What was handed out ahead of the record will never be in it: desktops start over from what is, as soon
        as that can be read. Never waits."""
        self._ahead.clear()
        if self.name in self._hub.ahead:
            self._taken_back = True
            self._behind.set()

    def hint(self, top: int) -> None:
        """The journal has rows up to this number; never waits."""
        if top > self._top:
            self._top = top
        if self._top > self.position:
            self._behind.set()

    async def run(self) -> None:
        """Hand out what `hint` told of, until cancelled. Raises what the database raises."""
        while True:
            await self._behind.wait()
            async with self._handing:
                if self._taken_back:
                    async with asyncio.timeout(READ_WITHIN_S):
                        await self._start_over("what was told here last did not come into the record")
                    self._hub.ahead.discard(self.name)
                    self._taken_back = False
                async with asyncio.timeout(READ_WITHIN_S):
                    await self._read_to(self._top)
            self._hand_out_ahead()
            self._behind.clear()
            self.hint(self._top)

    @asynccontextmanager
    async def held(self) -> AsyncIterator[Held]:
        """Nothing of this stream is handed out meanwhile, so what is read of the replica belongs to `position`."""
        try:
            async with self._handing:
                yield Held(self)
        finally:
            self._hand_out_ahead()
        self.hint(self._top)

    async def _read_to(self, top: int) -> None:
        async with self._database.read() as conn:
            while self.position < top:
                try:
                    entries = await journal.read_after(conn, self.name, self.position)
                except PositionGone as gone:
                    await self._start_over(gone)
                    return
                if not entries:
                    return  # `top` is of a row that is not committed yet, or of another database
                entries = [entry for entry in entries if entry.seq <= top]
                for entry in entries:
                    whole = await self._whole_of(entry)
                    self._fold(self.replica, entry, whole)
                if self.cards is not None and (lacking := self._lacking(entries)):
                    await self.cards.read(lacking)
                self._publish(entries)

    async def _whole_of(self, entry: Entry) -> Mapping[str, Any] | None:
        """The whole floor that the owner kept with this row; None where it has been followed by a newer one."""
        if entry.kind != kinds.FLOOR_BEGAN:
            return None
        async with self._database.read() as conn:
            kept = await whole_floors.kept(conn, self.name)
        return kept.floor if kept is not None and kept.seq == entry.seq else None

    @property
    def _end(self) -> int:
        return self._ahead[-1][0].seq if self._ahead else self.position

    def _hand_out_ahead(self) -> None:
        if self._handing.locked():
            return
        # Some may have been committed, and even read from the journal, while somebody held the stream.
        rows = [(entry, whole) for entry, whole in self._ahead if entry.seq > self.position]
        self._ahead.clear()
        if not rows:
            return
        for entry, whole in rows:
            self._fold(self.replica, entry, whole)
        provisional = rows[-1][0].seq > self._confirmed
        if provisional:
            self._hub.ahead.add(self.name)
        self._publish([entry for entry, _ in rows], provisional=provisional)

    async def _start_over(self, gone: PositionGone | str) -> None:
        """This process was away for longer than the journal is kept, or the record is another one, or what was
        told ahead is not to be: its desktops start over, too."""
        log.warning("stream.starts_over", stream=self.name, cause=str(gone))
        self._top = 0
        await self._take_up()
        self._top = max(self._top, self.position)  # whatever was hinted at meanwhile
        self._hub.overrun_all()

    # --- handing out -----------------------------------------------------------------------------------

    def _lacking(self, entries: Sequence[Entry]) -> Sequence[Wanted]:
        """What is to be shown here with these rows, and has to be read first."""
        if self.cards is None:
            return ()
        return self.cards.lacking(entry for entry in entries if self._hub.is_read(self.name, entry.audience))

    def _publish(self, entries: Sequence[Entry], *, provisional: bool = False) -> None:
        cards = self.cards
        self._hub.publish(
            of_entry(
                entry,
                cards.with_card(entry.kind, entry.body) if cards is not None else entry.body,
                provisional=provisional,
            )
            for entry in entries
        )
        self._recent.add(entries)
        self._moved.set()
        if cards is not None:
            cards.forget(entries)

    @staticmethod
    def _fold(replica: Replica | None, entry: Entry, whole: Mapping[str, Any] | None = None) -> None:
        if replica is None:
            return
        if entry.kind == kinds.FLOOR_BEGAN:
            if whole is not None:
                replica.load(whole)
            return
        about = (entry.audience or {}).get("about")
        replica.take(
            entry.kind,
            entry.body,
            About(frozenset(about["agents"]), frozenset(about["queues"])) if about is not None else None,
        )


class Held:
    """A stream that stands still."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    @property
    def position(self) -> int:
        return self._stream.position

    async def reach(self, seq: int) -> None:
        """Hand out up to this number and no further. It must have been committed."""
        await self._stream._read_to(seq)
