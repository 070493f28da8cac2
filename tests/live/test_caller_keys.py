"""A caller's keys reach no context that dials, in whatever state their call is; an agent's keys pass the fence.

Keys are put into the channel as if its phone had sent them, and Asterisk's own log says when the last was read.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from cti_server.asterisk import moves
from cti_server.asterisk.call_actions import PlayDTMF
from cti_server.demo.asterisk_root import DemoUnavailable
from cti_server.demo.pbx import DemoPbx, free_config
from cti_server.demo.sipp_process import Sipp
from tests.live.test_moves import channels, in_bridges, until
from tests.transcripts.scenarios_desk import consulting, talks
from tests.transcripts.scenarios_transfer import ringing, talking
from tests.transcripts.stage import Stage
from tests.transcripts.tap import tap

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]

#: every key of features_cti.conf that begins something, each with a number that costs money behind it
NUMBER = "9001900#"
KEYS = f"##{NUMBER}*2{NUMBER}*4*1*3*5*6AB"
LAST = "D"  # a key of no feature
READ_S = 60.0  # Asterisk reads five keys a second


@pytest.fixture(scope="module")
def pbx() -> Iterator[DemoPbx]:
    try:
        made = DemoPbx(free_config(site={"CTI_RING": "60"}, queue_overrides={"*": {"timeout": 60}}))
    except DemoUnavailable as reason:
        pytest.fail(str(reason), pytrace=False)
    with made:
        made.cli("logger add channel keys.log dtmf")
        yield made


class Keys(Stage):
    """Asterisk takes a key that has no voice around it for one that is still pressed: these callers send back what
    they hear, so that there always is some."""

    def caller(self, did: str, *given: Any, **changes: Any) -> Sipp:
        return super().caller(did, *given, **{"echo": True, **changes})


@pytest.fixture
def stage(pbx: DemoPbx) -> Iterator[Stage]:
    with tap(pbx.config.ami_port, pbx.config.secrets) as tape, ExitStack() as stack:
        tape.event("FullyBooted")
        yield Keys(pbx, tape, stack)
    pbx.cli("channel request hangup all")
    until(lambda: channels(pbx) == [], "every channel is gone")


def presses(stage: Stage, channel: str, keys: str) -> None:
    """Press the keys, and wait until Asterisk has read them all."""
    log = stage.pbx.work / "log" / "keys.log"
    stage.do([PlayDTMF(channel, key, receive=True) for key in f"{keys}{LAST}"])
    deadline = time.monotonic() + READ_S
    while f"DTMF end '{LAST}' received on {channel}" not in log.read_text(errors="replace"):
        assert time.monotonic() < deadline, f"{channel} has not sent {keys}"
        time.sleep(0.05)


def nobody_new(stage: Stage, since: int, caller: str) -> None:
    """Once everybody has hung up, all that was begun has left its mark. The caller first: a transfer that the
    others end would ring the agent again, as it should."""
    stage.pbx.cli(f"channel request hangup {caller}")
    until(lambda: caller not in channels(stage.pbx), "the caller has hung up")
    stage.pbx.cli("channel request hangup all")
    stage.all_hung_up()
    events = {"Newchannel": "Channel", "BlindTransfer": "Extension"}
    found = [m for m in stage.tape.messages[since:] if m.get("Event") in events]
    assert [m.get(events[m["Event"]]) for m in found] == []


# --- the states --------------------------------------------------------------------------------------------


def is_talking(stage: Stage) -> str:
    return talking(stage)[2]["Channel"]


def is_rung_for(stage: Stage) -> str:
    stage.phone("1002")
    here = stage.tape.here()
    stage.caller("4008002000")
    caller = stage.event("QueueCallerJoin", here)["Channel"]
    ringing(stage, "1002", here)
    return caller


def held_at_the_desk(stage: Stage) -> str:
    _, _, connected = talking(stage)
    here = stage.tape.here()
    stage.do(moves.hold(connected["DestChannel"]))
    stage.event("Hold", here)
    return connected["Channel"]


def held_by_the_phone(stage: Stage) -> str:
    _, phone, connected = talking(stage)
    here = stage.tape.here()
    phone.hold()
    stage.event("Hold", here)
    return connected["Channel"]


def waits_while_a_colleague_rings(stage: Stage) -> str:
    stage.phone("1003")
    _, _, connected = talking(stage)
    here = stage.tape.here()
    stage.do(moves.consult(connected["DestChannel"], moves.Number("1003")))
    ringing(stage, "1003", here)
    return connected["Channel"]


def waits_while_they_consult(stage: Stage) -> str:
    consulting(stage)
    return next(name for name in channels(stage.pbx) if "cti-trunk" in name)


def consulted_again(stage: Stage) -> str:
    _, _, mine = consulting(stage)
    stage.do(moves.alternate(mine))
    in_bridges(stage.pbx, {"1002", "cti-trunk"}, {"1003"})
    return next(name for name in channels(stage.pbx) if "cti-trunk" in name)


def given_on_after_a_consultation(stage: Stage) -> str:
    _, _, mine = consulting(stage)
    here = stage.tape.here()
    stage.do(moves.hang_up(mine))
    stage.event("AttendedTransfer", here)
    return next(name for name in channels(stage.pbx) if "cti-trunk" in name)


def of_three(stage: Stage) -> str:
    _, _, mine = consulting(stage)
    stage.do(moves.merge(mine))
    in_bridges(stage.pbx, {"1002", "1003", "cti-trunk"})
    return next(name for name in channels(stage.pbx) if "cti-trunk" in name)


def rings_after_a_blind_transfer(stage: Stage) -> str:
    stage.phone("1003")
    _, _, connected = talking(stage)
    here = stage.tape.here()
    stage.do(moves.transfer(connected["DestChannel"], moves.Number("1003")))
    ringing(stage, "1003", here)
    return connected["Channel"]


def rings_after_a_blonde_transfer(stage: Stage) -> str:
    stage.phone("1003")
    _, phone, connected = talking(stage)
    here = stage.tape.here()
    stage.do(moves.consult(connected["DestChannel"], moves.Number("1003")))
    ringing(stage, "1003", here)
    phone.hang_up()
    stage.event("HangupRequest", here, Channel=connected["DestChannel"])
    return connected["Channel"]


def taken_after_a_blind_transfer(stage: Stage) -> str:
    third = stage.phone("1003")
    _, _, connected = talking(stage)
    here = stage.tape.here()
    stage.do(moves.transfer(connected["DestChannel"], moves.Number("1003")))
    ringing(stage, "1003", here)
    third.answer()
    talks(stage, "1003", here)
    return connected["Channel"]


def sent_by_the_phones_key(stage: Stage) -> str:
    stage.phone("1003")
    _, _, connected = talking(stage)
    here = stage.tape.here()
    stage.do([PlayDTMF(connected["DestChannel"], key, receive=True) for key in "##1003#"])
    ringing(stage, "1003", here)
    return connected["Channel"]


def waits_after_the_phones_key(stage: Stage) -> str:
    stage.phone("1003")
    _, _, connected = talking(stage)
    here = stage.tape.here()
    stage.do([PlayDTMF(connected["DestChannel"], key, receive=True) for key in "*21003#"])
    ringing(stage, "1003", here)
    return connected["Channel"]


def is_parked(stage: Stage) -> str:
    _, _, connected = talking(stage)
    here = stage.tape.here()
    stage.do(moves.park(connected["DestChannel"]))
    stage.event("ParkedCall", here)
    return connected["Channel"]


def is_in_a_room(stage: Stage) -> str:
    _, _, connected = talking(stage)
    here = stage.tape.here()
    stage.do(moves.open_room(connected["DestChannel"], connected["Channel"], "79"))
    stage.event("ConfbridgeJoin", here, Channel=connected["Channel"])
    return connected["Channel"]


STATES: dict[str, Callable[[Stage], str]] = {
    state.__name__: state
    for state in (
        *(is_rung_for, is_talking, held_at_the_desk, held_by_the_phone),
        *(waits_while_a_colleague_rings, waits_while_they_consult, consulted_again, given_on_after_a_consultation),
        *(of_three, rings_after_a_blind_transfer, rings_after_a_blonde_transfer, taken_after_a_blind_transfer),
        *(sent_by_the_phones_key, waits_after_the_phones_key, is_parked, is_in_a_room),
    )
}


@pytest.mark.parametrize("state", STATES)
def test_a_callers_keys_dial_nothing(stage: Stage, state: str) -> None:
    stage.network(ring_s=0.2)
    caller = STATES[state](stage)
    here = stage.tape.here()
    presses(stage, caller, KEYS)
    nobody_new(stage, here, caller)


@pytest.mark.parametrize("keys", [f"##{NUMBER}", f"*2{NUMBER}"])
def test_an_agents_own_keys_pass_the_fence(stage: Stage, keys: str) -> None:
    """The same keys at the agent's phone do begin a transfer; that it is for a premium number, the fence sees."""
    stage.network(ring_s=0.2)
    _, _, connected = talking(stage)
    here = stage.tape.here()
    stage.do([PlayDTMF(connected["DestChannel"], key, receive=True) for key in keys])
    told = stage.event("UserEvent", here, UserEvent="CTINotReached", Cause="57")
    assert told["Number"] == NUMBER[1:-1]
    made = [m["Channel"] for m in stage.tape.messages[here:] if m.get("Event") == "Newchannel"]
    assert not [name for name in made if "cti-trunk" in name]
