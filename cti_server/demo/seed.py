"""Fill a database with the demo's people, contracts and history. Doing it again changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from cti_server.api.access.passwords import hash_password
from cti_server.demo import seed_desk
from cti_server.demo.seed_data import CUSTOMERS, DEMO_PASSWORD, LINES, LOGINS, SERVICE_LEVELS, Cover, Who, queues
from cti_server.demo.seed_history import CASES, NOTES, PAST, PROMISES, Past
from cti_server.record.center import agents, lines
from cti_server.record.center import queues as queue_table
from cti_server.record.contacts import interactions
from cti_server.record.contacts.interactions import InteractionRecord, SegmentRecord
from cti_server.record.crm import bulk, cases, contracts, customers, notes, products
from cti_server.record.crm.customer_values import Author
from cti_server.record.crm.drafts import CustomerDraft, PointDraft
from cti_server.record.database import Database
from cti_server.record.desk import promises
from cti_server.record.engines import Connection
from cti_server.record.sealing import Sealer
from cti_server.rules.facts import Contract, ServiceLevel

ZONES = {"zh": "Asia/Shanghai", "en": "Europe/London"}
WAITED_S = 12
DEMO = Author("command", "cti-server demo")


async def seed(database: Database, pbx: str, at: datetime, sealer: Sealer | None = None) -> int:
    """Add what is missing, as of `at`, and leave alone what is there; returns how many customers were added.

    Without a key in `sealer` the browser phones have no password, and a later call with one gives it to them.
    """
    async with database.begin() as conn:
        logins = await _agents(conn, pbx)
        levels = await _service_levels(conn)
        await _lines_and_queues(conn, pbx)
        await seed_desk.seed(conn, pbx, logins, sealer or Sealer())
        drafts = [_draft(who, logins) for who in CUSTOMERS]
        outcomes = await bulk.save(conn, drafts, at, DEMO) if not await _seeded(conn) else []
        created = {
            draft.external_ref for draft, outcome in zip(drafts, outcomes, strict=False) if outcome == "created"
        }
        ids = await customers.ids_by_ref(conn, created)
        for who in CUSTOMERS:
            if _ref(who.ref) in ids:
                await _belongings(conn, who, ids[_ref(who.ref)], levels, at)
        await _history(
            conn, {who.ref: ids[_ref(who.ref)] for who in CUSTOMERS if _ref(who.ref) in ids}, logins, at
        )
    return len(created)


def _ref(ref: str) -> str:
    return f"DEMO-{ref}"


async def _seeded(conn: Connection) -> bool:
    """Whether the demo's customers have been added before: those changed or deleted since are not brought back."""
    return bool(await customers.ids_by_ref(conn, [_ref(who.ref) for who in CUSTOMERS]))


async def _agents(conn: Connection, pbx: str) -> dict[str, int]:
    ids: dict[str, int] = {}
    password_hash: str | None = None  # made once, and only if needed: hashing is slow on purpose
    for person in LOGINS:
        existing = await agents.by_login(conn, person.login)
        if existing is not None:
            ids[person.login] = existing.id
            continue
        password_hash = password_hash or hash_password(DEMO_PASSWORD)
        ids[person.login] = await agents.add(
            conn,
            login=person.login,
            name=person.name,
            role=person.role,
            password_hash=password_hash,
            language=person.language,
            seat=f"PJSIP/{person.extension}" if person.extension else None,
            extension=person.extension,
            pbx=pbx if person.extension else None,
            may_pick=person.may_pick,
            grants={"full_numbers"} if person.role == "agent" else (),
        )
    return ids


async def _service_levels(conn: Connection) -> dict[str, ServiceLevel]:
    existing = {level.code for level in await contracts.all_service_levels(conn)}
    for level in SERVICE_LEVELS:
        if level.code not in existing:
            await contracts.save_service_level(conn, level)
    return {level.code: level for level in await contracts.all_service_levels(conn)}


async def _lines_and_queues(conn: Connection, pbx: str) -> None:
    for line in LINES:
        if await lines.by_number(conn, line.raw) is None:
            await lines.save(conn, line)
    existing = {queue.name for queue in await queue_table.all_queues(conn, pbx)}
    for queue in queues(pbx):
        if queue.name not in existing:
            await queue_table.save(conn, queue)


def _draft(who: Who, logins: Mapping[str, int]) -> CustomerDraft:
    fields: dict[str, Any] = {
        "role_title": who.title,
        "tier": who.tier,
        "language": who.language,
        "time_zone": ZONES[who.language],
        "remarks": who.remarks,
        "preferred_agent_id": logins.get(who.agent),
    }
    points = [_phone(phone) for phone in who.phones.split()]
    if who.email:
        points.append(PointDraft("email", who.email))
    return CustomerDraft(
        external_ref=_ref(who.ref),
        kind=who.kind,
        name=who.name,
        company=_ref(who.company) if who.company else None,
        fields={name: value for name, value in fields.items() if value},
        points=tuple(points),
    )


