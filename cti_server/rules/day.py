"""An agent's day in numbers, by the standard formulas. Pure: segments and changes of state in, numbers out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

FORMULAS: Final = {
    "handled": "calls that I answered",
    "offered": "calls that rang at me",
    "no_answer": "offers that I let ring out",
    "aht": "(talk + hold + wrap-up) / handled",
    "occupancy": "on contact / (on contact + ready)",
    "on_contact": "time talking, holding and wrapping up",
}
ON_CONTACT: Final = frozenset({"talking", "hold", "wrap_up"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """One segment of the agent's: an offer, and perhaps the talk that followed."""

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
    """A state from `since` to `until`; `index` names the change that began it."""

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
    """Counts, sums in ms, and what follows from them; None where nothing can be divided."""

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
    """What the changes (when, state, reason) mean for [since, until); the first may lie before it."""
    found: list[Span] = []
    ends = [*(change[0] for change in changes[1:]), until][: len(changes)]
    for index, ((at, name, reason), end) in enumerate(zip(changes, ends, strict=True)):
        first, last = max(at, since), min(end, until)
        if first < last:
            found.append(Span(index, name, reason, first, last))
    return found


def time_in(found: Iterable[Span]) -> dict[tuple[str, str | None], int]:
    """Milliseconds of each (state, reason), the longest first; signed out is no time at work."""
    sums: dict[tuple[str, str | None], int] = {}
    for span in found:
        if span.name != "signed_out":
            key = (span.name, span.reason)
            sums[key] = sums.get(key, 0) + span.ms
    return dict(sorted(sums.items(), key=lambda item: -item[1]))


def numbers(stretches: Sequence[Stretch], found: Sequence[Span], now: datetime) -> Numbers:
    """The day's numbers. A call or wrap-up that goes on counts up to `now`."""
    handled = [one for one in stretches if one.answered_at is not None]
    talk, hold = sum(one.talk_ms for one in handled), sum(one.hold_ms for one in handled)
    # The record books a call's time when its state changes; what runs now is what I do now.
    running = sum(_running(one, now) for one in handled if one.outcome is None)
    on_hold = bool(found) and found[-1].name == "hold"
    talk, hold = (talk, hold + running) if on_hold else (talk + running, hold)
    wrap = sum(_ms(one.ended_at, one.wrapped_at or now) for one in handled if one.ended_at is not None)
    contact = sum(span.ms for span in found if span.name in ON_CONTACT)
    ready = sum(span.ms for span in found if span.name == "ready")
    return Numbers(
        offered=sum(one.offered_at is not None and one.origin != "outbound" for one in stretches),
        handled=len(handled),
        no_answer=sum(one.outcome == "no_answer" for one in stretches),
        rejected=sum(one.outcome == "rejected" for one in stretches),
        outbound=sum(one.origin == "outbound" for one in stretches),
        ring_ms=sum(one.ring_ms for one in stretches),
        talk_ms=talk,
        hold_ms=hold,
        wrap_ms=wrap,
        aht_ms=round((talk + hold + wrap) / len(handled)) if handled else None,
        on_contact_ms=contact,
        ready_ms=ready,
        occupancy=round(contact / (contact + ready), 4) if contact + ready else None,
    )


def _running(one: Stretch, now: datetime) -> int:
    """What is not booked yet of a call that goes on."""
    return max(0, _ms(one.answered_at, now) - one.talk_ms - one.hold_ms) if one.answered_at is not None else 0


def _ms(since: datetime, until: datetime) -> int:
    return max(0, round((until - since).total_seconds() * 1000))
