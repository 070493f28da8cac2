"""Wrap-up: finishes a contact once; until then, changes whose contact it was."""

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
    own_segment,
    part_state,
    queues_of,
)
from cti_server.api.agent.promises import readers
from cti_server.api.crm.interactions import concerned, existing
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
from cti_server.record.desk import promises
from cti_server.record.engines import Connection

routes = APIRouter(prefix="/api", tags=["wrap-up"])


@routes.post(
    "/interactions/{interaction}/wrap-up",
    operation_id="finishInteraction",
    responses=documented(401, 403, 404, 409, 413, 422, 503),
)
async def finish(interaction: Id, body: Draft, principal: Signed, deps: DepsIn) -> FinishedView:
    """Finish a contact: keep its code, its note and its follow-up in one transaction.

    Sending the same again answers the same. Anything else is refused once the contact is finished.
    """
    return await finish_interaction(interaction, body, principal, deps)


async def finish_interaction(interaction: int, body: Draft, principal: Principal, deps: Deps) -> FinishedView:
    """Does what `finish` says, for every route that ends a wrap-up."""
    async with deps.desk.change() as change:
        found = await existing(change.conn, interaction)
        segment = await own_segment(change.conn, deps, principal, found)
        if segment.finished_at is None:
            _check_over(deps, principal, found, segment)
            # A contact from the tray was wrapped up when its call ended: the hours since then were not work on it.
            wrapping = part_state(deps, principal, found) == "wrap_up"
            answer = await _finish(change, principal, found, segment, body, None if wrapping else segment.ended_at)
        else:
            answer = await _finished_before(change.conn, found, segment, body)
    try:
        if part_state(deps, principal, found) == "wrap_up":
            await deps.commands.finish_wrap_up(call_of(found), principal.id, body.code)
    except CommandRefused as refused:
        if refused.code != "call_over":  # the call left the floor meanwhile, and the record is complete
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
    """Set whose contact it was, until the agent has finished it. The choice is remembered for the number."""
    async with deps.database.read() as conn:
        found = await existing(conn, interaction)
        segment = await own_segment(conn, deps, principal, found)
        if await customers.get(conn, body.customer_id) is None:
            raise not_found("customer")
    if part_state(deps, principal, found) not in {*IN_CALL, "wrap_up"}:
        if segment.answered_at is None:
            raise Problem(403, "not_yours", "only those who had this contact say whose it was")
        if segment.finished_at is not None or (segment.wrapped_at is not None and not wrap_ups.is_owed(segment)):
            raise finished()
    # Also when only a colleague is still in the call: their card must change too.
    if deps.floor.call(call_of(found)) is not None:
        await deps.commands.choose_customer(call_of(found), body.customer_id, principal.id)
        return
    async with deps.desk.change() as change:
        await history.reassociate(change.conn, found.id, body.customer_id, change.at)
        if found.ani_e164 is not None:
            chosen = (found.ani_e164, body.customer_id, principal.id, change.at)
            await contact_points.choose(change.conn, *chosen)
        event_body = {"interaction": found.id, "customer": body.customer_id}
        change.tell("interaction.changed", event_body, concerned(found, body.customer_id, found.customer_id))


def _check_over(deps: Deps, principal: Principal, interaction: Interaction, segment: Segment) -> None:
    state = part_state(deps, principal, interaction)
    if state in IN_CALL or (state is None and segment.outcome is None):
        raise Problem(
            409,
            "still_in_call",
            "you are still in this call",
            remedy="What you type is kept as a draft; finish it when the call is over.",
        )


async def _finish(
    change: Change,
    principal: Principal,
    interaction: Interaction,
    segment: Segment,
    body: Draft,
    wrapped_at: datetime | None,
) -> FinishedView:
    stored = {"note": segment.note, "wrap_code": segment.wrap_code, "follow_up": segment.follow_up}
    values: dict[str, Any] = {**stored, **body.changes()}
    await _check_code(change.conn, interaction, segment, values["wrap_code"])
    follow_up = _typed(values["follow_up"])
    if not await wrap_ups.finish(change.conn, segment.id, change.at, wrapped_at=wrapped_at, **values):
        raise finished()  # another desktop of the agent finished it since we read it
    await wrap_ups.finish_others(change.conn, segment, change.at)
    promise, case = await _make(change, principal, interaction, segment, follow_up)
    changed = await existing(change.conn, interaction.id)
    part = next(part for part in changed.segments if part.id == segment.id)
    event_body = {"interaction": interaction.id, "customer": interaction.customer_id}
    change.tell("interaction.changed", event_body, concerned(interaction, interaction.customer_id))
    draft = await draft_view(change.conn, changed, part)
    change.tell("draft.changed", {"agent": principal.id, "draft": draft}, only(principal.id))
    return {**draft, "promise": promise, "case": case}


