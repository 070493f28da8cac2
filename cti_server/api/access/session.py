"""The routes of a session: sign in, sign out, and the one-time ticket for a websocket."""

from __future__ import annotations

import secrets
from contextlib import suppress
from datetime import timedelta
from typing import Annotated, Final
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from cti_server.api.access.again import address_of
from cti_server.api.access.passwords import MAX_PASSWORD
from cti_server.api.access.proofs import Proof, prove
from cti_server.api.access.sign_ins import SignIns
from cti_server.api.access.tickets import TICKET_LASTS, Tickets
from cti_server.api.agent.me import me_view
from cti_server.api.ports import Deps
from cti_server.api.principal import COOKIE, DepsIn, Principal, digest, must_set_up, not_signed_in, token_of
from cti_server.api.problems import Problem, documented
from cti_server.api.shapes import GoingView, SignedIn, TicketView, WaysView
from cti_server.record.audit.entries import Actor, acts, note
from cti_server.record.center import agents, identities, sessions
from cti_server.record.center.agents import Agent
from cti_server.record.center.identities import ProviderSession
from cti_server.record.sealing import SealingError

SESSION_LASTS: Final = timedelta(hours=16)  # a long shift: having to sign in again during it would cost a call
DEVICE_COOKIE: Final = "cti_device"  # says nothing of who: that this device has signed somebody in before
MAX_TOKEN: Final = 200  # characters


class SignIn(BaseModel):
    """What a person types to sign in. `code` is asked for with 401 `code_needed`: six digits of their
    authenticator app, or a recovery code."""

    model_config = ConfigDict(extra="forbid")

    login: Annotated[str, Field(min_length=1, max_length=80)]
    password: Annotated[
        str, Field(min_length=1, max_length=MAX_PASSWORD, json_schema_extra={"format": "password"})
    ]
    code: Annotated[str, Field(max_length=80)] | None = None


def is_https(request: Request) -> bool:
    """Whether the page that signs in is on https, so that its cookie must never travel without TLS.

    The browser says it in Origin, whatever the proxy before us tells or forgets to tell. Who lies here only makes
    their own browser drop the cookie.
    """
    return request.url.scheme == "https" or request.headers.get("origin", "").startswith("https://")


def drops_secure_cookies(request: Request) -> bool:
    """Whether the browser keeps no cookie that is for TLS only: its page came by http, and not from itself."""
    page = urlsplit(request.headers.get("origin", ""))
    name = page.hostname or ""
    return page.scheme == "http" and name not in ("localhost", "::1") and not name.startswith("127.")


routes = APIRouter(prefix="/api/session", tags=["session"])


@routes.post("", operation_id="signIn", responses=documented(400, 401, 403, 413, 422, 429, 503))
async def sign_in(body: SignIn, request: Request, response: Response, deps: DepsIn) -> SignedIn:
    """Sign in. The session is a cookie that scripts cannot read.

    With `must_set_up` true it opens nothing but /api/me/second-factor, until that is on.
    """
    if deps.cookie_secure and drops_secure_cookies(request):
        raise Problem(
            400,
            "not_over_tls",
            "this page came by http, and this server lets people sign in by https only",
            remedy="Open it by https. Administrator: CTI_COOKIE_SECURE=false lets them in by http, too.",
        )
    login = body.login.strip().casefold()
    device = request.cookies.get(DEVICE_COOKIE, "")[:MAX_TOKEN]
    async with deps.database.read() as conn:
        agent = await agents.by_login(conn, login)
        is_known = agent is not None and device and await sessions.is_known_device(conn, digest(device), agent.id)
    sign_ins: SignIns = request.app.state.sign_ins
    found = await sign_ins.judge(
        agent,
        login,
        body.password,
        address_of(request),
        device if is_known else None,
        lambda one: _proved(deps, one, body.code or None),
    )
    return await open_session(request, response, deps, found)


async def _proved(deps: Deps, agent: Agent, code: str | None) -> Proof:
    """Their second factor, where a password counts at all."""
    if not deps.password_sign_in and not agent.break_glass:
        raise Problem(
            403,
            "password_sign_in_off",
            "people sign in through the identity provider here",
            remedy="Use its button. Administrator: cti-server user set LOGIN --break-glass   for emergencies.",
        )
    return await prove(deps, agent, code)


