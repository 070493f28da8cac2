"""The server is killed, calls come and go, it starts again: what nobody saw is in the record, from the PBX."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from cti_server.demo.calls import Deskphone, PhoneHabits, place_call
from cti_server.demo.pbx import DemoPbx
from cti_server.demo.sipp_process import Sipp
from cti_server.record.contacts import gaps
from cti_server.record.database import Database
from tests.live.center import Center, center, until

pytestmark = [pytest.mark.live, pytest.mark.timeout(240)]

SALES, DIRECT = "4008002000", "4008009000"
TALKS, WAITS, GOES_ON, LOST = "13800138002", "13800138001", "13800138003", "13800138004"


@pytest.fixture
def phones() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
async def site(database_url: str, tmp_path: Path, phones: ExitStack) -> AsyncIterator[Center]:
    async with center(database_url, tmp_path, CTI_SNAPSHOT_EVERY_S="600") as made:
        made.extra["CTI_CEL"] = str(made.pbx.work / "log" / "cel-custom" / "cti.csv")
        await made.start()
        yield made
        phones.close()


async def call(site: Center, phones: ExitStack, ani: str, line: str, stay_s: float = 200) -> Sipp:
    placed = await asyncio.to_thread(place_call, site.pbx, ani, line, stay_s=stay_s)
    return phones.enter_context(placed)


async def phone(site: Center, phones: ExitStack, extension: str, ring_s: float = 1.0) -> None:
    habits = PhoneHabits(ring_s=ring_s)
    phones.enter_context(await asyncio.to_thread(Deskphone, site.pbx, extension, habits))

    def known() -> bool:
        return "Not in use" in site.pbx.cli(f"pjsip show endpoint {extension}")

    await until(lambda: asyncio.to_thread(known), f"{extension} to be registered")


async def bridged(site: Center, extension: str, count: int = 1) -> None:
    def has() -> bool:
        rows = [row.split("!") for row in site.pbx.cli("core show channels concise").splitlines()]
        return (
            sum(row[0].startswith(f"PJSIP/{extension}-") and row[-2] != "" for row in rows if len(row) > 10)
            >= count
        )

    await until(lambda: asyncio.to_thread(has), f"{extension} to talk")


async def of(site: Center, ani: str) -> list[dict[str, Any]]:
    return [row for row in await site.interactions() if row["ani_raw"] == ani]


async def filled(site: Center, ani: str, limit_s: float = 60) -> dict[str, Any]:
    async def told() -> Any:
        return next((row for row in await of(site, ani) if row["told_by"] is not None), None)

    return await until(told, f"the contact of {ani} from the log", limit_s)


async def gaps_of(site: Center) -> list[gaps.Gap]:
    async with Database(site.database_url) as database, database.read() as conn:
        return await gaps.latest(conn, site.pbx.config.name)


def queue_log(pbx: DemoPbx) -> dict[str, list[str]]:
    """Asterisk's own account of its queues: what became of each caller, by their Uniqueid."""
    found = {}
    for line in (pbx.work / "log" / "queue_log").read_text().splitlines():
        _, uniqueid, _, _, event, *data = line.split("|")
        if event in ("CONNECT", "ABANDON"):
            found[uniqueid] = [event, *data]
    return found


async def test_calls_that_came_and_went_while_the_server_was_dead(site: Center, phones: ExitStack) -> None:
    await phone(site, phones, "1001", ring_s=0.2)
    await phone(site, phones, "1002")
    lost = await call(site, phones, LOST, DIRECT)
    await bridged(site, "1001")
    async with site.signed_in("susan") as api:

        async def seen() -> bool:
            return any(one["state"] == "talking" for one in (await api.get("/api/calls")).json()["items"])

        await until(seen, "the call that will be lost to be seen")
    await asyncio.sleep(1)

    await site.stop(signal.SIGKILL)
    answered = await call(site, phones, TALKS, SALES, stay_s=6)
    await bridged(site, "1002")
    abandoned = await call(site, phones, WAITS, SALES, stay_s=3)
    lost.hang_up()
    for one in (answered, abandoned):
        await until(lambda one=one: not one.running, "the caller to hang up")
    lives = await call(site, phones, GOES_ON, SALES)
    await bridged(site, "1002")
    await site.start()

    told = await filled(site, TALKS)
    assert (told["outcome"], told["queue"], told["ended_by"], told["complete"]) == (
        "answered",
        "sales",
        "caller",
        False,
    )
    assert [(part["seat"], part["outcome"]) for part in told["segments"]] == [("PJSIP/1002", "answered")]
    gave_up = await filled(site, WAITS)
    assert (gave_up["outcome"], gave_up["ended_by"], gave_up["segments"]) == ("short_abandon", "caller", [])
    log = queue_log(site.pbx)
    for row, event, place in ((told, "CONNECT", 1), (gave_up, "ABANDON", 3)):
        happened = log[row["call"].rsplit(":", 1)[-1]]
        assert happened[0] == event
        assert abs(row["wait_ms"] / 1000 - float(happened[place])) <= 1.0

    # Alice's wrap-up of the call that was lost goes on: until she has finished, it is the floor's.
    async with site.signed_in("alice") as api:
        (row,) = await of(site, LOST)
        assert row["told_by"] is None
        done = await api.post(f"/api/interactions/{row['id']}/wrap-up", json={"note": "", "code": None})
        done.raise_for_status()
    end = await filled(site, LOST, 90)
    assert (end["told_by"], end["outcome"], end["ended_by"]) == ("cel_end", "answered", "caller")
    assert end["ended_at"] is not None
    assert told["customer"]["name"] == "李秀英", "looked up as any other caller"
    (live,) = await of(site, GOES_ON)
    assert (live["outcome"], live["told_by"]) == (None, None)
    async with site.signed_in("susan") as api:
        assert [one["call"] for one in (await api.get("/api/calls")).json()["items"]] == [live["call"]]
    lives.hang_up()

    async def over() -> bool:
        (row,) = await of(site, GOES_ON)
        return row["outcome"] == "answered" and row["complete"]

    await until(over, "the call that went on to end")
    async with site.signed_in("bob") as api:  # a gap is filled once the floor has no call of it any more
        done = await api.post(f"/api/interactions/{live['id']}/wrap-up", json={"note": "", "code": None})
        done.raise_for_status()

    for _ in range(2):  # however often it starts
        before = len(await gaps_of(site))
        await site.stop(signal.SIGKILL)
        await site.start()

        async def next_filled(before: int = before) -> bool:
            found = await gaps_of(site)
            return len(found) > before and all(gap.filled_at is not None for gap in found)

        await until(next_filled, "the gap of the restart to be filled")
    for ani in (TALKS, WAITS, GOES_ON, LOST):
        assert len(await of(site, ani)) == 1, ani
