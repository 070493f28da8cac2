"""Gaps: what the calls were that nobody saw, because no server ran or the link to the PBX was lost.

A gap is noted in the record when it begins, and is over with the first snapshot. Then the PBX's own log (CEL) is
read from before the gap to its end. A call that the record knows nothing of is added, one whose end is missing is
completed, and one that lives is the floor's. Each is written under the lease, and by a key that exists once, so
that it makes no difference how often or by how many servers a gap is filled."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Protocol

import structlog

from .cel import source
from .cel.contacts import Unwatched, contact_of, end_of, missed_of
from .cel.look import CelUnreadable, Look
from .cel.replay import Replay
from .cel.stories import Stories, Story
from .floor.books import Books
from .floor.calls import Call, Direction
from .floor.signals import LinkState
from .lookup.card import verdict_view
from .lookup.identify import Lookup
from .pipeline import Pipeline
from .record import leases
from .record.contacts import afterwards, gaps, history
from .record.contacts.afterwards import Completed
from .record.contacts.gaps import Gap
from .record.contacts.history import Interaction
from .record.contacts.interactions import add_new
from .record.contacts.records import InteractionRecord
from .record.database import Database
from .record.engines import Connection
from .settings import PbxSettings

ENDLESS_S = 366 * 86400.0
EARLY_S = 10.0  # a half-open link is found after 6 s, and the time of the last word is noted every 5 s
SETTLES_S = 2.0  # Asterisk writes its log in another thread than the one that tells the manager
LATER_S = 120.0  # so long after the gap the log may still tell of what ended in it: ChanSpy holds ends up
AGAIN_S = 60.0  # between two tries to fill what could not be filled
TRIES = 3  # for calls that are gone and have no end in the log; then they are written without
OLDEST = timedelta(days=7)  # a gap that could not be filled for so long is left as it is
LONGEST_CALL = timedelta(hours=12)  # of those that were seen and lost, none is older
AT_ONCE = 100  # calls that are asked about, and written, together
LONG = 300  # rows of a story that is worked through in a thread; shorter ones take milliseconds
PAUSE_S = 0.005  # after each batch of rows: live calls come first

log = structlog.get_logger()
Write = Callable[[], Awaitable[None]]


class Clock(Protocol):
    """What the link knows of time: by how much the PBX's clock is behind ours, since when this Asterisk has run
    (by our clock; None where it did not say), and when the link was lost last."""

    behind_s: float
    up_since: float | None
    lost_at: float | None


@dataclass(slots=True)
class _Found:
    """What came of one look at the log. `unfinished` calls have no end in it yet."""

    added: int = 0
    completed: int = 0
    left_out: int = 0
    unfinished: int = 0


@dataclass(slots=True)
class _Work:
    """One gap being filled. `unended` are the contacts without an end, by id, `unwatched` the gaps of the last
    hours; `waiting` are stories to be asked about."""

    gap: Gap
    unended: dict[int, Interaction]
    unwatched: Unwatched
    replay: Replay
    boot_before: int
    found: _Found = field(default_factory=_Found)
    waiting: list[tuple[Story, Call]] = field(default_factory=list)

    @property
    def since(self) -> float:
        return self.gap.since.timestamp()

    @property
    def until(self) -> float:
        return (self.gap.until or datetime.now(UTC)).timestamp()


@dataclass(slots=True)
class Gaps:
    """The gaps of one PBX while this process is attached to it. Make it once the floor is restored, then `run`."""

    pbx: PbxSettings
    database: Database
    pipeline: Pipeline
    lookup: Lookup
    lease: leases.Lease
    clock: Clock
    _began: float | None = field(init=False)
    _alive: frozenset[str] = frozenset()
    _changed: list[tuple[float, float]] = field(default_factory=list)  # of each: when it began, and changed last
    _tries: dict[int, int] = field(default_factory=dict)
    _later: dict[int, tuple[int, Completed]] = field(default_factory=dict)  # interaction → its gap, its end
    _looked_at: set[tuple[int, str]] = field(default_factory=set)  # what is written of those: gap, linkedid
    _went_on: dict[str, tuple[int, InteractionRecord]] = field(
        default_factory=dict
    )  # linkedid → its gap, what CEL tells

    def __post_init__(self) -> None:
        self._began = self.pipeline.books.heard_until

    async def run(self) -> None:
        """Note each gap when it begins, and fill it when it is over, until cancelled."""
        while True:
            if self._began is not None:
                await self._until_written(self._note_beginning)
            live_since = await self.pipeline.when(_live_since, ENDLESS_S)
            self._alive, self._changed = _alive(self.pipeline.books), _changed(self.pipeline.books)
            await self._until_written(partial(self._note_end, datetime.now(UTC)))
            filling = asyncio.create_task(self._fill(), name=f"filling {self.pbx.name}")
            try:
                await self.pipeline.when(partial(_is_not, live_since), ENDLESS_S)
                self._began = (self.clock.lost_at or time.time()) - EARLY_S
            finally:
                filling.cancel()
                await asyncio.gather(filling, return_exceptions=True)

    async def _note_beginning(self) -> None:
        assert self._began is not None
        async with self.database.begin() as conn:
            await leases.fence(conn, self.lease)
            await gaps.begin(conn, self.pbx.name, datetime.fromtimestamp(self._began, UTC))
        self._began = None

    async def _note_end(self, over: datetime) -> None:
        async with self.database.begin() as conn:
            await leases.fence(conn, self.lease, changes_it=True)
            await gaps.end(conn, self.pbx.name, over)
            await leases.note_live(conn, self.pbx.name, over)  # from now on another gap may begin

    async def _until_written(self, write: Write) -> None:
        while True:
            try:
                return await write()
            except leases.LeaseLost:
                raise
            except Exception as cause:
                if not self.database.trouble.note(cause):
                    log.exception("gap.not_noted", pbx=self.pbx.name)
                await asyncio.sleep(SETTLES_S)

    # --- filling ---------------------------------------------------------------------------------------

    async def _fill(self) -> None:
        """Fill what is to be filled, and again what could not be, while the link lives."""
        await asyncio.sleep(SETTLES_S)
        while True:
            try:
                if await self._fill_all():
                    return
            except leases.LeaseLost:
                return  # the pipeline finds out by itself
            except Exception as cause:
                if not self.database.trouble.note(cause):
                    log.exception("gap.not_filled", pbx=self.pbx.name, again_in_s=AGAIN_S)
                await asyncio.sleep(
                    SETTLES_S
                )  # what has left the floor would be tried again at once, and for ever
            with suppress(TimeoutError):
                await self.pipeline.when(self._some_left_the_floor, SETTLES_S if self._tries else AGAIN_S)

    async def _fill_all(self) -> bool:
        """Whether nothing is left to be done."""
        async with self.database.read() as conn:
            left = await gaps.not_filled(conn, self.pbx.name, datetime.now(UTC) - OLDEST)
        if not left:
            await self._complete_later()
            return not self._went_on
        look = source.look_of(self.pbx)
        if look is None:
            log.info("gap.unknown", pbx=self.pbx.name, gaps=len(left), remedy="set CTI_CEL: docs/install.md")
            return True
        await self._complete_later()
        for gap in left:
            if self._waits(gap):
                continue  # for calls that go on, or an agent who still wraps up
            await self._fill_one(gap, look)
        async with self.database.read() as conn:
            left = await gaps.not_filled(conn, self.pbx.name, datetime.now(UTC) - OLDEST)
        return not left

    def _waits(self, gap: Gap) -> int:
        """How many contacts of this gap are still the floor's."""
        return sum(of == gap.id for of, _ in (*self._later.values(), *self._went_on.values()))

    async def _fill_one(self, gap: Gap, look: Look) -> None:
        async with self.database.read() as conn:
            began = gap.since - LONGEST_CALL
            unended = await afterwards.without_end(conn, self.pbx.name, began, gap.until or datetime.now(UTC))
            before = await afterwards.boot_before(conn, self.pbx.name, gap.since + timedelta(seconds=EARLY_S))
            unwatched = await self._unwatched(conn, began)
        work = _Work(
            gap,
            {row.id: row for row in unended},
            unwatched,
            Replay(self.pipeline.books, gap.since.timestamp()),
            before or 0,
        )
        why = None
        try:
            await self._read(work, look)
        except CelUnreadable as cause:
            why = str(cause)
            if why != gap.trouble:
                log.warning("cel.unreadable", pbx=self.pbx.name, cause=why, again_in_s=AGAIN_S)
        found = work.found
        if found.unfinished:
            self._tries[gap.id] = self._tries.get(gap.id, 0) + 1
        else:
            self._tries.pop(gap.id, None)
        waits = self._waits(gap)
        async with self.database.begin() as conn:
            await leases.fence(conn, self.lease)
            if why is not None or found.unfinished or waits:
                if why is None and found.unfinished:
                    why = f"{found.unfinished} calls have no end in the log yet"
                elif why is None:
                    why = f"{waits} calls of it are still on the floor"
                await gaps.note_trouble(conn, gap.id, why, found.added, found.completed)
                return
            await gaps.filled(conn, gap.id, datetime.now(UTC), found.added, found.completed, found.left_out)
        log.info(
            "gap.filled",
            pbx=self.pbx.name,
            since=gap.since.isoformat(timespec="seconds"),
            seconds=round(work.until - work.since),
            added=gap.added + found.added,
            completed=gap.completed + found.completed,
            left_out=found.left_out,
        )

    async def _read(self, work: _Work, look: Look) -> None:
        behind = self.clock.behind_s
        changed = (began for began, at in self._changed if at >= work.since)
        known = (work.since, *(row.started_at.timestamp() for row in work.unended.values()), *changed)
        began = max(min(known), work.since - LONGEST_CALL.total_seconds()) - EARLY_S
        stories = Stories(self.pipeline.books.nobody)
        async with aclosing(source.rows(look, began - behind, work.until + LATER_S - behind)) as batches:
            async for batch in batches:
                for row in batch:
                    for story in stories.take(replace(row, at=row.at + behind) if behind else row):
                        await self._take(work, story)
                        await asyncio.sleep(0)
                await asyncio.sleep(PAUSE_S)
        for story in stories.rest():
            await self._take(work, story)
        await self._write(work)
        work.found.left_out += stories.given_up

    async def _take(self, work: _Work, story: Story) -> None:
        if story.began_at > work.until:
            return  # it came later: the floor has it
        if not self._alive.isdisjoint((*story.legs, *story.linkedids)):
            await self._note_what_it_missed(work, story)
            return
        is_present = self.clock.up_since is None or story.began_at >= self.clock.up_since - SETTLES_S
        if not story.is_over and is_present and self._tries.get(work.gap.id, 0) < TRIES:
            work.found.unfinished += story.began_at >= work.since - EARLY_S
            return
        boot = self.pipeline.books.boot if is_present else work.boot_before
        work.waiting += [(story, call) for call in await _calls(work, story, boot)]
        if len(work.waiting) >= AT_ONCE:
            await self._write(work)

    async def _note_what_it_missed(self, work: _Work, story: Story) -> None:
        """A call that went on. The floor has it, but for what came of it while nobody watched."""
        for call in await _calls(work, story, self.pipeline.books.boot):
            self._look_later(work, story, call)

    def _look_later(self, work: _Work, story: Story, call: Call) -> None:
        told = contact_of(call)
        is_new = (work.gap.id, call.linkedid) not in self._looked_at
        if is_new and call.linkedid in story.started and work.unwatched.concern(told):
            self._went_on[call.linkedid] = (work.gap.id, told)

    # --- writing ---------------------------------------------------------------------------------------

    async def _write(self, work: _Work) -> None:
        """Write what is not known of the calls that wait."""
        waiting, work.waiting = work.waiting, []
        names = {name for _, call in waiting for name in (call.linkedid, *call.aliases)}
        since = work.gap.since - LONGEST_CALL - timedelta(days=1)
        async with self.database.read() as conn:
            known = await afterwards.known(conn, self.pbx.name, names, since)
        new: list[InteractionRecord] = []
        for story, call in waiting:
            seen = {known[name] for name in (call.linkedid, *call.aliases) if name in known}
            row = work.unended.get(seen.pop()) if len(seen) == 1 else None
            if row is not None and story.is_whole:
                await self._complete(work, row, call)
            elif not known.keys() & {call.linkedid, *call.aliases} and call.started_at >= work.since - EARLY_S:
                if call.linkedid in story.started and call.first_leg is not None:
                    new.append(await self._identified(call))
                else:
                    work.found.left_out += call.first_leg is not None
            elif row is None and known.keys() & {call.linkedid, *call.aliases}:
                self._look_later(work, story, call)  # its end was seen, as soon as somebody watched again
        if not new:
            return
        async with self.database.begin() as conn:
            await leases.fence(conn, self.lease)
            work.found.added += len(await add_new(conn, new))

    async def _identified(self, call: Call) -> InteractionRecord:
        """The contact of the call, with the customer whom the lookup finds, as of any other call."""
        inbound = call.direction is Direction.INBOUND
        number = call.ani_raw if inbound else call.dnis
        name, line = (call.ani_name, call.dnis) if inbound else (None, None)
        at = datetime.fromtimestamp(call.started_at, UTC)
        who = await self.lookup.identify(self.pbx.name, number, name, line, at)
        return replace(
            contact_of(call),
            customer_id=who.customer.id if who.customer is not None else None,
            match_standing=who.match.standing,
            verdict=dict(verdict_view(who.verdict)) if who.customer is not None else None,
            ani_e164=who.number.e164,
            line_id=who.line.id if who.line is not None else None,
            language=who.language,
        )

    async def _complete(self, work: _Work, row: Interaction, call: Call) -> None:
        if (end := end_of(row, contact_of(call), work.unwatched)) is None:
            return
        if self._is_on_floor(row.id):
            self._later[row.id] = (work.gap.id, end)
        else:
            work.found.completed += await self._write_end(row.id, end)

    async def _complete_later(self) -> None:
        """Those whose agents have finished their wrap-up meanwhile: until then the floor writes the contact."""
        for interaction, (_, end) in list(self._later.items()):
            if not self._is_on_floor(interaction):
                await self._write_end(interaction, end)
                del self._later[interaction]
        for linkedid, (gap, told) in list(self._went_on.items()):
            if self._has_left(linkedid):
                await self._write_what_it_missed(linkedid, told)
                self._looked_at.add((gap, linkedid))
                del self._went_on[linkedid]

    async def _write_what_it_missed(self, linkedid: str, told: InteractionRecord) -> None:
        async with self.database.begin() as conn:
            await leases.fence(conn, self.lease)
            known = await afterwards.known(conn, self.pbx.name, [linkedid], told.started_at - timedelta(days=1))
            row = await history.get(conn, known[linkedid]) if linkedid in known else None
            if row is None or row.outcome is None:
                return
            if row.ended_at is None:
                return  # of its end nobody knows yet: `end_of` has it all
            unwatched = await self._unwatched(conn, row.started_at)
            if (missed := missed_of(row, told, unwatched)) is not None:
                await afterwards.fill(conn, row.id, missed)

    async def _unwatched(self, conn: Connection, since: datetime) -> Unwatched:
        """The gaps from then on."""
        return Unwatched(await gaps.spans(conn, self.pbx.name, since))

    async def _write_end(self, interaction: int, end: Completed) -> bool:
        async with self.database.begin() as conn:
            await leases.fence(conn, self.lease)
            return await afterwards.complete(conn, interaction, end)

    def _some_left_the_floor(self, books: Books) -> bool | None:
        """Whether a contact that is to be written is not the floor's any more."""
        ended = any(not self._is_on_floor(interaction) for interaction in self._later)
        return ended or any(map(self._has_left, self._went_on)) or None

    def _is_on_floor(self, interaction: int) -> bool:
        """Whether the floor writes this contact yet: a call that has left it may still wait to be written."""
        live = any(call.interaction == interaction for call in self.pipeline.books.calls.values())
        return live or self.pipeline.spool.holds(interaction)

    def _has_left(self, linkedid: str) -> bool:
        """The same of a call that may not have been written yet, when its story was read."""
        return self.pipeline.books.call_with(linkedid) is None and not self.pipeline.spool.has(linkedid)


