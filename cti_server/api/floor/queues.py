"""Queues as they are this second: who waits, and who could take it."""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from cti_server.api.principal import DepsIn, Signed
from cti_server.api.problems import documented
from cti_server.api.shapes import QueueView

routes = APIRouter(prefix="/api/queues", tags=["queues"])


@routes.get("", operation_id="listQueues", response_model=list[QueueView], responses=documented(401))
async def list_queues(principal: Signed, deps: DepsIn) -> Response:
    """The queues that I am a member of; for a supervisor, all."""
    return JSONResponse([dict(one) for one in deps.floor.queues() if principal.sees_queue(one)])
