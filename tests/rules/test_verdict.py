"""Contracts at a moment, what they say of a call, and the priority that follows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from cti_server.rules.facts import CompanyBrief, Contract, ContractStatus, ServiceLevel
from cti_server.rules.priority import MAX_PRIORITY, priority
from cti_server.rules.verdict import verdict

GOLD = ServiceLevel(1, "gold", "Gold", "金牌", 3, 8, 30, 240)
BASIC = ServiceLevel(2, "basic", "Basic", "基础", 1, 2)
NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)  # noon in Shanghai
SHANGHAI = "Asia/Shanghai"
ACME = CompanyBrief(100, "Acme")


def contract(
    id_: int = 1,
    starts: str = "2026-01-01",
    ends: str | None = "2027-03-31",
    status: ContractStatus = "active",
    minutes: tuple[int, int] | None = None,
    level: ServiceLevel = GOLD,
    customer: int = 7,
) -> Contract:
    total, used = minutes or (None, 0)
    return Contract(
        id=id_,
        customer_id=customer,
        number=f"C-{id_}",
        service_level=level,
        status=status,
        status_reason="unpaid" if status == "suspended" else None,
        starts_on=date.fromisoformat(starts),
        ends_on=date.fromisoformat(ends) if ends else None,
        minutes_total=total,
        minutes_used=used,
    )


ONE = [
    # contract → code, rule, some of the evidence
    (contract(), "covered", "contract.within_dates", {"ends_on": "2027-03-31", "days": 129}),
    (contract(ends=None), "covered", "contract.within_dates", {"contract": "C-1"}),
    (contract(ends="2026-11-22"), "covered", "contract.within_dates", {"days": 0}),
    (contract(starts="2026-11-22"), "covered", "contract.within_dates", {}),
    (contract(ends="2026-11-21"), "expired", "contract.past_end", {"days": 1, "ends_on": "2026-11-21"}),
    (contract(ends="2026-11-10"), "expired", "contract.past_end", {"days": 12}),
    (
        contract(starts="2026-11-23"),
        "not_started",
        "contract.before_start",
        {"days": 1},
    ),
    (contract(status="suspended"), "suspended", "contract.suspended", {"why": "unpaid"}),
    (contract(status="suspended", ends="2026-11-10"), "expired", "contract.past_end", {"days": 12}),
    (contract(status="cancelled"), "cancelled", "contract.cancelled", {"why": None}),
    (
        contract(minutes=(600, 510)),
        "hours_left",
        "contract.hours",
        {"minutes_left": 90},
    ),
    (contract(minutes=(600, 600)), "hours_spent", "contract.hours_spent", {"minutes_left": 0}),
    (contract(minutes=(600, 700)), "hours_spent", "contract.hours_spent", {"minutes_left": 0}),
    (contract(minutes=(0, 0)), "hours_spent", "contract.hours_spent", {"minutes_left": 0}),
    (contract(minutes=(600, 0), ends="2026-01-31"), "expired", "contract.past_end", {}),
]


@pytest.mark.parametrize(("one", "code", "rule", "evidence"), ONE)
def test_one_contract(one: Contract, code: str, rule: str, evidence: dict[str, object]) -> None:
    answer = verdict([one], NOON, SHANGHAI)
    assert (answer.code, answer.rule.code, answer.contract) == (code, rule, one)
    assert answer.rule.params["contract"] == "C-1"
    assert evidence.items() <= answer.rule.params.items()


def test_no_contract() -> None:
    answer = verdict([], NOON, SHANGHAI)
    assert (answer.code, answer.rule.code, answer.contract) == ("none", "contract.absent", None)


@pytest.mark.parametrize(
    ("at", "time_zone", "code"),
    [
        (datetime(2026, 11, 22, 15, 59, tzinfo=UTC), SHANGHAI, "covered"),  # 23:59 on the last day there
        (datetime(2026, 11, 22, 16, 0, tzinfo=UTC), SHANGHAI, "expired"),  # midnight there
        (datetime(2026, 11, 22, 16, 0, tzinfo=UTC), "UTC", "covered"),
        (datetime(2026, 11, 23, 7, 59, tzinfo=UTC), "America/Los_Angeles", "covered"),
        (datetime(2026, 11, 22, 16, 0, tzinfo=UTC), None, "covered"),
        (datetime(2026, 11, 22, 16, 0, tzinfo=UTC), "Nowhere/Land", "covered"),
        (datetime(2026, 11, 22, 16, 0, tzinfo=UTC), "../../etc/passwd", "covered"),
        (datetime(2026, 11, 22, 16, 0, tzinfo=UTC), "Asia", "covered"),
    ],
)
def test_the_last_day_is_the_customers_own(at: datetime, time_zone: str | None, code: str) -> None:
    assert verdict([contract(ends="2026-11-22")], at, time_zone).code == code


SEVERAL = [
    # which of them speaks
    ([contract(1, ends="2026-11-10"), contract(2)], "C-2", "covered"),
    ([contract(1, level=BASIC), contract(2, level=GOLD)], "C-2", "covered"),
    ([contract(1, ends="2026-12-01"), contract(2, ends="2027-12-01")], "C-2", "covered"),
    ([contract(1, ends="2027-12-01"), contract(2, ends=None)], "C-2", "covered"),
    ([contract(1, status="suspended"), contract(2, minutes=(60, 60))], "C-2", "hours_spent"),
    ([contract(1, minutes=(60, 0)), contract(2, level=BASIC)], "C-2", "covered"),
    ([contract(1, ends="2026-11-10"), contract(2, ends="2026-11-20")], "C-2", "expired"),
    ([contract(1, starts="2027-02-01"), contract(2, starts="2026-12-01")], "C-2", "not_started"),
    ([contract(1, status="cancelled"), contract(2, ends="2026-11-10")], "C-2", "expired"),
]


@pytest.mark.parametrize(("several", "number", "code"), SEVERAL)
def test_the_best_of_several_speaks(several: list[Contract], number: str, code: str) -> None:
    for order in (several, several[::-1]):
        answer = verdict(order, NOON, SHANGHAI)
        assert answer.contract is not None
        assert (answer.contract.number, answer.code, answer.rule.params["of"]) == (number, code, 2)


def test_a_companys_contract_covers_its_people() -> None:
    answer = verdict([contract(1, customer=100)], NOON, SHANGHAI, ACME)
    assert (answer.code, answer.rule.code) == ("covered", "contract.of_company")
    assert answer.rule.params["company"] == "Acme"


def test_ones_own_contract_comes_before_the_companys() -> None:
    own, companys = contract(1, level=BASIC), contract(2, level=GOLD, customer=100)
    answer = verdict([companys, own], NOON, SHANGHAI, ACME)
    assert (answer.contract, answer.rule.code) == (own, "contract.within_dates")
    ended = replace(own, ends_on=date(2026, 1, 31))
    assert verdict([companys, ended], NOON, SHANGHAI, ACME).contract == companys


def test_a_companys_expired_contract_says_whose_it_was() -> None:
    answer = verdict([contract(1, customer=100, ends="2026-11-10")], NOON, SHANGHAI, ACME)
    assert (answer.rule.code, answer.rule.params["company"]) == ("contract.past_end", "Acme")


PRIORITIES = [
    ([contract()], None, 8),
    ([contract()], "gold", 10),
    ([contract()], "VIP", 12),
    ([contract(minutes=(60, 60))], None, 4),
    ([contract(status="suspended")], None, 2),
    ([contract(ends="2026-01-31")], None, 0),
    ([contract(ends="2026-01-31")], "gold", 2),
    ([], None, 0),
    ([], "unheard-of", 0),
    ([contract(level=replace(GOLD, queue_priority=900))], "vip", MAX_PRIORITY),
    ([contract(level=replace(GOLD, queue_priority=-5))], None, 0),
]


@pytest.mark.parametrize(("contracts", "tier", "expected"), PRIORITIES)
def test_priority(contracts: list[Contract], tier: str | None, expected: int) -> None:
    assert priority(verdict(contracts, NOON, SHANGHAI), tier) == expected
