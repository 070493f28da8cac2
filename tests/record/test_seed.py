"""The demo's data: all of it, once, and every kind of contract and caller that a person would want to see."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from pwdlib import PasswordHash

from cti_server.demo import stage
from cti_server.demo.render import BROWSERS
from cti_server.demo.seed import seed
from cti_server.demo.seed_data import CALLERS, CUSTOMERS, DEMO_PASSWORD, LINES
from cti_server.floor.agents import SYSTEM_REASONS
from cti_server.record import card_facts
from cti_server.record.center import (
    agent_queues,
    agents,
    lines,
    phone_secrets,
    phones,
    queues,
    reasons,
    wrap_up_codes,
)
from cti_server.record.contacts import history
from cti_server.record.crm import customers, search
from cti_server.record.database import Database
from cti_server.record.desk import promises
from cti_server.record.sealing import Sealer, new_key
from cti_server.rules.match import match
from cti_server.rules.numbers import normalise
from cti_server.rules.verdict import verdict
from tests.record.builders import NOON


async def test_a_second_time_adds_and_changes_nothing(database: Database) -> None:
    assert await seed(database, "demo", NOON) == len(CUSTOMERS)
    async with database.read() as conn:
        before = [await history.page(conn, history.Filter(), limit=200), await search.find(conn, "", limit=200)]
    assert await seed(database, "demo", NOON + timedelta(days=3)) == 0
    async with database.read() as conn:
        after = [await history.page(conn, history.Filter(), limit=200), await search.find(conn, "", limit=200)]
        assert after == before
        assert len((await search.find(conn, "", limit=200)).items) == len(CUSTOMERS)
        assert len(await lines.all_lines(conn)) == len(LINES)
        named = [queue.name for queue in await queues.all_queues(conn, "demo")]
        assert named == ["freepbx", "night", "sales", "support", "vip"]


async def test_what_a_person_deleted_does_not_come_back(database: Database) -> None:
    await seed(database, "demo", NOON)
    async with database.begin() as conn:
        [found] = (await customers.ids_by_ref(conn, ["DEMO-P21"])).values()
        await customers.delete(conn, found)
    assert await seed(database, "demo", NOON) == 0
    async with database.read() as conn:
        assert await customers.get(conn, found) is None


async def test_the_agents_sign_in_and_have_their_phones(database: Database) -> None:
    await seed(database, "demo", NOON)
    async with database.read() as conn:
        everyone = await agents.all_active(conn)
    assert sorted(a.seat for a in everyone if a.seat) == [f"PJSIP/100{n}" for n in range(1, 6)]
    assert sorted(a.role for a in everyone if not a.seat) == ["administrator", "supervisor"]
    hasher = PasswordHash.recommended()
    assert all(a.password_hash and hasher.verify(DEMO_PASSWORD, a.password_hash) for a in everyone)


async def test_every_caller_is_what_their_name_says(database: Database) -> None:
    await seed(database, "demo", NOON)
    seen = {}
    async with database.read() as conn:
        for name, sent in CALLERS.items():
            number = normalise(sent, "CN")
            assert number.e164, sent
            found = await card_facts.callers(conn, number.e164)
            matched = match(number, found.holders, found.people)
            if matched.customer is None:
                seen[name] = f"{matched.reason.code} {len(matched.candidates)}"
            else:
                entitled = await card_facts.entitlements(conn, matched.customer)
                judged = verdict(entitled, NOON, matched.customer.time_zone, matched.customer.company)
                seen[name] = f"{matched.customer.name} {judged.code}"
    assert seen == {
        "covered": "王建国 covered",
        "gold": "Fatima Khan covered",
        "vip": "孙悦 covered",
        "ending": "马超 covered",
        "expired": "陈志明 expired",
        "suspended": "Olivia Bennett suspended",
        "hours-left": "赵敏 hours_left",
        "hours-spent": "黄志强 hours_spent",
        "not-started": "刘芳 not_started",
        "cancelled": "Sophie Turner cancelled",
        "no-contract": "林晓 none",
        "shared": "shared_number 2",
        "switchboard": "上海申江精密仪器有限公司 covered",
        "english": "Emily Carter covered",
        "unknown": "unknown_number 0",
    }


async def test_the_desk_is_set_up(database: Database) -> None:
    await seed(database, "demo", NOON)
    async with database.begin() as conn:
        people = {one.login: one for one in await agents.all_active(conn)}
        assert await agent_queues.queues_of(conn, people["bob"].id) == [
            ("freepbx", 0),
            ("night", 0),
            ("sales", 0),
            ("support", 0),
            ("vip", 0),
        ]
        assert await agent_queues.queues_of(conn, people["chenjing"].id) == [("support", 1), ("vip", 0)]
        assert [one.login for one in people.values() if one.may_pick] == ["chenjing"]
        found = await phones.all_phones(conn, "demo")
        assert [(one.extension, one.kind) for one in found] == [
            (f"{start}{n}", kind) for start, kind in (("100", "desk"), ("110", "browser")) for n in range(1, 6)
        ]
        known = {one.code for one in await wrap_up_codes.all_codes(conn)}
        assert all(one.parent is None or one.parent in known for one in await wrap_up_codes.all_codes(conn))
        assert not {one.code for one in await reasons.all_reasons(conn)} & SYSTEM_REASONS
        await reasons.replace(conn, [])
        await wrap_up_codes.replace(conn, [])
    await seed(database, "demo", NOON)
    async with database.read() as conn:
        assert not any(one.active for one in await reasons.all_reasons(conn))  # what a supervisor took away


async def test_promises_of_all_kinds_of_time(database: Database) -> None:
    await seed(database, "demo", NOON)
    async with database.begin() as conn:
        raised = await promises.take_due(conn, NOON)
        assert [(one.customer_name, one.state) for one in raised] == [("Emily Carter", "broken")]
        [wang] = (await search.find(conn, "王建国")).items
        facts = await card_facts.card(conn, wang.customer.id, at=NOON)
    assert facts is not None
    assert [one.customer_name for one in facts.promises] == ["王建国", "上海申江精密仪器有限公司"]


async def test_each_agent_has_a_browser_phone_of_their_own(database: Database) -> None:
    """And its password, whatever became of the key that an earlier demo sealed it with."""
    for keys in ((), (new_key(),), (new_key(),)):
        sealer = Sealer(keys)
        await seed(database, "demo", NOON, sealer)
        async with database.read() as conn:
            people = {one.id: one.login for one in await agents.all_active(conn)}
            found = [one for one in await phones.all_phones(conn, "demo") if one.kind == "browser"]
        owners = {one.extension: people.get(one.agent_id or 0) for one in found}
        assert owners == dict(zip(BROWSERS, ("alice", "bob", "chenjing", "liuyang", "emma"), strict=True))
        passwords = [phone_secrets.password_of(one, sealer) for one in found]
        assert passwords == ["demo" if keys else ""] * len(BROWSERS)


async def test_what_a_person_stored_is_left_alone(database: Database) -> None:
    sealer = Sealer([new_key()])
    await seed(database, "demo", NOON, sealer)
    async with database.begin() as conn:
        phone = await phones.by_seat(conn, "demo", "PJSIP/1101")
        assert phone is not None
        changed = replace(phone_secrets.with_password(phone, "mine", sealer), agent_id=None, shared=True)
        await phones.save(conn, changed)
    await seed(database, "demo", NOON, sealer)
    async with database.read() as conn:
        assert await phones.by_seat(conn, "demo", "PJSIP/1101") == changed


def test_a_demo_has_a_key_of_its_own(tmp_path: Path) -> None:
    key = stage.secret_key(tmp_path)
    assert Sealer([key]).ready
    assert stage.secret_key(tmp_path) == key
    assert (tmp_path / "secret.key").stat().st_mode & 0o777 == 0o600
