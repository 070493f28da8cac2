"""Queues as they are this second: how many wait, and who could take a call."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response
from fastapi.responses import JSONResponse

from cti_server.api.live_shapes import MemberView, QueueView
from cti_server.api.principal import DepsIn, Signed
from cti_server.api.problems import documented, not_found
from cti_server.rules.rights import Queue, may_see

routes = APIRouter(prefix="/api/queues", tags=["queues"])

Name = Annotated[str, Path(min_length=1, max_length=80)]


@routes.get("", operation_id="listQueues", response_model=list[QueueView], responses=documented(401))
async def list_queues(principal: Signed, deps: DepsIn) -> Response:
    """The queues that the agent serves; supervisors get all."""
    viewer = principal.viewer(deps)
    shown = [view for view in deps.floor.queues() if may_see(viewer, Queue(view["pbx"], view["queue"]))]
    return JSONResponse([dict(view) for view in shown])


@routes.get(
    "/{pbx}/{queue}/members",
    operation_id="listMembers",
    response_model=list[MemberView],
    responses=documented(401, 404, 422),
)
async def list_members(pbx: Name, queue: Name, principal: Signed, deps: DepsIn) -> Response:
    """The members of a queue that the agent serves; for supervisors, of any queue."""
    members = deps.floor.members(pbx, queue)
    if members is None or not may_see(principal.viewer(deps), Queue(pbx, queue)):
        raise not_found("queue")
    return JSONResponse([dict(member) for member in members])
