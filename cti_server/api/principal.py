"""Who asks, and what their role lets them see: the one place where rights are decided."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import Depends, Request

from cti_server.api.ports import Deps
from cti_server.api.problems import Problem, not_found
from cti_server.record.center import sessions
from cti_server.record.center.agents import Agent
from cti_server.rules.facts import Role

COOKIE: Final = "cti_session"
_RANK: Final[dict[Role, int]] = {"agent": 0, "supervisor": 1, "administrator": 2}
_CONCERNED: Final = frozenset({"ringing", "talking", "hold", "consulting", "wrap_up"})


@dataclass(frozen=True, slots=True)
class Principal:
    """A signed-in agent."""

    agent: Agent

    @property
    def id(self) -> int:
        return self.agent.id

    @property
    def sees_floor(self) -> bool:
        """Supervisors and administrators see every call and queue; agents what concerns them."""
        return _RANK[self.agent.role] >= _RANK["supervisor"]

    def sees_call(self, call: Mapping[str, Any]) -> bool:
        """An agent sees a call that rings at, is held by, or is being wrapped up by them."""
        return self.sees_floor or self.has_part(call)

    def may_take(self, call: Mapping[str, Any], queues: Collection[str]) -> bool:
        """What an agent may take to their phone: a parked call, one that rings at a colleague, and by right a
        caller who waits in one of their `queues`.
        """
        if call["state"] == "parked":
            return True
        if any(part["state"] == "ringing" for part in call["agents"].values()):
            return call["state"] in ("ringing", "queued")
        return call["state"] == "queued" and self.agent.may_pick and call["queue"] in queues

    def has_part(self, call: Mapping[str, Any]) -> bool:
        return any(part["agent"] == self.id and part["state"] in _CONCERNED for part in call["agents"].values())

    def sees_queue(self, queue: Mapping[str, Any]) -> bool:
        """An agent sees the queues they are a member of."""
        return self.sees_floor or any(member["agent"] == self.id for member in queue["members"])


def deps_of(request: Request) -> Deps:
    """What `create_api` was given."""
    deps = request.app.state.deps
    assert isinstance(deps, Deps)
    return deps


DepsIn = Annotated[Deps, Depends(deps_of)]


def digest(secret: str) -> str:
    """What is stored of a session token or ticket. They have 256 random bits, so a fast hash is enough."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


async def signed_in(request: Request, deps: DepsIn) -> Principal:
    """The agent of the session cookie. Raises a 401 problem."""
    token = request.cookies.get(COOKIE)
    if token and len(token) <= 200:
        async with deps.database.read() as conn:
            agent = await sessions.agent_of(conn, digest(token), deps.now())
        if agent is not None:
            return Principal(agent)
    raise Problem(401, "not_signed_in", "you are not signed in", remedy="Sign in with POST /api/session.")


Signed = Annotated[Principal, Depends(signed_in)]


def at_least(role: Role) -> Callable[[Principal], Awaitable[Principal]]:
    """A dependency: signed in with this role or a higher one. Raises a 403 problem."""

    async def check(principal: Signed) -> Principal:
        if _RANK[principal.agent.role] < _RANK[role]:
            raise Problem(403, "forbidden", f"this needs the role {role}")
        return principal

    return check


def visible_call(deps: Deps, principal: Principal, call: str) -> Mapping[str, Any]:
    """A live call that this agent may see. Raises a 404 problem, which does not tell whether there is one."""
    view = deps.floor.call(call)
    if view is None or not principal.sees_call(view):
        raise not_found("call")
    return view
