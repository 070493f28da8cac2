"""The team as it is now, and whom a call can be given to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, cast

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse

from cti_server.api.desk_shapes import ContactTarget, TargetsView
from cti_server.api.live_shapes import TeamMember
from cti_server.api.ports import Deps
from cti_server.api.principal import DepsIn, Signed
from cti_server.api.problems import documented
from cti_server.lookup.card import brief_view
from cti_server.record.center import agents
from cti_server.record.crm import search
from cti_server.record.database import Connection

routes = APIRouter(prefix="/api", tags=["team"])

MAX_AGENTS: Final = 20
MAX_QUEUES: Final = 10
MAX_CONTACTS: Final = 8
# Who can take a call now comes first.
_RANK: Final = {
    name: rank
    for rank, name in enumerate(("ready", "wrap_up", "not_ready", "reserved", "talking", "hold", "signed_out"))
}


@routes.get("/team", operation_id="getTeam", response_model=list[TeamMember], responses=documented(401))
async def get_team(_: Signed, deps: DepsIn) -> Response:
    """Every colleague with their state, by name."""
    async with deps.database.read() as conn:
        return JSONResponse(await _team(conn, deps))


@routes.get("/targets", operation_id="findTargets", response_model=TargetsView, responses=documented(401, 422))
async def find_targets(principal: Signed, deps: DepsIn, q: Annotated[str, Query(max_length=80)] = "") -> Response:
    """Whom a call can be given to: colleagues who are free first, queues with the shortest line, customers."""
    wanted = q.strip().casefold()
    async with deps.database.read() as conn:
        team = await _team(conn, deps)
        contacts = await _contacts(conn, q) if wanted else []
    people = [one for one in team if one["agent"] != principal.id and _has(wanted, one["name"], one["extension"])]
    people.sort(key=lambda one: (_RANK.get(one["state"]["name"], 9), one["name"]))
    queues = [
        {**one, "ewt": None}
        for one in deps.floor.queues()
        if _has(wanted, one["queue"], one["title_en"], one["title_zh"])
    ]
    queues.sort(key=lambda one: (one["waiting"], one["queue"]))
    return JSONResponse(
        {"agents": people[:MAX_AGENTS], "queues": queues[:MAX_QUEUES], "contacts": contacts[:MAX_CONTACTS]}
    )


async def _team(conn: Connection, deps: Deps) -> list[TeamMember]:
    """The floor knows those with a phone at a PBX; supervisors without one belong to the team too."""
    live = {one["agent"]: one for one in deps.floor.team()}
    return [
        cast(TeamMember, {**live[one.id], "name": one.name, "role": one.role})
        if one.id in live
        else _away(one, deps.floor.agent_state(one.id))
        for one in await agents.all_active(conn)
    ]


def _away(agent: agents.Agent, state: Mapping[str, Any]) -> TeamMember:
    return {
        "agent": agent.id,
        "name": agent.name,
        "extension": agent.extension,
        "role": agent.role,
        "state": cast(Any, dict(state)),
        "queues": [],
    }


async def _contacts(conn: Connection, q: str) -> list[ContactTarget]:
    found = await search.find(conn, q, limit=MAX_CONTACTS)
    return [
        {"customer": brief_view(one.customer), "number": point.e164, "label": point.label}
        for one in found.items
        for point in one.customer.contact_points
        if point.kind == "phone" and point.e164 is not None
    ]


def _has(wanted: str, *texts: str | None) -> bool:
    return not wanted or any(wanted in text.casefold() for text in texts if text)
