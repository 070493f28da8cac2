"""Two servers on one PostgreSQL and one Asterisk: desktops at either, the owner killed and frozen, and nothing is
lost, told twice, or different at the other."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import ssl
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from textwrap import dedent
from typing import Any

import httpx
import pytest
import websockets
from websockets.typing import Origin

from cti_server.demo.ports import free_ports
from cti_server.demo.seed_data import DEMO_PASSWORD
from tests.chaos.wire import wire
from tests.documents import block, replaced
from tests.live.asterisk_says import TRUNK
from tests.live.center import Center, center, until
from tests.live.pair import Pair, a_pair, goes_on
from tests.live.test_control import BOB, Agent, Shop, to
from tests.live.web_proxy import NAME, caddy, certificate

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]


@pytest.fixture
def phones() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
async def pair(postgres_url: str, tmp_path: Path, phones: ExitStack) -> AsyncIterator[Pair]:
    async with a_pair(postgres_url, tmp_path) as made:
        yield made
        phones.close()


@asynccontextmanager
async def at_desk(site: Center, login: str) -> AsyncIterator[Agent]:
    """Somebody whose desktop is connected to this process."""
    async with site.signed_in(login) as api:
        agent = Agent(api, (await api.get("/api/me")).json()["id"])
        ticket = (await api.post("/api/session/ticket")).json()["ticket"]
        async with websockets.connect(f"ws://127.0.0.1:{site.http_port}/ws") as socket:
            await socket.send(json.dumps({"type": "hello", "ticket": ticket}))
            assert json.loads(await socket.recv())["type"] == "welcome"
            listening = asyncio.create_task(agent.listen(socket))
            try:
                yield agent
            finally:
                listening.cancel()


@asynccontextmanager
async def at_desks(pair: Pair, phones: ExitStack) -> AsyncIterator[Shop]:
    """Alice at the process that has the PBX, Bob and Susan at the other."""
    async with AsyncExitStack() as stack:
        alice = await stack.enter_async_context(at_desk(pair.owner, "alice"))
        bob = await stack.enter_async_context(at_desk(pair.other, "bob"))
        susan = await stack.enter_async_context(at_desk(pair.other, "susan"))
        yield Shop(pair.owner, phones, {"alice": alice, "bob": bob, "susan": susan})


def without_moments(call: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in call.items() if name != "own_part"}


async def test_a_call_is_the_same_at_either_process_and_goes_between_them(pair: Pair, phones: ExitStack) -> None:
    async with at_desks(pair, phones) as shop:
        bob = shop.agents["bob"]
        alice, call = await shop.alice_talks()
        await shop.phone("1002", ring_s=None)
        seen = (await shop.agents["susan"].api.get(f"/api/calls/{call}")).raise_for_status().json()
        assert seen == (await alice.api.get(f"/api/calls/{call}")).json()

        # Alice, at the owner, hands over; Bob's card and capsule come from the other process.
        await alice.do(call, "consult", {**to(bob), "said": "asks about the refund"})
        offered = await until(lambda: of_call(bob, call, "offered"), "Bob to be offered the call")
        assert offered["body"]["card"]["customer"]["name"]
        assert offered["body"]["card"]["call"] == call
        assert offered["body"]["handover"]["said"] == "asks about the refund"
        capsule = (await bob.api.get(f"/api/calls/{call}/handover")).raise_for_status().json()
        assert capsule["said"] == "asks about the refund"
        # Bob answers with a command at a process that does not have the PBX: a desk phone refuses it with reason.
        assert await bob.refused(call, "complete") == (409, "wrong_state")


def of_call(agent: Agent, call: str, happened: str) -> dict[str, Any] | None:
    return next(
        (
            frame
            for frame in agent.told
            if frame.get("kind") == "part.changed"
            and frame["body"]["call"] == call
            and frame["body"]["happened"] == happened
        ),
        None,
    )


async def test_commands_at_the_process_that_has_not_the_pbx(pair: Pair, phones: ExitStack) -> None:
    async with at_desks(pair, phones) as shop:
        bob = shop.agents["bob"]
        await shop.phone("1002")
        assert (await bob.ask("/api/me/shift", {"phone": None}))["ok"]
        assert (await bob.ask("/api/me/state", {"state": "ready"}))["ok"]
        await until(lambda: told_state(bob, "ready"), "Bob to be ready at the other process")
        await shop.caller()
        call = (await bob.call(mine="talking"))["call"]
        await shop.says.are_together([BOB, TRUNK])

        await bob.do(call, "hold")
        await bob.call(mine="hold")
        assert await bob.refused(call, "hold") == (409, "already")
        key = {"Idempotency-Key": "one"}
        answers = [await bob.api.post(f"/api/calls/{call}/retrieve", json={}, headers=key) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [202, 202]
        assert answers[0].json() == answers[1].json()
        await bob.call(mine="talking")
        request = answers[0].json()["request"]
        await until(lambda: results(bob, request), "its result")
        other = await bob.api.post(f"/api/calls/{call}/hangup", json={}, headers=key)
        assert (other.status_code, other.json()["code"]) == (422, "key_reused")
        # The same key at the other process is the same request.
        async with pair.owner.signed_in("bob") as elsewhere:
            again = await elsewhere.post(f"/api/calls/{call}/retrieve", json={}, headers=key)
            assert again.json() == {"request": request}
        assert len(results(bob, request)) == 1
        await bob.do(call, "hangup")


def told_state(agent: Agent, name: str) -> bool:
    states = [f["body"]["state"]["name"] for f in agent.told if f.get("kind") == "me.changed"]
    return bool(states) and states[-1] == name


def results(agent: Agent, request: str) -> list[dict[str, Any]]:
    done = (f["body"] for f in agent.told if f.get("kind") == "command.done")
    return [body for body in done if body["request"] == request]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
async def test_the_owner_goes_and_the_other_takes_over(pair: Pair, phones: ExitStack, how: signal.Signals) -> None:
    async with at_desks(pair, phones) as shop:
        bob = shop.agents["bob"]
        await shop.phone("1002")
        assert (await bob.ask("/api/me/shift", {"phone": None}))["ok"]
        assert (await bob.ask("/api/me/state", {"state": "ready"}))["ok"]
        await shop.caller()
        call = (await bob.call(mine="talking"))["call"]
        await pair.owner.stop(how)
        began = time.monotonic()
        await until(lambda: goes_on(pair.other), "the other process to have the PBX", 30)
        print(f"\n{how.name}: taken over {time.monotonic() - began:.2f} s later")
        assert (await bob.call(mine="talking"))["call"] == call
        await bob.do(call, "hold")
        await bob.call(mine="hold")
        await bob.do(call, "hangup")
        assert told_state(bob, "wrap_up") or told_state(bob, "ready")
        assert not [f for f in bob.told if f.get("type") == "reset"], "Bob's desktop started over"
        positions = [f["seq"] for f in bob.told if f.get("stream") == "pbx:demo"]
        assert positions == sorted(set(positions)), "an event came twice, or late"


async def test_a_frozen_owner_orders_nothing_once_another_has_the_pbx(pair: Pair, phones: ExitStack) -> None:
    async with at_desks(pair, phones) as shop:
        alice, call = await shop.alice_talks()
        process = pair.owner.process
        assert process is not None
        os.kill(process.pid, signal.SIGSTOP)
        began = time.monotonic()
        try:
            await until(lambda: goes_on(pair.other), "the other process to have the PBX", 30)
            print(f"\nfrozen: taken over {time.monotonic() - began:.2f} s later")
        finally:
            os.kill(process.pid, signal.SIGCONT)
        # Asked of the process that was frozen, it is done by the one that has the PBX, once.
        await alice.do(call, "hold")
        await alice.call(mine="hold")
        held = await shop.says.cli("core show channels concise")
        assert TRUNK in held
        log = await until(lambda: lost(pair.owner), "the frozen process to know")
        assert "newer process" in log or "followed by" in log


async def test_an_owner_that_is_cut_off_from_the_pbx_lets_the_other_have_it(
    postgres_url: str, tmp_path: Path, phones: ExitStack
) -> None:
    """The owner's wire to the PBX is dead, and nobody tells it so; the other process has a wire of its own."""
    async with center(postgres_url, tmp_path, CTI_SNAPSHOT_EVERY_S="600") as one, AsyncExitStack() as stack:
        ami = await stack.enter_async_context(wire(one.pbx.config.ami_port))
        with free_ports(2) as (fastagi_port, http_port):
            two = replace(one, fastagi_port=fastagi_port, http_port=http_port, process=None, extra=dict(one.extra))
        one.extra["CTI_AMI_PORT"] = str(ami.port)
        two.log = tmp_path / "two.log"
        await one.start()
        await two.start()
        stack.push_async_callback(two.stop, signal.SIGKILL)
        stack.callback(phones.close)
        pair = Pair(one, two)
        async with at_desks(pair, phones) as shop:
            bob = shop.agents["bob"]
            await shop.phone("1002")
            assert (await bob.ask("/api/me/shift", {"phone": None}))["ok"]
            assert (await bob.ask("/api/me/state", {"state": "ready"}))["ok"]
            ami.hold()
            began = time.monotonic()
            await until(lambda: goes_on(two), "the other process to have the PBX", 30)
            took_s = time.monotonic() - began
            print(f"\ncut off from the PBX: taken over {took_s:.2f} s later")
            assert took_s <= 10
            ami.mend()
            await shop.caller()
            call = (await bob.call(mine="talking"))["call"]
            await bob.do(call, "hold")
            await bob.call(mine="hold")
            assert "pbx.left_to_another" in one.log.read_text()


