"""Scenarios of real phones that ring, hold, or do what is no call: declined, forwarded, picked up, two at once."""

from __future__ import annotations

from cti_server.asterisk import moves
from cti_server.demo.sipp_process import Sipp
from tests.live.baresip import Baresip
from tests.live.linphone import Linphone
from tests.live.sip_message import send_message
from tests.transcripts.scenarios_desk import talks
from tests.transcripts.scenarios_phones import DIRECT, SALES, SUPPORT, answers, configure, desk, talking
from tests.transcripts.scenarios_queue import inbound, offered
from tests.transcripts.scenarios_transfer import ringing, sales
from tests.transcripts.stage import Stage, Truth, scenario

# --- forwarded, declined, gone -------------------------------------------------------------------------------


@scenario()
def phone_forwards(stage: Stage) -> Truth:
    """The queue rings 1002, whose phone sends the call on to 1003 (302); 1003 answers."""
    mine, third = desk(stage, Linphone, "1002"), desk(stage, Baresip, "1003")
    caller = stage.caller(SALES)
    mine.rings()
    stage.pause(0.5)
    stage.mark("1002 forwards to 1003")
    mine.forward("1003")
    answers(stage, third)
    stage.pause(1)
    caller.hang_up()
    segments = [
        {"seat": "PJSIP/1002", "outcome": "forwarded"},
        {"seat": "PJSIP/1003", "outcome": "answered", "talk_ms": [900, 2500]},
    ]
    return sales(outcome="answered", ended_by="caller", segments=segments)


@scenario()
def phone_forwards_outside(stage: Stage) -> Truth:
    """The queue rings 1002, whose phone sends the call on to a number outside (302), where it is answered."""
    stage.network(ring_s=0.5)
    mine = desk(stage, Linphone, "1002")
    caller = stage.caller(SALES)
    mine.rings()
    stage.pause(0.5)
    here = stage.tape.here()
    stage.mark("1002 forwards to 902162880000")
    mine.forward("902162880000")
    stage.event("AgentConnect", here)
    stage.pause(1)
    caller.hang_up()
    segments = [{"seat": "PJSIP/1002", "outcome": "forwarded"}]
    return sales(ended_by="caller", segments=segments)


@scenario()
def phone_declines_direct_line(stage: Stage) -> Truth:
    """The direct line rings 1001, who declines (486): the PBX tells the caller that it is busy."""
    mine = desk(stage, Baresip, "1001")
    caller = stage.caller(DIRECT)
    mine.rings()
    stage.pause(0.5)
    stage.mark("1001 declines")
    mine.hang_up()
    caller.wait(20)
    return inbound(dnis=DIRECT, outcome="busy", ended_by="system", segments=[offered("PJSIP/1001", "rejected")])


@scenario()
def direct_line_without_a_phone(stage: Stage) -> Truth:
    """The direct line of a phone that is not there: nothing rings."""
    stage.caller(DIRECT).wait(20)
    return inbound(dnis=DIRECT, outcome="no_agent", ended_by="system")


def two_phones(stage: Stage) -> tuple[Sipp, Baresip, Baresip]:
    """The extension 1002 with two phones, both ringing for a caller, as FreePBX rings all contacts."""
    rings_both = "exten => 4008009002,1,Dial(${PJSIP_DIAL_CONTACTS(1002)},20,tkb(cti-leg^s^1))"
    configure(
        stage,
        pjsip="[1002](+type=aor)\nmax_contacts = 2\nremove_existing = no",
        extensions=f"[from-trunk-cti](+)\n{rings_both}",
    )
    one = desk(stage, Baresip, "1002")
    two = stage.stack.enter_context(Baresip(stage.pbx, "1002"))
    caller = stage.caller("4008009002")
    one.rings()
    two.rings()
    stage.pause(0.5)
    return caller, one, two


@scenario()
def two_phones_one_declines(stage: Stage) -> Truth:
    """Two phones of one extension ring: one declines, the other answers a second later."""
    caller, one, two = two_phones(stage)
    stage.mark("the first declines")
    one.hang_up()
    stage.pause(1)
    stage.snapshot("the other rings on")
    here = stage.tape.here()
    stage.mark("the second answers")
    two.answer()
    talks(stage, "1002", here)
    stage.pause(1)
    caller.hang_up()
    segment = offered("PJSIP/1002", "answered", ring_ms=[1400, 4000], talk_ms=[900, 2500])
    return inbound(dnis="4008009002", outcome="answered", ended_by="caller", segments=[segment])


@scenario()
def two_phones_decline(stage: Stage) -> Truth:
    """Two phones of one extension ring, and both decline."""
    caller, one, two = two_phones(stage)
    one.hang_up()
    stage.pause(0.5)
    two.hang_up()
    caller.wait(20)
    segment = offered("PJSIP/1002", "rejected", ring_ms=[900, 3000])
    return inbound(dnis="4008009002", outcome="busy", ended_by="system", segments=[segment])


# --- picked up -----------------------------------------------------------------------------------------------


def picked_up(stage: Stage, did: str) -> None:
    """1001 rings; 1003 dials *81001, talks a second, and the caller hangs up."""
    mine, third = desk(stage, Baresip, "1001"), desk(stage, Baresip, "1003")
    caller = stage.caller(did)
    mine.rings()
    stage.pause(1)
    here = stage.tape.here()
    stage.mark("1003 dials *81001")
    third.dial("*81001")
    talks(stage, "1003", here)
    stage.pause(1)
    caller.hang_up()


