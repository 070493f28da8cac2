"""A call center whose agents sit at phones of other makers. No snapshot while a test lasts: it would mend what the
events were read wrongly for, and hide the fault."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import websockets

from tests.live.asterisk_says import TRUNK
from tests.live.center import center, until
from tests.live.linphone import Linphone
from tests.live.real_phone import RealPhone
from tests.live.test_control import ALICE, Agent, Shop

DIRECT = "4008009000"  # the direct line of 1001
LOGINS = ("alice", "bob", "chenjing", "susan")

Phone = TypeVar("Phone", bound=RealPhone)


@dataclass
class Desks(Shop):
    """The shop of the other live tests, with phones of other makers on its desks. `before` are the contacts, and
    `log_from` the length of Asterisk's log, when the present test began."""

    before: set[int] = field(default_factory=set)
    log_from: int = 0

    async def tidy(self) -> None:
        """No phone is on any desk, nobody is in a call, and nothing of an earlier test is left to be seen."""
        await asyncio.to_thread(self.phones.close)
        if await self.says.devices():
            await self.says.cli("channel request hangup all")
        await self.says.nobody()
        for agent in self.agents.values():
            await until(lambda agent=agent: finished(agent), "the wrap-ups to be finished")
            agent.told.clear()
        found = await until(lambda: self._all_over(), "every contact to be over")
        self.before = {row["id"] for row in found[0]}
        self.log_from = self.site.pbx.log_file.stat().st_size

    async def _all_over(self) -> tuple[list[dict[str, Any]]] | None:
        found = await self.site.interactions()
        return (found,) if all(row["outcome"] is not None for row in found) else None

    @property
    def log(self) -> str:
        """What Asterisk logged since the test began."""
        with self.site.pbx.log_file.open("rb") as file:
            file.seek(self.log_from)
            return file.read().decode("utf-8", "replace")

    async def desk(self, kind: Callable[[Any, str], Phone], extension: str) -> Phone:
        """A phone on a desk, once the queues know that it is there."""
        made: Phone = self.phones.enter_context(await asyncio.to_thread(kind, self.site.pbx, extension))

        async def known() -> bool:
            return any(m["seat"] == f"PJSIP/{extension}" and m["status"] == "idle" for m in await self.members())

        await until(known, f"{extension} to be reachable")
        return made

    async def members(self) -> list[dict[str, Any]]:
        """The members of all queues."""
        api = self.agents["susan"].api
        queues = (await api.get("/api/queues")).raise_for_status().json()
        paths = [f"/api/queues/{queue['pbx']}/{queue['queue']}/members" for queue in queues]
        return [m for path in paths for m in (await api.get(path)).raise_for_status().json()]

    async def contacts(self, count: int = 1) -> list[dict[str, Any]]:
        """The contacts in the record, first to last, each with its segments, once all so many are over."""

        async def over() -> list[dict[str, Any]] | None:
            found = [row for row in await self.site.interactions() if row["id"] not in self.before]
            done = len(found) >= count and all(row["outcome"] is not None for row in found)
            return found if done else None

        found = await until(over, f"{count} contacts to be over")
        assert len(found) == count, [(row["call"], row["outcome"]) for row in found]
        api = self.agents["susan"].api
        paths = [f"/api/interactions/{row['id']}" for row in reversed(found)]
        return [(await api.get(path)).raise_for_status().json() for path in paths]

    async def contact(self) -> dict[str, Any]:
        """The only contact, once it is over."""
        (only,) = await self.contacts()
        return only

    async def configured(self, **files: str) -> None:
        """Adds lines to files of the PBX's configuration, unless an earlier test did, and has it read them."""
        for name, lines in files.items():
            path = self.site.pbx.work / "etc" / f"{name}.conf"
            text = path.read_text(encoding="utf-8")
            if lines not in text:
                path.write_text(f"{text}\n{lines}\n", encoding="utf-8")
        await self.says.cli("core reload")


async def finished(agent: Agent) -> bool:
    """Finishes the agent's wrap-ups; whether the agent has no part in any call then."""
    codes = (await agent.api.get("/api/wrap-up-codes")).json()
    body = {"note": None, "code": next(c["code"] for c in codes if c["leaf"] and c["active"]), "follow_up": None}
    left = False
    for call in (await agent.api.get("/api/calls")).json()["items"]:
        state = (await agent._part(call["call"]))["state"]
        left = left or state is not None
        if state == "wrap_up":
            await agent.api.post(f"/api/interactions/{call['interaction']}/wrap-up", json=body)
    return not left


def segments(contact: dict[str, Any], *fields: str) -> list[tuple[Any, ...]]:
    """These fields of each segment, in order; `seat` and `outcome` where none are named."""
    return [tuple(segment[field] for field in fields or ("seat", "outcome")) for segment in contact["segments"]]


async def press(key: Callable[..., Any], *what: str) -> None:
    """A key of a phone, or a wait for what it notices; both block."""
    await asyncio.to_thread(key, *what)


async def talks(shop: Desks, phone: RealPhone, line: str = DIRECT) -> tuple[Any, str]:
    """A caller who talks to Alice, and the call's id. A queue may ring another phone first, if one is there."""
    caller = await shop.caller(line)
    await press(phone.rings)
    await press(phone.answer)
    await shop.says.are_together([ALICE, TRUNK])
    call = await shop.agents["alice"].call(mine="talking", state="talking")
    return caller, call["call"]


async def calls_on_its_second_line(phone: Linphone, number: str) -> None:
    await press(phone.hold)
    await press(phone.dial, number)
    await press(phone.wait, r"Call \d+ (to .* ringing|with .* connected)\.")


@asynccontextmanager
async def desks(url: str, folder: Path, **config: Any) -> AsyncIterator[Desks]:
    """PBX, server and four people signed in. `config` are fields of PbxConfig."""
    phones = ExitStack()
    quiet = {"CTI_SNAPSHOT_EVERY_S": "3600"}
    async with center(url, folder, config=config, **quiet) as site, AsyncExitStack() as stack:
        await site.start()
        made = Desks(site, phones, {})
        for login in LOGINS:
            api = await stack.enter_async_context(site.signed_in(login))
            agent = made.agents[login] = Agent(api, (await api.get("/api/me")).json()["id"])
            ticket = (await api.post("/api/session/ticket")).json()["ticket"]
            socket = await stack.enter_async_context(websockets.connect(f"ws://127.0.0.1:{site.http_port}/ws"))
            await socket.send(json.dumps({"type": "hello", "ticket": ticket}))
            assert json.loads(await socket.recv())["type"] == "welcome"
            stack.callback(asyncio.create_task(agent.listen(socket)).cancel)
        yield made
        phones.close()  # before the PBX they are registered at
