"""What the desk keeps: shifts, states, queues and phones, codes, promises, messages, help."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from typing import Any

import pytest

from cti_server.record.center import (
    agent_queues,
    agent_states,
    agents,
    phones,
    queues,
    reasons,
    shifts,
    wrap_up_codes,
)
from cti_server.record.center.agent_states import AgentStateRow
from cti_server.record.center.phones import Phone
from cti_server.record.center.queues import Queue
from cti_server.record.center.reasons import ReasonCode
from cti_server.record.center.shifts import Shift
from cti_server.record.center.wrap_up_codes import WrapUpCode
from cti_server.record.database import Database
from cti_server.record.desk import help_requests, messages, promises
from cti_server.record.versions import StaleVersion
from tests.record.builders import NOON, a_customer, after, an_agent


def shift(agent: int, **fields: Any) -> Shift:
    given: dict[str, Any] = {"seat": "PJSIP/1001", "pbx": "demo", "since": NOON, "state": "ready"}
    return Shift(**{"agent_id": agent, "state_since": NOON} | given | fields)


async def test_a_shift_from_start_to_end(database: Database) -> None:
    async with database.begin() as conn:
        alice, bob = await an_agent(conn), await an_agent(conn, "bob")
        await shifts.save(conn, shift(alice))
        late = shift(
            alice,
            seat="PJSIP/1101",
            state="not_ready",
            reason="lunch",
            state_since=after(60),
            by_kind="agent",
            by_name="Alice",
            because={"event": "chosen"},
            pending={"name": "ready", "reason": None},
        )
        await shifts.save(conn, late)
        await shifts.save(conn, shift(bob, pbx="other"))
    async with database.read() as conn:
        assert await shifts.all_open(conn, "demo") == [late]
        assert [one.agent_id for one in await shifts.all_open(conn)] == [alice, bob]
        assert await shifts.of_agent(conn, alice) == late
    async with database.begin() as conn:
        assert await shifts.end(conn, alice)
        assert not await shifts.end(conn, alice)
        assert await shifts.of_agent(conn, alice) is None
        assert await shifts.last_seat(conn, alice, "demo") == "PJSIP/1101"
        assert await shifts.last_seat(conn, alice, "other") is None


async def test_the_states_of_a_day_begin_with_the_one_before_it(database: Database) -> None:
    async with database.begin() as conn:
        alice, bob = await an_agent(conn), await an_agent(conn, "bob")
        row = AgentStateRow(agent_id=alice, name="ready", at=after(-100))
        rows = [
            AgentStateRow(agent_id=alice, name="not_ready", at=after(-200)),
            row,
            AgentStateRow(agent_id=bob, name="ready", at=after(1)),
            AgentStateRow(
                agent_id=alice, name="talking", at=NOON, because={"event": "call_answered"}, by_kind="pbx"
            ),
            AgentStateRow(agent_id=alice, name="ready", at=after(10)),
        ]
        await agent_states.append(conn, rows)
        await agent_states.append(conn, [])
        assert await agent_states.of_day(conn, alice, NOON, after(10)) == [row, rows[3]]
        assert await agent_states.of_day(conn, alice, after(-300), after(-200)) == []


async def test_queues_of_an_agent_with_penalties(database: Database) -> None:
    async with database.begin() as conn:
        alice, bob = await an_agent(conn), await an_agent(conn, "bob")
        ids = {
            name: await queues.save(conn, Queue(0, pbx, name, name, name, skill=skill))
            for name, pbx, skill in (
                ("support", "demo", "hardware"),
                ("sales", "demo", None),
                ("vip", "demo", "tact"),
                ("far", "other", "hardware"),
            )
        }
        for name in ids:
            await agent_queues.assign(conn, alice, ids[name], 5 if name == "vip" else None)
        await agent_queues.teach(conn, alice, {"hardware": 2, "tact": 10})
        await agent_queues.teach(conn, alice, {"hardware": 7})
        assert await agent_queues.queues_of(conn, alice) == [("far", 3), ("sales", 0), ("support", 3), ("vip", 5)]
        await agent_queues.assign(conn, alice, ids["vip"])
        assert await agent_queues.queues_of(conn, alice, "demo") == [("sales", 0), ("support", 3), ("vip", 0)]
        assert await agent_queues.queues_of(conn, bob) == []
        await agent_queues.assign(conn, bob, ids["support"])  # without the skill
        assert await agent_queues.queues_of(conn, bob) == [("support", 0)]


async def test_a_queue_keeps_how_it_wraps_up(database: Database) -> None:
    wanted = Queue(
        0,
        "demo",
        "support",
        "Support",
        "支持",
        wrap_up_mode="forced",
        wrap_up_code_required=True,
        wrap_up_extensions=1,
        skill="hardware",
    )
    async with database.begin() as conn:
        await queues.save(conn, Queue(0, "demo", "support", "Support", "支持"))
        [plain] = await queues.all_queues(conn)
        number = await queues.save(conn, wanted)
        [kept] = await queues.all_queues(conn)
    assert (plain.wrap_up_mode, plain.wrap_up_code_required, plain.wrap_up_extensions) == ("mandatory", False, 2)
    assert (kept.id, kept.wrap_up_mode, kept.wrap_up_code_required, kept.wrap_up_extensions, kept.skill) == (
        number,
        "forced",
        True,
        1,
        "hardware",
    )


async def test_phones(database: Database) -> None:
    async with database.begin() as conn:
        alice = await an_agent(conn)
        await phones.save(conn, Phone(pbx="demo", seat="PJSIP/1001", extension="1001"))
        number = await phones.save(
            conn, Phone(pbx="demo", seat="PJSIP/1101", extension="1101", kind="browser", agent_id=alice)
        )
        again = Phone(
            pbx="demo", seat="PJSIP/1101", extension="1102", kind="browser", agent_id=alice, sip_user="u"
        )
        assert await phones.save(conn, again) == number
        assert [one.extension for one in await phones.all_phones(conn, "demo")] == ["1001", "1102"]
        assert await phones.all_phones(conn, "other") == []
        assert [one.seat for one in await phones.of_agent(conn, alice)] == ["PJSIP/1101"]
        for wanted in ("1102", "PJSIP/1101"):
            found = await phones.find(conn, "demo", wanted)
            assert found is not None
            assert (found.id, found.sip_user) == (number, "u")
        assert await phones.by_extension(conn, "demo", "1101") is None
        assert await phones.by_seat(conn, "other", "PJSIP/1101") is None
        assert await phones.find(conn, "demo", "") is None


async def test_reasons_and_codes_that_are_left_out_stay_for_the_past(database: Database) -> None:
    lunch = ReasonCode(code="lunch", title_en="Lunch", title_zh="午餐", position=1)
    rest = ReasonCode(code="break", title_en="Break", title_zh="休息", position=0)
    async with database.begin() as conn:
        await reasons.replace(conn, [lunch, rest])
        await reasons.replace(conn, [])
        kept = {one.code: one.active for one in await reasons.all_reasons(conn)}
        assert (kept["break"], kept["lunch"]) == (False, False)
        await reasons.replace(conn, [lunch])
        assert await reasons.find(conn, "lunch") == lunch
        codes = [
            WrapUpCode(code="a/b/c", title_en="C", title_zh="丙"),
            WrapUpCode(code="a/b", title_en="B", title_zh="乙", position=9),
            WrapUpCode(code="a", title_en="A", title_zh="甲"),
            WrapUpCode(code="s", title_en="S", title_zh="子", queue="sales"),
        ]
        await wrap_up_codes.replace(conn, codes)
        every = [one for one in await wrap_up_codes.all_codes(conn) if one.active]
        of_vip = [one for one in await wrap_up_codes.all_codes(conn, "vip") if one.active]
        assert [one.code for one in every] == ["a", "s", "a/b", "a/b/c"]
        assert [(one.code, one.parent) for one in of_vip] == [("a", None), ("a/b", "a"), ("a/b/c", "a/b")]


async def test_a_promise_is_taken_once_soon_and_once_broken(database: Database) -> None:
    async with database.begin() as conn:
        wang = await a_customer(conn)
        made = await promises.add(
            conn, customer_id=wang.id, kind="visit", text="by five", due_at=after(3600), at=NOON, remind_ms=600_000
        )
        assert await promises.take_due(conn, after(2999)) == []
        [soon] = await promises.take_due(conn, after(3000))
        assert (soon.id, soon.state, soon.raised_at, soon.version) == (made.id, "open", after(3000), 1)
        assert await promises.take_due(conn, after(3599)) == []
        [broken] = await promises.take_due(conn, after(3600))
        assert (broken.state, broken.raised_at, broken.broken_at, broken.version) == (
            "broken",
            after(3000),
            after(3600),
            2,
        )
        assert await promises.take_due(conn, after(9999)) == []


async def test_a_rolled_back_look_takes_nothing(database: Database) -> None:
    async with database.begin() as conn:
        wang = await a_customer(conn)
        await promises.add(conn, customer_id=wang.id, kind="other", text="x", due_at=after(60), at=NOON)
    with contextlib.suppress(RuntimeError):
        async with database.begin() as conn:
            assert len(await promises.take_due(conn, after(30))) == 1
            raise RuntimeError
    async with database.begin() as conn:
        assert len(await promises.take_due(conn, after(30))) == 1


async def test_changes_of_a_promise(database: Database) -> None:
    async with database.begin() as conn:
        alice = await an_agent(conn)
        wang = await a_customer(conn)
        made = await promises.add(
            conn, customer_id=wang.id, kind="callback", text="", due_at=after(3600), at=NOON, owner_id=alice
        )
        moved = await promises.change(conn, made.id, 1, {"due_at": after(7200)}, after(1), alice)
        assert (moved.raise_at, moved.version) == (after(7200 - 900), 2)
        with pytest.raises(StaleVersion, match="promise is at version 2"):
            await promises.change(conn, made.id, 1, {"state": "kept"}, after(2), alice)
        kept = await promises.change(conn, made.id, 2, {"state": "kept"}, after(2), alice)
        assert (kept.settled_by, kept.settled_at) == (alice, after(2))
        with pytest.raises(promises.UnknownPromise):
            await promises.change(conn, 999, 1, {}, after(2), alice)


async def test_messages_are_read_up_to_a_number(database: Database) -> None:
    async with database.begin() as conn:
        alice, bob = await an_agent(conn), await an_agent(conn, "bob")
        susan = await an_agent(conn, "susan", role="supervisor")

        async def say(sender: int, kind: Any, text: str, to: int | None = None) -> int:
            said = await messages.add(conn, at=NOON, sender_id=sender, to_kind=kind, text=text, to_agent_id=to)
            return said.id

        first = await say(alice, "supervisors", "help")
        await say(susan, "agent", "coming", alice)
        last = await say(susan, "team", "meeting")
        seen = await messages.of_agent(conn, alice, supervises=False, limit=2)
        assert [one.text for one in seen] == ["coming", "meeting"]
        assert [one.text for one in await messages.of_agent(conn, bob, supervises=False)] == ["meeting"]
        assert [one.text for one in await messages.of_agent(conn, susan, supervises=True, since=first)] == [
            "coming",
            "meeting",
        ]
        assert await messages.unread(conn, susan, supervises=True) == 1
        await messages.mark_read(conn, alice, last - 1)
        await messages.mark_read(conn, alice, first)
        assert await messages.read_to(conn, alice) == last - 1
        assert await messages.unread(conn, alice, supervises=False) == 1
        assert await messages.prune(conn, NOON + timedelta(seconds=1), 10) == 3


async def test_help_is_asked_once_a_call(database: Database) -> None:
    async with database.begin() as conn:
        alice = await an_agent(conn)
        susan = await an_agent(conn, "susan", role="supervisor")
        asked = await help_requests.ask(conn, call="demo:1:a", agent_id=alice, said=None, at=NOON)
        again = await help_requests.ask(conn, call="demo:1:a", agent_id=alice, said="now", at=after(1))
        assert (again.id, again.said, again.asked_at) == (asked.id, "now", NOON)
        assert await help_requests.take(conn, asked.id, susan, after(2))
        assert not await help_requests.take(conn, asked.id, susan, after(3))
        assert [one.taken_by_name for one in await help_requests.waiting(conn, alice)] == ["Susan"]
        assert await help_requests.finish(conn, asked.id, None, after(4))
        assert not await help_requests.finish(conn, asked.id, susan, after(5))
        assert await help_requests.waiting(conn) == []
        other = await help_requests.ask(conn, call="demo:1:a", agent_id=alice, said=None, at=after(6))
        assert other.id != asked.id


async def test_an_agent_may_pick_and_lets_the_phone_answer(database: Database) -> None:
    async with database.begin() as conn:
        alice = await agents.update(conn, await an_agent(conn, may_pick=True), auto_answer=True)
    assert alice is not None
    assert (alice.may_pick, alice.auto_answer) == (True, True)