PICKED = [
    offered("PJSIP/1001", "answered_elsewhere", ring_ms=[900, 2500]),
    {"seat": "PJSIP/1003", "origin": "pickup", "outcome": "answered", "talk_ms": [900, 2500]},
]


@scenario()
def phone_picks_up_a_queue_call(stage: Stage) -> Truth:
    """The queue rings 1001; 1003 picks the call up by the number."""
    picked_up(stage, SUPPORT)
    return inbound(dnis=SUPPORT, queue="support", outcome="answered", ended_by="caller", segments=PICKED)


@scenario()
def phone_picks_up_a_direct_call(stage: Stage) -> Truth:
    """The direct line rings 1001; 1003 picks the call up by the number."""
    picked_up(stage, DIRECT)
    return inbound(dnis=DIRECT, outcome="answered", ended_by="caller", segments=PICKED)


# --- hold, rooms, messages -----------------------------------------------------------------------------------


@scenario()
def phone_and_desk_hold(stage: Stage) -> Truth:
    """Held from the desk 1 s; then the phone holds and resumes while the desk holds on; 1 s later retrieved."""
    mine = desk(stage, Linphone, "1002")
    caller = talking(stage, mine)
    channel = ringing(stage, "1002", 0)["Channel"]
    here = stage.tape.here()
    stage.do(moves.hold(channel))
    stage.event("Hold", here)
    stage.pause(1)
    here = stage.tape.here()
    stage.mark("1002's phone holds")
    mine.hold()
    stage.event("Hold", here)
    stage.pause(0.5)
    stage.mark("1002's phone resumes")
    mine.resume()
    stage.event("Unhold", here)
    stage.pause(1)
    stage.snapshot("still on hold")
    here = stage.tape.here()
    stage.do(moves.retrieve(channel))
    stage.event("Unhold", here)
    stage.pause(1)
    caller.hang_up()
    segment = offered("PJSIP/1002", "answered", hold_ms=[2400, 5000], talk_ms=[1800, 4000])
    return sales(outcome="answered", ended_by="caller", segments=[segment])


@scenario()
def phone_dials_a_room(stage: Stage) -> Truth:
    """1001 dials a conference room, where nobody else is, and stays a second."""
    mine = desk(stage, Baresip, "1001")
    stage.mark("1001 dials 8001")
    mine.dial("8001")
    mine.wait("CALL_ESTABLISHED")
    stage.event("ConfbridgeJoin")
    stage.pause(1)
    stage.snapshot("alone in the room")
    mine.hang_up()
    segment = {"seat": "PJSIP/1001", "origin": "internal", "outcome": "answered"}
    call = {
        "direction": "internal",
        "dnis": "8001",
        "outcome": "internal",
        "ended_by": "agent",
        "segments": [segment],
    }
    return {"calls": [call]}


@scenario()
def customer_leaves_the_conference(stage: Stage) -> Truth:
    """A room with the caller, 1002 and an expert outside: the caller leaves, the others talk on for a second."""
    stage.network(ring_s=0.3)
    mine = desk(stage, Baresip, "1002")
    caller = talking(stage, mine)
    own = ringing(stage, "1002", 0)["Channel"]
    other = stage.event("QueueCallerJoin")["Channel"]
    here = stage.tape.here()
    stage.do(moves.open_room(own, other, "77"))
    stage.event("ConfbridgeJoin", here, Channel=other)
    stage.do(moves.invite_number("02162880000", "77"))
    stage.tape.wait(
        lambda m: m.get("Event") == "ConfbridgeJoin" and "0216288" in m["Channel"], "the expert joins", here
    )
    stage.pause(1)
    stage.mark("the caller leaves")
    caller.hang_up()
    stage.event("ConfbridgeLeave", here, Channel=other)
    stage.pause(1)
    stage.snapshot("the expert is left")
    stage.mark("1002 hangs up")
    mine.hang_up()
    return sales(outcome="answered", segments=[offered("PJSIP/1002", "answered")])


@scenario()
def text_message(stage: Stage) -> Truth:
    """A SIP MESSAGE to a line of a PBX that has no message_context, twice, and a call between: one contact."""
    configure(
        stage,
        pjsip="[cti-trunk](+type=endpoint)\nmessage_context = from-trunk-cti",
        extensions="[from-trunk-cti](+)\nexten => 4008009003,1,Dial(PJSIP/1001,1)\n same => n,Hangup()",
    )
    mine = desk(stage, Baresip, "1001")
    for turn in (1, 2):
        here = stage.tape.here()
        stage.mark(f"a message to the line, number {turn}")
        assert send_message(stage.pbx.config.sip_port, "02162881234", "4008009003") == 202
        gone = stage.tape.wait(
            lambda m: m.get("Event") == "Hangup" and m["Channel"].startswith("PJSIP/1001-"), "its call ends", here
        )
        assert gone
        if turn == 1:
            caller = stage.caller(DIRECT)
            mine.rings()
            stage.pause(0.5)
            caller.hang_up()
            caller.wait(10)
    return inbound(
        dnis=DIRECT, outcome="abandoned", ended_by="caller", segments=[offered("PJSIP/1001", "caller_left")]
    )
