"""The table of states, against every verb in every state."""

from __future__ import annotations

from itertools import product
from typing import Literal

import pytest

from cti_server.floor.calls import Call, Leg
from cti_server.floor.possible import FROM_OUTSIDE, TABLE, Refusal, can, refusal_of
from cti_server.floor.signals import Recording
from cti_server.floor.standing import Scene, Standing
from cti_server.floor.verbs import Verb

Verdict = Literal["ok", "already", "no"]
ALREADY: Verdict = "already"
NO: Verdict = "no"

# What an agent would expect, column by column: ok, already so, or not possible (-).
STATES = ["NONE", "RINGING", "CALLING", "TALKING", "HOLD", "REACHING", "CONSULTING", "ALTERNATED", "CONSULTED"]
STATES += ["CONFERENCE", "ALONE", "WAITING", "PHONE_HOLD", "WRAP_UP"]
EXPECTED = """
                 none  ring  call  talk  hold  reach cons  alt   asked conf  alone wait  phone wrap
answer           -     ok    -     =     =     =     =     =     =     =     =     =     =     -
hangup           -     ok    ok    ok    ok    ok    ok    ok    ok    ok    ok    ok    ok    -
hold             -     -     -     ok    =     -     -     -     -     -     -     -     =     -
retrieve         -     -     -     =     ok    -     =     =     =     =     -     -     -     -
mute             -     -     ok    ok    ok    ok    ok    ok    ok    ok    ok    ok    ok    -
unmute           -     -     =     =     =     =     =     =     =     =     =     =     =     -
dtmf             -     -     -     ok    -     -     ok    ok    ok    ok    -     -     -     -
transfer         -     -     -     ok    ok    -     -     -     -     -     -     -     ok    -
consult          -     -     -     ok    ok    -     -     -     -     -     -     -     -     -
alternate        -     -     -     -     -     -     ok    ok    -     -     -     -     -     -
complete         -     -     -     -     -     ok    ok    ok    -     -     -     -     -     -
cancel           -     -     -     -     -     ok    ok    ok    -     -     -     -     -     -
conference       -     -     -     ok    ok    -     ok    ok    -     ok    ok    -     -     -
drop             -     -     ok    ok    ok    ok    ok    ok    ok    ok    ok    ok    ok    -
park             -     -     -     ok    ok    -     -     -     -     -     -     -     ok    -
pick-up          ok    -     -     -     -     -     -     -     -     -     -     -     -     ok
recording/start  -     -     -     ok    -     -     ok    ok    ok    ok    -     -     -     -
recording/pause  -     -     -     -     -     -     -     -     -     -     -     -     -     -
recording/resume -     -     -     -     -     -     -     -     -     -     -     -     -     -
recording/stop   -     -     -     =     =     =     =     =     =     =     =     =     =     -
reconnect        -     -     -     ok    ok    -     -     -     -     -     -     -     ok    -
dial             -     -     -     -     -     -     -     -     -     -     -     -     -     -
"""
VERDICTS: dict[str, Verdict] = {"ok": "ok", "=": "already", "-": "no"}
ROWS = {row.split()[0]: row.split()[1:] for row in EXPECTED.strip().splitlines()[1:]}
CONNECTED = {Standing[s] for s in STATES[3:13]}


def scene(standing: Standing, *, muted: bool = False, recording: Recording = Recording.OFF) -> Scene:
    call = Call("demo", 1, "demo-1.1", 0.0)
    mine = Leg("demo-1.2", "PJSIP/1002-00000001", 1.0, up=True, muted=muted)
    call.put(mine)
    call.put(Leg("demo-1.1", "PJSIP/cti-trunk-00000000", 0.0, up=True, recording=recording))
    return Scene(call, None, mine, standing)


def verdict(verb: Verb, here: Scene) -> Verdict:
    refused = refusal_of(verb, here)
    return "ok" if refused is None else {"already": ALREADY, "wrong_state": NO}[refused.code]


def test_every_verb_is_in_the_table_and_in_this_test() -> None:
    assert set(TABLE) == set(Verb)
    assert set(ROWS) == {verb.value for verb in Verb}
    assert {Standing[name] for name in STATES} == set(Standing)


@pytest.mark.parametrize(("verb", "column"), list(product(Verb, range(len(STATES)))))
def test_every_verb_in_every_state(verb: Verb, column: int) -> None:
    standing = Standing[STATES[column]]
    assert verdict(verb, scene(standing)) == VERDICTS[ROWS[verb.value][column]], f"{verb} while {standing}"


@pytest.mark.parametrize("standing", sorted(CONNECTED))
def test_muted_can_be_unmuted_and_not_muted_again(standing: Standing) -> None:
    assert verdict(Verb.MUTE, scene(standing, muted=True)) == "already"
    assert verdict(Verb.UNMUTE, scene(standing, muted=True)) == "ok"


@pytest.mark.parametrize(
    ("recording", "verb", "expected"),
    [
        (Recording.ON, Verb.RECORD_START, "already"),
        (Recording.ON, Verb.RECORD_PAUSE, "ok"),
        (Recording.ON, Verb.RECORD_RESUME, "already"),
        (Recording.ON, Verb.RECORD_STOP, "ok"),
        (Recording.PAUSED, Verb.RECORD_START, "already"),
        (Recording.PAUSED, Verb.RECORD_PAUSE, "already"),
        (Recording.PAUSED, Verb.RECORD_RESUME, "ok"),
        (Recording.PAUSED, Verb.RECORD_STOP, "ok"),
    ],
)
def test_a_recording_is_paused_only_while_it_goes_on(recording: Recording, verb: Verb, expected: Verdict) -> None:
    assert verdict(verb, scene(Standing.TALKING, recording=recording)) == expected


def test_a_refusal_names_the_state() -> None:
    assert refusal_of(Verb.HOLD, scene(Standing.HOLD)) == Refusal(
        "already", "nothing to do: in this call you are hold"
    )
    assert refusal_of(Verb.PARK, scene(Standing.CALLING)) == Refusal(
        "wrong_state", "in this call you are calling out: park is not possible"
    )
    assert refusal_of(Verb.RETRIEVE, scene(Standing.PHONE_HOLD)) == Refusal(
        "wrong_state",
        "in this call you are holding it at your own phone: retrieve is not possible",
        "Press the hold key of your phone to take the call back.",
    )


@pytest.mark.parametrize("standing", Standing)
def test_a_desktop_is_told_what_the_table_says(standing: Standing) -> None:
    """What is possible is possible, what has a reason is not, and no desktop is shown what makes no sense here."""
    shown = can(standing, Recording.OFF, False)
    here = scene(standing)
    assert {verb for verb, why in shown.items() if why is None} == {
        verb.value for verb in TABLE if refusal_of(verb, here) is None and verb not in FROM_OUTSIDE
    }
    assert all(refusal_of(Verb(verb), here) for verb, why in shown.items() if why is not None)
