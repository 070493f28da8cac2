"""What a file says about a customer, before it is known whether the record has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from cti_server.rules.facts import ContactKind, ContractStatus, CustomerKind


@dataclass(frozen=True, slots=True)
class PointDraft:
    """A number or address to have. `e164` is None for an address."""

    kind: ContactKind
    raw: str
    e164: str | None = None
    extension: str | None = None
    label: str = ""


@dataclass(frozen=True, slots=True)
class ContractDraft:
    """A contract to have. `service_level` is its code, which exists; None as a status means as it was, or
    active.
    """

    number: str
    service_level: str
    starts_on: date
    ends_on: date | None = None
    status: ContractStatus | None = None
    minutes_total: int | None = None
    minutes_used: int | None = None


@dataclass(frozen=True, slots=True)
class CustomerDraft:
    """A customer to have, known again by `external_ref`.

    `company` is a company's external reference or its name; one that nobody has is created. `fields` are
    columns of customers that the file has a value for.
    """

    external_ref: str
    kind: CustomerKind
    name: str
    company: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    points: tuple[PointDraft, ...] = ()
    contract: ContractDraft | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a draft was left out."""

    reason: str
