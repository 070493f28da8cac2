"""Real SIP calls into the demo PBX, played by SIPp: callers from the trunk, phones that dial, phones that ring.

Every call is limited in time, by SIPp itself and by its owner. Durations are in seconds.
"""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from types import TracebackType
from typing import Self

from cti_server.demo.pbx import DemoPbx
from cti_server.demo.sipp_process import LONGEST_CALL_S, Sipp
from cti_server.demo.sipua import register

# A re-INVITE takes three messages, and SIPp can be steered again only after the last.
SETTLE_S = 0.1
_SCENARIOS = Path(__file__).with_name("sipp")
# From and To of a dialog as SIPp keywords, for the called side; `_place` has those for the calling side.
_CALLED = {"from": "[$to];tag=[pid]p[call_number]", "to": "[$from]"}


@dataclass(frozen=True)
class Caller:
    """What a caller from the trunk does. `ani` None is withheld; `name` is sent as the display name."""

    ani: str | None
    did: str
    name: str = ""
    hides: bool = False
    """The provider sends the number (P-Asserted-Identity), and that it is to be shown to nobody (Privacy: id)."""
    stay_s: float = 60.0
    """Hangs up this long after the PBX answered (waiting in the queue counts), if nobody else has."""
    answer_s: float = 30.0
    """Cancels when the PBX has not answered by then."""
    echo: bool = False
    """Sends back what it hears, so that a speaker hears sound. Two of them must not be in one call."""
    digits: Sequence[tuple[float, str]] = ()
    """Keys to press: (seconds to wait first, digits); sent as SIP INFO."""


def call(pbx: DemoPbx, caller: Caller) -> Sipp:
    """Places the call; returns at once."""
    if caller.hides:
        own = '"Anonymous" <sip:anonymous@anonymous.invalid>'
        identity = f"Privacy: id\n      P-Asserted-Identity: <sip:{caller.ani}@[local_ip]>"
    elif caller.ani is None:
        own, identity = '"Anonymous" <sip:anonymous@anonymous.invalid>', "Privacy: id"
    else:
        own, identity = f"{_quoted(caller.name)}<sip:{caller.ani}@[local_ip]:[local_port]>", ""
    return _place(pbx, caller, own, identity=identity)


def place_call(pbx: DemoPbx, ani: str | None, did: str, name: str = "", **changes: object) -> Sipp:
    """Places a call from `ani` (None: withheld) to the line `did`. Further fields of Caller by keyword."""
    return call(pbx, dataclasses.replace(Caller(ani, did, name), **changes))  # type: ignore[arg-type]


def dial(pbx: DemoPbx, extension: str, number: str, stay_s: float = 60.0, answer_s: float = 30.0) -> Sipp:
    """A phone dials another phone, 9 and an outside number, 700, *8 or a conference room. Returns at once."""
    caller = Caller(extension, number, stay_s=stay_s, answer_s=answer_s)
    own = f"<sip:{extension}@[local_ip]:[local_port]>"
    return _place(pbx, caller, own, extension=extension)


def _place(pbx: DemoPbx, caller: Caller, own: str, *, identity: str = "", extension: str = "") -> Sipp:
    dialog = {"from": f" {own};tag=[pid]c[call_number]", "to": "[$peer]"}
    presses = "".join(_press(n, *press, dialog) for n, press in enumerate(caller.digits))
    scenario = _fill(
        "caller.xml",
        dnis=caller.did,
        own=own,
        # SIPp drops no empty line: without an identity, any harmless header stands in its place.
        identity=identity or "Subject: demo",
        authenticate=_authenticate(pbx, extension, caller.did, own) if extension else "",
        invite=2 if extension else 1,
        answer_ms=_ms(caller.answer_s),
        after_answer=presses,
        conversation=_conversation(dialog, caller.stay_s),
    )
    limit = caller.answer_s + caller.stay_s + 30
    return Sipp(scenario, pbx.config.sip_port, limit_s=limit, echo=caller.echo)


def _authenticate(pbx: DemoPbx, extension: str, number: str, own: str) -> str:
    """A phone's first INVITE is always challenged."""
    return _fill("authenticate.xml", dnis=number, own=own, username=extension, password=pbx.config.phone_password)


@dataclass(frozen=True)
class PhoneHabits:
    """What a phone does with a call."""

    ring_s: float | None = 1.0
    """Rings this long, then answers; None: rings until answer() is called or the other side gives up."""
    talk_s: float = LONGEST_CALL_S
    """Hangs up this long after answering, if the other side has not."""
    refuse: str = ""
    """Answers with this status instead of ringing, e.g. "486 Busy Here"."""


