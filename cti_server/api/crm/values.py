"""A customer's tier and preferred agent: who may change them, and who did."""

from __future__ import annotations

from fastapi import APIRouter

from cti_server.api.params import Id
from cti_server.api.principal import DepsIn, Principal, Signed
from cti_server.api.problems import Problem, documented
from cti_server.api.shapes import ValueChangeView
from cti_server.lookup.shapes import stamp
from cti_server.record.crm import customer_values, customers
from cti_server.record.crm.customer_values import Author, ValueChange
from cti_server.rules.rights import Viewer, may_value_customers

routes = APIRouter(prefix="/api/customers", tags=["customers"])


@routes.get("/{customer}/values", operation_id="getValueChanges", responses=documented(401, 404, 422))
async def get_value_changes(customer: Id, _: Signed, deps: DepsIn) -> list[ValueChangeView]:
    """Who changed the customer's tier and preferred agent, when and why: the last hundred, the latest first."""
    async with deps.database.read() as conn:
        await customers.values_of(conn, customer)
        return [_view(one) for one in await customer_values.of_customer(conn, customer)]


def author(principal: Principal) -> Author:
    """Who changes something now, by the name that they have."""
    if principal.key is not None:
        return Author("program", principal.key.name)
    return Author("person", principal.agent.name, principal.id)


def allow(viewer: Viewer) -> None:
    """Raises a 403 problem for whoever may not change tier and preferred agent."""
    if not may_value_customers(viewer):
        raise Problem(
            403,
            "not_your_value",
            "only supervisors and administrators change a customer's tier and preferred agent",
            remedy="Leave both as they are, and ask a supervisor.",
        )


def _view(one: ValueChange) -> ValueChangeView:
    return {
        "id": one.id,
        "version": one.version,
        "at": stamp(one.at),
        "field": one.field,
        "before": one.before,
        "after": one.after,
        "origin": one.author.origin,
        "author": one.author.name,
        "author_id": one.author.agent_id,
        "reason": one.reason,
    }
