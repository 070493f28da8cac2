"""Asterisk's side of FastAGI, played many times over, each time about a caller who has not called before."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from tests.asterisk.test_link_refused import Manager
from tests.asterisk.test_session import BANNER
from tests.asterisk.test_session import lines as message

PBX = "bench"
UNKNOWN = 10  # every tenth caller is nobody's number
LAST = b'SET VARIABLE "CTI_STATUS" "'
ANSWER_LIMIT_S = 10.0
STAYS_S = 2.0  # how long a caller stays once they are identified


class Switchboard:
    """The manager of a PBX that says of channels what the bench needs. `port` is where it listens."""

    def __init__(self) -> None:
        self.port = 0
        self._listening: set[asyncio.StreamWriter] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers = Manager(refusals=0)
        writer.write(BANNER)
        try:
            while True:
                action = (await reader.readuntil(b"\r\n\r\n")).decode()
                name, own = (re.search(rf"^{key}: (\w+)", action, re.MULTILINE) for key in ("Action", "ActionID"))
                if name is None or own is None:
                    return
                writer.write(answers(name[1], own[1].encode()))
                if name[1] == "Login" and "Events: off" not in action:
                    self._listening.add(writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            self._listening.discard(writer)
            writer.close()

    def say(self, event: str, channel: str, **headers: str) -> None:
        """Send an event about this channel, whose id is its linkedid too."""
        known = {"Event": event, "Uniqueid": channel, "Linkedid": channel, "Channel": f"PJSIP/cti-trunk-{channel}"}
        told = message(*(f"{name}: {value}".encode() for name, value in {**known, **headers}.items()))
        for writer in self._listening:
            writer.write(told)


@asynccontextmanager
async def switchboard() -> AsyncIterator[Switchboard]:
    made = Switchboard()
    async with await asyncio.start_server(made.serve, "127.0.0.1", 0) as server:
        made.port = server.sockets[0].getsockname()[1]
        yield made


def numbers(customers: int, seed: int) -> Iterator[str]:
    """Numbers as the PBX sends them, none twice."""
    turn = random.Random(seed).sample(range(1, customers + 1), customers)
    for n, customer in enumerate(turn, 1):
        yield f"0{13000000000 + customer}" if n % UNKNOWN else f"0{15900000000 + customer}"


class Asker:
    """Asks `agi://…/identify` as Asterisk does: connect, environment, an answer to each command. `manager` names
    each channel first, or nobody does."""

    def __init__(self, port: int, callers: Iterator[str], manager: Switchboard | None) -> None:
        self._port, self._callers, self._manager = port, callers, manager
        self._calls = 0
        self._boot = time.time_ns() // 1000
        self.statuses: Counter[str] = Counter()

    async def ask(self) -> float:
        """One lookup: milliseconds from the connect to the last variable, or to the end where none is set."""
        self._calls += 1
        number, channel = next(self._callers), f"{PBX}-{self._boot}.{self._calls}"
        environment = self._environment(number, channel)
        manager = self._manager
        if manager is not None:
            caller = {"CallerIDNum": number, "CallerIDName": "<unknown>", "Exten": "4008002000"}
            manager.say("Newchannel", channel, ChannelState="4", **caller)
        loop = asyncio.get_running_loop()
        begun = time.perf_counter()
        transport, session = await loop.create_connection(lambda: _Session(environment), "127.0.0.1", self._port)
        async with asyncio.timeout(ANSWER_LIMIT_S):
            status = await session.status
        taken = (time.perf_counter() - begun) * 1000
        transport.close()
        if manager is not None:
            loop.call_later(STAYS_S, lambda: manager.say("Hangup", channel, Cause="16"))
        self.statuses[status or "none"] += 1
        return taken

    def _environment(self, number: str, uniqueid: str) -> bytes:
        fields = {
            "network": "yes",
            "network_script": f"identify?pbx={PBX}",
            "request": f"agi://127.0.0.1:{self._port}/identify?pbx={PBX}",
            "channel": f"PJSIP/cti-trunk-{self._calls:08x}",
            "language": "en",
            "type": "PJSIP",
            "uniqueid": uniqueid,
            "version": "22.10.1",
            "callerid": number,
            "calleridname": "unknown",
            "callingpres": "0",
            "callingani2": "0",
            "callington": "0",
            "callingtns": "0",
            "dnid": "4008002000",
            "rdnis": "unknown",
            "context": "cti-identify",
            "extension": "s",
            "priority": "15",
            "enhanced": "0.0",
            "accountcode": "",
            "threadid": "1",
        }
        return "".join(f"agi_{name}: {value}\n" for name, value in fields.items()).encode() + b"\n"


class _Session(asyncio.Protocol):
    """One session. `status` becomes the CTI_STATUS that was set, or '' at the end without one."""

    def __init__(self, environment: bytes) -> None:
        self._environment = environment
        self._rest = b""
        self.status: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport) or hasattr(transport, "write")
        self._transport = transport
        self._write(self._environment)

    def data_received(self, data: bytes) -> None:
        *commands, self._rest = (self._rest + data).split(b"\n")
        self._write(b"200 result=1\n" * len(commands))
        for command in commands:
            if command.startswith(LAST) and not self.status.done():
                self.status.set_result(command.removeprefix(LAST).rstrip(b'"').decode())

    def eof_received(self) -> bool:
        self._end()
        return True  # the server has said all that it will, and still reads the replies

    def connection_lost(self, cause: Exception | None) -> None:
        self._end()

    def _end(self) -> None:
        if not self.status.done():
            self.status.set_result("")

    def _write(self, data: bytes) -> None:
        self._transport.write(data)
