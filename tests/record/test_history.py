"""Interactions come back in pages, filtered, with their names."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cti_server.record.contacts import briefs, history
from cti_server.record.contacts.history import Filter
from cti_server.record.contacts.interactions import save_calls
from cti_server.record.cursor import BadCursor
from cti_server.record.database import Database
from cti_server.record.engines import Connection
from tests.record.builders import NOON, a_customer, after, an_agent, call, part


async def listed(conn: Connection, **wanted: object) -> list[str | None]:
    return [item.linkedid for item in (await history.page(conn, Filter(**wanted))).items]  # type: ignore[arg-type]


async def test_pages_follow_each_other_though_calls_begin_meanwhile(database: Database) -> None:
    async with database.begin() as conn:
        # several begin at the same moment: the id decides
        await save_calls(conn, [call(f"c{n}", started_at=after(n // 3)) for n in range(10)])
    seen: list[str | None] = []
    cursor = None
    for number in range(4):
        async with database.begin() as conn:
            page = await history.page(conn, Filter(), cursor, limit=3)
            seen += [item.linkedid for item in page.items]
            cursor = page.next
            await save_calls(conn, [call(f"new{number}", started_at=after(100 + number))])
    assert seen == [f"c{n}" for n in range(9, -1, -1)]
    assert cursor is None


async def test_a_cursor_of_nowhere_is_refused(database: Database) -> None:
    async with database.read() as conn:
        for cursor in ("", "x", "WzFd", "!!!!", "W10" * 500, "é"):
            with pytest.raises(BadCursor):
                await history.page(conn, Filter(), cursor)


async def test_filters(database: Database) -> None:
    async with database.begin() as conn:
        alice, bob = await an_agent(conn), await an_agent(conn, "bob")
        wang = await a_customer(conn, "王小明 Wang")
        await save_calls(
            conn,
            [
                call(
                    "a",
                    queue="support",
                    outcome="answered",
                    segments=(part(0, agent_id=alice), part(1, agent_id=bob)),
                ),
                call(
                    "b",
                    queue="sales",
                    outcome="abandoned",
                    started_at=after(60),
                    segments=(part(0, agent_id=bob),),
                ),
                call(
                    "c",
                    direction="outbound",
                    customer_id=wang.id,
                    started_at=after(120),
                    ani_e164="+8613800138000",
                ),
                call("d", ani_name="100%_Sure", dnis="4008001000", started_at=after(180)),
            ],
        )
        assert await listed(conn) == ["d", "c", "b", "a"]
        assert await listed(conn, since=after(60), until=after(180)) == ["c", "b"]
        assert await listed(conn, agent_id=alice) == ["a"]
        assert await listed(conn, agent_id=bob, outcome="abandoned") == ["b"]
        assert await listed(conn, queue="support") == ["a"]
        assert await listed(conn, direction="outbound", customer_id=wang.id) == ["c"]
        assert await listed(conn, channel="email") == []
        for q, found in {
            "小明": ["c"],
            "WANG": ["c"],
            "0138000": ["c"],
            "138 0013 8000": ["c"],
            "400800": ["d"],
            "100%_s": ["d"],
            "100%x": [],
            "  ": ["d", "c", "b", "a"],
        }.items():
            assert await listed(conn, q=q) == found, q


async def test_a_timeline_has_the_segments_and_a_companys_has_its_peoples(database: Database) -> None:
    async with database.begin() as conn:
        alice = await an_agent(conn)
        acme = await a_customer(conn, "Acme", kind="company")
        li = await a_customer(conn, "Li Na", company_id=acme.id)
        talk = part(0, agent_id=alice, answered_at=after(2))
        await save_calls(
            conn,
            [
                call("a", customer_id=acme.id),
                call(
                    "b",
                    customer_id=li.id,
                    started_at=after(60),
                    segments=(talk,),
                    talk_ms=7000,
                    outcome="answered",
                ),
                call("c", started_at=after(90)),
            ],
        )
        of_acme = await history.timeline(conn, acme.id)
        of_li = await history.timeline(conn, li.id)
        assert [item.linkedid for item in of_acme.items] == ["b", "a"]
        assert [[s.agent_name for s in item.segments] for item in of_li.items] == [["Alice"]]
        current = of_li.items[0].id
        [brief] = await briefs.recent(conn, li.id)
        assert (brief.id, brief.at, brief.agent_name, brief.talk_ms) == (current, after(60), "Alice", 7000)
        assert await briefs.recent(conn, li.id, without=current) == []
        assert [one.id for one in await briefs.recent(conn, acme.id, limit=1)] == [current]


async def test_wrap_ups_that_were_not_finished(database: Database) -> None:
    async with database.begin() as conn:
        alice = await an_agent(conn)
        talked = part(0, agent_id=alice, answered_at=after(2), ended_at=after(20), outcome="answered")
        await save_calls(
            conn,
            [
                call("a", segments=(talked,)),
                call("b", segments=(replace(talked, wrapped_at=after(30)),)),
                call("c", segments=(replace(talked, ended_at=None),)),
                call("d", segments=(replace(talked, ended_at=after(-9000)),)),
                call("e", segments=(part(0, agent_id=alice, ended_at=after(9), outcome="no_answer"),)),
            ],
        )
        [left] = await history.unwrapped(conn, alice, NOON)
        found = await history.get(conn, left.interaction_id)
    assert found is not None
    assert (found.linkedid, left.agent_name) == ("a", "Alice")
