"""One AMI connection: it logs in, sends actions, and matches what comes back to the action that asked for it."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import ssl
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import cast

from cti_server.settings import Account
from cti_server.wire.ami import AmiDecoder, ListEnd, Message, NotAmi, encode
from cti_server.wire.text import NONE_DECLARED, Encodings

from .actions import Action, Challenge, Login, Logoff, new_action_id

CONNECT_S = 5.0
ANSWER_S = 10.0
#: Asterisk's answers to a wrong user or secret; it gives the same to an address that is not permitted
FINAL_REFUSALS = ("Authentication failed", "Permission denied")
# Who mends manager.conf needs no restart of ours. Not sooner: each try is a line in Asterisk's security log, which
# may ban an address, and counts against `authlimit`, the logins that manager.conf lets be under way at once.
REFUSED_AGAIN_S = 60.0
MAX_ROWS = 200_000  # rows of one list; a longer one ends in ListBroken
MAX_LIST = 16 << 20  # bytes of its rows: a row may be as long as MAX_MESSAGE, and a thousand of them a gigabyte
UNSENT_LIMIT = 1 << 20  # bytes waiting to be sent to a PBX that does not read; with more the connection is dropped


class LinkLost(ConnectionError):
    """The connection ended, or there was none. An action under way may have been done, or not."""


class Refused(PermissionError):
    """Asterisk refused the login of `user`: wrong user or secret, or an address that is not permitted,
    which it does not tell apart. It would again; whoever tries waits for `REFUSED_AGAIN_S`. `local` is our
    address towards it."""

    def __init__(self, said: str, user: str = "", local: str = "") -> None:
        super().__init__(said)
        self.user = user
        self.local = local

    def remedy(self, setting: str) -> str:
        """The line that mends it, where `setting` holds the secret."""
        permit = f"permit = {self.local}/255.255.255.255" if self.local else "permit = our address"
        secret = f"secret = the value of {setting}"
        return f"in [{self.user}] of manager_cti.conf: {secret}, {permit}; then: manager reload"


class ActionFailed(RuntimeError):
    """Asterisk answered `Response: Error`. The text is the answer's Message."""


class ListBroken(RuntimeError):
    """A list did not end in time, is too long, or has another number of rows than its end says."""


@dataclass(slots=True)
class Answer:
    """What Asterisk answered to one action: its response, and the rows in order where it lists something."""

    response: Message
    rows: list[Message] = field(default_factory=list)


@dataclass(slots=True)
class _Pending:
    action: Action
    done: asyncio.Future[Answer]
    answer: Answer | None = None
    size: int = 0  # bytes of the rows


class Session(asyncio.Protocol):
    """An AMI connection that is logged in. Get one from `open`, and close it; `closed` is done when it has ended.

    `on_event` is called with each event that is no row of an answer, in order. It holds up all reading, so it must
    return at once, and it must not raise. Without `on_event` Asterisk is asked to send no events.

    `heard_at` is when bytes came last, by the loop's clock.
    """

    def __init__(self, on_event: Callable[[Message], None] | None, encodings: Encodings = NONE_DECLARED) -> None:
        self._on_event = on_event
        self._decoder = AmiDecoder(encodings)
        self._pending: dict[str, _Pending] = {}
        self._transport: asyncio.Transport | None = None
        loop = asyncio.get_running_loop()
        self.closed: asyncio.Future[None] = loop.create_future()
        self.heard_at = loop.time()

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
        encodings: Encodings = NONE_DECLARED,
    ) -> Session:
        """Connect and log in; the caller closes the session. `encodings` are those of text that is not UTF-8.

        Raises Refused where another try would be refused too, and OSError, TimeoutError, LinkLost, NotAmi,
        ActionFailed or MissingHeader where it may succeed.
        """
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(CONNECT_S):
            _, session = await loop.create_connection(lambda: cls(on_event, encodings), host, port, ssl=tls)
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
                raise  # Asterisk may still hold an earlier session of this user open; that ends by itself
            own = self._transport.get_extra_info("sockname") if self._transport is not None else None
            local = str(own[0]).partition("%")[0] if own else ""
            raise Refused(f"Asterisk refused AMI user {account.user}: {failed}", account.user, local) from failed

    def close(self) -> None:
        """Log off and close, without waiting for an answer. Actions under way raise LinkLost."""
        if self._transport is not None and not self._transport.is_closing():
            with suppress(Exception):
                self._transport.write(encode([("Action", Logoff.name)]))
            self._transport.close()

    def drop(self, why: str) -> None:
        """End the connection with a reset: what the PBX has not taken yet is never delivered. A close would leave
        it to the system, which sends it once the network lets it through. Actions under way raise LinkLost."""
        if self._transport is not None and not self._transport.is_closing():
            with suppress(OSError, AttributeError):
                own = self._transport.get_extra_info("socket")
                own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._end(LinkLost(why))

    # --- asking ----------------------------------------------------------------------------------------

    async def ask(self, action: Action, timeout: float = ANSWER_S) -> Answer:
        """Send an action once and wait for its whole answer, at most `timeout` seconds.

        Raises ActionFailed for `Response: Error`, ListBroken for a list that is incomplete, TimeoutError without
        an answer in time, LinkLost when the connection ends first, UnsafeText when the action cannot be sent.
        After TimeoutError and LinkLost Asterisk may have done the action all the same.
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
        self._transport = cast(
            asyncio.Transport, transport
        )  # uvloop's class does not derive from asyncio.Transport

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
        """Hand a message with an ActionID to the action that it answers. False for an event that answers none."""
        pending = self._pending.get(message.get("ActionID") or "")
        if pending is None or pending.done.done():
            return message.event is None
        if message.event is None:
            self._take_response(pending, message)
        elif pending.answer is None:
            return False  # the list has not begun, so this is an event that our action caused, and no row
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
        pending.size += len(message.block)
        if len(answer.rows) > MAX_ROWS or pending.size > MAX_LIST:
            answer.rows.clear()
            much = f"more than {MAX_ROWS:,} rows or {MAX_LIST >> 20} MB"
            pending.done.set_exception(ListBroken(f"{pending.action.name}: {much}"))

    def _take_end(self, pending: _Pending, answer: Answer, end: ListEnd) -> None:
        if end.rows == len(answer.rows):
            pending.done.set_result(answer)
        else:
            claim = f"says {end.rows} rows, sent {len(answer.rows)}"
            pending.done.set_exception(ListBroken(f"{pending.action.name} {claim}"))
