"""Teams: people, the queues that they serve together, and who supervises them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa

from cti_server.record.engines import Connection
from cti_server.record.schema import CleanText, Id, id_column, metadata
from cti_server.rules.rights import Oversight

teams = sa.Table(
    "teams",
    metadata,
    id_column(),
    sa.Column("name", CleanText, nullable=False, unique=True),
    sa.Column("name_zh", CleanText),
)


def _people(table: str) -> sa.Table:
    return sa.Table(
        table,
        metadata,
        sa.Column("team_id", Id, sa.ForeignKey("teams.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("agent_id", Id, sa.ForeignKey("agents.id", ondelete="CASCADE"), primary_key=True, index=True),
    )


team_members = _people("team_members")
team_supervisors = _people("team_supervisors")

team_queues = sa.Table(
    "team_queues",
    metadata,
    sa.Column("team_id", Id, sa.ForeignKey("teams.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("pbx", CleanText, primary_key=True),
    sa.Column("queue", CleanText, primary_key=True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """A team. `members` and `supervisors` are agents' ids; `queues` are (pbx, name)."""

    id: int = 0
    name: str
    name_zh: str | None = None
    members: frozenset[int] = frozenset()
    supervisors: frozenset[int] = frozenset()
    queues: frozenset[tuple[str, str]] = frozenset()


class NameTaken(Exception):
    """Another team has this name."""


async def everything(conn: Connection) -> list[Team]:
    """Every team, by name."""
    members: defaultdict[int, set[int]] = defaultdict(set)
    supervisors: defaultdict[int, set[int]] = defaultdict(set)
    queues: defaultdict[int, set[tuple[str, str]]] = defaultdict(set)
    found = (await conn.execute(sa.select(teams).order_by(teams.c.name))).all()
    if not found:
        return []
    for table, into in ((team_members, members), (team_supervisors, supervisors)):
        for row in await conn.execute(sa.select(table)):
            into[row.team_id].add(row.agent_id)
    for row in await conn.execute(sa.select(team_queues)):
        queues[row.team_id].add((row.pbx, row.queue))
    return [
        Team(
            id=row.id,
            name=row.name,
            name_zh=row.name_zh,
            members=frozenset(members[row.id]),
            supervisors=frozenset(supervisors[row.id]),
            queues=frozenset(queues[row.id]),
        )
        for row in found
    ]


async def get(conn: Connection, team: int) -> Team | None:
    return next((one for one in await everything(conn) if one.id == team), None)


async def by_name(conn: Connection, name: str) -> Team | None:
    return next((one for one in await everything(conn) if one.name == name), None)


async def save(conn: Connection, team: Team) -> int:
    """Add the team (id 0), or make the one with this id so; returns its id. Raises NameTaken."""
    taken = sa.select(teams.c.id).where(teams.c.name == team.name, teams.c.id != team.id)
    if await conn.scalar(taken) is not None:
        raise NameTaken(team.name)
    values: dict[str, Any] = {"name": team.name, "name_zh": team.name_zh}
    if team.id:
        number = team.id
        await conn.execute(sa.update(teams).where(teams.c.id == number).values(values))
    else:
        number = cast(int, await conn.scalar(sa.insert(teams).values(values).returning(teams.c.id)))
    for table, rows in (
        (team_members, _rows(number, team.members)),
        (team_supervisors, _rows(number, team.supervisors)),
        (team_queues, [{"team_id": number, "pbx": pbx, "queue": queue} for pbx, queue in sorted(team.queues)]),
    ):
        await conn.execute(sa.delete(table).where(table.c.team_id == number))
        if rows:
            await conn.execute(sa.insert(table), rows)
    return number


def _rows(team: int, people: Collection[int]) -> list[dict[str, Any]]:
    return [{"team_id": team, "agent_id": agent} for agent in sorted(people)]


async def remove(conn: Connection, team: int) -> bool:
    """False if there was none."""
    return (await conn.execute(sa.delete(teams).where(teams.c.id == team))).rowcount > 0


def oversight(found: Collection[Team], agent: int) -> Oversight:
    """Whom this person supervises: everybody where there are no teams, else the people and queues of theirs."""
    if not found:
        return Oversight()
    theirs = [team for team in found if agent in team.supervisors]
    return Oversight(
        frozenset().union(*(team.members | team.supervisors for team in theirs)) | {agent},
        frozenset(f"{pbx}/{queue}" for team in theirs for pbx, queue in team.queues),
    )
