"""Whoever is told of something may ask for it too: every kind of event, for each sort of viewer.

The events of desk work are those that the API really tells; those of a floor have the audience of docs/api.md.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from cti_server.api.agent.promises import raise_due
from cti_server.api.events import kinds
from cti_server.desk import Desk
from cti_server.floor import topics
from cti_server.live.feed import Feed
from cti_server.lookup.identify import Lookup
from cti_server.push.frames import Frame, of_event
from cti_server.push.hub import Hub, Subscriber
from cti_server.push.stream import Stream
from cti_server.record.center import agents, teams
from cti_server.record.center.teams import Team
from cti_server.record.database import Database
from cti_server.record.journal import Entry
from cti_server.rules.rights import EVERYBODY, Viewer
from tests.api.calls import a_call
from tests.api.conftest import HASH, SignIn, Time
from tests.api.fakes import FakeFloor, call, part
from tests.floor.replicas import replica_of
from tests.lookup.seed import World

CALL = "demo:1:a.1"
PBX_STREAM = "pbx:demo"
OF_FLOOR = frozenset({"call", "part", "card", "queue", "member", "me", "team", "link"})
FLOOR_KINDS = frozenset(kind for kind in kinds() if kind.partition(".")[0] in OF_FLOOR)


@dataclass(frozen=True)
class Asked:
    """What a viewer asks for: where, and what must be in the answer."""

    path: str
    holds: Any = None

    async def answers(self, client: httpx.AsyncClient) -> bool:
        answer = await client.get(self.path)
        return answer.status_code == 200 and (self.holds is None or self.holds(answer.json()))


def listed(number: int) -> Any:
    return lambda body: any(item["id"] == number for item in (body if isinstance(body, list) else body["items"]))


def asked(kind: str, body: dict[str, Any], by_topic: bool) -> Asked:
    """Where that can be asked for. `by_topic`: by who has opened what it belongs to."""
    match kind.split("."):
        case ["call", _]:
            return Asked(f"/api/calls/{CALL}")
        case ["part", _]:
            return Asked(f"/api/calls/{CALL}/parts", lambda parts: any(p["agent"] == body["agent"] for p in parts))
        case ["card", _]:
            return Asked(f"/api/calls/{CALL}/card")
        case ["queue", _]:
            return Asked("/api/queues", lambda shown: any(queue["queue"] == "support" for queue in shown))
        case ["member", _]:
            return Asked("/api/queues/demo/support/members")
        case ["team", _]:
            return Asked("/api/team")
        case ["link", _]:
            return Asked("/readyz")
        case ["customer", _]:
            return Asked(f"/api/customers/{body['customer']}")
        case ["interaction", _]:
            return Asked(f"/api/interactions/{body['interaction']}")
        case ["promise", _]:
            found = body["promise"]
            query = f"?customer={found['customer']['id']}" if by_topic else ""
            return Asked(f"/api/promises{query}", listed(found["id"]))
        case ["message", "sent"]:
            return Asked("/api/messages", listed(body["message"]["id"]))
        case ["help", _]:
            return Asked("/api/help", listed(body["help"]["id"]))
        case ["reasons", _]:
            return Asked("/api/reasons")
        case ["codes", _]:
            return Asked("/api/wrap-up-codes")
        case ["me" | "command" | "phone" | "draft" | "message" | "settings", _]:
            return Asked("/api/me", lambda me: me["id"] == body["agent"])
    raise AssertionError(f"nobody said where {kind} can be asked for")


def audience_of(kind: str, agent: int) -> dict[str, Any]:
    """Who is told of the floor's events: docs/api.md. The agent talks in CALL, which came by the queue support."""
    to: dict[str, Any] = {"agents": [], "topics": [], "everyone": False, "supervisors": False}
    about = {"agents": [agent], "queues": ["demo/support"]}
    here, queue = topics.call(CALL), ("demo", "support")
    match kind.partition(".")[0]:
        case "call":
            return to | {"agents": [agent], "topics": [topics.FLOOR, here], "about": about}
        case "part" | "card":
            return to | {"agents": [agent], "topics": [here]}
        case "queue":
            return to | {"topics": [topics.serving(*queue), topics.queue(*queue), topics.FLOOR], "about": about}
        case "member":
            return to | {"topics": [topics.queue(*queue)]}
        case "me":
            return to | {"agents": [agent]}
        case "team":
            return to | {"topics": [topics.TEAM]}
    return to | {"everyone": True}


