"""What an agent may do in a call: verb × standing → possible, already so, not now (and why), or senseless.

This is the only such table. Call control refuses by it, and each agent's part of a call carries its answers
(`can`), so that a desktop only has to show them. It does not know who is asking, whether the PBX can be reached,
or what else a verb needs (a target, a phone): the caller checks those. A verb that would change nothing (hold
while on hold) is *already* so, which is not an error; only verbs for which that makes sense list it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from .signals import Recording
from .standing import SAID, Scene, Standing
from .verbs import Verb

S = Standing
ONE = frozenset({S.TALKING, S.HOLD})  # one other side, no consultation
GIVEN = ONE | {S.PHONE_HOLD}  # the call goes away from the phone, whatever the phone does with it
TWO = frozenset({S.CONSULTING, S.ALTERNATED})  # between the caller and a colleague who has answered
CONNECTED = GIVEN | TWO | {S.REACHING, S.CONSULTED, S.CONFERENCE, S.ALONE, S.WAITING}
HEARD = CONNECTED - {S.HOLD, S.PHONE_HOLD, S.REACHING, S.ALONE, S.WAITING}  # somebody hears the agent
NOWHERE: frozenset[Standing] = frozenset()
NO_REASONS: Mapping[Standing, str] = {}

Holds = Callable[[Recording, bool], bool]
"""A condition on the call's recording and on whether the agent is muted."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One verb's row. `not_now` gives a reason (a code for the desktop's texts) where the verb makes sense but is
    not possible."""

    allowed: frozenset[Standing]
    already: frozenset[Standing] = frozenset()
    not_now: Mapping[Standing, str] = field(default_factory=lambda: NO_REASONS)
    is_so: Holds = lambda recording, muted: False  # already so, for a reason other than the standing
    fits: Holds = lambda recording, muted: True  # what must hold besides the standing


def recording(*states: Recording) -> Holds:
    return lambda recording, muted: recording in states


IN_CONFERENCE = {S.CONFERENCE: "in_conference"}
ASKED_ASIDE = {S.REACHING: "consulting", S.CONSULTING: "consulting", S.ALTERNATED: "consulting"}
NOT_ANSWERED = {S.REACHING: "not_answered", S.WAITING: "not_answered"}
NOBODY_YET = {S.WAITING: "not_answered"}
BY_PHONE = {S.PHONE_HOLD: "phone_holds"}  # no PBX can make a desk phone take its call back
TAKE_BACK = "Press the hold key of your phone to take the call back."

TABLE: Mapping[Verb, Rule] = {
    Verb.ANSWER: Rule(frozenset({S.RINGING}), CONNECTED),
    Verb.HANGUP: Rule(CONNECTED | {S.RINGING, S.CALLING}),
    Verb.HOLD: Rule(
        frozenset({S.TALKING}),
        frozenset({S.HOLD, S.PHONE_HOLD}),
        {S.CALLING: "calling", S.CONSULTED: "consulted", **ASKED_ASIDE, **IN_CONFERENCE, **NOBODY_YET},
    ),
    Verb.RETRIEVE: Rule(frozenset({S.HOLD}), HEARD, BY_PHONE),
    Verb.MUTE: Rule(CONNECTED | {S.CALLING}, is_so=lambda recording, muted: muted),
    Verb.UNMUTE: Rule(CONNECTED | {S.CALLING}, is_so=lambda recording, muted: not muted),
    Verb.DTMF: Rule(HEARD, not_now={S.CALLING: "calling", S.HOLD: "on_hold", **BY_PHONE, **NOT_ANSWERED}),
    Verb.TRANSFER: Rule(GIVEN, not_now={**IN_CONFERENCE, **NOBODY_YET}),
    Verb.CONSULT: Rule(ONE, not_now={**BY_PHONE, **IN_CONFERENCE, **NOBODY_YET}),
    Verb.ALTERNATE: Rule(TWO, not_now={S.REACHING: "not_answered"}),
    Verb.COMPLETE: Rule(TWO | {S.REACHING}),
    Verb.CANCEL: Rule(TWO | {S.REACHING}),
    Verb.CONFERENCE: Rule(ONE | TWO | {S.CONFERENCE, S.ALONE}, not_now={**BY_PHONE, **NOT_ANSWERED}),
    Verb.DROP: Rule(CONNECTED | {S.CALLING}),
    Verb.PARK: Rule(GIVEN, not_now={**IN_CONFERENCE, **NOBODY_YET}),
    Verb.RECORD_START: Rule(
        HEARD,
        not_now={S.HOLD: "on_hold", **BY_PHONE, **NOT_ANSWERED},
        is_so=recording(Recording.ON, Recording.PAUSED),
    ),
    Verb.RECORD_PAUSE: Rule(CONNECTED, is_so=recording(Recording.PAUSED), fits=recording(Recording.ON)),
    Verb.RECORD_RESUME: Rule(CONNECTED, is_so=recording(Recording.ON), fits=recording(Recording.PAUSED)),
    Verb.RECORD_STOP: Rule(CONNECTED, is_so=recording(Recording.OFF)),
    Verb.RECONNECT: Rule(GIVEN),
    Verb.PICK_UP: Rule(frozenset({S.NONE, S.WRAP_UP})),
    Verb.DIAL: Rule(NOWHERE),  # it begins a call, so it is never possible in one
}
#: verbs for a call that the agent has no part in, or for no call at all: never shown with a part
FROM_OUTSIDE = frozenset({Verb.PICK_UP, Verb.DIAL})


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a verb is not possible: `already` or `wrong_state`, a sentence for people that names the state, and one
    that says what helps, where something does."""

    code: str
    detail: str
    remedy: str | None = None


def refusal_of(verb: Verb, scene: Scene) -> Refusal | None:
    """Why the verb is not possible in this scene; None when it is."""
    rule, standing = TABLE[verb], SAID.get(scene.standing, scene.standing.value)
    recording_and_mute = scene.call.recording, scene.muted
    if scene.standing in rule.already:
        return Refusal("already", f"nothing to do: in this call you are {standing}")
    if scene.standing not in rule.allowed:
        remedy = TAKE_BACK if rule.not_now.get(scene.standing) == BY_PHONE[S.PHONE_HOLD] else None
        return Refusal("wrong_state", f"in this call you are {standing}: {verb} is not possible", remedy)
    if rule.is_so(*recording_and_mute):
        return Refusal("already", f"nothing to do: {_in_words(verb, scene)}")
    if not rule.fits(*recording_and_mute):
        return Refusal("wrong_state", f"{_in_words(verb, scene)}: {verb} is not possible")
    return None


def _in_words(verb: Verb, scene: Scene) -> str:
    if verb in (Verb.MUTE, Verb.UNMUTE):
        return "you are muted" if scene.muted else "you are not muted"
    return f"the recording is {scene.call.recording}"


@lru_cache(maxsize=256)
def can(standing: Standing, recording: Recording, muted: bool) -> dict[str, str | None]:
    """The verbs that make sense here, each with None when it is possible now, else the code that says why not.

    The dictionary is cached and shared: callers must not change it.
    """
    found: dict[str, str | None] = {}
    for verb, rule in TABLE.items():
        if verb in FROM_OUTSIDE or rule.is_so(recording, muted) or not rule.fits(recording, muted):
            continue
        if standing in rule.allowed:
            found[verb.value] = None
        elif standing in rule.not_now:
            found[verb.value] = rule.not_now[standing]
    return found
