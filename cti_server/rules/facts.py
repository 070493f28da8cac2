"""What the rules decide on: frozen facts about customers, contracts, cases, lines and interactions.

A fact carries what is stored and nothing that was concluded from it. The record fills these, the rules read
them, and the API sends them: there is no second shape of a customer. Times are aware UTC datetimes, durations
integer milliseconds, days plain dates. Standard library only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal, get_type_hints

CustomerKind = Literal["person", "company"]
Standing = Literal["verified", "shared", "guess"]
"""How far a number speaks for its owner: confirmed theirs, known to be used by several, or only seen once."""
ContactKind = Literal["phone", "email"]
ContractStatus = Literal["active", "suspended", "cancelled"]
CaseStatus = Literal["open", "waiting", "closed"]
PromiseKind = Literal["callback", "visit", "other"]
PromiseState = Literal["open", "kept", "broken", "cancelled"]
Role = Literal["agent", "supervisor", "administrator"]
Language = Literal["en", "zh"]
Channel = Literal["voice", "email", "chat", "visit", "sms"]
Direction = Literal["inbound", "outbound", "internal"]
Outcome = Literal[
    "answered",
    "abandoned",
    "short_abandon",
    "no_agent",
    "no_answer",
    "left_in_ivr",
    "busy",
    "failed",
    "transferred",
    "outbound",
    "internal",
    "unseen",
]


@dataclass(frozen=True, slots=True)
class CompanyBrief:
    """The company a person belongs to, as far as a card names it."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class AgentBrief:
    """An agent as another fact names them. `seat` is the phone's interface, `PJSIP/1001`, or None."""

    id: int
    name: str
    seat: str | None = None


@dataclass(frozen=True, slots=True)
class ContactPoint:
    """One number or address of a customer. `e164` is None for an email or a malformed number."""

    id: int
    customer_id: int
    kind: ContactKind
    label: str
    raw: str
    e164: str | None
    extension: str | None
    standing: Standing
    chosen_count: int = 0
    last_chosen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Customer:
    """A person or a company. `version` rises with each edit; a stale edit is refused by comparing it."""

    id: int
    kind: CustomerKind
    name: str
    company: CompanyBrief | None = None
    role_title: str | None = None
    salutation: str | None = None
    tier: str | None = None
    language: str | None = None
    time_zone: str | None = None
    preferred_agent: AgentBrief | None = None
    remarks: str | None = None
    external_ref: str | None = None
    contact_points: tuple[ContactPoint, ...] = ()
    created_at: datetime | None = None
    updated_at: datetime | None = None
    version: int = 1


def texts_of(fact: type) -> list[str]:
    """The fields of a fact that are plain text or None, by name: what may be copied without knowing more of it."""
    return [name for name, kind in get_type_hints(fact).items() if kind == str | None]


@dataclass(frozen=True, slots=True)
class ServiceLevel:
    """What a contract promises. `queue_priority` is the integer given to QUEUE_PRIO, larger is sooner."""

    id: int
    code: str
    name_en: str
    name_zh: str
    tier_rank: int
    queue_priority: int
    response_minutes: int | None = None
    resolve_minutes: int | None = None
    calendar: str | None = None


@dataclass(frozen=True, slots=True)
class Contract:
    """A service contract. Both days are inclusive, in the customer's calendar; no `ends_on` is open-ended.

    `minutes_total` is None for a contract that is not counted in hours.
    """

    id: int
    customer_id: int
    number: str
    service_level: ServiceLevel
    status: ContractStatus
    status_reason: str | None
    starts_on: date
    ends_on: date | None
    minutes_total: int | None = None
    minutes_used: int = 0


@dataclass(frozen=True, slots=True)
class Product:
    """Something the customer holds. `contract` is the number of the contract that covers it."""

    id: int
    customer_id: int
    name: str
    serial: str | None = None
    installed_on: date | None = None
    contract_id: int | None = None
    contract: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """A problem being worked on. Priority 1 is the most urgent, 4 the least."""

    id: int
    customer_id: int
    number: str
    subject: str
    status: CaseStatus
    priority: int
    opened_at: datetime
    due_at: datetime | None = None
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """What somebody wrote about a customer; `agent` is None when it was imported."""

    id: int
    customer_id: int
    agent: AgentBrief | None
    at: datetime
    text: str
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A number that customers dial (a DID) and what dialling it means.

    `region` is the CLDR region whose numbering plan local numbers are read with; the area code for a short
    local number comes from the line's own number. `queue` is the queue's name on the PBX.
    """

    id: int
    e164: str | None
    raw: str
    region: str
    title_en: str = ""
    title_zh: str = ""
    language: str | None = None
    queue: str | None = None
    switchboard: bool = False


@dataclass(frozen=True, slots=True)
class InteractionBrief:
    """One line of a customer's history. `outcome` is None while the contact is still going on."""

    id: int
    channel: Channel
    direction: Direction
    at: datetime
    outcome: Outcome | None = None
    queue: str | None = None
    agent_name: str | None = None
    talk_ms: int | None = None
    subject: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """Something promised to a customer: `starts_at` (if any) to `due_at`.

    `state` is `broken` from `due_at` on, until somebody makes it good (`kept`) or gives it another time.
    """

    id: int
    customer_id: int
    customer_name: str
    kind: PromiseKind
    text: str
    number: str | None
    starts_at: datetime | None
    due_at: datetime
    remind_ms: int
    raise_at: datetime
    raised_at: datetime | None
    broken_at: datetime | None
    state: PromiseState
    owner_id: int | None
    owner_name: str | None
    created_by: int | None
    created_by_name: str | None
    created_at: datetime
    settled_by: int | None
    settled_at: datetime | None
    interaction_id: int | None
    version: int


@dataclass(frozen=True, slots=True)
class Holder:
    """A customer whom a number may be, and what says so.

    `contact_point` is None for one whom agents chose for the number though the record does not list it, and
    for the people of a company whose number it is. `chosen_count` and `last_chosen_at` are the agents'
    choices for it.
    """

    customer: Customer
    contact_point: ContactPoint | None = None
    chosen_count: int = 0
    last_chosen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a rule decided so: a stable code that the desktop renders, and the facts it names (JSON values)."""

    code: str
    params: Mapping[str, str | int | bool | None] = field(default_factory=dict)
