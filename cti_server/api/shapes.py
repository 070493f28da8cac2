"""The JSON of the API beyond the card: its answers as typed dictionaries, for mypy and the OpenAPI document.

Live calls, queues and states are in `live_shapes`, an agent's desk in `desk_shapes`, events in `events`.
"""

from __future__ import annotations

from typing import Any, Literal

from typing_extensions import TypedDict

from cti_server.api.live_shapes import AgentStateView, StepView
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
from cti_server.rules.facts import Channel, DeskLanguage, Direction, Outcome, Role, ToldBy


class ShiftView(TypedDict):
    """The phone at which an agent works, and since when. `answers`: whether the desktop can have it answered; else
    its handset must be lifted."""

    seat: str
    extension: str | None
    kind: Literal["desk", "browser", "other"]
    since: str
    answers: bool


class PreferencesView(TypedDict):
    auto_answer: bool


class Me(TypedDict):
    """The signed-in agent, their state, and the names of their queues."""

    id: int
    login: str
    name: str
    role: Role
    language: DeskLanguage
    seat: str | None
    extension: str | None
    pbx: str | None
    state: AgentStateView
    shift: ShiftView | None
    queues: list[str]
    preferences: PreferencesView
    may_pick: bool
    owed: int


class SignedIn(Me):
    """Who has signed in. `must_set_up`: their role needs a second factor, and they may do nothing before they have
    one."""

    must_set_up: bool


class ProviderView(TypedDict):
    """The identity provider; `name` is what its button says, empty where the settings name none."""

    name: str


class WaysView(TypedDict):
    """How people sign in: by a password of ours, through an identity provider, or both. Where `password` is false,
    a password counts only for emergency logins."""

    password: bool
    provider: ProviderView | None


class GoingView(TypedDict):
    """An address of the identity provider, for the browser to go to."""

    url: str


class SecondFactorView(TypedDict):
    """My second factor. `wanted`: my role needs one. `possible`: the server has a key to keep a secret with, and I
    have a password beside which it could be asked for. `has_password` is false where I come in through the
    identity provider only."""

    on: bool
    since: str | None
    recovery_codes_left: int
    wanted: bool
    possible: bool
    has_password: bool


class SecondFactorSecretView(TypedDict):
    """For an authenticator app: the secret in letters, its `otpauth:` address, and a picture of that address as a
    `data:` URL."""

    secret: str
    uri: str
    qr: str


class RecoveryCodesView(TypedDict):
    """Each signs in once in place of a code. They are told this once."""

    codes: list[str]


class SessionView(TypedDict):
    """One of my sign-ins; `current` is the one that asks. `browser` is what it calls itself."""

    since: str
    address: str | None
    browser: str | None
    current: bool


class SessionsView(TypedDict):
    items: list[SessionView]


class TicketView(TypedDict):
    """A ticket opens one websocket within `expires_in` seconds."""

    ticket: str
    expires_in: int


class AcceptedView(TypedDict):
    """The request was accepted; the event `command.done` with this id has its result."""

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
    """A customer with everything that is theirs; a person also with their company's contracts and products."""

    verdict: VerdictView
    contracts: list[ContractView]
    products: list[ProductView]
    cases: list[CaseView]
    notes: list[NoteView]
    people: list[CustomerBriefView]


class ValueChangeView(TypedDict):
    """One change of a customer's tier or preferred agent, which made their `version`. `author` is a person's name,
    the file of an import, or a command, by `origin`; `author_id` is the person. An agent is named as they were
    called then; null is no tier, and no agent."""

    id: int
    version: int
    at: str
    field: Literal["tier", "preferred_agent"]
    before: str | None
    after: str | None
    origin: Literal["person", "import", "command", "program"]
    author: str
    author_id: int | None
    reason: str | None


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
    """One wait of a call in one queue. `how` is null while it waits; `agent` and `seat` are those who answered."""

    position: int
    queue: str
    joined_at: str
    left_at: str | None
    wait_ms: int | None
    how: str | None
    agent: Named | None
    seat: str | None
    place: int | None


class JoinedView(TypedDict):
    """A contact whose customer an agent joined to this one's, before they left the two alone."""

    interaction: int
    customer: Named | None
    number: str | None


class InteractionView(TypedDict):
    """One contact. `outcome` is null while it goes on; `complete` is false when the server missed its end.

    `told_by` says where it is from that the server did not see: `cel`, all of it from the PBX's log of channel
    events; `cel_end`, its end. Hold is not in that log: it counts as talk.
    """

    id: int
    channel: Channel
    direction: Direction
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
    outcome: Outcome | None
    complete: bool
    told_by: ToldBy | None
    joined: list[JoinedView]
    segments: list[SegmentView]
    visits: list[VisitView]


class InteractionPage(TypedDict):
    items: list[InteractionView]
    next: str | None


class Readiness(TypedDict):
    """Ready only when the database answers, every PBX link is live and the journal keeps up."""

    ready: bool
    database: str
    links: dict[str, str]
    journal_lag_ms: int


class Health(TypedDict):
    status: Literal["ok"]


class IdentifyAnswer(TypedDict):
    """The channel variables to set. CTI_STATUS is among them: `ok`, `unknown`, `timeout` or `error`."""

    variables: dict[str, str]
