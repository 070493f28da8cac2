"""The routes of a sign-in through the identity provider, and of the sign-outs that it tells us of.

A browser goes there with what POST /sign-in gives it, and comes back to a page of ours (`BACK`), whose script
brings the code here: so every cookie is Strict, and whatever goes wrong is told by the page, in its language.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Final
from urllib.parse import parse_qs

import structlog
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from cti_server.api.access import coming
from cti_server.api.access.again import address_of
from cti_server.api.access.session import is_https, open_session
from cti_server.api.access.sign_ins import SignIns
from cti_server.api.ports import Deps, SignOn
from cti_server.api.principal import DepsIn, digest
from cti_server.api.problems import Problem, documented
from cti_server.api.shapes import GoingView, SignedIn
from cti_server.provider.trouble import Trouble, TroubleCode
from cti_server.record.audit.entries import Actor, acts, note
from cti_server.record.center import identities, sessions
from cti_server.record.center.identities import ProviderSession
from cti_server.rules.facts import Language

log = structlog.get_logger(__name__)

routes = APIRouter(prefix="/api/oidc", tags=["session"])

BACK: Final = "/sign-in/back"  # the desktop's page; the redirect URI is one of CTI_HTTP_ORIGINS and this
LASTS_S: Final = 600  # seconds for which a browser may be at the provider
COOKIE: Final = "cti_oidc_"  # and the start of the state's hash: each tab that goes there has its own
MAX_GOING: Final = 5  # tabs
MAX_TEXT: Final = 4096  # characters of what the provider gave the browser


class Go(BaseModel):
    """The language that the provider's pages should have."""

    model_config = ConfigDict(extra="forbid")

    language: Language | None = None


Text = Annotated[str, Field(max_length=MAX_TEXT)]


class Back(BaseModel):
    """What the provider put into the address of the page: a code, or an error."""

    model_config = ConfigDict(extra="forbid")

    state: Text
    code: Text | None = None
    iss: Text | None = None
    error: Text | None = None
    error_description: Text | None = None


def sign_on_of(deps: Deps) -> SignOn:
    if deps.sign_on is None:
        raise Problem(404, "oidc_off", "this server knows no identity provider")
    return deps.sign_on


def origin_of(request: Request, deps: Deps) -> str:
    """The address of the desktop, as the settings write it: never by the Host header, which anybody can choose."""
    origin = request.headers.get("origin")
    if origin is None:
        return deps.origins[0].rstrip("/")
    found = next((one for one in deps.origins if one.rstrip("/").casefold() == origin.casefold()), None)
    if found is None:
        raise Problem(
            409,
            "oidc_other_address",
            f"the provider sends nobody back to {origin[:200]}",
            remedy=f"Open {deps.origins[0]}. Administrator: or add this address to CTI_HTTP_ORIGINS.",
        )
    return found.rstrip("/")


@routes.post("/sign-in", operation_id="goToProvider", responses=documented(403, 404, 409, 422, 502, 503))
async def go(body: Go, request: Request, response: Response, deps: DepsIn) -> GoingView:
    """Where the browser goes to sign in. What it must come back with is in a cookie of its own."""
    sign_on, origin = sign_on_of(deps), origin_of(request, deps)
    try:
        going = await sign_on.provider.going(origin + BACK, body.language)
    except Trouble as trouble:
        raise problem_of(trouble) from None
    earlier = sorted(
        (_begun_at(value), name) for name, value in request.cookies.items() if name.startswith(COOKIE)
    )
    for _, name in earlier[: max(0, len(earlier) - MAX_GOING + 1)]:
        _set(request, response, deps, name, None)
    kept = f"{int(deps.now().timestamp())}.{going.nonce}.{going.verifier}"
    _set(request, response, deps, _name(going.state), kept)
    return {"url": going.url}


@routes.post(
    "/session", operation_id="comeFromProvider", responses=documented(400, 403, 404, 409, 422, 429, 502, 503)
)
async def come(body: Back, request: Request, response: Response, deps: DepsIn) -> SignedIn:
    """Sign in by what the provider gave the browser. The session is as that of POST /api/session."""
    sign_on, origin = sign_on_of(deps), origin_of(request, deps)
    kept = request.cookies.get(_name(body.state), "").split(".")
    begun = _begun_at(".".join(kept))
    if len(kept) != 3 or not 0 <= deps.now().timestamp() - begun <= LASTS_S:
        raise problem_of(Trouble("old_state", "this browser did not go to the provider, or too long ago"))
    if body.error is not None or body.code is None:
        raise _of_error(body)
    code, (_, nonce, verifier) = body.code, kept
    sign_ins: SignIns = request.app.state.sign_ins
    with sign_ins.counted(address_of(request)):
        try:
            came = await sign_on.provider.came(
                code,
                issuer=body.iss,
                nonce=nonce,
                verifier=verifier,
                redirect_uri=origin + BACK,
                wanted=coming.wanted(sign_on),
            )
        except Trouble as trouble:
            raise problem_of(trouble) from None
    agent = await coming.admitted(deps, sign_on, came)
    token = came.id_token
    if deps.sealer.ready:
        token = deps.sealer.seal(token, f"provider_sessions/{came.issuer}")
    _set(request, response, deps, _name(body.state), None)
    by = ProviderSession(came.issuer, came.subject, came.sid, token)
    return await open_session(request, response, deps, agent, by)


