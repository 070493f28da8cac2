"""FastAGI sessions over a real socket: a good one, and each way in which one can be bad."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from cti_server.asterisk import fastagi
from cti_server.asterisk.fastagi import AgiSession, FastAgiServer
from cti_server.wire.text import Encodings

ENVIRONMENT = (
    b"agi_network: yes\nagi_network_script: identify?pbx=demo&x=1\nagi_uniqueid: demo-1.4\nagi_callerid: 100\n\n"
)


async def dialogue(session: AgiSession) -> None:
    await session.finish({"CTI_STATUS": f"ok {session.query['pbx']} {session.env['agi_uniqueid']}"})


@pytest.fixture
async def server() -> AsyncIterator[FastAgiServer]:
    async with FastAgiServer("127.0.0.1", 0, ["127.0.0.0/8"], {"identify": dialogue}) as made:
        yield made


async def talk(server: FastAgiServer, data: bytes, reply: bytes = b"") -> bytes:
    """Send, answer the first command with `reply`, then read until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(data)
    answer = b""
    with suppress(ConnectionResetError):  # closed with bytes unread: TCP says it so
        async with asyncio.timeout(10):
            answer = await reader.read(4096)
            writer.write(reply)
            answer += await reader.read()
    writer.close()
    return answer


async def test_a_name_is_read_by_what_is_declared_for_its_pbx_and_trunk() -> None:
    names: list[str] = []

    async def named(session: AgiSession) -> None:
        names.append(session.env["agi_calleridname"])

    declared = {"east": Encodings.parse("DAHDI=cp1251"), "west": Encodings.parse("gb18030")}
    async with FastAgiServer("127.0.0.1", 0, ["127.0.0.0/8"], {"identify": named}, declared) as server:
        for query, channel in [
            ("?pbx=east", "DAHDI/7-1"),
            ("?pbx=east", "SIP/a-1"),
            ("?pbx=west", "SIP/a-1"),
            ("", "DAHDI/7-1"),
        ]:
            environment = (
                f"agi_network_script: identify{query}\nagi_channel: {channel}\nagi_uniqueid: x.1\n".encode()
                + b"agi_calleridname: \xc8\xe2\xe0\xed\xee\xe2\n\n"
            )
            assert await talk(server, environment) == b""
        assert not server.warnings
    assert names == ["Иванов", "\uefc8\uefe2\uefe0\uefed\uefee\uefe2", "肉囗钼", "Иванов"]


async def until_closed(reader: asyncio.StreamReader) -> bytes:
    """What comes before the server closes; with bytes of ours unread, TCP says that by a reset."""
    with suppress(ConnectionResetError):
        async with asyncio.timeout(10):
            return await reader.read()
    return b""


async def good(server: FastAgiServer) -> bool:
    """A good session works: the sentinel after each bad one."""
    return await talk(server, ENVIRONMENT, b"200 result=1\n") == b'SET VARIABLE "CTI_STATUS" "ok demo demo-1.4"\n'


async def test_a_session_sets_variables_and_closes(server: FastAgiServer) -> None:
    assert await good(server)
    assert server.served == 1
    assert not server.warnings


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (b"", "closed before its AGI environment was complete"),
        (b"agi_network: yes\n", "closed before its AGI environment was complete"),
        (b"GET / HTTP/1.1\r\n\r\n", "no agi_uniqueid"),
        (b"agi_x: " + b"9" * 9000, "a line of more than"),
        (ENVIRONMENT.replace(b"identify", b"surprise") + b"200 result=1\n", "no dialogue 'surprise'"),
        (ENVIRONMENT + b"what?\n", "not an AGI reply"),
        (ENVIRONMENT, "Asterisk closed the AGI session"),
    ],
)
async def test_rubbish_closes_that_one_session_with_its_cause(
    server: FastAgiServer, data: bytes, cause: str, capsys: pytest.CaptureFixture[str]
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(data)
    writer.write_eof()
    await until_closed(reader)
    writer.close()

    assert await good(server)
    assert list(server.warnings.values()) == [1]
    assert cause in capsys.readouterr().out


async def test_variables_are_sent_at_once_in_their_order_with_the_end_behind_them() -> None:
    """Nothing that comes after an answer could tell it apart: all of it is there before the first reply."""
    values = {"CTI_TIER": 'a "b", c\\d', "CTI_VERDICT": "保障,中", "CTI_EMPTY": "", "CTI_STATUS": "ok"}
    ended: list[BaseException | None] = []

    async def answers(session: AgiSession) -> None:
        try:
            await session.finish(values)
        except ConnectionResetError as cause:
            ended.append(cause)
            raise
        ended.append(None)

    async with FastAgiServer("127.0.0.1", 0, ["127.0.0.0/8"], {"identify": answers}) as server:
        for replies in (4, 3):
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(ENVIRONMENT)
            assert (await until_closed(reader)).decode().splitlines() == [
                r'SET VARIABLE "CTI_TIER" "a \"b\", c\\d"',
                'SET VARIABLE "CTI_VERDICT" "保障,中"',
                'SET VARIABLE "CTI_EMPTY" ""',
                'SET VARIABLE "CTI_STATUS" "ok"',
            ]
            writer.write(b"200 result=1\n" * replies)
            writer.write_eof()
            async with asyncio.timeout(5):
                while len(ended) < 5 - replies:
                    await asyncio.sleep(0.01)
            writer.close()
        assert ended[0] is None
        assert isinstance(ended[1], ConnectionResetError)
        assert server.warnings == {"closed early": 1}


async def test_one_byte_at_a_time_runs_into_the_time_limit(
    server: FastAgiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fastagi, "ENVIRONMENT_S", 0.3)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)

    async def dribble() -> None:
        while True:
            writer.write(b"a")
            await writer.drain()
            await asyncio.sleep(0.05)

    dribbling = asyncio.create_task(dribble())
    assert await until_closed(reader) == b""
    dribbling.cancel()
    await asyncio.gather(dribbling, return_exceptions=True)
    writer.close()

    assert await good(server)
    assert server.warnings == {"too slow": 1}


