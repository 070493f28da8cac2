"""What stands before every operation: who asks, whether they may, what is noted, and which numbers they see.

    request ─▶ who? ─▶ may they? ─▶ handles become numbers ─▶ operation ─▶ numbers are masked ─▶ answer
                 401       403                                    └▶ its first transaction notes it

Every route goes through here: `add_guarded` refuses an application with an operation that `rules.operations`
lacks.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, MutableMapping
from copy import copy
from datetime import date
from typing import Any, Final
from urllib.parse import quote, unquote

import orjson
import structlog
from fastapi import APIRouter, FastAPI, Request
from fastapi.routing import APIRoute
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cti_server.api.masks import ASK_FOR_NUMBERS, Masks
from cti_server.api.ports import Deps
from cti_server.api.principal import (
    KEY_MARK,
    Principal,
    by_cookie,
    digest,
    must_set_up,
    not_signed_in,
    second_factor_needed,
)
from cti_server.api.problems import MEDIA_TYPE, Problem
from cti_server.record.audit.entries import SERVER, Actor, Operation, acts, note
from cti_server.record.center import api_keys
from cti_server.record.center.agents import Agent
from cti_server.record.database import failure
from cti_server.rules.operations import NUMBERS, OPERATIONS, Needs
from cti_server.rules.rights import is_at_least

log = structlog.get_logger(__name__)

#: operations that show a customer's numbers to somebody who chose whom to look at; once a day each is noted
SHOW_CUSTOMERS: Final = frozenset(
    {"findCustomers", "getCustomer", "getTimeline", "listInteractions", "getInteraction", "getCard"}
)
SECRETS: Final = frozenset({"password", "current", "new", "code", "secret", "sip_password", "token"})
SEEN_KEPT: Final = 20_000


def add_guarded(app: FastAPI, routers: Iterable[APIRouter]) -> None:
    """Add the routes of these routers to the application, each behind its guard.

    Raises ValueError for an operation without a row, and for a row without an operation.
    """
    routes = [route for router in routers for route in router.routes]
    named = {route.operation_id: route for route in routes if isinstance(route, APIRoute) and route.operation_id}
    if len(named) < len(routes):
        raise ValueError("every route of the API is an operation with a name of its own")
    if differ := named.keys() ^ OPERATIONS.keys():
        raise ValueError(f"rules/operations.py and the routes differ in {', '.join(sorted(differ))}")
    for name, route in named.items():
        guarded = copy(route)  # the routers are shared by all applications of a process
        guarded.app = _Guarded(route.app, name, OPERATIONS[name], app)
        app.router.routes.append(guarded)


class _Guarded:
    """One operation with its guard, as an ASGI application."""

    def __init__(self, inner: ASGIApp, name: str, needs: Needs, app: FastAPI) -> None:
        self._inner, self._name, self._needs, self._app = inner, name, needs, app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        deps: Deps = self._app.state.deps
        masks: Masks = self._app.state.masks
        request = Request(scope)
        principal = await _who(request, deps, self._needs)
        scope.setdefault("state", {})["principal"] = principal
        _open_query(scope, masks)
        if principal is None:
            acts(Actor(SERVER.id, SERVER.name, _address(request)))
            # Nobody knows yet what whoever signs in may see; their desktop is told by its websocket.
            await self._inner(scope, receive, _Answer(send, masks, self._name, is_masked=True).send)
            return
        body = _Body(receive, masks)
        operation = None
        if self._needs.noted:
            detail: dict[str, Any] = {}
            thing = "/".join(f"{name}:{value}" for name, value in scope.get("path_params", {}).items())
            operation = Operation(self._name, thing or "-", detail, self._allowed_by(principal))
            body.told, body.values = detail, self._needs.grant is not None
        acts(actor_of(principal, request), operation)
        answer = _Answer(send, masks, self._name, is_masked=not principal.viewer(deps).sees_numbers)
        await self._inner(scope, body.receive, answer.send)
        if answer.status >= 400:
            return
        try:
            if operation is not None and not operation.noted:
                async with deps.database.begin():
                    pass  # the operation notes itself
            if self._name in SHOW_CUSTOMERS and not answer.is_masked:
                await self._once_a_day(deps, principal, scope, "numbers.seen", NUMBERS)
            elif principal.key is not None and operation is None:
                await self._once_a_day(deps, principal, scope, "key.read", self._needs.scope)
        except Exception as cause:  # the answer is on its way: it cannot be taken back, and the log can be told
            who = actor_of(principal, request).id
            log.error("audit.not_noted", operation=self._name, who=who, cause=failure(cause))

    def _allowed_by(self, principal: Principal) -> str | None:
        return self._needs.scope if principal.key is not None else self._needs.grant

    async def _once_a_day(
        self, deps: Deps, principal: Principal, scope: Scope, action: str, allowed_by: str | None
    ) -> None:
        """Note what only a grant or a scope let somebody read: once a day for each reader and thing."""
        seen: MutableMapping[tuple[Any, ...], None] = self._app.state.numbers_seen
        thing = "/".join(f"{name}:{value}" for name, value in scope.get("path_params", {}).items()) or self._name
        who = (principal.id, principal.key.id if principal.key is not None else 0)
        once = (deps.now().date(), who, f"{self._name} {thing}")
        if once in seen:
            return
        seen[once] = None
        if len(seen) > SEEN_KEPT:
            seen.pop(next(iter(seen)))
        acts(actor_of(principal, Request(scope)))
        try:
            async with deps.database.begin():
                note(action, thing, {"operation": self._name}, allowed_by=allowed_by)
        except BaseException:
            seen.pop(once, None)
            raise


def numbers_seen() -> OrderedDict[tuple[date, tuple[int, int], str], None]:
    """What `_once_a_day` remembers, for one application."""
    return OrderedDict()


# --- who, and may they -------------------------------------------------------------------------------------


async def _who(request: Request, deps: Deps, needs: Needs) -> Principal | None:
    """Who asks; None where nobody need be signed in. Raises a 401 or 403 problem."""
    if needs.role is None:
        return None
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.casefold() == "bearer":
        return await _program(token.strip(), deps, needs)
    holder = await by_cookie(request, deps)
    if holder is None:
        raise not_signed_in()
    if not needs.halfway and must_set_up(holder, deps.second_factor_roles):
        raise second_factor_needed()
    agent = holder.agent
    if not is_at_least(agent.role, needs.role):
        raise Problem(403, "forbidden", f"this needs the role {needs.role}")
    if needs.grant is not None and needs.grant not in agent.all_grants:
        remedy = f"An administrator gives it:  cti-server user grant {agent.login} {needs.grant}"
        raise Problem(403, "grant_needed", f"this needs the grant {needs.grant}", remedy=remedy)
    return Principal(agent)


async def _program(token: str, deps: Deps, needs: Needs) -> Principal:
    now = deps.now()
    async with deps.database.read() as conn:
        key = await api_keys.by_token(conn, digest(token)) if token.startswith(KEY_MARK) else None
    if key is None or not key.is_good(now):
        why = "this key has expired, or was revoked" if key is not None else "there is no such key"
        remedy = "An administrator makes one:  cti-server api-key add NAME --scope …"
        raise Problem(401, "wrong_key", why, remedy=remedy, headers={"WWW-Authenticate": "Bearer"})
    if needs.scope is None:
        raise Problem(403, "not_for_programs", "only a person who is signed in does this")
    if needs.scope not in key.scopes:
        raise Problem(403, "scope_needed", f"this needs a key with the scope {needs.scope}")
    if key.used_at is None or now - key.used_at > api_keys.USED_EVERY:
        async with deps.database.begin() as conn:
            await api_keys.used(conn, key.id, now)
    return Principal(Agent(0, f"key:{key.id}", key.name, "agent"), key)


def actor_of(principal: Principal, request: Request) -> Actor:
    """Who acts, for the audit log."""
    if principal.key is not None:
        return Actor(f"key:{principal.key.id}", principal.key.name, _address(request))
    return Actor(f"user:{principal.id}", principal.agent.login, _address(request))


def _address(request: Request) -> str | None:
    return request.client.host if request.client is not None else None


# --- what comes in, and what goes out ----------------------------------------------------------------------


def _open_query(scope: Scope, masks: Masks) -> None:
    query = scope.get("query_string", b"")
    if b"~" in query or b"%7E" in query or b"%7e" in query:
        pairs = [pair.partition("=") for pair in query.decode("ascii", "replace").split("&")]
        opened = (
            f"{name}{eq}{quote(masks.opened(unquote(value.replace('+', ' '))), safe='')}"
            if name in ASK_FOR_NUMBERS
            else f"{name}{eq}{value}"
            for name, eq, value in pairs
        )
        scope["query_string"] = "&".join(opened).encode()


class _Body:
    """A request's body: handles in it become numbers, and the names of its fields are kept for the audit log."""

    def __init__(self, receive: Receive, masks: Masks) -> None:
        self._receive, self._masks = receive, masks
        self._parts: list[bytes] = []
        self.told: dict[str, Any] | None = None
        self.values = False

    async def receive(self) -> Message:
        while True:
            message = await self._receive()
            if message["type"] != "http.request":
                return message
            self._parts.append(message.get("body", b""))
            if message.get("more_body"):
                continue
            body, self._parts = b"".join(self._parts), []
            if self.told is not None and body:
                self.told.update(_told(body, values=self.values))
            return {"type": "http.request", "body": self._masks.opened_body(body), "more_body": False}


