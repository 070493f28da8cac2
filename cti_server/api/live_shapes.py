"""The JSON of the live side: calls, parts, queues and states, as REST answers, snapshots and events carry them.

`floor/views.py` makes them many times a second, so nothing is checked when it is sent: tests hold every view of
every recorded call to these shapes.
"""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

from cti_server.rules.facts import Direction, Outcome, Role

StateName = Literal["ready", "not_ready", "signed_out", "reserved", "talking", "hold", "wrap_up"]
CallState = Literal["ivr", "queued", "ringing", "talking", "held", "parked", "conference", "ended"]
PartState = Literal["ringing", "talking", "hold", "consulting", "wrap_up", "left"]
StandingName = Literal[
    "none",
    "ringing",
    "calling",
    "talking",
    "hold",
    "reaching",
    "consulting",
    "alternated",
    "consulted",
    "conference",
    "alone",
    "waiting",
    "phone_hold",
    "wrap_up",
]
CallVerb = Literal[
    "answer",
    "hangup",
    "hold",
    "retrieve",
    "mute",
    "unmute",
    "dtmf",
    "transfer",
    "consult",
    "alternate",
    "complete",
    "cancel",
    "conference",
    "drop",
    "park",
    "pick-up",
    "recording/start",
    "recording/pause",
    "recording/resume",
    "recording/stop",
    "reconnect",
]
WhyNot = Literal["calling", "on_hold", "not_answered", "consulting", "consulted", "in_conference", "phone_holds"]
Origin = Literal["offer", "transfer", "consult", "pickup", "outbound", "internal", "conference"]
LinkState = Literal["connecting", "live", "stale", "refused"]
MemberStatus = Literal["unknown", "idle", "in_use", "busy", "invalid", "unavailable", "ringing", "on_hold"]


# --- agents ------------------------------------------------------------------------------------------------


class ByView(TypedDict):
    kind: Literal["agent", "supervisor", "system", "pbx"]
    name: str | None


class StateBecauseView(TypedDict):
    """What led to a state: an offer that was not answered, a call, or somebody's choice."""

    event: str
    call: str | None
    queue: str | None
    number: str | None


class PendingView(TypedDict):
    name: Literal["ready", "not_ready"]
    reason: str | None
    by: ByView


class PhoneStateView(TypedDict):
    """The agent's phone. `reachable` is null until the PBX says so or not."""

    seat: str | None
    reachable: bool | None
    since: str | None


class AgentStateView(TypedDict):
    """The state, why, since when and by whom. `pending` takes effect after the call; a wrap-up ends at `until`."""

    name: StateName
    reason: str | None
    since: str | None
    by: ByView | None
    because: StateBecauseView | None
    pending: PendingView | None
    until: str | None
    phone: PhoneStateView
    on_shift: bool


class TeamMember(TypedDict):
    """A colleague as they are now. A colleague without a phone at a PBX is signed out."""

    agent: int
    name: str
    extension: str | None
    role: Role
    state: AgentStateView
    queues: list[str]


# --- calls -------------------------------------------------------------------------------------------------


class StepView(TypedDict):
    step: str
    choice: str | None
    at: str | None


class PersonView(TypedDict):
    """Somebody on a call. `leg` is what `dropParticipant` takes."""

    leg: str
    role: Literal["customer", "agent", "other"]
    agent: int | None
    seat: str | None
    number: str | None
    name: str | None
    state: Literal["ringing", "waiting", "talking", "hold", "queued", "parked"]


class CallCustomerView(TypedDict):
    id: int
    name: str
    tier: str | None


class OnCallView(TypedDict):
    """An agent who is on a call, or whose phone rings for it."""

    agent: int | None
    seat: str
    name: str
    state: PartState
    since: str


class CallView(TypedDict):
    """A live call. `agents` are the connected agents; while there are none, at most three whose phones ring.

    What each agent has to do with the call is in its parts.
    """

    call: str
    interaction: int | None
    pbx: str
    direction: Direction
    state: CallState
    ani: str | None
    ani_name: str | None
    dnis: str | None
    queue: str | None
    position: int | None
    path: list[StepView]
    started_at: str
    queued_at: str | None
    waiting_since: str | None
    answered_at: str | None
    ended_at: str | None
    wait_ms: int | None
    held_since: str | None
    customer: CallCustomerView | None
    verdict: str | None
    match: str
    agents: list[OnCallView]
    more_ringing: bool
    people: list[PersonView]
    recording: Literal["off", "on", "paused"]
    park_space: str | None
    outcome: Outcome | Literal["merged"] | None
    ended_by: str | None
    complete: bool
    merged_into: str | None


