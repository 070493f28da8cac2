"""The dial policy in the record, on both engines."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from cti_server.record.center import agents, dial_policies
from cti_server.record.database import Database
from cti_server.record.versions import StaleVersion
from cti_server.rules.dial_policy import DEFAULT, Hours, Limit, Policy, Rule

NOW = datetime(2026, 11, 25, tzinfo=UTC)
POLICY = Policy(
    (Rule("北京-x", "allow", hours=Hours("Asia/Shanghai", ("mon",), 60, 120)), Rule("all", "refuse")),
    (Limit(1, 2, logins=("李",)),),
    ("110",),
    ("6XX",),
)


async def test_versions(database: Database) -> None:
    policy = Policy((Rule("hours", "allow", hours=Hours("Asia/Shanghai", ("mon",), 60, 120)),), POLICY.limits)
    async with database.begin() as conn:
        assert await dial_policies.current(conn) == dial_policies.UNTOUCHED
        assert await dial_policies.version(conn) == 0
        author = await agents.add(conn, login="root", name="Root", role="administrator")
        await dial_policies.save(conn, policy, NOW, "root", author, expected=0)
        await dial_policies.save(conn, DEFAULT, NOW, "command line")
    async with database.begin() as conn:
        first, second = reversed(await dial_policies.history(conn))
        assert (first.version, first.policy, first.author, first.author_id) == (1, policy, "root", author)
        assert (second.version, second.policy, second.at) == (2, DEFAULT, NOW)
        assert await dial_policies.current(conn) == second
        with pytest.raises(StaleVersion, match="version 2"):
            await dial_policies.save(conn, policy, NOW, "root", expected=1)
        await conn.execute(sa.delete(agents.agents))
        assert (await dial_policies.history(conn))[1].author_id is None
        assert (await dial_policies.history(conn))[1].author == "root", "who it was stays known"


async def test_two_who_save_at_once_do_not_both_win(database: Database) -> None:
    async with database.begin() as conn:
        await dial_policies.save(conn, DEFAULT, NOW, "one")
    async with database.begin() as conn:
        row = {"version": 1, "policy": {}, "at": NOW, "author": "two"}
        with pytest.raises(sa.exc.IntegrityError):
            await conn.execute(sa.insert(dial_policies.dial_policies).values(row))
