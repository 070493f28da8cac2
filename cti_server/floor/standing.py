"""Where one agent stands in a call: which leg is theirs, whom they hear, who waits meanwhile. Pure.

It is worked out from bridges, not from the commands given here, so that it also covers a consultation begun on the
phone itself, by a feature code, or before the server restarted. It cannot recognise a consultation whose waiting
side has hung up: that looks like any other call.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from .books import Books
from .calls import Call, Leg
from .parts import CONNECTED, Part, PartState
from .signals import Recording


class Standing(StrEnum):
    """Where an agent stands in a call; `possible.py` says what they may do there.

    reaching     calling a colleague while the caller waits     consulting  with the colleague, the caller waits
    alternated   back with the caller, the colleague waits      consulted   asked by a colleague about their call
    alone        in a room that all others have left        phone_hold  on hold by the phone's own key
    waiting      given to somebody who has not answered, or parked: hears ringing or music
    """

    NONE = "none"
    RINGING = "ringing"
    CALLING = "calling"
    TALKING = "talking"
    HOLD = "hold"
    PHONE_HOLD = "phone_hold"
    REACHING = "reaching"
    CONSULTING = "consulting"
    ALTERNATED = "alternated"
    CONSULTED = "consulted"
    CONFERENCE = "conference"
    ALONE = "alone"
    WAITING = "waiting"
    WRAP_UP = "wrap_up"


#: what people are told; a standing that is missing here goes by its own name
SAID = {
    Standing.NONE: "not in it",
    Standing.CALLING: "calling out",
    Standing.PHONE_HOLD: "holding it at your own phone",
    Standing.REACHING: "reaching a colleague",
    Standing.ALTERNATED: "back with the caller, a consultation waits",
    Standing.CONSULTED: "being consulted",
    Standing.ALONE: "alone in the room",
    Standing.WAITING: "waiting for somebody to answer",
    Standing.WRAP_UP: "wrap-up",
}


@dataclass(frozen=True, slots=True)
class Scene:
    """A call as one agent sees it. `mine` is the agent's own leg; `heard` are the legs they hear, through Local
    pairs; `waiting` are the legs in bridges they are not in; `consulted` is the one they asked, heard or waiting.
    """

    call: Call
    part: Part | None
    mine: Leg | None
    standing: Standing
    heard: tuple[Leg, ...] = ()
    waiting: tuple[Leg, ...] = ()
    consulted: Leg | None = None

    @property
    def muted(self) -> bool:
        return self.mine is not None and self.mine.muted

    @property
    def recorded(self) -> Leg | None:
        """The leg on which the recording was started."""
        return next((leg for leg in self.call.legs.values() if leg.recording is not Recording.OFF), None)

    @property
    def parked(self) -> Leg | None:
        return next((leg for leg in self.call.legs.values() if leg.parked is not None), None)

    @property
    def ringing(self) -> Leg | None:
        """The leg of another agent's phone that rings for this call."""
        seats = {p.seat for p in self.call.open_parts() if p.state is PartState.RINGING and p is not self.part}
        # Not the phone of a colleague who has asked to call somebody: it is theirs to pick up.
        first = self.call.first_leg
        ringing = (
            leg for leg in self.call.legs.values() if leg.device in seats and not leg.up and leg.id != first
        )
        return next(ringing, None)


def followed(books: Books, call: str) -> Call | None:
    """The call on the floor with this id, or the one that it was merged into."""
    found = books.calls.get(call)
    if found is None:
        pbx, _, rest = call.partition(":")
        boot, _, linkedid = rest.partition(":")
        if pbx != books.pbx or boot != str(books.boot):
            return None
        found = books.call_with(linkedid)
    return now(books, found) if found is not None else None


def now(books: Books, call: Call) -> Call:
    """The call itself, or the one that it has been merged into."""
    while call.merged_into is not None and (into := books.calls.get(call.merged_into)) is not None:
        call = into
    return call


def scene_of(call: Call, agent: int) -> Scene:
    """The call as this agent stands in it."""
    part = part_of(call, agent)
    return scene_at(call, part) if part is not None else Scene(call, None, None, Standing.NONE)


