"""The shapes of everything on /ws: each event with its body, each frame, the snapshots of the topics.

They are for the OpenAPI document and the types made from it. Nothing is checked against them when it is sent.
"""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, get_args, get_type_hints

from pydantic import Field
from typing_extensions import TypedDict

from cti_server.api.desk_shapes import DraftView, HelpView, MessageView, ReasonCodeView
from cti_server.api.live_shapes import (
    AgentStateView,
    CallVerb,
    CallView,
    HandoverView,
    LinkView,
    MemberView,
    PartView,
    QueueView,
    TeamMember,
)
from cti_server.api.shapes import Me, ShiftView
from cti_server.lookup.shapes import Card, PromiseView, ReasonView
from cti_server.rules.facts import DeskLanguage, Role

# --- bodies ------------------------------------------------------------------------------------------------


class CallBody(TypedDict):
    """A call as it is now. `reason` says why it changed, where the event's kind does not."""

    call: CallView
    reason: str | None


class PartBody(TypedDict):
    """An agent's part as it is now, and what happened to it.

    `view` is the call, in the first event that this agent gets of it; the card and the handover come with it.
    `leaves`: the agent has no part in the call any more.
    """

    agent: int | None
    call: str
    part: PartView
    happened: Literal[
        "offered", "answered", "offer_ended", "held", "retrieved", "not_reached", "left", "wrapped", "changed"
    ]
    reason: str | None
    view: CallView | None
    leaves: bool
    card: Card | None
    handover: HandoverView | None


class CardBody(TypedDict):
    call: str
    card: Card | None


class QueueBody(TypedDict):
    queue: QueueView


class QueueRemovedBody(TypedDict):
    """The PBX does not have this queue any more."""

    pbx: str
    queue: str


class MemberBody(TypedDict):
    """A member as they are now; `member` is null when they left the queue."""

    pbx: str
    queue: str
    interface: str
    member: MemberView | None


class MeBody(TypedDict):
    """All of an agent at this PBX that their own desktop shows: state, queues, and the phone where they work."""

    agent: int
    pbx: str
    name: str
    extension: str | None
    role: Role
    state: AgentStateView
    queues: list[str]
    shift: ShiftView | None


class TeamBody(TypedDict):
    """The colleagues whose state changed."""

    agents: list[TeamMember]


class LinkBody(LinkView):
    pbx: str


class ProblemBody(TypedDict):
    """`reason` is there where a rule refused it."""

    code: str
    detail: str
    remedy: str | None
    reason: NotRequired[ReasonView]


class DoneBody(TypedDict):
    """The result of a request; `problem` is null when all went well."""

    request: str
    command: CallVerb | Literal["dial", "begin_shift", "end_shift", "set_state", "help"]
    call: str | None
    ok: bool
    problem: ProblemBody | None


class PhoneAnswerBody(TypedDict):
    """The agent's browser phone must answer this leg."""

    call: str
    leg: str


class PhoneClaimedBody(TypedDict):
    """This desktop is the agent's phone now; their other desktops must let go of it."""

    agent: int
    desktop: str


class CustomerBody(TypedDict):
    customer: int
    version: int


class InteractionBody(TypedDict):
    interaction: int
    customer: int | None


class DraftBody(TypedDict):
    agent: int
    draft: DraftView


class PromiseBody(TypedDict):
    promise: PromiseView


class MessageBody(TypedDict):
    message: MessageView


class ReadBody(TypedDict):
    agent: int
    read_to: int
    unread: int


class HelpBody(TypedDict):
    help: HelpView


class SettingsBody(TypedDict):
    agent: int
    language: DeskLanguage
    auto_answer: bool


class ReasonsBody(TypedDict):
    reasons: list[ReasonCodeView]


class CodesBody(TypedDict):
    """An empty body: read the codes again."""


# --- events ------------------------------------------------------------------------------------------------


class _Event(TypedDict):
    """Something that happened, at its place in its stream. `provisional` is there, and true, while it is not in
    the record yet: see ConfirmedFrame."""

    type: Literal["event"]
    stream: str
    seq: int
    at: str
    provisional: NotRequired[bool]


CallKind = Literal[
    "call.started",
    "call.queued",
    "call.answered",
    "call.transferred",
    "call.parked",
    "call.conferenced",
    "call.identified",
    "call.changed",
    "call.ended",
]


class CallEvent(_Event):
    kind: CallKind
    body: CallBody


class PartEvent(_Event):
    kind: Literal["part.changed"]
    body: PartBody


class CardEvent(_Event):
    kind: Literal["card.changed"]
    body: CardBody


class QueueEvent(_Event):
    kind: Literal["queue.changed"]
    body: QueueBody


class QueueRemovedEvent(_Event):
    kind: Literal["queue.removed"]
    body: QueueRemovedBody


class MemberEvent(_Event):
    kind: Literal["member.changed"]
    body: MemberBody


class MeEvent(_Event):
    kind: Literal["me.changed"]
    body: MeBody


class TeamEvent(_Event):
    kind: Literal["team.changed"]
    body: TeamBody


