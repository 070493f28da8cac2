"""The card shows a customer whole: each key of the view is there, with what the record has."""

from __future__ import annotations

from dataclasses import fields
from typing import get_type_hints

from cti_server.lookup.card import customer_view
from cti_server.lookup.shapes import CustomerView
from cti_server.rules.facts import AgentBrief, CompanyBrief, Customer, texts_of


def test_a_customers_view_has_its_keys_and_what_the_fact_says() -> None:
    texts = {name: f"the {name}" for name in texts_of(Customer)}
    customer = Customer(
        id=1,
        kind="person",
        name="Erika",
        company=CompanyBrief(2, "Acme"),
        preferred_agent=AgentBrief(3, "Li"),
        **texts,
    )
    view = customer_view(customer)
    assert view.keys() == get_type_hints(CustomerView).keys()
    assert {name: view[name] for name in texts} == texts  # type: ignore[literal-required]
    assert view["salutation"] == "the salutation"
    assert (view["company"], view["preferred_agent"]) == ({"id": 2, "name": "Acme"}, {"id": 3, "name": "Li"})


def test_the_fields_of_a_customer_that_are_text() -> None:
    assert {"role_title", "salutation", "tier", "external_ref"} <= set(texts_of(Customer))
    assert not {"id", "kind", "name", "company", "version"} & set(texts_of(Customer))
    assert set(texts_of(Customer)) <= {field.name for field in fields(Customer)}
