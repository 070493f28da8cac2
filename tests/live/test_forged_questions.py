"""A program that reaches FastAGI, and is no PBX: what it asks changes no live call and tells it nobody's name."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from cti_server.demo.calls import Deskphone, PhoneHabits, place_call
from tests.live.center import Center, center, until

pytestmark = [pytest.mark.live, pytest.mark.timeout(180)]

CUSTOMER, ANI = "上海申江精密仪器有限公司", "02162881234"
OTHERS_ANI = "13800138000"
DIRECT_SUPPORT, SUPPORT = "4008004000", "4008001000"


@pytest.fixture
async def site(database_url: str, tmp_path: Path) -> AsyncIterator[Center]:
    async with center(database_url, tmp_path, CTI_IDENTIFY_TOKEN="of-the-script") as made:
        await made.start()
        async with made.signed_in("alice") as alice:
            phone = await asyncio.to_thread(Deskphone, made.pbx, "1001", PhoneHabits(ring_s=90))
            with phone:
                (await alice.post("/api/me/shift", json={"phone": None})).raise_for_status()
                yield made


async def ask(
    site: Center, uniqueid: str, ani: str, query: str = "", dnis: str = DIRECT_SUPPORT
) -> dict[str, str]:
    """A session as res_agi would begin it; the variables that the server sets."""
    reader, writer = await asyncio.open_connection("127.0.0.1", site.fastagi_port)
    writer.write(
        f"agi_network: yes\nagi_network_script: identify?pbx={site.pbx.config.name}{query}\n"
        f"agi_uniqueid: {uniqueid}\nagi_callerid: {ani}\nagi_dnid: {dnis}\n\n".encode()
    )
    variables: dict[str, str] = {}
    async with asyncio.timeout(20):
        while line := await reader.readline():
            name, _, value = line.decode().removeprefix("SET VARIABLE ").strip().partition(" ")
            variables[name.strip('"')] = value.strip('"')
            writer.write(b"200 result=1\n")
    writer.close()
    return variables


async def ask_over_http(site: Center, **asked: str) -> Mapping[str, str]:
    async with site.client(headers={"Authorization": "Bearer of-the-script"}) as api:
        answer = await api.post("/api/identify", json=asked)
        return dict(answer.raise_for_status().json()["variables"])


async def the_call(site: Center) -> dict[str, Any] | None:
    async with site.signed_in("susan") as api:
        calls = (await api.get("/api/calls")).json()["items"]
        return next((one for one in calls if one["customer"] is not None), None)


async def refused(site: Center) -> dict[str, float]:
    """Refusals by rule, from /metrics."""
    async with site.client() as api:
        lines = (await api.get("/metrics")).text.splitlines()
    found = [one.split('"') for one in lines if one.startswith("cti_identify_refused_total{")]
    return {parts[1]: float(parts[2].rpartition(" ")[2]) for parts in found}


async def test_what_is_forged_changes_nothing_and_names_nobody(site: Center) -> None:
    with place_call(site.pbx, ANI, DIRECT_SUPPORT, "Shenjiang", stay_s=60):
        call = await until(lambda: the_call(site), "the caller's name")
        channel = call["call"].rpartition(":")[2]
        assert (call["customer"]["name"], call["ani"]) == (CUSTOMER, "+862162881234")

        nobody = {"CTI_STATUS": "unknown"}
        assert await ask(site, channel, OTHERS_ANI) == nobody
        assert await ask(site, channel, "unknown") == nobody
        assert await ask(site, channel, "withheld", f"&secret={OTHERS_ANI}") == nobody
        assert await ask(site, channel, ANI, f"&secret={OTHERS_ANI}") == nobody
        assert await ask(site, "demo-1.1", OTHERS_ANI) == nobody
        assert await ask_over_http(site, uniqueid=channel, ani=OTHERS_ANI) == nobody
        assert await ask_over_http(site, uniqueid="demo-1.1", ani=OTHERS_ANI) == nobody
        assert await refused(site) == {"other_number": 4, "other_secret": 1, "unknown_channel": 2}

        # What the dialplan itself may ask again is answered with what was found first, or for another line.
        first = str(call["customer"]["id"])
        for again in (ANI, "+862162881234", "00862162881234"):
            assert (await ask(site, channel, again))["CTI_CUSTOMER"] == first
        assert (await ask(site, channel, ANI, dnis=SUPPORT))["CTI_CUSTOMER"] == first

        now = await the_call(site)
        assert now is not None
        whose = ("call", "ani", "ani_name", "customer", "match", "verdict")
        assert [now[one] for one in whose] == [call[one] for one in whose]
    assert site.log.read_text().count("identify.refused") >= 7
    assert OTHERS_ANI not in site.log.read_text()
