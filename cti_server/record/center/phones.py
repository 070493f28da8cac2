"""Phones: the seats that an agent may sit at, and what a browser needs to be one of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal, cast

import sqlalchemy as sa

from cti_server.record.center.agents import Agent
from cti_server.record.engines import Connection
from cti_server.record.schema import CleanText, Id, id_column, metadata, upsert
from cti_server.record.sealing import is_sealed

PhoneKind = Literal["desk", "browser", "other"]

phones = sa.Table(
    "phones",
    metadata,
    id_column(),
    sa.Column("pbx", CleanText, nullable=False),
    sa.Column("seat", CleanText, nullable=False),
    sa.Column("extension", CleanText, nullable=False),
    sa.Column("label_en", CleanText),
    sa.Column("label_zh", CleanText),
    sa.Column("kind", CleanText, nullable=False),
    sa.Column("sip_user", CleanText),
    sa.Column("sip_password", CleanText),  # sealed, not a hash: the browser registers with it (phone_secrets)
    sa.Column("agent_id", Id, sa.ForeignKey("agents.id", ondelete="CASCADE"), index=True),
    sa.Column("shared", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.UniqueConstraint("pbx", "seat"),
    sa.Index("ix_phones_pbx_extension", "pbx", "extension"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone:
    """A phone of a PBX. `seat` is its interface, such as `PJSIP/1101`; `agent_id` makes it one person's own.

    `sip_password` is sealed; `phone_secrets` seals and opens it. `shared` says that a browser phone is to be
    everybody's: without it, one that nobody owns was added before that had to be said.
    """

    id: int = 0
    pbx: str
    seat: str
    extension: str
    label_en: str | None = None
    label_zh: str | None = None
    kind: PhoneKind = "desk"
    sip_user: str | None = None
    sip_password: str | None = field(default=None, repr=False)
    agent_id: int | None = None
    shared: bool = False


class InClear(ValueError):
    """A password that is not sealed was to be written."""


def _phone(row: Any) -> Phone:
    return Phone(**row._mapping)


def own_seat(agent: Agent) -> Phone | None:
    """The phone that the agent's own record names, which the table need not list; None for one without."""
    if agent.seat is None or agent.pbx is None:
        return None
    extension = agent.extension or agent.seat.rpartition("/")[2]
    return Phone(pbx=agent.pbx, seat=agent.seat, extension=extension, kind="other", agent_id=agent.id)


async def all_phones(conn: Connection, pbx: str | None = None) -> list[Phone]:
    """Every phone, or those of one PBX, by extension."""
    query = sa.select(phones).order_by(phones.c.pbx, phones.c.extension, phones.c.id)
    if pbx is not None:
        query = query.where(phones.c.pbx == pbx)
    return [_phone(row) for row in await conn.execute(query)]


async def of_agent(conn: Connection, agent_id: int) -> list[Phone]:
    """The phones that are this person's own."""
    query = sa.select(phones).where(phones.c.agent_id == agent_id).order_by(phones.c.extension, phones.c.id)
    return [_phone(row) for row in await conn.execute(query)]


async def find(conn: Connection, pbx: str, wanted: str) -> Phone | None:
    """The phone with this seat (`PJSIP/1001`), else with this extension (`1001`)."""
    c = phones.c
    query = sa.select(phones).where(c.pbx == pbx, sa.or_(c.seat == wanted, c.extension == wanted))
    query = query.order_by(sa.case((c.seat == wanted, 0), else_=1), c.id).limit(1)
    row = (await conn.execute(query)).one_or_none()
    return None if row is None else _phone(row)


async def by_extension(conn: Connection, pbx: str, extension: str) -> Phone | None:
    query = sa.select(phones).where(phones.c.pbx == pbx, phones.c.extension == extension)
    row = (await conn.execute(query.order_by(phones.c.id).limit(1))).one_or_none()
    return None if row is None else _phone(row)


async def by_seat(conn: Connection, pbx: str, seat: str) -> Phone | None:
    row = (await conn.execute(sa.select(phones).where(phones.c.pbx == pbx, phones.c.seat == seat))).one_or_none()
    return None if row is None else _phone(row)


async def save(conn: Connection, phone: Phone) -> int:
    """Add the phone, or change the one at the same seat; returns its id. `phone.id` is ignored.

    Raises InClear for a password that is not sealed, unless that is how the record has it already.
    """
    if phone.sip_password is not None and not is_sealed(phone.sip_password):
        known = await by_seat(conn, phone.pbx, phone.seat)
        if known is None or known.sip_password != phone.sip_password:
            raise InClear(f"the password of {phone.seat} is not sealed; phone_secrets.with_password seals it")
    values = {name: value for name, value in asdict(phone).items() if name != "id"}
    statement = upsert(conn.dialect.name, phones).values(values)
    changed = {name: statement.excluded[name] for name in values if name not in ("pbx", "seat")}
    return cast(
        int,
        await conn.scalar(
            statement.on_conflict_do_update(index_elements=["pbx", "seat"], set_=changed).returning(phones.c.id)
        ),
    )


async def remove(conn: Connection, phone_id: int) -> None:
    await conn.execute(sa.delete(phones).where(phones.c.id == phone_id))
