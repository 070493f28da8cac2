"""Rights at the desk: a number that is not shown is dialled all the same, and a supervisor sees their team."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from playwright.async_api import expect

from cti_server.record.center import agents, sessions, teams
from cti_server.record.center.teams import Team
from cti_server.record.contacts import history
from cti_server.record.database import Database
from tests.live.asterisk_says import TRUNK
from tests.live.center import until
from tests.live.workplace import ANI, CUSTOMER, Workplace

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

E164 = "+862162881234"
WHOLE = (ANI, E164, ANI.lstrip("0"), "6288")


@asynccontextmanager
async def without_numbers(work: Workplace, login: str) -> AsyncIterator[None]:
    """Take the grant to see numbers for a while; the desktop connects again by itself."""

    async def has(grants: frozenset[str]) -> None:
        async with Database(work.site.database_url) as database, database.begin() as conn:
            agent = await agents.by_login(conn, login)
            assert agent is not None
            await agents.update(conn, agent.id, grants=grants)
            await sessions.look_again(conn, agent.id, datetime.now(UTC))

    def welcomes() -> int:
        return sum('"type":"welcome"' in frame for frame in getattr(work, login).told)

    before = welcomes()
    await has(frozenset())

    async def again() -> bool:
        return welcomes() > before

    await until(again, "the desktop to connect again, with the rights of now")
    try:
        yield
    finally:
        await has(frozenset({"full_numbers"}))


async def test_a_number_that_is_not_shown_is_dialled_all_the_same(work: Workplace) -> None:
    alice, says = work.alice, work.asterisk
    async with without_numbers(work, "alice"):
        assert "•" in str(await alice.read("/api/customers", q=CUSTOMER))
        caller = await work.answered_call(alice)
        await expect(alice.get("card-customer")).to_contain_text(CUSTOMER)
        await expect(alice.page.locator("body")).to_contain_text("••••")
        shown = await alice.page.locator("body").inner_text()
        assert not [number for number in WHOLE if number in shown.replace(" ", "")]
        assert "~" not in shown
        assert not [frame for frame in list(alice.told)[-40:] if E164 in frame or f'"{ANI}"' in frame]
        await asyncio.to_thread(caller.hang_up)
        await alice.finish()

        there = await work.outside(ring_s=1)
        await alice.get("search-box").locator("input").fill("申江")
        await alice.get("search-results").get_by_text(CUSTOMER).first.click()
        await alice.page.locator("main").get_by_test_id("tel").first.click()
        await says.are_together([alice.seat, TRUNK])
        await alice.call_is("talking")
        await work.hears(there, "alice")
        assert "6288" not in str(await alice.the_call())
        await alice.do("hangup")
        await says.nobody()
    async with Database(work.site.database_url) as database, database.read() as conn:
        latest = (await history.page(conn, history.Filter(), limit=1)).items[0]
    assert (latest.direction, latest.customer_name) == ("outbound", CUSTOMER)
    assert ANI.lstrip("0") in (latest.dnis or "")


async def test_a_supervisor_of_one_team_sees_its_calls_and_no_others(work: Workplace) -> None:
    async with Database(work.site.database_url) as database, database.begin() as conn:
        people = {login: await agents.by_login(conn, login) for login in ("alice", "bob", "susan")}
        found = {login: agent.id for login, agent in people.items() if agent is not None}
        made = [
            await teams.save(
                conn, Team(name=name, members=frozenset({found[who]}), supervisors=frozenset(supervisors))
            )
            for name, who, supervisors in (("A", "alice", ()), ("B", "bob", (found["susan"],)))
        ]
    try:
        susan = await work.office.sign_in("susan")
        await susan.page.goto(f"{work.site.url}/floor")
        caller = await work.answered_call(work.alice)
        seen = (await susan.read("/api/calls"))["items"]
        assert seen == []
        await expect(susan.page.locator("main")).not_to_contain_text(CUSTOMER)
        await work.alice.give("transfer", f"agent-{found['bob']}")
        await work.bob.call_is("ringing")
        await expect(susan.page.locator("main")).to_contain_text(CUSTOMER, timeout=15_000)
        assert len((await susan.read("/api/calls"))["items"]) == 1
        await asyncio.to_thread(caller.hang_up)
    finally:
        async with Database(work.site.database_url) as database, database.begin() as conn:
            for number in made:
                await teams.remove(conn, number)
