"""What a scenario has at hand: a PBX of its own, callers, phones, the manager roles, and the running tape."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from cti_server.asterisk.actions import DESK_VARIABLES, Action
from cti_server.demo.calls import Deskphone, PhoneHabits, dial, place_call, trunk_far_end
from cti_server.demo.pbx import DemoPbx
from cti_server.demo.sipp_process import Sipp
from tests.transcripts.tap import Message, Tap, tap

# What the server asks for after each login: everything it can know without having seen the events.
SNAPSHOT = ("CoreShowChannels", "Status", "QueueStatus", "BridgeList", "DeviceStateList")
DESK = {"Variables": ",".join(DESK_VARIABLES)}
# ParkedCalls is not among them: it needs write=call, which would let this user hang up calls; the server asks on
# another account. A parked leg stands in a bridge of type parking.
ANI, NAME = "13800138000", "Wang Xiaoming"

Truth = dict[str, Any]
Scenario = Callable[["Stage"], Truth]
SCENARIOS: dict[str, tuple[Scenario, dict[str, Any]]] = {}


def scenario(**config: Any) -> Callable[[Scenario], Scenario]:
    """Registers a function as the scenario of its name; the keywords change the PBX (fields of PbxConfig)."""

    def register(function: Scenario) -> Scenario:
        SCENARIOS[function.__name__.replace("_", "-")] = function, config
        return function

    return register


@dataclass
class Stage:
    pbx: DemoPbx
    tape: Tap
    stack: contextlib.ExitStack
    marks: list[dict[str, Any]] = field(default_factory=list)
    tapes: list[Tap] = field(default_factory=list)
    roles: dict[str, Tap] = field(default_factory=dict)

    def caller(self, did: str, ani: str | None = ANI, name: str = NAME, **changes: Any) -> Sipp:
        """Places a call; the mark says so."""
        self.mark(f"{ani if ani is None or len(ani) < 40 else ani[:40] + '…'} calls {did}")
        return self.stack.enter_context(place_call(self.pbx, ani, did, name, **changes))

    def phone(self, extension: str, ring_s: float | None = None, **changes: Any) -> Deskphone:
        """A registered phone that the PBX sees; it rings until told to answer, unless ring_s says how long."""
        here = self.tape.here()
        phone = self.stack.enter_context(Deskphone(self.pbx, extension, PhoneHabits(ring_s=ring_s, **changes)))
        self.tape.event("DeviceStateChange", here, Device=f"PJSIP/{extension}", State="NOT_INUSE")
        return phone

    def dials(self, extension: str, number: str, **changes: Any) -> Sipp:
        self.mark(f"{extension} dials {number}")
        return self.stack.enter_context(dial(self.pbx, extension, number, **changes))

    def network(self, **habits: Any) -> Sipp:
        """Somebody beyond the trunk who is called."""
        return self.stack.enter_context(trunk_far_end(self.pbx, PhoneHabits(**habits)))

    def role(self, name: str) -> Tap:
        """One of the other manager users."""
        return self.stack.enter_context(tap(self.pbx.config.ami_port, self.pbx.config.secrets, name))

    def act(self, role: str, action: str, **headers: str) -> Message:
        """One action as a role; it must succeed."""
        self.mark(f"{role}: {action} {headers}")
        answer = self.role(role).ask(action, **headers)
        assert answer["Response"] == "Success", answer
        return answer

    def do(self, moves: Sequence[Action]) -> None:
        """A move of the agent's desk, as the server sends it: each action on the account of its role."""
        for action in moves:
            headers = action.headers()
            self.mark(f"cti-{action.role}: {action.name} {dict(headers)}")
            if action.role not in self.roles:
                self.roles[action.role] = self.role(f"cti-{action.role}")
            answer = self.roles[action.role].ask_lines(action.name, headers)
            assert answer["Response"] == "Success", answer

    def mark(self, what: str) -> None:
        """Notes what is being done at this byte of the tape."""
        self.marks.append({"tape": len(self.tapes), "byte": len(self.tape.raw), "what": what})

    def event(self, name: str, since: int = 0, **headers: str) -> Message:
        return self.tape.event(name, since, **headers)

    def pause(self, seconds: float) -> None:
        """So that a duration has an order of magnitude."""
        time.sleep(seconds)

    def snapshot(self, what: str) -> None:
        """The lists, on the tape."""
        self.mark(f"snapshot: {what}")
        self.tape.ask("CoreStatus")
        for action in SNAPSHOT:
            self.tape.list(action, **(DESK if action == "Status" else {}))

    def answered(self, seat: str, since: int = 0) -> Message:
        return self.tape.event("AgentConnect", since, Interface=seat)

    def all_hung_up(self, limit_s: float = 30) -> None:
        """Every leg has ended. Asked on a connection of its own, which leaves no trace on the tape."""
        watch = tap(self.pbx.config.ami_port, {"cti-events": self.pbx.config.secrets["cti-events"]})
        with watch:
            deadline = time.monotonic() + limit_s
            # The channel that runs the dialplan for SIP MESSAGEs never ends, and nobody is on it.
            while rows := [r for r in watch.list("CoreShowChannels") if not r["Channel"].startswith("Message/")]:
                assert time.monotonic() < deadline, [f"{row['Channel']} {row['Application']}" for row in rows]
                time.sleep(0.1)
        time.sleep(0.4)  # device states follow the last Hangup

    def new_tape(self) -> None:
        """The connection was lost, or is given up: a new one, logged in, on a second file."""
        self.tapes.append(self.tape)
        self.tape = self.stack.enter_context(tap(self.pbx.config.ami_port, self.pbx.config.secrets))
        self.tape.event("FullyBooted")
