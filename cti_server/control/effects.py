"""How the floor shows that a step took effect: predicates on the scene before the step and the scene now.

An effect answers True once it shows, a text that says why once it can no longer come, and False until then.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cti_server.floor.books import Books
from cti_server.floor.calls import Leg
from cti_server.floor.parts import CONNECTED, Part, PartState
from cti_server.floor.signals import DialStatus, Recording
from cti_server.floor.standing import Scene, Standing

Shown = bool | str
Effect = Callable[[Scene, Scene, Books], Shown]

#: how a colleague's ring or a dialled number failed, in words for the agent
ENDS = {
    "rejected": "they rejected it",
    "no_answer": "they did not answer",
    "unavailable": "their phone cannot be reached",
    DialStatus.BUSY: "the number is busy",
    DialStatus.NO_ANSWER: "nobody answered",
    DialStatus.FAILED: "the number cannot be reached",
}


def answered(before: Scene, now: Scene, books: Books) -> Shown:
    """The phone was picked up; an announcement may keep the caller waiting for a moment."""
    up = now.mine is not None and now.mine.dialled and now.mine.up and not now.mine.local
    return now.part is not None and (now.part.state in CONNECTED or up)


def left(before: Scene, now: Scene, books: Books) -> Shown:
    """The agent's own leg is gone, whether or not the call goes on without it."""
    return before.mine is None or before.mine.id not in now.call.legs


def out(before: Scene, now: Scene, books: Books) -> Shown:
    """The agent is out of the call. Asterisk may keep their channel while the one they gave it to still rings."""
    return bool(left(before, now, books)) or (now.part is not None and not now.part.open)


def held(before: Scene, now: Scene, books: Books) -> Shown:
    return now.standing in (Standing.HOLD, Standing.PHONE_HOLD)


def held_at_desk(before: Scene, now: Scene, books: Books) -> Shown:
    """The floor knows whose hold it is, so that the desk may end it."""
    return now.mine is None or now.mine.desk_holds or now.mine.holds == 0


def desk_hold_ended(before: Scene, now: Scene, books: Books) -> Shown:
    """Nothing is held from the desk any more, whatever the phone itself does."""
    return now.mine is not None and not now.mine.desk_holds


def retrieved(before: Scene, now: Scene, books: Books) -> Shown:
    return now.part is not None and now.part.open and now.part.state is not PartState.HOLD


def muted(before: Scene, now: Scene, books: Books) -> Shown:
    return now.muted


def unmuted(before: Scene, now: Scene, books: Books) -> Shown:
    return now.mine is not None and not now.muted


def given_away(before: Scene, now: Scene, books: Books) -> Shown:
    """The agent is out of a call that goes on. Asterisk may keep their channel while the target still rings."""
    had = _had(before, now)
    gave = had is not None and had.outcome == "transferred"
    return (gave or bool(left(before, now, books))) and not now.call.ended


def consultation_over(before: Scene, now: Scene, books: Books) -> Shown:
    """The consultation has ended, also by a hang-up, which gives the call to whoever was being reached."""
    return bool(consultation_ended(before, now, books)) or bool(given_away(before, now, books))


def parked(before: Scene, now: Scene, books: Books) -> Shown:
    return now.parked is not None


def hears_another(before: Scene, now: Scene, books: Books) -> Shown:
    """The agent hears somebody else than before."""
    return bool(now.heard) and not _same(before.heard, now.heard)


def consultation_ended(before: Scene, now: Scene, books: Books) -> Shown:
    """The agent no longer hears the colleague they consulted, and talks to the caller again."""
    consulted = {leg.id for leg in before.heard} if before.standing is Standing.CONSULTING else set()
    heard = {leg.id for leg in now.heard}
    return bool(heard) and not heard & consulted and now.standing not in (Standing.REACHING, Standing.ALTERNATED)


def in_conference(before: Scene, now: Scene, books: Books) -> Shown:
    return now.standing is Standing.CONFERENCE


def in_room(before: Scene, now: Scene, books: Books) -> Shown:
    """The agent and everyone they heard before the step are in a conference room now."""
    talking = [now.call.legs.get(leg.id) for leg in (before.mine, *before.heard) if leg is not None]
    return bool(talking) and all(leg is not None and leg.conference for leg in talking)


def recording_is(state: Recording) -> Effect:
    return lambda before, now, books: now.call.recording is state


def leg_gone(leg: str) -> Effect:
    return lambda before, now, books: leg not in now.call.legs


def leg_rings(leg: str) -> Effect:
    """The leg that this command began rings at its phone, or is up already."""

    def shown(before: Scene, now: Scene, books: Books) -> Shown:
        found = books.leg_of(leg)
        return found is not None and (found.ringing or found.up)

    return shown


def invited(leg: str) -> Effect:
    """The invited phone rings, or the invited number outside is being called.

    The leg belongs to a call of its own until they answer, so it is looked up on the floor and not in the scene.
    """

    def shown(before: Scene, now: Scene, books: Books) -> Shown:
        call = books.call_of(leg)
        legs = call.legs.values() if call is not None else ()
        return any(not other.local and _is_called(books, other) for other in legs)

    return shown


def rings_at(seat: str, scene: Scene) -> Effect:
    """The phone at this seat rings for the call with a leg that the call does not have yet."""
    before = frozenset(scene.call.legs)  # copied, because the call's own legs go on changing

    def shown(_: Scene, now: Scene, books: Books) -> Shown:
        new = (leg for leg in now.call.legs.values() if leg.device == seat and leg.id not in before)
        return any(leg.ringing or leg.up for leg in new)

    return shown


@dataclass(frozen=True, slots=True)
class Reached:
    """Somebody new is in the call: a phone inside rings, a number outside is being called, or a queue took it.

    `legs` (ids) and `parts` (how many) are what the call had before; `queue` is the queue that is to take it.
    A leg outside counts from dialling on, because some networks say nothing until the other side answers.
    """

    legs: frozenset[str]
    parts: int
    last_dial: DialStatus | None
    queue: str | None = None

    @classmethod
    def since(cls, scene: Scene, queue: str | None = None) -> Reached:
        """The effect that waits for somebody who is not in this scene."""
        return cls(frozenset(scene.call.legs), len(scene.call.parts), scene.call.last_dial, queue)

    def __call__(self, before: Scene, now: Scene, books: Books) -> Shown:
        call = now.call
        new = [leg for leg in call.legs.values() if leg.id not in self.legs]
        if self.queue is not None and any(leg.id in books.queue(self.queue).waiting for leg in call.legs.values()):
            return True
        if any(_is_called(books, leg) for leg in new if not leg.local):
            return True
        part = next((p for p in call.parts[self.parts :] if _failed(p)), None)
        if part is not None:
            return ENDS.get(part.outcome or "", f"it ended as {part.outcome}")
        if not new and call.last_dial is not self.last_dial and call.last_dial in ENDS:
            return ENDS[call.last_dial]
        return False


def _had(before: Scene, now: Scene) -> Part | None:
    """The part that the agent had before: the queue that a call was given to may ring the same agent anew."""
    if before.part is None:
        return now.part
    return next((part for part in now.call.parts if part is before.part), now.part)


def _is_called(books: Books, leg: Leg) -> bool:
    return leg.ringing or leg.up or (leg.dialled and not books.is_seat(leg.device))


def _failed(part: Part) -> bool:
    return part.outcome in ENDS and part.answered_at is None


def _same(before: tuple[Leg, ...], now: tuple[Leg, ...]) -> bool:
    return {leg.id for leg in before} == {leg.id for leg in now}
