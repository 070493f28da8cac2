"""What every HTTP request passes first: id, safe headers, positions, origin, size limit, and the last resort."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cti_server.api.problems import Problem, internal, not_kept, response

log = structlog.get_logger(__name__)

MAX_BODY: Final = 256 * 1024  # bytes; the longest text that a person may write has 10,000 characters
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'self'; connect-src {connect}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(self)",  # the microphone for the softphone
}
HSTS: Final = "max-age=31536000"  # a year; only where the page came by https, or always must


POSITIONS: Final = "CTI-Positions"
MAX_SHOWN: Final = 200  # characters of an address that somebody else chose


class Edge:
    """ASGI middleware. `origins` are other origins that may send changes, such as `https://crm.example`; `phones`
    is the address of the browser phones' Asterisk, the only one beside ours that a page may connect to. `secure`:
    the desktop is only ever served by https. `is_trouble` says whether a failure is the database's, which is
    logged elsewhere and answered with a 503.

    Each answer to a GET below /api has a header `CTI-Positions`: the last event of each stream before the answer
    was made. A desktop lets the answer overwrite only what no later event has changed.
    """

    def __init__(
        self,
        app: ASGIApp,
        origins: tuple[str, ...] = (),
        positions: Callable[[], Mapping[str, int]] = dict,
        is_trouble: Callable[[Exception], bool] = lambda failure: False,
        phones: str | None = None,
        secure: bool = False,
    ) -> None:
        self._app = app
        self._secure = secure
        connect = "'self'" if phones is None else f"'self' {_origin(phones)}"
        self._headers = {name: text.replace("{connect}", connect) for name, text in HEADERS.items()}
        self._is_trouble = is_trouble
        self._positions = positions
        self._origins = frozenset(origin.rstrip("/").casefold() for origin in origins)
        self._logged = FirstTime()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket" and not self._same_origin(headers := Headers(scope=scope)):
            self._foreign(headers)  # logged: the browser tells its page nothing
            await send({"type": "websocket.close", "code": 1008, "reason": "a page of another site"})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = secrets.token_hex(8)
        # Read before the answer is made: the answer may be newer than its positions, never older.
        reads = scope["method"] == "GET" and scope["path"].startswith("/api/")
        positions = json.dumps(dict(self._positions())) if reads else None
        scope.setdefault("state", {})["request_id"] = request_id
        started = False

        async def guarded(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                answered = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    answered.setdefault(name, value)
                if self._secure or scope.get("scheme") == "https":
                    answered["Strict-Transport-Security"] = HSTS
                answered["X-Request-Id"] = request_id
                if positions is not None:
                    answered[POSITIONS] = positions
                if scope["path"].startswith("/api/"):
                    answered.setdefault("Cache-Control", "no-store")
            await send(message)

        if scope["method"] not in SAFE_METHODS and not self._same_origin(headers := Headers(scope=scope)):
            await response(self._foreign(headers), request_id)(scope, receive, guarded)
            return
        try:
            await self._app(scope, _bounded(receive), guarded)
        except Exception as failure:
            trouble = self._is_trouble(failure)
            if not trouble:
                log.exception("a request failed", request=request_id, method=scope["method"], path=scope["path"])
            if started:
                raise
            await response(not_kept() if trouble else internal(), request_id)(scope, receive, guarded)

    def _same_origin(self, headers: Headers) -> bool:
        """Whether a request may change things: a page of this server sent it, or a program.

        An https page has the word of the browser, Sec-Fetch-Site, which no script can set: also behind a proxy
        that changes Host. On a plain http page only its origin can be compared with Host. A program without an
        Origin has no cookie that another site could abuse.
        """
        origin = headers.get("origin")
        if origin is not None and origin.casefold() in self._origins:
            return True
        if (site := headers.get("sec-fetch-site")) is not None:
            return site in ("none", "same-origin")
        if origin is None:
            return True
        try:
            return urlsplit(origin).netloc.casefold() == headers.get("host", "").casefold() != ""
        except ValueError:
            return False

    def _foreign(self, headers: Headers) -> Problem:
        """Either another site's page, or ours behind a proxy that changes Host: the administrator must be told."""
        origin = headers.get("origin", "none")[:MAX_SHOWN]
        remedy = f"Administrator: let the proxy pass the Host header, or set CTI_HTTP_ORIGINS={origin}"
        if self._logged.is_first(origin):
            log.warning(
                "a page of an unknown address was refused",
                origin=origin,
                host=headers.get("host", "")[:MAX_SHOWN],
                remedy=f"let the proxy pass the Host header, or set CTI_HTTP_ORIGINS={origin} (docs/proxy.md)",
            )
        return Problem(
            403,
            "foreign_origin",
            f"this address is not one the server knows (Origin {origin})",
            remedy=remedy,
        )


def _origin(url: str) -> str:
    """Scheme, host and port of an address, as a content policy names it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


class FirstTime:
    """Whether something comes for the first time, for a log that has one line of it and not one for each try.

    It knows a hundred things and takes every further one for known, so that nobody can fill the log.
    """

    MOST: Final = 100

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def is_first(self, thing: str) -> bool:
        if thing in self._seen or len(self._seen) >= self.MOST:
            return False
        self._seen.add(thing)
        return True


def _bounded(receive: Receive) -> Receive:
    """`receive`, which refuses a body longer than `MAX_BODY`, whatever length its header claims."""
    taken = 0

    async def counted() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > MAX_BODY:
            raise HTTPException(413, f"a body has at most {MAX_BODY} bytes")
        return message

    return counted
