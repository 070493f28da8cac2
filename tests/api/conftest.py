"""An API over a seeded record on either database, and signed-in clients of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from cti_server.api.access.passwords import hash_password
from cti_server.api.access.sign_ins import SignIns
from cti_server.api.access.tickets import Tickets
from cti_server.api.create import create_api
from cti_server.api.desktop import Desktop
from cti_server.api.ports import Deps
from cti_server.desk import Desk
from cti_server.ivr.identify import IdentifyDialogue
from cti_server.lookup.identify import Identified, Lookup
from cti_server.record.database import Database
from cti_server.record.journal import Entry
from cti_server.record.sealing import Sealer, new_key
from cti_server.wire.text import Encodings
from tests.api.fakes import FakeCommands, FakeControl, FakeFloor
from tests.lookup.seed import NOW, World, seed

PASSWORD = "correct horse"
HASH = hash_password(PASSWORD)
TOKEN = "a-token-for-scripts"
SEALER = Sealer([new_key()])

SignIn = Callable[[str], Awaitable[httpx.AsyncClient]]


class Time:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
def floor() -> FakeFloor:
    return FakeFloor()


@pytest.fixture
def commands() -> FakeCommands:
    return FakeCommands()


@pytest.fixture
def control() -> FakeControl:
    return FakeControl()


@pytest.fixture
def published() -> list[Entry]:
    """What desktops were told of desk work."""
    return []


@pytest.fixture
def positions() -> dict[str, int]:
    """The last event of each stream that desktops were given."""
    return {"desk": 7, "pbx:demo": 120}


@pytest.fixture
def identified() -> list[tuple[str, str, Identified | None]]:
    """What lookups over HTTP delivered to the floor."""
    return []


@pytest.fixture
async def world(database: Database) -> World:
    return await seed(database, HASH)


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    """A built desktop."""
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>desktop</title>")
    (folder / "assets" / "index-abc123.js").write_text("export {}")
    (folder / "favicon.svg").write_text("<svg/>")
    (tmp_path / "secret.txt").write_text("secret")
    return folder


class Application:
    """One for all tests of a worker: FastAPI takes 70 routes apart at their first request, which takes longer
    than most of these tests. Each test has its own Deps, and nobody has failed to sign in before it."""

    def __init__(self) -> None:
        self._app: FastAPI | None = None
        self._deps: Deps

    def serving(self, deps: Deps) -> FastAPI:
        if self._app is None:
            self._app = create_api(replace(deps, positions=lambda: self._deps.positions()))
        self._app.state.sign_ins = SignIns()
        self._app.state.numbers_seen.clear()
        self._deps = self._app.state.deps = deps
        self._app.state.tickets = Tickets(deps.database, deps.now)
        self._app.router.default = Desktop(deps.desktop)
        return self._app


@pytest.fixture(scope="session")
def _application() -> Application:
    return Application()


@pytest.fixture
async def app(
    _application: Application,
    database: Database,
    world: World,
    clock: Time,
    floor: FakeFloor,
    commands: FakeCommands,
    control: FakeControl,
    published: list[Entry],
    identified: list[tuple[str, str, Identified | None]],
    dist: Path,
    positions: dict[str, int],
) -> AsyncIterator[FastAPI]:
    lookup = Lookup(database, now=clock)

    async def deliver(pbx: str, uniqueid: str, who: Identified | None) -> None:
        identified.append((pbx, uniqueid, who))

    async with IdentifyDialogue(lookup, deliver, deadline_ms=5000) as dialogue:
        yield _application.serving(
            Deps(
                database=database,
                desk=Desk(database, published.extend, clock),
                floor=floor,
                commands=commands,
                control=control,
                lookup=lookup,
                identify=dialogue.answer,
                now=clock,
                positions=positions.copy,
                identify_token=TOKEN,
                encodings={"demo": Encodings.parse("DAHDI=cp1251")},
                origins=("https://crm.example",),
                desktop=dist,
                sealer=SEALER,
            )
        )


def client_of(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://cti.test")


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Nobody has signed in here."""
    async with client_of(app) as opened:
        yield opened


@pytest.fixture
async def sign_in(app: FastAPI) -> AsyncIterator[SignIn]:
    """A client for each login: `li`, `wang` (agents), `zhao` (supervisor), `root` (administrator)."""
    async with AsyncExitStack() as stack:

        async def as_(login: str) -> httpx.AsyncClient:
            opened = await stack.enter_async_context(client_of(app))
            answer = await opened.post("/api/session", json={"login": login, "password": PASSWORD})
            assert answer.status_code == 200, answer.text
            return opened

        yield as_


@pytest.fixture
async def li(sign_in: SignIn) -> httpx.AsyncClient:
    """The agent Li Wei at PJSIP/1001."""
    return await sign_in("li")


@pytest.fixture
async def zhao(sign_in: SignIn) -> httpx.AsyncClient:
    """The supervisor."""
    return await sign_in("zhao")


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, object]:
    """The problem that `answer` is, which must be complete."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    body: dict[str, object] = answer.json()
    assert body["status"] == status
    assert body["code"] == code
    assert {"type", "title", "detail"} <= body.keys()
    return body
