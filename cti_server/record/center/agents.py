"""Agents: who may sign in, with which role, and at which phone."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import sqlalchemy as sa

from cti_server.record.engines import Connection
from cti_server.record.schema import CleanText, Words, id_column, metadata
from cti_server.rules import rights
from cti_server.rules.facts import DeskLanguage, Role
from cti_server.rules.rights import Grant

agents = sa.Table(
    "agents",
    metadata,
    id_column(),
    sa.Column("login", CleanText, nullable=False, unique=True),
    sa.Column("name", CleanText, nullable=False),
    sa.Column("role", CleanText, nullable=False),
    sa.Column("password_hash", CleanText),
    sa.Column("language", CleanText, nullable=False),
    sa.Column("seat", CleanText),
    sa.Column("extension", CleanText),
    sa.Column("pbx", CleanText),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("auto_answer", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("may_pick", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("grants", Words, nullable=False, server_default=""),
    sa.Column("break_glass", sa.Boolean, nullable=False, server_default=sa.false()),
)


class LoginTaken(Exception):
    """Another agent signs in with this login."""


@dataclass(frozen=True, slots=True)
class Agent:
    """A person who signs in. `seat` is the interface of their phone on `pbx`, such as `PJSIP/1001`; they sit there
    unless they choose another. `auto_answer`: their phone answers a queue's call by itself. `may_pick`: they may
    pick a waiting caller out of a queue. `grants` are those given to them; others come with the role.
    `break_glass`: their password counts also where passwords are off.
    """

    id: int
    login: str
    name: str
    role: Role
    language: DeskLanguage = "browser"
    seat: str | None = None
    extension: str | None = None
    pbx: str | None = None
    active: bool = True
    password_hash: str | None = field(default=None, repr=False)
    auto_answer: bool = False
    may_pick: bool = False
    break_glass: bool = False
    grants: frozenset[Grant] = frozenset()

    @property
    def all_grants(self) -> frozenset[Grant]:
        """Those that come with the role, and those that were given."""
        return rights.grants_of(self.role, self.grants)


def _agent(row: Any) -> Agent:
    return Agent(**row._mapping)


def _key(login: str) -> str:
    return login.strip().casefold()


async def add(
    conn: Connection,
    *,
    login: str,
    name: str,
    role: Role = "agent",
    password_hash: str | None = None,
    language: DeskLanguage = "browser",
    seat: str | None = None,
    extension: str | None = None,
    pbx: str | None = None,
    may_pick: bool = False,
    grants: Collection[Grant] = (),
    break_glass: bool = False,
) -> int:
    """Add an agent; returns their id. The caller hashes the password. Raises LoginTaken."""
    values = {
        "login": _key(login),
        "name": name,
        "role": role,
        "password_hash": password_hash,
        "language": language,
        "seat": seat,
        "extension": extension,
        "pbx": pbx,
        "active": True,
        "may_pick": may_pick,
        "grants": grants,
        "break_glass": break_glass,
    }
    if await by_login(conn, login) is not None:
        raise LoginTaken(login)
    return cast(int, await conn.scalar(sa.insert(agents).values(values).returning(agents.c.id)))


async def update(conn: Connection, agent_id: int, **changes: Any) -> Agent | None:
    """Change the given fields (`name`, `role`, `language`, `password_hash`, `seat`, `extension`, `pbx`, `active`,
    `auto_answer`, `may_pick`, `grants`, `break_glass`). None if there is no such agent.
    """
    statement = sa.update(agents).where(agents.c.id == agent_id).values(changes).returning(agents)
    row = (await conn.execute(statement)).one_or_none()
    return None if row is None else _agent(row)


async def get(conn: Connection, agent_id: int) -> Agent | None:
    row = (await conn.execute(sa.select(agents).where(agents.c.id == agent_id))).one_or_none()
    return None if row is None else _agent(row)


async def some(conn: Connection, agent_ids: Collection[int]) -> dict[int, Agent]:
    """The agents with these ids, by id; ids without an agent are left out."""
    found = [_agent(row) for row in await conn.execute(sa.select(agents).where(agents.c.id.in_(agent_ids)))]
    return {agent.id: agent for agent in found}


async def by_login(conn: Connection, login: str) -> Agent | None:
    row = (await conn.execute(sa.select(agents).where(agents.c.login == _key(login)))).one_or_none()
    return None if row is None else _agent(row)


async def everyone(conn: Connection) -> Sequence[Agent]:
    """Every agent, also those who may not sign in any more, by login."""
    return [_agent(row) for row in await conn.execute(sa.select(agents).order_by(agents.c.login))]


async def all_active(conn: Connection, pbx: str | None = None) -> Sequence[Agent]:
    """Every agent who may sign in, by name; of one PBX only, if given."""
    query = sa.select(agents).where(agents.c.active).order_by(agents.c.name, agents.c.id)
    if pbx is not None:
        query = query.where(agents.c.pbx == pbx)
    return [_agent(row) for row in await conn.execute(query)]
