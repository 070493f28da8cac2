"""Users: their roles and grants, whether they may sign in, and the end of their sessions."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from cti_server.api.admin.shapes import UserView
from cti_server.api.params import Id
from cti_server.api.ports import Deps
from cti_server.api.principal import DepsIn, Signed
from cti_server.api.problems import Problem, documented, not_found
from cti_server.record.center import agents, sessions
from cti_server.record.center.agents import Agent
from cti_server.record.engines import Connection
from cti_server.rules.facts import Role
from cti_server.rules.rights import Grant

routes = APIRouter(prefix="/api/admin/users", tags=["administration"])


class UserChange(BaseModel):
    """What to change; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)] | None = None
    role: Role | None = None
    grants: Annotated[list[Grant], Field(max_length=20)] | None = None
    active: bool | None = None


@routes.get("", operation_id="listUsers", responses=documented(401, 403))
async def list_users(_: Signed, deps: DepsIn) -> list[UserView]:
    """Everybody who signs in or did, by login."""
    async with deps.database.read() as conn:
        return [user_view(agent) for agent in await agents.everyone(conn)]


@routes.patch("/{user}", operation_id="changeUser", responses=documented(401, 403, 404, 409, 422))
async def change_user(user: Id, body: UserChange, principal: Signed, deps: DepsIn) -> UserView:
    """Change a user. Another role, and disabling, end their sessions everywhere; grants count within seconds."""
    changes: dict[str, Any] = body.model_dump(exclude_none=True)
    async with deps.database.begin() as conn:
        known = await existing(conn, user)
        await _refuse_to_lock_out(conn, known, changes)
        if "grants" in changes:
            changes["grants"] = frozenset(changes["grants"])
        changed = await agents.update(conn, user, **changes) if changes else known
        assert changed is not None
        if changed.role != known.role or (known.active and not changed.active):
            await sessions.close_all(conn, user, deps.now())
        elif changed.all_grants != known.all_grants:
            await sessions.look_again(conn, user, deps.now())
    await deps.commands.signed_out(user)
    return user_view(changed)


@routes.delete(
    "/{user}/sessions", operation_id="endSessionsOf", status_code=204, responses=documented(401, 403, 404)
)
async def end_sessions_of(user: Id, _: Signed, deps: DepsIn) -> None:
    """Sign somebody out everywhere."""
    async with deps.database.begin() as conn:
        await existing(conn, user)
        await sessions.close_all(conn, user, deps.now())
    await deps.commands.signed_out(user)


async def existing(conn: Connection, user: int) -> Agent:
    """The user with this id. Raises a 404 problem."""
    found = await agents.get(conn, user)
    if found is None:
        raise not_found("user")
    return found


async def _refuse_to_lock_out(conn: Connection, known: Agent, changes: dict[str, Any]) -> None:
    """Raises a 409 problem where nobody could administer any more."""
    stays = changes.get("active", known.active) and changes.get("role", known.role) == "administrator"
    if known.role != "administrator" or not known.active or stays:
        return
    if not any(one.role == "administrator" and one.id != known.id for one in await agents.all_active(conn)):
        raise Problem(
            409,
            "last_administrator",
            f"{known.login} is the last administrator",
            remedy="Make another user an administrator first.",
        )


def user_view(agent: Agent) -> UserView:
    return {
        "id": agent.id,
        "login": agent.login,
        "name": agent.name,
        "role": agent.role,
        "active": agent.active,
        "seat": agent.seat,
        "pbx": agent.pbx,
        "grants": sorted(agent.grants),
        "all_grants": sorted(agent.all_grants),
    }


async def refuse_unknown(deps: Deps, conn: Connection, people: set[int]) -> None:
    """Raises a 422 problem that names those of these users whom the record does not know."""
    if missing := people - (await agents.some(conn, people)).keys():
        raise Problem(422, "unknown_user", f"there is no user {', '.join(map(str, sorted(missing)))}")
