"""The edge: origins, headers, limits, failures that leak nothing, and the desktop's files."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from cti_server.api.desktop import Desktop
from cti_server.api.middleware import MAX_BODY, Edge, FirstTime
from cti_server.api.problems import install
from cti_server.api.websocket import add_websocket
from tests.api.conftest import client_of, problem
from tests.api.fakes import FakeFloor


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """Nothing here depends on the engine."""
    return sqlite_url


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),
        ({"Origin": "http://cti.test"}, True),
        ({"Origin": "https://cti.test"}, True),  # TLS ends at a proxy
        ({"Origin": "https://crm.example"}, True),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "http://cti.test.evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": ""}, False),
        ({"Origin": "http://["}, False),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        # Our own https page, behind a proxy that says Host: 127.0.0.1:8080. No script can write Sec-Fetch-Site.
        ({"Origin": "https://cti.example.com", "Sec-Fetch-Site": "same-origin"}, True),
        ({"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}, False),
        # A page on http of our own name, where somebody else can write.
        ({"Origin": "http://cti.test", "Sec-Fetch-Site": "cross-site"}, False),
        ({"Origin": "https://crm.example", "Sec-Fetch-Site": "cross-site"}, True),
    ],
)
async def test_only_our_own_pages_change_things(
    li: httpx.AsyncClient, headers: dict[str, str], allowed: bool
) -> None:
    answer = await li.patch("/api/me", json={"language": "zh"}, headers=headers)
    if allowed:
        assert answer.status_code == 200
    else:
        problem(answer, 403, "foreign_origin")
    assert (await li.get("/api/me", headers=headers)).status_code == 200


async def test_an_unknown_address_is_told_the_remedy_and_logged_once(
    app: FastAPI, li: httpx.AsyncClient, capsys: pytest.CaptureFixture[str]
) -> None:
    """As behind `proxy_pass` alone, on a plain http page: the browser names only the origin."""
    edge = Edge(app)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(edge), base_url="http://127.0.0.1:8080") as proxied:
        for _ in range(3):
            answer = await proxied.post("/api/session", json={}, headers={"Origin": "http://cti.example.com"})
        for number in range(FirstTime.MOST * 2):
            await proxied.post("/api/session", json={}, headers={"Origin": f"http://{number}.example"})
    body = problem(answer, 403, "foreign_origin")
    assert body["detail"] == "this address is not one the server knows (Origin http://cti.example.com)"
    assert body["remedy"].endswith("pass the Host header, or set CTI_HTTP_ORIGINS=http://cti.example.com")
    logged = capsys.readouterr().out
    assert logged.count("origin=http://cti.example.com ") == 1, logged[:2000]
    assert logged.count("a page of an unknown address was refused") == FirstTime.MOST


async def test_a_websocket_that_lost_its_upgrade_is_told_so(
    app: FastAPI, li: httpx.AsyncClient, capsys: pytest.CaptureFixture[str]
) -> None:
    served = FastAPI()
    for name in ("tickets", "deps", "masks"):
        setattr(served.state, name, getattr(app.state, name))
    add_websocket(served, None, None)  # type: ignore[arg-type]
    install(served)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(served), base_url="http://cti.test") as plain:
        asked_by_hand = await plain.get("/ws")
        assert "a proxy makes plain requests of websockets" not in capsys.readouterr().out
        for _ in range(3):
            answer = await plain.get("/ws", headers={"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="})
    for one in (asked_by_hand, answer):
        problem(one, 426, "no_websocket")
        assert one.headers["upgrade"] == "websocket"
    assert capsys.readouterr().out.count("a proxy makes plain requests of websockets") == 1


async def test_headers(li: httpx.AsyncClient) -> None:
    for path in ("/api/me", "/", "/api/nothing", "/healthz"):
        headers = (await li.get(path)).headers
        assert headers["content-security-policy"].startswith("default-src 'self'; connect-src 'self'; style-src")
        assert "strict-transport-security" not in headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert len(headers["x-request-id"]) == 16
    assert (await li.get("/api/me")).headers["cache-control"] == "no-store"


async def edged(scope: dict[str, object], **given: object) -> list[dict[str, Any]]:
    """What the edge sends for this request, with an application behind it that says yes."""
    sent: list[dict[str, Any]] = []

    async def yes(scope: Any, receive: Any, send: Any) -> None:
        kind = scope["type"]
        start = (
            {"type": "websocket.accept"} if kind == "websocket" else {"type": "http.response.start", "status": 200}
        )
        await send({"headers": [], **start})

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    whole = {"type": "http", "method": "GET", "path": "/", "scheme": "http", "headers": [], **scope}
    await Edge(yes, **given)(whole, receive, send)  # type: ignore[arg-type]
    return sent


async def test_only_https_is_remembered_by_browsers() -> None:
    for scope, given, wanted in (
        ({"scheme": "http"}, {}, False),
        ({"scheme": "https"}, {}, True),
        ({"scheme": "http"}, {"secure": True}, True),
    ):
        (start,) = await edged(scope, **given)
        assert (b"strict-transport-security" in dict(start["headers"])) is wanted


async def test_a_page_connects_to_us_and_to_its_phone_only() -> None:
    (start,) = await edged({}, phones="wss://user:secret@pbx.example:8089/ws")
    policy = dict(start["headers"])[b"content-security-policy"].decode()
    assert "connect-src 'self' wss://pbx.example:8089;" in policy
    assert "secret" not in policy


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [(None, True), ("http://cti.test", True), ("https://crm.example", True), ("https://evil.example", False)],
)
async def test_a_websocket_of_another_site_is_refused(origin: str | None, allowed: bool) -> None:
    headers = [(b"host", b"cti.test")] + ([(b"origin", origin.encode())] if origin else [])
    scope = {"type": "websocket", "path": "/ws", "headers": headers}
    (said,) = await edged(scope, origins=("https://crm.example",))
    assert said["type"] == ("websocket.accept" if allowed else "websocket.close")


async def test_an_answer_says_what_events_had_told_when_it_was_asked(
    li: httpx.AsyncClient, positions: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def slow(*_: object) -> list[object]:
        positions["desk"] = 8  # while the answer is made
        return []

    monkeypatch.setattr("cti_server.api.agent.help_requests.help_requests.waiting", slow)
    answer = await li.get("/api/help")
    assert json.loads(answer.headers["CTI-Positions"]) == {"desk": 7, "pbx:demo": 120}
    assert json.loads((await li.get("/api/me")).headers["CTI-Positions"])["desk"] == 8
    for other in (await li.get("/healthz"), await li.patch("/api/me", json={"language": "zh"})):
        assert "CTI-Positions" not in other.headers


async def test_a_failure_says_nothing_but_its_id(
    app: FastAPI, li: httpx.AsyncClient, floor: FakeFloor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails() -> None:
        raise RuntimeError("postgresql://user:secret@host/db")

    monkeypatch.setattr(floor, "queues", fails)
    answer = await li.get("/api/queues")
    body = problem(answer, 500, "internal")
    assert body["request"] == answer.headers["x-request-id"]
    assert "secret" not in answer.text


async def test_bodies_are_bounded(li: httpx.AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(MAX_BODY // 1000 + 1):
            yield b" " * 1000

    headers = {"Content-Type": "application/json"}
    for content in (b'{"name": "' + b"x" * MAX_BODY + b'"}', chunks()):
        problem(await li.post("/api/customers", content=content, headers=headers), 413, "too_large")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"name": NaN}', b"[" * 50_000])
async def test_bodies_that_are_not_json(li: httpx.AsyncClient, body: bytes) -> None:
    answer = await li.post("/api/customers", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    problem(answer, answer.status_code, "invalid" if answer.status_code == 422 else "bad_request")


async def test_validation_does_not_repeat_what_was_sent(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/session", json={"login": "li", "password": ["hunter2"]})
    problem(answer, 422, "invalid")
    assert "hunter2" not in answer.text


async def test_wrong_method_and_path(li: httpx.AsyncClient) -> None:
    answer = await li.delete("/api/me")
    problem(answer, 405, "method_not_allowed")
    assert "GET" in answer.headers["allow"]
    for method in ("GET", "POST"):
        problem(await li.request(method, "/api/nothing"), 404, "not_found")
    problem(await li.get("/api"), 404, "not_found")
    problem(await li.post("/customers"), 405, "method_not_allowed")


@pytest.mark.parametrize("path", ["/", "/customers/7", "/index.html", "/calls", "/a/b/c"])
async def test_the_page(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert answer.headers["cache-control"] == "no-cache"
    assert "desktop" in answer.text


async def test_the_files(client: httpx.AsyncClient) -> None:
    script = await client.get("/assets/index-abc123.js")
    assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert script.headers["content-type"].startswith("text/javascript")
    icon = await client.get("/favicon.svg")
    assert (icon.headers["content-type"], icon.headers["cache-control"]) == ("image/svg+xml", "no-cache")
    assert (await client.head("/")).status_code == 200


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, deflate, br, zstd", "br"),  # browsers over TLS
        ("gzip, deflate", "gzip"),  # browsers over http
        ("br;q=0, gzip;q=0.5", "gzip"),
        ("*", "br"),
        ("GZIP;q=1.0", "gzip"),
        ("gzip;q=0.000", None),
        ("identity", None),
        ("", None),
        (";q=,,x;q=y", None),
    ],
)
async def test_the_form_that_the_browser_takes(
    app: FastAPI, tmp_path: Path, accepted: str, coding: str | None
) -> None:
    """The body is what the build made; the type is the script's, and caches are told what it depends on."""
    (tmp_path / "assets").mkdir()
    for name, text in {"index.html": "page", "assets/a.js": "script", "plain.txt": "plain"}.items():
        (tmp_path / name).write_text(text)
    for end in (".br", ".gz"):
        (tmp_path / f"assets/a.js{end}").write_bytes(b"script" + end.encode())
    app.router.default = Desktop(tmp_path)
    async with client_of(app) as client:
        request = client.build_request("GET", "/assets/a.js", headers={"Accept-Encoding": accepted})
        answer = await client.send(request, stream=True)
        body = b"".join([part async for part in answer.aiter_raw()])
        only_one_form = await client.get("/plain.txt")
        by_its_own_name = await client.get("/assets/a.js.br")
    assert answer.headers.get("content-encoding") == coding
    assert body == {"br": b"script.br", "gzip": b"script.gz", None: b"script"}[coding]
    assert answer.headers["content-type"].startswith("text/javascript")
    assert (answer.headers["vary"], "vary" in only_one_form.headers) == ("Accept-Encoding", False)
    problem(by_its_own_name, 404, "not_found")


@pytest.mark.parametrize(
    "path",
    [
        "/assets/old-000.js",
        "/assets/",
        "/nothing.js",
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/assets/../../secret.txt",
    ],
)
async def test_no_other_files(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    problem(answer, 404, "not_found")


async def test_no_desktop(app: FastAPI) -> None:
    app.router.default = Desktop(None)
    async with client_of(app) as client:
        answer = await client.get("/")
    assert answer.status_code == 404
    assert "not built" in answer.text
