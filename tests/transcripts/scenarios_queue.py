"""Scenarios around queues: answered, given up, not picked up, rung all at once, paused, Local members."""

from __future__ import annotations

from tests.transcripts.stage import ANI, NAME, Stage, Truth, scenario

SHORT_RING = {"queue_overrides": {"*": {"timeout": 3}}}


def inbound(**facts: object) -> Truth:
    """What is true of a call from the trunk unless said otherwise. Ranges are [least, most] in ms."""
    call: dict[str, object] = {"direction": "inbound", "ani": ANI, "ani_name": NAME, "dnis": None, "queue": None}
    return {"calls": [{**call, **facts}]}


def offered(seat: str, outcome: str, **facts: object) -> dict[str, object]:
    return {"seat": seat, "origin": "offer", "outcome": outcome, **facts}


@scenario()
def answered(stage: Stage) -> Truth:
    """The plain call: sales line, one phone rings 1 s, answers, the caller hangs up after 2 s of talk."""
    phone = stage.phone("1002")
    caller = stage.caller("4008002000")
    stage.event("AgentCalled")
    stage.snapshot("while ringing")
    stage.pause(1)
    stage.mark("1002 answers")
    phone.answer()
    stage.answered("PJSIP/1002")
    stage.pause(1)
    stage.snapshot("while talking")
    stage.pause(1)
    stage.mark("the caller hangs up")
    caller.hang_up()
    return inbound(
        dnis="4008002000",
        queue="sales",
        outcome="answered",
        ended_by="caller",
        wait_ms=[900, 2500],
        talk_ms=[1800, 3500],
        segments=[offered("PJSIP/1002", "answered", ring_ms=[900, 2500], talk_ms=[1800, 3500])],
    )


@scenario()
def answered_agent_hangs_up(stage: Stage) -> Truth:
    """As answered, but the agent ends it."""
    phone = stage.phone("1002")
    stage.caller("4008002000")
    stage.event("AgentCalled")
    stage.pause(0.5)
    phone.answer()
    stage.answered("PJSIP/1002")
    stage.pause(1)
    stage.mark("1002 hangs up")
    phone.hang_up()
    segment = offered("PJSIP/1002", "answered", ring_ms=[400, 1500], talk_ms=[900, 2000])
    return inbound(dnis="4008002000", queue="sales", outcome="answered", ended_by="agent", segments=[segment])


@scenario()
def caller_hangs_up_in_queue(stage: Stage) -> Truth:
    """The caller gives up after 7 s while a phone is ringing."""
    stage.phone("1002")
    caller = stage.caller("4008002000")
    stage.event("AgentCalled")
    stage.pause(7)
    stage.mark("the caller hangs up")
    caller.hang_up()
    segment = offered("PJSIP/1002", "caller_left", ring_ms=[6500, 8500])
    return inbound(
        dnis="4008002000",
        queue="sales",
        outcome="abandoned",
        ended_by="caller",
        wait_ms=[6500, 8500],
        segments=[segment],
    )


@scenario()
def short_abandon(stage: Stage) -> Truth:
    """The caller gives up after less than a second in the queue."""
    stage.phone("1002")
    caller = stage.caller("4008002000")
    stage.event("QueueCallerJoin")
    stage.pause(0.6)
    caller.hang_up()
    segment = offered("PJSIP/1002", "caller_left", ring_ms=[400, 1500])
    return inbound(
        dnis="4008002000",
        queue="sales",
        outcome="short_abandon",
        ended_by="caller",
        wait_ms=[500, 1500],
        segments=[segment],
    )


@scenario()
def abandon_with_nobody_ringing(stage: Stage) -> Truth:
    """All agents are paused: the caller waits unoffered and gives up."""
    stage.phone("1002")
    stage.act("cti-agent", "QueuePause", Queue="sales", Interface="PJSIP/1002", Paused="true", Reason="lunch")
    caller = stage.caller("4008002000")
    stage.event("QueueCallerJoin")
    stage.pause(1)
    stage.snapshot("while waiting")
    stage.pause(1)
    caller.hang_up()
    return inbound(
        dnis="4008002000",
        queue="sales",
        outcome="short_abandon",
        ended_by="caller",
        wait_ms=[1800, 3500],
        segments=[],
    )


