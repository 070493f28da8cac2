"""The dial policy with a real Asterisk and the server: what it refuses makes no channel, whichever verb asks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from cti_server.cli.things.dial_policy_toml import of_text
from cti_server.record.center import dial_policies
from cti_server.record.database import Database
from tests.live.asterisk_says import TRUNK
from tests.live.center import until
from tests.live.test_control import BOB, Shop, phones, shop
from tests.transcripts.tap import Tap, tap

__all__ = ["phones", "shop"]

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]

REFUSED = {
    "+44 20 7946 0018": "abroad",
    "0019005551234": "costly",
    "+870 773 111 632": "costly",
    "400 810 1234": "costly",
    "+1 809 555 1234": "abroad",
    "12580": "unlisted",
}


@pytest.fixture
def tape(shop: Shop) -> Iterator[Tap]:
    with tap(shop.site.pbx.config.ami_port, shop.site.pbx.config.secrets) as made:
        made.event("FullyBooted")
        yield made


def channels(tape: Tap) -> set[str]:
    return {row["Channel"] for row in tape.list("CoreShowChannels")}


def refused(answer: httpx.Response, rule: str) -> dict[str, Any]:
    assert answer.status_code == 403, answer.text
    found: dict[str, Any] = answer.json()
    assert (found["code"], found["reason"]["params"]["rule"]) == ("dial_refused", rule)
    return found


async def test_what_is_refused_makes_no_channel(shop: Shop, tape: Tap) -> None:
    alice, bob = shop.agents["alice"], shop.agents["bob"]
    for agent in (alice, bob):
        assert (await agent.ask("/api/me/shift", {"phone": None}))["ok"]
    assert (await alice.ask("/api/me/state", {"state": "ready"}))["ok"]
    _, call = await shop.alice_talks()
    await shop.phone("1002")
    before, since = channels(tape), tape.here()
    for number, rule in REFUSED.items():
        target = {"target": {"kind": "number", "number": number}}
        for verb in ("transfer", "consult", "conference"):
            refused(await alice.api.post(f"/api/calls/{call}/{verb}", json=target), rule)
        refused(await bob.api.post("/api/calls", json={"to": number}), rule)
    assert channels(tape) == before
    assert [m["Channel"] for m in tape.messages[since:] if m.get("Event") == "Newchannel"] == []

    # The command line changes the policy; the server that runs decides by it.
    policy = of_text('[[rules]]\nname = "world"\nanswer = "allow"\ncountries = ["GB"]', "the test")
    async with Database(shop.site.database_url) as database, database.begin() as conn:
        await dial_policies.save(conn, policy, datetime.now(UTC), "command line")

    async def known() -> bool:
        asked = await bob.api.get("/api/dial-policy/decision", params={"number": "+44 20 7946 0018"})
        return bool(asked.raise_for_status().json()["allowed"])

    await until(known, "the server to know the new policy", 10)
    done = await bob.ask("/api/calls", {"to": "+44 20 7946 0018"})
    assert done["ok"], done
    # The fence of the PBX is of the policy before, and refuses it there: nothing but the phone of the agent rings.
    told = tape.event("UserEvent", since, UserEvent="CTINotReached")
    assert (told["Cause"], told["Number"], told["Channel"].startswith(f"{BOB}-")) == ("57", "+442079460018", True)
    made = {m["Channel"].partition("-")[0] for m in tape.messages[since:] if m.get("Event") == "Newchannel"}
    assert TRUNK not in made
    metrics = (await bob.api.get("/metrics")).text
    assert 'cti_dials_total{answer="refused",rule="abroad"} 8.0' in metrics


async def test_off_shift_nobody_dials_outside_and_everybody_the_emergency_number(shop: Shop, tape: Tap) -> None:
    bob = shop.agents["bob"]
    await shop.phone("1002")
    await shop.outside()
    since = tape.here()
    refused(await bob.api.post("/api/calls", json={"to": "13800138000"}), "off_shift")
    assert (await bob.ask("/api/calls", {"to": "9-110"}))["ok"]
    gone = tape.wait(
        lambda m: m.get("Event") == "DialBegin" and m.get("DestChannel", "").startswith(TRUNK),
        "110 dialled",
        since,
    )
    assert gone["DialString"].startswith("110@")
