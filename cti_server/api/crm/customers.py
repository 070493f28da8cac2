"""Customers: finds them, shows one in full, and changes them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Response
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, create_model

from cti_server.api.crm import values
from cti_server.api.crm.interactions import page_view
from cti_server.api.params import Cursor, Id, Limit
from cti_server.api.ports import Deps
from cti_server.api.principal import DepsIn, Signed
from cti_server.api.problems import FieldError, Problem, documented, not_found
from cti_server.api.shapes import ContractBriefView, CustomerDetail, CustomerPage, CustomerRowView, InteractionPage
from cti_server.desk import Change, of_customer
from cti_server.lookup.card import (
    brief_view,
    case_view,
    contact_point_view,
    contract_view,
    customer_view,
    note_view,
    product_view,
    verdict_view,
)
from cti_server.lookup.shapes import ContactPointView, NoteView
from cti_server.record.center import agents
from cti_server.record.contacts import history
from cti_server.record.crm import cases, contracts, customer_values, customers, notes, products, search
from cti_server.record.crm.search import Found
from cti_server.record.engines import Connection
from cti_server.rules.facts import (
    AgentBrief,
    ContactKind,
    Customer,
    CustomerKind,
    Language,
    Note,
    Standing,
    texts_of,
)
from cti_server.rules.verdict import is_time_zone, verdict

routes = APIRouter(prefix="/api/customers", tags=["customers"])

PEOPLE_SHOWN: Final = 200


def _time_zone(name: str | None) -> str | None:
    if name is not None and not is_time_zone(name):
        raise ValueError("not an IANA time zone such as Asia/Shanghai")
    return name


def _absent(value: object) -> object:
    """None for an empty text: two customers without a reference must not share the reference ''."""
    return None if isinstance(value, str) and not value.strip() else value


Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Short = Annotated[str, StringConstraints(strip_whitespace=True, max_length=80)]
Text = Annotated[str, Field(max_length=10_000)]
ShortOrNone = Annotated[Short | None, BeforeValidator(_absent)]
TextOrNone = Annotated[Text | None, BeforeValidator(_absent)]
ReasonOrNone = Annotated[
    Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] | None, BeforeValidator(_absent)
]
TimeZone = Annotated[str | None, Field(max_length=64), AfterValidator(_time_zone), BeforeValidator(_absent)]

# Why a number was not understood, in words that help to correct it.
_HINTS: Final = {
    "area_code_missing": "write it with its area code",
    "country_code": "no country has this country code",
    "too_short": "it is too short",
    "too_long": "it is too long",
    "letters": "it has letters in it",
    "symbols": "it has symbols in it",
    "short_code": "a short code cannot call",
    "ambiguous": "it can be read in two ways; write it with + and the country code",
    "not_in_plan": "the numbering plan has no such number; write a foreign one with + and the country code",
}


class NewContactPoint(BaseModel):
    """A number or an email address as a person writes it. A number is kept as written and in E.164."""

    model_config = ConfigDict(extra="forbid")

    kind: ContactKind = "phone"
    raw: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
    label: Short = ""
    extension: Annotated[str, Field(pattern=r"^[0-9]{1,10}$")] | None = None
    standing: Standing = "verified"


def _short_texts() -> type[BaseModel]:
    """A model with each editable text of a customer, at most 80 characters long."""
    names = [name for name in texts_of(Customer) if name in customers.EDITABLE]
    fields: dict[str, Any] = dict.fromkeys(names, (ShortOrNone, None))
    return create_model("CustomerTexts", **fields)


class CustomerFields(_short_texts()):  # type: ignore[misc]  # made from the fields of Customer
    """The fields of a customer that a person may write: the short texts, and those with rules of their own."""

    model_config = ConfigDict(extra="forbid")

    company_id: Id | None = None
    language: Language | None = None
    time_zone: TimeZone = None
    preferred_agent_id: Id | None = None
    remarks: TextOrNone = None


class NewCustomer(CustomerFields):
    """A customer to add. Only supervisors and administrators give them a tier or a preferred agent."""

    kind: CustomerKind = "person"
    name: Name
    contact_points: Annotated[list[NewContactPoint], Field(max_length=20)] = Field(default_factory=list)


class CustomerChange(CustomerFields):
    """The fields to change; those left out stay. `version` is the customer's version as it was read. `reason` is
    why tier or preferred agent change, which only supervisors and administrators do; it is kept with the change.
    """

    version: Annotated[int, Field(ge=1, le=2**31 - 1)]
    name: Name | None = None
    reason: ReasonOrNone = None


class NewNote(BaseModel):
    """A note about a customer."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=10_000)]
    pinned: bool = False