@dataclass
class Center:
    """All who are signed in, and a desktop of each."""

    clients: dict[int, httpx.AsyncClient]
    desktops: dict[int, Subscriber]
    hub: Hub
    sun: int
    chen: int

    async def told(self, frame: Frame) -> set[int]:
        self.hub.publish([frame])
        return {agent for agent, desktop in self.desktops.items() if await desktop.take(0)}


@pytest.fixture(params=["nothing opened", "all opened that one may"])
async def center(
    request: pytest.FixtureRequest,
    app: FastAPI,
    sign_in: SignIn,
    floor: FakeFloor,
    world: World,
    database: Database,
) -> Center:
    """Zhao supervises Li, Chen and the queue support; Sun supervises Wang and the queue sales."""
    async with database.begin() as conn:
        chen = await agents.add(conn, login="chen", name="Chen", password_hash=HASH, pbx="demo")
        sun = await agents.add(conn, login="sun", name="Sun", role="supervisor", password_hash=HASH)
    found = [
        Team(
            name="Support",
            members=frozenset({world.agent, chen}),
            supervisors=frozenset({world.supervisor}),
            queues=frozenset({("demo", "support")}),
        ),
        Team(
            name="Sales",
            members=frozenset({world.other_agent}),
            supervisors=frozenset({sun}),
            queues=frozenset({("demo", "sales")}),
        ),
    ]
    app.state.deps = replace(app.state.deps, oversight=lambda agent: teams.oversight(found, agent))
    floor.serve("support", {world.agent: "PJSIP/1001", chen: "PJSIP/1003"})
    floor.serve("sales", {world.other_agent: "PJSIP/1002"})
    number = await a_call(database, CALL, world.agent, customer_id=world.li)
    floor.show(call(CALL, part(world.agent, "talking"), interaction=number, customer=world.li))
    lookup = Lookup(database)
    floor.cards[CALL] = await lookup.card(CALL, await lookup.identify("demo", "13800138000"))

    async def nobody(*_: object) -> None:
        return None

    hub = Hub()
    streams = [Stream("desk", hub, database), Stream("pbx:demo", hub, database, replica_of(floor.floor.books))]
    feed = Feed(streams, hub, database, nobody)
    there = Center({}, {}, hub, sun=sun, chen=chen)
    for login in ("li", "chen", "wang", "zhao", "sun", "root"):
        client = await sign_in(login)
        me = (await client.get("/api/me")).json()
        oversees = teams.oversight(found, me["id"]) if me["role"] == "supervisor" else EVERYBODY
        viewer = Viewer(me["id"], me["role"], oversees=oversees)
        desktop, _ = hub.subscribe(viewer, feed.serves(viewer))
        if request.param != "nothing opened":
            await open_all(hub, feed, desktop, world)
        there.clients[me["id"]], there.desktops[me["id"]] = client, desktop
    return there


async def open_all(hub: Hub, feed: Feed, desktop: Subscriber, world: World) -> None:
    names = [topics.FLOOR, topics.TEAM, topics.call(CALL), topics.customer(world.li), topics.customer(world.acme)]
    names += [topics.queue("demo", "support"), topics.queue("demo", "sales")]
    for name in names:
        if feed.refuses(desktop.viewer, name) is None:
            for stream in feed.streams(name):
                hub.open(desktop, stream, name)