def _live_since(books: Books) -> float | None:
    """Since when the PBX is heard, its first snapshot taken in; None while it is not."""
    return books.link_since if books.link is LinkState.LIVE and books.boot else None


def _is_not(live_since: float, books: Books) -> bool | None:
    """Whether the link was lost since then; it may be back."""
    return _live_since(books) != live_since or None


async def _calls(work: _Work, story: Story, boot: int) -> list[Call]:
    if len(story.rows) > LONG:  # of a conference: it must not keep the live calls waiting
        return await asyncio.to_thread(work.replay.calls, story, boot)
    return work.replay.calls(story, boot)


def _alive(books: Books) -> frozenset[str]:
    """Every name of the calls that go on, and of their legs."""
    names: list[str] = []
    for call in books.calls.values():
        if not call.ended:
            names += (call.linkedid, *call.aliases, *call.legs)
    return frozenset(names)


def _changed(books: Books) -> list[tuple[float, float]]:
    """Of each call that goes on, when it began and when it changed last, in seconds of the epoch. What ended
    unseen changed just now."""
    found = []
    for call in books.calls.values():
        times = [call.started_at, *(part.answered_at or part.offered_at or 0.0 for part in call.parts)]
        times += [part.ended_at or time.time() for part in call.parts if part.outcome is not None]
        times += [visit.left or time.time() for visit in call.visits]
        if not call.ended:
            found.append((call.started_at, max(times)))
    return found
