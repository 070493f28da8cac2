"""Agents, their sessions and tickets."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest

from cti_server.record.center import agents, sessions
from cti_server.record.center.agents import LoginTaken
from cti_server.record.database import Database
from tests.record.builders import NOON, after, an_agent


async def test_agents(database: Database) -> None:
    async with database.begin() as conn:
        alice = await an_agent(conn, " Alice ", password_hash="hash", seat="PJSIP/1001", pbx="demo")
        await an_agent(conn, "bob", role="supervisor")
        with pytest.raises(LoginTaken):
            await an_agent(conn, "ALICE")
        found = await agents.by_login(conn, "aliCE")
        assert found is not None
        assert (found.id, found.login, found.password_hash, found.role) == (alice, "alice", "hash", "agent")
        assert "hash" not in repr(found)
        assert [a.login for a in await agents.all_active(conn, "demo")] == ["alice"]
        changed = await agents.update(conn, alice, language="zh", active=False)
        assert changed is not None
        assert changed.language == "zh"
        assert [a.login for a in await agents.all_active(conn)] == ["bob"]
        assert await agents.update(conn, 999, language="zh") is None
        assert await agents.get(conn, alice) == changed
        assert await agents.by_login(conn, "nobody") is None


def a_session(token: str, agent: int, until: datetime) -> sessions.Session:
    return sessions.Session(token_hash=token, agent_id=agent, created_at=NOON, expires_at=until)


async def test_a_session_ends_when_it_expires_or_is_closed_or_the_agent_leaves(database: Database) -> None:
    async with database.begin() as conn:
        alice = await an_agent(conn)
        for token in ("a", "b"):
            await sessions.open_session(conn, a_session(token, alice, after(60)))
        found = await sessions.agent_of(conn, "a", after(59))
        assert found is not None
        assert found.id == alice
        assert await sessions.agent_of(conn, "a", after(60)) is None
        assert await sessions.agent_of(conn, "x", NOON) is None
        assert await sessions.close_session(conn, "a", NOON)
        assert not await sessions.close_session(conn, "a", NOON)
        assert set((await sessions.ends_since(conn, after(-1))).values()) == {alice}
        assert await sessions.agent_of(conn, "a", NOON) is None
        await agents.update(conn, alice, active=False)
        assert await sessions.agent_of(conn, "b", NOON) is None
        await agents.update(conn, alice, active=True)
        await sessions.close_all(conn, alice, NOON)
        assert await sessions.agent_of(conn, "b", NOON) is None


async def test_a_ticket_is_good_once(database: Database) -> None:
    async with database.begin() as conn:
        alice = await an_agent(conn)
        await sessions.issue_tickets(conn, {"t": alice}, after(30))
        await sessions.issue_tickets(conn, {"old": alice}, after(1))

    async def redeem(ticket: str) -> int | None:
        async with database.begin() as conn:
            return (await sessions.redeem_tickets(conn, [ticket], after(5))).get(ticket)

    given = await asyncio.gather(*(redeem("t") for _ in range(4)))
    assert sorted(given, key=str) == sorted([alice, None, None, None], key=str)
    assert await redeem("old") is None


async def test_purge_forgets_what_expired_only(database: Database) -> None:
    async with database.begin() as conn:
        alice = await an_agent(conn)
        await sessions.open_session(conn, a_session("a", alice, after(60)))
        await sessions.open_session(conn, a_session("b", alice, after(600)))
        await sessions.issue_tickets(conn, {"t": alice}, after(60))
        await sessions.purge(conn, after(60))
        assert await sessions.agent_of(conn, "a", NOON) is None
        assert await sessions.agent_of(conn, "b", NOON) is not None
        assert await sessions.redeem_tickets(conn, ["t"], NOON) == {}


async def test_all_end_but_the_one_that_is_kept_and_others_are_told(database: Database) -> None:
    async with database.begin() as conn:
        alice = await an_agent(conn)
        for token in ("a", "b", "c"):
            await sessions.open_session(conn, a_session(token, alice, after(60)))
        await sessions.issue_tickets(conn, {"t": alice}, after(60))
        assert await sessions.close_all(conn, alice, NOON, keep="b") == 2
        assert [one.token_hash for one in await sessions.of_agent(conn, alice, NOON)] == ["b"]
        assert await sessions.redeem_tickets(conn, ["t"], NOON) == {}
        assert set((await sessions.ends_since(conn, after(-1))).values()) == {alice}
        assert await sessions.ends_since(conn, NOON) == {}


async def test_a_device_is_known_for_whoever_signed_in_there_last(database: Database) -> None:
    async with database.begin() as conn:
        alice = await an_agent(conn)
        assert not await sessions.is_known_device(conn, "d", alice)
        await sessions.know_device(conn, "d", alice, NOON)
        await sessions.know_device(conn, "d", alice, NOON)
        assert await sessions.is_known_device(conn, "d", alice)
        assert not await sessions.is_known_device(conn, "d", alice + 1)
        await sessions.purge(conn, NOON + sessions.DEVICES_KEPT * 2)
        assert not await sessions.is_known_device(conn, "d", alice)
