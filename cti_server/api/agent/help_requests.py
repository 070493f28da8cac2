"""Help on a call: an agent asks for it with one key, and a supervisor takes the request."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from cti_server.api.desk_shapes import HelpView
from cti_server.api.params import CallId, Id
from cti_server.api.ports import Floor
from cti_server.api.principal import DepsIn, Signed, visible_call
from cti_server.api.problems import Problem, documented, not_found
from cti_server.api.shapes import AcceptedView
from cti_server.desk import Change, Desk, audience, only
from cti_server.lookup.card import person_view
from cti_server.lookup.shapes import stamp, stamp_or_none
from cti_server.record.desk import help_requests
from cti_server.record.desk.help_requests import HelpRequest
from cti_server.record.engines import Connection
from cti_server.rules.rights import Help, Viewer, may_see

routes = APIRouter(prefix="/api", tags=["help"])


class Asked(BaseModel):
    """What the agent needs, if they had time to type it."""

    model_config = ConfigDict(extra="forbid")

    said: Annotated[str, Field(max_length=500)] | None = None


@routes.get("/help", operation_id="listHelp", responses=documented(401))
async def list_help(principal: Signed, deps: DepsIn) -> list[HelpView]:
    """The requests that wait for help, the oldest first; agents get their own only."""
    async with deps.database.read() as conn:
        found = await help_requests.waiting(conn, None if principal.supervises else principal.id)
    viewer = principal.viewer(deps)
    return [help_view(request) for request in found if may_see(viewer, Help(request.agent_id))]


@routes.post(
    "/calls/{call}/help",
    operation_id="askForHelp",
    status_code=202,
    responses=documented(401, 403, 404, 409, 422),
)
async def ask_for_help(call: CallId, body: Asked, principal: Signed, deps: DepsIn) -> AcceptedView:
    """Ask the supervisors for help on one's own call. Asking again only changes the text."""
    found = visible_call(deps, principal, call)
    if principal.id not in found.thing.agents:
        raise Problem(403, "not_yours", "you have no part in this call")
    if not _is_in(deps.floor, found.id, principal.id):
        raise Problem(409, "call_over", "that call is over", remedy="Write to the supervisors instead.")
    request = uuid.uuid4().hex
    async with deps.desk.change() as change:
        asked = await help_requests.ask(
            change.conn,
            call=found.id,
            agent_id=principal.id,
            said=body.said or None,
            at=change.at,
            interaction_id=found.interaction,
        )
        _tell(change, asked)
        done = {"request": request, "command": "help", "call": found.id, "ok": True, "problem": None}
        change.tell("command.done", done, only(principal.id))
    return {"request": request}


@routes.post("/help/{request}/take", operation_id="takeHelp", responses=documented(401, 403, 404, 409, 422))
async def take_help(request: Id, principal: Signed, deps: DepsIn) -> HelpView:
    """Take a request: this supervisor helps."""
    async with deps.desk.change() as change:
        found = await _visible(change.conn, request, principal.viewer(deps))
        if not await help_requests.take(change.conn, request, principal.id, change.at):
            if found.taken_by == principal.id and found.state == "taken":
                return help_view(found)
            raise Problem(409, "already", f"{found.taken_by_name or 'somebody'} took it already")
        return _tell(change, await _existing(change.conn, request))


@routes.post("/help/{request}/done", operation_id="finishHelp", responses=documented(401, 403, 404, 422))
async def finish_help(request: Id, principal: Signed, deps: DepsIn) -> HelpView:
    """End a request: by a supervisor, or by the agent who asked and needs no more help."""
    async with deps.desk.change() as change:
        found = await _visible(change.conn, request, principal.viewer(deps))
        by = principal.id if principal.supervises else None
        if not await help_requests.finish(change.conn, request, by, change.at):
            return help_view(found)
        return _tell(change, await _existing(change.conn, request))


async def close_over(desk: Desk, floor: Floor, ours: Collection[str]) -> int:
    """End the requests whose call is over, or whose agent has left it; returns how many.

    Only those of our PBXs, `ours`: nobody else knows soon enough of a call that has just begun. Requests at a PBX
    that is not connected are left, because nobody knows how their calls stand.
    """
    live = {pbx for pbx, link in floor.links().items() if link["state"] == "live" and pbx in ours}
    async with desk.read() as conn:
        asked = await help_requests.waiting(conn)
    over = [request for request in asked if request.call.split(":", 1)[0] in live and not _goes_on(floor, request)]
    if not over:
        return 0
    async with desk.change() as change:
        for request in over:
            if await help_requests.finish(change.conn, request.id, None, change.at):
                _tell(change, await _existing(change.conn, request.id))
    return len(over)


def _goes_on(floor: Floor, request: HelpRequest) -> bool:
    return _is_in(floor, request.call, request.agent_id)


def _is_in(floor: Floor, call: str, agent: int) -> bool:
    return floor.part_state(call, agent) not in (None, "left", "wrap_up")


def help_view(request: HelpRequest) -> HelpView:
    return {
        "id": request.id,
        "call": request.call,
        "interaction": request.interaction_id,
        "agent": {"id": request.agent_id, "name": request.agent_name},
        "said": request.said,
        "state": request.state,
        "asked_at": stamp(request.asked_at),
        "taken_by": person_view(request.taken_by, request.taken_by_name),
        "taken_at": stamp_or_none(request.taken_at),
        "done_at": stamp_or_none(request.done_at),
    }


def _tell(change: Change, request: HelpRequest) -> HelpView:
    view = help_view(request)
    change.tell(
        "help.changed", {"help": view}, audience(request.agent_id, supervisors=True, of=[request.agent_id])
    )
    return view


async def _visible(conn: Connection, request: int, viewer: Viewer) -> HelpRequest:
    """A request that this viewer may see. Raises a 404 problem, which does not tell whether there is one."""
    found = await _existing(conn, request)
    if not may_see(viewer, Help(found.agent_id)):
        raise not_found("request for help")
    return found


async def _existing(conn: Connection, request: int) -> HelpRequest:
    found = await help_requests.get(conn, request)
    if found is None:
        raise not_found("request for help")
    return found
