"""Verb → steps: how each command is carried out. Each verb has one function; `STEPS` is the table of them.

A function only makes steps and sends nothing. It raises CommandRefused for what the table of states cannot know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cti_server.asterisk import moves
from cti_server.asterisk.actions import Action
from cti_server.commands import CommandRefused
from cti_server.floor.signals import Recording
from cti_server.floor.standing import SAID, Scene, Standing
from cti_server.floor.verbs import Verb

from . import effects
from .steps import (
    KEY_GAP_S,
    NOT_RUNG,
    RETRIEVE,
    Given,
    Maker,
    Step,
    Steps,
    answers_itself,
    key_receivers,
    my_phone,
    newest_leg_of,
    nothing,
    off_hold,
    other_side,
    own_channel,
    own_leg,
    recorded_channel,
    room_of,
    somebody_new,
    still_in_call,
)


def answer(scene: Scene, given: Given) -> Steps:
    if given.phone is not None and given.phone.answers_itself:
        return [Step(nothing, effects.answered, "your browser did not answer", rings=own_leg)]
    if not given.notify:
        raise CommandRefused(
            "not_possible",
            "this phone cannot be answered from here",
            "Lift the handset. An administrator can allow it: the optional AMI role notify.",
        )
    return [
        Step(
            lambda s: moves.answer(own_channel(s)), effects.answered, "the phone did not answer; lift the handset"
        )
    ]


def hangup(scene: Scene, given: Given) -> Steps:
    end = moves.reject if scene.standing is Standing.RINGING else moves.hang_up
    return [Step(lambda s: end(own_channel(s)), effects.out, "your leg is still up", hangs_up=own_leg(scene))]


def hold(scene: Scene, given: Given) -> Steps:
    on_hold = Step(lambda s: moves.hold(own_channel(s)), effects.held, "the call is not on hold")
    return [on_hold, Step(nothing, effects.held_at_desk, holds=True)]


def retrieve(scene: Scene, given: Given) -> Steps:
    return [RETRIEVE]


def mute(scene: Scene, given: Given) -> Steps:
    return [Step(lambda s: moves.mute(own_channel(s), by_phone=mutes_itself(given)), effects.muted, muted=True)]


def unmute(scene: Scene, given: Given) -> Steps:
    return [
        Step(lambda s: moves.unmute(own_channel(s), by_phone=mutes_itself(given)), effects.unmuted, muted=False)
    ]


def mutes_itself(given: Given) -> bool:
    """Whether the phone mutes its own microphone: a browser does so once the floor shows the leg as muted."""
    return given.phone is not None and given.phone.answers_itself


def dtmf(scene: Scene, given: Given) -> Steps:
    digits = given.command.digits or ""
    return [
        Step(lambda s: [a for leg in key_receivers(s) for a in moves.dtmf(leg.channel, digits)], gap_s=KEY_GAP_S)
    ]


def transfer(scene: Scene, given: Given) -> Steps:
    target = somebody_new(scene, given)
    give = Step(lambda s: moves.transfer(own_channel(s), target), effects.given_away, "you still have the call")
    return [*off_hold(scene), give]


def consult(scene: Scene, given: Given) -> Steps:
    target = somebody_new(scene, given)
    queue = target.name if isinstance(target, moves.Queue) else None
    reached = effects.Reached.since(scene, queue)
    return [*off_hold(scene), Step(lambda s: moves.consult(own_channel(s), target), reached, "nobody was rung")]


def alternate(scene: Scene, given: Given) -> Steps:
    return [
        Step(lambda s: moves.alternate(own_channel(s)), effects.hears_another, "you are still with the same one")
    ]


def complete(scene: Scene, given: Given) -> Steps:
    if scene.standing is Standing.REACHING and given.queue_asked is not None:
        # A consultation lasts as long as a colleague may ring; whoever is given to a queue waits for as long as it
        # lets them.
        queue = moves.Queue(given.queue_asked)
        stop = Step(lambda s: moves.cancel(own_channel(s)), effects.consultation_over, "the consultation goes on")
        return [
            stop,
            Step(lambda s: _transfer_once(scene, s, queue), effects.given_away, "you still have the call"),
        ]
    # While the target still rings, Asterisk completes the transfer when the agent hangs up, and the caller hears
    # the ringing.
    done = moves.hang_up if scene.standing is Standing.REACHING else moves.complete
    return [Step(lambda s: done(own_channel(s)), effects.given_away, "you are still in the call")]


def _transfer_once(before: Scene, now: Scene, to: moves.Target) -> Sequence[Action]:
    """The transfer, unless the agent has hung up meanwhile: then Asterisk has given the call away."""
    is_over = before.part is not None and not before.part.open
    return () if is_over else moves.transfer(own_channel(now), to)


def cancel(scene: Scene, given: Given) -> Steps:
    return [Step(lambda s: moves.cancel(own_channel(s)), effects.consultation_ended, "the consultation goes on")]


def conference(scene: Scene, given: Given) -> Steps:
    if given.target is None:
        if scene.standing is Standing.CONFERENCE:
            raise CommandRefused("already", "nothing to do: all of you hear each other")
        if scene.consulted is None:
            where = SAID.get(scene.standing, scene.standing)
            raise CommandRefused("wrong_state", f"you are {where}: nobody to merge with")
        return [
            Step(lambda s: moves.merge(own_channel(s)), effects.in_conference, "you do not all hear each other")
        ]
    return add(scene, given)


def add(scene: Scene, given: Given) -> Steps:
    """Add somebody. Two people in a plain call are moved into a conference room first."""
    if scene.consulted is not None:
        raise CommandRefused("wrong_state", "finish or merge the consultation first")
    if not isinstance(given.target, moves.Number):
        raise CommandRefused("bad_target", "a queue cannot join a conference", "Choose a person or a number.")
    number, room, seat, leg = given.target.number, room_of(scene), given.target_seat, given.leg
    somebody_new(scene, given)
    called = moves.invite_number(number, room, leg) if seat is None else moves.invite_phone(seat, room, leg)
    invite = Step(lambda s: called, effects.invited(leg), "nobody was rung")
    if scene.mine is not None and scene.mine.conference:
        return [invite]
    if scene.standing is Standing.CONFERENCE:
        raise CommandRefused(
            "not_possible",
            "nobody can be added to a conference that came from a consultation",
            "Drop one, then add both.",
        )
    into = Step(
        lambda s: moves.open_room(own_channel(s), other_side(s).channel, room), effects.in_room, "no room opened"
    )
    return [*off_hold(scene), into, invite]


def drop(scene: Scene, given: Given) -> Steps:
    leg = scene.call.legs.get(given.command.leg or "")
    if leg is None or leg.local:
        raise CommandRefused("leg_gone", "they have left the call already")
    if leg is scene.mine:
        raise CommandRefused("not_possible", "that is your own phone", "Hang up instead.")
    if scene.standing is Standing.CONSULTED and leg not in scene.heard and not given.asking.supervises:
        raise CommandRefused("not_yours", "you were only asked: the caller is not yours to drop")
    return [
        Step(
            lambda s: moves.hang_up(still_in_call(s, leg).channel),
            effects.leg_gone(leg.id),
            "they are still there",
            # The contact ends with its customer, and the call when nobody else is there.
            hangs_up=leg.id if leg.id == scene.call.customer_leg or scene.heard == (leg,) else None,
        )
    ]


def park(scene: Scene, given: Given) -> Steps:
    return [*off_hold(scene), Step(lambda s: moves.park(own_channel(s)), effects.parked, "the call is not parked")]


def pick_up(scene: Scene, given: Given) -> Steps:
    phone = my_phone(given)
    call, waiting = scene.call, given.waiting
    rights = given.asking.may_pick or given.asking.supervises
    if (parked := scene.parked) is not None and parked.parked is not None:
        if not parked.parked:
            raise CommandRefused("not_possible", "its parking space is not known", "Dial the space.")
        space = parked.parked
        fetch = Step(lambda s: moves.fetch(phone.seat, space, given.leg), effects.leg_rings(given.leg), NOT_RUNG)
        return [fetch, *answers_itself(phone, lambda s: given.leg)]
    # A ringing call is taken from the phone that rings, not moved out of its queue: the offer then ends as taken
    # by a colleague, and is not counted as one that the agent did not answer.
    if (ringing := scene.ringing) is not None:
        channel = ringing.channel
        take = Step(lambda s: moves.take(phone.seat, channel, given.leg), effects.leg_rings(given.leg), NOT_RUNG)
        return [take, *answers_itself(phone, lambda s: given.leg)]
    if waiting is not None and rights:
        queue, place = call.queue or "", call.position or 1
        pick = Step(
            lambda s: moves.pick(still_in_call(s, waiting).channel, phone.extension, queue, place),
            effects.rings_at(phone.seat, scene),
            NOT_RUNG,
        )
        return [pick, *answers_itself(phone, newest_leg_of(phone))]
    if waiting is not None:
        raise CommandRefused("not_yours", "you may not choose a caller who waits")
    raise CommandRefused("wrong_state", f"the call is {call.state}: there is nothing to pick up")


def record_start(scene: Scene, given: Given) -> Steps:
    on = effects.recording_is(Recording.ON)
    return [Step(lambda s: moves.start_recording(own_channel(s)), on, "the recording did not start")]


def record_pause(scene: Scene, given: Given) -> Steps:
    paused = effects.recording_is(Recording.PAUSED)
    return [Step(lambda s: moves.pause_recording(recorded_channel(s)), paused, "the recording goes on")]


def record_resume(scene: Scene, given: Given) -> Steps:
    on = effects.recording_is(Recording.ON)
    return [Step(lambda s: moves.resume_recording(recorded_channel(s)), on, "the recording is still paused")]


def record_stop(scene: Scene, given: Given) -> Steps:
    off = effects.recording_is(Recording.OFF)
    return [Step(lambda s: moves.stop_recording(recorded_channel(s)), off, "the recording goes on")]


def reconnect(scene: Scene, given: Given) -> Steps:
    phone = my_phone(given)
    back = Step(
        lambda s: moves.reconnect(other_side(s).channel, phone.extension),
        effects.rings_at(phone.seat, scene),
        NOT_RUNG,
    )
    return [back, *answers_itself(phone, newest_leg_of(phone))]


def dial(scene: Scene, given: Given) -> Steps:
    phone = my_phone(given)
    if not isinstance(given.target, moves.Number):
        raise CommandRefused("bad_target", "a queue cannot be dialled")
    number = given.target.number
    ring = Step(lambda s: moves.dial(phone.seat, number, given.leg), effects.leg_rings(given.leg), NOT_RUNG)
    return [ring, *answers_itself(phone, lambda s: given.leg)]


STEPS: Mapping[Verb, Maker] = {
    Verb.DIAL: dial,
    Verb.ANSWER: answer,
    Verb.HANGUP: hangup,
    Verb.HOLD: hold,
    Verb.RETRIEVE: retrieve,
    Verb.MUTE: mute,
    Verb.UNMUTE: unmute,
    Verb.DTMF: dtmf,
    Verb.TRANSFER: transfer,
    Verb.CONSULT: consult,
    Verb.ALTERNATE: alternate,
    Verb.COMPLETE: complete,
    Verb.CANCEL: cancel,
    Verb.CONFERENCE: conference,
    Verb.DROP: drop,
    Verb.PARK: park,
    Verb.PICK_UP: pick_up,
    Verb.RECORD_START: record_start,
    Verb.RECORD_PAUSE: record_pause,
    Verb.RECORD_RESUME: record_resume,
    Verb.RECORD_STOP: record_stop,
    Verb.RECONNECT: reconnect,
}
