"""Teams: who is in them, which queues they serve, and who supervises them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from cti_server.api.admin.shapes import TeamView
from cti_server.api.admin.users import refuse_unknown
from cti_server.api.params import Id
from cti_server.api.ports import Deps
from cti_server.api.principal import DepsIn, Signed
from cti_server.api.problems import Problem, documented, not_found
from cti_server.record.center import agents, teams
from cti_server.record.center.teams import Team
from cti_server.record.engines import Connection

routes = APIRouter(prefix="/api/admin/teams", tags=["administration"])

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
People = Annotated[list[Id], Field(max_length=2000)]


class QueueIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    pbx: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")]
    queue: Annotated[str, Field(min_length=1, max_length=80)]


class TeamIn(BaseModel):
    """A team, whole: a change replaces what was there."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    name_zh: Name | None = None
    members: People = []
    supervisors: People = []
    queues: Annotated[list[QueueIn], Field(max_length=500)] = []


@routes.get("", operation_id="listTeams", responses=documented(401, 403))
async def list_teams(_: Signed, deps: DepsIn) -> list[TeamView]:
    """Every team. Without any, each supervisor supervises everybody."""
    async with deps.database.read() as conn:
        return await _views(conn, await teams.everything(conn))


@routes.post("", operation_id="addTeam", status_code=201, responses=documented(401, 403, 409, 422))
async def add_team(body: TeamIn, _: Signed, deps: DepsIn) -> TeamView:
    """Add a team. From the first one on, supervisors see the teams that they supervise, and no others."""
    return await _saved(deps, 0, body)


@routes.put("/{team}", operation_id="changeTeam", responses=documented(401, 403, 404, 409, 422))
async def change_team(team: Id, body: TeamIn, _: Signed, deps: DepsIn) -> TeamView:
    """Replace a team."""
    return await _saved(deps, team, body)


@routes.delete("/{team}", operation_id="removeTeam", status_code=204, responses=documented(401, 403, 404))
async def remove_team(team: Id, _: Signed, deps: DepsIn) -> None:
    """Remove a team; its people and queues stay."""
    async with deps.database.begin() as conn:
        if not await teams.remove(conn, team):
            raise not_found("team")
    await _tell(deps)


async def _saved(deps: Deps, number: int, body: TeamIn) -> TeamView:
    made = Team(
        id=number,
        name=body.name,
        name_zh=body.name_zh,
        members=frozenset(body.members),
        supervisors=frozenset(body.supervisors),
        queues=frozenset((one.pbx, one.queue) for one in body.queues),
    )
    async with deps.database.begin() as conn:
        if number and await teams.get(conn, number) is None:
            raise not_found("team")
        await refuse_unknown(deps, conn, set(made.members | made.supervisors))
        try:
            saved = await teams.save(conn, made)
        except teams.NameTaken:
            raise Problem(409, "name_taken", f"there is a team {body.name} already") from None
        (view,) = await _views(conn, [one for one in await teams.everything(conn) if one.id == saved])
    await _tell(deps)
    return view


async def _tell(deps: Deps) -> None:
    if deps.teams_changed is not None:
        await deps.teams_changed()


async def _views(conn: Connection, found: list[Team]) -> list[TeamView]:
    people = await agents.some(conn, {agent for team in found for agent in team.members | team.supervisors})
    return [
        {
            "id": team.id,
            "name": team.name,
            "name_zh": team.name_zh,
            "members": [{"id": agent, "name": people[agent].name} for agent in sorted(team.members)],
            "supervisors": [{"id": agent, "name": people[agent].name} for agent in sorted(team.supervisors)],
            "queues": [{"pbx": pbx, "queue": queue} for pbx, queue in sorted(team.queues)],
        }
        for team in found
    ]
