"""Figures, each defined once: every screen and report takes them from here. So far those of an agent's day, from
their segments and their changes of state.

A contact counts once, however often it rang and was answered: who fetches a caller back from parking, or opens the
page anew, has no further call. Talk and hold are what the record has of the contacts, not how long a state lasted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

FORMULAS: Final = {
    "handled": "contacts that I spoke in, each once",
    "offered": "contacts that rang at me, each once; not those that I fetched myself",
    "no_answer": "offers that I let ring out",
    "outbound": "contacts that I began",
    "talk": "time in contacts, without hold",
    "hold": "time in which the caller heard music",
    "wrap": "from the end of a contact until I finished it",
    "aht": "(talk + hold + wrap-up) / handled",
    "occupancy": "on contact / (on contact + ready)",
    "on_contact": "time talking, holding and wrapping up",
}
RANG: Final = frozenset({"offer", "transfer", "consult", "conference", "internal"})
"""The origins of a segment that somebody else began."""
ON_CONTACT: Final = frozenset({"talking", "hold", "wrap_up"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """One segment of the agent's: an offer, and perhaps the talk that followed. `contact` is its interaction."""

    contact: int
    origin: str
    outcome: str | None
    offered_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    wrapped_at: datetime | None
    ring_ms: int
    talk_ms: int
    hold_ms: int


@dataclass(frozen=True, slots=True)
class Span:
    """A state from `since` to `until`. `index` is the place of the change that began it among `changes`."""

    index: int
    name: str
    reason: str | None
    since: datetime
    until: datetime

    @property
    def ms(self) -> int:
        return _ms(self.since, self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """Counts, sums in ms, and ratios; a ratio is None where there is nothing to divide by."""

    offered: int
    handled: int
    no_answer: int
    rejected: int
    outbound: int
    ring_ms: int
    talk_ms: int
    hold_ms: int
    wrap_ms: int
    aht_ms: int | None
    on_contact_ms: int
    ready_ms: int
    occupancy: float | None


def spans(changes: Sequence[tuple[datetime, str, str | None]], since: datetime, until: datetime) -> list[Span]:
    """The states within [since, until). `changes` are (when, state, reason) in order; the first may be earlier."""
    found: list[Span] = []
    ends = [*(change[0] for change in changes[1:]), until][: len(changes)]
    for index, ((at, name, reason), end) in enumerate(zip(changes, ends, strict=True)):
        first, last = max(at, since), min(end, until)
        if first < last:
            found.append(Span(index, name, reason, first, last))
    return found


def time_in(found: Iterable[Span]) -> dict[tuple[str, str | None], int]:
    """Milliseconds in each (state, reason), the longest first. Time signed out is left out."""
    sums: dict[tuple[str, str | None], int] = {}
    for span in found:
        if span.name != "signed_out":
            key = (span.name, span.reason)
            sums[key] = sums.get(key, 0) + span.ms
    return dict(sorted(sums.items(), key=lambda item: -item[1]))


def numbers(stretches: Sequence[Stretch], found: Sequence[Span], now: datetime) -> Numbers:
    """The day's numbers. A call or wrap-up that is not over counts up to `now`."""
    handled = [stretch for stretch in stretches if stretch.answered_at is not None]
    talk, hold = sum(stretch.talk_ms for stretch in handled), sum(stretch.hold_ms for stretch in handled)
    # The record adds a call's time when its state changes; the time since then belongs to the agent's state now.
    running = sum(_running(stretch, now) for stretch in handled if stretch.outcome is None)
    on_hold = bool(found) and found[-1].name == "hold"
    talk, hold = (talk, hold + running) if on_hold else (talk + running, hold)
    wrap = sum(
        _ms(stretch.ended_at, stretch.wrapped_at or now) for stretch in handled if stretch.ended_at is not None
    )
    contact = sum(span.ms for span in found if span.name in ON_CONTACT)
    ready = sum(span.ms for span in found if span.name == "ready")
    contacts = len({stretch.contact for stretch in handled})
    return Numbers(
        offered=len({s.contact for s in stretches if s.offered_at is not None and s.origin in RANG}),
        handled=contacts,
        no_answer=sum(stretch.outcome == "no_answer" for stretch in stretches),
        rejected=sum(stretch.outcome == "rejected" for stretch in stretches),
        outbound=len({stretch.contact for stretch in stretches if stretch.origin == "outbound"}),
        ring_ms=sum(stretch.ring_ms for stretch in stretches),
        talk_ms=talk,
        hold_ms=hold,
        wrap_ms=wrap,
        aht_ms=round((talk + hold + wrap) / contacts) if contacts else None,
        on_contact_ms=contact,
        ready_ms=ready,
        occupancy=round(contact / (contact + ready), 4) if contact + ready else None,
    )


def _running(stretch: Stretch, now: datetime) -> int:
    """The milliseconds of a call that the record has not added yet."""
    return (
        max(0, _ms(stretch.answered_at, now) - stretch.talk_ms - stretch.hold_ms)
        if stretch.answered_at is not None
        else 0
    )


def _ms(since: datetime, until: datetime) -> int:
    return max(0, round((until - since).total_seconds() * 1000))
