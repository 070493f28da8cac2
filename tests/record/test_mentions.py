"""Contacts by what they say: found by any part of it, by the index or without it alike, and not for ever."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa

from cti_server.record.contacts import history, mentions
from cti_server.record.contacts.history import Filter
from cti_server.record.contacts.interactions import save_calls
from cti_server.record.contacts.tables import interactions, segments
from cti_server.record.database import Database, TookTooLong
from cti_server.record.engines import Connection
from tests.record.builders import a_contract, a_customer, after, an_agent, call, part

SAID = {
    "a": {"ani_name": "Alice O'Hara", "subject": "Paper jam in the X-200"},
    "b": {"ani_name": "王小明", "note": "答应周五上门"},
    "c": {"ani_e164": "+8613800138000", "ani_raw": "013800138000", "dnis": "4008001000"},
    "d": {"ani_name": '100%_Sure "quoted" back\\slash', "subject": "ГОСТ и Straße"},
    "e": {"note": "customer\nwants a refund"},
}


async def filled(conn: Connection, *, over: bool = True) -> None:
    """Calls that say this; `over` or going on."""
    ended: dict[str, Any] = {"outcome": "answered"} if over else {}
    for n, (name, texts) in enumerate(SAID.items()):
        texts = dict(texts)
        after_it = {key: texts.pop(key) for key in ("subject", "note") if key in texts}
        [made] = (await save_calls(conn, [call(name, started_at=after(n), **texts, **ended)])).values()
        if after_it:
            await conn.execute(sa.update(interactions).where(interactions.c.id == made).values(after_it))


async def found(conn: Connection, q: str, **wanted: Any) -> list[str | None]:
    return sorted(one.linkedid for one in (await history.page(conn, Filter(q=q, **wanted))).items)


QUESTIONS = {
    "alice": ["a"],
    "LIC": ["a"],
    "o'h": ["a"],
    "x-200": ["a"],
    "jam in": ["a"],
    "小明": ["b"],
    "明": ["b"],
    "王小明": ["b"],
    "周五上": ["b"],
    "上门": ["b"],
    "0013800": ["c"],
    "138 0013 8000": ["c"],
    "+86 138": ["c"],
    "80010": ["c"],
    "100%_s": ["d"],
    "%_": ["d"],
    "100": ["c", "d"],
    '"quoted"': ["d"],
    "back\\slash": ["d"],
    "гост": ["d"],
    "straße": ["d"],
    "wants a": ["e"],
    "customer\nwants": ["e"],
    "nobody": [],
    "王大": [],
    "refunds": [],
}


@pytest.mark.parametrize("over", [True, False])
@pytest.mark.parametrize("few", [5000, 0])
async def test_any_part_is_found_by_the_index_or_without(
    database: Database, monkeypatch: pytest.MonkeyPatch, few: int, over: bool
) -> None:
    monkeypatch.setattr(mentions, "FEW", few)
    async with database.begin() as conn:
        await filled(conn, over=over)
        skipped = {"гост"} if database.is_sqlite else set()  # its lower() knows ASCII only, as before
        for q, names in QUESTIONS.items():
            if q not in skipped:
                assert await found(conn, q) == names, q
        assert await found(conn, "0013800", whole_numbers=True) == []
        assert await found(conn, "13800138000", whole_numbers=True) == ["c"]


async def test_few_are_told_from_many(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    async with database.begin() as conn:
        await filled(conn)
        assert await mentions.narrowed(conn, "refund") is not None
        assert await mentions.narrowed(conn, "xy") is None, "two letters are in no index"
        assert (await mentions.narrowed(conn, "小明") is None) is database.is_sqlite
        monkeypatch.setattr(mentions, "FEW", 1)
        assert await mentions.narrowed(conn, "refund") is not None
        assert await mentions.narrowed(conn, "100") is None


async def test_the_index_is_used(postgres_url: str) -> None:
    """On PostgreSQL, which could do without; SQLite's MATCH has no other way."""
    asked: list[Any] = []
    async with Database(postgres_url) as database, database.begin() as conn:
        await filled(conn)
        listening = lambda conn, cursor, statement, given, *rest: asked.append((statement, given))  # noqa: E731
        sa.event.listen(database.engine.sync_engine, "before_cursor_execute", listening)
        await mentions.narrowed(conn, "refund")
        sa.event.remove(database.engine.sync_engine, "before_cursor_execute", listening)
        [(statement, given)] = asked
        await conn.execute(sa.text("SET LOCAL enable_seqscan = off"))  # five rows are read faster without an index
        plan = "\n".join(row[0] for row in await conn.exec_driver_sql(f"EXPLAIN {statement}", given))
    assert "ix_interactions_grams" in plan
    assert "ix_segments_grams" in plan


