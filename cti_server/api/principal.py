"""Who sends a request: the signed-in agent, for the routes and for `rules.rights`."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Request

from cti_server.api.ports import Deps, LiveCall
from cti_server.api.problems import Problem, not_found
from cti_server.record.center import sessions
from cti_server.record.center.agents import Agent
from cti_server.record.center.sessions import Holder
from cti_server.rules import rights
from cti_server.rules import second_factor as factors
from cti_server.rules.facts import Role
from cti_server.rules.rights import Viewer

COOKIE: Final = "cti_session"


@dataclass(frozen=True, slots=True)
class Principal:
    """A signed-in agent."""

    agent: Agent

    @property
    def id(self) -> int:
        return self.agent.id

    @property
    def sees_floor(self) -> bool:
        """Whether they see every call and queue, as supervisors and administrators do."""
        return rights.is_at_least(self.agent.role, "supervisor")

    def viewer(self, deps: Deps) -> Viewer:
        """The viewer for `rules.rights`, with the queues that they serve at this moment."""
        return Viewer(self.id, self.agent.role, self.agent.may_pick, deps.floor.serves(self.id))


def deps_of(request: Request) -> Deps:
    """The `Deps` that `create_api` got."""
    deps = request.app.state.deps
    assert isinstance(deps, Deps)
    return deps


DepsIn = Annotated[Deps, Depends(deps_of)]


def digest(secret: str) -> str:
    """The hash that is stored of a session token or ticket. These are 256 random bits: a fast hash is enough."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


async def holder_of(request: Request, deps: DepsIn) -> Holder:
    """Who has the session cookie, also where they may do nothing with it yet. Raises a 401 problem."""
    token = token_of(request)
    if token is not None:
        async with deps.database.read() as conn:
            holder = (await sessions.holders(conn, [digest(token)], deps.now())).get(digest(token))
        if holder is not None:
            return holder
    raise not_signed_in()


HolderIn = Annotated[Holder, Depends(holder_of)]


async def entering(holder: HolderIn) -> Principal:
    """The agent of the session cookie, for the few routes by which they set their second factor up."""
    return Principal(holder.agent)


async def signed_in(holder: HolderIn, deps: DepsIn) -> Principal:
    """The agent of the session cookie. Raises a 401 problem, and a 403 problem where they must set up their second
    factor first."""
    if must_set_up(holder, deps.second_factor_roles):
        raise second_factor_needed()
    return Principal(holder.agent)


def must_set_up(holder: Holder, wanted: Collection[Role]) -> bool:
    """Whether this session may do nothing but set up a second factor."""
    return factors.must_set_up(
        holder.agent.role, wanted, has_one=holder.second_factor, by_provider=holder.by_provider
    ).needed


def token_of(request: Request) -> str | None:
    """The token in the session cookie; None without one, or for one that is too long to be ours."""
    token = request.cookies.get(COOKIE)
    return token if token and len(token) <= 200 else None


def not_signed_in() -> Problem:
    return Problem(401, "not_signed_in", "you are not signed in", remedy="Sign in with POST /api/session.")


def second_factor_needed() -> Problem:
    return Problem(
        403,
        "second_factor_needed",
        "your role needs a second factor, and you have none yet",
        remedy="Set it up with POST /api/me/second-factor; nothing else is open to you before.",
    )


Entering = Annotated[Principal, Depends(entering)]
Signed = Annotated[Principal, Depends(signed_in)]


def at_least(role: Role) -> Callable[[Principal], Awaitable[Principal]]:
    """A dependency: signed in with this role or a higher one. Raises a 403 problem."""

    async def check(principal: Signed) -> Principal:
        if not rights.is_at_least(principal.agent.role, role):
            raise Problem(403, "forbidden", f"this needs the role {role}")
        return principal

    return check


def visible_call(deps: Deps, principal: Principal, call: str) -> LiveCall:
    """A live call that this agent may see. Raises a 404 problem, which does not tell whether there is one."""
    found = deps.floor.call(call)
    if found is None or not rights.may_see(principal.viewer(deps), found.thing):
        raise not_found("call")
    return found
