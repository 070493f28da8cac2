"""A PBX of the tests: real floor, pipeline, database and journal; the test answers what is sent to Asterisk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from pydantic import SecretStr

from cti_server.asterisk.actions import Action, Getvar
from cti_server.asterisk.session import ActionFailed, Answer
from cti_server.attachment import Attachment
from cti_server.commands import Asking, CallCommand
from cti_server.control.control import Control
from cti_server.desk import Desk
from cti_server.floor.apply import Floor
from cti_server.floor.books import Books
from cti_server.floor.calls import Call
from cti_server.floor.signals import LegEnded, LegHeld, LegHeldAtDesk, LegRetrieved, LinkChanged, LinkState, Signal
from cti_server.floor.standing import Scene, Standing, scene_of
from cti_server.floor.verbs import Verb
from cti_server.in_hand import InHand
from cti_server.lookup.identify import Lookup
from cti_server.push.hub import Hub
from cti_server.record import leases
from cti_server.record.center import agents
from cti_server.record.database import Database
from cti_server.record.journal import Entry
from cti_server.settings import Account, PbxSettings, Settings
from cti_server.wire.ami import Message
from tests.floor.test_transcripts import SEATS, seated
from tests.streams import stream_of
from tests.transcripts.play import Transcript

NOW = datetime(2026, 11, 22, tzinfo=UTC)
ALICE = Asking(2, "agent 2")  # sits at 1002, where the transcripts' agent is


def account(user: str) -> Account:
    return Account(user=user, secret=SecretStr("secret"))


def settings(**without: None) -> PbxSettings:
    accounts = {role: account(role) for role in ("events", "agent", "call", "originate")}
    return PbxSettings(name="demo", **(accounts | without))


T = TypeVar("T")
Reply = Callable[[Action], Sequence[Signal]]


@dataclass
class Pbx:
    """Takes actions as `asterisk.commands.Commands` does; `replies` say what signals one brings."""

    attachment: Attachment
    sent: list[Action] = field(default_factory=list)
    reply: Reply = lambda action: ()
    refuses: str | None = None
    gone: bool = False
    gate: asyncio.Event | None = None  # the PBX answers when it is set

    async def run(self, action: Action) -> Answer:
        if not isinstance(action, Getvar):  # asking changes nothing
            self.sent.append(action)
        if self.gate is not None:
            await self.gate.wait()
        if self.gone:
            raise ConnectionError("the PBX is gone")
        if self.refuses is not None:
            raise ActionFailed(self.refuses)
        for signal in self.reply(action):
            self.attachment.pipeline.put(signal)
        return Answer(Message(b""))

    def close(self) -> None:
        return None


@dataclass
class Site:
    """One PBX with its call control, and what desktops were told of commands."""

    attachment: Attachment
    control: Control
    pbx: Pbx
    told: list[Entry]
    hub: Hub
    in_hand: InHand

    @property
    def floor(self) -> Books:
        return self.attachment.pipeline.books

    def put(self, *signals: Signal) -> None:
        for signal in signals:
            self.attachment.pipeline.put(signal)

    async def play(self, name: str, agent: int, standing: Standing) -> Scene:
        """Play a transcript as far as the agent stands so for the first time."""
        return await self.play_until(name, lambda floor: self.scene(agent, standing, floor))

    async def play_until(self, name: str, there: Callable[[Books], T | None]) -> T:
        """Play a transcript until it shows that; what it then is on the site's own floor."""
        ahead = Floor("demo")
        self.put(LinkChanged(0.0, LinkState.LIVE))
        for signal in seated():
            ahead.apply(signal)  # the site's own has them from the record
        for signal in Transcript.load(name).signals():
            ahead.apply(signal)
            self.put(signal)
            if there(ahead.books):
                break
        return await self.attachment.pipeline.when(there, 5)

    async def play_written(self, call: Call) -> None:
        """Wait until the record has the call and its parts."""
        await self.attachment.pipeline.when(lambda floor: call.interaction, 5)

    def scene(self, agent: int, standing: Standing | None = None, floor: Books | None = None) -> Scene | None:
        scenes = (scene_of(call, agent) for call in (floor or self.floor).calls.values())
        found = next((s for s in scenes if standing is None or s.standing is standing), None)
        # Between the answer and the bridge nobody hears anybody yet.
        return None if found is not None and found.standing is Standing.TALKING and not found.heard else found

    async def ask(self, verb: Verb, call: Call | None = None, asking: Asking = ALICE, **more: Any) -> str:
        key = more.pop("key", None)
        return await self.control.ask(asking, CallCommand(verb, call.id if call else None, **more), key)

    async def handover(self, call: str, agent: int) -> Any:
        """What a colleague left for the agent with this call, as any process would show it."""
        assert self.attachment.stream.cards is not None
        return await self.attachment.stream.cards.handover(call, agent)

    def results(self, kind: str = "command.done") -> list[dict[str, Any]]:
        return [entry.body for entry in self.told if entry.kind == kind]

    async def done(self, *requests: str, limit_s: float = 10) -> list[dict[str, Any]]:
        """The results of these requests, in the order in which they came; each must have exactly one."""
        async with asyncio.timeout(limit_s):
            while len([r for r in self.results() if r["request"] in requests]) < len(requests):
                await asyncio.sleep(0.005)
        found = [r for r in self.results() if r["request"] in requests]
        assert len(found) == len(requests)
        return found


@asynccontextmanager
async def site(database: Database, pbx_settings: PbxSettings | None = None) -> AsyncIterator[Site]:
    hub = Hub(limit=100_000)
    told: list[Entry] = []
    stream = stream_of("demo", hub, database)
    await stream.begin()
    attachment = Attachment(
        pbx_settings or settings(), database, Lookup(database), stream, Settings(_env_file=None), hub.agents
    )
    pbx = Pbx(attachment)
    attachment.commands = pbx  # type: ignore[assignment]
    desk = Desk(database, told.extend, lambda: NOW)
    in_hand = InHand(database, desk, lambda: NOW)
    control = Control([attachment], desk, database, "CN", in_hand)
    async with database.begin() as conn:
        for number, seat in SEATS.items():
            await agents.add(conn, login=f"agent{number}", name=f"agent {number}", seat=seat, pbx="demo")
    async with leases.hold(database, "demo", "test", NOW) as lease:
        await attachment.pipeline.restore(lease)
        attachment.owner = True
        task = asyncio.create_task(attachment.pipeline.run())
        following = asyncio.create_task(stream.run())
        try:
            yield Site(attachment, control, pbx, told, hub, in_hand)
        finally:
            await control.close()
            task.cancel()
            following.cancel()
            await asyncio.gather(task, following, return_exceptions=True)
            await attachment.pipeline.close()


def later(floor: Books) -> float:
    return floor.clock + 1


def held(site: Site, scene: Scene) -> LegHeld:
    assert scene.mine is not None
    return LegHeld(later(site.floor), scene.mine.id, scene.call.linkedid)


def held_at_desk(site: Site, scene: Scene) -> LegHeldAtDesk:
    """The hold is one from the desk."""
    assert scene.mine is not None
    return LegHeldAtDesk(later(site.floor), scene.mine.id, scene.call.linkedid, True)


def retrieved(site: Site, scene: Scene) -> LegRetrieved:
    assert scene.mine is not None
    return LegRetrieved(later(site.floor), scene.mine.id, scene.call.linkedid)


def hung_up(site: Site, scene: Scene) -> list[Signal]:
    """Every leg of the call ends."""
    at = later(site.floor)
    return [LegEnded(at, leg, scene.call.linkedid, 16) for leg in scene.call.legs]