async def desk_events(center: Center, world: World, database: Database, clock: Time, told: list[Entry]) -> None:
    """Do what a desk does, so that each kind of event of desk work is told."""
    li, zhao = center.clients[world.agent], center.clients[world.supervisor]
    number = (await li.get(f"/api/calls/{CALL}")).json()["interaction"]
    due = {"due": "2026-11-22T05:10:00Z", "text": "call back", "kind": "callback"}
    for what in (
        li.patch("/api/me", json={"language": "zh"}),
        li.put(f"/api/interactions/{number}/draft", json={"note": "x"}),
        li.put(f"/api/interactions/{number}/note", json={"text": "x"}),
        li.post("/api/promises", json={"customer_id": world.li, **due}),
        zhao.post("/api/promises", json={"customer_id": world.acme, "owner_id": world.agent, **due}),
        li.post("/api/messages", json={"to": {"role": "supervisors"}, "text": "x"}),
        zhao.post("/api/messages", json={"to": {"agent": world.agent}, "text": "x"}),
        zhao.post("/api/messages", json={"to": {"team": True}, "text": "x"}),
        li.post("/api/messages/read", json={"up_to": 1}),
        li.post(f"/api/calls/{CALL}/help", json={}),
        li.post(f"/api/customers/{world.li}/notes", json={"text": "x"}),
        zhao.put("/api/reasons", json=[]),
        zhao.put("/api/wrap-up-codes", json=[]),
    ):
        answer = await what
        assert answer.is_success, answer.text
    await raise_due(Desk(database, told.extend, clock))


async def test_whoever_is_told_may_ask(
    center: Center,
    world: World,
    database: Database,
    clock: Time,
    published: list[Entry],
    request: pytest.FixtureRequest,
) -> None:
    await desk_events(center, world, database, clock, published)
    mine = {"agent": world.agent, "part": {"state": "talking"}, "leaves": False}
    rows = [(PBX_STREAM, kind, mine, audience_of(kind, world.agent)) for kind in sorted(FLOOR_KINDS)]
    rows += [("desk", entry.kind, mine | entry.body, entry.audience) for entry in published]
    # Told of from elsewhere, always to the agent alone: live/agent_commands.py, control/, api/agent/phones.py.
    own = audience_of("me.changed", world.agent)
    rows += [("desk", kind, mine, own) for kind in ("command.done", "phone.answer", "phone.claimed")]
    assert {kind for _, kind, _, _ in rows} == kinds(), "a new kind of event needs a row here"

    by_topic = "all opened that one may" in request.node.name
    for stream, kind, body, audience in rows:
        told = await center.told(of_event(stream, 1, "2026-11-22T05:00:00.000Z", kind, body, audience))
        assert told or not by_topic, f"nobody is told of {kind}"
        for agent in told:
            what = asked(kind, body, by_topic)
            assert await what.answers(center.clients[agent]), f"{agent} is told of {kind}, and may not get it"


async def test_what_is_not_mine_is_not_told(center: Center, world: World, request: pytest.FixtureRequest) -> None:
    """Li talks, Chen serves the same queue, Wang another; their supervisor sees it, the other one does not."""
    everywhere = "all opened that one may" in request.node.name
    above = {world.supervisor, world.administrator} if everywhere else set()
    chen = center.chen

    async def told(kind: str) -> set[int]:
        audience = audience_of(kind, world.agent)
        return await center.told(of_event(PBX_STREAM, 1, "", kind, {"agent": None}, audience))

    assert await told("call.changed") == {world.agent} | above
    assert await told("queue.changed") == {world.agent, chen} | above
    assert await told("member.changed") == ({world.agent, chen} | above if everywhere else set())
    assert await told("team.changed") == (set(center.clients) if everywhere else set())
    assert await told("link.changed") == set(center.clients)


# --- resource × viewer ---------------------------------------------------------------------------------------

WHO = ("li", "chen", "wang", "zhao", "sun", "root")
ALL, MINE, TEAM_ = set(WHO), {"li"}, {"li", "zhao", "root"}

#: what of Li's can be read, by whom, and the texts that must stand in no other answer
RESOURCES: dict[str, tuple[str, set[str]]] = {
    "her call": ("/api/calls/{call}", TEAM_),
    "its parts": ("/api/calls/{call}/parts", TEAM_),
    "its card": ("/api/calls/{call}/card", TEAM_),
    "her contact without a customer": ("/api/interactions/{nobodys}", TEAM_),
    "her contact with a customer": ("/api/interactions/{number}", ALL),
    "her contacts, by her": ("/api/interactions?agent={li}", TEAM_),
    "her queue's members": ("/api/queues/demo/support/members", TEAM_ | {"chen"}),
    "the other queue's members": ("/api/queues/demo/sales/members", {"wang", "sun", "root"}),
    "her promises": ("/api/promises?owner={li}", TEAM_),
    "her draft": ("/api/interactions/{number}/draft", {"li"}),
    "the customer": ("/api/customers/{customer}", ALL),
    "the customer's contacts": ("/api/customers/{customer}/timeline", ALL),
}
#: what Li has typed and not finished yet
SECRET = "typed and not finished"


