"""The record at the end, compared with Asterisk's own log: each caller once, who talked how long, who hung up.

A difference within `TOLERANCE_S` is none. What happened while the server was away it learns from the PBX's log of
channels, if it has that (`fills_gaps`): then only how much of a call was hold is not known of that time. Without
it nothing is guessed, and the difference may be as long as it was away, and a few seconds more: what it heard last
it notes every few seconds.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from cti_server.record.database import Database

from .actions import finish
from .cel import History, Life, Span, by_linkedid, history, people, read, total, within
from .findings import Difference
from .picture import TRUNK
from .site import PBX
from .walk import Walk

NOTED_EVERY_S = 5.0
FILLED_WITHIN_S = 150.0  # what has no end in the log is asked for three times, a minute apart
HEARD_AGAIN_S = 4.0  # so long after a server is ready again a call may end whose end was asked for before
TOLERANCE_S = 1.0
WITH_TALK = ("answered", "transferred", "transfer_failed", "abandoned", "short_abandon", "no_agent")
TALKED_S = 0.3  # a shorter moment together may be over before anybody could be told


@dataclass
class Contact:
    """A row of the record with its segments, and the linkedids that it stands for."""

    row: dict[str, Any]
    segments: list[dict[str, Any]]
    linkedids: set[str]

    def seconds(self, what: str, seat: str) -> float:
        return sum(s[what] or 0 for s in self.segments if s["seat"] == seat) / 1000

    def answered(self) -> set[str]:
        return {s["seat"] for s in self.segments if s["answered_at"] is not None}

    def lines(self) -> Iterator[str]:
        told = ("direction", "outcome", "ended_by", "complete", "wait_ms", "talk_ms", "hold_ms", "started_at")
        yield "  record    " + ", ".join(f"{name} {self.row[name]}" for name in (*told, "answered_at", "ended_at"))
        for one in self.segments:
            told = ("seat", "origin", "outcome", "answered_at", "ended_at", "ring_ms", "talk_ms", "hold_ms")
            yield "  record      segment " + ", ".join(f"{name} {one[name]}" for name in told)


async def contacts(database_url: str) -> list[Contact]:
    """Everything that the record has of this PBX."""
    async with Database(database_url) as database, database.read() as conn:

        async def rows(query: str) -> list[dict[str, Any]]:
            return [dict(row) for row in (await conn.execute(sa.text(query))).mappings()]

        found = {
            row["id"]: Contact(row, [], {row["linkedid"]})
            for row in await rows(f"SELECT * FROM interactions WHERE pbx = '{PBX}'")
        }
        for one in await rows("SELECT * FROM segments ORDER BY interaction_id, position"):
            if one["interaction_id"] in found:
                found[one["interaction_id"]].segments.append(one)
        for one in await rows("SELECT * FROM interaction_aliases"):
            if one["interaction_id"] in found:
                found[one["interaction_id"]].linkedids.add(one["linkedid"])
    return list(found.values())


class Judge:
    """Holds both sides against each other. `downs`: when the server was away; `cleared`: when all were hung up."""

    def __init__(self, past: History, record: Sequence[Contact], numbers: Sequence[str], walk: Walk) -> None:
        self.past, self.record, self.walk = past, record, walk
        self.callers = {
            life.id: life
            for life in people(past)
            if life.number in numbers and life.device == TRUNK and life.id == life.linkedids[0]
        }
        self.by_linkedid = by_linkedid(past.lives.values())

    # --- each contact ----------------------------------------------------------------------------------

    def judge(self) -> Iterator[tuple[Difference, list[str]]]:
        """The differences, each with the two sides in lines."""
        for caller in self.callers.values():
            own = [one for one in self.record if one.row["ani_raw"] == caller.number]
            if not own and self._unwatched(caller):
                continue
            if len(own) != 1:
                text = f"caller {caller.number} ({caller.id})"
                yield Difference(f"a caller is {len(own)} times in the record", text), [*self._lines(caller, own)]
            for contact in own[:1]:
                for one in self._contact(caller, contact):
                    text = f"{one.text} (caller {caller.number}, {caller.id})"
                    yield one._replace(text=text), [*self._lines(caller, own)]
        named = {linkedid for contact in self.record for linkedid in contact.linkedids}
        for life in people(self.past):
            if not named.intersection(life.linkedids) and not self._unwatched(life):
                yield Difference("a call is not in the record", f"{life.device} {life.id}"), []
        for contact in self.record:
            lives = [life for name in contact.linkedids for life in self.by_linkedid[name]]
            if contact.row["direction"] == "internal" and any(life.device == TRUNK for life in lives):
                yield Difference("direction internal, with a number outside", contact.row["linkedid"]), []
        for linkedid in sorted(named - set(self.by_linkedid)):
            yield Difference("the record has a call that Asterisk had not", linkedid), []

    def _contact(self, caller: Life, contact: Contact) -> Iterator[Difference]:
        row, group = contact.row, self._group(caller)
        unsure = self._unsure([caller, *group])
        filled = self.walk.site.fills_gaps
        slack = TOLERANCE_S + (unsure if not filled else 0.0)
        has_end = row["complete"] or (row["ended_at"] is not None if filled else bool(unsure))
        if row["outcome"] is None or not has_end:
            yield Difference("a contact without its end", f"outcome {row['outcome']}")
            return
        seats = sorted({life.device for life in group if life.device != TRUNK})
        talked = set()
        for seat in seats:
            talk, hold = self._times(caller, group, seat)
            if talk > TALKED_S:
                talked.add(seat)
            both = [
                ("talk", talk, contact.seconds("talk_ms", seat)),
                ("hold", hold, contact.seconds("hold_ms", seat)),
            ]
            if unsure and filled:
                both = [("talk or hold", talk + hold, both[0][2] + both[1][2])]
            for name, truth, mine in both:
                if abs(truth - mine) > slack:
                    more = "too long" if mine > truth else "too short"
                    yield Difference(f"{name} {more}", f"{seat}: {mine:.1f} s, not {truth:.1f} s")
        if not unsure or filled:
            if missing := talked - contact.answered():
                yield Difference("who talked has no answered segment", f"{sorted(missing)}")
            brief = {life.device for life in group}
            if strange := contact.answered() - brief:
                yield Difference("an answered segment of who was never there", f"{sorted(strange)}")
        if not unsure:
            yield from self._ends(caller, group, contact, bool(talked))
        yield from self._waits(caller, contact, slack)

    def _group(self, caller: Life) -> list[Life]:
        """Who was in a room with the caller, or with one of those: other callers are no link."""
        found: set[str] = set()
        fresh = {caller.id}
        while fresh:
            met = {other for one in fresh for other in self.past.met(one)}
            found |= fresh
            fresh = met - found - set(self.callers)
        return [self.past.lives[one] for one in found - {caller.id}]

    def _times(self, caller: Life, group: list[Life], seat: str) -> tuple[float, float]:
        """Seconds of talk and of hold of the agent at this seat. An agent who is in the call with two channels at
        once talks with either."""
        each = [self._time(caller, group, life) for life in group if life.device == seat]
        there = [span for one, _ in each for span in one]
        talk = [span for _, one in each for span in one]
        return total(talk), total(there) - total(talk)

    def _time(self, caller: Life, group: list[Life], mine: Life) -> tuple[list[Span], list[Span]]:
        """When they are in the call, and when they talk. Hold is what they are in the call without being heard by
        the caller. Who is consulted works before they have met the caller: that is talk. So is what those who stay
        say to each other once the caller is gone."""
        with_caller = frozenset((mine.id, caller.id))
        met = self.past.together.get(with_caller, [])
        pairs = [frozenset((mine.id, other.id)) for other in group if other.device != mine.device]
        others = [span for pair in pairs for span in self.past.together.get(pair, [])]
        began = min((begin for begin, _ in (*met, *others)), default=float("inf"))
        first_met = min((begin for begin, _ in met), default=float("inf"))
        over = caller.ended if caller.ended is not None else float("inf")
        there = within(mine.bridged, [(began, float("inf"))])
        heard = [span for pair in pairs for span in self.past.heard.get(pair, [])]
        talk = within(
            [
                *self.past.heard.get(with_caller, []),
                *within(there, [(0.0, min(first_met, over))]),
                *within(heard, [(over, float("inf"))]),
            ],
            there,
        )
        return there, talk

    # --- waiting and the end ---------------------------------------------------------------------------

    def _waits(self, caller: Life, contact: Contact, slack: float) -> Iterator[Difference]:
        # Given to a queue in a consultation, a caller waits there behind a Local channel.
        behind = [life for name in caller.linkedids for life in self.by_linkedid[name] if not life.is_person]
        if any(life.queued for life in behind):
            return
        if not caller.queued:
            if contact.row["wait_ms"]:
                yield Difference("a wait without a queue", f"{contact.row['wait_ms']} ms")
            return
        bridged = caller.bridged
        waited = total(caller.queued) - total(within(bridged, caller.queued))
        # Out of the queue, while the phone rings of whoever picked them, a caller waits on.
        ends = caller.ended if caller.ended is not None else caller.queued[-1][1]
        since = [(begin, min([b for b, _ in bridged if b >= begin], default=ends)) for begin, _ in caller.queued]
        mine = (contact.row["wait_ms"] or 0) / 1000
        if not waited - slack <= mine <= max(waited, total(since)) + slack:
            yield Difference("another wait", f"{mine:.1f} s, not {waited:.1f} s")

    def _ends(self, caller: Life, group: list[Life], contact: Contact, talked: bool) -> Iterator[Difference]:
        ended = max((life.ended or 0.0 for life in (caller, *group)), default=0.0)
        if any(begin - 0.5 <= ended <= end for begin, end in self.walk.cleared):
            return  # everybody was hung up at once
        if any(end > (caller.ended or 0.0) + 1.0 for life in group for _, end in life.bridged):
            return  # others talked on without the caller: by whom the contact ended is a matter of words
        by = self._hung_up(caller, group)
        # Whoever asked to hang up before the server heard the PBX again was not seen to.
        unheard = any(begin <= (caller.ended or 0.0) <= end + HEARD_AGAIN_S for begin, end in self.walk.site.downs)
        unseen = unheard and contact.row["ended_by"] == "unknown"
        if by is not None and contact.row["ended_by"] != by and not unseen:
            yield Difference(f"ended by {contact.row['ended_by']}, not {by}", f"outcome {contact.row['outcome']}")
        outcome = contact.row["outcome"]
        if talked and outcome not in WITH_TALK:
            yield Difference(f"outcome {outcome} though somebody talked", "")
        if not talked and not group:
            waits_at_the_end = bool(caller.queued) and caller.queued[-1][1] >= (caller.ended or 0.0) - 0.1
            wanted = None
            if by == "caller" and waits_at_the_end:
                wanted = {"abandoned", "short_abandon"}
            elif caller.queued and by == "system":
                wanted = {"no_agent"}
            if wanted is not None and outcome not in wanted:
                yield Difference(f"outcome {outcome}, not {'/'.join(sorted(wanted))}", "")

    def _hung_up(self, caller: Life, group: list[Life]) -> str | None:
        """Who ended the contact; None where the log leaves it open. A phone that hangs up is named by its channel
        itself; a leg that was hung up from a screen names nobody."""
        ends = caller.ended or 0.0
        there = [life for life in group if any(end >= ends - 1.0 for _, end in self._with(caller, life))]
        last = [life for life in (caller, *there) if life.ended is not None and life.ended >= ends - 1.0]
        desk = {leg: at for at, leg in self.walk.hung_up_at_desk if ends - 2.0 <= at <= ends + 0.1}
        asked = [(life.ended or 0.0, life) for life in last if life.hung_up_by in life.names or life.id in desk]
        if not asked:
            return "system" if len(last) == 1 else None
        first = min(at for at, _ in asked)
        kinds = {self._kind(life, caller, desk) for at, life in asked if at < first + 0.3}
        by = kinds.pop() if len(kinds) == 1 else None
        # A phone that is refused is named as if it had hung up itself.
        return None if by == "caller" and caller.number not in self.walk.around.hung_up else by

    def _with(self, caller: Life, life: Life) -> list[Span]:
        return self.past.together.get(frozenset((caller.id, life.id)), [])

    def _kind(self, life: Life, caller: Life, desk: Mapping[str, float]) -> str:
        if life.id in desk or life.device != TRUNK:
            return "agent"
        return "caller" if life is caller else "other"

    # --- while nobody watched --------------------------------------------------------------------------

    def _unsure(self, lives: Iterable[Life]) -> float:
        """Seconds in which something happened to one of these while the server was away."""
        changes = [at for life in lives for at in self.past.changes.get(life.id, [])]
        downs: list[Span] = self.walk.site.downs
        since = NOTED_EVERY_S + 0.5
        unseen = (span for span in downs if any(span[0] - since <= at <= span[1] + 0.5 for at in changes))
        return sum(end - begin + NOTED_EVERY_S for begin, end in unseen)

    def _unwatched(self, life: Life) -> bool:
        """Whether it came and went while the server was away."""
        ended = life.ended if life.ended is not None else float("inf")
        return any(begin - 0.5 <= life.began and ended <= end + 0.5 for begin, end in self.walk.site.downs)

    def _lines(self, caller: Life, own: Sequence[Contact]) -> Iterator[str]:
        for contact in own:
            yield from contact.lines()
        ends = f"{caller.ended or 0:.2f}, ended by {caller.hung_up_by!r}"
        yield f"  asterisk  caller {caller.id}: {caller.began:.2f} to {ends}"
        yield f"  asterisk    waited {_spans(caller.queued)}, in bridges {_spans(caller.bridged)}"
        for life in self._group(caller):
            with_caller = self._with(caller, life)
            heard = self.past.heard.get(frozenset((life.id, caller.id)), [])
            where = (
                f"in bridges {_spans(life.bridged)}, with the caller {_spans(with_caller)}, heard {_spans(heard)}"
            )
            ends = f"ended {life.ended or 0:.2f} by {life.hung_up_by!r}"
            yield f"  asterisk    {life.device} {life.id}: {where}, {ends}"


def _spans(spans: Sequence[Span]) -> str:
    return ", ".join(f"{begin:.2f}-{end:.2f}" for begin, end in spans) or "never"


async def _all_filled(walk: Walk) -> None:
    """Until the server has learnt from the log what it is to learn; for that all wrap-ups are finished."""
    for option in list(finish(walk.around)):
        await option.do()
    deadline = time.monotonic() + FILLED_WITHIN_S
    query = sa.text("SELECT since, trouble FROM gaps WHERE filled_at IS NULL ORDER BY since")
    async with Database(walk.site.center.database_url) as database:
        while True:
            async with database.read() as conn:
                left = [f"{row.since}: {row.trouble}" for row in await conn.execute(query)]
            if not left:
                return
            if time.monotonic() > deadline:
                walk.found("record: a gap is not filled", f"{len(left)}: {left[0]}", left)
                return
            await asyncio.sleep(0.5)


async def compare_record(walk: Walk) -> None:
    """Adds what is found to the walk's log. To be called at the end, when nobody is in a call."""
    if walk.site.fills_gaps:
        await _all_filled(walk)
    past = history(read(walk.site.pbx.cel), walk.site.asterisk.told)
    record = await contacts(walk.site.center.database_url)
    for difference, lines in Judge(past, record, walk.around.numbers, walk).judge():
        walk.found(f"record: {difference.kind}", difference.text, lines)
