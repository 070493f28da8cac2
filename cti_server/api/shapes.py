"""The JSON of the API beyond the card: answers as typed dictionaries, for mypy and for the OpenAPI document.

The shapes of calls and queues are made by the floor; here they are described.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from cti_server.lookup.shapes import (
    CaseView,
    ContractView,
    CustomerBriefView,
    CustomerView,
    Named,
    NoteView,
    ProductView,
    VerdictView,
)

StateName = Literal["ready", "not_ready", "signed_out", "reserved", "talking", "hold", "wrap_up"]


class ByView(TypedDict):
    kind: Literal["agent", "supervisor", "system", "pbx"]
    name: str | None


class BecauseView(TypedDict):
    """What happened that led to a state: an offer that was not answered, a call, a choice."""

    event: str
    call: str | None
    queue: str | None
    number: str | None


class PendingView(TypedDict):
    name: Literal["ready", "not_ready"]
    reason: str | None
    by: ByView


class PhoneStateView(TypedDict):
    """`reachable` is null when the PBX has not told."""

    seat: str | None
    reachable: bool | None
    since: str | None


class AgentStateView(TypedDict):
    """The state, why, since when and by whom. `pending` takes effect after the call; `until` ends a wrap-up."""

    name: StateName
    reason: str | None
    since: str | None
    by: ByView | None
    because: BecauseView | None
    pending: PendingView | None
    until: str | None
    phone: PhoneStateView
    on_shift: bool


class ShiftView(TypedDict):
    """The phone that an agent at work sits at."""

    seat: str
    extension: str | None
    kind: Literal["desk", "browser", "other"]
    since: str


class PreferencesView(TypedDict):
    auto_answer: bool


class Me(TypedDict):
    """The signed-in agent, their state, and the names of their queues."""

    id: int
    login: str
    name: str
    role: Literal["agent", "supervisor", "administrator"]
    language: Literal["en", "zh"]
    seat: str | None
    extension: str | None
    pbx: str | None
    state: AgentStateView
    shift: ShiftView | None
    queues: list[str]
    preferences: PreferencesView
    may_pick: bool
    owed: int


class TicketView(TypedDict):
    """A ticket opens one websocket within `expires_in` seconds."""

    ticket: str
    expires_in: int


class AcceptedView(TypedDict):
    """The event `command.done` will carry this request id."""

    request: str


class ContractBriefView(TypedDict):
    number: str
    verdict: str


class CustomerRowView(CustomerBriefView):
    numbers: list[str]
    contract: ContractBriefView | None


class CustomerPage(TypedDict):
    items: list[CustomerRowView]
    next: str | None


class CustomerDetail(CustomerView):
    """A customer with all that is theirs; for a person with their company's contracts and products."""

    verdict: VerdictView
    contracts: list[ContractView]
    products: list[ProductView]
    cases: list[CaseView]
    notes: list[NoteView]
    people: list[CustomerBriefView]


class SegmentView(TypedDict):
    position: int
    agent: Named | None
    seat: str | None
    queue: str | None
    origin: str
    offered_at: str | None
    answered_at: str | None
    ended_at: str | None
    ring_ms: int | None
    talk_ms: int | None
    hold_ms: int | None
    outcome: str | None
    wrapped_at: str | None
    note: str | None
    code: str | None
    follow_up: dict[str, Any] | None
    finished_at: str | None
    owed: bool


class VisitView(TypedDict):
    """One wait in one queue. `how` is null while it waits; `agent` and `seat` are who answered."""

    position: int
    queue: str
    joined_at: str
    left_at: str | None
    wait_ms: int | None
    how: str | None
    agent: Named | None
    seat: str | None
    place: int | None


class StepView(TypedDict):
    step: str
    choice: str | None
    at: str | None


class HandoverFrom(TypedDict):
    agent: int
    name: str


#: What the colleague who gives a call away leaves for the one who takes it: `note` and `code` are their draft,
#: `said` is what they typed when sending. (`from` is a word of Python's, so this one is not written as a class.)
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