@pytest.mark.parametrize("center", ["nothing opened"], indirect=True)
async def test_resource_by_viewer(center: Center, world: World, database: Database) -> None:
    li = center.clients[world.agent]
    number = (await li.get(f"/api/calls/{CALL}")).json()["interaction"]
    nobodys = await a_call(database, "demo:1:b.1", world.agent, customer_id=None)
    assert (await li.put(f"/api/interactions/{number}/draft", json={"note": SECRET})).is_success
    fill = {"call": CALL, "number": number, "nobodys": nobodys, "li": world.agent, "customer": world.li}
    named = {(await client.get("/api/me")).json()["login"]: client for client in center.clients.values()}
    wrong = {}
    for resource, (path, readers) in RESOURCES.items():
        answers = {login: await client.get(path.format(**fill)) for login, client in named.items()}
        may = {login for login, answer in answers.items() if answer.status_code == 200}
        if may != readers:
            wrong[resource] = may ^ readers
        for login, answer in answers.items():
            assert login == "li" or SECRET not in answer.text, f"{login} reads her unfinished note in {resource}"
    assert wrong == {}


@pytest.mark.parametrize("center", ["nothing opened"], indirect=True)
async def test_lists_hold_what_is_ones_own_or_ones_teams(center: Center, world: World, database: Database) -> None:
    await a_call(database, "demo:1:b.1", world.agent, customer_id=None)
    await a_call(database, "demo:1:c.1", world.other_agent, customer_id=None)
    due = {"due": "2026-11-22T05:10:00Z", "text": "call back", "kind": "callback", "customer_id": world.li}
    for owner in (world.agent, world.other_agent):
        assert (await center.clients[owner].post("/api/promises", json=due)).is_success

    async def counts(agent: int) -> tuple[int, int, int]:
        client = center.clients[agent]
        lists = [(await client.get(path)).json() for path in ("/api/interactions", "/api/promises", "/api/calls")]
        return len(lists[0]["items"]), len(lists[1]["items"]), len(lists[2]["items"])

    assert await counts(world.agent) == (3, 1, 1)
    assert await counts(world.supervisor) == (3, 1, 1)
    assert await counts(center.sun) == (1, 1, 0)
    assert await counts(world.administrator) == (4, 2, 1)


@pytest.mark.parametrize("center", ["nothing opened"], indirect=True)
async def test_a_supervisor_changes_nothing_of_another_team(
    center: Center, world: World, database: Database
) -> None:
    li, sun = center.clients[world.agent], center.clients[center.sun]
    nobodys = await a_call(database, "demo:1:b.1", world.agent, customer_id=None)
    due = {"due": "2026-11-22T05:10:00Z", "text": "call back", "kind": "callback", "customer_id": world.li}
    promise = (await li.post("/api/promises", json=due)).json()
    assert (await li.post(f"/api/calls/{CALL}/help", json={})).is_success
    help_request = (await li.get("/api/help")).json()[0]["id"]
    asked_for = (
        sun.put(f"/api/interactions/{nobodys}/note", json={"text": "x"}),
        sun.patch(f"/api/promises/{promise['id']}", json={"version": 1, "state": "kept"}),
        sun.post(f"/api/help/{help_request}/take"),
        sun.post(f"/api/help/{help_request}/done"),
        sun.put(f"/api/calls/{CALL}/customer", json={"customer_id": world.acme}),
        sun.put(f"/api/interactions/{nobodys}/customer", json={"customer_id": world.acme}),
    )
    for what in asked_for:
        answer = await what
        assert answer.status_code in (403, 404), answer.request.url
