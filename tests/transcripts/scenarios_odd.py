"""The other scenarios: IVR, calls without a queue, calls outwards, merged calls, a killed PBX, hostile callers."""

from __future__ import annotations

from typing import Any

from cti_server.demo.ports import free_ports
from tests.live import fake_fastagi
from tests.transcripts.scenarios_queue import inbound, offered
from tests.transcripts.scenarios_transfer import ringing, sales, talking
from tests.transcripts.stage import Stage, Truth, scenario

with free_ports(1) as (AGI_PORT,):
    """For the scenario in which the lookup answers; in the others nobody listens and the call goes on without."""


@scenario()
def dtmf_ivr_path(stage: Stage) -> Truth:
    """The service line: 1 for Chinese, then 2 for sales (SIP INFO); 1002 answers."""
    phone = stage.phone("1002")
    caller = stage.caller("4008001000", digits=[(1.2, "1"), (1.0, "2")])
    stage.event("UserEvent", UserEvent="CTIStep", Choice="2")
    stage.event("AgentCalled")
    stage.pause(0.5)
    phone.answer()
    stage.answered("PJSIP/1002")
    stage.pause(1)
    caller.hang_up()
    return inbound(
        dnis="4008001000",
        queue="sales",
        outcome="answered",
        ended_by="caller",
        ivr_path=[{"step": "language", "choice": "zh"}, {"step": "main-menu", "choice": "2"}],
        segments=[offered("PJSIP/1002", "answered", ring_ms=[400, 1500], talk_ms=[900, 2000])],
    )


@scenario()
def left_in_ivr(stage: Stage) -> Truth:
    """The caller hangs up in the menu, after choosing a language."""
    caller = stage.caller("4008001000", digits=[(1.2, "2")])
    stage.event("UserEvent", UserEvent="CTIStep")
    stage.pause(1)
    caller.hang_up()
    return inbound(
        dnis="4008001000",
        outcome="left_in_ivr",
        ended_by="caller",
        ivr_path=[{"step": "language", "choice": "en"}],
        segments=[],
    )


@scenario(fastagi=f"127.0.0.1:{AGI_PORT}")
def preferred_agent(stage: Stage) -> Truth:
    """The lookup names a preferred agent: 1004 is dialled before the queue, and answers. No queue event at all."""
    preferring = {"CTI_STATUS": "ok", "CTI_CUSTOMER": "7", "CTI_AGENT": "PJSIP/1004", "CTI_PRIORITY": "5"}
    stage.stack.enter_context(fake_fastagi.listener(AGI_PORT, fake_fastagi.setting(preferring)))
    stage.phone("1002")
    phone = stage.phone("1004")
    caller = stage.caller("4008002000")
    ringing(stage, "1004", 0)
    stage.pause(1)
    phone.answer()
    stage.event("DialEnd", DialStatus="ANSWER")
    stage.pause(1)
    caller.hang_up()
    segment = offered("PJSIP/1004", "answered", ring_ms=[900, 2500], talk_ms=[900, 2000])
    return inbound(dnis="4008002000", queue=None, outcome="answered", ended_by="caller", segments=[segment])


@scenario(fastagi=f"127.0.0.1:{AGI_PORT}")
def preferred_agent_busy(stage: Stage) -> Truth:
    """The preferred agent refuses; the queue finds 1002."""
    preferring = {"CTI_STATUS": "ok", "CTI_AGENT": "PJSIP/1004"}
    stage.stack.enter_context(fake_fastagi.listener(AGI_PORT, fake_fastagi.setting(preferring)))
    phone = stage.phone("1002")
    stage.phone("1004", refuse="486 Busy Here")
    here = stage.tape.here()
    caller = stage.caller("4008002000")
    stage.event("AgentCalled", here, Interface="PJSIP/1002")
    stage.pause(0.5)
    phone.answer()
    stage.answered("PJSIP/1002")
    stage.pause(1)
    caller.hang_up()
    return inbound(
        dnis="4008002000",
        queue="sales",
        outcome="answered",
        ended_by="caller",
        segments_at_least=[offered("PJSIP/1004", "rejected"), offered("PJSIP/1002", "answered")],
        note="the queue may try 1004 as well",
    )


