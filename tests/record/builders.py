"""Short ways to put something into a test's database."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from cti_server.record.center import agents
from cti_server.record.center.phones import phones
from cti_server.record.contacts.interactions import InteractionRecord, SegmentRecord
from cti_server.record.crm import contracts, customers
from cti_server.record.crm.customer_values import Author
from cti_server.record.engines import Connection
from cti_server.rules.facts import Contract, Customer, CustomerKind, ServiceLevel

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
BUILDER = Author("command", "tests")


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def call(linkedid: str, **fields: Any) -> InteractionRecord:
    given: dict[str, Any] = {"pbx": "demo", "boot": 100, "linkedid": linkedid, "started_at": NOON}
    return InteractionRecord(**given | fields)


def part(position: int = 0, **fields: Any) -> SegmentRecord:
    given: dict[str, Any] = {"position": position, "origin": "offer", "offered_at": after(position)}
    return SegmentRecord(**given | fields)


async def an_agent(conn: Connection, login: str = "alice", **fields: Any) -> int:
    return await agents.add(conn, **{"login": login, "name": login.title(), **fields})


async def a_customer(
    conn: Connection, name: str = "Wang Wei", *phones: str, kind: CustomerKind = "person", **fields: Any
) -> Customer:
    made = await customers.create(conn, kind=kind, name=name, at=NOON, by=BUILDER, **fields)
    for phone in phones:
        e164, _, extension = phone.partition("-")
        await customers.add_contact_point(
            conn, made.id, at=NOON, kind="phone", raw=phone, e164=e164, extension=extension or None
        )
    again = await customers.get(conn, made.id)
    assert again is not None
    return again


async def a_contract(conn: Connection, customer_id: int, number: str, code: str = "gold", **fields: Any) -> int:
    level = ServiceLevel(0, code, code.title(), code, {"gold": 1, "silver": 2}.get(code, 3), 10)
    level_id = await contracts.save_service_level(conn, level)
    given: dict[str, Any] = {
        "status": "active",
        "status_reason": None,
        "starts_on": date(2026, 1, 1),
        "ends_on": date(2027, 1, 1),
    }
    level = ServiceLevel(level_id, code, code.title(), code, 1, 10)
    return await contracts.save(
        conn, Contract(id=0, customer_id=customer_id, number=number, service_level=level, **given | fields)
    )


async def in_clear(conn: Connection, seat: str, password: str | None) -> None:
    """Write a phone's password as versions without sealing did."""
    await conn.execute(sa.update(phones).where(phones.c.seat == seat).values(sip_password=password))