async def _make(
    change: Change,
    principal: Principal,
    interaction: Interaction,
    segment: Segment,
    follow_up: Callback | OpenCase | None,
) -> tuple[PromiseView | None, Named | None]:
    """Make the typed follow-up a promise or a case of the customer."""
    if follow_up is None:
        return None, None
    if interaction.customer_id is None:
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
            customer_id=interaction.customer_id,
            kind="callback",
            text=follow_up.text,
            number=follow_up.number or interaction.ani_e164,
            starts_at=follow_up.since,
            due_at=to,
            at=change.at,
            owner_id=principal.id,
            created_by=principal.id,
            interaction_id=interaction.id,
        )
        await wrap_ups.keep_follow_up(change.conn, segment.id, {**typed, "promise": made.id})
        change.tell("promise.changed", {"promise": promise_view(made)}, readers(made))
        return promise_view(made), None
    if not follow_up.subject.strip():
        raise Problem(422, "no_subject", "a case has a subject", remedy="Say in a few words what it is about.")
    case = await cases.open_case(change.conn, interaction.customer_id, follow_up.subject.strip(), change.at)
    if follow_up.text.strip():
        await _explain(change, principal, interaction.customer_id, case.number, follow_up.text.strip())
    version = await customers.touch(change.conn, interaction.customer_id, change.at)
    agents = (part.agent_id for part in interaction.segments)
    await wrap_ups.keep_follow_up(change.conn, segment.id, {**typed, "case": case.id, "number": case.number})
    event_body = {"customer": interaction.customer_id, "version": version}
    change.tell("customer.changed", event_body, of_customer(interaction.customer_id, *agents))
    return None, {"id": case.id, "name": case.number}


def _time_of(follow_up: Callback, at: datetime) -> datetime:
    """When the callback is due. Raises a 422 problem for a missing, past or empty period."""
    if follow_up.to is None:
        raise Problem(422, "no_time", "a callback has a time", remedy="Say until when.")
    if follow_up.to <= at:
        raise Problem(422, "in_the_past", "the time of the callback is over", remedy="Choose another time.")
    if follow_up.since is not None and follow_up.since >= follow_up.to:
        raise Problem(422, "bad_period", "a callback begins before it ends", remedy="Choose another time.")
    return follow_up.to


async def _explain(change: Change, principal: Principal, customer: int, number: str, text: str) -> None:
    """Keep the text of a case as a note that names it, because cases have no text of their own yet."""
    await notes.add(change.conn, customer, f"{number}: {text}", at=change.at, agent_id=principal.id)


async def _finished_before(
    conn: Connection, interaction: Interaction, segment: Segment, body: Draft
) -> FinishedView:
    made = segment.follow_up or {}
    kept = {name: value for name, value in made.items() if name not in ("promise", "case")}
    if "case" in made:
        kept.pop("number", None)
    stored = {"note": segment.note, "wrap_code": segment.wrap_code, "follow_up": kept or None}
    if any(stored[name] != value for name, value in body.changes().items()):
        raise finished()
    promise = await promises.get(conn, made["promise"]) if "promise" in made else None
    case: Named | None = {"id": made["case"], "name": made["number"]} if "case" in made else None
    draft = await draft_view(conn, interaction, segment)
    return {**draft, "promise": promise_view(promise) if promise is not None else None, "case": case}


async def _check_code(conn: Connection, interaction: Interaction, segment: Segment, code: str | None) -> None:
    queues = queues_of(interaction, segment)
    if code is None:
        need_code = await wrap_ups.need_code(conn)
        if needs := [queue for queue in queues if (interaction.pbx, queue) in need_code]:
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
