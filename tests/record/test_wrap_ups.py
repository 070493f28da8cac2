"""Drafts and what is finished: what a person wrote stands, whatever the pipeline writes after it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from cti_server.record import migrate
from cti_server.record.contacts import briefs, history, wrap_ups
from cti_server.record.contacts.history import Segment
from cti_server.record.contacts.interactions import save_calls
from cti_server.record.database import Database
from tests.record.builders import a_customer, after, an_agent, call, part

KEY = ("demo", 100, "demo-1.1")
FOLLOW_UP = {"kind": "case", "subject": "drum", "text": ""}


async def segment(database: Database, agent: int) -> Segment:
    async with database.read() as conn:
        found = await history.by_key(conn, KEY)
        assert found is not None
        mine = await wrap_ups.mine(conn, found.id, agent)
    assert mine is not None
    return mine


def ended(agent: int, **fields: Any) -> Any:
    return part(0, agent_id=agent, answered_at=after(5), ended_at=after(60), outcome="answered", **fields)


async def test_the_pipeline_leaves_what_was_typed(database: Database) -> None:
    async with database.begin() as conn:
        alice = await an_agent(conn)
        await save_calls(conn, [call("demo-1.1", segments=(part(0, agent_id=alice, answered_at=after(5)),))])
    mine = await segment(database, alice)
    async with database.begin() as conn:
        typed = {"note": "typed", "wrap_code": "a/b", "follow_up": FOLLOW_UP}
        assert await wrap_ups.save_draft(conn, mine.id, typed)
        await save_calls(
            conn, [call("demo-1.1", outcome="answered", segments=(ended(alice, note="the floor's"),))]
        )
    mine = await segment(database, alice)
    assert (mine.note, mine.wrap_code, mine.follow_up, mine.outcome) == ("typed", "a/b", FOLLOW_UP, "answered")
    async with database.begin() as conn:
        await save_calls(conn, [call("demo-1.1", segments=(ended(alice, wrap_code="c", owed=True),))])
    mine = await segment(database, alice)
    # The floor only knows of a code what was typed here, and later.
    assert (mine.wrap_code, mine.owed, wrap_ups.is_owed(mine)) == ("a/b", True, True)


async def test_what_is_finished_stands(database: Database) -> None:
    async with database.begin() as conn:
        alice = await an_agent(conn)
        await save_calls(conn, [call("demo-1.1", outcome="answered", segments=(ended(alice),))])
    mine = await segment(database, alice)
    async with database.begin() as conn:
        done = {"note": "n", "wrap_code": "a", "follow_up": None}
        assert await wrap_ups.finish(conn, mine.id, after(90), **done)
        assert not await wrap_ups.finish(conn, mine.id, after(91), **done)
        assert not await wrap_ups.save_draft(conn, mine.id, {"note": "late"})
        # The floor has not heard of it: neither its time that ran out nor its older code counts.
        await save_calls(conn, [call("demo-1.1", segments=(ended(alice, wrap_code="old", owed=True),))])
    mine = await segment(database, alice)
    assert (mine.wrap_code, mine.owed, mine.wrapped_at, mine.finished_at) == ("a", False, after(90), after(90))
    async with database.begin() as conn:
        await save_calls(conn, [call("demo-1.1", segments=(ended(alice, wrapped_at=after(92)),))])
    assert (await segment(database, alice)).wrapped_at == after(92)


async def test_drafts_follow_a_call_that_merges_into_another(database: Database) -> None:
    async with database.begin() as conn:
        alice, bob = await an_agent(conn), await an_agent(conn, "bob")
        theirs = [part(0, agent_id=alice), part(1, agent_id=bob)]
        ids = await save_calls(conn, [call("demo-1.1"), call("demo-1.5", segments=tuple(theirs))])
        for agent, typed in ((alice, "alice's"), (bob, "bob's")):
            mine = await wrap_ups.mine(conn, ids["demo", 100, "demo-1.5"], agent)
            assert mine is not None
            await wrap_ups.save_draft(conn, mine.id, {"note": typed, "wrap_code": "a", "follow_up": FOLLOW_UP})
        await save_calls(conn, [call("demo-1.1", aliases=("demo-1.5",), segments=(part(0, agent_id=alice),))])
        found = await history.by_key(conn, KEY)
    assert found is not None
    mine = await segment(database, alice)
    assert (mine.note, mine.wrap_code, mine.follow_up) == ("alice's", "a", FOLLOW_UP)
    assert found.note == "bob's\nalice's"  # bob has no part in the other: his words stay all the same


async def test_the_card_reads_what_everybody_wrote(database: Database) -> None:
    async with database.begin() as conn:
        alice, wang = await an_agent(conn), await a_customer(conn)
        done = {"agent_id": alice, "wrapped_at": after(90)}
        parts = (
            part(1, note="two", **done),
            part(0, note="one", **done),
            part(2, agent_id=alice, note="not finished"),
        )
        ids = await save_calls(
            conn,
            [call("demo-1.1", customer_id=wang.id, segments=parts), call("demo-1.2", customer_id=wang.id)],
        )
        first = {one.id: one.note for one in await briefs.recent(conn, wang.id)}
        await history.set_note(conn, ids[KEY], "zero")
        then = {one.id: one.note for one in await briefs.recent(conn, wang.id)}
        found = await history.page(conn, history.Filter(q="TWO"))
    silent = ids["demo", 100, "demo-1.2"]
    assert first == {ids[KEY]: "one\ntwo", silent: None}
    assert then == {ids[KEY]: "zero\none\ntwo", silent: None}
    assert [one.note for one in found.items] == ["zero\none\ntwo\nnot finished"], (
        "who may read it is decided above"
    )


async def test_owed(database: Database) -> None:
    async with database.begin() as conn:
        alice = await an_agent(conn)
        calls = [
            call("demo-1.1", outcome="answered", segments=(ended(alice, wrapped_at=after(61)),)),
            call("demo-1.2", outcome="answered", segments=(ended(alice, wrapped_at=after(61), owed=True),)),
            call("demo-1.3", outcome="answered", segments=(ended(alice),)),
            call("demo-1.4", segments=(part(0, agent_id=alice, answered_at=after(5)),)),  # goes on
            call("demo-1.5", outcome="answered", segments=(part(0, agent_id=alice, outcome="no_answer"),)),
        ]
        ids = list((await save_calls(conn, calls)).values())
        assert [one.id for one in await wrap_ups.owed(conn, alice)] == ids[1:3]
        assert await wrap_ups.count_owed(conn, alice) == 2
        assert await wrap_ups.count_owed(conn, alice, [ids[2], 999]) == 1


async def test_notes_of_the_time_before_drafts_belonged_to_segments(empty_url: str) -> None:
    await migrate.upgrade(empty_url, "0001")
    async with Database(empty_url) as database:
        async with database.begin() as conn:
            for number, note in ((1, "a note"), (2, "of an email"), (3, None)):
                await conn.execute(
                    sa.text(
                        "INSERT INTO interactions (id, channel, direction, ivr_path, note, started_at, complete) "
                        "VALUES (:id, 'voice', 'inbound', '[]', :note, :at, true)"
                    ).bindparams(sa.bindparam("at", type_=sa.DateTime(timezone=True))),
                    {"id": number, "note": note, "at": after(0)},
                )
            await conn.execute(
                sa.text(
                    "INSERT INTO agents (id, login, name, role, language, active) VALUES "
                    "(1, 'a', 'A', 'agent', 'en', true)"
                )
            )
            # Of the third's last part nobody saw the end.
            rows = [(1, 0, None, True), (1, 1, None, True), (3, 0, "one", True), (3, 1, "two", False)]
            for interaction, position, note, seen in rows:
                await conn.execute(
                    sa.text(
                        "INSERT INTO segments (interaction_id, position, agent_id, origin, answered_at, ended_at, "
                        "outcome, note) VALUES (:i, :p, 1, 'offer', :at, :end, 'answered', :note)"
                    ).bindparams(*(sa.bindparam(n, type_=sa.DateTime(timezone=True)) for n in ("at", "end"))),
                    {
                        "i": interaction,
                        "p": position,
                        "note": note,
                        "at": after(-999_999),
                        "end": after(-999_999) if seen else None,
                    },
                )
        await migrate.upgrade(empty_url)
        async with database.read() as conn:
            found = {number: await history.get(conn, number) for number in (1, 2, 3)}
            assert await wrap_ups.count_owed(conn, 1) == 0
        assert [one.note if one else None for one in found.values()] == ["a note", "of an email", "one\ntwo"]
        assert found[1] is not None
        assert [part.note for part in found[1].segments] == [None, "a note"]
        await migrate.downgrade(empty_url, "0001")
        async with database.read() as conn:
            query = sa.text("SELECT note FROM interactions ORDER BY id")
            assert list(await conn.scalars(query)) == ["a note", "of an email", "one\ntwo"]
