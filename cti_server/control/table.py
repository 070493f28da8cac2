"""What may be asked in which state: verb × standing → allowed, already so, or neither.

It does not know who may ask, whether the PBX is there, or what else a verb needs (a target, a phone): those are
asked beside it. A verb that changes nothing where it is asked (hold while on hold) is `already`, not an error of
state; only verbs for which that makes sense have it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cti_server.commands import CommandRefused
from cti_server.floor.signals import Recording
from cti_server.floor.verbs import Verb

from .scene import Scene, Standing

S = Standing
ALONE = frozenset({S.TALKING, S.HOLD})  # with one other side, nobody asked aside
TWO = frozenset({S.CONSULTING, S.ALTERNATED})  # between two, and both are there
CONNECTED = ALONE | TWO | {S.REACHING, S.CONSULTED, S.CONFERENCE}
HEARD = CONNECTED - {S.HOLD, S.REACHING}  # somebody hears me


@dataclass(frozen=True, slots=True)
class Rule:
    allowed: frozenset[Standing]
    already: frozenset[Standing] = frozenset()
    is_so: Callable[[Scene], bool] = lambda scene: False  # already, told from something else than the standing
    fits: Callable[[Scene], bool] = lambda scene: True  # what else must be so


def recording(*states: Recording) -> Callable[[Scene], bool]:
    return lambda scene: scene.call.recording in states


NOWHERE: frozenset[Standing] = frozenset()

TABLE: Mapping[Verb, Rule] = {
    Verb.ANSWER: Rule(frozenset({S.RINGING}), CONNECTED),
    Verb.HANGUP: Rule(CONNECTED | {S.RINGING, S.CALLING}),
    Verb.HOLD: Rule(frozenset({S.TALKING}), frozenset({S.HOLD})),
    Verb.RETRIEVE: Rule(frozenset({S.HOLD}), HEARD),
    Verb.MUTE: Rule(CONNECTED | {S.CALLING}, is_so=lambda scene: scene.muted),
    Verb.UNMUTE: Rule(CONNECTED | {S.CALLING}, is_so=lambda scene: not scene.muted),
    Verb.DTMF: Rule(HEARD),
    Verb.TRANSFER: Rule(ALONE),
    Verb.CONSULT: Rule(ALONE),
    Verb.ALTERNATE: Rule(TWO),
    Verb.COMPLETE: Rule(TWO | {S.REACHING}),
    Verb.CANCEL: Rule(TWO | {S.REACHING}),
    Verb.CONFERENCE: Rule(ALONE | TWO | {S.CONFERENCE}),
    Verb.DROP: Rule(CONNECTED | {S.CALLING}),
    Verb.PARK: Rule(ALONE),
    Verb.RECORD_START: Rule(HEARD, is_so=recording(Recording.ON, Recording.PAUSED)),
    Verb.RECORD_PAUSE: Rule(CONNECTED, is_so=recording(Recording.PAUSED), fits=recording(Recording.ON)),
    Verb.RECORD_RESUME: Rule(CONNECTED, is_so=recording(Recording.ON), fits=recording(Recording.PAUSED)),
    Verb.RECORD_STOP: Rule(CONNECTED, is_so=recording(Recording.OFF)),
    Verb.RECONNECT: Rule(ALONE),
    Verb.PICK_UP: Rule(frozenset({S.NONE, S.WRAP_UP})),
    Verb.DIAL: Rule(NOWHERE),  # begins a call, so it is never asked of one
}


def check(verb: Verb, scene: Scene) -> None:
    """Raises CommandRefused: `wrong_state` or `already`, naming the state."""
    rule = TABLE[verb]
    if scene.standing in rule.already:
        raise CommandRefused("already", f"nothing to do: in this call you are {scene.standing}")
    if scene.standing not in rule.allowed:
        raise CommandRefused("wrong_state", f"in this call you are {scene.standing}: {verb} is not possible")
    if rule.is_so(scene):
        raise CommandRefused("already", f"nothing to do: {_how_it_is(verb, scene)}")
    if not rule.fits(scene):
        raise CommandRefused("wrong_state", f"{_how_it_is(verb, scene)}: {verb} is not possible")


def _how_it_is(verb: Verb, scene: Scene) -> str:
    if verb in (Verb.MUTE, Verb.UNMUTE):
        return "you are muted" if scene.muted else "you are not muted"
    return f"the recording is {scene.call.recording}"
