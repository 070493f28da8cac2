"""A small world for the tests: a company with people, contracts of all kinds, history, agents, lines."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from cti_server.record.center import agents, lines, queues
from cti_server.record.contacts.interactions import InteractionRecord, SegmentRecord, add_contact
from cti_server.record.crm import cases, contracts, customers, notes, products
from cti_server.record.crm.customer_values import Author
from cti_server.record.database import Database
from cti_server.record.engines import Connection
from cti_server.rules.facts import Contract, Line, ServiceLevel, Standing

NOW = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)

LI_MOBILE = "+8613800138000"
ACME_TRUNK = "+861085551234"
FAMILY = "+8613900139000"
OLD_CUSTOMER = "+8613700137000"


@dataclass(frozen=True)
class World:
    """The ids of what was seeded."""

    agent: int
    other_agent: int
    supervisor: int
    administrator: int
    li: int
    acme: int
    chen: int
    mother: int
    son: int
    old: int
    interaction: int
    case: int
    contract: int


async def seed(database: Database, password_hash: str | None = None) -> World:
    """Fill an empty record."""
    async with database.begin() as conn:
        return await _seed(conn, password_hash)


async def _seed(conn: Connection, password_hash: str | None) -> World:
    agent = await agents.add(
        conn,
        login="li",
        name="Li Wei",
        seat="PJSIP/1001",
        extension="1001",
        pbx="demo",
        password_hash=password_hash,
        grants={"full_numbers"},
    )
    other = await agents.add(
        conn,
        login="wang",
        name="Wang Fang",
        seat="PJSIP/1002",
        pbx="demo",
        password_hash=password_hash,
        grants={"full_numbers"},
    )
    supervisor = await agents.add(
        conn, login="zhao", name="Zhao Min", role="supervisor", language="zh", password_hash=password_hash
    )
    administrator = await agents.add(
        conn, login="root", name="Root", role="administrator", password_hash=password_hash
    )
    await lines.save(conn, Line(0, "+861055550000", "85550000", "CN", "Support", "技术支持", "zh", "support"))
    await lines.save(conn, Line(0, "+12025550100", "2025550100", "US", "US line", "美国", "en", "sales"))
    await queues.save(conn, queues.Queue(0, "demo", "support", "Support", "技术支持"))
    gold = await contracts.save_service_level(conn, ServiceLevel(0, "gold", "Gold", "金牌", 1, 8, 30, 240))
    level = ServiceLevel(gold, "gold", "Gold", "金牌", 1, 8, 30, 240)

    li = await _customer(
        conn, "李小明", LI_MOBILE, tier="gold", preferred_agent_id=agent, time_zone="Asia/Shanghai"
    )
    acme = await _customer(conn, "Acme 机械", ACME_TRUNK, kind="company", tier="vip")
    chen = await _customer(conn, "Chen Jie", None, company_id=acme, role_title="Engineer")
    await customers.add_contact_point(
        conn, chen, at=NOW, kind="phone", raw="010-85551234-8001", e164=ACME_TRUNK, extension="8001"
    )
    mother = await _customer(conn, "Ma Li", FAMILY)
    son = await _customer(conn, "Ma Bo", FAMILY)
    old = await _customer(conn, "Old Wu", OLD_CUSTOMER, language="en")

    contract = await _contract(conn, li, "C-1001", level, date(2027, 3, 31))
    await _contract(conn, acme, "C-2001", level, None, minutes=(600, 510))
    await _contract(conn, old, "C-3001", level, date(2026, 11, 10))
    await products.add(conn, li, "Printer X", serial="SN-1", contract_id=contract)
    case = await cases.add(
        conn,
        li,
        number="K-1",
        subject="Paper jam",
        opened_at=NOW - timedelta(days=2),
        due_at=NOW - timedelta(hours=1),
    )
    await notes.add(conn, li, "Prefers mornings", at=NOW - timedelta(days=9), agent_id=agent, pinned=True)
    interaction = await add_contact(
        conn,
        InteractionRecord(
            channel="visit",
            customer_id=li,
            started_at=NOW - timedelta(days=3),
            outcome="answered",
            complete=True,
            segments=(
                SegmentRecord(
                    position=0, origin="offer", agent_id=agent, answered_at=NOW - timedelta(days=3), talk_ms=1000
                ),
            ),
        ),
        subject="Installed a new drum",
    )
    return World(
        agent, other, supervisor, administrator, li, acme, chen, mother, son, old, interaction, case, contract
    )


async def _customer(
    conn: Connection,
    name: str,
    number: str | None,
    kind: str = "person",
    standing: Standing = "verified",
    **fields: object,
) -> int:
    made = await customers.create(
        conn,
        kind="company" if kind == "company" else "person",
        name=name,
        at=NOW,
        by=Author("command", "seed"),
        **fields,
    )
    if number:
        await customers.add_contact_point(
            conn, made.id, at=NOW, kind="phone", raw=number, e164=number, standing=standing
        )
    return made.id


async def _contract(
    conn: Connection,
    customer: int,
    number: str,
    level: ServiceLevel,
    ends: date | None,
    minutes: tuple[int, int] | None = None,
) -> int:
    total, used = minutes or (None, 0)
    return await contracts.save(
        conn, Contract(0, customer, number, level, "active", None, date(2026, 1, 1), ends, total, used)
    )