@routes.get("", operation_id="findCustomers", responses=documented(400, 401, 422))
async def find_customers(
    principal: Signed,
    deps: DepsIn,
    q: Annotated[str, Query(max_length=200)] = "",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> CustomerPage:
    """Find customers by name, company, part of a number, email, reference or contract number.

    Without `q`, all customers by name.
    """
    async with deps.database.read() as conn:
        page = await search.find(conn, q, cursor, limit, whole_numbers=not principal.viewer(deps).sees_numbers)
    now = deps.now()
    return {"items": [_row_view(found, now) for found in page.items], "next": page.next}


@routes.post("", operation_id="addCustomer", status_code=201, responses=documented(401, 403, 409, 413, 422))
async def add_customer(body: NewCustomer, response: Response, principal: Signed, deps: DepsIn) -> CustomerDetail:
    """Add a customer with their contact points."""
    fields = body.model_dump(exclude={"kind", "name", "contact_points"}, exclude_unset=True)
    if any(fields.get(name) is not None for name in customer_values.FIELDS):
        values.allow(principal.viewer(deps))
    async with deps.desk.change() as change:
        await _check_agent(change.conn, fields)
        made = await customers.create(
            change.conn, kind=body.kind, name=body.name, at=change.at, by=values.author(principal), **fields
        )
        for point in body.contact_points:
            await _add_point(deps, change, made.id, point)
        customer = await _tell(deps, change, made.id)
        detail = await _detail(change.conn, customer, change.at)
    response.headers["Location"] = f"/api/customers/{customer.id}"
    return detail


@routes.get("/{customer}", operation_id="getCustomer", responses=documented(401, 404, 422))
async def get_customer(customer: Id, _: Signed, deps: DepsIn) -> CustomerDetail:
    """One customer with everything that is theirs."""
    async with deps.database.read() as conn:
        return await _detail(conn, await _existing(conn, customer), deps.now())


@routes.patch("/{customer}", operation_id="changeCustomer", responses=documented(401, 403, 404, 409, 413, 422))
async def change_customer(customer: Id, body: CustomerChange, principal: Signed, deps: DepsIn) -> CustomerDetail:
    """Change fields of a customer. 409 if somebody changed the customer since `version`. 403 where an agent
    changes tier or preferred agent."""
    changes = body.model_dump(exclude={"version", "reason"}, exclude_unset=True)
    if changes.get("name", "") is None:
        raise _invalid("body.name", "a customer has a name")
    async with deps.desk.change() as change:
        await _check_agent(change.conn, changes)
        version, now = await customers.values_of(change.conn, customer)
        # Of an older version it is not known what they meant to change: `update` refuses that as stale.
        if version == body.version and any(changes.get(name, now[name]) != now[name] for name in now):
            values.allow(principal.viewer(deps))
        await customers.update(
            change.conn,
            customer,
            body.version,
            changes,
            change.at,
            by=values.author(principal),
            reason=body.reason,
        )
        return await _detail(change.conn, await _tell(deps, change, customer), change.at)


@routes.post(
    "/{customer}/contact-points",
    operation_id="addContactPoint",
    status_code=201,
    responses=documented(401, 403, 404, 409, 422),
)
async def add_contact_point(customer: Id, body: NewContactPoint, _: Signed, deps: DepsIn) -> ContactPointView:
    """Add a number or an email address."""
    async with deps.desk.change() as change:
        view = await _add_point(deps, change, customer, body)
        await _tell(deps, change, customer)
    return view


@routes.delete(
    "/{customer}/contact-points/{contact_point}",
    operation_id="removeContactPoint",
    status_code=204,
    responses=documented(401, 403, 404, 422),
)
async def remove_contact_point(customer: Id, contact_point: Id, _: Signed, deps: DepsIn) -> None:
    """Remove a number or an email address."""
    async with deps.desk.change() as change:
        if not await customers.remove_contact_point(change.conn, customer, contact_point, change.at):
            raise not_found("contact point")
        await _tell(deps, change, customer)


@routes.post(
    "/{customer}/notes", operation_id="addNote", status_code=201, responses=documented(401, 403, 404, 413, 422)
)
async def add_note(customer: Id, body: NewNote, principal: Signed, deps: DepsIn) -> NoteView:
    """Write a note about a customer."""
    me = principal.agent
    async with deps.desk.change() as change:
        await customers.touch(change.conn, customer, change.at)
        note_id = await notes.add(
            change.conn, customer, body.text, at=change.at, agent_id=me.id, pinned=body.pinned
        )
        await _tell(deps, change, customer)
    return note_view(Note(note_id, customer, AgentBrief(me.id, me.name), change.at, body.text, body.pinned))


@routes.get("/{customer}/timeline", operation_id="getTimeline", responses=documented(400, 401, 404, 422))
async def get_timeline(
    customer: Id, principal: Signed, deps: DepsIn, limit: Limit = 50, cursor: Cursor = None
) -> InteractionPage:
    """Every contact with a customer, the latest first; for a company, also those with its people."""
    async with deps.database.read() as conn:
        await _existing(conn, customer)
        return page_view(await history.timeline(conn, customer, cursor, limit), principal.viewer(deps))


async def _existing(conn: Connection, customer_id: int) -> Customer:
    customer = await customers.get(conn, customer_id)
    if customer is None:
        raise not_found("customer")
    return customer


async def _detail(conn: Connection, customer: Customer, at: datetime) -> CustomerDetail:
    owners = [customer.id, *([customer.company.id] if customer.company else [])]
    held = await contracts.of_customers(conn, owners)
    people = await customers.people_of(conn, customer.id, PEOPLE_SHOWN) if customer.kind == "company" else []
    return {
        **customer_view(customer),
        "verdict": verdict_view(verdict(held, at, customer.time_zone, customer.company)),
        "contracts": [contract_view(contract) for contract in held],
        "products": [product_view(product) for product in await products.of_customers(conn, owners)],
        "cases": [case_view(case) for case in await cases.of_customer(conn, customer.id)],
        "notes": [note_view(note) for note in await notes.of_customer(conn, customer.id)],
        "people": [brief_view(person) for person in people],
    }


async def _add_point(deps: Deps, change: Change, customer: int, body: NewContactPoint) -> ContactPointView:
    e164, extension = None, body.extension
    if body.kind == "phone":
        number = deps.lookup.number(body.raw)
        if number.kind != "e164":
            hint = _HINTS.get(number.reason, "write it with + and the country code")
            raise _invalid("body.raw", f"not a telephone number that could call: {hint}", "bad_number")
        e164, extension = number.e164, extension or number.extension
    elif "@" not in body.raw:
        raise _invalid("body.raw", "not an email address")
    point = await customers.add_contact_point(
        change.conn,
        customer,
        at=change.at,
        kind=body.kind,
        raw=body.raw,
        e164=e164,
        extension=extension,
        label=body.label,
        standing=body.standing,
    )
    return contact_point_view(point)


async def _tell(deps: Deps, change: Change, customer_id: int) -> Customer:
    """Send `customer.changed` to whoever opened the customer or has a call of theirs. Returns the customer now."""
    customer = await _existing(change.conn, customer_id)
    event_body = {"customer": customer.id, "version": customer.version}
    change.tell("customer.changed", event_body, of_customer(customer.id, *deps.floor.agents_with(customer.id)))
    return customer


async def _check_agent(conn: Connection, fields: dict[str, Any]) -> None:
    agent_id = fields.get("preferred_agent_id")
    if agent_id is not None and await agents.get(conn, agent_id) is None:
        raise _invalid("body.preferred_agent_id", "there is no such agent")


def _invalid(at: str, message: str, code: str = "invalid") -> Problem:
    errors: list[FieldError] = [{"at": at, "message": message}]
    return Problem(422, code, "the request does not fit the API", errors=errors)


def _row_view(found: Found, now: datetime) -> CustomerRowView:
    customer = found.customer
    judged = verdict(found.contracts, now, customer.time_zone, customer.company)
    numbers = [point.e164 or point.raw for point in customer.contact_points if point.kind == "phone"]
    contract: ContractBriefView | None = None
    if judged.contract is not None:
        contract = {"number": judged.contract.number, "verdict": judged.code}
    return {**brief_view(customer), "numbers": numbers, "contract": contract}
