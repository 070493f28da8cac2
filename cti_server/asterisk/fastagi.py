"""The FastAGI server: it accepts sessions from Asterisk and runs for each the dialogue that its URL names.

FastAGI has no authentication, so only addresses on the allow-list are served and, where one is set, only sessions
whose URL has the token. Size, time and number of sessions are limited. A session that breaks a limit is closed,
and its dialplan goes on as if this server were down.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

import structlog

from cti_server.wire.agi import AgiDecoder, AgiViolation, HungUp, Reply, UnsafeCommand, command, query_of
from cti_server.wire.text import NONE_DECLARED, Encodings

MAX_SESSIONS = 500  # at once; one more is closed before a byte of it is read, or takes a silent one's place
GIVES_WAY_S = (
    0.25  # Asterisk sends the environment with the connection; who has not by then gives way at the limit
)
CLOSE_S = 1.0  # for the other end to take what it was sent
ENVIRONMENT_S = 2.0  # from connect to the end of the environment, however many chunks it comes in
REPLY_S = 2.0  # from a command to its reply
SESSION_S = 10.0  # for a whole dialogue
CHUNK = 4096
MAX_LOGGED = 100  # warnings of one kind that are logged; after them every hundredth is

log = structlog.get_logger()


class AgiSession:
    """One session while its dialogue runs. The dialogue sends one command at a time; `finish` is its last word.

    `env` is the environment as Asterisk sent it (`agi_uniqueid` …), `script` and `query` are from the URL.
    `hung_up` is True once Asterisk has said so; commands may still be sent.
    """

    def __init__(self, decoder: AgiDecoder, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._decoder, self._reader, self._writer = decoder, reader, writer
        assert decoder.environment is not None
        self.env: Mapping[str, str] = decoder.environment
        self.script = self.env.get("agi_network_script", "").partition("?")[0]
        self.query = query_of(self.env)
        self.hung_up = False

    async def run(self, verb: str, *arguments: str) -> Reply:
        """Send one command and wait for its reply, which may say that the command failed: see Reply.ok.

        Raises UnsafeCommand before anything is sent, AgiViolation, TimeoutError, or ConnectionError at the end.
        """
        self._writer.write(command(verb, *arguments))
        try:
            async with asyncio.timeout(REPLY_S):
                return await self._reply()
        except TimeoutError:
            raise TimeoutError(f"no reply to {verb} in {REPLY_S:g} s") from None

    async def _reply(self) -> Reply:
        await self._writer.drain()
        while True:
            for answer in await self._more():
                if isinstance(answer, Reply):
                    return answer
                self.hung_up = True

    async def finish(self, variables: Mapping[str, str]) -> None:
        """Set these channel variables in their order, all at once, and end the session: no command may follow.

        Asterisk waits for the socket, but reads it through a buffer: of lines that arrive together the first is
        carried out, and the others lie in the buffer until more arrives. At its end a socket is always readable,
        so what ends the session makes Asterisk carry out line after line. Raises what `run` raises.
        """
        self._writer.write(b"".join(command("SET VARIABLE", *pair) for pair in variables.items()))
        self._writer.write_eof()
        replies = 0
        try:
            async with asyncio.timeout(REPLY_S):
                while replies < len(variables):
                    replies += sum(isinstance(answer, Reply) for answer in await self._more())
        except TimeoutError:
            raise TimeoutError(f"{replies} of {len(variables)} variables set in {REPLY_S:g} s") from None

    async def _more(self) -> Sequence[Reply | HungUp]:
        chunk = await self._reader.read(CHUNK)
        if not chunk:
            raise ConnectionResetError("Asterisk closed the AGI session")
        return self._decoder.feed(chunk)


class WrongToken(Exception):
    """The session's URL has another token than the settings, or none."""


def _same(shown: str, token: str) -> bool:
    return hmac.compare_digest(shown.encode("utf-8", "surrogatepass"), token.encode())


Dialogue = Callable[[AgiSession], Awaitable[None]]