@scenario(**SHORT_RING)
def nobody_answers(stage: Stage) -> Truth:
    """RONA: 1001 rings for the queue's 3 s and does not answer; then 1002 rings and answers."""
    stage.phone("1001")
    stage.caller("4008004000")
    stage.event("AgentCalled", Interface="PJSIP/1001")
    second = stage.phone("1002")
    stage.event("AgentRingNoAnswer", Interface="PJSIP/1001")
    here = stage.tape.here()
    stage.event("AgentCalled", here, Interface="PJSIP/1002")
    stage.pause(0.5)
    second.answer()
    stage.answered("PJSIP/1002")
    stage.pause(1)
    second.hang_up()
    segments = [
        offered("PJSIP/1001", "no_answer", ring_ms=[2500, 4500]),
        offered("PJSIP/1002", "answered", ring_ms=[400, 1500], talk_ms=[900, 2000]),
    ]
    return inbound(dnis="4008004000", queue="support", outcome="answered", ended_by="agent", segments=segments)


@scenario(queue_overrides={"support": {"timeout": 2, "autopause": "yes"}}, globals={"CTI_WAIT": 6})
def autopause(stage: Stage) -> Truth:
    """RONA with autopause=yes: the only phone does not answer and is paused; the time limit ends the wait."""
    stage.phone("1001")
    stage.caller("4008004000")
    stage.event("QueueMemberPause", Interface="PJSIP/1001")
    stage.event("QueueCallerLeave")
    segments = [offered("PJSIP/1001", "no_answer", ring_ms=[1500, 3500])]
    return inbound(dnis="4008004000", queue="support", outcome="no_agent", ended_by="system", segments=segments)


@scenario(globals={"CTI_WAIT": 3})
def queue_timeout(stage: Stage) -> Truth:
    """A paused agent only: the queue gives the call back after 3 s; the dialplan's fallback plays and hangs up."""
    stage.phone("1002")
    stage.act("cti-agent", "QueuePause", Queue="sales", Interface="PJSIP/1002", Paused="true", Reason="training")
    stage.caller("4008002000")
    stage.event("Hangup")
    return inbound(
        dnis="4008002000", queue="sales", outcome="no_agent", ended_by="system", wait_ms=[2500, 4500], segments=[]
    )


@scenario()
def empty_queue(stage: Stage) -> Truth:
    """Nobody is logged in: Queue() refuses the caller (JOINEMPTY), without any queue event."""
    stage.caller("4008005000")
    stage.event("Hangup")
    return inbound(dnis="4008005000", queue=None, outcome="no_agent", ended_by="system", segments=[])


@scenario()
def phones_unreachable(stage: Stage) -> Truth:
    """All phones of the queue are unplugged: as an empty queue."""
    stage.caller("4008002000")
    stage.event("Hangup")
    return inbound(dnis="4008002000", queue=None, outcome="no_agent", ended_by="system", segments=[])


@scenario()
def agents_log_in(stage: Stage) -> Truth:
    """An agent joins by QueueAdd, pauses, is ready again, leaves by QueueRemove; a call comes in between."""
    phone = stage.phone("1005")
    member = {"Queue": "night", "Interface": "PJSIP/1005"}
    stage.act("cti-agent", "QueueAdd", **member, MemberName="Tom Baker", StateInterface="PJSIP/1005", Penalty="0")
    stage.act("cti-agent", "QueuePause", **member, Paused="true", Reason="paperwork")
    stage.act("cti-agent", "QueuePause", **member, Paused="false")
    stage.act("cti-agent", "QueuePenalty", **member, Penalty="2")
    caller = stage.caller("4008005000")
    stage.event("AgentCalled")
    phone.answer()
    stage.answered("PJSIP/1005")
    stage.pause(0.5)
    stage.act("cti-agent", "QueuePause", **member, Paused="true", Reason="pending: after this call")
    stage.pause(0.5)
    caller.hang_up()
    stage.event("AgentComplete")
    stage.act("cti-agent", "QueueRemove", **member)
    segment = offered("PJSIP/1005", "answered", talk_ms=[900, 2500])
    return inbound(dnis="4008005000", queue="night", outcome="answered", ended_by="caller", segments=[segment])


