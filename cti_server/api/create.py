"""Puts the API together: routes, edge, problems, the desktop behind them, the OpenAPI document."""

from __future__ import annotations

from http import HTTPStatus
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final, Literal

from fastapi import FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from pydantic import TypeAdapter

from cti_server.api import events, health, problems
from cti_server.api.access import account, oidc, second_factor, session
from cti_server.api.access.sign_ins import SignIns
from cti_server.api.access.tickets import Tickets
from cti_server.api.admin import api_keys, audit, teams, users
from cti_server.api.agent import codes, day, drafts, help_requests, me, messages, owed, phones, promises, wrap_up
from cti_server.api.crm import customers, identify, interactions, values
from cti_server.api.desktop import Desktop
from cti_server.api.floor import calls, control, dial_policy, queues, team
from cti_server.api.guard import add_guarded, numbers_seen
from cti_server.api.masks import Masks
from cti_server.api.middleware import Edge
from cti_server.api.ports import Deps
from cti_server.api.principal import COOKIE
from cti_server.asterisk.link import SinkFull
from cti_server.rules.operations import OPERATIONS

RESOURCES: Final = (
    session,
    oidc,
    account,
    second_factor,
    me,
    day,
    phones,
    drafts,
    wrap_up,
    owed,
    customers,
    values,
    interactions,
    promises,
    calls,
    control,
    dial_policy,
    help_requests,
    messages,
    team,
    queues,
    codes,
    users,
    teams,
    api_keys,
    audit,
    identify,
    health,
)
OPENAPI_URL: Final = "/api/openapi.json"
#: operations that look at who asks themselves, and by what
_BY_THEMSELVES: Final = {"issueTicket": "session", "identifyCaller": "token"}


def create_api(deps: Deps) -> FastAPI:
    """The ASGI application. Add the websocket with `websocket.add_websocket` before serving it."""
    app = _routed()
    app.state.deps = deps
    app.state.tickets = Tickets(deps.database, deps.now, deps.second_factor_roles, deps.known_holders)
    app.state.sign_ins = SignIns()
    app.state.masks = Masks(openapi_document(), deps.sealer.shared_key)
    app.state.numbers_seen = numbers_seen()
    trouble = deps.database.trouble
    app.add_middleware(
        Edge,
        origins=deps.origins,
        positions=deps.positions,
        is_trouble=trouble.note,
        phones=deps.softphone_url,
        secure=deps.cookie_secure,
    )
    app.router.default = Desktop(deps.desktop)
    problems.install(app)

    async def overloaded(request: Request, _: Exception) -> JSONResponse:
        problem = problems.Problem(
            503, "overloaded", "the server is behind with what the PBX tells", remedy="Try again shortly."
        )
        return problems.response(problem, problems.request_id(request))

    app.add_exception_handler(SinkFull, overloaded)
    document: dict[str, Any] = {}

    def openapi() -> dict[str, Any]:
        if not document:
            document.update(_openapi_of(app))
        return document

    app.openapi = openapi  # type: ignore[method-assign]
    return app


def openapi_document() -> dict[str, Any]:
    """The OpenAPI document of this version, made without a server, for the desktop's types and the docs."""
    return _openapi_of(_routed())


def _routed() -> FastAPI:
    app = FastAPI(
        title="cti-server",
        version=_version(),
        summary="Who is calling, what they are entitled to, and what became of it.",
        openapi_url=OPENAPI_URL,
        docs_url=None,  # these pages load scripts from other sites, which our content policy refuses
        redoc_url=None,
        redirect_slashes=False,
    )
    add_guarded(app, (resource.routes for resource in RESOURCES))
    return app


def _openapi_of(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, in which every error is a problem and each operation says how it is authorised."""
    document = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
    schemas = document["components"]["schemas"]
    schemas.update(_frames())
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    document["components"]["securitySchemes"] = {
        "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
        "token": {"type": "http", "scheme": "bearer", "description": "CTI_IDENTIFY_TOKEN"},
        "key": {"type": "http", "scheme": "bearer", "description": "an API key with the scope that is named"},
    }
    problem = {"schema": {"$ref": "#/components/schemas/ProblemView"}}
    for path in document["paths"].values():
        for method, operation in path.items():
            operation["security"] = _security(operation["operationId"])
            everywhere = {500} | ({403} if method != "get" else set())  # 403: another web site sent it
            if "requestBody" in operation:
                everywhere |= {400, 413, 422}
            for status in everywhere:
                operation["responses"].setdefault(str(status), {"description": HTTPStatus(status).phrase})
            for status, answer in operation["responses"].items():
                if status >= "400":
                    answer["content"] = {problems.MEDIA_TYPE: problem}
    return document


def _security(operation: str) -> list[dict[str, list[str]]]:
    """How an operation is authorised: by nothing, by a session, or by either a session or a key with a scope."""
    if (scheme := _BY_THEMSELVES.get(operation)) is not None:
        return [{scheme: []}]
    needs = OPERATIONS[operation]
    if needs.role is None:
        return []
    ways: list[dict[str, list[str]]] = [{"session": []}]
    return ways if needs.scope is None else [*ways, {"key": [needs.scope]}]


def _frames() -> dict[str, Any]:
    """The schemas of /ws, for which OpenAPI has no routes: `ServerEvent`, `Frame` and everything in them."""
    wanted: list[tuple[str, Literal["serialization"], TypeAdapter[Any]]] = [
        ("ServerEvent", "serialization", TypeAdapter(events.ServerEvent)),
        ("Frame", "serialization", TypeAdapter(events.Frame)),
    ]
    made, found = TypeAdapter.json_schemas(wanted, ref_template="#/components/schemas/{model}")
    named = {name: schema for (name, _), schema in made.items()}
    return {**found.get("$defs", {}), **named}


def _version() -> str:
    try:
        return version("cti-server")
    except PackageNotFoundError:  # run from a checkout that was not installed
        return "0"
