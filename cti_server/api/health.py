"""Health checks and metrics for a monitor. They need no sign-in, and never name a host or a customer."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import structlog
from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from cti_server.api.ports import Deps
from cti_server.api.principal import DepsIn
from cti_server.api.problems import MEDIA_TYPE, Problem
from cti_server.api.shapes import Health, Readiness

log = structlog.get_logger(__name__)
routes = APIRouter(tags=["health"])

MAX_LAG_MS: Final = 5000
PING_MAY_TAKE: Final = 2.0  # seconds


@routes.get("/healthz", operation_id="getHealth")
async def get_health() -> Health:
    """Answers `ok` while the process runs."""
    return {"status": "ok"}


@routes.get(
    "/readyz",
    operation_id="getReadiness",
    response_model=Readiness,
    responses={503: {"description": "Not ready; the body is a problem with the members of Readiness added"}},
)
async def get_readiness(deps: DepsIn) -> Response:
    """Ready when the database answers, every PBX link is live and the journal keeps up."""
    found: dict[str, Any] = {
        "database": await _database(deps),
        "links": {name: str(link["state"]) for name, link in deps.floor.links().items()},
        "journal_lag_ms": deps.floor.lag_ms(),
    }
    wrong = [f"the link to {name} is {state}" for name, state in found["links"].items() if state != "live"]
    if found["database"] != "ok":
        wrong.insert(0, "the database does not answer")
    if found["journal_lag_ms"] > MAX_LAG_MS:
        wrong.append(f"the journal is {found['journal_lag_ms']} ms behind")
    found["ready"] = not wrong
    if not wrong:
        return JSONResponse(found)
    problem = Problem(503, "not_ready", "; ".join(wrong), remedy="Run cti-server doctor.")
    return JSONResponse({**problem.view(), **found}, 503, media_type=MEDIA_TYPE)


@routes.get("/metrics", operation_id="getMetrics", response_class=Response, include_in_schema=False)
async def get_metrics(deps: DepsIn) -> Response:
    """The metrics, as Prometheus reads them."""
    return Response(generate_latest(deps.registry), media_type=CONTENT_TYPE_LATEST)


async def _database(deps: Deps) -> str:
    try:
        async with asyncio.timeout(PING_MAY_TAKE):
            await deps.database.ping()
    except Exception as failed:
        log.warning("the database does not answer", error=repr(failed))
        return "unreachable"
    return "ok"
