"""Drafts: what I write of my part of a contact, kept as it is typed."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from cti_server.api.crm.interactions import known
from cti_server.api.desk_shapes import DraftView
from cti_server.api.moments import ClampedMoment
from cti_server.api.params import Id
from cti_server.api.ports import Deps
from cti_server.api.principal import DepsIn, Principal, Signed
from cti_server.api.problems import Problem, documented
from cti_server.commands import CommandRefused
from cti_server.desk import only
from cti_server.lookup.shapes import stamp_or_none
from cti_server.record.contacts import wrap_ups
from cti_server.record.contacts.history import Interaction, Segment
from cti_server.record.database import Connection

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
        mine = await mine_of(change.conn, deps, principal, found)
        kept = not changes or await wrap_ups.save_draft(change.conn, mine.id, changes, base)
        mine = await mine_of(change.conn, deps, principal, found)
        draft = await draft_view(change.conn, found, mine)
        if mine.finished_at is not None:
            raise finished()
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
        return await draft_view(conn, found, await mine_of(conn, deps, principal, found))


def call_of(one: Interaction) -> str:
    return f"{one.pbx}:{one.boot}:{one.linkedid}"


def part_state(deps: Deps, principal: Principal, one: Interaction) -> str | None:
    """What I do in the live call of this contact; None when it is not on the floor, or I was never in it."""
    return deps.floor.part_state(call_of(one), principal.id) if one.linkedid is not None else None


async def mine_of(conn: Connection, deps: Deps, principal: Principal, one: Interaction) -> Segment:
    mine = await wrap_ups.mine(conn, one.id, principal.id)
    if mine is None and part_state(deps, principal, one) is not None:
        raise not_written()
    if mine is None:
        raise Problem(403, "not_yours", "only those who had this contact wrap it up")
    return mine


def not_written() -> Problem:
    return Problem(503, "not_written_yet", "the record does not have your part yet", remedy="Try again shortly.")


def finished() -> Problem:
    return Problem(
        409,
        "finished",
        "you finished this contact already",
        remedy="Its note can still be changed, in the history.",
    )


async def _tell_floor_code(deps: Deps, principal: Principal, one: Interaction, code: str | None) -> None:
    """The code is on the call's view too, while there is one; the record has it anyway."""
    if part_state(deps, principal, one) in {*IN_CALL, "wrap_up"}:
        try:
            await deps.commands.note_code(call_of(one), principal.id, code)
        except CommandRefused as refused:
            if refused.code != "call_over":
                raise


async def draft_view(conn: Connection, one: Interaction, mine: Segment) -> DraftView:
    return view_of(one, mine, await wrap_ups.need_code(conn))


def view_of(one: Interaction, mine: Segment, need_code: Collection[tuple[str, str]]) -> DraftView:
    """`need_code` are the queues, as (pbx, queue), whose calls need a code."""
    return {
        "interaction": one.id,
        "segment": mine.position,
        "note": mine.note,
        "code": mine.wrap_code,
        "code_required": any((one.pbx, queue) in need_code for queue in queues_of(one, mine)),
        "follow_up": mine.follow_up,
        "finished_at": stamp_or_none(mine.finished_at),
    }


def queues_of(one: Interaction, mine: Segment) -> list[str]:
    """The queues that this wrap-up is about: of my part, and of others of mine that are not finished."""
    theirs = [part for part in one.segments if part.agent_id == mine.agent_id and wrap_ups.is_owed(part)]
    return sorted({part.queue for part in (mine, *theirs) if part.queue is not None})
