"""Each call is in the record once, whatever happened to it, and what a person wrote stays."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from cti_server.record.contacts import history, restart
from cti_server.record.contacts.history import Interaction
from cti_server.record.contacts.interactions import InteractionRecord, add_contact, save_calls
from cti_server.record.crm import customers
from cti_server.record.database import Database
from cti_server.wire.text import to_bytes, to_text
from tests.record.builders import NOON, a_customer, after, an_agent, call, part


async def read(database: Database, key: tuple[str, int, str]) -> Interaction:
    async with database.read() as conn:
        found = await history.by_key(conn, key)
    assert found is not None
    return found


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(conn: object, cursor: object, statement: str, *rest: object) -> None:
        seen.append(statement)

    sa.event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    yield seen
    sa.event.remove(database.engine.sync_engine, "before_cursor_execute", note)


async def test_a_call_is_saved_as_it_goes_on_and_is_there_once(database: Database) -> None:
    async with database.begin() as conn:
        alice, bob = await an_agent(conn), await an_agent(conn, "bob")
        customer = await a_customer(conn, tier="gold")
        ids = await save_calls(conn, [call("demo-1.1", ani_raw="\0bad\udcff\n\"name'", queue="support")])
    async with database.begin() as conn:
        ringing = part(0, agent_id=alice, seat="PJSIP/1001"), part(1, agent_id=bob, seat="PJSIP/1002")
        again = await save_calls(conn, [call("demo-1.1", customer_id=customer.id, segments=ringing)])
        assert again == ids
    answered = (
        part(0, agent_id=alice, seat="PJSIP/1001", outcome="answered_elsewhere", ended_at=after(4)),
        part(1, agent_id=bob, seat="PJSIP/1002", answered_at=after(4), talk_ms=5000, ring_ms=3000),
    )
    async with database.begin() as conn:
        await save_calls(
            conn,
            [
                call(
                    "demo-1.1",
                    customer_id=customer.id,
                    match_standing="verified",
                    answered_at=after(4),
                    ended_at=after(9),
                    wait_ms=4000,
                    ended_by="caller",
                    outcome="answered",
                    complete=True,
                    verdict={"code": "covered"},
                    ivr_path=[{"step": "main-menu", "choice": "1"}],
                    segments=answered,
                )
            ],
        )
    found = await read(database, ("demo", 100, "demo-1.1"))
    assert (found.id, found.outcome, found.ended_by, found.wait_ms, found.complete) == (
        ids["demo", 100, "demo-1.1"],
        "answered",
        "caller",
        4000,
        True,
    )
    assert found.started_at == NOON
    assert (found.customer_name, found.customer_tier) == ("Wang Wei", "gold")
    assert found.verdict == {"code": "covered"}
    assert list(found.ivr_path) == [{"step": "main-menu", "choice": "1"}]
    assert [(s.agent_name, s.outcome, s.talk_ms) for s in found.segments] == [
        ("Alice", "answered_elsewhere", None),
        ("Bob", None, 5000),
    ]


async def test_hostile_text_is_kept_as_far_as_it_can_be(database: Database) -> None:
    async with database.begin() as conn:
        await save_calls(conn, [call("demo-1.1", ani_raw="a\0b\udcffc\n\"'🙂" + "9" * 300)])
    found = await read(database, ("demo", 100, "demo-1.1"))
    assert found.ani_raw is not None
    assert found.ani_raw.startswith("a\ufffdb")
    assert found.ani_raw.endswith("c\n\"'🙂" + "9" * 300)


@pytest.mark.parametrize(
    "raw", [b"\xc8\xe2\xe0\xed\xee\xe2", b"a\0b\xff", "王\uef80".encode(), bytes(range(1, 256))]
)
async def test_a_name_that_could_not_be_read_comes_back_as_its_bytes(database: Database, raw: bytes) -> None:
    async with database.begin() as conn:
        await save_calls(conn, [call("demo-1.1", ani_name=to_text(raw, "utf-8"))])
    found = await read(database, ("demo", 100, "demo-1.1"))
    assert found.ani_name is not None
    assert to_bytes(found.ani_name) == raw


async def test_a_batch_takes_two_statements(database: Database) -> None:
    batch = [call(f"demo-1.{n}", segments=(part(0), part(1))) for n in range(20)]
    async with database.begin() as conn:
        await save_calls(conn, batch)
    with statements(database) as seen:
        async with database.begin() as conn:
            told: list[str] = []
            if not database.is_sqlite:  # what is executed on the driver itself, SQLAlchemy does not see
                driver: Any = (await conn.get_raw_connection()).driver_connection
                driver.add_query_logger(lambda one: told.append(one.query))
            assert len(await save_calls(conn, batch)) == 20
    assert len([s for s in told or seen if not s.startswith("BEGIN")]) == 2


async def test_of_two_records_of_one_call_the_last_counts(database: Database) -> None:
    async with database.begin() as conn:
        assert await save_calls(conn, []) == {}
        await save_calls(conn, [call("demo-1.1", queue="sales"), call("demo-1.1", queue="vip")])
    assert (await read(database, ("demo", 100, "demo-1.1"))).queue == "vip"


async def test_the_same_linkedid_after_a_restart_of_asterisk_is_another_call(database: Database) -> None:
    async with database.begin() as conn:
        ids = await save_calls(conn, [call("demo-1.1"), call("demo-1.1", boot=200), call("demo-1.1", pbx="other")])
    assert len(set(ids.values())) == 3


async def test_merged_calls_become_one(database: Database) -> None:
    async with database.begin() as conn:
        ids = await save_calls(conn, [call("demo-1.1"), call("demo-1.5", segments=(part(0),)), call("demo-1.9")])
        await history.set_note(conn, ids["demo", 100, "demo-1.5"], "typed on the second")
        await save_calls(conn, [call("demo-1.5", aliases=("demo-1.9",))])
        await save_calls(conn, [call("demo-1.1", aliases=("demo-1.5", "demo-1.9"), segments=(part(0), part(1)))])
    kept = ids["demo", 100, "demo-1.1"]
    for linkedid in ("demo-1.1", "demo-1.5", "demo-1.9"):
        found = await read(database, ("demo", 100, linkedid))
        assert found.id == kept
    assert found.note == "typed on the second"
    assert len(found.segments) == 2
    async with database.read() as conn:
        assert len((await history.page(conn, history.Filter())).items) == 1
        [still_open] = await restart.open_interactions(conn, "demo")
    assert still_open.aliases == ("demo-1.5", "demo-1.9")


async def test_a_folded_interactions_id_is_never_used_again(database: Database) -> None:
    async with database.begin() as conn:
        ids = await save_calls(conn, [call("demo-1.1"), call("demo-1.5")])
        await save_calls(conn, [call("demo-1.1", aliases=("demo-1.5",))])
        new = await save_calls(conn, [call("demo-1.7")])
    assert new["demo", 100, "demo-1.7"] not in ids.values()


async def test_what_a_person_said_stays(database: Database) -> None:
    async with database.begin() as conn:
        alice = await an_agent(conn)
        wang, li = await a_customer(conn, "Wang Wei"), await a_customer(conn, "Li Na")
        wrapped = part(0, agent_id=alice, note="reset the router")
        ids = await save_calls(conn, [call("demo-1.1", customer_id=wang.id, segments=(wrapped,))])
        interaction_id = ids["demo", 100, "demo-1.1"]
        assert await history.set_note(conn, interaction_id, "call her back")
        assert await history.reassociate(conn, interaction_id, li.id, after(60))
        await save_calls(conn, [call("demo-1.1", customer_id=wang.id, segments=(part(0, agent_id=alice),))])
        assert not await history.set_note(conn, 999, "nobody")
        assert not await history.reassociate(conn, 999, li.id, after(60))
    found = await read(database, ("demo", 100, "demo-1.1"))
    assert (found.customer_name, found.match_standing, found.note) == (
        "Li Na",
        "verified",
        "call her back\nreset the router",
    )
    assert found.segments[0].note == "reset the router"


async def test_what_was_deleted_meanwhile_keeps_no_call_from_being_written(database: Database) -> None:
    async with database.begin() as conn:
        alice, wang = await an_agent(conn), await a_customer(conn)
        known = call("demo-1.1", customer_id=wang.id, segments=(part(0, agent_id=alice),))
        gone = call("demo-1.2", customer_id=999, line_id=999, segments=(part(0, agent_id=999),))
        await save_calls(conn, [known, gone])
        await customers.delete(conn, wang.id)
        await save_calls(conn, [known, gone])
    first, second = [await read(database, ("demo", 100, linkedid)) for linkedid in ("demo-1.1", "demo-1.2")]
    assert (first.customer_id, first.segments[0].agent_id) == (None, alice)
    assert (second.customer_id, second.line_id, second.segments[0].agent_id) == (None, None, None)


async def test_a_restart_begins_with_what_was_open_of_this_pbx_whatever_its_boot(database: Database) -> None:
    async with database.begin() as conn:
        await save_calls(
            conn,
            [
                call("demo-1.1"),
                call("demo-1.2", segments=(part(0),)),
                call("demo-1.3", answered_at=after(3), segments=(part(0, answered_at=after(3)), part(1))),
                call("demo-1.4", outcome="abandoned", complete=True, ended_at=after(2)),
                call("demo-1.1", boot=50),
                call("demo-1.1", pbx="other"),
            ],
        )
        opened = await restart.open_interactions(conn, "demo")
        assert [(c.boot, c.linkedid) for c in opened] == [
            (100, "demo-1.1"),
            (100, "demo-1.2"),
            (100, "demo-1.3"),
            (50, "demo-1.1"),
        ]


async def test_a_contact_that_is_no_call(database: Database) -> None:
    async with database.begin() as conn:
        customer = await a_customer(conn)
        record = InteractionRecord(
            channel="email", customer_id=customer.id, outcome="answered", complete=True, started_at=NOON
        )
        first = await add_contact(conn, record, subject="Invoice", note="sent again")
        assert await add_contact(conn, record, subject="Invoice") != first
        found = await history.get(conn, first)
        with pytest.raises(ValueError, match="only a call"):
            _ = record.key
    assert found is not None
    assert (found.channel, found.subject, found.note, found.pbx) == ("email", "Invoice", "sent again", None)