class CallList(TypedDict):
    items: list[CallView]


# --- parts -------------------------------------------------------------------------------------------------


WhyView = TypedDict(
    "WhyView",
    {"kind": str, "queue": str | None, "from": str | None, "penalty": int | None, "waited_ms": int | None},
)
"""Why a call came to an agent. `kind` is one of `floor.why`, or `queue`, `preferred` or `picked`."""


class WrapUpView(TypedDict):
    """The wrap-up of a call. `ends_at` is null until the call is over, and where there is no limit."""

    mode: Literal["optional", "mandatory", "forced"]
    ends_at: str | None
    extensions_left: int
    code: str | None
    code_required: bool
    wanted: bool


class ConsultationView(TypedDict):
    """The consultation that this agent began. With `with_them` the two talk now, and the caller waits."""

    leg: str | None
    answered: bool
    with_them: bool


CanView = TypedDict(
    "CanView",
    {
        "answer": WhyNot | None,
        "hangup": WhyNot | None,
        "hold": WhyNot | None,
        "retrieve": WhyNot | None,
        "mute": WhyNot | None,
        "unmute": WhyNot | None,
        "dtmf": WhyNot | None,
        "transfer": WhyNot | None,
        "consult": WhyNot | None,
        "alternate": WhyNot | None,
        "complete": WhyNot | None,
        "cancel": WhyNot | None,
        "conference": WhyNot | None,
        "drop": WhyNot | None,
        "park": WhyNot | None,
        "pick-up": WhyNot | None,
        "recording/start": WhyNot | None,
        "recording/pause": WhyNot | None,
        "recording/resume": WhyNot | None,
        "recording/stop": WhyNot | None,
        "reconnect": WhyNot | None,
    },
    total=False,
)
"""The verbs that make sense now: null for a possible verb, else why it is not possible. Others are left out."""

PartView = TypedDict(
    "PartView",
    {
        "call": str,
        "position": int,
        "agent": int | None,
        "seat": str,
        "name": str,
        "state": PartState,
        "since": str,
        "reason": str | None,
        "outcome": str | None,
        "origin": Origin,
        "queue": str | None,
        "offered_at": str | None,
        "answered_at": str | None,
        "talk_ms": int,
        "hold_ms": int,
        "leg": str | None,
        "muted": bool,
        "from": str | None,
        "why": WhyView | None,
        "wrap_up": WrapUpView | None,
        "standing": StandingName,
        "can": CanView,
        "consultation": ConsultationView | None,
    },
)
"""What one agent has to do with a call. The present state runs from `since`; the ms are the time before that."""


# --- queues ------------------------------------------------------------------------------------------------


class QueueView(TypedDict):
    """A queue in numbers. `members` is the sum of `ready`, `busy`, `paused` and `off`."""

    pbx: str
    queue: str
    title_en: str
    title_zh: str
    waiting: int
    longest_since: str | None
    members: int
    ready: int
    busy: int
    paused: int
    off: int


class MemberView(TypedDict):
    """One phone that serves a queue."""

    interface: str
    agent: int | None
    name: str
    seat: str
    status: MemberStatus
    paused: bool
    reason: str | None
    penalty: int


# --- the rest ----------------------------------------------------------------------------------------------


class LinkView(TypedDict):
    """How a PBX is connected. `detail` is for people."""

    state: LinkState
    since: str | None
    detail: str | None


class HandoverFrom(TypedDict):
    agent: int
    name: str


#: What the colleague who gives a call away leaves for the one who takes it: `note` and `code` are their draft,
#: `said` is what they typed when sending. Not a class, because `from` is a keyword of Python.
HandoverView = TypedDict(
    "HandoverView",
    {
        "from": HandoverFrom,
        "kind": Literal["transfer", "consult"],
        "note": str | None,
        "code": str | None,
        "match": str | None,
        "path": list[StepView],
        "said": str | None,
        "since": str | None,
    },
)
