"""Asks the provider over HTTP: no answer takes longer than `LIMIT_S` or more than `MAX_BYTES`, and none leads
elsewhere."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any, Final, cast

import httpx

from cti_server.provider.trouble import Trouble

LIMIT_S: Final = 8.0
MAX_BYTES: Final = 512 * 1024  # of one answer; the largest sets of keys have a tenth of it
_TIMES: Final = httpx.Timeout(5.0, connect=3.0)


class TooLong(httpx.TransportError):
    """An answer has more bytes than it may have."""


class _BoundedStream(httpx.AsyncByteStream):
    def __init__(self, inner: httpx.AsyncByteStream) -> None:
        self._inner = inner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        taken = 0
        async for chunk in self._inner:
            taken += len(chunk)
            if taken > MAX_BYTES:
                raise TooLong(f"an answer of more than {MAX_BYTES} bytes")
            yield chunk

    async def aclose(self) -> None:
        await self._inner.aclose()


class _Bounded(httpx.AsyncBaseTransport):
    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._inner.handle_async_request(request)
        response.stream = _BoundedStream(cast(httpx.AsyncByteStream, response.stream))
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


@lru_cache(maxsize=1)
def _trusted() -> ssl.SSLContext:
    """The authorities that this system trusts: a company's own stands there, and not in a list that we bring."""
    return ssl.create_default_context()


def _client() -> httpx.AsyncClient:
    """For one question: the provider is asked a few times a minute."""
    return httpx.AsyncClient(
        transport=_Bounded(httpx.AsyncHTTPTransport(verify=_trusted())),
        timeout=_TIMES,
        follow_redirects=False,
        headers={"Accept": "application/json", "Accept-Encoding": "identity"},
    )


@asynccontextmanager
async def in_time(what: str) -> AsyncIterator[None]:
    """Raises Trouble `unreachable` for whatever the network does, and when it takes too long."""
    try:
        async with asyncio.timeout(LIMIT_S):
            yield
    except (TimeoutError, httpx.TimeoutException):
        raise Trouble("unreachable", f"{what}: no answer in time") from None
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as cause:
        raise Trouble("unreachable", f"{what}: {str(cause) or type(cause).__name__}") from None


async def get_json(url: str, what: str, *, token: str | None = None) -> dict[str, Any]:
    """The JSON object at this address; `what` names it in the Trouble that is raised. `token` is an access
    token."""
    headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
    async with in_time(what), _client() as client:
        answer = await client.get(url, headers=headers)
    found = _object(answer, what)
    if answer.status_code != 200:
        raise Trouble("misconfigured", f"{what}: {url} answered {answer.status_code}")
    return found


async def post_form(url: str, what: str, form: dict[str, str], headers: dict[str, str]) -> dict[str, Any]:
    """The JSON object that answers this form, which may be an OAuth error."""
    async with in_time(what), _client() as client:
        answer = await client.post(url, data=form, headers=headers)
    found = _object(answer, what)
    if answer.status_code != 200 and "error" not in found:
        raise Trouble("misconfigured", f"{what}: {url} answered {answer.status_code}")
    return found


def _object(answer: httpx.Response, what: str) -> dict[str, Any]:
    if answer.status_code >= 500:
        raise Trouble("unreachable", f"{what}: it answered {answer.status_code}")
    try:
        found = answer.json()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Trouble("misconfigured", f"{what}: {answer.url} answered {answer.status_code} and no JSON object")
    return found
