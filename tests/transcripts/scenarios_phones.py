"""Scenarios of the transfer and park keys of real phones: baresip and linphonec do what agents do with theirs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from cti_server.demo.sipp_process import Sipp
from tests.live.baresip import Baresip
from tests.live.linphone import Linphone
from tests.live.real_phone import RealPhone
from tests.transcripts.scenarios_desk import talks
from tests.transcripts.scenarios_queue import inbound, offered
from tests.transcripts.scenarios_transfer import FIRST, sales
from tests.transcripts.stage import Stage, Truth, scenario

SHORT = {"site": {"CTI_RING": "2"}}
DIRECT, SUPPORT, SALES = "4008009000", "4008004000", "4008002000"
OTHER = "13900139000"
RESUMED = r"Media streams established with .* for call \d+"

Phone = TypeVar("Phone", bound=RealPhone)


def desk(stage: Stage, kind: Callable[[object, str], Phone], extension: str) -> Phone:
    """A real phone that the PBX sees."""
    here = stage.tape.here()
    phone = stage.stack.enter_context(kind(stage.pbx, extension))
    stage.tape.event("DeviceStateChange", here, Device=f"PJSIP/{extension}", State="NOT_INUSE")
    return phone


def answers(stage: Stage, phone: RealPhone) -> None:
    """It rings, and is answered half a second later."""
    phone.rings()
    stage.pause(0.5)
    here = stage.tape.here()
    stage.mark(f"{phone.extension} answers")
    phone.answer()
    talks(stage, phone.extension, here)


def talking(stage: Stage, phone: RealPhone, did: str = SALES) -> Sipp:
    """A caller who has talked to this phone for a second."""
    caller = stage.caller(did)
    answers(stage, phone)
    stage.pause(1)
    return caller


def second_line(stage: Stage, phone: Linphone, number: str) -> None:
    """Holds the caller and calls this number on the next line, until it rings or is answered."""
    stage.mark(f"{phone.extension} holds, and calls {number} on its second line")
    phone.hold()
    phone.dial(number)
    phone.wait(r"Call \d+ (to .* ringing|with .* connected)\.")
    stage.pause(0.5)


def sent_on(seat: str, **facts: object) -> dict[str, object]:
    return {"seat": seat, "origin": "transfer", "outcome": "answered", **facts}


def configure(stage: Stage, **files: str) -> None:
    """Adds lines to files of the PBX's configuration, and has it read them."""
    for name, lines in files.items():
        with (stage.pbx.work / "etc" / f"{name}.conf").open("a", encoding="utf-8") as file:
            file.write(f"\n{lines}\n")
    stage.pbx.cli("core reload")


# --- transfer ------------------------------------------------------------------------------------------------


@scenario()
def phone_transfer(stage: Stage) -> Truth:
    """The transfer key, blind (REFER): 1003 answers. Then the caller presses the keys of transfer and park."""
    mine, third = desk(stage, Baresip, "1002"), desk(stage, Baresip, "1003")
    caller = talking(stage, mine)
    stage.mark("1002 transfers to 1003")
    mine.transfer("1003")
    answers(stage, third)
    stage.snapshot("transferred")
    stage.mark("the caller presses ##1004*4")
    caller.press("##1004*4")
    while third.wait("CALL_DTMF_START")["param"] != "*":
        pass
    caller.hang_up()
    segments = [FIRST, sent_on("PJSIP/1003", talk_ms=[1500, 5000])]
    return sales(outcome="transferred", ended_by="caller", segments=segments)


@scenario()
def phone_transfer_declined(stage: Stage) -> Truth:
    """The transfer key, blind: 1003 declines (486), the caller is back at 1002, who answers."""
    mine, third = desk(stage, Baresip, "1002"), desk(stage, Baresip, "1003")
    caller = talking(stage, mine)
    stage.mark("1002 transfers to 1003")
    mine.transfer("1003")
    third.rings()
    stage.pause(0.5)
    stage.mark("1003 declines")
    third.hang_up()
    answers(stage, mine)
    stage.pause(1)
    caller.hang_up()
    segments = [
        FIRST,
        {"seat": "PJSIP/1003", "origin": "transfer", "outcome": "rejected"},
        sent_on("PJSIP/1002", talk_ms=[900, 2500]),
    ]
    return sales(outcome="transferred", ended_by="caller", segments=segments)


@scenario(**SHORT)
def phone_transfer_taken_by_nobody(stage: Stage) -> Truth:
    """The transfer key on a direct line: 1003 is not there, and 1001 lets it ring: nobody has the caller."""
    mine = desk(stage, Baresip, "1001")
    caller = talking(stage, mine, DIRECT)
    stage.mark("1001 transfers to 1003")
    mine.transfer("1003")
    mine.rings()
    caller.wait(20)
    segments = [offered("PJSIP/1001", "transferred"), {"seat": "PJSIP/1001", "outcome": "no_answer"}]
    return inbound(dnis=DIRECT, outcome="transfer_failed", ended_by="system", segments_at_least=segments)