@scenario()
def direct_line(stage: Stage) -> Truth:
    """A call from outside straight to an agent's phone, no queue; the caller gives up while it rings (CANCEL)."""
    stage.phone("1001")
    caller = stage.caller("4008009000")
    ringing(stage, "1001", 0)
    stage.pause(1)
    caller.hang_up()
    segment = offered("PJSIP/1001", "caller_left", ring_ms=[900, 2500])
    return inbound(dnis="4008009000", outcome="abandoned", ended_by="caller", segments=[segment])


@scenario()
def agent_to_agent(stage: Stage) -> Truth:
    """1001 dials 1002; they talk 1 s; 1001 hangs up."""
    stage.phone("1001")
    phone = stage.phone("1002")
    call = stage.dials("1001", "1002")
    ringing(stage, "1002", 0)
    stage.pause(0.7)
    phone.answer()
    stage.event("DialEnd", DialStatus="ANSWER")
    stage.pause(1)
    call.hang_up()
    segments = [
        {"seat": "PJSIP/1001", "origin": "internal", "outcome": "answered", "talk_ms": [900, 2000]},
        {"seat": "PJSIP/1002", "origin": "internal", "outcome": "answered", "talk_ms": [900, 2000]},
    ]
    fact = {"direction": "internal", "ani": "1001", "dnis": "1002", "outcome": "internal", "segments": segments}
    return {"calls": [{**fact, "ended_by": "agent"}]}


def _outbound(stage: Stage, number: str, outcome: str, **facts: Any) -> Truth:
    call = {"direction": "outbound", "ani": "1001", "dnis": number, "outcome": outcome}
    return {"calls": [{**call, **facts}]}


@scenario()
def outbound_answered(stage: Stage) -> Truth:
    """1001 dials 9 and a number; the customer answers after 1 s; 1001 hangs up after 1 s of talk."""
    stage.phone("1001")
    stage.network(ring_s=1)
    call = stage.dials("1001", "913800138000")
    stage.event("DialEnd", DialStatus="ANSWER")
    stage.pause(1)
    call.hang_up()
    segment = {"seat": "PJSIP/1001", "origin": "outbound", "outcome": "answered", "ring_ms": [900, 2500]}
    return _outbound(
        stage, "13800138000", "outbound", ended_by="agent", segments=[{**segment, "talk_ms": [900, 2500]}]
    )


@scenario()
def outbound_busy(stage: Stage) -> Truth:
    """The customer is busy (486)."""
    stage.phone("1001")
    stage.network(refuse="486 Busy Here")
    stage.dials("1001", "913800138000")
    stage.event("Hangup")
    segment = {"seat": "PJSIP/1001", "origin": "outbound", "outcome": "rejected"}
    return _outbound(stage, "13800138000", "busy", segments=[segment])


@scenario()
def outbound_failed(stage: Stage) -> Truth:
    """The network refuses the number (503)."""
    stage.phone("1001")
    stage.network(refuse="503 Service Unavailable")
    stage.dials("1001", "913800138000")
    stage.event("Hangup")
    segment = {"seat": "PJSIP/1001", "origin": "outbound", "outcome": "unavailable"}
    return _outbound(stage, "13800138000", "failed", segments=[segment])


@scenario()
def outbound_not_answered(stage: Stage) -> Truth:
    """1001 gives up while the customer's phone rings."""
    stage.phone("1001")
    stage.network(ring_s=None)
    call = stage.dials("1001", "913800138000")
    stage.event("DialState", DialStatus="RINGING")
    stage.pause(1)
    call.hang_up()
    segment = {"seat": "PJSIP/1001", "origin": "outbound", "outcome": "no_answer", "ring_ms": [900, 2500]}
    return _outbound(stage, "13800138000", "no_answer", ended_by="agent", segments=[segment])


@scenario()
def click_to_dial(stage: Stage) -> Truth:
    """Originate as the cti-originate role: the agent's phone rings first, then the customer's."""
    phone = stage.phone("1001")
    stage.network(ring_s=0.7)
    stage.act(
        "cti-originate",
        "Originate",
        Channel="PJSIP/1001",
        Context="cti-outbound",
        Exten="913800138000",
        Priority="1",
        CallerID='"Click to dial" <13800138000>',
        Async="true",
        Timeout="20000",
    )
    ringing(stage, "1001", 0)
    stage.pause(0.5)
    phone.answer()
    stage.event("DialEnd", DialStatus="ANSWER")
    stage.pause(1)
    phone.hang_up()
    segment = {"seat": "PJSIP/1001", "origin": "outbound", "outcome": "answered", "talk_ms": [100, 2500]}
    return {
        "calls": [
            {"direction": "outbound", "dialled": "13800138000", "outcome": "outbound", "segments": [segment]}
        ]
    }


