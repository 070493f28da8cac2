"""A step of a command: the PBX actions, and the effect that the floor shows once they worked.

The functions below find in a scene what steps are made of; each raises CommandRefused where it is not there.
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

CONFIRM_S = 5.0  # how long the effect may take after the PBX accepted the actions
KEY_GAP_S = 0.06  # between two keys; without it the other end hears a key pressed twice as one


@dataclass(frozen=True, slots=True)
class Step:
    """`moves` makes the actions from the scene when the step's turn comes.

    `awaited` is the effect to wait for; with None the step is done once the PBX accepted its actions. `rings`
    finds the leg that the agent's desktops are then told to answer (`phone.answer`). `muted` is set by a mute or
    unmute: Asterisk sends no event for it, so the step itself tells the floor. Nor does it say who asked for a
    hangup that ends the call (`hangs_up`, the leg), or that a hold was asked for at the desk (`holds`).
    """

    moves: Callable[[Scene], Moves]
    awaited: Effect | None = None
    what: str = "nothing changed"  # what the agent reads when the effect does not show in time
    gap_s: float = 0.0  # seconds between two actions
    rings: Callable[[Scene], str | None] | None = None
    muted: bool | None = None
    hangs_up: str | None = None
    holds: bool = False


@dataclass(frozen=True, slots=True)
class Given:
    """What a command may need beside the scene. `leg` is the id that a new leg of the agent's phone gets."""

    asking: Asking
    command: CallCommand
    phone: MyPhone | None
    target: moves.Target | None
    target_seat: str | None  # set where the target is a phone of this PBX
    leg: str
    notify: bool  # a desk phone can be told to answer
    waiting: Leg | None = None  # the leg that waits in a queue
    queue_asked: str | None = None  # the queue that the agent asks for a colleague


Steps = Sequence[Step]
Maker = Callable[[Scene, Given], Steps]


# --- what the makers share ---------------------------------------------------------------------------------

NOT_RUNG = "your phone did not ring"


def nothing(scene: Scene) -> Moves:
    return []


def own_channel(scene: Scene) -> str:
    """The channel of the agent's phone."""
    if scene.mine is None:
        raise CommandRefused("not_possible", "your phone is not in this call any more")
    return scene.mine.channel


def own_leg(scene: Scene) -> str | None:
    """The id of the agent's leg; None where they have none."""
    return scene.mine.id if scene.mine is not None else None


def newest_leg_of(phone: MyPhone) -> Callable[[Scene], str | None]:
    """Finds the newest leg of the agent's phone: an older one that was lost may still be on the floor."""

    def newest_leg(scene: Scene) -> str | None:
        legs = [leg for leg in scene.call.legs.values() if leg.device == phone.seat]
        newest = max(legs, key=lambda leg: leg.started_at, default=None)
        return newest.id if newest is not None else None

    return newest_leg


def answers_itself(phone: MyPhone, leg: Callable[[Scene], str | None]) -> Steps:
    """The step that makes a browser phone answer: the agent asked for this ring, so they need not accept it."""
    return [Step(nothing, rings=leg)] if phone.answers_itself else []


def other_side(scene: Scene) -> Leg:
    """The one leg that the agent talks to, or is about to.

    A queue says who took a call before the bridge events say who hears whom.
    """
    others = scene.heard or _about_to_hear(scene)
    if len(others) != 1:
        raise CommandRefused("not_possible", "nobody else is in this call")
    return others[0]


def _about_to_hear(scene: Scene) -> Sequence[Leg]:
    own = scene.mine
    if own is None:
        return ()
    others = (leg for leg in scene.call.legs.values() if leg is not own and leg.up and not leg.local)
    return [leg for leg in others if own.bridge is None or leg.bridge is None]


def key_receivers(scene: Scene) -> Sequence[Leg]:
    """The legs that get the agent's keys: those outside the center, else everyone whom the agent hears."""
    if not scene.heard:
        raise CommandRefused("not_possible", "nobody hears you")
    inside = {part.seat for part in scene.call.parts}
    return [leg for leg in scene.heard if leg.device not in inside] or scene.heard


def still_in_call(scene: Scene, leg: Leg) -> Leg:
    """The leg as it is now. Raises CommandRefused `leg_gone` when it has left the call."""
    found = scene.call.legs.get(leg.id)
    if found is None:
        raise CommandRefused("leg_gone", "they have left the call already")
    return found


def recorded_channel(scene: Scene) -> str:
    if scene.recorded is None:
        raise CommandRefused("wrong_state", "the call is not recorded")
    return scene.recorded.channel


def somebody_new(scene: Scene, given: Given) -> moves.Target:
    """The target of a command that brings somebody into the call. Raises CommandRefused `already` for who is in
    it: a phone does not talk with itself."""
    assert given.target is not None, "the API asks for a target"
    if given.target_seat is not None and scene.call.part_of(given.target_seat) is not None:
        raise CommandRefused("already", "nothing to do: they are in this call, or it rings at their phone")
    return given.target


def my_phone(given: Given) -> MyPhone:
    if given.phone is None:
        raise CommandRefused("no_phone", "you have no phone", "Sign in at the phone where you sit.")
    if given.phone.reachable is False:
        raise CommandRefused("phone_unreachable", f"your phone {given.phone.extension} is not reachable")
    return given.phone


def room_of(scene: Scene) -> str:
    """A conference room of this call's own: the digits of the id that Asterisk gave the call."""
    return "".join(c for c in scene.call.linkedid if c.isdigit())[-20:]


def off_hold(scene: Scene) -> Steps:
    """Takes a call that is held from the desk off hold first, because Asterisk transfers only one that is not.
    That the phone itself holds it is no hindrance."""
    if scene.standing is Standing.PHONE_HOLD and scene.mine is not None and scene.mine.desk_holds:
        return [END_DESK_HOLD]
    return [RETRIEVE] if scene.standing is Standing.HOLD else []


RETRIEVE = Step(lambda s: moves.retrieve(own_channel(s)), effects.retrieved, "the call is still on hold")
END_DESK_HOLD = Step(
    lambda s: moves.retrieve(own_channel(s)), effects.desk_hold_ended, "the call is still held from the desk"
)
