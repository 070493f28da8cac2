"""Health checks and metrics for a monitor. They need no sign-in, and never name a host or a customer."""

from __future__ import annotations

import asyncio
from contextlib import suppress
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
DOUBTFUL_LAG_MS: Final = 1000  # of a journal that waits so long, the last proof is not believed
PROOF_MAY_TAKE: Final = 2.0  # seconds


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
    """Ready when the database answers and can be written, every PBX link is live and the journal keeps up."""
    database, why = await _database(deps)
    found: dict[str, Any] = {
        "database": database,
        "links": {name: str(link["state"]) for name, link in deps.floor.links().items()},
        "journal_lag_ms": deps.floor.lag_ms(),
    }
    wrong = [f"the link to {name} is {state}" for name, state in found["links"].items() if state != "live"]
    if database != "ok":
        wrong.insert(0, why)
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


async def _database(deps: Deps) -> tuple[str, str]:
    """`ok`, `unwritable` or `unreachable`, and why in words, which name no host."""
    database = deps.database
    try:
        async with asyncio.timeout(PROOF_MAY_TAKE):
            await database.ping()
    except Exception as failed:
        if not database.trouble.note(failed):
            log.warning("the database does not answer", error=repr(failed))
        return "unreachable", "the database does not answer"
    # Behind another writer, an import for one, the proof waits, and is none: the journal's lag tells of that.
    with suppress(Exception):
        async with asyncio.timeout(PROOF_MAY_TAKE):
            await database.prove_writable(anew=deps.floor.lag_ms() > DOUBTFUL_LAG_MS)
    if (trouble := database.trouble.now) is not None:
        return "unwritable", f"the database cannot be written: {trouble.why}"
    return "ok", ""