class InteractionView(TypedDict):
    """One contact. `outcome` is null while it goes on; `complete` is false when its end was not seen."""

    id: int
    channel: str
    direction: str
    call: str | None
    customer: Named | None
    match: str | None
    ani: str | None
    ani_raw: str | None
    ani_name: str | None
    dnis: str | None
    queue: str | None
    path: list[StepView]
    language: str | None
    verdict: Any
    subject: str | None
    note: str | None
    started_at: str
    queued_at: str | None
    answered_at: str | None
    ended_at: str | None
    wait_ms: int | None
    ring_ms: int | None
    talk_ms: int | None
    hold_ms: int | None
    ended_by: str | None
    outcome: str | None
    complete: bool
    segments: list[SegmentView]
    visits: list[VisitView]


class InteractionPage(TypedDict):
    items: list[InteractionView]
    next: str | None


class PartView(TypedDict):
    """What one agent has to do with a call. Times that run are told by `since`; the ms are what came
    before it.
    """

    agent: int | None
    seat: str
    name: str | None
    state: Literal["ringing", "talking", "hold", "consulting", "wrap_up", "left"]
    since: str | None
    reason: str | None
    answered_at: str | None
    talk_ms: int
    hold_ms: int
    origin: NotRequired[str]
    queue: NotRequired[str | None]
    offered_at: NotRequired[str | None]
    leg: NotRequired[str | None]
    muted: NotRequired[bool]
    why: NotRequired[WhyView | None]
    wrap_up: NotRequired[WrapUpView | None]


WhyView = TypedDict(
    "WhyView",
    {"kind": str, "queue": str | None, "from": str | None, "penalty": int | None, "waited_ms": int | None},
)
"""Why a call came to an agent; the kinds are those of `floor.why` and `queue`, `preferred`, `picked`."""


class WrapUpView(TypedDict):
    """What remains to be said of a call. `ends_at` is null without a limit, and until the call is over."""

    mode: Literal["optional", "mandatory", "forced"]
    ends_at: str | None
    extensions_left: int
    code: str | None
    code_required: bool
    wanted: bool


class PersonView(TypedDict):
    """Somebody on a call; `leg` names them to be dropped."""

    leg: str
    role: Literal["customer", "agent", "other"]
    agent: int | None
    seat: str | None
    number: str | None
    name: str | None
    state: str


class OtherView(TypedDict):
    number: str | None
    name: str | None
    state: str


class CallCustomerView(TypedDict):
    id: int
    name: str
    tier: str | None


class CallView(TypedDict):
    """Everything a desktop needs of a live call."""

    call: str
    interaction: int | None
    pbx: str
    direction: str
    state: str
    ani: str | None
    ani_name: str | None
    dnis: str | None
    queue: str | None
    position: int | None
    path: list[StepView]
    started_at: str
    queued_at: str | None
    waiting_since: NotRequired[str | None]
    answered_at: str | None
    ended_at: str | None
    wait_ms: int | None
    held_since: str | None
    customer: CallCustomerView | None
    verdict: str | None
    match: str | None
    agents: dict[str, PartView]
    people: NotRequired[list[PersonView]]
    recording: NotRequired[Literal["off", "on", "paused"]]
    park_space: NotRequired[str | None]
    others: list[OtherView]
    outcome: str | None
    ended_by: str | None
    complete: NotRequired[bool]
    merged_into: NotRequired[str | None]


class CallList(TypedDict):
    items: list[CallView]


class MemberView(TypedDict):
    agent: int | None
    name: str | None
    seat: str
    status: str
    paused: bool
    reason: str | None
    interface: NotRequired[str]
    penalty: NotRequired[int]


class QueueView(TypedDict):
    queue: str
    title_en: str
    title_zh: str
    waiting: int
    longest_since: str | None
    members: list[MemberView]
    pbx: NotRequired[str]


class TeamMember(TypedDict):
    """A colleague as they are now. Who has no phone at a PBX is signed out."""

    agent: int
    name: str
    extension: str | None
    role: Literal["agent", "supervisor", "administrator"]
    state: AgentStateView
    queues: list[str]


class Readiness(TypedDict):
    """Ready only when the database answers, every PBX link is live and the journal keeps up."""

    ready: bool
    database: str
    links: dict[str, str]
    journal_lag_ms: int


class Health(TypedDict):
    status: Literal["ok"]


class IdentifyAnswer(TypedDict):
    """The channel variables to set, with CTI_STATUS `ok`, `unknown`, `timeout` or `error` among them."""

    variables: dict[str, str]
