"""The routes of one's own account: a new password, and where else one is signed in."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from cti_server.api.access.again import ask_again
from cti_server.api.access.passwords import MAX_PASSWORD, WeakPassword, check_password, hash_password
from cti_server.api.principal import COOKIE, DepsIn, Signed, digest, token_of
from cti_server.api.problems import Problem, documented
from cti_server.api.shapes import SessionsView
from cti_server.lookup.shapes import stamp
from cti_server.record.center import agents, sessions

routes = APIRouter(prefix="/api/me", tags=["me"])

Password = Annotated[str, Field(min_length=1, max_length=MAX_PASSWORD, json_schema_extra={"format": "password"})]


class NewPassword(BaseModel):
    """The password that counts now, and the one that is to count from now on."""

    model_config = ConfigDict(extra="forbid")

    current: Password
    new: Password


@routes.put(
    "/password", operation_id="changePassword", status_code=204, responses=documented(401, 403, 422, 429, 503)
)
async def change_password(body: NewPassword, request: Request, principal: Signed, deps: DepsIn) -> None:
    """Take a new password. Every other session of this person ends."""
    agent, token = principal.agent, await ask_again(request, deps, principal, body.current)
    try:
        await asyncio.to_thread(check_password, body.new, agent.login, agent.name)
    except WeakPassword as weak:
        raise Problem(422, f"password_{weak.code}", str(weak), remedy="Take a longer one: a few words.") from None
    hashed = await asyncio.to_thread(hash_password, body.new)
    async with deps.database.begin() as conn:
        await agents.update(conn, agent.id, password_hash=hashed)
        await sessions.close_all(conn, agent.id, deps.now(), keep=token)
    await deps.commands.signed_out(agent.id)


@routes.get("/sessions", operation_id="listMySessions", responses=documented(401))
async def list_sessions(request: Request, principal: Signed, deps: DepsIn) -> SessionsView:
    """Where this person is signed in, the latest first."""
    token = token_of(request)
    async with deps.database.read() as conn:
        found = await sessions.of_agent(conn, principal.id, deps.now())
    return {
        "items": [
            {
                "since": stamp(one.created_at),
                "address": one.address,
                "browser": one.browser,
                "current": token is not None and one.token_hash == digest(token),
            }
            for one in found
        ]
    }


@routes.delete("/sessions", operation_id="endMyOtherSessions", status_code=204, responses=documented(401, 403))
async def end_other_sessions(request: Request, principal: Signed, deps: DepsIn) -> None:
    """Sign this person out everywhere but here."""
    async with deps.database.begin() as conn:
        await sessions.close_all(conn, principal.id, deps.now(), keep=digest(request.cookies[COOKIE]))
    await deps.commands.signed_out(principal.id)
