"""Every move of the agent's desk on a real Asterisk: what its own CLI says of channels and bridges afterwards."""

from __future__ import annotations

import re
import struct
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from cti_server.asterisk import moves
from cti_server.demo.asterisk_root import DemoUnavailable
from cti_server.demo.calls import Deskphone
from cti_server.demo.pbx import DemoPbx, free_config
from cti_server.demo.render import NOTIFY
from cti_server.demo.sipp_process import Sipp
from tests.transcripts.scenarios_desk import talks
from tests.transcripts.scenarios_transfer import ringing, talking
from tests.transcripts.stage import Stage
from tests.transcripts.tap import Message, NotSeen, tap

RING_S = 2
LIMIT_S = 8.0
LOUD, SILENT = 1000, 60  # of 32767, as the mean of a tenth of a second


@pytest.fixture(scope="module")
def pbx() -> Iterator[DemoPbx]:
    config = free_config(site={"CTI_RING": str(RING_S)})
    try:
        made = DemoPbx(replace(config, secrets={**config.secrets, NOTIFY: "secret of notify"}))
    except DemoUnavailable as reason:
        pytest.fail(str(reason), pytrace=False)
    with made:
        yield made


@pytest.fixture
def stage(pbx: DemoPbx) -> Iterator[Stage]:
    with tap(pbx.config.ami_port, pbx.config.secrets) as tape, ExitStack() as stack:
        tape.event("FullyBooted")
        yield Stage(pbx, tape, stack)
    until(lambda: channels(pbx) == [], "every channel is gone")


# --- what Asterisk says -----------------------------------------------------------------------------------


def channels(pbx: DemoPbx) -> list[str]:
    rows = pbx.cli("core show channels concise").splitlines()
    return sorted(row.split("!")[0] for row in rows if "!" in row)


def together(pbx: DemoPbx) -> list[set[str]]:
    """Who is in one bridge with whom: `1002`, `cti-trunk`; the halves of Local channels left out."""
    found = []
    for row in pbx.cli("bridge show all").splitlines()[1:]:
        if row.strip():
            shown = pbx.cli(f"bridge show {row.split()[0]}")
            found.append({m[1] for m in re.finditer(r"Channel: PJSIP/([\w-]+)-[0-9a-f]{8}", shown)})
    return sorted((one for one in found if one), key=sorted)


