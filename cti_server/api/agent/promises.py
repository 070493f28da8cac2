"""Promises to customers: makes, finds and changes them, and raises them before they break."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, cast

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from cti_server.api.desk_shapes import PromisePage
from cti_server.api.moments import ClampedMoment
from cti_server.api.params import Cursor, Id, Limit
from cti_server.api.ports import Deps
from cti_server.api.principal import DepsIn, Principal, Signed
from cti_server.api.problems import FieldError, Problem, documented, not_found
from cti_server.desk import Desk, audience
from cti_server.floor import topics
from cti_server.lookup.card import promise_view
from cti_server.lookup.shapes import PromiseView
from cti_server.record.center import agents
from cti_server.record.contacts import history
from cti_server.record.crm import customers
from cti_server.record.desk import promises
from cti_server.record.engines import Connection
from cti_server.rules import rights
from cti_server.rules.facts import Promise, PromiseKind, PromiseState
from cti_server.rules.rights import may_see

routes = APIRouter(prefix="/api/promises", tags=["promises"])

Text = Annotated[str, Field(max_length=500)]
PhoneNumber = Annotated[str, Field(max_length=40)]


class NewPromise(BaseModel):
    """A promise to a customer, for the time between `from` and `due`."""

    model_config = ConfigDict(extra="forbid")

    customer_id: Id
    kind: PromiseKind
    text: Text = ""
    number: PhoneNumber | None = None
    since: Annotated[ClampedMoment | None, Field(alias="from")] = None
    due: ClampedMoment
    owner_id: Id | None = None
    interaction_id: Id | None = None
    remind_ms: Annotated[int, Field(ge=0, le=7 * 86_400_000)] = promises.REMIND_MS


class PromiseChange(BaseModel):
    """The changes to a promise that was read at `version`. A new time opens it again."""

    model_config = ConfigDict(extra="forbid")

    version: Annotated[int, Field(ge=1, le=2**31 - 1)]
    state: PromiseState | None = None
    text: Text | None = None
    number: PhoneNumber | None = None
    since: Annotated[ClampedMoment | None, Field(alias="from")] = None
    due: ClampedMoment | None = None
    owner_id: Id | None = None


@routes.get("", operation_id="listPromises", responses=documented(400, 401, 403, 404, 422))
async def list_promises(
    principal: Signed,
    deps: DepsIn,
    customer: Annotated[
        int | None, Query(ge=1, le=2**63 - 1, description="also the promises to their company")
    ] = None,
    owner: Annotated[
        str | None, Query(pattern=r"^(me|[1-9][0-9]{0,17})$", description="`me` or an agent's id")
    ] = None,
    state: PromiseState | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> PromisePage:
    """Promises, the earliest due first. Agents get those that they owe or made, or all to one `customer`;
    supervisors get those of their teams, and those that nobody owns.
    """
    owner_id = int(owner) if owner not in (None, "me") else principal.id if owner == "me" else None
    viewer = principal.viewer(deps)
    of_customer = customer is not None
    if owner_id is not None and not may_see(viewer, rights.Promise(owner_id, None, by_customer=of_customer)):
        raise Problem(403, "forbidden", "the promises of other agents are for their supervisors")
    concerns = {principal.id} if not principal.supervises else viewer.oversees.agents
    async with deps.database.read() as conn:
        customer_ids = await _with_company(conn, customer) if customer is not None else None
        page = await promises.find(
            conn,
            customer_ids=customer_ids,
            owner_id=owner_id,
            concerns=None if of_customer or owner_id is not None else concerns,
            or_nobodys=principal.supervises,
            state=state,
            cursor=cursor,
            limit=limit,
        )
    return {"items": [promise_view(promise) for promise in page.items], "next": page.next}


@routes.post("", operation_id="makePromise", status_code=201, responses=documented(401, 403, 404, 413, 422))
async def make_promise(body: NewPromise, principal: Signed, deps: DepsIn, response: Response) -> PromiseView:
    """Make a promise; the agent owns it unless `owner_id` names somebody else."""
    async with deps.desk.change() as change:
        await _with_company(change.conn, body.customer_id)
        _check_times(body.since, body.due, change.at)
        if body.kind != "callback" and not body.text.strip():
            raise _invalid("body.text", "say what is promised")
        await _check_owner(change.conn, body.owner_id)
        if body.interaction_id is not None and await history.get(change.conn, body.interaction_id) is None:
            raise not_found("interaction")
        made = await promises.add(
            change.conn,
            customer_id=body.customer_id,
            kind=body.kind,
            text=body.text,
            number=body.number,
            starts_at=body.since,
            due_at=body.due,
            at=change.at,
            owner_id=body.owner_id or principal.id,
            created_by=principal.id,
            interaction_id=body.interaction_id,
            remind_ms=body.remind_ms,
        )
        view = promise_view(made)
        change.tell("promise.changed", {"promise": view}, readers(made))
    response.headers["Location"] = f"/api/promises/{made.id}"
    return view


@routes.patch("/{promise}", operation_id="changePromise", responses=documented(401, 403, 404, 409, 413, 422))
async def change_promise(promise: Id, body: PromiseChange, principal: Signed, deps: DepsIn) -> PromiseView:
    """Keep a promise, cancel it, or give it another time or owner. 409 if it was changed since `version`."""
    given = body.model_dump(exclude={"version"}, exclude_unset=True)
    names = {"since": "starts_at", "due": "due_at"}
    changes: dict[str, Any] = {names.get(name, name): value for name, value in given.items()}
    async with deps.desk.change() as change:
        now = await promises.get(change.conn, promise)
        if now is None:
            raise not_found("promise")
        await _check_may_change(change.conn, deps, principal, now)
        for name in ("state", "text", "due_at"):
            if name in changes and changes[name] is None:
                raise _invalid(f"body.{name.removesuffix('_at')}", "a promise has one")
        if "due_at" in changes or "starts_at" in changes:
            if "state" in changes:
                raise _invalid("body.state", "another time opens the promise again; give one or the other")
            _check_times(changes.get("starts_at", now.starts_at), changes.get("due_at", now.due_at), change.at)
        elif changes.get("state") == "open":
            _check_times(now.starts_at, now.due_at, change.at)
        await _check_owner(change.conn, changes.get("owner_id"))
        changed = await promises.change(change.conn, promise, body.version, changes, change.at, principal.id)
        view = promise_view(changed)
        change.tell("promise.changed", {"promise": view}, readers(changed, now.owner_id))
    return view


async def raise_due(desk: Desk) -> int:
    """Send events for the promises that fall due soon, or have just been broken; returns how many.

    One transaction marks a promise as raised and writes its event, so it is raised once, whatever crashes.
    """
    async with desk.change() as change:
        due = await promises.take_due(change.conn, change.at)
        for promise in due:
            change.tell(
                "promise.due",
                {"promise": promise_view(promise)},
                audience(promise.owner_id, supervisors=True, of=[promise.owner_id, promise.created_by]),
            )
            if promise.state == "broken":
                change.tell("promise.changed", {"promise": promise_view(promise)}, readers(promise))
    return len(due)


def readers(promise: Promise, before: int | None = None) -> dict[str, Any]:
    """The audience of a promise: its owner, who made it, whoever opened its customer, and supervisors.

    `before` is who owned it until now; they get the event so that it leaves their list.
    """
    return audience(
        promise.owner_id,
        promise.created_by,
        before,
        topics=[topics.customer(promise.customer_id)],
        supervisors=True,
        of=[promise.owner_id, promise.created_by] if promise.owner_id is not None else (),
    )


async def _with_company(conn: Connection, customer_id: int) -> list[int]:
    customer = await customers.get(conn, customer_id)
    if customer is None:
        raise not_found("customer")
    return [customer.id, *([customer.company.id] if customer.company else [])]


async def _check_may_change(conn: Connection, deps: Deps, principal: Principal, promise: Promise) -> None:
    """Raises a 403 problem unless the agent owes or made the promise, or talks to its customer now.

    Supervisors may change the promises of their teams, and anybody may change one without an owner.
    """
    thing = rights.Promise(promise.owner_id, promise.created_by)
    if promise.owner_id is None or may_see(principal.viewer(deps), thing):
        return
    for spoken_with in {call.customer for call in deps.floor.calls_of(principal.id)} - {None}:
        customer = await customers.get(conn, cast(int, spoken_with))
        if customer is not None and promise.customer_id in (
            customer.id,
            customer.company.id if customer.company is not None else None,
        ):
            return
    raise Problem(
        403,
        "not_yours",
        f"{promise.owner_name} owes this",
        remedy="Its owner, a supervisor, or who speaks with the customer can change it.",
    )


async def _check_owner(conn: Connection, owner_id: int | None) -> None:
    owner = await agents.get(conn, owner_id) if owner_id is not None else None
    if owner_id is not None and (owner is None or not owner.active):
        raise _invalid("body.owner_id", "there is no such agent")


def _check_times(since: datetime | None, due: datetime, at: datetime) -> None:
    if due <= at:
        raise Problem(422, "in_the_past", "that time is over", remedy="Choose a time to come.")
    if since is not None and since >= due:
        raise Problem(422, "bad_period", "a promise begins before it is due", remedy="Choose another time.")


def _invalid(at: str, message: str) -> Problem:
    errors: list[FieldError] = [{"at": at, "message": message}]
    return Problem(422, "invalid", "the request does not fit the API", errors=errors)
