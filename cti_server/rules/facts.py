"""The facts that the rules decide on: customers, contracts, cases, lines and interactions, all frozen.

A fact holds what is stored, never a conclusion. The record makes facts, the rules read them and the API sends
them, so a customer has one shape only. Times are aware UTC datetimes, durations integer milliseconds, days plain
dates. This module uses the standard library only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal, get_type_hints

CustomerKind = Literal["person", "company"]
Standing = Literal["verified", "shared", "guess"]
"""How sure a number is its owner's: `verified` is confirmed, `shared` has several users, `guess` came up once."""
ContactKind = Literal["phone", "email"]
ContractStatus = Literal["active", "suspended", "cancelled"]
CaseStatus = Literal["open", "waiting", "closed"]
PromiseKind = Literal["callback", "visit", "other"]
PromiseState = Literal["open", "kept", "broken", "cancelled"]
Role = Literal["agent", "supervisor", "administrator"]
DialForm = Literal["e164", "digits", "national"]
"""How a PBX is told a number outside: `+8675512345678`, its digits alone, or as its region dials it."""
Language = Literal["en", "zh"]
DeskLanguage = Literal["en", "zh", "browser"]
"""What a person's desk speaks; `browser` until they choose: whatever their browser has."""
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
    "transfer_failed",
    "outbound",
    "internal",
    "unseen",
]
ToldBy = Literal["cel", "cel_end"]
"""Who told of a contact that the server did not see, or not its end: the PBX's log of channel events."""


@dataclass(frozen=True, slots=True)
class CompanyBrief:
    """The company that a person belongs to, as a card names it."""

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
    """A person or a company. `version` rises with each edit; an edit of an older version is refused."""

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
    """The names of a fact's fields of type `str | None`, which may be copied without a rule of their own."""
    return [name for name, kind in get_type_hints(fact).items() if kind == str | None]


@dataclass(frozen=True, slots=True)
class ServiceLevel:
    """What a contract promises. `queue_priority` is the integer for QUEUE_PRIO; larger is answered sooner."""

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
    """A service contract. Both days are inclusive, in the customer's time zone; None as `ends_on` is open-ended.

    `minutes_total` is None for a contract without a limit of hours.
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

    Local numbers are read by the numbering plan of `region` (CLDR). A short local number gets its area code from
    the line's own number. `queue` is the queue's name on the PBX.
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
    """One line of a customer's history. `outcome` is None while the contact goes on."""

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
    """Something promised to a customer for the time from `starts_at` (if any) to `due_at`.

    An unkept promise is `broken` from `due_at` on, until somebody keeps it after all or gives it another time.
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
    """A customer to whom a number may belong, with the evidence.

    `contact_point` is None where the record does not list the number under the customer: agents chose the customer
    for it, or it is their company's. `chosen_count` and `last_chosen_at` are the agents' choices for the number.
    """

    customer: Customer
    contact_point: ContactPoint | None = None
    chosen_count: int = 0
    last_chosen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a rule decided as it did: a stable code for the desktop to word, and the facts (JSON values)."""

    code: str
    params: Mapping[str, str | int | bool | None] = field(default_factory=dict)
