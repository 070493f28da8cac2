"""The team as it is now, and the targets of a transfer."""

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
from cti_server.record.engines import Connection

routes = APIRouter(prefix="/api", tags=["team"])

MAX_AGENTS: Final = 20
MAX_QUEUES: Final = 10
MAX_CONTACTS: Final = 8
# Colleagues who can take a call now come first.
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
    """Targets for a transfer: colleagues, the free ones first; queues, the shortest first; customers."""
    wanted = q.strip().casefold()
    async with deps.database.read() as conn:
        team = await _team(conn, deps)
        contacts = await _contacts(conn, q) if wanted else []
    people = [a for a in team if a["agent"] != principal.id and _has(wanted, a["name"], a["extension"])]
    people.sort(key=lambda a: (_RANK.get(a["state"]["name"], 9), a["name"]))
    queues = [
        {**queue, "ewt": None}
        for queue in deps.floor.queues()
        if _has(wanted, queue["queue"], queue["title_en"], queue["title_zh"])
    ]
    queues.sort(key=lambda queue: (queue["waiting"], queue["queue"]))
    return JSONResponse(
        {"agents": people[:MAX_AGENTS], "queues": queues[:MAX_QUEUES], "contacts": contacts[:MAX_CONTACTS]}
    )


async def _team(conn: Connection, deps: Deps) -> list[TeamMember]:
    """Every active agent: from the floor, or as signed out where the floor does not know them."""
    live = {member["agent"]: member for member in deps.floor.team()}
    return [
        cast(TeamMember, {**live[agent.id], "name": agent.name, "role": agent.role})
        if agent.id in live
        else _away(agent, deps.floor.agent_state(agent.id))
        for agent in await agents.all_active(conn)
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
        {"customer": brief_view(match.customer), "number": point.e164, "label": point.label}
        for match in found.items
        for point in match.customer.contact_points
        if point.kind == "phone" and point.e164 is not None
    ]


def _has(wanted: str, *texts: str | None) -> bool:
    return not wanted or any(wanted in text.casefold() for text in texts if text)