def lost(site: Center) -> str | None:
    text = site.log.read_text()
    return text if "pbx.lost" in text else None


async def test_behind_a_balancer_without_stickiness(pair: Pair, phones: ExitStack, tmp_path: Path) -> None:
    """docs/install.md's lines in a real Caddy: one desktop's requests go to both, and the owner is killed."""
    own = certificate(tmp_path)
    with free_ports(1) as (port,):
        pass
    changes = {
        f"{NAME} {{\n": f"{NAME} {{\n    tls {own.chain} {own.key}\n",
        "10.0.0.8:8080": f"127.0.0.1:{pair.owner.http_port}",
        "10.0.0.9:8080": f"127.0.0.1:{pair.other.http_port}",
        "127.0.0.1:8088": f"127.0.0.1:{pair.owner.pbx.config.http_port}",
    }
    lines = replaced(dedent(block("install.md", "caddyfile", "## Another server")), changes)
    with caddy(tmp_path, lines, port):
        front = replace(pair.owner, http_port=port, extra={})
        async with AsyncExitStack() as stack:
            bob = await stack.enter_async_context(in_front(front, "bob"))
            susan = await stack.enter_async_context(in_front(front, "susan"))
            shop = Shop(pair.owner, phones, {"bob": bob, "susan": susan})
            await shop.phone("1002")
            assert (await bob.ask("/api/me/shift", {"phone": None}))["ok"]
            assert (await bob.ask("/api/me/state", {"state": "ready"}))["ok"]
            await shop.caller()
            call = (await bob.call(mine="talking"))["call"]
            await bob.do(call, "hold")
            await pair.owner.stop(signal.SIGKILL)
            await until(lambda: goes_on(pair.other), "the other process to have the PBX", 30)
            await bob.call(mine="hold")
            answer = await bob.api.post(f"/api/calls/{call}/retrieve", json={})
            assert answer.status_code == 202, answer.text
            await bob.call(mine="talking")
            await shop.says.are_together([BOB, TRUNK])


