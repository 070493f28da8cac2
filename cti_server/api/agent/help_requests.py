"""Help on a call: an agent asks with one key, a supervisor takes it."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from cti_server.api.agent.codes import Supervisor
from cti_server.api.desk_shapes import HelpView
from cti_server.api.params import CallId, Id
from cti_server.api.ports import Floor
from cti_server.api.principal import DepsIn, Signed, visible_call
from cti_server.api.problems import Problem, documented, not_found
from cti_server.api.shapes import AcceptedView
from cti_server.desk import Change, Desk, audience, only
from cti_server.lookup.card import person_view
from cti_server.lookup.shapes import stamp, stamp_or_none
from cti_server.record.database import Connection
from cti_server.record.desk import help_requests
from cti_server.record.desk.help_requests import HelpRequest

routes = APIRouter(prefix="/api", tags=["help"])


class Asked(BaseModel):
    """What I need, if there is time to say it."""

    model_config = ConfigDict(extra="forbid")

    said: Annotated[str, Field(max_length=500)] | None = None


@routes.get("/help", operation_id="listHelp", responses=documented(401))
async def list_help(principal: Signed, deps: DepsIn) -> list[HelpView]:
    """Who waits for help, the longest first; agents see their own requests."""
    async with deps.database.read() as conn:
        found = await help_requests.waiting(conn, None if principal.sees_floor else principal.id)
    return [help_view(one) for one in found]


@routes.post(
    "/calls/{call}/help",
    operation_id="askForHelp",
    status_code=202,
    responses=documented(401, 403, 404, 409, 422),
)
async def ask_for_help(call: CallId, body: Asked, principal: Signed, deps: DepsIn) -> AcceptedView:
    """Ask the supervisors for help on a call that I am in. Asked again, only the words change."""
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
async def take_help(request: Id, principal: Supervisor, deps: DepsIn) -> HelpView:
    """I come and help."""
    async with deps.desk.change() as change:
        found = await _known(change.conn, request)
        if not await help_requests.take(change.conn, request, principal.id, change.at):
            if found.taken_by == principal.id and found.state == "taken":
                return help_view(found)
            raise Problem(409, "already", f"{found.taken_by_name or 'somebody'} took it already")
        return _tell(change, await _known(change.conn, request))


@routes.post("/help/{request}/done", operation_id="finishHelp", responses=documented(401, 403, 404, 422))
async def finish_help(request: Id, principal: Signed, deps: DepsIn) -> HelpView:
    """It is done: for a supervisor, or for who asked and needs it no more."""
    async with deps.desk.change() as change:
        found = await _known(change.conn, request)
        if not principal.sees_floor and found.agent_id != principal.id:
            raise not_found("request for help")
        by = principal.id if principal.sees_floor else None
        if not await help_requests.finish(change.conn, request, by, change.at):
            return help_view(found)
        return _tell(change, await _known(change.conn, request))


async def close_over(desk: Desk, floor: Floor) -> int:
    """End the requests whose call is over, or whose agent has left it; answer how many.

    Only where the PBX is before our eyes: while it is away nobody knows.
    """
    live = {pbx for pbx, link in floor.links().items() if link["state"] == "live"}
    async with desk.read() as conn:
        asked = await help_requests.waiting(conn)
    over = [one for one in asked if one.call.split(":", 1)[0] in live and not _goes_on(floor, one)]
    if not over:
        return 0
    async with desk.change() as change:
        for one in over:
            if await help_requests.finish(change.conn, one.id, None, change.at):
                _tell(change, await _known(change.conn, one.id))
    return len(over)


def _goes_on(floor: Floor, one: HelpRequest) -> bool:
    return _is_in(floor, one.call, one.agent_id)


def _is_in(floor: Floor, call: str, agent: int) -> bool:
    return floor.part_state(call, agent) not in (None, "left", "wrap_up")


def help_view(one: HelpRequest) -> HelpView:
    return {
        "id": one.id,
        "call": one.call,
        "interaction": one.interaction_id,
        "agent": {"id": one.agent_id, "name": one.agent_name},
        "said": one.said,
        "state": one.state,
        "asked_at": stamp(one.asked_at),
        "taken_by": person_view(one.taken_by, one.taken_by_name),
        "taken_at": stamp_or_none(one.taken_at),
        "done_at": stamp_or_none(one.done_at),
    }


def _tell(change: Change, one: HelpRequest) -> HelpView:
    view = help_view(one)
    change.tell("help.changed", {"help": view}, audience(one.agent_id, supervisors=True))
    return view


async def _known(conn: Connection, request: int) -> HelpRequest:
    found = await help_requests.get(conn, request)
    if found is None:
        raise not_found("request for help")
    return found
