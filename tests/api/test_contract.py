"""The API against its own OpenAPI document: schemathesis asks a real server, every answer is promised."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, settings
from schemathesis import checks
from schemathesis.specs.openapi import checks as openapi_checks

from cti_server.api.create import create_api, openapi_document
from cti_server.api.ports import Deps
from cti_server.desk import Desk
from cti_server.ivr.identify import IdentifyDialogue
from cti_server.lookup.identify import Identified, Lookup
from cti_server.record.database import Database
from tests.api.conftest import HASH, PASSWORD, TOKEN, Time
from tests.api.fakes import FakeCommands, FakeControl, FakeFloor, call, part
from tests.lookup.seed import seed

schema = schemathesis.openapi.from_dict(openapi_document())
CALL = "demo:1795323600:demo-1.1"
PROMISED = [
    checks.not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_schema_conformance,
    openapi_checks.response_headers_conformance,
]


@dataclass(frozen=True)
class Server:
    """A server in a thread of its own."""

    url: str
    cookie: str


class Thread(threading.Thread):
    """Runs a whole API on a free port until it is told to stop."""

    def __init__(self, database_url: str) -> None:
        super().__init__(name="api under test")
        self._database_url = database_url
        self.ready = threading.Event()
        self.failure: BaseException | None = None
        self.port = 0
        self._server: uvicorn.Server | None = None

    def run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as failed:
            self.failure = failed
        finally:
            self.ready.set()

    def stop(self) -> None:
        if self._server is not None:
            self._server.should_exit = True
        self.join(20)

    async def _serve(self) -> None:
        async def deliver(pbx: str, uniqueid: str, who: Identified | None) -> None:
            return None

        async with Database(self._database_url) as database:
            world = await seed(database, HASH)
            lookup, floor = Lookup(database), FakeFloor()
            floor.show(call(CALL, part(world.administrator, "wrap_up"), part(None, "left", "PJSIP/1009")))
            floor.serve("support", {world.agent: "PJSIP/1001"})
            floor.cards[CALL] = await lookup.card(CALL, await lookup.identify("demo", "13800138000"))
            async with IdentifyDialogue(lookup, deliver) as dialogue:
                app = create_api(
                    Deps(
                        database=database,
                        desk=Desk(database, lambda entries: None, Time()),
                        floor=floor,
                        commands=FakeCommands(),
                        control=FakeControl(),
                        lookup=lookup,
                        identify=dialogue.answer,
                        now=Time(),
                        identify_token=TOKEN,
                    )
                )
                self._server = uvicorn.Server(
                    uvicorn.Config(app, "127.0.0.1", 0, log_level="error", lifespan="off")
                )
                serving = asyncio.create_task(self._server.serve(), name="uvicorn")
                while not self._server.started and not serving.done():
                    await asyncio.sleep(0.01)
                self.port = self._server.servers[0].sockets[0].getsockname()[1]
                self.ready.set()
                await serving


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with ExitStack() as stack:
        if request.param == "sqlite":
            template: Path = request.getfixturevalue("_sqlite_template")
            path = tmp_path_factory.mktemp("contract") / "cti.db"
            shutil.copyfile(template, path)
            database_url = f"sqlite:///{path}"
        else:
            postgres: Any = request.getfixturevalue("postgres_server")
            database_url = stack.enter_context(postgres.database("migrated"))
        thread = Thread(database_url)
        thread.start()
        stack.callback(thread.stop)
        assert thread.ready.wait(30)
        assert thread.failure is None, thread.failure
        url = f"http://127.0.0.1:{thread.port}"
        answer = httpx.post(f"{url}/api/session", json={"login": "root", "password": PASSWORD}, timeout=30)
        assert answer.status_code == 200, answer.text
        yield Server(url, answer.cookies["cti_session"])


@schema.parametrize()
@settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)
def test_every_answer_is_promised(case: schemathesis.Case, server: Server) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    # Signing out would end the session that the others use.
    cookies = {} if case.operation.definition.raw["operationId"] == "signOut" else {"cti_session": server.cookie}
    if (
        "call" in (case.path_parameters or {})
        and case.method in ("GET", "PUT", "POST")
        and len(str(case.body)) % 2
    ):
        case.path_parameters["call"] = CALL
    answer = case.call(base_url=server.url, headers=headers, cookies=cookies)
    case.validate_response(answer, checks=PROMISED)


def test_the_document_is_stable_where_clients_rely_on_it() -> None:
    document = openapi_document()
    operations = {
        operation["operationId"]: operation for path in document["paths"].values() for operation in path.values()
    }
    assert len(operations) == sum(len(path) for path in document["paths"].values())
    assert {"signIn", "getMe", "setMyState", "findCustomers", "getCard", "chooseCustomer", "finishWrapUp"} <= set(
        operations
    )
    for operation in operations.values():
        for status, answer in operation["responses"].items():
            if status >= "400":
                assert list(answer["content"]) == ["application/problem+json"], operation["operationId"]
    assert {"Card", "CallView", "QueueView", "Me", "ProblemView"} <= document["components"]["schemas"].keys()
    assert "HTTPValidationError" not in str(document)
