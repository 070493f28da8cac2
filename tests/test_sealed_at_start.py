"""A server that starts seals what is in clear or sealed with an older key, and says what it cannot open."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect

from cti_server.demo.seed import seed
from cti_server.demo.seed_data import DEMO_PASSWORD
from cti_server.record.center import phones
from cti_server.record.center.phone_secrets import password_of, state_of, with_password
from cti_server.record.center.phones import Phone
from cti_server.record.database import Database
from cti_server.record.sealing import Sealer, new_key
from tests.record.builders import in_clear
from tests.record.whole import bytes_of
from tests.test_move_command import serving

KEY, NEXT, OTHER = new_key(), new_key(), new_key()
SECRET = "in-clear-since-2025"


async def _fill(url: str) -> None:
    async with Database(url) as database, database.begin() as conn:
        for number in (1, 2):
            phone = Phone(pbx="main", seat=f"PJSIP/{number}", extension=str(number), kind="browser", shared=True)
            await phones.save(conn, with_password(phone, SECRET, Sealer([KEY])))
        await in_clear(conn, "PJSIP/2", SECRET)


async def _states(url: str, *keys: str) -> list[str]:
    async with Database(url) as database, database.read() as conn:
        return [state_of(phone, Sealer(keys)) for phone in await phones.all_phones(conn)]


@contextmanager
def started(url: str, folder: Path, *keys: str) -> Iterator[list[dict[str, Any]]]:
    """A server with these keys, and what it has logged of phones by the time that it answers."""
    log = folder / "server.log"
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("CTI_SECRET_KEY", ",".join(keys))
        environment.setenv("CTI_LOG_JSON", "true")
        environment.setenv("CTI_LOG_LEVEL", "debug")
        with serving(url, log):
            text = log.read_text()
            assert SECRET not in text
            assert not any(key in text for key in keys)
            lines = [json.loads(line) for line in text.splitlines()]
            yield [line for line in lines if line["event"].startswith("phones.")]


def test_from_clear_to_a_key_to_the_next_and_to_one_that_is_lost(database_url: str, tmp_path: Path) -> None:
    asyncio.run(_fill(database_url))
    with started(database_url, tmp_path) as told:
        assert [(line["event"], line["level"]) for line in told] == [
            ("phones.in_clear", "warning"),
            ("phones.password_lost", "error"),
        ]
        assert told[0]["phones"] == 1
        assert "CTI_SECRET_KEY" in told[0]["remedy"]
    assert asyncio.run(_states(database_url, KEY)) == ["sealed", "clear"]

    with started(database_url, tmp_path, KEY) as told:
        [one] = told
        assert (one["event"], one["from_clear"], one["from_older_keys"]) == ("phones.sealed", 1, 0)
        assert SECRET.encode() not in asyncio.run(_whole(database_url)), "while it runs"
    with started(database_url, tmp_path, KEY) as told:
        assert told == []
    with started(database_url, tmp_path, NEXT, KEY) as told:
        assert [(line["from_clear"], line["from_older_keys"]) for line in told] == [(0, 2)]
    assert asyncio.run(_states(database_url, NEXT)) == ["sealed", "sealed"]

    with started(database_url, tmp_path, OTHER) as told:  # it starts all the same: calls need no such password
        assert {(line["event"], line["phone"]) for line in told} == {
            ("phones.password_lost", "PJSIP/1"),
            ("phones.password_lost", "PJSIP/2"),
        }
        assert all("CTI_SECRET_KEY" in line["remedy"] for line in told)
    assert asyncio.run(_passwords(database_url)) == [SECRET, SECRET]


async def _whole(url: str) -> bytes:
    async with Database(url) as database:
        return await bytes_of(database)


async def _passwords(url: str) -> list[str]:
    async with Database(url) as database, database.read() as conn:
        return [password_of(phone, Sealer([NEXT])) for phone in await phones.all_phones(conn)]


async def test_at_level_debug_no_log_has_what_signs_in(sqlite_url: str, tmp_path: Path) -> None:
    """Libraries would write each statement's values, each header and each frame there."""
    async with Database(sqlite_url) as database:
        await seed(database, "main", datetime.now(UTC))
    log = tmp_path / "server.log"
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("CTI_LOG_LEVEL", "debug")
        with serving(sqlite_url, log) as client:
            body = {"login": "alice", "password": DEMO_PASSWORD}
            assert client.post("/api/session", json=body).status_code == 200
            ticket = client.post("/api/session/ticket").json()["ticket"]
            cookie = client.cookies["cti_session"]
            url = f"{str(client.base_url).rstrip('/').replace('http', 'ws', 1)}/ws"
            headers = {"Cookie": f"cti_session={cookie}"}
            async with connect(url, additional_headers=headers, proxy=None) as socket:
                await socket.send(json.dumps({"type": "hello", "ticket": ticket}))
                assert json.loads(await socket.recv())["type"] == "welcome"
    text = log.read_text()
    assert text
    assert [secret for secret in (DEMO_PASSWORD, ticket, cookie) if secret in text] == []