class Deskphone:
    """A registered phone that takes call after call until closed."""

    def __init__(self, pbx: DemoPbx, extension: str, habits: PhoneHabits = PhoneHabits()) -> None:
        self.extension = extension
        self._pbx = pbx
        self._sipp = _phone(pbx.config.sip_port, habits, 0)
        try:
            self.register()
        except BaseException:
            self._sipp.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def becomes(self, habits: PhoneHabits) -> None:
        """Takes on other habits from the next call on. Not to be called during a call."""
        port = self._sipp.port
        self._sipp.close()
        self._sipp = _phone(self._pbx.config.sip_port, habits, port)

    def answer(self) -> None:
        """Picks up a ringing call."""
        self._sipp.steer("answer")

    def decline(self) -> None:
        """Declines a ringing call, as the phone's own key does (486)."""
        self._sipp.steer("decline")

    def hold(self) -> None:
        """Puts the caller on hold, as the phone's hold key does (re-INVITE, sendonly)."""
        self._sipp.steer("hold")
        time.sleep(SETTLE_S)

    def retrieve(self) -> None:
        self._sipp.steer("retrieve")
        time.sleep(SETTLE_S)

    def press(self, digits: str) -> None:
        """Presses keys during the call (SIP INFO)."""
        self._sipp.press(digits)

    def hang_up(self) -> None:
        self._sipp.steer("hangup")

    def errors(self) -> str:
        return self._sipp.errors()

    def close(self) -> None:
        """Unregisters the phone, so that its queue member becomes unavailable, and ends it."""
        if self._pbx.running:
            with contextlib.suppress(RuntimeError):
                self.register(0)
        self._sipp.close()

    def register(self, expires_s: int = 3600) -> None:
        """Registers the phone; 0 unregisters it. To be called again after the PBX has lost its registrations."""
        config = self._pbx.config
        register(config.sip_port, self.extension, config.phone_password, self._sipp.port, expires_s)


def trunk_far_end(pbx: DemoPbx, habits: PhoneHabits = PhoneHabits()) -> Sipp:
    """The telephone network beyond the trunk: takes the PBX's outbound calls as a phone with these habits."""
    return _phone(pbx.config.sip_port, habits, pbx.config.trunk_port)


def _phone(pbx_port: int, habits: PhoneHabits, port: int) -> Sipp:
    if habits.refuse:
        first, after = habits.refuse, '  <recv request="ACK" next="end"/>'
    else:
        ring_ms = _ms(LONGEST_CALL_S if habits.ring_s is None else habits.ring_s)
        first = "180 Ringing"
        patience = f'timeout="{ring_ms}" ontimeout="answer"'
        after = _fill("ringing.xml", patience=patience)
    conversation = _conversation(_CALLED, habits.talk_s)
    scenario = _fill("phone.xml", first=first, after_ring=after, conversation=conversation)
    return Sipp(scenario, pbx_port, local_port=port, calls=0, limit_s=24 * 3600)


def _conversation(dialog: dict[str, str], stay_s: float) -> str:
    return _fill(
        "conversation.xml",
        stay_ms=_ms(stay_s),
        hold=_fill("reinvite.xml", direction="sendonly", **dialog),
        retrieve=_fill("reinvite.xml", direction="sendrecv", **dialog),
        digit=_fill("info.xml", key="[$digit]", cseq="[$cseq]", next='next="talk"', **dialog),
        **dialog,
    )


def _press(turn: int, wait_s: float, digits: str, dialog: dict[str, str]) -> str:
    pause = f'  <pause milliseconds="{_ms(wait_s)}"/>\n'
    base = 100 + 10 * turn
    keys = [_fill("info.xml", key=key, cseq=base + n, next="", **dialog) for n, key in enumerate(digits)]
    return pause + "".join(keys)


def _fill(name: str, **values: object) -> str:
    return Template((_SCENARIOS / name).read_text(encoding="utf-8")).substitute(values)


def _quoted(name: str) -> str:
    """A display name as a quoted-string (RFC 3261 §25.1), inside CDATA. [ ] are SIPp's own keywords."""
    if not name:
        return ""
    safe = name.replace("\\", "\\\\").replace('"', '\\"').replace("[", "(").replace("]", ")")
    return f'"{safe}" '


def _ms(seconds: float) -> int:
    return max(1, int(seconds * 1000))