@asynccontextmanager
async def in_front(site: Center, login: str) -> AsyncIterator[Agent]:
    """Somebody who knows one address only, and whose desktop connects again by itself."""
    tls = ssl.create_default_context()
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    url = f"https://{NAME}:{site.http_port}"
    transport = httpx.AsyncHTTPTransport(verify=tls)
    async with httpx.AsyncClient(base_url=url, transport=Resolved(transport)) as api:
        body = {"login": login, "password": DEMO_PASSWORD}
        (await api.post("/api/session", json=body, headers={"Origin": url})).raise_for_status()
        api.headers["Origin"] = url
        agent = Agent(api, (await api.get("/api/me")).json()["id"])

        async def stay() -> None:
            while True:
                ticket = (await api.post("/api/session/ticket")).json()["ticket"]
                with suppress(websockets.ConnectionClosed):
                    async with websockets.connect(
                        f"wss://{NAME}:{site.http_port}/ws", host="127.0.0.1", ssl=tls, origin=Origin(url)
                    ) as socket:
                        await socket.send(json.dumps({"type": "hello", "ticket": ticket}))
                        await agent.listen(socket)

        staying = asyncio.create_task(stay())
        await until(lambda: any(f.get("type") == "welcome" for f in agent.told), "the desktop to be connected")
        try:
            yield agent
        finally:
            staying.cancel()


class Resolved(httpx.AsyncBaseTransport):
    """The name of the documents is this machine."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        here = httpx.Request(
            request.method,
            request.url.copy_with(host="127.0.0.1"),
            headers=request.headers,
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": NAME},
        )
        return await self._inner.handle_async_request(here)

    async def aclose(self) -> None:
        await self._inner.aclose()
