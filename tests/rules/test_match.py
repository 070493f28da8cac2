"""Who a number may be: what the record holds, who is offered in which order, and who is picked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cti_server.rules.facts import CompanyBrief, ContactPoint, Customer, Holder, Standing
from cti_server.rules.match import Match, match
from cti_server.rules.numbers import Number, normalise

NUMBER = normalise("+861085551234", "CN")
FROM_8001 = normalise("+861085551234-8001", "CN")
ACME = CompanyBrief(100, "Acme")
LATER = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)
EARLIER = LATER - timedelta(days=3)


def person(id_: int, name: str, company: CompanyBrief | None = None) -> Customer:
    return Customer(id=id_, kind="person", name=name, company=company)


def holds(
    customer: Customer,
    standing: Standing = "verified",
    extension: str | None = None,
    chosen: int = 0,
    at: datetime | None = None,
) -> Holder:
    point = ContactPoint(
        id=customer.id * 10,
        customer_id=customer.id,
        kind="phone",
        label="work",
        raw="010-85551234",
        e164="+861085551234",
        extension=extension,
        standing=standing,
    )
    return Holder(customer, point, chosen, at)


def offered(found: Match) -> list[tuple[str, str, str]]:
    return [(one.customer.name, one.standing, one.reason.code) for one in found.candidates]


LI, WANG, ZHAO = person(1, "Li"), person(2, "Wang"), person(3, "Zhao")
COMPANY = Customer(id=100, kind="company", name="Acme")
AT_ACME = person(4, "Chen", ACME)


def test_nobody_has_it() -> None:
    found = match(NUMBER, [])
    assert (found.standing, found.reason.code, found.customer) == ("none", "unknown_number", None)


def test_numbers_that_are_nobodys() -> None:
    for raw, code in [("anonymous", "withheld"), ("12125551234", "malformed"), ("1001", "unknown_number")]:
        found = match(normalise(raw, "CN"), [holds(LI)])
        assert (found.standing, found.reason.code, found.candidates) == ("none", code, ())
    assert match(normalise("12125551234", "CN"), []).reason.params == {"why": "not_in_plan"}


def test_one_verified() -> None:
    found = match(NUMBER, [holds(LI)])
    assert (found.customer, found.standing, found.reason.code) == (LI, "verified", "verified_number")


def test_the_only_one_even_if_unsure_is_shown_as_unsure() -> None:
    for standing in ("shared", "guess"):
        found = match(NUMBER, [holds(LI, standing)])
        assert (found.customer, found.standing, found.reason.code) == (LI, standing, "only_customer")


def test_better_standing_is_picked_and_the_others_are_offered() -> None:
    found = match(NUMBER, [holds(ZHAO, "guess"), holds(WANG, "shared"), holds(LI, "verified")])
    assert found.customer == LI
    assert found.reason.code == "verified_number"
    assert offered(found) == [
        ("Li", "verified", "verified_number"),
        ("Wang", "shared", "shared_number"),
        ("Zhao", "guess", "guess_number"),
    ]


def test_equals_are_offered_and_none_is_picked() -> None:
    for standing, of_all in [("verified", "shared"), ("shared", "shared"), ("guess", "guess")]:
        found = match(NUMBER, [holds(WANG, standing), holds(LI, standing)])
        assert found.customer is None
        assert (found.standing, found.reason.code) == (of_all, "shared_number")
        assert found.reason.params == {"customers": 2}
        assert [one.customer.name for one in found.candidates] == ["Li", "Wang"]


def test_an_agents_choice_is_remembered() -> None:
    found = match(NUMBER, [holds(WANG, "guess", chosen=1, at=EARLIER), holds(LI, "verified")])
    assert (found.customer, found.reason.code, found.reason.params) == (WANG, "chosen_before", {"times": 1})
    assert found.standing == "guess"  # a choice orders; it does not verify


def test_a_choice_without_a_contact_point_counts() -> None:
    found = match(NUMBER, [Holder(WANG, None, 2, EARLIER), holds(LI, "shared")])
    assert (found.customer, found.standing) == (WANG, "guess")


def test_two_were_chosen_before() -> None:
    often_and_last = match(NUMBER, [holds(LI, chosen=3, at=LATER), holds(WANG, chosen=1, at=EARLIER)])
    assert often_and_last.customer == LI
    often = match(NUMBER, [holds(LI, chosen=3, at=EARLIER), holds(WANG, chosen=1, at=LATER)])
    assert often.customer is None
    assert [one.customer.name for one in often.candidates] == ["Li", "Wang"]
    even = match(NUMBER, [holds(LI, chosen=1, at=LATER), holds(WANG, chosen=1, at=EARLIER)])
    assert even.customer is None


def test_company_number_offers_its_people() -> None:
    found = match(NUMBER, [holds(COMPANY)], people=[Holder(AT_ACME), Holder(person(5, "Bai", ACME))])
    assert (found.customer, found.reason.code) == (COMPANY, "company_number")
    assert offered(found) == [
        ("Acme", "verified", "company_number"),
        ("Bai", "guess", "switchboard"),
        ("Chen", "guess", "switchboard"),
    ]
    assert found.candidates[1].reason.params == {"company": "Acme"}


def test_a_person_chosen_behind_the_switchboard_comes_first() -> None:
    found = match(NUMBER, [holds(COMPANY)], people=[Holder(AT_ACME, None, 1, LATER)])
    assert (found.customer, found.reason.code) == (AT_ACME, "chosen_before")
    assert [one.customer.name for one in found.candidates] == ["Chen", "Acme"]


def test_a_person_and_their_own_company_on_one_number() -> None:
    found = match(NUMBER, [holds(AT_ACME), holds(COMPANY)])
    assert found.customer == COMPANY
    assert [one.customer.name for one in found.candidates] == ["Acme", "Chen"]


def test_a_stranger_and_a_company_on_one_number_are_equals() -> None:
    assert match(NUMBER, [holds(LI), holds(COMPANY)]).customer is None


def test_the_callers_own_extension_decides() -> None:
    holders = [holds(COMPANY), holds(AT_ACME, extension="8001"), holds(LI, extension="8002")]
    found = match(FROM_8001, holders)
    assert found.customer == AT_ACME
    assert [one.customer.name for one in found.candidates] == ["Chen", "Acme"]


def test_an_unknown_extension_is_the_company() -> None:
    found = match(FROM_8001, [holds(COMPANY), holds(LI, extension="8002")])
    assert found.customer == COMPANY
    assert [one.customer.name for one in found.candidates] == ["Acme"]


def test_two_contact_points_of_one_customer_are_one_candidate() -> None:
    found = match(NUMBER, [holds(LI, "guess"), holds(LI, "verified")])
    assert [(one.customer.name, one.standing) for one in found.candidates] == [("Li", "verified")]


def test_a_persons_extension_is_not_verified_by_the_number_of_the_house() -> None:
    found = match(NUMBER, [holds(LI, "verified", extension="8001")])
    assert [(one.customer.name, one.standing, one.reason.code) for one in found.candidates] == [
        ("Li", "guess", "switchboard")
    ]


def test_the_order_does_not_depend_on_the_order_of_rows() -> None:
    holders = [holds(LI), holds(WANG, "shared"), holds(ZHAO, "shared"), holds(COMPANY, "guess")]
    assert offered(match(NUMBER, holders)) == offered(match(NUMBER, holders[::-1]))


def test_a_number_without_e164_is_never_looked_up() -> None:
    assert match(Number("x", None, None, "malformed", "letters"), [holds(LI)]).candidates == ()
