"""What may be asked in which standing: verb × standing → possible, already so, not now (and why), or senseless.

The one table of it: call control refuses by it, and each agent's part of a call carries what it says (`can`), so
that a desktop only shows it. It does not know who may ask, whether the PBX is there, or what else a verb needs (a
target, a phone): those are asked beside it. A verb that changes nothing where it is asked (hold while on hold) is
*already* so, which is no error of state; only verbs for which that makes sense have it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from .signals import Recording
from .standing import SAID, Scene, Standing
from .verbs import Verb

S = Standing
ALONE = frozenset({S.TALKING, S.HOLD})  # with one other side, nobody asked aside
TWO = frozenset({S.CONSULTING, S.ALTERNATED})  # between two, and both are there
CONNECTED = ALONE | TWO | {S.REACHING, S.CONSULTED, S.CONFERENCE}
HEARD = CONNECTED - {S.HOLD, S.REACHING}  # somebody hears me
NOWHERE: frozenset[Standing] = frozenset()
NO_REASONS: Mapping[Standing, str] = {}

Holds = Callable[[Recording, bool], bool]
"""Something that must be so, told from the call's recording and from whether I am muted."""


@dataclass(frozen=True, slots=True)
class Rule:
    """`not_now`: the reason, a code for the desktop's texts, where a verb would make sense but is not possible."""

    allowed: frozenset[Standing]
    already: frozenset[Standing] = frozenset()
    not_now: Mapping[Standing, str] = field(default_factory=lambda: NO_REASONS)
    is_so: Holds = lambda recording, muted: False  # already, told from something else than the standing
    fits: Holds = lambda recording, muted: True  # what else must be so


def recording(*states: Recording) -> Holds:
    return lambda recording, muted: recording in states


IN_CONFERENCE = {S.CONFERENCE: "in_conference"}
ASKED_ASIDE = {S.REACHING: "consulting", S.CONSULTING: "consulting", S.ALTERNATED: "consulting"}
NOT_ANSWERED = {S.REACHING: "not_answered"}

TABLE: Mapping[Verb, Rule] = {
    Verb.ANSWER: Rule(frozenset({S.RINGING}), CONNECTED),
    Verb.HANGUP: Rule(CONNECTED | {S.RINGING, S.CALLING}),
    Verb.HOLD: Rule(
        frozenset({S.TALKING}),
        frozenset({S.HOLD}),
        {S.CALLING: "calling", S.CONSULTED: "consulted", **ASKED_ASIDE, **IN_CONFERENCE},
    ),
    Verb.RETRIEVE: Rule(frozenset({S.HOLD}), HEARD),
    Verb.MUTE: Rule(CONNECTED | {S.CALLING}, is_so=lambda recording, muted: muted),
    Verb.UNMUTE: Rule(CONNECTED | {S.CALLING}, is_so=lambda recording, muted: not muted),
    Verb.DTMF: Rule(HEARD, not_now={S.CALLING: "calling", S.HOLD: "on_hold", **NOT_ANSWERED}),
    Verb.TRANSFER: Rule(ALONE, not_now=IN_CONFERENCE),
    Verb.CONSULT: Rule(ALONE, not_now=IN_CONFERENCE),
    Verb.ALTERNATE: Rule(TWO, not_now=NOT_ANSWERED),
    Verb.COMPLETE: Rule(TWO | {S.REACHING}),
    Verb.CANCEL: Rule(TWO | {S.REACHING}),
    Verb.CONFERENCE: Rule(ALONE | TWO | {S.CONFERENCE}, not_now=NOT_ANSWERED),
    Verb.DROP: Rule(CONNECTED | {S.CALLING}),
    Verb.PARK: Rule(ALONE, not_now=IN_CONFERENCE),
    Verb.RECORD_START: Rule(
        HEARD,
        not_now={S.HOLD: "on_hold", **NOT_ANSWERED},
        is_so=recording(Recording.ON, Recording.PAUSED),
    ),
    Verb.RECORD_PAUSE: Rule(CONNECTED, is_so=recording(Recording.PAUSED), fits=recording(Recording.ON)),
    Verb.RECORD_RESUME: Rule(CONNECTED, is_so=recording(Recording.ON), fits=recording(Recording.PAUSED)),
    Verb.RECORD_STOP: Rule(CONNECTED, is_so=recording(Recording.OFF)),
    Verb.RECONNECT: Rule(ALONE),
    Verb.PICK_UP: Rule(frozenset({S.NONE, S.WRAP_UP})),
    Verb.DIAL: Rule(NOWHERE),  # begins a call, so it is never asked of one
}
#: asked of a call that I have no part in, or of none: no desktop shows them beside my part
FROM_OUTSIDE = frozenset({Verb.PICK_UP, Verb.DIAL})


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a verb is not possible: `already` or `wrong_state`, and a sentence for people that names the state."""

    code: str
    detail: str


def refusal_of(verb: Verb, scene: Scene) -> Refusal | None:
    """None: it may be asked in this scene."""
    rule, standing = TABLE[verb], SAID.get(scene.standing, scene.standing.value)
    how_it_is = scene.call.recording, scene.muted
    if scene.standing in rule.already:
        return Refusal("already", f"nothing to do: in this call you are {standing}")
    if scene.standing not in rule.allowed:
        return Refusal("wrong_state", f"in this call you are {standing}: {verb} is not possible")
    if rule.is_so(*how_it_is):
        return Refusal("already", f"nothing to do: {_how_it_is(verb, scene)}")
    if not rule.fits(*how_it_is):
        return Refusal("wrong_state", f"{_how_it_is(verb, scene)}: {verb} is not possible")
    return None


def _how_it_is(verb: Verb, scene: Scene) -> str:
    if verb in (Verb.MUTE, Verb.UNMUTE):
        return "you are muted" if scene.muted else "you are not muted"
    return f"the recording is {scene.call.recording}"


@lru_cache(maxsize=256)
def can(standing: Standing, recording: Recording, muted: bool) -> dict[str, str | None]:
    """The verbs that make sense here: None for one that is possible, else the code of why not now.

    One dictionary serves all who stand so: nobody may change it.
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
