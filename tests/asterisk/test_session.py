"""Answers that are not what they should be. The bytes are cut from recordings; only the fault is made."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from pydantic import SecretStr

from cti_server.asterisk import session as session_module
from cti_server.asterisk.actions import Ping, Status
from cti_server.asterisk.session import ActionFailed, LinkLost, ListBroken, Refused, Session
from cti_server.asterisk.translate import translate
from cti_server.floor.signals import LegStarted
from cti_server.settings import Account
from cti_server.wire.ami import Message, NotAmi
from cti_server.wire.text import Encodings

ACCOUNT = Account(user="cti-events", secret=SecretStr("s"))
BANNER = b"Asterisk Call Manager/11.0.0\r\n"
Answer = Callable[[str, bytes], bytes]


@asynccontextmanager
async def pbx(answer: Answer, banner: bytes = BANNER) -> AsyncIterator[int]:
    """A manager port that answers each action by `answer(name, action id)`; empty bytes say nothing."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(banner)
        try:
            while True:
                action = await reader.readuntil(b"\r\n\r\n")
                name = re.search(rb"^Action: (\w+)", action)
                action_id = re.search(rb"ActionID: (\w+)", action)
                assert name is not None
                assert action_id is not None
                writer.write(answer(name[1].decode(), action_id[1]))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def lines(*given: bytes) -> bytes:
    return b"\r\n".join(given) + b"\r\n\r\n"


def logged_in(then: Answer) -> Answer:
    def answer(name: str, action_id: bytes) -> bytes:
        own = b"ActionID: " + action_id
        if name == "Challenge":
            return lines(b"Response: Success", own, b"Challenge: 12345")
        if name == "Login":
            return lines(b"Response: Success", own, b"Message: Authentication accepted")
        if name == "Ping":
            return lines(b"Response: Success", own, b"Ping: Pong", b"Timestamp: 1795326405.123990")
        return then(name, action_id)

    return answer


async def asked(then: Answer, work: Callable[[Session], Awaitable[None]]) -> list[Message]:
    events: list[Message] = []
    async with pbx(logged_in(then)) as port:
        session = await Session.open("127.0.0.1", port, ACCOUNT, on_event=events.append)
        try:
            await work(session)
        finally:
            session.close()
    return events


@pytest.mark.parametrize(
    ("encoding", "raw", "name"),
    [
        ("", b"\xd5\xc5\xc8\xfd", "张三"),
        ("", b"J\xfcrgen", "Jürgen"),
        ("", "张三".encode(), "张三"),
        ("", b"\xc8\xe2\xe0\xed\xee\xe2", "\uefc8\uefe2\uefe0\uefed\uefee\uefe2"),
        ("PJSIP/cti-trunk=cp1251", b"\xc8\xe2\xe0\xed\xee\xe2", "Иванов"),
        ("big5", b"\xa4\xfd\xa4\x70\xa9\xfa", "王小明"),
        ("big5", b"\xa4\xfd\xa4", "王\uefa4"),  # cut, and the line's end is not taken for the rest
    ],
)
async def test_a_callers_name_is_read_by_the_encoding_of_its_trunk(encoding: str, raw: bytes, name: str) -> None:
    """The caller's channel as an odd manager sends it: with line ends too many, and headers that repeat."""
    new = lines(
        b"Event: Newchannel",
        b"Channel: PJSIP/cti-trunk-00000001",
        b"ChannelState: 0",
        b"CallerIDNum: 13800138000",
        b"CallerIDName: " + raw,
        b"Exten: 4008001000",
        b"Uniqueid: lab-1.1",
        b"Linkedid: lab-1.1",
        b"ChanVariable: PEER=10.0.0.7",
        b"ChanVariable: NAME=a: b, c",
        b"ChanVariable: EMPTY=",
    )

    def answer(action: str, action_id: bytes) -> bytes:
        return b"\r\n\r\n" + new + b"\r\n" + start(action_id) + end(action_id, b"0")

    async with pbx(logged_in(answer)) as port:
        events: list[Message] = []
        session = await Session.open(
            "127.0.0.1", port, ACCOUNT, on_event=events.append, encodings=Encodings.parse(encoding)
        )
        await session.ask(Status())
        session.close()
    (event,) = events
    signal = translate(event, 0.0)
    assert isinstance(signal, LegStarted)
    assert (signal.name, signal.number, signal.exten) == (name, "13800138000", "4008001000")
    assert event.all("ChanVariable") == ["PEER=10.0.0.7", "NAME=a: b, c", "EMPTY="]


