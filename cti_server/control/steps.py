"""A step of a command: what is done at the PBX, and what the floor shows once it took effect. Also what steps are
made from: my channel, whom I talk to, whom keys are meant for, a room.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cti_server.asterisk import moves
from cti_server.asterisk.moves import Moves
from cti_server.commands import Asking, CallCommand, CommandRefused
from cti_server.floor.calls import Leg
from cti_server.floor.standing import Scene, Standing

from . import effects
from .effects import Effect
from .targets import MyPhone

CONFIRM_S = 5.0  # from the PBX's acceptance to the effect
KEY_GAP_S = 0.06  # between two keys: without it the same key twice is heard as one


@dataclass(frozen=True, slots=True)
class Step:
    """`moves` are made from the scene when its turn comes. `awaited` None: done once the PBX took it.

    `rings`: the leg that my desktop is then told to answer (`phone.answer`). `muted`: no event tells of it, so the
    floor is told from here.
    """

    moves: Callable[[Scene], Moves]
    awaited: Effect | None = None
    what: str = "nothing changed"  # said when it does not show: what was seen instead
    gap_s: float = 0.0
    rings: Callable[[Scene], str | None] | None = None
    muted: bool | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """What a command may need beside the scene. `leg` is the id for a phone's new leg."""

    asking: Asking
    command: CallCommand
    phone: MyPhone | None
    target: moves.Target | None
    target_seat: str | None  # where the target is a phone of ours
    leg: str
    notify: bool  # a desk phone can be told to answer
    waiting: Leg | None = None  # the leg that waits in a queue


Steps = Sequence[Step]
Maker = Callable[[Scene, Given], Steps]


# --- what the makers share ---------------------------------------------------------------------------------

NOT_RUNG = "your phone did not ring"


def nothing(scene: Scene) -> Moves:
    return []


def mine(scene: Scene) -> str:
    """My phone's channel."""
    if scene.mine is None:
        raise CommandRefused("not_possible", "your phone is not in this call any more")
    return scene.mine.channel


def my_leg(scene: Scene) -> str | None:
    return scene.mine.id if scene.mine is not None else None


def ringing_me(phone: MyPhone) -> Callable[[Scene], str | None]:
    """The leg by which my phone rings; the one before, that was lost, may still be there."""

    def ringing(scene: Scene) -> str | None:
        legs = [leg for leg in scene.call.legs.values() if leg.device == phone.seat]
        newest = max(legs, key=lambda leg: leg.started_at, default=None)
        return newest.id if newest is not None else None

    return ringing


def answers_itself(phone: MyPhone, leg: Callable[[Scene], str | None]) -> Steps:
    """Who asked for the ringing need not answer it: a browser is told to."""
    return [Step(nothing, rings=leg)] if phone.answers_itself else []


def one(scene: Scene) -> Leg:
    """Whom I talk to. A queue tells who took a call before bridges tell who hears whom: until then, who will."""
    others = scene.heard or _about_to_hear(scene)
    if len(others) != 1:
        raise CommandRefused("not_possible", "nobody else is in this call")
    return others[0]


def _about_to_hear(scene: Scene) -> Sequence[Leg]:
    mine = scene.mine
    if mine is None:
        return ()
    others = (leg for leg in scene.call.legs.values() if leg is not mine and leg.up and not leg.local)
    return [leg for leg in others if mine.bridge is None or leg.bridge is None]


def far(scene: Scene) -> Sequence[Leg]:
    """Whom keys are meant for: those outside, else whoever hears me."""
    if not scene.heard:
        raise CommandRefused("not_possible", "nobody hears you")
    inside = {part.seat for part in scene.call.parts}
    return [leg for leg in scene.heard if leg.device not in inside] or scene.heard


def there(scene: Scene, leg: Leg) -> Leg:
    found = scene.call.legs.get(leg.id)
    if found is None:
        raise CommandRefused("leg_gone", "they have left the call already")
    return found


def recorded(scene: Scene) -> str:
    if scene.recorded is None:
        raise CommandRefused("wrong_state", "the call is not recorded")
    return scene.recorded.channel


def wanted(given: Given) -> moves.Target:
    assert given.target is not None, "the API asks for a target"
    return given.target


def my_phone(given: Given) -> MyPhone:
    if given.phone is None:
        raise CommandRefused("no_phone", "you have no phone", "Sign in at the phone where you sit.")
    if given.phone.reachable is False:
        raise CommandRefused("phone_unreachable", f"your phone {given.phone.extension} is not reachable")
    return given.phone


def room_of(scene: Scene) -> str:
    """A conference room that no other call has: the digits of the id that Asterisk gave the call."""
    return "".join(c for c in scene.call.linkedid if c.isdigit())[-20:]


def off_hold(scene: Scene) -> Steps:
    """A call on hold is taken off it first: Asterisk gives away only what it hears."""
    return [RETRIEVE] if scene.standing is Standing.HOLD else []


RETRIEVE = Step(lambda s: moves.retrieve(mine(s)), effects.retrieved, "the call is still on hold")