@routes.post(
    "/logout",
    operation_id="endByProvider",
    responses=documented(400, 404, 413, 502, 503),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/x-www-form-urlencoded": {
                    "schema": {
                        "type": "object",
                        "properties": {"logout_token": {"type": "string"}},
                        "required": ["logout_token"],
                    }
                }
            },
        }
    },
)
async def end_by_provider(request: Request, deps: DepsIn) -> dict[str, Any]:
    """For the provider (OpenID Connect Back-Channel Logout): end the sessions that this token names."""
    sign_on = sign_on_of(deps)
    body = (await request.body()).decode("utf-8", "replace")
    try:
        given = parse_qs(body, max_num_fields=20).get("logout_token", [])
    except ValueError:
        given = []
    if len(given) != 1:
        raise Problem(400, "oidc_bad_token", "the form must have one logout_token")
    try:
        issuer, ended = await sign_on.provider.ended(given[0])
    except Trouble as trouble:
        raise problem_of(trouble, answers_provider=True) from None
    now = deps.now()
    async with deps.database.begin() as conn:
        until = datetime.fromtimestamp(ended.until, UTC)
        if not await identities.use_logout(conn, issuer, ended.jti, until, now):
            raise Problem(400, "oidc_bad_token", "this logout token was used already")
        people = await sessions.close_of_provider(conn, issuer, ended.subject, ended.sid, now)
        acts(Actor(f"provider:{issuer}", ended.subject or ended.sid or "-", address_of(request)))
        for agent in people:
            note("session.closed", f"user:{agent}", {"by": "provider"})
    log.info("oidc.logged_out", agents=sorted(people))
    for agent in people:
        await deps.commands.signed_out(agent)
    return {}


# --- what went wrong ---------------------------------------------------------------------------------------

_PROBLEMS: Final[dict[TroubleCode, tuple[int, str, str]]] = {
    "unreachable": (
        503,
        "the identity provider does not answer",
        "Try again in a minute; your administrator finds the cause with cti-server doctor.",
    ),
    "misconfigured": (
        502,
        "this server and the identity provider do not fit together",
        "Your administrator finds the cause with cti-server doctor, and in the log.",
    ),
    "wrong_client": (
        502,
        "the identity provider does not know this server",
        "Administrator: correct CTI_OIDC_CLIENT_ID and CTI_OIDC_CLIENT_SECRET.",
    ),
    "clock": (
        502,
        "the clocks of this server and of the identity provider differ",
        "Administrator: set the clock, best by NTP; two minutes are allowed.",
    ),
    "bad_token": (403, "what the identity provider signed is not for this sign-in", "Begin again."),
    "old_state": (409, "this sign-in is over or was begun elsewhere", "Begin again."),
}


def problem_of(trouble: Trouble, *, answers_provider: bool = False) -> Problem:
    """The problem for what went wrong, which the log tells in full."""
    status, detail, remedy = _PROBLEMS[trouble.code]
    log.warning("oidc.trouble", code=trouble.code, why=str(trouble))
    if answers_provider:
        down = trouble.code == "unreachable"
        return Problem(503 if down else 400, f"oidc_{trouble.code}", str(trouble) if not down else detail)
    return Problem(status, f"oidc_{trouble.code}", detail, remedy=remedy)


def _of_error(body: Back) -> Problem:
    """The problem for an error that the provider sent the browser back with (RFC 6749, 4.1.2.1)."""
    error = (body.error or "no code")[:100]
    log.warning("oidc.refused", error=error, description=(body.error_description or "")[:300])
    if error == "access_denied":
        return Problem(403, "oidc_cancelled", "the identity provider did not let you in, or you cancelled")
    if error in ("server_error", "temporarily_unavailable"):
        return problem_of(Trouble("unreachable", error))
    if error in ("invalid_request", "invalid_scope", "unauthorized_client", "unsupported_response_type"):
        return problem_of(Trouble("misconfigured", f"{error}: {(body.error_description or '')[:300]}"))
    return Problem(403, "oidc_refused", f"the identity provider refuses: {error}", remedy="Begin again.")


# --- the cookie of a browser that is there -----------------------------------------------------------------


def _name(state: str) -> str:
    return COOKIE + digest(state)[:16]


def _begun_at(kept: str) -> float:
    begun = kept.partition(".")[0]
    return float(begun) if begun.isascii() and begun.isdigit() and len(begun) < 12 else 0.0


def _set(request: Request, response: Response, deps: Deps, name: str, value: str | None) -> None:
    response.set_cookie(
        name,
        value or "",
        max_age=LASTS_S if value is not None else 0,
        path="/api/oidc",
        httponly=True,
        samesite="strict",
        secure=deps.cookie_secure or is_https(request),
    )
