"""The card as JSON: one typed shape for the websocket, REST and the desktop's generated types.

The desktop puts codes into words in its own language; `params` holds the facts for them. Times are RFC 3339 in UTC
with milliseconds, days are ISO dates, durations are integer milliseconds.
"""

from __future__ import annotations

from datetime import UTC, datetime

from typing_extensions import TypedDict

from cti_server.rules.facts import PromiseKind, PromiseState

Params = dict[str, str | int | bool | None]


class ReasonView(TypedDict):
    code: str
    params: Params


class Named(TypedDict):
    id: int
    name: str


class ContactPointView(TypedDict):
    id: int
    kind: str
    label: str
    raw: str
    e164: str | None
    extension: str | None
    standing: str


class CustomerBriefView(TypedDict):
    id: int
    kind: str
    name: str
    tier: str | None
    company: Named | None


class CustomerView(CustomerBriefView):
    language: str | None
    role_title: str | None
    salutation: str | None
    time_zone: str | None
    preferred_agent: Named | None
    remarks: str | None
    external_ref: str | None
    contact_points: list[ContactPointView]
    version: int


class NumberView(TypedDict):
    raw: str
    e164: str | None
    extension: str | None
    kind: str
    reason: str
    place: str | None
    place_zh: str | None


class CandidateView(TypedDict):
    customer: CustomerBriefView
    standing: str
    reason: ReasonView


class MatchView(TypedDict):
    standing: str
    reason: ReasonView
    candidates: list[CandidateView]


class ServiceLevelView(TypedDict):
    code: str
    name_en: str
    name_zh: str
    response_minutes: int | None
    resolve_minutes: int | None
    queue_priority: int


class ContractView(TypedDict):
    id: int
    number: str
    customer_id: int
    service_level: ServiceLevelView
    starts_on: str
    ends_on: str | None
    minutes_total: int | None
    minutes_used: int
    status: str
    status_reason: str | None


class VerdictView(TypedDict):
    code: str
    rule: ReasonView
    contract: ContractView | None


class ProductView(TypedDict):
    id: int
    name: str
    serial: str | None
    installed_on: str | None
    contract: str | None


class CaseView(TypedDict):
    id: int
    number: str
    subject: str
    status: str
    priority: int
    opened_at: str
    due_at: str | None
    closed_at: str | None


class NoteView(TypedDict):
    id: int
    at: str
    agent: Named | None
    text: str
    pinned: bool


class RecentView(TypedDict):
    id: int
    channel: str
    direction: str
    at: str
    outcome: str | None
    queue: str | None
    agent: str | None
    talk_ms: int | None
    subject: str | None
    note: str | None


PromiseView = TypedDict(
    "PromiseView",
    {
        "id": int,
        "customer": Named,
        "kind": PromiseKind,
        "text": str,
        "number": str | None,
        "from": str | None,
        "due": str,
        "remind_ms": int,
        "state": PromiseState,
        "owner": Named | None,
        "created_by": Named | None,
        "created_at": str,
        "interaction": int | None,
        "raised_at": str | None,
        "broken_at": str | None,
        "settled_at": str | None,
        "version": int,
    },
)
"""What was promised to `customer`, to be kept between `from` and `due`; `number` is where to call back."""


class BecauseView(TypedDict):
    code: str
    params: Params
    ref: str


class Card(TypedDict):
    """What the agent sees when the phone rings. The call's own view has path, wait, queue and DNIS."""

    call: str
    customer: CustomerView | None
    number: NumberView
    match: MatchView
    verdict: VerdictView
    products: list[ProductView]
    cases: list[CaseView]
    notes: list[NoteView]
    recent: list[RecentView]
    promises: list[PromiseView]
    why: list[BecauseView]


def stamp(at: datetime) -> str:
    """A time in JSON: `2026-11-22T05:00:00.123Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def stamp_or_none(at: datetime | None) -> str | None:
    return None if at is None else stamp(at)
