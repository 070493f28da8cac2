"""The signed-in agent: who they are, what language they read, whether they are ready."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from cti_server.api.ports import Deps
from cti_server.api.principal import DepsIn, Principal, Signed
from cti_server.api.problems import Problem, documented, not_found
from cti_server.api.shapes import AcceptedView, AgentStateView, Me
from cti_server.record import agents
from cti_server.rules.facts import Language

routes = APIRouter(prefix="/api/me", tags=["me"])


class MyLanguage(BaseModel):
    """A change of my settings."""

    model_config = ConfigDict(extra="forbid")

    language: Language


class MyState(BaseModel):
    """Ready, or not ready with a reason that the supervisor sees."""

    model_config = ConfigDict(extra="forbid")

    state: Literal["ready", "not_ready"]
    # Goes to the PBX as the reason of a pause, and an AMI line ends at a line feed.
    reason: Annotated[str, Field(max_length=80, pattern=r"^[^\x00-\x1f\x7f]*$")] | None = None


def me_view(deps: Deps, principal: Principal) -> Me:
    agent = principal.agent
    state = deps.floor.agent_state(agent.id)
    shown: AgentStateView = {"name": state["name"], "reason": state["reason"], "since": state["since"]}
    return {
        "id": agent.id,
        "login": agent.login,
        "name": agent.name,
        "role": agent.role,
        "language": agent.language,
        "seat": agent.seat,
        "extension": agent.extension,
        "pbx": agent.pbx,
        "state": shown,
        "queues": [
            queue["queue"]
            for queue in deps.floor.queues()
            if any(member["agent"] == agent.id for member in queue["members"])
        ],
    }


@routes.get("", operation_id="getMe", responses=documented(401))
async def get_me(principal: Signed, deps: DepsIn) -> Me:
    """Me, as the floor sees me now."""
    return me_view(deps, principal)


@routes.patch("", operation_id="changeMe", responses=documented(401, 403, 404, 422))
async def change_me(body: MyLanguage, principal: Signed, deps: DepsIn) -> Me:
    """Change the language of my desktop."""
    async with deps.database.begin() as conn:
        changed = await agents.update(conn, principal.id, language=body.language)
    if changed is None:
        raise not_found("agent")
    return me_view(deps, Principal(changed))


@routes.post("/state", operation_id="setMyState", status_code=202, responses=documented(401, 403, 409, 422, 503))
async def set_my_state(body: MyState, principal: Signed, deps: DepsIn) -> AcceptedView:
    """Make myself ready or not ready. The event `command.done` tells what became of it."""
    if principal.agent.seat is None:
        raise Problem(
            409, "no_seat", "you have no phone", remedy="Ask your administrator to give your login a seat."
        )
    reason = body.reason if body.state == "not_ready" else None
    return {"request": await deps.commands.set_state(principal.id, body.state, reason or None)}
