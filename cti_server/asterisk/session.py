"""One logged-in manager connection: bytes in and out, and which answer belongs to which action."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import cast

from cti_server.settings import Account
from cti_server.wire.ami import AmiDecoder, ListEnd, Message, NotAmi, encode

from .actions import Action, Challenge, Login, Logoff, new_action_id

CONNECT_S = 5.0
ANSWER_S = 10.0
#: what Asterisk says to a wrong user or secret; an address that is not permitted gets the same answer
FINAL_REFUSALS = ("Authentication failed", "Permission denied")
MAX_ROWS = 200_000  # rows of one list; past it the answer is given up
UNSENT_LIMIT = 1 << 20  # bytes waiting to be sent to a PBX that does not read; past it the link is dropped


class LinkLost(ConnectionError):
    """The connection ended; actions under way got no answer."""


class Refused(PermissionError):
    """Asterisk knows us not: wrong user or secret, or our address is not permitted. Trying again is hammering."""


class ActionFailed(RuntimeError):
    """Asterisk answered `Response: Error`; the text is its Message."""


class ListBroken(RuntimeError):
    """A list answer did not complete, or its count does not match its rows."""


@dataclass(slots=True)
class Answer:
    """What came back: the response, and the rows where the action lists something."""

    response: Message
    rows: list[Message] = field(default_factory=list)


@dataclass(slots=True)
class _Pending:
    action: Action
    done: asyncio.Future[Answer]
    answer: Answer | None = None


class Session(asyncio.Protocol):
    """An AMI connection. `on_event` is called for each event, in order, from the read loop; it must be quick."""

    def __init__(self, on_event: Callable[[Message], None] | None) -> None:
        self._on_event = on_event
        self._decoder = AmiDecoder()
        self._pending: dict[str, _Pending] = {}
        self._transport: asyncio.Transport | None = None
        loop = asyncio.get_running_loop()
        self.closed: asyncio.Future[None] = loop.create_future()
        self.heard_at = loop.time()
        self.malformed = 0

    # --- opening and closing ---------------------------------------------------------------------------

    @classmethod
    async def open(
        cls,
        host: str,
        port: int,
        account: Account,
        *,
        tls: ssl.SSLContext | None = None,
        on_event: Callable[[Message], None] | None = None,
    ) -> Session:
        """Connect and log in. Raises Refused, or OSError, TimeoutError, LinkLost or NotAmi worth a new try."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(CONNECT_S):
            _, session = await loop.create_connection(lambda: cls(on_event), host, port, ssl=tls)
        try:
            await session._log_in(account)
        except BaseException:
            session.close()
            raise
        return session

    async def _log_in(self, account: Account) -> None:
        challenge = (await self.ask(Challenge(), CONNECT_S)).response["Challenge"]
        secret = account.secret.get_secret_value()
        # MD5 is what the protocol defines (Challenge, AuthType MD5); over TLS it adds nothing.
        key = hashlib.md5((challenge + secret).encode(), usedforsecurity=False).hexdigest()
        try:
            await self.ask(Login(account.user, key, events=self._on_event is not None), CONNECT_S)
        except ActionFailed as failed:
            if str(failed) not in FINAL_REFUSALS:
                raise  # such as a session of ours that Asterisk still holds open: it passes
            raise Refused(f"Asterisk refused AMI user {account.user}: {failed}") from failed

    def close(self) -> None:
        """Log off without waiting."""
        if self._transport is not None and not self._transport.is_closing():
            with suppress(Exception):
                self._transport.write(encode([("Action", Logoff.name)]))
            self._transport.close()

    # --- asking ----------------------------------------------------------------------------------------

    async def ask(self, action: Action, timeout: float = ANSWER_S) -> Answer:
        """Send an action and wait for its whole answer.

        Raises ActionFailed for `Response: Error`, ListBroken for a list that is not what it says, TimeoutError
        for none in time, LinkLost when the connection ends first.
        """
        if self._transport is None or self._transport.is_closing():
            raise LinkLost("not connected")
        if self._transport.get_write_buffer_size() > UNSENT_LIMIT:
            self._transport.abort()
            raise LinkLost("Asterisk does not read what we send")
        action_id = new_action_id()
        wire = encode([("Action", action.name), ("ActionID", action_id), *action.headers()])
        pending = _Pending(action, asyncio.get_running_loop().create_future())
        self._pending[action_id] = pending
        self._transport.write(wire)
        try:
            async with asyncio.timeout(timeout):
                return await pending.done
        except TimeoutError:
            if pending.answer is not None:
                raise ListBroken(f"{action.name}: the list did not complete in {timeout:g} s") from None
            raise TimeoutError(f"{action.name}: no answer in {timeout:g} s") from None
        finally:
            self._pending.pop(action_id, None)

    # --- asyncio.Protocol ------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one, but does not derive from it

    def data_received(self, data: bytes) -> None:
        self.heard_at = asyncio.get_running_loop().time()
        try:
            messages = self._decoder.feed(data)
        except NotAmi as error:
            self._end(error)
            return
        for message in messages:
            if b"\r\nActionID: " in message.block and self._take_answer(message):
                continue
            if message.event is not None and self._on_event is not None:
                self._on_event(message)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(exc)

    def _end(self, error: Exception | None) -> None:
        if self._transport is not None:
            self._transport.abort()
        lost = LinkLost(str(error) if error is not None else "Asterisk closed the connection")
        for pending in self._pending.values():
            if not pending.done.done():
                pending.done.set_exception(error if isinstance(error, NotAmi) else lost)
        if not self.closed.done():
            self.closed.set_result(None)

    # --- matching answers ------------------------------------------------------------------------------

    def _take_answer(self, message: Message) -> bool:
        """Whether the message answers an action of ours. An event that only names a foreign id does not."""
        pending = self._pending.get(message.get("ActionID") or "")
        if pending is None or pending.done.done():
            return message.event is None
        if message.event is None:
            self._take_response(pending, message)
        elif pending.answer is None:
            return False  # an event that our action caused, not a row: the list has not begun
        elif (end := ListEnd.of(message)) is not None:
            self._take_end(pending, pending.answer, end)
        else:
            self._take_row(pending, pending.answer, message)
        return True

    def _take_response(self, pending: _Pending, message: Message) -> None:
        if message.get("Response") == "Error":
            pending.done.set_exception(ActionFailed(message.get("Message") or "no reason given"))
            return
        pending.answer = Answer(message)
        if not pending.action.is_list:
            pending.done.set_result(pending.answer)

    def _take_row(self, pending: _Pending, answer: Answer, message: Message) -> None:
        answer.rows.append(message)
        if len(answer.rows) > MAX_ROWS:
            pending.done.set_exception(ListBroken(f"{pending.action.name}: more than {MAX_ROWS} rows"))

    def _take_end(self, pending: _Pending, answer: Answer, end: ListEnd) -> None:
        if end.rows == len(answer.rows):
            pending.done.set_result(answer)
        else:
            claim = f"says {end.rows} rows, sent {len(answer.rows)}"
            pending.done.set_exception(ListBroken(f"{pending.action.name} {claim}"))