async def test_a_pbx_that_never_answers_a_command_is_left(
    server: FastAgiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fastagi, "REPLY_S", 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(ENVIRONMENT)
    assert (await until_closed(reader)).startswith(b"SET VARIABLE")
    async with asyncio.timeout(5):
        while not server.warnings:
            await asyncio.sleep(0.01)
    writer.close()
    assert await good(server)
    assert server.warnings == {"too slow": 1}


async def test_past_the_limit_of_sessions_the_next_is_closed_at_once(
    server: FastAgiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fastagi, "MAX_SESSIONS", 1)
    _, first = await asyncio.open_connection("127.0.0.1", server.port)
    first.write(b"agi_network: yes\n")
    await first.drain()
    await asyncio.sleep(0)
    assert await talk(server, ENVIRONMENT) == b""
    assert server.warnings == {"too many": 1}
    first.close()


@pytest.mark.parametrize(("query", "served"), [("&token=abc", 1), ("&token=abd", 0), ("&token=", 0), ("", 0)])
async def test_only_who_shows_the_token_is_answered(query: str, served: int) -> None:
    environment = ENVIRONMENT.replace(b"x=1", b"x=1" + query.encode())
    async with FastAgiServer("127.0.0.1", 0, ["127.0.0.0/8"], {"identify": dialogue}, token="abc") as server:
        answer = await talk(server, environment, b"200 result=1\n")
    assert (b"CTI_STATUS" in answer) is bool(served)
    assert (server.served, server.warnings["wrong token"]) == (served, 1 - served)


async def test_an_address_that_is_not_allowed_is_not_served() -> None:
    async with FastAgiServer("127.0.0.1", 0, ["10.0.0.0/8"], {"identify": dialogue}) as server:
        assert await talk(server, ENVIRONMENT) == b""
        assert server.warnings == {"not allowed": 1}


async def test_at_the_limit_a_silent_session_gives_way_and_one_that_has_asked_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fastagi, "MAX_SESSIONS", 2)
    monkeypatch.setattr(fastagi, "GIVES_WAY_S", 0.0)
    go = asyncio.Event()

    async def waits(session: AgiSession) -> None:
        await go.wait()
        await dialogue(session)

    async with FastAgiServer("127.0.0.1", 0, ["127.0.0.0/8"], {"identify": waits}) as server:
        asked = asyncio.create_task(talk(server, ENVIRONMENT, b"200 result=1\n"))
        async with asyncio.timeout(5):
            while not server.served:
                await asyncio.sleep(0.01)
        silent = []
        for _ in range(5):
            silent.append(await asyncio.open_connection("127.0.0.1", server.port))
            async with asyncio.timeout(5):
                while len(server._silent) != 1 or server._open > 2:
                    await asyncio.sleep(0.01)
        for reader, writer in silent[:-1]:
            assert await until_closed(reader) == b""
            writer.close()
        go.set()
        assert b"CTI_STATUS" in await asked
        assert server.warnings == {"closed early": 4}
        silent[-1][1].close()