@scenario()
def linkedid_merge(stage: Stage) -> Truth:
    """1002 talks to a caller, 1004 talks to another; AMI Bridge joins both callers, who keep a contact each."""
    second_phone = stage.phone("1004")
    caller, _, connected = talking(stage)
    here = stage.tape.here()
    other = stage.caller("4008003000", ani="13900139000", name="Li Lei")
    stage.event("AgentCalled", here, Interface="PJSIP/1004")
    stage.pause(0.5)
    second_phone.answer()
    joined = stage.answered("PJSIP/1004", here)
    stage.pause(1)
    # Bridge is not among the actions of any of our roles' buttons; the call class allows it.
    stage.act("cti-call", "Bridge", Channel1=connected["Channel"], Channel2=joined["Channel"], Tone="no")
    stage.pause(1)
    stage.snapshot("the callers talk to each other")
    caller.hang_up()
    other.wait(10)
    one = sales(outcome="answered", segments=[offered("PJSIP/1002", "answered")])
    two = inbound(dnis="4008003000", queue="vip", outcome="answered", segments=[offered("PJSIP/1004", "answered")])
    two["calls"][0] |= {"ani": "13900139000", "ani_name": "Li Lei"}
    note = "The PBX gives both the linkedid of the older; a customer's contact is never lost."
    return {"calls": one["calls"] + two["calls"], "note": note}


@scenario()
def linkedid_merge_by_transfer(stage: Stage) -> Truth:
    """1003 waits in room 8002, a call of its own; Redirect puts 1002's caller there: two linkedids in one room."""
    caller, _, connected = talking(stage)
    stage.phone("1003")
    stage.dials("1003", "8002")
    stage.event("ConfbridgeJoin")
    stage.act(
        "cti-call", "Redirect", Channel=connected["Channel"], Exten="8002", Context="cti-conference", Priority="1"
    )
    stage.event("ConfbridgeJoin", Channel=connected["Channel"])
    stage.pause(1)
    caller.hang_up()
    stage.pause(0.3)
    third = stage.tape.wait(
        lambda m: m.get("Event") == "ConfbridgeJoin" and m["Channel"].startswith("PJSIP/1003-"), "1003"
    )
    stage.act("cti-call", "Hangup", Channel=third["Channel"])
    joined = {"seat": "PJSIP/1003", "origin": "conference", "outcome": "answered"}
    truth = sales(outcome="answered", ended_by="caller", segments=[offered("PJSIP/1002", "answered"), joined])
    room = {"direction": "internal", "dnis": "8002", "outcome": "internal"}
    note = (
        "A conference does not merge linkedids. 1003's phone waits in a room, is lent to the caller's call, and "
        "is alone in the room again. A redirect is not a transfer that anybody announced."
    )
    return {"calls": [*truth["calls"], room], "note": note}


@scenario()
def asterisk_killed(stage: Stage) -> Truth:
    """kill -9 while a caller talks and another waits; then Asterisk starts again and a third calls."""
    talking(stage)
    here = stage.tape.here()
    stage.caller("4008002000", ani="13900139000", name="Li Lei")
    stage.event("QueueCallerJoin", here)
    stage.pause(1)
    stage.mark("kill -9")
    stage.pbx.kill9()
    stage.tape.wait_closed()
    stage.pbx.start()
    stage.new_tape()
    stage.snapshot("after the restart")
    phone = stage.phone("1005")
    caller = stage.caller("4008002000")
    stage.event("AgentCalled")
    stage.pause(0.5)
    phone.answer()
    stage.answered("PJSIP/1005")
    stage.pause(1)
    caller.hang_up()
    unseen = {"ended_by": "unknown", "complete": False}
    return {
        "calls": [
            {
                **sales(outcome="answered", segments=[offered("PJSIP/1002", "answered")])["calls"][0],
                **unseen,
                "boot": 0,
            },
            {
                **sales(outcome="unseen", ani="13900139000", ani_name="Li Lei", segments=[])["calls"][0],
                **unseen,
                "boot": 0,
            },
            {**sales(outcome="answered", ended_by="caller")["calls"][0], "boot": 1},
        ]
    }