async def test_a_note_is_found_once_its_author_has_finished_and_as_it_is_now(database: Database) -> None:
    async with database.begin() as conn:
        alice = await an_agent(conn)
        await save_calls(conn, [call("a", outcome="answered", segments=(part(0, agent_id=alice),))])
        s = segments

        async def write(**values: Any) -> None:
            await conn.execute(sa.update(s).values(values))

        await write(note="replace the drum")
        assert await found(conn, "the drum") == []
        await write(finished_at=after(9))
        assert await found(conn, "the drum") == ["a"]
        await write(note="replace the belt")
        assert await found(conn, "the drum") == []
        assert await found(conn, "the belt") == ["a"]
        await write(note=None)
        assert await found(conn, "the belt") == []
        await write(note="the end")
        await conn.execute(sa.delete(interactions))
        assert await found(conn, "the end") == []
        if database.is_sqlite:
            for table in ("interactions_search", "segments_search"):
                assert await conn.scalar(sa.text(f"SELECT count(*) FROM {table}")) == 0


async def test_a_customer_is_found_by_what_the_customer_search_knows(database: Database) -> None:
    async with database.begin() as conn:
        wang = await a_customer(conn, "王小明 Wang")
        await a_contract(conn, wang.id, "C-4711")
        calls = [call("old", customer_id=wang.id, outcome="answered"), call("now", customer_id=wang.id), call("x")]
        await save_calls(conn, calls)
        for q in ("wang", "小明", "王小明 wang", "C-4711"):
            assert await found(conn, q) == ["now", "old"], q


# --- not for ever -----------------------------------------------------------------------------------------

LONG = {
    "postgresql": "SELECT pg_sleep(30)",
    "sqlite": "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n) SELECT count(*) FROM n",
}


async def test_what_takes_too_long_is_ended_and_leaves_nothing_behind(database_url: str) -> None:
    async with Database(database_url, pool_size=1) as database:
        engine = "sqlite" if database.is_sqlite else "postgresql"
        with pytest.raises(TookTooLong, match=r"0\.2 s"):
            async with asyncio.timeout(20), database.read_within(0.2) as conn:
                await conn.execute(sa.text(LONG[engine]))
        async with database.read_within(5) as conn:
            assert await conn.scalar(sa.text("SELECT 1")) == 1
        for _ in range(3):
            async with database.read() as conn:
                if engine == "postgresql":
                    assert await conn.scalar(sa.text("SHOW statement_timeout")) == "0"
                    await conn.execute(sa.text("SELECT pg_sleep(0.3)"))
                else:
                    many = f"{LONG[engine].replace('FROM n)', 'FROM n LIMIT 2000000)', 1)}"
                    assert await conn.scalar(sa.text(many)) == 2_000_000


async def test_another_failure_is_told_as_it_is(database: Database) -> None:
    with pytest.raises(sa.exc.DBAPIError):
        async with database.read_within(5) as conn:
            await conn.execute(sa.text("SELECT nothing FROM nowhere"))
