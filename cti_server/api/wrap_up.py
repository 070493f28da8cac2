"""Wrap-up: the draft as it is typed, finishing it, and what I still owe."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from cti_server.api.desk import Change
from cti_server.api.desk_shapes import DraftView, FinishedView, OwedItem, OwedView
from cti_server.api.interactions import interaction_view, known
from cti_server.api.moments import ClampedMoment
from cti_server.api.params import Id
from cti_server.api.ports import CommandRefused, Deps
from cti_server.api.principal import DepsIn, Principal, Signed
from cti_server.api.problems import Problem, documented, not_found
from cti_server.lookup.card import promise_view
from cti_server.lookup.shapes import Named, PromiseView, stamp_or_none
from cti_server.record import cases, contact_points, customers, history, notes, promises, wrap_ups
from cti_server.record.database import Connection
from cti_server.record.history import Interaction, Segment

routes = APIRouter(prefix="/api", tags=["wrap-up"])

IN_CALL = frozenset({"ringing", "talking", "hold", "consulting"})


class Callback(BaseModel):
    """Somebody calls back between `from` and `to`; a draft may not know when yet."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["callback"]
    since: Annotated[ClampedMoment | None, Field(alias="from")] = None
    to: ClampedMoment | None = None
    number: Annotated[str, Field(max_length=40)] | None = None
    text: Annotated[str, Field(max_length=500)] = ""


