"""Who sends a request: the signed-in agent, for the routes and for `rules.rights`."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Request

from cti_server.api.ports import Deps, LiveCall
from cti_server.api.problems import Problem, not_found
from cti_server.record.center import sessions
from cti_server.record.center.agents import Agent
from cti_server.record.center.api_keys import ApiKey
from cti_server.record.center.sessions import Holder
from cti_server.rules import rights
from cti_server.rules import second_factor as factors
from cti_server.rules.facts import Role
from cti_server.rules.rights import EVERYBODY, Oversight, Viewer

COOKIE: Final = "cti_session"
ASK_WITHIN_S: Final = 5.0  # a connection that has died is silent for much longer
KEY_MARK: Final = "ctik_"
"""How every API key begins, so that one that leaked is known for what it is."""


@dataclass(frozen=True, slots=True)
class Principal:
    """A signed-in agent, or a program with a key: then `agent` is nobody, with the id 0."""

    agent: Agent
    key: ApiKey | None = None

    @property
    def id(self) -> int:
        return self.agent.id

    @property
    def supervises(self) -> bool:
        """Whether they are more than an agent; whom they supervise, their viewer says."""
        return self.key is None and rights.is_at_least(self.agent.role, "supervisor")

    def viewer(self, deps: Deps) -> Viewer:
        """The viewer for `rules.rights`, with the queues that they serve at this moment."""
        if self.key is not None:
            return Viewer(0, "service", grants=self.key.grants)
        return viewer_of(self.agent, deps.oversight, deps.floor.serves(self.id))


def viewer_of(agent: Agent, oversight: Callable[[int], Oversight], serves: frozenset[str] = frozenset()) -> Viewer:
    """An agent as `rules.rights` looks at them."""
    oversees = oversight(agent.id) if agent.role == "supervisor" else EVERYBODY
    return Viewer(agent.id, agent.role, agent.may_pick, serves, agent.all_grants, oversees)


def deps_of(request: Request) -> Deps:
    """The `Deps` that `create_api` got."""
    deps = request.app.state.deps
    assert isinstance(deps, Deps)
    return deps


DepsIn = Annotated[Deps, Depends(deps_of)]


def digest(secret: str) -> str:
    """The hash that is stored of a session token or ticket. These are 256 random bits: a fast hash is enough."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


async def signed_in(request: Request) -> Principal:
    """Who sends this request, as `guard` found out before. Raises a 401 problem."""
    principal = getattr(request.state, "principal", None)
    if principal is None:
        raise not_signed_in()
    assert isinstance(principal, Principal)
    return principal


async def by_cookie(request: Request, deps: Deps) -> Holder | None:
    """Who has the session cookie, also where they may do nothing with it yet; None without one, or once the
    session has ended. While the record is away, who had it when it was last asked."""
    token = token_of(request)
    if token is None:
        return None
    key, now = digest(token), deps.now()
    try:
        async with asyncio.timeout(ASK_WITHIN_S), deps.database.read() as conn:
            holder = (await sessions.holders(conn, [key], now)).get(key)
    except Exception as cause:
        known = deps.known_holders.of(key, now)
        if known is None or not deps.database.trouble.note(cause):
            raise
        return known
    deps.known_holders.verified(key, holder, now)
    return holder


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


Signed = Annotated[Principal, Depends(signed_in)]


def visible_call(deps: Deps, principal: Principal, call: str) -> LiveCall:
    """A live call that this agent may see. Raises a 404 problem, which does not tell whether there is one."""
    found = deps.floor.call(call)
    if found is None or not rights.may_see(principal.viewer(deps), found.thing):
        raise not_found("call")
    return found