class FastAgiServer:
    """Runs `dialogues` by the path of the AGI URL: `agi://host:4573/identify?pbx=main` runs `identify`.

    Use it as an async context manager: it listens inside, and cancels running dialogues at the end. `allow` lists
    networks (`10.0.0.0/8`). `port` is the port that is bound, also where 0 was asked for. `served` counts sessions
    whose dialogue began, `warnings` those that were closed, by kind. `encodings` has those of each PBX; a session
    whose URL names none has those of the first. `token` is what each URL must show: whoever may connect could else
    ask whose a number is, and give a live call another caller.
    """

    def __init__(
        self,
        host: str,
        port: int,
        allow: Sequence[str],
        dialogues: Mapping[str, Dialogue],
        encodings: Mapping[str, Encodings] | None = None,
        token: str = "",
    ) -> None:
        self._token = token
        self._host, self.port = host, port
        self._encodings = encodings or {}
        self._allow = [ipaddress.ip_network(network, strict=False) for network in allow]
        self._dialogues = dialogues
        self._open = 0
        self._silent: dict[asyncio.StreamWriter, float] = {}  # without their environment, since when, oldest first
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.served = 0
        self.warnings: Counter[str] = Counter()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, self._host, self.port, limit=CHUNK * 4)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._open += 1
        try:
            await self._admit(reader, writer)
        except asyncio.CancelledError:
            pass  # the server is closing; the dialplan goes on without an answer
        finally:
            self._open -= 1
            self._tasks.discard(task)
            writer.close()
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(CLOSE_S):
                    await writer.wait_closed()
            writer.transport.abort()  # where the other end does not even take its last command

    async def _admit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = writer.get_extra_info("peername")
        address = ipaddress.ip_address(peer[0].split("%")[0])
        if not any(address in network for network in self._allow):
            self._warn("not allowed", "address not in CTI_FASTAGI_ALLOW", peer[0])
        elif self._open > MAX_SESSIONS and not self._made_way():
            self._warn("too many", f"more than {MAX_SESSIONS} sessions at once", peer[0])
        else:
            try:
                async with asyncio.timeout(SESSION_S):
                    await self._serve(reader, writer)
            except TimeoutError as cause:
                self._warn("too slow", str(cause) or f"a session of more than {SESSION_S:g} s", peer[0])
            except OSError as cause:
                self._warn("closed early", str(cause), peer[0])
            except WrongToken as cause:
                self._warn("wrong token", str(cause), peer[0])
            except (AgiViolation, UnsafeCommand) as cause:
                self._warn("not AGI", str(cause), peer[0])

    def _made_way(self) -> bool:
        """Whether the session that has been silent longest was long enough so to be closed for a new one."""
        oldest = next(iter(self._silent), None)
        if oldest is None or asyncio.get_running_loop().time() - self._silent[oldest] < GIVES_WAY_S:
            return False
        del self._silent[oldest]
        oldest.transport.abort()
        return True

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._silent[writer] = asyncio.get_running_loop().time()
        try:
            decoder = await self._heard(reader)
        finally:
            self._silent.pop(writer, None)
        session = AgiSession(decoder, reader, writer)
        if self._token and not _same(session.query.get("token", ""), self._token):
            raise WrongToken("its URL does not show the token of CTI_FASTAGI_TOKEN; cti_site.conf has CTI_TOKEN")
        dialogue = self._dialogues.get(session.script.strip("/"))
        if dialogue is None:
            raise AgiViolation(f"no dialogue {session.script!r}; the dialplan should call agi://…/identify")
        self.served += 1
        await dialogue(session)

    async def _heard(self, reader: asyncio.StreamReader) -> AgiDecoder:
        """The decoder of a session once it has the whole environment."""
        decoder = AgiDecoder(self._declared)
        try:
            async with asyncio.timeout(ENVIRONMENT_S):
                while decoder.environment is None:
                    chunk = await reader.read(CHUNK)
                    if not chunk:
                        raise ConnectionResetError("closed before its AGI environment was complete")
                    decoder.feed(chunk)
        except TimeoutError:
            raise TimeoutError(f"AGI environment not complete in {ENVIRONMENT_S:g} s") from None
        return decoder

    def _declared(self, env: Mapping[str, str]) -> str | None:
        first = next(iter(self._encodings.values()), NONE_DECLARED)
        return self._encodings.get(query_of(env).get("pbx", ""), first).of(env.get("agi_channel"))

    def _warn(self, kind: str, cause: str, peer: str) -> None:
        """Count a closed connection and log it, of many only some. A peer must not be able to choose `kind`."""
        self.warnings[kind] += 1
        if self.warnings[kind] <= MAX_LOGGED or self.warnings[kind] % MAX_LOGGED == 0:
            log.warning("fastagi.closed", kind=kind, cause=cause[:200], peer=peer, so_far=self.warnings[kind])