class OpenCase(BaseModel):
    """A case is opened."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["case"]
    subject: Annotated[str, Field(max_length=200)]
    text: Annotated[str, Field(max_length=10_000)] = ""


FollowUp = Annotated[Callback | OpenCase, Field(discriminator="kind")]
Code = Annotated[str, Field(min_length=1, max_length=120, pattern=r"^[^\x00-\x1f\x7f]*$")]


class Draft(BaseModel):
    """What I wrote so far. What is left out stays as it is; null empties it."""

    model_config = ConfigDict(extra="forbid")

    note: Annotated[str, Field(max_length=10_000)] | None = None
    code: Code | None = None
    follow_up: FollowUp | None = None

    def changes(self) -> dict[str, Any]:
        """As columns of a segment."""
        given: dict[str, Any] = {}
        if "note" in self.model_fields_set:
            given["note"] = self.note or None
        if "code" in self.model_fields_set:
            given["wrap_code"] = self.code
        if "follow_up" in self.model_fields_set:
            typed = self.follow_up
            given["follow_up"] = typed.model_dump(mode="json", by_alias=True) if typed is not None else None
        return given


class TypedDraft(Draft):
    """`base` is the note that this one was typed over; null for none. Without it the last to write wins."""

    base: Annotated[str, Field(max_length=10_000)] | None = None


@routes.put(
    "/interactions/{interaction}/draft",
    operation_id="saveDraft",
    responses=documented(401, 403, 404, 409, 413, 422, 503),
)
async def save_draft(interaction: Id, body: TypedDraft, principal: Signed, deps: DepsIn) -> DraftView:
    """Keep what I typed of my part of a contact; also while I still talk.

    409 `draft_conflict` when another window of mine kept another note than `base`; the problem carries that one.
    """
    changes = body.changes()
    base = body.base if "base" in body.model_fields_set else wrap_ups.ANY
    async with deps.desk.change() as change:
        found = await known(change.conn, interaction)
        mine = await _mine(change.conn, deps, principal, found)
        kept = not changes or await wrap_ups.save_draft(change.conn, mine.id, changes, base)
        mine = await _mine(change.conn, deps, principal, found)
        draft = await _draft(change.conn, found, mine)
        if mine.finished_at is not None:
            raise _finished()
        if not kept:
            raise Problem(
                409,
                "draft_conflict",
                "another window of yours wrote another note",
                remedy="Put the two together, and send the note again with what is there now as `base`.",
                draft=draft,
            )
        # Only to my own desktops: two of them agree, and nobody reads over my shoulder.
        change.tell("draft.changed", {"agent": principal.id, "draft": draft}, only(principal.id))
    if "wrap_code" in changes:
        await _tell_floor_code(deps, principal, found, changes["wrap_code"])
    return draft


@routes.get("/interactions/{interaction}/draft", operation_id="getDraft", responses=documented(401, 403, 404, 422))
async def get_draft(interaction: Id, principal: Signed, deps: DepsIn) -> DraftView:
    """What I wrote of my part of a contact."""
    async with deps.database.read() as conn:
        found = await known(conn, interaction)
        return await _draft(conn, found, await _mine(conn, deps, principal, found))


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
        mine = await _mine(change.conn, deps, principal, found)
        if mine.finished_at is None:
            _check_over(deps, principal, found, mine)
            answer = await _finish(change, principal, found, mine, body)
        else:
            answer = await _finished_before(change.conn, found, mine, body)
    try:
        if _part_state(deps, principal, found) == "wrap_up":
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
        mine = await _mine(conn, deps, principal, found)
        if await customers.get(conn, body.customer_id) is None:
            raise not_found("customer")
    if mine.finished_at is not None:
        raise _finished()
    if _part_state(deps, principal, found) in {*IN_CALL, "wrap_up"}:
        await deps.commands.choose_customer(call_of(found), body.customer_id, principal.id)
        return
    async with deps.desk.change() as change:
        await history.reassociate(change.conn, found.id, body.customer_id, change.at)
        if found.ani_e164 is not None:
            chosen = (found.ani_e164, body.customer_id, principal.id, change.at)
            await contact_points.choose(change.conn, *chosen)
        change.tell("interaction.changed", {"interaction": found.id, "customer": body.customer_id})


@routes.get("/me/owed", operation_id="listOwed", responses=documented(401))
async def list_owed(principal: Signed, deps: DepsIn) -> OwedView:
    """The contacts that I have not finished, the oldest first."""
    async with deps.database.read() as conn:
        found = await wrap_ups.owed(conn, principal.id, still_live(deps, principal.id))
        items: list[OwedItem] = []
        for one in found:
            parts = [part for part in one.segments if part.agent_id == principal.id and wrap_ups.is_owed(part)]
            if parts:
                part = parts[-1]
                because: Literal["code", "follow_up", "unfinished"] = (
                    "code" if part.owed else "follow_up" if part.follow_up else "unfinished"
                )
                draft = await _draft(conn, one, part)
                items.append({"interaction": interaction_view(one), "draft": draft, "because": because})
    return {"count": len(items), "items": items}


async def count_owed(deps: Deps, agent: int) -> int:
    async with deps.database.read() as conn:
        return await wrap_ups.count_owed(conn, agent, still_live(deps, agent))


def still_live(deps: Deps, agent: int) -> list[int]:
    """The contacts that this agent is still in, or wraps up, on the floor."""
    return [
        call["interaction"]
        for call in deps.floor.calls()
        if call["interaction"] is not None
        and any(part["agent"] == agent and part["state"] != "left" for part in call["agents"].values())
    ]


def only(*agents: int) -> dict[str, Any]:
    """The audience of what is told to these agents and to nobody else, supervisors neither."""
    return {"agents": sorted(set(agents)), "everyone": False, "floor": False}


def call_of(one: Interaction) -> str:
    return f"{one.pbx}:{one.boot}:{one.linkedid}"


def _part_state(deps: Deps, principal: Principal, one: Interaction) -> str | None:
    """What I do in the live call of this contact; None when it is not on the floor, or I was never in it."""
    call = deps.floor.call(call_of(one)) if one.linkedid is not None else None
    parts = call["agents"].values() if call is not None else ()
    return next((part["state"] for part in parts if part["agent"] == principal.id), None)


async def _mine(conn: Connection, deps: Deps, principal: Principal, one: Interaction) -> Segment:
    mine = await wrap_ups.mine(conn, one.id, principal.id)
    if mine is None and _part_state(deps, principal, one) is not None:
        raise not_written()
    if mine is None:
        raise Problem(403, "not_yours", "only those who had this contact wrap it up")
    return mine


def _check_over(deps: Deps, principal: Principal, one: Interaction, mine: Segment) -> None:
    state = _part_state(deps, principal, one)
    if state in IN_CALL or (state is None and mine.outcome is None):
        raise Problem(
            409,
            "still_in_call",
            "you are still in this call",
            remedy="What you type is kept as a draft; finish it when the call is over.",
        )


async def _finish(
    change: Change, principal: Principal, one: Interaction, mine: Segment, body: Draft
) -> FinishedView:
    stored = {"note": mine.note, "wrap_code": mine.wrap_code, "follow_up": mine.follow_up}
    values: dict[str, Any] = {**stored, **body.changes()}
    await _check_code(change.conn, one, mine, values["wrap_code"])
    follow_up = _typed(values["follow_up"])
    if not await wrap_ups.finish(change.conn, mine.id, change.at, **values):
        raise _finished()  # by my other desktop, between two statements of ours
    promise, case = await _make(change, principal, one, mine, follow_up)
    again = await known(change.conn, one.id)
    part = next(part for part in again.segments if part.id == mine.id)
    change.tell("interaction.changed", {"interaction": one.id, "customer": one.customer_id})
    draft = await _draft(change.conn, again, part)
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
        change.tell("promise.changed", {"promise": promise_view(made)})
        return promise_view(made), None
    if not follow_up.subject.strip():
        raise Problem(422, "no_subject", "a case has a subject", remedy="Say in a few words what it is about.")
    case = await cases.open_case(change.conn, one.customer_id, follow_up.subject.strip(), change.at)
    if follow_up.text.strip():
        await _explain(change, principal, one.customer_id, case.number, follow_up.text.strip())
    version = await customers.touch(change.conn, one.customer_id, change.at)
    await wrap_ups.keep_follow_up(change.conn, mine.id, {**typed, "case": case.id, "number": case.number})
    change.tell("customer.changed", {"customer": one.customer_id, "version": version})
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
        raise _finished()
    promise = await promises.get(conn, made["promise"]) if "promise" in made else None
    case: Named | None = {"id": made["case"], "name": made["number"]} if "case" in made else None
    draft = await _draft(conn, one, mine)
    return {**draft, "promise": promise_view(promise) if promise is not None else None, "case": case}


def not_written() -> Problem:
    return Problem(503, "not_written_yet", "the record does not have your part yet", remedy="Try again shortly.")


def _finished() -> Problem:
    return Problem(
        409,
        "finished",
        "you finished this contact already",
        remedy="Its note can still be changed, in the history.",
    )


async def _check_code(conn: Connection, one: Interaction, mine: Segment, code: str | None) -> None:
    if code is None:
        if await wrap_ups.code_required(conn, one.pbx, mine.queue):
            raise Problem(
                422,
                "code_required",
                f"calls of {mine.queue} need a wrap-up code",
                remedy="Choose what became of it.",
            )
    elif not await wrap_ups.may_use(conn, code, mine.queue):
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


async def _tell_floor_code(deps: Deps, principal: Principal, one: Interaction, code: str | None) -> None:
    """The code is on the call's view too, while there is one; the record has it anyway."""
    if _part_state(deps, principal, one) in {*IN_CALL, "wrap_up"}:
        try:
            await deps.commands.note_code(call_of(one), principal.id, code)
        except CommandRefused as refused:
            if refused.code != "call_over":
                raise


async def _draft(conn: Connection, one: Interaction, mine: Segment) -> DraftView:
    return {
        "interaction": one.id,
        "segment": mine.position,
        "note": mine.note,
        "code": mine.wrap_code,
        "code_required": await wrap_ups.code_required(conn, one.pbx, mine.queue),
        "follow_up": mine.follow_up,
        "finished_at": stamp_or_none(mine.finished_at),
    }