@scenario()
def connection_lost(stage: Stage) -> Truth:
    """The connection is lost in mid-call and comes back; the caller hung up unseen, another one waits."""
    caller, _, _ = talking(stage)
    stage.tape.close()
    stage.mark("the connection is gone")
    caller.hang_up()
    caller.wait(10)
    other = stage.caller("4008002000", ani="13900139000", name="Li Lei")
    watch = stage.role("cti-events")
    while not any(row.get("ApplicationData", "").startswith("sales") for row in watch.list("CoreShowChannels")):
        stage.pause(0.1)
    stage.new_tape()
    stage.snapshot("after the reconnect")
    stage.event("CoreShowChannelsComplete")
    stage.pause(0.5)
    other.hang_up()
    stage.tape.wait(lambda m: m.get("Event") == "Hangup", "the other's end")
    unseen = {"ended_by": "unknown", "complete": False}
    return {
        "calls": [
            {**sales(outcome="answered", segments=[offered("PJSIP/1002", "answered")])["calls"][0], **unseen},
            {
                **sales(
                    ani="13900139000",
                    ani_name="Li Lei",
                    outcome="short_abandon",
                    ended_by="caller",
                    segments=[offered("PJSIP/1002", "caller_left")],
                )["calls"][0],
            },
        ]
    }


HOSTILE = {
    "quotes": 'Robert "; DROP TABLE customers; -- \\',
    "emoji": "王小明 \U0001f468‍\U0001f469‍\U0001f467 ☎",
    "markup": "<script>alert(1)</script>",
    "dialplan": "${SHELL(id)}&|,;",
}


@scenario()
def hostile_names(stage: Stage) -> Truth:
    """Names and numbers that attack: quotes, emoji, markup, dialplan, line breaks, 300 digits, no text."""
    # A name with a line break does not come through SIP, but from lookups in the dialplan (CURL, a database).
    evil = "Evil%0D%0AEvent:%20Hangup%0D%0AUniqueid:%20demo-0.0"
    line = "dialplan add extension 4008006000,{} into from-trunk-cti"
    stage.pbx.cli(line.format(f"1,Set(CALLERID(name)=${{URIDECODE({evil})}})"))
    stage.pbx.cli(line.format("2,Goto(cti-line,sales,1)"))
    stage.phone("1002")
    calls = []
    attacks = [("13800138000", name) for name in HOSTILE.values()]
    attacks += [("1" * 300, "three hundred digits"), ("13800138000%0d%0aEvent:%20Hangup", "newline in the number")]
    attacks += [("%00%01%ff", "bytes that are no text"), ("13800138000", "replaced by a name with line breaks")]
    for ani, name in attacks:
        here = stage.tape.here()
        line = "4008006000" if name.startswith("replaced") else "4008002000"
        caller = stage.caller(line, ani=ani, name=name)
        stage.event("QueueCallerJoin", here)
        stage.pause(0.2)
        stage.snapshot(f"{name} waits")
        caller.hang_up()
        caller.wait(10)
        calls.append(
            {**inbound(dnis="4008002000", queue="sales")["calls"][0], "ani_sent": ani, "ani_name_sent": name}
        )
        for fact in ("ani", "ani_name"):
            del calls[-1][fact]
    return {"calls": calls}


@scenario()
def withheld(stage: Stage) -> Truth:
    """A caller who withholds the number (From: anonymous, Privacy: id)."""
    phone = stage.phone("1002")
    caller = stage.caller("4008002000", ani=None)
    stage.event("AgentCalled")
    stage.pause(0.5)
    phone.answer()
    stage.answered("PJSIP/1002")
    stage.pause(1)
    caller.hang_up()
    segment = offered("PJSIP/1002", "answered", ring_ms=[400, 1500], talk_ms=[900, 2000])
    truth = sales(outcome="answered", ended_by="caller", segments=[segment])
    truth["calls"][0].update(ani=None, ani_name=None, withheld=True)
    return truth


@scenario()
def british_line(stage: Stage) -> Truth:
    """The London line, dialled and called with a plus sign; national number as ANI."""
    phone = stage.phone("1002")
    caller = stage.caller("+442079460100", ani="02079460958", name="Alice Smith")
    stage.event("AgentCalled")
    phone.answer()
    stage.answered("PJSIP/1002")
    stage.pause(1)
    caller.hang_up()
    segment = offered("PJSIP/1002", "answered", talk_ms=[900, 2000])
    facts = {"ani": "02079460958", "ani_name": "Alice Smith", "region": "GB"}
    return inbound(
        dnis="+442079460100", queue="sales", outcome="answered", ended_by="caller", segments=[segment], **facts
    )