def _phone(phone: str) -> PointDraft:
    e164, _, extension = phone.partition("x")
    mobile = e164.startswith(("+861", "+447")) and not e164.startswith("+8610")
    raw = f"{e164} x {extension}" if extension else e164
    return PointDraft("phone", raw, e164, extension or None, "mobile" if mobile else "office")


async def _belongings(
    conn: Connection, who: Who, customer_id: int, levels: Mapping[str, ServiceLevel], at: datetime
) -> None:
    contract_id = None
    if who.cover is not None:
        contract_id = await contracts.save(conn, _contract(who, who.cover, customer_id, levels, at))
    for number, name in enumerate(who.products, 1):
        await products.add(
            conn,
            customer_id,
            name,
            serial=f"SN-{who.ref}-{number:03}",
            installed_on=(at - timedelta(days=300 * number)).date(),
            contract_id=contract_id,
        )


def _contract(
    who: Who, cover: Cover, customer_id: int, levels: Mapping[str, ServiceLevel], at: datetime
) -> Contract:
    today = at.date()
    return Contract(
        id=0,
        customer_id=customer_id,
        number=f"C-{10 if who.kind == 'company' else 20}{who.ref[1:]}",
        service_level=levels[cover.level],
        status=cover.status,
        status_reason=cover.reason,
        starts_on=today + timedelta(days=cover.starts),
        ends_on=None if cover.ends is None else today + timedelta(days=cover.ends),
        minutes_total=cover.minutes[0] if cover.minutes else None,
        minutes_used=cover.minutes[1] if cover.minutes else 0,
    )


async def _history(conn: Connection, ids: Mapping[str, int], logins: Mapping[str, int], at: datetime) -> None:
    def moment(hours: float | None) -> datetime | None:
        return None if hours is None else at + timedelta(hours=hours)

    for case in CASES:
        if case.ref in ids:
            await cases.add(
                conn,
                ids[case.ref],
                number=case.number,
                subject=case.subject,
                opened_at=at + timedelta(hours=case.opened),
                priority=case.priority,
                status=case.status,
                due_at=moment(case.due),
                closed_at=moment(case.closed),
            )
    for number, (ref, login, text, pinned) in enumerate(NOTES, 1):
        if ref in ids:
            written = at - timedelta(days=number)
            author = logins[login] if login else None
            await notes.add(conn, ids[ref], text, at=written, agent_id=author, pinned=pinned)
    numbers = {who.ref: who.phones.split()[-1].partition("x")[0] for who in CUSTOMERS if who.phones}
    for past in PAST:
        if past.ref in ids:
            record = _past(past, ids[past.ref], numbers[past.ref], logins, at)
            note = None if past.agent else past.note or None  # an agent's own note belongs to their segment
            await interactions.add_contact(conn, record, subject=past.subject or None, note=note)
    for owed in PROMISES:
        if owed.ref in ids:
            await promises.add(
                conn,
                customer_id=ids[owed.ref],
                kind=owed.kind,
                text=owed.text,
                number=owed.number or None,
                starts_at=moment(owed.start),
                due_at=at + timedelta(hours=owed.due),
                at=at + timedelta(hours=owed.made),
                owner_id=logins[owed.owner],
                created_by=logins[owed.owner],
            )


def _past(past: Past, customer_id: int, number: str, logins: Mapping[str, int], at: datetime) -> InteractionRecord:
    started = at + timedelta(hours=past.hours)
    answered = started + timedelta(seconds=WAITED_S) if past.agent else None
    ended = (answered or started + timedelta(seconds=WAITED_S)) + timedelta(seconds=past.talk)
    voice = past.channel == "voice"
    given: dict[str, Any] = {
        "channel": past.channel,
        "direction": past.direction,
        "outcome": past.outcome,
        "customer_id": customer_id,
        "match_standing": "verified",
        "started_at": started,
        "answered_at": answered,
        "ended_at": ended,
        "complete": True,
        "queue": past.queue,
    }
    if voice:
        given |= {
            "ani_raw": number,
            "ani_e164": number,
            "dnis": "4008001000",
            "queued_at": started if past.queue else None,
            "wait_ms": WAITED_S * 1000,
            "talk_ms": past.talk * 1000,
            "hold_ms": 0,
            "ended_by": "caller",
        }
    if past.agent:
        given["segments"] = (
            SegmentRecord(
                position=0,
                origin="outbound" if past.direction == "outbound" else "offer",
                agent_id=logins[past.agent],
                queue=past.queue,
                offered_at=started,
                answered_at=answered,
                ended_at=ended,
                ring_ms=4000 if voice else None,
                talk_ms=past.talk * 1000 if voice else None,
                outcome="transferred" if past.outcome == "transferred" else "answered",
                wrapped_at=ended + timedelta(seconds=20),
                note=past.note or None,
            ),
        )
    return InteractionRecord(**given)