class LinkEvent(_Event):
    kind: Literal["link.changed"]
    body: LinkBody


class DoneEvent(_Event):
    kind: Literal["command.done"]
    body: DoneBody


class PhoneAnswerEvent(_Event):
    kind: Literal["phone.answer"]
    body: PhoneAnswerBody


class PhoneClaimedEvent(_Event):
    kind: Literal["phone.claimed"]
    body: PhoneClaimedBody


class CustomerEvent(_Event):
    kind: Literal["customer.changed"]
    body: CustomerBody


class InteractionEvent(_Event):
    kind: Literal["interaction.changed"]
    body: InteractionBody


class DraftEvent(_Event):
    kind: Literal["draft.changed"]
    body: DraftBody


class PromiseEvent(_Event):
    kind: Literal["promise.changed", "promise.due"]
    body: PromiseBody


class MessageEvent(_Event):
    kind: Literal["message.sent"]
    body: MessageBody


class ReadEvent(_Event):
    kind: Literal["message.read"]
    body: ReadBody


class HelpEvent(_Event):
    kind: Literal["help.changed"]
    body: HelpBody


class SettingsEvent(_Event):
    kind: Literal["settings.changed"]
    body: SettingsBody


class ReasonsEvent(_Event):
    kind: Literal["reasons.changed"]
    body: ReasonsBody


class CodesEvent(_Event):
    kind: Literal["codes.changed"]
    body: CodesBody


ServerEvent = Annotated[
    CallEvent
    | PartEvent
    | CardEvent
    | QueueEvent
    | QueueRemovedEvent
    | MemberEvent
    | MeEvent
    | TeamEvent
    | LinkEvent
    | DoneEvent
    | PhoneAnswerEvent
    | PhoneClaimedEvent
    | CustomerEvent
    | InteractionEvent
    | DraftEvent
    | PromiseEvent
    | MessageEvent
    | ReadEvent
    | HelpEvent
    | SettingsEvent
    | ReasonsEvent
    | CodesEvent,
    Field(discriminator="kind"),
]

# --- the other frames --------------------------------------------------------------------------------------


class SnapshotView(TypedDict):
    """What a desktop shows first: the agent's calls with their parts and cards, and the queues that they serve."""

    me: Me | None
    links: dict[str, LinkView]
    calls: list[CallView]
    parts: list[PartView]
    cards: dict[str, Card | None]
    queues: list[QueueView]


class FloorTopic(TypedDict):
    calls: list[CallView]
    queues: list[QueueView]


class TeamTopic(TypedDict):
    team: list[TeamMember]


class QueueTopic(TypedDict):
    queue: QueueView
    members: list[MemberView]


class CallTopic(TypedDict):
    call: CallView | None
    parts: list[PartView]


class CustomerTopic(TypedDict):
    """`version` is null for a customer who is gone; `promises` are the open ones."""

    customer: int
    version: int | None
    promises: list[PromiseView]


class WelcomeFrame(TypedDict):
    """The session has begun; `snapshot` is null when it was resumed. Of the streams in `provisional` a part of
    what it shows is not in the record yet: see ConfirmedFrame."""

    type: Literal["welcome"]
    server_time: str
    heartbeat_s: int
    positions: dict[str, int]
    provisional: list[str]
    resumed: bool
    snapshot: SnapshotView | None


class WatchingFrame(TypedDict):
    """A topic is open. `snapshot` is what it shows of this stream as of `seq`."""

    type: Literal["watching"]
    topic: str
    stream: str
    seq: int
    snapshot: FloorTopic | TeamTopic | QueueTopic | CallTopic | CustomerTopic


class RefusedFrame(TypedDict):
    """A topic was not opened, or was closed."""

    type: Literal["watching"]
    topic: str
    refused: Literal["not_yours", "unknown"]


class HeartbeatFrame(TypedDict):
    type: Literal["heartbeat"]
    server_time: str
    positions: dict[str, int]


class ConfirmedFrame(TypedDict):
    """What came with `provisional` in this stream, up to this number, is in the record. A client that loses its
    connection before this came says `hello`, not `resume`: what it was told may never come into the record."""

    type: Literal["confirmed"]
    stream: str
    seq: int


class RecordFrame(TypedDict):
    """The record cannot be used since then; null when it can again. Of the streams in `stale` nothing is heard
    meanwhile; what happens in the others comes as events marked `provisional`."""

    type: Literal["record"]
    away_since: str | None
    stale: list[str]


class ResetFrame(TypedDict):
    """The missed events cannot all be sent: a welcome with a fresh snapshot follows."""

    type: Literal["reset"]
    reason: str


Frame = (
    ServerEvent
    | WelcomeFrame
    | WatchingFrame
    | RefusedFrame
    | HeartbeatFrame
    | ConfirmedFrame
    | RecordFrame
    | ResetFrame
)


def kinds() -> frozenset[str]:
    """All kinds of events."""
    union = get_args(ServerEvent)[0]
    return frozenset(kind for event in get_args(union) for kind in get_args(get_type_hints(event)["kind"]))