def _told(body: bytes, *, values: bool) -> Mapping[str, Any]:
    """What of a body goes into the audit log: which fields, and with `values` also the short ones. Of a customer's
    record only the fields: what they hold belongs to the customer, and to their own history."""
    try:
        given = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    if not isinstance(given, dict):
        return {}
    if not values:
        return {"fields": sorted(map(str, given))[:50]}
    return {name: value if _is_short(value) else "…" for name, value in given.items() if name not in SECRETS}


def _is_short(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= 80
    if isinstance(value, list):
        return len(value) <= 200 and all(map(_is_short, value))
    return not isinstance(value, dict) or (len(value) <= 20 and all(map(_is_short, value.values())))


class _Answer:
    """An answer on its way out; masked, it is held until it is whole."""

    def __init__(self, send: Send, masks: Masks, operation: str, *, is_masked: bool) -> None:
        self._send, self._masks, self._operation = send, masks, operation
        self.is_masked = is_masked
        self.status = 500
        self._start: Message | None = None
        self._parts: list[bytes] = []

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            kind = dict(message.get("headers", ())).get(b"content-type", b"")
            is_json = kind.startswith((b"application/json", MEDIA_TYPE.encode()))
            if self.is_masked and is_json:
                self._start = message
                return
        elif message["type"] == "http.response.body" and self._start is not None:
            self._parts.append(message.get("body", b""))
            if message.get("more_body"):
                return
            body = b"".join(self._parts)
            masked = self._masks.problem(body) if self.status >= 400 else self._masks.answer(self._operation, body)
            start, self._start = self._start, None
            MutableHeaders(scope=start)["content-length"] = str(len(masked))
            await self._send(start)
            await self._send({"type": "http.response.body", "body": masked, "more_body": False})
            return
        await self._send(message)
