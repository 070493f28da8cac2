"""What a file says about a customer, before anyone has checked whether the record has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import zip_longest
from typing import Any

from cti_server.rules.facts import ContactKind, ContractStatus, CustomerKind


@dataclass(frozen=True, slots=True)
class PointDraft:
    """A number or address that the customer should have. `e164` is None for an address."""

    kind: ContactKind
    raw: str
    e164: str | None = None
    extension: str | None = None
    label: str = ""


@dataclass(frozen=True, slots=True)
class ContractDraft:
    """A contract that the customer should have. `service_level` is the code of one in the record. `status` None
    keeps the status of a recorded contract, and is `active` for a new one. `ends_on` None keeps its end, unless it
    is `open_ended`: then it has none.
    """

    number: str
    service_level: str
    starts_on: date
    ends_on: date | None = None
    status: ContractStatus | None = None
    minutes_total: int | None = None
    minutes_used: int | None = None
    open_ended: bool = False


@dataclass(frozen=True, slots=True)
class CustomerDraft:
    """A customer that the record should have, identified by `external_ref`.

    `company` is a company's external reference or its name; a company that is missing is created. `fields` are
    those columns of customers for which the file has a value.
    """

    external_ref: str
    kind: CustomerKind
    name: str
    company: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    points: tuple[PointDraft, ...] = ()
    contract: ContractDraft | None = None


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with a row: `form` has a `{}` for each of the `values`, so that flaws of one form are counted
    together, whatever the values are."""

    form: str
    values: tuple[str, ...] = ()

    def __str__(self) -> str:
        # Not `format`: a form may quote what people wrote, braces too.
        return "".join(
            text + value for text, value in zip_longest(self.form.split("{}"), self.values, fillvalue="")
        )


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a draft was left out."""

    flaw: Flaw