def row(action_id: bytes, leg: bytes = b"demo-1.1") -> bytes:
    return lines(b"Event: Status", b"ActionID: " + action_id, b"Channel: PJSIP/1001-0", b"Uniqueid: " + leg)


def start(action_id: bytes) -> bytes:
    return lines(b"Response: Success", b"ActionID: " + action_id, b"EventList: start")


def end(action_id: bytes, items: bytes) -> bytes:
    return lines(
        b"Event: StatusComplete", b"ActionID: " + action_id, b"EventList: Complete", b"ListItems: " + items
    )


async def test_a_list_is_its_rows_and_no_foreign_ones() -> None:
    def answer(name: str, action_id: bytes) -> bytes:
        forged = row(b"0" * 32, b"forged")
        return start(action_id) + row(action_id) + forged + row(action_id, b"demo-1.2") + end(action_id, b"2")

    async def work(session: Session) -> None:
        rows = (await session.ask(Status())).rows
        assert [r["Uniqueid"] for r in rows] == ["demo-1.1", "demo-1.2"]

    events = await asked(answer, work)
    assert [e["Uniqueid"] for e in events] == ["forged"]  # an event like any other, not a row


async def test_a_list_that_never_completes_is_given_up() -> None:
    async def work(session: Session) -> None:
        with pytest.raises(ListBroken, match="did not complete"):
            await session.ask(Status(), timeout=0.2)
        assert (await session.ask(Ping())).response["Ping"] == "Pong"

    await asked(lambda name, action_id: start(action_id) + row(action_id), work)


@pytest.mark.parametrize("claim", [b"3", b"many", b"-1"])
async def test_a_list_whose_count_is_wrong_is_refused(claim: bytes) -> None:
    async def work(session: Session) -> None:
        with pytest.raises(ListBroken, match="sent 1"):
            await session.ask(Status())
        assert (await session.ask(Ping())).response["Ping"] == "Pong"

    await asked(lambda name, action_id: start(action_id) + row(action_id) + end(action_id, claim), work)


@pytest.mark.parametrize(("limit", "value"), [("MAX_ROWS", 50), ("MAX_LIST", 50 * len(row(b"0" * 32)))])
async def test_a_list_that_is_too_long_is_given_up_and_the_session_goes_on(
    monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    """By its rows, and by its bytes."""
    monkeypatch.setattr(session_module, limit, value)
    lengths = iter([40, 80])

    def answer(name: str, action_id: bytes) -> bytes:
        count = next(lengths)
        return start(action_id) + row(action_id) * count + end(action_id, str(count).encode())

    async def work(session: Session) -> None:
        assert len((await session.ask(Status())).rows) == 40
        with pytest.raises(ListBroken, match="more than"):
            await session.ask(Status())
        assert (await session.ask(Ping())).response["Ping"] == "Pong"

    await asked(answer, work)


async def test_an_answer_that_does_not_come_and_an_error_are_told_apart() -> None:
    def answer(name: str, action_id: bytes) -> bytes:
        return lines(b"Response: Error", b"ActionID: " + action_id, b"Message: Permission denied")

    async def work(session: Session) -> None:
        with pytest.raises(ActionFailed, match="Permission denied"):
            await session.ask(Status())

    await asked(answer, work)

    async def wait(session: Session) -> None:
        with pytest.raises(TimeoutError, match=r"no answer in 0\.1 s"):
            await session.ask(Status(), timeout=0.1)

    await asked(lambda name, action_id: b"", wait)


async def test_a_connection_that_ends_fails_what_was_asked() -> None:
    async with pbx(logged_in(lambda name, action_id: b"")) as port:
        session = await Session.open("127.0.0.1", port, ACCOUNT)
        asking = asyncio.create_task(session.ask(Status()))
        await asyncio.sleep(0)
        session.close()
        with pytest.raises(LinkLost):
            await asking
        with pytest.raises(LinkLost, match="not connected"):
            await session.ask(Status())


async def test_a_refused_login_and_a_port_that_is_no_manager_say_so() -> None:
    def refuse(name: str, action_id: bytes) -> bytes:
        if name == "Challenge":
            return lines(b"Response: Success", b"ActionID: " + action_id, b"Challenge: 1")
        return lines(b"Response: Error", b"ActionID: " + action_id, b"Message: Authentication failed")

    async with pbx(refuse) as port:
        with pytest.raises(Refused, match="refused AMI user cti-events: Authentication failed"):
            await Session.open("127.0.0.1", port, ACCOUNT)
    async with pbx(refuse, banner=b"SSH-2.0-OpenSSH\r\n") as port:
        with pytest.raises(NotAmi, match="is this the manager port"):
            await Session.open("127.0.0.1", port, ACCOUNT)
