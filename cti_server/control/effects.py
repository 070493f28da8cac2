"""How it shows on the floor that a step took effect: predicates on the scene before and the one now.

True: it shows. A text: it shows that it failed, and how. False: nothing yet.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cti_server.floor.books import Books
from cti_server.floor.calls import Leg
from cti_server.floor.parts import CONNECTED, Part, PartState
from cti_server.floor.signals import DialStatus, Recording
from cti_server.floor.standing import Scene, Standing

Seen = bool | str
Effect = Callable[[Scene, Scene, Books], Seen]

#: what a colleague's ring or a dial that came to nothing is called
ENDS = {
    "rejected": "they rejected it",
    "no_answer": "they did not answer",
    "unavailable": "their phone cannot be reached",
    DialStatus.BUSY: "the number is busy",
    DialStatus.NO_ANSWER: "nobody answered",
    DialStatus.FAILED: "the number cannot be reached",
}


def answered(before: Scene, now: Scene, books: Books) -> Seen:
    return now.part is not None and now.part.state in CONNECTED


def left(before: Scene, now: Scene, books: Books) -> Seen:
    """My leg is gone; that the call may be over with it is the point."""
    return before.mine is None or before.mine.id not in now.call.legs


def held(before: Scene, now: Scene, books: Books) -> Seen:
    return now.standing is Standing.HOLD


def retrieved(before: Scene, now: Scene, books: Books) -> Seen:
    return now.part is not None and now.part.open and now.part.state is not PartState.HOLD


def muted(before: Scene, now: Scene, books: Books) -> Seen:
    return now.muted


def unmuted(before: Scene, now: Scene, books: Books) -> Seen:
    return now.mine is not None and not now.muted


def given_away(before: Scene, now: Scene, books: Books) -> Seen:
    """I am out, and whom I talked to is not. While a target still rings Asterisk may keep a channel of mine."""
    gave = now.part is not None and now.part.outcome == "transferred"
    return (gave or bool(left(before, now, books))) and not now.call.ended


def parked(before: Scene, now: Scene, books: Books) -> Seen:
    return now.parked is not None


def turned(before: Scene, now: Scene, books: Books) -> Seen:
    """I hear somebody else than before."""
    return bool(now.heard) and not _same(now.heard, before.heard)


def back(before: Scene, now: Scene, books: Books) -> Seen:
    """Whom I consulted is gone from my ear, and I am with the one who waited."""
    gone = {leg.id for leg in before.heard} if before.standing is Standing.CONSULTING else set()
    heard = {leg.id for leg in now.heard}
    return bool(heard) and not heard & gone and now.standing not in (Standing.REACHING, Standing.ALTERNATED)


def in_conference(before: Scene, now: Scene, books: Books) -> Seen:
    return now.standing is Standing.CONFERENCE


def in_room(before: Scene, now: Scene, books: Books) -> Seen:
    """All who talked are in a room now."""
    there = [now.call.legs.get(leg.id) for leg in (before.mine, *before.heard) if leg is not None]
    return bool(there) and all(leg is not None and leg.conference for leg in there)


def recording_is(state: Recording) -> Effect:
    return lambda before, now, books: now.call.recording is state


def leg_gone(leg: str) -> Effect:
    return lambda before, now, books: leg not in now.call.legs


def leg_there(leg: str) -> Effect:
    """The phone that was called for this rings, or is up already."""

    def seen(before: Scene, now: Scene, books: Books) -> Seen:
        found = books.leg_of(leg)
        return found is not None and (found.ringing or found.up)

    return seen


def invited(leg: str) -> Effect:
    """Whoever is called by this leg rings, or is called outside. Until they answer it is a call of its own."""

    def seen(before: Scene, now: Scene, books: Books) -> Seen:
        call = books.call_of(leg)
        legs = call.legs.values() if call is not None else ()
        return any(not one.local and _is_called(books, one) for one in legs)

    return seen


def rings_at(seat: str, scene: Scene) -> Effect:
    """The phone there rings for the call, by another leg than those that it has now."""
    before = frozenset(scene.call.legs)  # kept: the call itself goes on changing

    def seen(_: Scene, now: Scene, books: Books) -> Seen:
        new = (leg for leg in now.call.legs.values() if leg.device == seat and leg.id not in before)
        return any(leg.ringing or leg.up for leg in new)

    return seen


@dataclass(frozen=True, slots=True)
class Reached:
    """Somebody new is in the call: a phone inside rings, a number outside is being called, a queue took it.

    `legs` and `parts` are those that there were before. A leg outside counts from the dialling on: some networks
    say nothing until the other side answers.
    """

    legs: frozenset[str]
    parts: int
    last_dial: DialStatus | None
    queue: str | None = None

    @classmethod
    def since(cls, scene: Scene, queue: str | None = None) -> Reached:
        return cls(frozenset(scene.call.legs), len(scene.call.parts), scene.call.last_dial, queue)

    def __call__(self, before: Scene, now: Scene, books: Books) -> Seen:
        call = now.call
        new = [leg for leg in call.legs.values() if leg.id not in self.legs]
        if self.queue is not None and any(leg.id in books.queue(self.queue).waiting for leg in call.legs.values()):
            return True
        if any(_is_called(books, leg) for leg in new if not leg.local):
            return True
        failed = next((p for p in call.parts[self.parts :] if _came_to_nothing(p)), None)
        if failed is not None:
            return ENDS.get(failed.outcome or "", f"it ended as {failed.outcome}")
        if not new and call.last_dial is not self.last_dial and call.last_dial in ENDS:
            return ENDS[call.last_dial]
        return False


def _is_called(books: Books, leg: Leg) -> bool:
    return leg.ringing or leg.up or (leg.dialled and not books.is_seat(leg.device))


def _came_to_nothing(part: Part) -> bool:
    return part.outcome in ENDS and part.answered_at is None


def _same(one: tuple[Leg, ...], other: tuple[Leg, ...]) -> bool:
    return {leg.id for leg in one} == {leg.id for leg in other}