def until(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def in_bridges(pbx: DemoPbx, *wanted: set[str]) -> None:
    """Within the limit these and only these are in bridges together."""
    expected = sorted(wanted, key=sorted)
    deadline = time.monotonic() + LIMIT_S
    while (now := together(pbx)) != expected:
        assert time.monotonic() < deadline, f"{now} instead of {expected}"
        time.sleep(0.05)


def channel_of(pbx: DemoPbx, name: str) -> str:
    return next(channel for channel in channels(pbx) if channel.startswith(f"PJSIP/{name}-"))


def consults(stage: Stage, mine: str, target: moves.Target, wanted: Callable[[Message], bool]) -> Message:
    """Begin a consultation and wait for what it brings about. A busy machine loses the keys that Asterisk is to
    read (`transferdigittimeout`): it gives the caller back then, and is asked once more."""
    here = stage.tape.here()
    stage.do(moves.consult(mine, target))
    try:
        return stage.tape.wait(wanted, "the target is rung", here, limit_s=10)
    except NotSeen:
        in_bridges(stage.pbx, {"1002", "cti-trunk"})
        stage.do(moves.consult(mine, target))
        return stage.tape.wait(wanted, "the target is rung", here)


def rings(extension: str) -> Callable[[Message], bool]:
    return lambda m: (
        m.get("Event") == "Newstate"
        and m["ChannelStateDesc"] == "Ringing"
        and m["Channel"].startswith(f"PJSIP/{extension}-")
    )


def consulting(stage: Stage) -> tuple[Sipp, Deskphone, Deskphone, str]:
    third = stage.phone("1003")
    caller, phone, connected = talking(stage)
    mine = connected["DestChannel"]
    here = stage.tape.here()
    consults(stage, mine, moves.Number("1003"), rings("1003"))
    of_agent = [m for m in stage.tape.messages[here:] if m.get("Event") in ("Hold", "Newchannel")]
    held, called = (
        next(float(m["Timestamp"]) for m in reversed(of_agent) if m["Channel"].startswith(start))
        for start in (mine, "Local/00@cti-consult")
    )
    assert called - held < 2, "Asterisk waited for one more digit"  # it would for three seconds
    third.answer()
    talks(stage, "1003", here)
    return caller, phone, third, mine


# --- hold --------------------------------------------------------------------------------------------------


def holds(stage: Stage, mine: str, times: int = 2) -> None:
    for _ in range(times):
        here = stage.tape.here()
        stage.do(moves.hold(mine))
        stage.event("Hold", here, Channel=mine)
        stage.event("MusicOnHoldStart", here)
        stage.event("UserEvent", here, UserEvent="CTIHold", State="on")
        assert f"{mine}!cti-hold!" in stage.pbx.cli("core show channels concise")
        stage.do(moves.retrieve(mine))
        stage.event("Unhold", here, Channel=mine)
        stage.event("MusicOnHoldStop", here)


def test_hold_of_an_agent_called_by_a_queue(stage: Stage) -> None:
    _, _, connected = talking(stage)
    holds(stage, connected["DestChannel"])
    in_bridges(stage.pbx, {"1002", "cti-trunk"})


def test_hold_of_an_agent_called_directly(stage: Stage) -> None:
    phone = stage.phone("1001")
    stage.caller("4008009000")
    here = stage.tape.here()
    ringing(stage, "1001", 0)
    phone.answer()
    holds(stage, talks(stage, "1001", here)["Channel"])
    in_bridges(stage.pbx, {"1001", "cti-trunk"})


def test_hold_of_an_agent_who_called_out(stage: Stage) -> None:
    stage.phone("1001")
    stage.network(ring_s=0.2)
    stage.dials("1001", "913800138000")
    holds(stage, talks(stage, "1001", 0)["Channel"])
    in_bridges(stage.pbx, {"1001", "cti-trunk"})


def test_hold_of_a_freepbx_member(stage: Stage) -> None:
    """The member is Local/1001@from-queue/n; the phone's own leg holds."""
    phone = stage.phone("1001")
    stage.caller("02085550100")
    ringing(stage, "1001", 0)
    phone.answer()
    mine = talks(stage, "1001", 0)["Channel"]
    here = stage.tape.here()
    stage.do(moves.hold(mine))
    stage.event("Hold", here, Channel=mine)
    stage.do(moves.retrieve(mine))
    stage.event("Unhold", here, Channel=mine)


def test_hold_of_an_agent_whom_another_dialplan_rang(stage: Stage) -> None:
    """A Queue() without b(cti-leg^s^1), as FreePBX has it: the leg inherits what it needs."""
    stage.pbx.cli("dialplan add extension 4008007000,1,Answer() into from-trunk-cti")
    stage.pbx.cli('dialplan add extension 4008007000,2,Gosub,"cti-inherit,s,1" into from-trunk-cti')
    stage.pbx.cli("dialplan add extension 4008007000,3,Queue(freepbx,Ctk) into from-trunk-cti")
    stage.pbx.cli("dialplan add extension _30XX,1,Dial(PJSIP/1${EXTEN:1},,tk) into from-queue")
    stage.act("cti-agent", "QueueAdd", Queue="freepbx", Interface="Local/3003@from-queue/n")
    phone = stage.phone("1003")
    stage.caller("4008007000")
    ringing(stage, "1003", 0)
    phone.answer()
    mine = talks(stage, "1003", 0)["Channel"]
    here = stage.tape.here()
    stage.do(moves.hold(mine))
    stage.event("Hold", here, Channel=mine)
    stage.do(moves.retrieve(mine))
    stage.event("Unhold", here, Channel=mine)
    stage.act("cti-agent", "QueueRemove", Queue="freepbx", Interface="Local/3003@from-queue/n")


def test_a_held_call_comes_back_by_any_key_when_the_server_is_away(stage: Stage) -> None:
    _, phone, connected = talking(stage)
    mine = connected["DestChannel"]
    here = stage.tape.here()
    stage.do(moves.hold(mine))
    stage.event("Hold", here)
    for role in stage.roles.values():
        role.close()
    stage.roles.clear()
    phone.press("5")
    stage.event("Unhold", here, Channel=mine)


def test_a_callers_keys_hold_and_record_nothing(stage: Stage) -> None:
    """The keys work on the agent's leg only."""
    _, _, connected = talking(stage)
    here = stage.tape.here()
    for key in (moves.HOLD_KEY, moves.RECORD_KEY):
        stage.act("cti-call", "PlayDTMF", Channel=connected["Channel"], Digit=key, Receive="true")
    holds(stage, connected["DestChannel"], times=1)  # a sentinel: by now those keys would have done something
    told = [m for m in stage.tape.messages[here:] if m.get("Event") in ("Hold", "MixMonitorStart")]
    assert [m["Channel"] for m in told] == [connected["DestChannel"]]


# --- consultation ------------------------------------------------------------------------------------------


def test_alternate_and_cancel(stage: Stage) -> None:
    _, _, _, mine = consulting(stage)
    for partner in ("cti-trunk", None, "cti-trunk"):
        here = stage.tape.here()
        stage.do(moves.alternate(mine))
        stage.event("BridgeEnter", here, Channel=mine)
        until(lambda who=partner: ({"1002", who} in together(stage.pbx)) is (who is not None), f"{partner}")  # type: ignore[misc]
    stage.do(moves.cancel(mine))
    in_bridges(stage.pbx, {"1002", "cti-trunk"})


def test_complete(stage: Stage) -> None:
    _, _, _, mine = consulting(stage)
    stage.do(moves.complete(mine))
    until(lambda: mine not in channels(stage.pbx), "the agent is free")
    assert {name.rsplit("-", 1)[0] for name in channels(stage.pbx) if name.startswith("PJSIP")} == {
        "PJSIP/1003",
        "PJSIP/cti-trunk",
    }


def test_merge_then_drop_one(stage: Stage) -> None:
    _, _, _, mine = consulting(stage)
    stage.do(moves.merge(mine))
    in_bridges(stage.pbx, {"1002", "1003", "cti-trunk"})
    stage.do(moves.hang_up(channel_of(stage.pbx, "1003")))
    in_bridges(stage.pbx, {"1002", "cti-trunk"})


def test_cancel_while_it_rings(stage: Stage) -> None:
    stage.phone("1003")
    _, _, connected = talking(stage)
    mine = connected["DestChannel"]
    consults(stage, mine, moves.Number("1003"), rings("1003"))
    stage.do(moves.cancel(mine))
    in_bridges(stage.pbx, {"1002", "cti-trunk"})
    until(lambda: not any("1003" in name for name in channels(stage.pbx)), "1003 is let go")


def test_a_key_of_a_consultation_that_is_over_does_nothing(stage: Stage) -> None:
    """The colleague hung up a moment before the agent clicked."""
    _, _, connected = talking(stage)
    mine = connected["DestChannel"]
    for late in (moves.complete, moves.merge, moves.alternate, moves.cancel):
        stage.do(late(mine))
    holds(stage, mine, times=1)
    in_bridges(stage.pbx, {"1002", "cti-trunk"})


def test_consult_a_number_with_a_plus(stage: Stage) -> None:
    _, _, connected = talking(stage)
    number = moves.Number("+8613900139000")
    begun = consults(stage, connected["DestChannel"], number, lambda m: m.get("Event") == "DialBegin")
    assert begun["DialString"] == "+8613900139000@cti-trunk"


def test_consult_a_queue(stage: Stage) -> None:
    first = stage.phone("1001")
    _, _, connected = talking(stage)
    mine = connected["DestChannel"]
    here = stage.tape.here()
    consults(stage, mine, moves.Queue("support"), rings("1001"))
    first.answer()
    stage.answered("PJSIP/1001", here)
    stage.do(moves.complete(mine))
    until(lambda: mine not in channels(stage.pbx), "the agent is free")
    assert any(name.startswith("PJSIP/1001-") for name in channels(stage.pbx))


# --- blind -------------------------------------------------------------------------------------------------


def test_a_transfer_that_is_taken(stage: Stage) -> None:
    third = stage.phone("1003")
    _, _, connected = talking(stage)
    here = stage.tape.here()
    stage.do(moves.transfer(connected["DestChannel"], moves.Number("1003")))
    ringing(stage, "1003", here)
    third.answer()
    in_bridges(stage.pbx, {"1003", "cti-trunk"})


@pytest.mark.parametrize(
    ("there", "refuse", "status"),
    [(True, "", "NOANSWER"), (True, "486 Busy Here", "BUSY"), (False, "", "CHANUNAVAIL")],
)
def test_a_transfer_that_is_not_taken_comes_back(stage: Stage, there: bool, refuse: str, status: str) -> None:
    if there:
        stage.phone("1003", refuse=refuse)
    _, phone, connected = talking(stage)
    here = stage.tape.here()
    stage.do(moves.transfer(connected["DestChannel"], moves.Number("1003")))
    told = stage.event("UserEvent", here, UserEvent="CTIBack")
    assert (told["Status"], told["Interface"]) == (status, "PJSIP/1002")
    ringing(stage, "1002", here)
    phone.answer()
    mine = talks(stage, "1002", here)["Channel"]
    in_bridges(stage.pbx, {"1002", "cti-trunk"})
    holds(stage, mine, times=1)


def test_whom_nobody_takes_back_waits_in_the_queue_of_before(stage: Stage) -> None:
    _, _, connected = talking(stage)
    here = stage.tape.here()
    stage.do(moves.transfer(connected["DestChannel"], moves.Number("1003")))
    joined = stage.event("QueueCallerJoin", here)
    assert (joined["Queue"], joined["Channel"]) == ("sales", connected["Channel"])
    assert connected["Channel"] in stage.pbx.cli("queue show sales")


def test_a_transfer_to_a_queue(stage: Stage) -> None:
    first = stage.phone("1001")
    _, _, connected = talking(stage)
    here = stage.tape.here()
    stage.do(moves.transfer(connected["DestChannel"], moves.Queue("support")))
    ringing(stage, "1001", here)
    first.answer()
    in_bridges(stage.pbx, {"1001", "cti-trunk"})


# --- waiting places ----------------------------------------------------------------------------------------


def test_park_and_fetch(stage: Stage) -> None:
    third = stage.phone("1003")
    _, _, connected = talking(stage)
    stage.do(moves.park(connected["DestChannel"]))
    parked = stage.event("ParkedCall")
    until(lambda: channels(stage.pbx) == [connected["Channel"]], "the agent is free")
    assert connected["Channel"] in stage.pbx.cli("parking show default")
    here = stage.tape.here()
    stage.do(moves.fetch("PJSIP/1003", parked["ParkingSpace"], leg="live-fetch-1"))
    assert ringing(stage, "1003", here)["Uniqueid"] == "live-fetch-1"
    third.answer()
    in_bridges(stage.pbx, {"1003", "cti-trunk"})
    holds(stage, channel_of(stage.pbx, "1003"), times=1)


def test_a_parked_call_that_nobody_fetches_rings_whoever_parked_it(stage: Stage) -> None:
    file = stage.pbx.work / "etc" / "res_parking_cti.conf"
    before = file.read_text()
    file.write_text(before.replace("parkingtime => 120", "parkingtime => 1"))
    stage.pbx.cli("module reload res_parking.so")
    try:
        _, phone, connected = talking(stage)
        here = stage.tape.here()
        stage.do(moves.park(connected["DestChannel"]))
        told = stage.event("UserEvent", here, UserEvent="CTIBack")
        assert told["Status"] == "TIMEOUT"
        ringing(stage, "1002", here)
        phone.answer()
        in_bridges(stage.pbx, {"1002", "cti-trunk"})
    finally:
        file.write_text(before)
        stage.pbx.cli("module reload res_parking.so")


def test_take_the_call_that_rings_a_colleague(stage: Stage) -> None:
    stage.phone("1002")
    third = stage.phone("1003")
    stage.caller("4008002000")
    offer = ringing(stage, "1002", 0)
    here = stage.tape.here()
    stage.do(moves.take("PJSIP/1003", offer["Channel"]))
    ringing(stage, "1003", here)
    third.answer()
    in_bridges(stage.pbx, {"1003", "cti-trunk"})
    until(lambda: not any("1002" in name for name in channels(stage.pbx)), "1002 stops ringing")


def waiting(stage: Stage, ani: str) -> str:
    here = stage.tape.here()
    stage.caller("4008005000", ani=ani)
    return stage.event("QueueCallerJoin", here)["Channel"]


@pytest.fixture
def open_at_night(stage: Stage) -> Iterator[Stage]:
    """A paused member, so that callers of the night line wait."""
    stage.phone("1002")
    member = {"Queue": "night", "Interface": "PJSIP/1002"}
    stage.act("cti-agent", "QueueAdd", **member, Paused="true")
    yield stage
    stage.act("cti-agent", "QueueRemove", **member)


def test_pick_the_second_who_waits(open_at_night: Stage) -> None:
    stage = open_at_night
    third = stage.phone("1003")
    first, second = waiting(stage, "13800138001"), waiting(stage, "13800138002")
    here = stage.tape.here()
    stage.do(moves.pick(second, "1003", "night", 2))
    ringing(stage, "1003", here)
    third.answer()
    in_bridges(stage.pbx, {"1003", "cti-trunk"})
    shown = stage.pbx.cli("queue show night")
    assert first in shown
    assert second not in shown


def test_a_picked_caller_goes_back_to_the_same_place(open_at_night: Stage) -> None:
    stage = open_at_night
    stage.phone("1003")
    first, second, third = (waiting(stage, f"1380013800{n}") for n in (1, 2, 3))
    here = stage.tape.here()
    stage.do(moves.pick(second, "1003", "night", 2))
    stage.event("QueueCallerJoin", here, Channel=second)
    callers = re.findall(r"\d+\. (PJSIP/\S+)", stage.pbx.cli("queue show night"))
    assert callers == [first, second, third]


def test_reconnect(stage: Stage) -> None:
    _, phone, connected = talking(stage)
    here = stage.tape.here()
    stage.do(moves.reconnect(connected["Channel"], "1002"))
    ringing(stage, "1002", here)
    phone.answer()
    mine = talks(stage, "1002", here)["Channel"]
    assert mine != connected["DestChannel"]
    in_bridges(stage.pbx, {"1002", "cti-trunk"})
    until(lambda: connected["DestChannel"] not in channels(stage.pbx), "the old leg is gone")


def test_reconnect_of_a_call_that_the_agent_made(stage: Stage) -> None:
    phone = stage.phone("1001")
    stage.network(ring_s=0.2)
    stage.do(moves.dial("PJSIP/1001", "13800138000"))
    ringing(stage, "1001", 0)
    phone.answer()
    talks(stage, "1001", 0)
    here = stage.tape.here()
    stage.do(moves.reconnect(channel_of(stage.pbx, "cti-trunk"), "1001"))
    ringing(stage, "1001", here)
    phone.answer()
    in_bridges(stage.pbx, {"1001", "cti-trunk"})


# --- rooms -------------------------------------------------------------------------------------------------


def test_a_room_grows_and_ends_with_its_last_agent(stage: Stage) -> None:
    third = stage.phone("1003")
    stage.network(ring_s=0.2)
    _, _, connected = talking(stage)
    mine, other = connected["DestChannel"], connected["Channel"]
    here = stage.tape.here()
    stage.do(moves.open_room(mine, other, "77"))
    stage.event("ConfbridgeJoin", here, Channel=other)
    stage.do(moves.invite_phone("PJSIP/1003", "77"))
    ringing(stage, "1003", here)
    third.answer()
    in_bridges(stage.pbx, {"1002", "1003", "cti-trunk"})
    stage.do(moves.invite_number("13900139000", "77"))
    stage.tape.wait(lambda m: m.get("Event") == "ConfbridgeJoin" and "1390013" in m["Channel"], "the fourth", here)
    flags = [line.split()[1] for line in stage.pbx.cli("confbridge list 77").splitlines() if "/" in line]
    assert sorted(flags) == ["E", "E", "M", "M"], "agents are marked, and the room ends with the last of them"
    stage.do(moves.hang_up(mine))
    until(lambda: mine not in channels(stage.pbx), "1002 has left")
    assert other in channels(stage.pbx)
    third.hang_up()
    until(lambda: channels(stage.pbx) == [], "the room ends with its last agent")


# --- new calls, keys, answers ------------------------------------------------------------------------------


def test_dial_out(stage: Stage) -> None:
    phone = stage.phone("1001")
    stage.network(ring_s=0.2)
    stage.do(moves.dial("PJSIP/1001", "13800138000", leg="live-dial-1"))
    assert ringing(stage, "1001", 0)["Uniqueid"] == "live-dial-1"
    phone.answer()
    in_bridges(stage.pbx, {"1001", "cti-trunk"})
    assert stage.event("DialBegin", 0, Uniqueid="live-dial-1")["CallerIDNum"] == "1001"


def test_dial_a_colleague_and_send_keys(stage: Stage) -> None:
    phone, third = stage.phone("1001"), stage.phone("1003")
    stage.do(moves.dial("PJSIP/1001", "1003"))
    ringing(stage, "1001", 0)
    phone.answer()
    ringing(stage, "1003", 0)
    third.answer()
    in_bridges(stage.pbx, {"1001", "1003"})
    stage.pbx.cli("pjsip set logger on")
    stage.do(moves.dtmf(channel_of(stage.pbx, "1003"), "5#"))
    until(lambda: "Signal=#" in stage.pbx.log_file.read_text(errors="replace"), "the phone gets the keys")
    stage.pbx.cli("pjsip set logger off")
    assert "Signal=5" in stage.pbx.log_file.read_text(errors="replace")


def test_reject_an_offer(stage: Stage) -> None:
    stage.phone("1002")
    stage.caller("4008002000")
    offer = ringing(stage, "1002", 0)
    stage.do(moves.reject(offer["Channel"]))
    stage.event("AgentRingNoAnswer", 0, Interface="PJSIP/1002")
    assert stage.event("Hangup", 0, Channel=offer["Channel"])["Cause"] == "21"


def test_a_desk_phone_is_asked_to_answer(stage: Stage) -> None:
    stage.phone("1002")
    stage.caller("4008002000")
    offer = ringing(stage, "1002", 0)
    stage.pbx.cli("pjsip set logger on")
    stage.do(moves.answer(offer["Channel"]))
    until(lambda: "Event: talk" in stage.pbx.log_file.read_text(errors="replace"), "the NOTIFY goes out")
    stage.pbx.cli("pjsip set logger off")


def test_a_phone_that_died_ends_its_call(stage: Stage) -> None:
    """rtp_timeout, which the demo switches off for its own deskphones because SIPp sends no voice."""
    file = stage.pbx.work / "etc" / "pjsip.conf"
    before = file.read_text()
    file.write_text(f"{before}\n[1002](+type=endpoint)\nrtp_timeout = 2\n")
    stage.pbx.cli("module reload res_pjsip.so")
    try:
        _, _, connected = talking(stage)
        assert connected["DestChannel"] in channels(stage.pbx)
        until(lambda: channels(stage.pbx) == [], "the leg of the dead phone ends, and the call with it")
    finally:
        file.write_text(before)
        stage.pbx.cli("module reload res_pjsip.so")


# --- voice: what is recorded -------------------------------------------------------------------------------


@pytest.fixture
def toned(stage: Stage) -> Iterator[tuple[Stage, str, str]]:
    """A silent caller and an agent whose phone gives a steady tone: the agent's channel and the caller's."""
    for step in ("1,Answer()", "2,Milliwatt()"):
        stage.pbx.cli(f"dialplan add extension tone,{step} into test-tone")
    member = {"Queue": "night", "Interface": "Local/tone@test-tone/n"}
    stage.act("cti-agent", "QueueAdd", **member)
    stage.caller("4008005000")
    connected = stage.event("AgentConnect")
    yield stage, connected["DestChannel"], connected["Channel"]
    stage.act("cti-agent", "QueueRemove", **member)


def loudness(file: Path) -> list[float]:
    """The mean of each tenth of a second."""
    with wave.open(str(file)) as sound:
        samples = struct.unpack(f"<{sound.getnframes()}h", sound.readframes(sound.getnframes()))
        tenth = sound.getframerate() // 10
    return [sum(map(abs, samples[n : n + tenth])) / tenth for n in range(0, len(samples) - tenth, tenth)]


def heard(file: Path) -> str:
    """What one hears in turn: `+-+` is voice, silence, voice. What lasts under 0.3 s is not counted."""
    marks = "".join("+" if one > LOUD else "-" if one < SILENT else "" for one in loudness(file))
    return "".join(m[0][0] for m in re.finditer(r"\++|-+", marks) if len(m[0]) >= 3)


def recording(pbx: DemoPbx) -> Path:
    return max((pbx.work / "spool" / "monitor" / "cti").rglob("*.wav"), key=lambda file: file.stat().st_mtime)


def test_a_paused_recording_holds_silence(toned: tuple[Stage, str, str]) -> None:
    stage, mine, other = toned
    here = stage.tape.here()
    stage.do(moves.start_recording(mine))
    stage.event("MixMonitorStart", here, Channel=other)
    stage.pause(1)
    stage.do(moves.pause_recording(other))
    stage.pause(1)
    stage.do(moves.resume_recording(other))
    stage.pause(1)
    stage.do(moves.stop_recording(other))
    stage.event("MixMonitorStop", here, Channel=other)
    file = recording(stage.pbx)
    assert re.fullmatch(r"demo-\d+\.\d+-\d+\.wav", file.name)
    until(lambda: heard(file) == "+-+", "voice, silence, voice")


def test_who_is_muted_is_not_heard(toned: tuple[Stage, str, str]) -> None:
    """Asterisk lets no frame of a muted leg through, and of a silent caller nothing is written meanwhile: of
    four seconds, two of them muted, the file holds two."""
    stage, mine, other = toned
    here = stage.tape.here()
    stage.do(moves.start_recording(mine))
    stage.event("MixMonitorStart", here)
    stage.pause(1)
    stage.do(moves.mute(mine))
    stage.pause(2)
    stage.do(moves.unmute(mine))
    stage.pause(1)
    stage.do(moves.stop_recording(other))
    stage.event("MixMonitorStop", here)
    file = recording(stage.pbx)
    until(lambda: heard(file) == "+" and len(loudness(file)) > 10, "voice before and after")
    assert len(loudness(file)) < 27
