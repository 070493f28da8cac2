"""The JSON of the agent's desk: codes, drafts, phones, messages, help, the day. Other shapes are in `shapes`."""

from __future__ import annotations

from typing import Any, Literal

from typing_extensions import TypedDict

from cti_server.api.live_shapes import QueueView, TeamMember
from cti_server.api.shapes import InteractionView
from cti_server.lookup.shapes import CustomerBriefView, Named, PromiseView


class ReasonCodeView(TypedDict):
    """A reason for not being ready. One that is not `active` still names past states, but cannot be chosen."""

    code: str
    title_en: str
    title_zh: str
    position: int
    active: bool


class WrapUpCodeView(TypedDict):
    """A wrap-up code under its `parent`. Only a `leaf` can be chosen. A null `queue` means every queue."""

    code: str
    parent: str | None
    queue: str | None
    title_en: str
    title_zh: str
    position: int
    active: bool
    leaf: bool


class DraftView(TypedDict):
    """What the agent wrote so far about their part of a contact; `finished_at` is when they finished it.

    `follow_up` is as it was typed.
    """

    interaction: int
    segment: int
    note: str | None
    code: str | None
    code_required: bool
    follow_up: dict[str, Any] | None
    finished_at: str | None


class FinishedView(DraftView):
    """A finished wrap-up, with the promise or the case that its follow-up became."""

    promise: PromiseView | None
    case: Named | None


class OwedItem(TypedDict):
    """A contact that the agent has not finished: it lacks its code, has a follow-up to make, or was left open."""

    interaction: InteractionView
    draft: DraftView
    because: Literal["code", "follow_up", "unfinished"]


class OwedView(TypedDict):
    count: int
    items: list[OwedItem]


class PromisePage(TypedDict):
    items: list[PromiseView]
    next: str | None


class PhoneView(TypedDict):
    """A phone to sit down at. `agent` is who sits there now; `reachable` is null while unknown."""

    id: int
    pbx: str
    seat: str
    extension: str
    label_en: str | None
    label_zh: str | None
    kind: Literal["desk", "browser", "other"]
    personal: bool
    agent: Named | None
    reachable: bool | None


class SoftphoneView(TypedDict):
    """What the browser phone registers with. Read it again after each sign-in at a phone."""

    url: str
    uri: str
    user: str
    password: str
    display_name: str
    ice: list[dict[str, Any]]


class ToView(TypedDict):
    """The receiver of a message: exactly one of an agent, the supervisors or the team."""

    agent: Named | None
    role: Literal["supervisors"] | None
    team: bool


MessageView = TypedDict(
    "MessageView",
    {"id": int, "at": str, "from": Named, "to": ToView, "text": str, "call": str | None},
)


class MessageList(TypedDict):
    """The messages in order. `read_to` is the last one that the agent has read, `unread` how many are unread."""

    items: list[MessageView]
    read_to: int
    unread: int


class HelpView(TypedDict):
    """A request for help on a call."""

    id: int
    call: str
    interaction: int | None
    agent: Named
    said: str | None
    state: Literal["open", "taken", "done"]
    asked_at: str
    taken_by: Named | None
    taken_at: str | None
    done_at: str | None


class DayNumbers(TypedDict):
    """The numbers of a day, by the `formulas` of the day. A ratio is null where there is nothing to divide by."""

    offered: int
    handled: int
    no_answer: int
    rejected: int
    outbound: int
    ring_ms: int
    talk_ms: int
    hold_ms: int
    wrap_ms: int
    aht_ms: int | None
    on_contact_ms: int
    ready_ms: int
    occupancy: float | None


class StateTimeView(TypedDict):
    """How long the agent was in a state with one reason."""

    name: str
    reason: str | None
    ms: int


class StateSpanView(TypedDict):
    """The agent was in this state from `since` on; `until` is null while they still are."""

    name: str
    reason: str | None
    since: str
    until: str | None
    by: dict[str, Any] | None
    because: dict[str, Any] | None


MyDayView = TypedDict(
    "MyDayView",
    {
        "date": str,
        "zone": str,
        "from": str,
        "to": str,
        "numbers": DayNumbers,
        "states": list[StateTimeView],
        "log": list[StateSpanView],
        "formulas": dict[str, str],
    },
)


class ContactTarget(TypedDict):
    """A number of a customer."""

    customer: CustomerBriefView
    number: str
    label: str


class QueueTargetView(QueueView):
    """A queue to transfer to. `ewt` is the estimated wait in ms, null while there is no estimate."""

    ewt: int | None


class TargetsView(TypedDict):
    agents: list[TeamMember]
    queues: list[QueueTargetView]
    contacts: list[ContactTarget]