def scene_at(call: Call, part: Part) -> Scene:
    """The call as the agent with this part stands in it."""
    mine = leg_of(call, part)
    if not part.open:
        return Scene(call, part, mine, Standing.WRAP_UP if part.state is PartState.WRAP_UP else Standing.NONE)
    if mine is None:
        return Scene(call, part, None, by_part(call, part, None))
    own = call.legs_of(part)  # of a member at a mobile, the Local channel and what rang behind it
    heard = tuple(sorted((leg for leg in call.reach(mine) if leg not in own), key=_age))
    aside = (
        leg
        for leg in call.legs.values()
        if leg is not mine and leg not in own and leg not in heard and _stays(call, leg)
    )
    waiting = tuple(sorted(aside, key=_age))
    consulted = _consulted(mine, heard, waiting)
    return Scene(call, part, mine, _standing(call, part, mine, heard, waiting), heard, waiting, consulted)


def part_of(call: Call, agent: int) -> Part | None:
    """The agent's part that matters now: an open one, else the last."""
    parts = [p for p in call.parts if p.agent == agent]
    return next((p for p in reversed(parts) if p.open), parts[-1] if parts else None)


def leg_of(call: Call, part: Part) -> Leg | None:
    """The leg of the agent's phone, None without one. A Local leg by which the queue reached it counts only where
    there is no other, because nobody speaks on it.
    """
    own = call.legs.get(part.leg) if part.leg is not None else None
    if own is not None and not own.local:
        return own
    return max(call.legs_at(part.seat), key=lambda leg: (leg.up, *_age(leg)), default=own)


def _standing(call: Call, part: Part, mine: Leg, heard: tuple[Leg, ...], waiting: tuple[Leg, ...]) -> Standing:
    if part.state not in CONNECTED:
        return by_part(call, part, mine)
    if mine.conference and not heard and part.state is PartState.HOLD:
        return Standing.ALONE
    if mine.conference or len(heard) > 1:
        return Standing.CONFERENCE
    if not heard and _beside_a_local_half(call, mine) and waiting:
        # Two who were in the call before this agent talk without them: then the agent is the one who was asked.
        asked = len(waiting) > 1 and all(_age(leg) < _age(mine) for leg in waiting)
        return Standing.CONSULTED if asked else Standing.REACHING
    if heard and waiting:
        consulted = _consulted(mine, heard, waiting)
        if consulted is None:
            return Standing.CONSULTED
        return Standing.CONSULTING if consulted in heard else Standing.ALTERNATED
    if part.state is PartState.HOLD and not heard and not mine.holds:
        return Standing.WAITING  # nobody is there whom this agent could hold
    return by_part(call, part, mine)


def by_part(call: Call, part: Part, mine: Leg | None) -> Standing:
    """The standing of a part that is open, as far as the part and the agent's leg tell it."""
    if part.state is PartState.RINGING:
        return Standing.CALLING if mine is not None and _calls(call, mine) else Standing.RINGING
    if part.state is not PartState.HOLD:
        return Standing.TALKING
    return Standing.PHONE_HOLD if mine is not None and mine.phone_holds else Standing.HOLD


def _calls(call: Call, mine: Leg) -> bool:
    """Whether the phone calls, and is not rung: it has dialled, or the agent has picked up what the PBX dials for
    them. A member at a mobile may have to press a key first; but nobody speaks on a Local channel."""
    has_dialled = mine.id == call.first_leg and not mine.dialled and call.dnis is not None
    picked_up = mine.up and (mine.dialled_by is None or mine.id == call.first_leg)
    return not mine.local and (has_dialled or picked_up)


def _stays(call: Call, leg: Leg) -> bool:
    """Whether the leg is in a bridge, and not the phone of an agent who gave the call away but has not hung up."""
    parts = [p for p in call.parts if p.seat == leg.device]
    return not leg.local and leg.bridge is not None and (not parts or any(p.open for p in parts))


def _beside_a_local_half(call: Call, mine: Leg) -> bool:
    """Whether the agent's bridge holds half of a Local pair. At its far end somebody is being called, the agent is
    waiting in a queue, or those who consult this agent are talking."""
    return mine.bridge is not None and any(leg.local and leg.bridge == mine.bridge for leg in call.legs.values())


def _consulted(mine: Leg, heard: tuple[Leg, ...], waiting: tuple[Leg, ...]) -> Leg | None:
    """The leg that the agent consulted: the later of the two they go between, if it came after the agent's own. An
    earlier one belongs to whoever consulted this agent."""
    if len(heard) > 1 or not waiting:
        return None
    last = max((*heard, *waiting), key=_age)
    return last if heard and _age(last) > _age(mine) else None


def _age(leg: Leg) -> tuple[float, int]:
    """Sorts legs by when they began, those of the same instant in the order in which the PBX numbered them."""
    _, _, counter = leg.id.rpartition(".")
    return leg.started_at, int(counter) if counter.isdecimal() else 0
