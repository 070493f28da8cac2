"""Second factors: the secret that a person's authenticator app shares with us, and their recovery codes.

The secret is sealed, because each check needs it in clear. Of recovery codes only hashes are stored.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa

from cti_server.record.engines import Connection
from cti_server.record.schema import CleanText, Id, UtcDateTime, metadata
from cti_server.record.sealing import Sealer, SealingError

second_factors = sa.Table(
    "second_factors",
    metadata,
    sa.Column("agent_id", Id, sa.ForeignKey("agents.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("secret", CleanText, nullable=False),
    sa.Column("begun_at", UtcDateTime, nullable=False),
    sa.Column("on_since", UtcDateTime),
    sa.Column("last_step", sa.BigInteger),
)

recovery_codes = sa.Table(
    "recovery_codes",
    metadata,
    sa.Column("agent_id", Id, sa.ForeignKey("agents.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("code_hash", CleanText, primary_key=True),
)


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """`secret` is sealed for `about(agent_id)`. It counts from `on_since` on; before that it is being set up."""

    agent_id: int
    secret: str = field(repr=False)
    begun_at: datetime
    on_since: datetime | None
    last_step: int | None


def about(agent_id: int) -> str:
    """What the secret is sealed for."""
    return f"second_factors/{agent_id}"


def is_on(agent_id: sa.ColumnElement[int]) -> sa.Exists:
    """Whether the second factor of this agent counts, for a query over agents."""
    return sa.exists().where(second_factors.c.agent_id == agent_id, second_factors.c.on_since.is_not(None))


async def find(conn: Connection, agent_id: int) -> SecondFactor | None:
    query = sa.select(second_factors).where(second_factors.c.agent_id == agent_id)
    row = (await conn.execute(query)).one_or_none()
    return None if row is None else SecondFactor(**row._mapping)


async def begin(conn: Connection, agent_id: int, secret: str, at: datetime) -> None:
    """Keep the secret of one that is being set up, in place of any other that is not on yet."""
    mine = second_factors.c.agent_id == agent_id
    await conn.execute(sa.delete(second_factors).where(mine, second_factors.c.on_since.is_(None)))
    await conn.execute(sa.insert(second_factors).values(agent_id=agent_id, secret=secret, begun_at=at))


async def turn_on(conn: Connection, agent_id: int, step: int, at: datetime) -> bool:
    """It counts from now on, and the code of `step` has been used. False if it is on, or was not begun."""
    mine = sa.update(second_factors).where(
        second_factors.c.agent_id == agent_id, second_factors.c.on_since.is_(None)
    )
    return (await conn.execute(mine.values(on_since=at, last_step=step))).rowcount == 1


async def use_step(conn: Connection, agent_id: int, step: int) -> bool:
    """Use up the code of this time step, and all before it. False if it was used already."""
    last = second_factors.c.last_step
    mine = sa.update(second_factors).where(
        second_factors.c.agent_id == agent_id,
        second_factors.c.on_since.is_not(None),
        sa.or_(last.is_(None), last < step),
    )
    return (await conn.execute(mine.values(last_step=step))).rowcount == 1


async def turn_off(conn: Connection, agent_id: int) -> bool:
    """Forget the secret and the recovery codes. False if there was none that counted."""
    mine = sa.delete(second_factors).where(second_factors.c.agent_id == agent_id)
    was = await conn.scalar(mine.returning(second_factors.c.on_since))
    await conn.execute(sa.delete(recovery_codes).where(recovery_codes.c.agent_id == agent_id))
    return was is not None


async def seal_anew(conn: Connection, sealer: Sealer) -> int:
    """Seal with the first key what an older one has sealed; returns how many. What does not open stays as it
    is."""
    done = 0
    for factor in [SecondFactor(**row._mapping) for row in await conn.execute(sa.select(second_factors))]:
        if not sealer.ready or sealer.is_current(factor.secret):
            continue
        try:
            secret = sealer.open(factor.secret, about(factor.agent_id))
        except SealingError:
            continue
        same = sa.and_(second_factors.c.agent_id == factor.agent_id, second_factors.c.secret == factor.secret)
        sealed = sealer.seal(secret, about(factor.agent_id))
        done += (await conn.execute(sa.update(second_factors).where(same).values(secret=sealed))).rowcount
    return done


# --- recovery codes ----------------------------------------------------------------------------------------


async def put_codes(conn: Connection, agent_id: int, code_hashes: Collection[str]) -> None:
    """These are the recovery codes from now on; those before work no more."""
    await conn.execute(sa.delete(recovery_codes).where(recovery_codes.c.agent_id == agent_id))
    await conn.execute(
        sa.insert(recovery_codes), [{"agent_id": agent_id, "code_hash": one} for one in code_hashes]
    )


async def use_code(conn: Connection, agent_id: int, code_hash: str) -> bool:
    """Use up a recovery code. False if it is none, or was used."""
    mine = sa.delete(recovery_codes).where(
        recovery_codes.c.agent_id == agent_id, recovery_codes.c.code_hash == code_hash
    )
    return (await conn.execute(mine)).rowcount == 1


async def codes_left(conn: Connection, agent_id: int) -> int:
    query = sa.select(sa.func.count()).select_from(recovery_codes).where(recovery_codes.c.agent_id == agent_id)
    return int(await conn.scalar(query) or 0)
