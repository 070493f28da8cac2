"""Interactions: past contacts, filtered and in pages, and the notes that agents write about them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from cti_server.api.live_shapes import StepView
from cti_server.api.moments import Moment, clamped
from cti_server.api.params import Cursor, Id, Limit
from cti_server.api.principal import DepsIn, Signed
from cti_server.api.problems import Problem, documented, not_found
from cti_server.api.shapes import InteractionPage, InteractionView, JoinedView, SegmentView, VisitView
from cti_server.desk import audience
from cti_server.floor import topics
from cti_server.lookup.card import person_view
from cti_server.lookup.shapes import stamp, stamp_or_none
from cti_server.record.contacts import briefs, history, wrap_ups
from cti_server.record.contacts.history import Filter, Interaction, Joined, Segment, Visit
from cti_server.record.cursor import Page
from cti_server.record.engines import Connection
from cti_server.rules.facts import Channel, Direction, Outcome
from cti_server.rules.rights import REACH, Contact, Notes, Viewer, may_see

SEARCH_S = 3.0  # for each statement of a search
routes = APIRouter(prefix="/api/interactions", tags=["interactions"])


class NoteText(BaseModel):
    """The whole note; it replaces what was there."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, Field(max_length=10_000)]


@routes.get("", operation_id="listInteractions", responses=documented(400, 401, 403, 422))
async def list_interactions(
    principal: Signed,
    deps: DepsIn,
    since: Annotated[Moment | None, Query(alias="from", description="included")] = None,
    until: Annotated[Moment | None, Query(alias="to", description="not included")] = None,
    agent: Annotated[
        str | None, Query(pattern=r"^(me|[1-9][0-9]{0,17})$", description="`me` or an agent's id")
    ] = None,
    queue: Annotated[str | None, Query(max_length=80)] = None,
    outcome: Outcome | None = None,
    channel: Channel | None = None,
    direction: Direction | None = None,
    customer: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
    q: Annotated[str | None, Query(max_length=200)] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> InteractionPage:
    """Contacts, the latest first. Agents get their own, or all with one `customer`; supervisors those of their
    teams. `q` is looked for anywhere in names, numbers, subjects and notes; what takes too long is refused as
    `too_broad`."""
    viewer = principal.viewer(deps)
    wanted = Filter(
        since=_clamped(since),
        until=_clamped(until),
        agent_id=_agent(viewer, agent, customer),
        queue=queue,
        outcome=outcome,
        channel=channel,
        direction=direction,
        customer_id=customer,
        q=q,
        whole_numbers=not viewer.sees_numbers,
        of=_of_teams(viewer) if customer is None else None,
    )
    reading = deps.database.read_within(SEARCH_S) if q else deps.database.read()
    async with reading as conn:
        return page_view(await history.page(conn, wanted, cursor, limit), viewer)


@routes.get("/{interaction}", operation_id="getInteraction", responses=documented(401, 404, 422))
async def get_interaction(interaction: Id, principal: Signed, deps: DepsIn) -> InteractionView:
    """One contact with its segments. What a colleague has not finished yet is left out."""
    viewer = principal.viewer(deps)
    async with deps.database.read() as conn:
        return interaction_view(await visible(conn, interaction, viewer), viewer)


@routes.put("/{interaction}/note", operation_id="writeNote", responses=documented(401, 403, 404, 413, 422))
async def write_note(interaction: Id, body: NoteText, principal: Signed, deps: DepsIn) -> InteractionView:
    """Write a note: agents about their own part of a contact, supervisors about any contact.

    `note` of the answer joins everybody's notes; the agent's own is in their segment.
    """
    viewer = principal.viewer(deps)
    async with deps.desk.change() as change:
        found = await visible(change.conn, interaction, viewer)
        segment = await wrap_ups.mine(change.conn, found.id, principal.id)
        if segment is not None:
            await wrap_ups.set_note(change.conn, segment.id, body.text)
        elif principal.supervises and may_see(viewer, replace(contact_of(found), of_customer=False)):
            await history.set_note(change.conn, interaction, body.text)
        else:
            raise Problem(403, "not_yours", "only those who had this contact write its note")
        changed = await existing(change.conn, interaction)
        event_body = {"interaction": changed.id, "customer": changed.customer_id}
        change.tell("interaction.changed", event_body, concerned(changed, changed.customer_id))
    return interaction_view(changed, viewer)


def concerned(interaction: Interaction, *owners: int | None) -> dict[str, Any]:
    """The audience of a change to a contact: the agents who had it, and whoever opened one of these customers."""
    opened = [topics.customer(number) for number in {*owners} if number is not None]
    return audience(*(part.agent_id for part in interaction.segments), topics=opened)


def page_view(page: Page[Interaction], viewer: Viewer) -> InteractionPage:
    return {"items": [interaction_view(interaction, viewer) for interaction in page.items], "next": page.next}


def interaction_view(interaction: Interaction, viewer: Viewer) -> InteractionView:
    shown = [part for part in interaction.segments if _may_read(viewer, part)]
    path: list[StepView] = [
        {"step": step["step"], "choice": step.get("choice"), "at": step.get("at")} for step in interaction.ivr_path
    ]
    return {
        "id": interaction.id,
        "channel": interaction.channel,
        "direction": interaction.direction,
        "call": f"{interaction.pbx}:{interaction.boot}:{interaction.linkedid}" if interaction.linkedid else None,
        "customer": person_view(interaction.customer_id, interaction.customer_name),
        "match": interaction.match_standing,
        "ani": interaction.ani_e164,
        "ani_raw": interaction.ani_raw,
        "ani_name": interaction.ani_name,
        "dnis": interaction.dnis,
        "queue": interaction.queue,
        "path": path,
        "language": interaction.language,
        "verdict": interaction.verdict,
        "subject": interaction.subject,
        "note": briefs.together(interaction.own_note, *(part.note for part in shown)),
        "started_at": stamp(interaction.started_at),
        "queued_at": stamp_or_none(interaction.queued_at),
        "answered_at": stamp_or_none(interaction.answered_at),
        "ended_at": stamp_or_none(interaction.ended_at),
        "wait_ms": interaction.wait_ms,
        "ring_ms": interaction.ring_ms,
        "talk_ms": interaction.talk_ms,
        "hold_ms": interaction.hold_ms,
        "ended_by": interaction.ended_by,
        "outcome": interaction.outcome,
        "complete": interaction.complete,
        "told_by": interaction.told_by,
        "joined": [joined_view(other) for other in interaction.joined_with],
        "segments": [segment_view(part, in_full=part in shown) for part in interaction.segments],
        "visits": [visit_view(visit) for visit in interaction.visits],
    }


def _may_read(viewer: Viewer, part: Segment) -> bool:
    return may_see(viewer, Notes(part.agent_id, history.is_finished(part)))


def joined_view(other: Joined) -> JoinedView:
    whose = person_view(other.customer_id, other.customer_name)
    return {"interaction": other.interaction_id, "customer": whose, "number": other.number}


def visit_view(visit: Visit) -> VisitView:
    left = visit.left_at
    return {
        "position": visit.position,
        "queue": visit.queue,
        "joined_at": stamp(visit.joined_at),
        "left_at": stamp_or_none(left),
        "wait_ms": round((left - visit.joined_at).total_seconds() * 1000) if left is not None else None,
        "how": visit.how,
        "agent": person_view(visit.agent_id, visit.agent_name),
        "seat": visit.seat,
        "place": visit.place,
    }


def segment_view(part: Segment, *, in_full: bool) -> SegmentView:
    """`in_full`: with what its agent wrote."""
    return {
        "position": part.position,
        "agent": person_view(part.agent_id, part.agent_name),
        "seat": part.seat,
        "queue": part.queue,
        "origin": part.origin,
        "offered_at": stamp_or_none(part.offered_at),
        "answered_at": stamp_or_none(part.answered_at),
        "ended_at": stamp_or_none(part.ended_at),
        "ring_ms": part.ring_ms,
        "talk_ms": part.talk_ms,
        "hold_ms": part.hold_ms,
        "outcome": part.outcome,
        "wrapped_at": stamp_or_none(part.wrapped_at),
        "note": part.note if in_full else None,
        "code": part.wrap_code if in_full else None,
        "follow_up": part.follow_up if in_full else None,
        "finished_at": stamp_or_none(part.finished_at),
        "owed": wrap_ups.is_owed(part),
    }


def contact_of(found: Interaction) -> Contact:
    """What `rules.rights` needs to know of a contact."""
    queues = frozenset(f"{found.pbx}/{visit.queue}" for visit in found.visits)
    agents = frozenset(part.agent_id for part in found.segments if part.agent_id is not None)
    return Contact(agents, queues, of_customer=found.customer_id is not None)


async def visible(conn: Connection, interaction: int, viewer: Viewer) -> Interaction:
    """The interaction with this id, if this viewer may read it. Raises a 404 problem."""
    found = await existing(conn, interaction)
    if not may_see(viewer, contact_of(found)):
        raise not_found("interaction")
    return found


async def existing(conn: Connection, interaction: int) -> Interaction:
    """The interaction with this id. Raises a 404 problem when there is none."""
    found = await history.get(conn, interaction)
    if found is None:
        raise not_found("interaction")
    return found


def _agent(viewer: Viewer, agent: str | None, customer: int | None) -> int | None:
    """Whose contacts are listed; None for everybody's that the viewer may read. Raises a 403 problem."""
    if agent is None:
        return None if REACH["contacts"][viewer.role] != "own" or customer is not None else viewer.agent
    wanted = viewer.agent if agent == "me" else int(agent)
    if not may_see(viewer, Contact(frozenset({wanted}), of_customer=customer is not None)):
        raise Problem(403, "forbidden", "the contacts of other agents are for their supervisors")
    return wanted


def _of_teams(viewer: Viewer) -> tuple[frozenset[int], frozenset[str]] | None:
    """The agents and queues whose contacts a supervisor of teams reads; None for all."""
    oversees = viewer.oversees
    return None if oversees.agents is None or oversees.queues is None else (oversees.agents, oversees.queues)


def _clamped(at: datetime | None) -> datetime | None:
    return None if at is None else clamped(at)
