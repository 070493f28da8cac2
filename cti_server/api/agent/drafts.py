"""Drafts: what an agent writes about their part of a contact, kept as it is typed."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from cti_server.api.crm.interactions import existing
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
from cti_server.record.engines import Connection

routes = APIRouter(prefix="/api", tags=["wrap-up"])

IN_CALL = frozenset({"ringing", "talking", "hold", "consulting"})


class Callback(BaseModel):
    """A callback between `from` and `to`; a draft may leave the times open."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["callback"]
    since: Annotated[ClampedMoment | None, Field(alias="from")] = None
    to: ClampedMoment | None = None
    number: Annotated[str, Field(max_length=40)] | None = None
    text: Annotated[str, Field(max_length=500)] = ""


class OpenCase(BaseModel):
    """A case to open."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["case"]
    subject: Annotated[str, Field(max_length=200)]
    text: Annotated[str, Field(max_length=10_000)] = ""


FollowUp = Annotated[Callback | OpenCase, Field(discriminator="kind")]
Code = Annotated[str, Field(min_length=1, max_length=120, pattern=r"^[^\x00-\x1f\x7f]*$")]


class Draft(BaseModel):
    """What the agent wrote so far. A field that is left out stays as it is; null empties it."""

    model_config = ConfigDict(extra="forbid")

    note: Annotated[str, Field(max_length=10_000)] | None = None
    code: Code | None = None
    follow_up: FollowUp | None = None

    def changes(self) -> dict[str, Any]:
        """The given fields as columns of a segment."""
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
    """`base` is the note that this one was typed over, null for none. Without `base` the last write wins."""

    base: Annotated[str, Field(max_length=10_000)] | None = None


@routes.put(
    "/interactions/{interaction}/draft",
    operation_id="saveDraft",
    responses=documented(401, 403, 404, 409, 413, 422, 503),
)
async def save_draft(interaction: Id, body: TypedDraft, principal: Signed, deps: DepsIn) -> DraftView:
    """Keep what the agent typed about their part of a contact, also during the call.

    409 `draft_conflict` when another of their windows kept another note than `base`; the problem has that note.
    """
    changes = body.changes()
    base = body.base if "base" in body.model_fields_set else wrap_ups.ANY
    async with deps.desk.change() as change:
        found = await existing(change.conn, interaction)
        segment = await own_segment(change.conn, deps, principal, found)
        kept = not changes or await wrap_ups.save_draft(change.conn, segment.id, changes, base)
        segment = await own_segment(change.conn, deps, principal, found)
        draft = await draft_view(change.conn, found, segment)
        if segment.finished_at is not None:
            raise finished()
        if not kept:
            raise Problem(
                409,
                "draft_conflict",
                "another window of yours wrote another note",
                remedy="Put the two together, and send the note again with what is there now as `base`.",
                draft=draft,
            )
        # Only to the agent's own desktops: they stay the same, and nobody else reads a draft.
        change.tell("draft.changed", {"agent": principal.id, "draft": draft}, only(principal.id))
    if "wrap_code" in changes:
        await _tell_floor_code(deps, principal, found, changes["wrap_code"])
    return draft


@routes.get("/interactions/{interaction}/draft", operation_id="getDraft", responses=documented(401, 403, 404, 422))
async def get_draft(interaction: Id, principal: Signed, deps: DepsIn) -> DraftView:
    """What the agent wrote about their part of a contact."""
    async with deps.database.read() as conn:
        found = await existing(conn, interaction)
        return await draft_view(conn, found, await own_segment(conn, deps, principal, found))


def call_of(interaction: Interaction) -> str:
    return f"{interaction.pbx}:{interaction.boot}:{interaction.linkedid}"


def part_state(deps: Deps, principal: Principal, interaction: Interaction) -> str | None:
    """The agent's state in the live call of this contact; None when it is not live, or they were never in it."""
    return deps.floor.part_state(call_of(interaction), principal.id) if interaction.linkedid is not None else None


async def own_segment(conn: Connection, deps: Deps, principal: Principal, interaction: Interaction) -> Segment:
    """The agent's own segment of a contact. Raises a 403 problem without one, 503 while it is not written yet."""
    segment = await wrap_ups.mine(conn, interaction.id, principal.id)
    if segment is None and part_state(deps, principal, interaction) is not None:
        raise not_written()
    if segment is None:
        raise Problem(403, "not_yours", "only those who had this contact wrap it up")
    return segment


def not_written() -> Problem:
    return Problem(503, "not_written_yet", "the record does not have your part yet", remedy="Try again shortly.")


def finished() -> Problem:
    return Problem(
        409,
        "finished",
        "you finished this contact already",
        remedy="Its note can still be changed, in the history.",
    )


async def _tell_floor_code(deps: Deps, principal: Principal, interaction: Interaction, code: str | None) -> None:
    """Show the code on the live call too, while there is one; the record has it in any case."""
    if part_state(deps, principal, interaction) in {*IN_CALL, "wrap_up"}:
        try:
            await deps.commands.note_code(call_of(interaction), principal.id, code)
        except CommandRefused as refused:
            if refused.code != "call_over":
                raise


async def draft_view(conn: Connection, interaction: Interaction, segment: Segment) -> DraftView:
    return view_of(interaction, segment, await wrap_ups.need_code(conn))


def view_of(interaction: Interaction, segment: Segment, need_code: Collection[tuple[str, str]]) -> DraftView:
    """`need_code` are the queues, as (pbx, queue), whose calls need a code."""
    return {
        "interaction": interaction.id,
        "segment": segment.position,
        "note": segment.note,
        "code": segment.wrap_code,
        "code_required": any((interaction.pbx, queue) in need_code for queue in queues_of(interaction, segment)),
        "follow_up": segment.follow_up,
        "finished_at": stamp_or_none(segment.finished_at),
    }


def queues_of(interaction: Interaction, segment: Segment) -> list[str]:
    """The queues that this wrap-up is about: those of the segment, and of the agent's other unfinished ones."""
    unfinished = [
        part for part in interaction.segments if part.agent_id == segment.agent_id and wrap_ups.is_owed(part)
    ]
    return sorted({part.queue for part in (segment, *unfinished) if part.queue is not None})
