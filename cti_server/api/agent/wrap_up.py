"""Wrap-up: being done with a contact, once, and saying whose it was until then."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from cti_server.api.agent.drafts import (
    IN_CALL,
    Callback,
    Draft,
    OpenCase,
    call_of,
    draft_view,
    finished,
    mine_of,
    part_state,
    queues_of,
)
from cti_server.api.agent.promises import readers
from cti_server.api.crm.interactions import concerned, known
from cti_server.api.desk_shapes import FinishedView
from cti_server.api.params import Id
from cti_server.api.ports import Deps
from cti_server.api.principal import DepsIn, Principal, Signed
from cti_server.api.problems import Problem, documented, not_found
from cti_server.commands import CommandRefused
from cti_server.desk import Change, of_customer, only
from cti_server.lookup.card import promise_view
from cti_server.lookup.shapes import Named, PromiseView
from cti_server.record.contacts import history, wrap_ups
from cti_server.record.contacts.history import Interaction, Segment
from cti_server.record.crm import cases, contact_points, customers, notes
from cti_server.record.database import Connection
from cti_server.record.desk import promises

routes = APIRouter(prefix="/api", tags=["wrap-up"])


@routes.post(
    "/interactions/{interaction}/wrap-up",
    operation_id="finishInteraction",
    responses=documented(401, 403, 404, 409, 413, 422, 503),
)
async def finish(interaction: Id, body: Draft, principal: Signed, deps: DepsIn) -> FinishedView:
    """Be done with a contact: its code, its note and what follows from it are kept together, once.

    The same again answers the same; something else is refused, for what was finished stands.
    """
    return await finish_interaction(interaction, body, principal, deps)


async def finish_interaction(interaction: int, body: Draft, principal: Principal, deps: Deps) -> FinishedView:
    """As `finish`, for every route that ends a wrap-up."""
    async with deps.desk.change() as change:
        found = await known(change.conn, interaction)
        mine = await mine_of(change.conn, deps, principal, found)
        if mine.finished_at is None:
            _check_over(deps, principal, found, mine)
            # From the tray: the hours since the call were no time of work on it.
            wrapping = part_state(deps, principal, found) == "wrap_up"
            answer = await _finish(change, principal, found, mine, body, None if wrapping else mine.ended_at)
        else:
            answer = await _finished_before(change.conn, found, mine, body)
    try:
        if part_state(deps, principal, found) == "wrap_up":
            await deps.commands.finish_wrap_up(call_of(found), principal.id)
    except CommandRefused as refused:
        if refused.code != "call_over":  # it left the floor meanwhile, and the record has all of it
            raise
    return answer


class Whose(BaseModel):
    """Whose contact it was."""

    model_config = ConfigDict(extra="forbid")

    customer_id: Id


@routes.put(
    "/interactions/{interaction}/customer",
    operation_id="reassociate",
    status_code=204,
    responses=documented(401, 403, 404, 409, 422, 503),
)
async def reassociate(interaction: Id, body: Whose, principal: Signed, deps: DepsIn) -> None:
    """Say whose contact it was, until I am done with it, in the tray of what I owe too; learnt for the number."""
    async with deps.database.read() as conn:
        found = await known(conn, interaction)
        mine = await mine_of(conn, deps, principal, found)
        if await customers.get(conn, body.customer_id) is None:
            raise not_found("customer")
    if part_state(deps, principal, found) not in {*IN_CALL, "wrap_up"}:
        if mine.answered_at is None:
            raise Problem(403, "not_yours", "only those who had this contact say whose it was")
        if mine.finished_at is not None or (mine.wrapped_at is not None and not wrap_ups.is_owed(mine)):
            raise finished()
    # Also when only a colleague is still in it: they see it change.
    if deps.floor.call(call_of(found)) is not None:
        await deps.commands.choose_customer(call_of(found), body.customer_id, principal.id)
        return
    async with deps.desk.change() as change:
        await history.reassociate(change.conn, found.id, body.customer_id, change.at)
        if found.ani_e164 is not None:
            chosen = (found.ani_e164, body.customer_id, principal.id, change.at)
            await contact_points.choose(change.conn, *chosen)
        told = {"interaction": found.id, "customer": body.customer_id}
        change.tell("interaction.changed", told, concerned(found, body.customer_id, found.customer_id))


def _check_over(deps: Deps, principal: Principal, one: Interaction, mine: Segment) -> None:
    state = part_state(deps, principal, one)
    if state in IN_CALL or (state is None and mine.outcome is None):
        raise Problem(
            409,
            "still_in_call",
            "you are still in this call",
            remedy="What you type is kept as a draft; finish it when the call is over.",
        )


async def _finish(
    change: Change,
    principal: Principal,
    one: Interaction,
    mine: Segment,
    body: Draft,
    wrapped_at: datetime | None,
) -> FinishedView:
    stored = {"note": mine.note, "wrap_code": mine.wrap_code, "follow_up": mine.follow_up}
    values: dict[str, Any] = {**stored, **body.changes()}
    await _check_code(change.conn, one, mine, values["wrap_code"])
    follow_up = _typed(values["follow_up"])
    if not await wrap_ups.finish(change.conn, mine.id, change.at, wrapped_at=wrapped_at, **values):
        raise finished()  # by my other desktop, between two statements of ours
    await wrap_ups.finish_others(change.conn, mine, change.at)
    promise, case = await _make(change, principal, one, mine, follow_up)
    again = await known(change.conn, one.id)
    part = next(part for part in again.segments if part.id == mine.id)
    told = {"interaction": one.id, "customer": one.customer_id}
    change.tell("interaction.changed", told, concerned(one, one.customer_id))
    draft = await draft_view(change.conn, again, part)
    change.tell("draft.changed", {"agent": principal.id, "draft": draft}, only(principal.id))
    return {**draft, "promise": promise, "case": case}


async def _make(
    change: Change, principal: Principal, one: Interaction, mine: Segment, follow_up: Callback | OpenCase | None
) -> tuple[PromiseView | None, Named | None]:
    """What was typed as a follow-up becomes a promise or a case of the customer."""
    if follow_up is None:
        return None, None
    if one.customer_id is None:
        raise Problem(
            422,
            "no_customer",
            "nobody knows whose contact this is, so nothing can follow from it",
            remedy="Choose the customer first.",
        )
    typed = follow_up.model_dump(mode="json", by_alias=True)
    if isinstance(follow_up, Callback):
        to = _time_of(follow_up, change.at)
        made = await promises.add(
            change.conn,
            customer_id=one.customer_id,
            kind="callback",
            text=follow_up.text,
            number=follow_up.number or one.ani_e164,
            starts_at=follow_up.since,
            due_at=to,
            at=change.at,
            owner_id=principal.id,
            created_by=principal.id,
            interaction_id=one.id,
        )
        await wrap_ups.keep_follow_up(change.conn, mine.id, {**typed, "promise": made.id})
        change.tell("promise.changed", {"promise": promise_view(made)}, readers(made))
        return promise_view(made), None
    if not follow_up.subject.strip():
        raise Problem(422, "no_subject", "a case has a subject", remedy="Say in a few words what it is about.")
    case = await cases.open_case(change.conn, one.customer_id, follow_up.subject.strip(), change.at)
    if follow_up.text.strip():
        await _explain(change, principal, one.customer_id, case.number, follow_up.text.strip())
    version = await customers.touch(change.conn, one.customer_id, change.at)
    agents = (part.agent_id for part in one.segments)
    await wrap_ups.keep_follow_up(change.conn, mine.id, {**typed, "case": case.id, "number": case.number})
    told = {"customer": one.customer_id, "version": version}
    change.tell("customer.changed", told, of_customer(one.customer_id, *agents))
    return None, {"id": case.id, "name": case.number}


def _time_of(follow_up: Callback, at: datetime) -> datetime:
    """When the callback is due; it is still to come."""
    if follow_up.to is None:
        raise Problem(422, "no_time", "a callback has a time", remedy="Say until when.")
    if follow_up.to <= at:
        raise Problem(422, "in_the_past", "the time of the callback is over", remedy="Choose another time.")
    if follow_up.since is not None and follow_up.since >= follow_up.to:
        raise Problem(422, "bad_period", "a callback begins before it ends", remedy="Choose another time.")
    return follow_up.to


async def _explain(change: Change, principal: Principal, customer: int, number: str, text: str) -> None:
    """A case has no text of its own yet: what was typed stands as a note that names it."""
    await notes.add(change.conn, customer, f"{number}: {text}", at=change.at, agent_id=principal.id)


async def _finished_before(conn: Connection, one: Interaction, mine: Segment, body: Draft) -> FinishedView:
    made = mine.follow_up or {}
    kept = {name: value for name, value in made.items() if name not in ("promise", "case")}
    if "case" in made:
        kept.pop("number", None)
    stored = {"note": mine.note, "wrap_code": mine.wrap_code, "follow_up": kept or None}
    if any(stored[name] != value for name, value in body.changes().items()):
        raise finished()
    promise = await promises.get(conn, made["promise"]) if "promise" in made else None
    case: Named | None = {"id": made["case"], "name": made["number"]} if "case" in made else None
    draft = await draft_view(conn, one, mine)
    return {**draft, "promise": promise_view(promise) if promise is not None else None, "case": case}


async def _check_code(conn: Connection, one: Interaction, mine: Segment, code: str | None) -> None:
    queues = queues_of(one, mine)
    if code is None:
        need_code = await wrap_ups.need_code(conn)
        if needs := [queue for queue in queues if (one.pbx, queue) in need_code]:
            raise Problem(
                422,
                "code_required",
                f"calls of {needs[0]} need a wrap-up code",
                remedy="Choose what became of it.",
            )
    elif not await wrap_ups.may_use(conn, code, queues):
        raise Problem(
            422,
            "unknown_code",
            "this wrap-up code cannot be chosen here",
            remedy="Choose one of GET /api/wrap-up-codes that is a leaf and in use.",
        )


def _typed(stored: dict[str, Any] | None) -> Callback | OpenCase | None:
    match (stored or {}).get("kind"):
        case "callback":
            return Callback.model_validate(stored)
        case "case":
            return OpenCase.model_validate(stored)
    return None