async def open_session(
    request: Request, response: Response, deps: Deps, found: Agent, by: ProviderSession | None = None
) -> SignedIn:
    """Give the browser a session of this agent, and remember its device. `by` is the provider's session behind
    it."""
    device = request.cookies.get(DEVICE_COOKIE, "")[:MAX_TOKEN] or secrets.token_urlsafe(32)
    token, now = secrets.token_urlsafe(32), deps.now()
    opened = sessions.Session(
        token_hash=digest(token),
        agent_id=found.id,
        created_at=now,
        expires_at=now + SESSION_LASTS,
        address=address_of(request)[:MAX_TOKEN],
        browser=request.headers.get("user-agent", "")[:MAX_TOKEN],
    )
    acts(Actor(f"user:{found.id}", found.login, address_of(request)))
    async with deps.database.begin() as conn:
        note("session.opened", f"user:{found.id}", {"by": by.issuer if by is not None else "password"})
        await sessions.purge(conn, now)
        await sessions.open_session(conn, opened)
        if by is not None:
            await identities.note_session(conn, digest(token), by)
        else:
            await sessions.know_device(conn, digest(device), found.id, now)
        holder = (await sessions.holders(conn, [digest(token)], now)).get(digest(token))
    secure = deps.cookie_secure or is_https(request)
    cookies = [(COOKIE, token, SESSION_LASTS)]
    if by is None:  # a device is known for the budget of its passwords
        cookies.append((DEVICE_COOKIE, device, sessions.DEVICES_KEPT))
    for name, value, lasts in cookies:
        response.set_cookie(
            name,
            value,
            max_age=int(lasts.total_seconds()),
            path="/" if name == COOKIE else "/api/session",
            httponly=True,
            samesite="strict",
            secure=secure,
        )
    if holder is None:  # disabled since the password was read
        raise not_signed_in()
    me = await me_view(deps, Principal(holder.agent))
    return {**me, "must_set_up": must_set_up(holder, deps.second_factor_roles)}


@routes.get("/ways", operation_id="getWaysToSignIn")
async def get_ways(deps: DepsIn) -> WaysView:
    """How people sign in here."""
    name = deps.sign_on.name if deps.sign_on is not None else None
    return {"password": deps.password_sign_in, "provider": {"name": name} if name is not None else None}


@routes.delete(
    "",
    operation_id="signOut",
    status_code=204,
    response_model=None,
    responses=documented(403)
    | {200: {"model": GoingView, "description": "The provider's session goes on: end it there"}},
)
async def sign_out(request: Request, response: Response, deps: DepsIn) -> Response | None:
    """End this session and the agent's websockets. Does nothing without a session.

    A session that came through the identity provider is answered with 200 and the address where a browser ends the
    provider's session as well.
    """
    token = request.cookies.get(COOKIE)
    response.delete_cookie(
        COOKIE, path="/", httponly=True, samesite="strict", secure=deps.cookie_secure or is_https(request)
    )
    if not token:
        return None
    async with deps.database.begin() as conn:
        agent = await sessions.agent_of(conn, digest(token), deps.now())
        by = await identities.session_of(conn, digest(token))
        await sessions.close_session(conn, digest(token), deps.now())
        if agent is not None:
            await sessions.drop_tickets(conn, agent.id)
            acts(Actor(f"user:{agent.id}", agent.login, address_of(request)))
            note("session.closed", f"user:{agent.id}")
    if agent is not None:
        await deps.commands.signed_out(agent.id)
    url = _end_url(request, deps, by) if by is not None else None
    if url is None:
        return None
    return JSONResponse({"url": url}, headers={"Set-Cookie": response.headers["set-cookie"]})


def _end_url(request: Request, deps: Deps, by: ProviderSession) -> str | None:
    """Where the provider's session ends, for a browser that then comes back to the address that it is at."""
    if deps.sign_on is None:
        return None
    at = request.headers.get("origin", "")
    origin = next((one for one in deps.origins if one.rstrip("/").casefold() == at.casefold()), deps.origins[0])
    with suppress(SealingError):  # by another key: ours ends, the provider's goes on
        id_token = deps.sealer.open(by.id_token, f"provider_sessions/{by.issuer}")
        return deps.sign_on.provider.end_url(id_token, origin.rstrip("/") + "/")
    return None


@routes.post("/ticket", operation_id="issueTicket", responses=documented(401, 403))
async def issue_ticket(request: Request) -> TicketView:
    """A ticket for the first message on /ws. It can be used once."""
    token = token_of(request)
    tickets: Tickets = request.app.state.tickets
    ticket = await tickets.issue(token) if token is not None else None
    if ticket is None:
        raise not_signed_in()
    return {"ticket": ticket, "expires_in": int(TICKET_LASTS.total_seconds())}