@scenario()
def phone_attended_transfer(stage: Stage) -> Truth:
    """The transfer key with two calls at hand (REFER with Replaces): 1002 asks 1003 first."""
    mine, third = desk(stage, Linphone, "1002"), desk(stage, Baresip, "1003")
    caller = talking(stage, mine)
    second_line(stage, mine, "1003")
    answers(stage, third)
    mine.wait(r"Call 2 with .* connected\.")
    stage.pause(1)
    stage.snapshot("consulting")
    here = stage.tape.here()
    stage.mark("1002 connects the two")
    mine.complete()
    stage.event("AttendedTransfer", here)
    stage.pause(1)
    stage.snapshot("transferred")
    caller.hang_up()
    second = {"seat": "PJSIP/1003", "outcome": "answered", "talk_ms": [1900, 4500]}
    return sales(outcome="transferred", ended_by="caller", segments_at_least=[FIRST, second])


@scenario()
def phone_transfer_while_it_rings(stage: Stage) -> Truth:
    """Semi-attended, as many phones do it: REFER with Replaces while 1003 still rings; 1003 answers the caller."""
    mine, third = desk(stage, Linphone, "1002"), desk(stage, Baresip, "1003")
    caller = talking(stage, mine)
    second_line(stage, mine, "1003")
    here = stage.tape.here()
    stage.mark("1002 connects the two")
    mine.complete()
    stage.event("AttendedTransfer", here)
    stage.pause(0.5)
    stage.snapshot("the caller hears it ring")
    answers(stage, third)
    stage.pause(1)
    caller.hang_up()
    second = {"seat": "PJSIP/1003", "outcome": "answered", "talk_ms": [900, 2500]}
    return sales(outcome="transferred", ended_by="caller", segments_at_least=[FIRST, second])


@scenario()
def phone_transfer_while_it_rings_declined(stage: Stage) -> Truth:
    """Semi-attended; 1003 declines after it, and the caller is back at 1002."""
    mine, third = desk(stage, Linphone, "1002"), desk(stage, Baresip, "1003")
    caller = talking(stage, mine)
    second_line(stage, mine, "1003")
    third.rings()
    here = stage.tape.here()
    stage.mark("1002 connects the two")
    mine.complete()
    stage.event("AttendedTransfer", here)
    stage.pause(0.5)
    stage.mark("1003 declines")
    third.hang_up()
    answers(stage, mine)
    stage.pause(1)
    caller.hang_up()
    last = {"seat": "PJSIP/1002", "outcome": "answered", "talk_ms": [900, 2500]}
    return sales(outcome="transferred", ended_by="caller", segments_at_least=[FIRST, last])


@scenario()
def phone_joins_two_customers(stage: Stage) -> Truth:
    """1001 holds a caller of the queue, answers another on the direct line, and connects the two."""
    mine = desk(stage, Linphone, "1001")
    first = talking(stage, mine, SUPPORT)
    second = stage.caller(DIRECT, OTHER, "Li Lei")
    mine.rings()
    stage.mark("1001 holds, and answers the second")
    mine.hold()
    mine.press("answer 2")
    mine.wait(r"Call 2 with .* connected\.")
    stage.pause(1)
    here = stage.tape.here()
    stage.mark("1001 connects the two")
    mine.complete()
    stage.event("AttendedTransfer", here)
    stage.pause(1)
    stage.snapshot("two customers")
    first.hang_up()
    second.wait(10)
    one = inbound(
        dnis=SUPPORT, queue="support", outcome="transferred", segments=[offered("PJSIP/1001", "transferred")]
    )
    two = inbound(
        ani=OTHER,
        ani_name="Li Lei",
        dnis=DIRECT,
        outcome="transferred",
        segments=[offered("PJSIP/1001", "transferred")],
    )
    return {"calls": one["calls"] + two["calls"]}


# --- park ----------------------------------------------------------------------------------------------------


@scenario()
def phone_parks_on_its_second_line(stage: Stage) -> Truth:
    """1002 calls 700 on its second line and connects the two (REFER with Replaces): the caller is in the space."""
    mine = desk(stage, Linphone, "1002")
    caller = talking(stage, mine)
    second_line(stage, mine, "700")
    here = stage.tape.here()
    stage.mark("1002 connects the two")
    mine.complete()
    stage.event("AttendedTransfer", here)
    stage.pause(1)
    stage.snapshot("parked")
    caller.hang_up()
    return sales(outcome="transferred", ended_by="caller", segments_at_least=[FIRST, FIRST])


@scenario()
def phone_parks_by_a_key(stage: Stage) -> Truth:
    """A key that watches the space 705: REFER to it. 1003 fetches the caller by dialling 705."""
    mine, third = desk(stage, Baresip, "1002"), desk(stage, Baresip, "1003")
    caller = talking(stage, mine)
    stage.mark("1002 transfers to 705")
    mine.transfer("705")
    stage.event("ParkedCall")
    stage.pause(1)
    stage.mark("1003 dials 705")
    third.dial("705")
    stage.event("UnParkedCall")
    stage.pause(1)
    caller.hang_up()
    second = {"seat": "PJSIP/1003", "origin": "pickup", "outcome": "answered", "talk_ms": [900, 2500]}
    return sales(outcome="transferred", ended_by="caller", segments=[FIRST, second])
