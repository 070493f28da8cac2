"""What the customer's contracts say about a call at a given moment, with the rule that decided and its evidence.

Days are counted in the customer's time zone: a contract that ends on the 31st covers a call until midnight there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal
from zoneinfo import ZoneInfo

from cti_server.rules.facts import CompanyBrief, Contract, Reason

VerdictCode = Literal[
    "covered", "hours_left", "hours_spent", "suspended", "not_started", "expired", "cancelled", "none"
]

_BEST_FIRST: Final[tuple[VerdictCode, ...]] = (
    "covered",
    "hours_left",
    "hours_spent",
    "suspended",
    "not_started",
    "expired",
    "cancelled",
)
_RULE: Final[dict[VerdictCode, str]] = {
    "covered": "contract.within_dates",
    "hours_left": "contract.hours",
    "hours_spent": "contract.hours_spent",
    "suspended": "contract.suspended",
    "not_started": "contract.before_start",
    "expired": "contract.past_end",
    "cancelled": "contract.cancelled",
    "none": "contract.absent",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer, the rule that gave it with the facts that it used, and the contract that it is about."""

    code: VerdictCode
    rule: Reason
    contract: Contract | None


def verdict(
    contracts: Sequence[Contract],
    at: datetime,
    time_zone: str | None,
    company: CompanyBrief | None = None,
) -> Verdict:
    """Judge all `contracts` at `at` (aware), and answer for the contract that gives the most.

    A company's contracts (`customer_id` is `company.id`) count for its people; a person's own contract wins where
    both give the same. A time zone that is missing or unknown is read as UTC.
    """
    if not contracts:
        return Verdict("none", Reason(_RULE["none"]), None)
    today = at.astimezone(zone(time_zone)).date()

    def goodness(contract: Contract) -> tuple[int, bool, int, int, int]:
        ends = contract.ends_on or date.max
        # Of contracts that have begun, the one that ends last is best; of those to come, the one that starts
        # first.
        days = contract.starts_on.toordinal() if contract.starts_on > today else -ends.toordinal()
        code = _code(contract, today)
        level = contract.service_level
        return (
            _BEST_FIRST.index(code),
            _is_companys(contract, company),
            -level.queue_priority,
            days,
            contract.id,
        )

    best = min(contracts, key=goodness)
    code = _code(best, today)
    params = _evidence(best, code, today)
    rule = _RULE[code]
    if company is not None and _is_companys(best, company):
        params["company"] = company.name
        if code in ("covered", "hours_left"):
            rule = "contract.of_company"
    if len(contracts) > 1:
        params["of"] = len(contracts)
    return Verdict(code, Reason(rule, params), best)


def zone(name: str | None) -> ZoneInfo:
    """The time zone of this IANA name; UTC when it is missing or this server does not have it."""
    return ZoneInfo(name) if name and is_time_zone(name) else ZoneInfo("UTC")


def is_time_zone(name: str) -> bool:
    """Whether this is the IANA name of a time zone that this server has."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # KeyError: not found. OSError: the name of a folder
        return False
    return True


def minutes_left(contract: Contract) -> int | None:
    """Unused minutes, never below zero; None for a contract without a limit of hours."""
    if contract.minutes_total is None:
        return None
    return max(0, contract.minutes_total - contract.minutes_used)


def _code(contract: Contract, today: date) -> VerdictCode:
    if contract.status == "cancelled":
        return "cancelled"
    if contract.ends_on is not None and today > contract.ends_on:
        return "expired"
    if contract.status == "suspended":
        return "suspended"
    if today < contract.starts_on:
        return "not_started"
    left = minutes_left(contract)
    if left is None:
        return "covered"
    return "hours_left" if left else "hours_spent"


def _evidence(contract: Contract, code: VerdictCode, today: date) -> dict[str, str | int | bool | None]:
    params: dict[str, str | int | bool | None] = {"contract": contract.number}
    if contract.ends_on is not None:
        params["ends_on"] = contract.ends_on.isoformat()
    match code:
        case "covered" | "hours_left" | "hours_spent":
            if contract.ends_on is not None:
                params["days"] = (contract.ends_on - today).days
            if contract.minutes_total is not None:
                params["minutes_left"] = minutes_left(contract)
                params["minutes_total"] = contract.minutes_total
        case "expired" if contract.ends_on is not None:
            params["days"] = (today - contract.ends_on).days
        case "not_started":
            params["starts_on"] = contract.starts_on.isoformat()
            params["days"] = (contract.starts_on - today).days
        case "suspended" | "cancelled":
            params["why"] = contract.status_reason
    return params


def _is_companys(contract: Contract, company: CompanyBrief | None) -> bool:
    return company is not None and contract.customer_id == company.id
