"""The routes of a session: sign in, sign out, and the one-time ticket for a websocket."""

from __future__ import annotations

import math
import secrets
import time
from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from cti_server.api.access.attempts import Attempts
from cti_server.api.access.passwords import MAX_PASSWORD, Verifier
from cti_server.api.access.tickets import TICKET_LASTS, Tickets
from cti_server.api.agent.me import me_view
from cti_server.api.principal import COOKIE, DepsIn, Principal, digest, not_signed_in, token_of
from cti_server.api.problems import Problem, documented
from cti_server.api.shapes import Me, TicketView
from cti_server.record.center import agents, sessions

SESSION_LASTS: Final = timedelta(hours=16)  # a long shift: having to sign in again during it would cost a call


class SignIn(BaseModel):
    """What a person types to sign in."""

    model_config = ConfigDict(extra="forbid")

    login: Annotated[str, Field(min_length=1, max_length=80)]
    password: Annotated[
        str, Field(min_length=1, max_length=MAX_PASSWORD, json_schema_extra={"format": "password"})
    ]


def is_https(request: Request) -> bool:
    """Whether the page that signs in is on https, so that its cookie must never travel without TLS.

    The browser says it in Origin, whatever the proxy before us tells or forgets to tell. Who lies here only makes
    their own browser drop the cookie.
    """
    return request.url.scheme == "https" or request.headers.get("origin", "").startswith("https://")


def router() -> APIRouter:
    """The routes of /api/session. Each call makes its own memory of failed attempts."""
    routes = APIRouter(prefix="/api/session", tags=["session"])
    attempts, verifier = Attempts(), Verifier()

    @routes.post("", operation_id="signIn", responses=documented(401, 403, 413, 422, 429))
    async def sign_in(body: SignIn, request: Request, response: Response, deps: DepsIn) -> Me:
        """Sign in. The session is a cookie that scripts cannot read."""
        address = request.client.host if request.client else ""
        login = body.login.strip().casefold()
        if wait := attempts.wait(login, address, time.monotonic()):
            raise Problem(
                429,
                "too_many_attempts",
                "too many failed attempts to sign in",
                remedy=f"Wait {math.ceil(wait)} s.",
                headers={"Retry-After": str(math.ceil(wait))},
            )
        async with deps.database.read() as conn:
            agent = await agents.by_login(conn, login)
        stored = agent.password_hash if agent is not None and agent.active else None
        if not await verifier.matches(body.password, stored) or agent is None:
            attempts.failed(login, address, time.monotonic())
            raise Problem(401, "wrong_credentials", "the login or the password is wrong")
        attempts.succeeded(login, address)
        token = secrets.token_urlsafe(32)
        now = deps.now()
        async with deps.database.begin() as conn:
            await sessions.purge(conn, now)
            await sessions.open_session(conn, digest(token), agent.id, now, now + SESSION_LASTS)
        response.set_cookie(
            COOKIE,
            token,
            max_age=int(SESSION_LASTS.total_seconds()),
            path="/",
            httponly=True,
            samesite="strict",
            secure=deps.cookie_secure or is_https(request),
        )
        return await me_view(deps, Principal(agent))

    @routes.delete("", operation_id="signOut", status_code=204, responses=documented(403))
    async def sign_out(request: Request, response: Response, deps: DepsIn) -> None:
        """End this session and the agent's websockets. Does nothing without a session."""
        token = request.cookies.get(COOKIE)
        response.delete_cookie(
            COOKIE, path="/", httponly=True, samesite="strict", secure=deps.cookie_secure or is_https(request)
        )
        if not token:
            return
        async with deps.database.begin() as conn:
            agent = await sessions.agent_of(conn, digest(token), deps.now())
            await sessions.close_session(conn, digest(token))
            if agent is not None:
                await sessions.drop_tickets(conn, agent.id)
        if agent is not None:
            await deps.commands.signed_out(agent.id)

    @routes.post("/ticket", operation_id="issueTicket", responses=documented(401, 403))
    async def issue_ticket(request: Request) -> TicketView:
        """A ticket for the first message on /ws. It can be used once."""
        token = token_of(request)
        tickets: Tickets = request.app.state.tickets
        ticket = await tickets.issue(token) if token is not None else None
        if ticket is None:
            raise not_signed_in()
        return {"ticket": ticket, "expires_in": int(TICKET_LASTS.total_seconds())}

    return routes