@scenario()
def ring_all_five(stage: Stage) -> Truth:
    """VIP: five phones ring at once; 1003 answers."""
    phones = {n: stage.phone(n) for n in ("1001", "1002", "1003", "1004", "1005")}
    caller = stage.caller("4008003000")
    for n in phones:
        stage.event("AgentCalled", Interface=f"PJSIP/{n}")
    stage.pause(1)
    stage.snapshot("five ring")
    phones["1003"].answer()
    stage.answered("PJSIP/1003")
    stage.pause(1)
    caller.hang_up()
    elsewhere = [offered(f"PJSIP/{n}", "answered_elsewhere", ring_ms=[900, 2500]) for n in phones if n != "1003"]
    won = offered("PJSIP/1003", "answered", ring_ms=[900, 2500], talk_ms=[900, 2000])
    return inbound(
        dnis="4008003000",
        queue="vip",
        outcome="answered",
        ended_by="caller",
        segments=[*elsewhere, won],
        any_order=True,
    )


@scenario()
def caller_busy_phone(stage: Stage) -> Truth:
    """1001 replies 486 although idle for the PBX; the call goes to 1002. The queue calls it AgentRingNoAnswer."""
    stage.phone("1001", refuse="486 Busy Here")
    caller = stage.caller("4008004000")
    stage.event("AgentRingNoAnswer", Interface="PJSIP/1001", RingTime="0")
    second = stage.phone("1002")
    stage.event("AgentCalled", Interface="PJSIP/1002")
    stage.pause(0.5)
    second.answer()
    stage.answered("PJSIP/1002")
    stage.pause(1)
    caller.hang_up()
    return inbound(
        dnis="4008004000",
        queue="support",
        outcome="answered",
        ended_by="caller",
        segments_at_least=[
            offered("PJSIP/1001", "rejected"),
            offered("PJSIP/1002", "answered", ring_ms=[400, 1500], talk_ms=[900, 2000]),
        ],
        note="1001 may be tried, and refuse, more than once before 1002 is there",
    )


@scenario()
def local_members(stage: Stage) -> Truth:
    """As FreePBX makes it: Local/1001@from-queue/n with StateInterface PJSIP/1001. One agent seat, three legs."""
    phone = stage.phone("1001")
    caller = stage.caller("02085550100")
    stage.event("AgentCalled")
    stage.event("DialState", DialStatus="RINGING")
    stage.pause(1)
    stage.snapshot("ringing")
    phone.answer()
    stage.answered("Local/1001@from-queue/n")
    stage.pause(1)
    stage.snapshot("talking")
    caller.hang_up()
    segment = offered("PJSIP/1001", "answered", ring_ms=[900, 2500], talk_ms=[900, 2500])
    segment["interface"] = "Local/1001@from-queue/n"
    return inbound(dnis="02085550100", queue="freepbx", outcome="answered", ended_by="caller", segments=[segment])


@scenario(**SHORT_RING)
def local_member_does_not_answer(stage: Stage) -> Truth:
    """RONA through Local members; the other one answers."""
    first, second = stage.phone("1001"), stage.phone("1002")
    stage.caller("02085550100")
    lost = stage.event("AgentRingNoAnswer")["Interface"]
    winner = {"Local/1001@from-queue/n": second, "Local/1002@from-queue/n": first}[lost]
    stage.event("AgentCalled", stage.tape.here())
    stage.event("Newstate", stage.tape.here() - 20, ChannelStateDesc="Ringing")
    stage.pause(0.7)
    winner.answer()
    stage.event("AgentConnect")
    stage.pause(1)
    winner.hang_up()
    seats = {"Local/1001@from-queue/n": "PJSIP/1001", "Local/1002@from-queue/n": "PJSIP/1002"}
    won = next(seat for interface, seat in seats.items() if interface != lost)
    segments = [offered(seats[lost], "no_answer"), offered(won, "answered", talk_ms=[900, 2500])]
    return inbound(dnis="02085550100", queue="freepbx", outcome="answered", ended_by="agent", segments=segments)
