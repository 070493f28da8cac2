"""Asks a PBX to act: each action on the account of its role, and none twice that must not be done twice."""

from __future__ import annotations

import asyncio
import ssl
import time
from typing import Protocol

import structlog

from cti_server.settings import Account, PbxSettings
from cti_server.wire.ami import NotAmi

from .actions import Action, Role
from .link import tls_context
from .session import REFUSED_AGAIN_S, Answer, LinkLost, Refused, Session

COMMAND_S = 5.0

log = structlog.get_logger()


class NoAccount(LookupError):
    """No AMI user is configured for the role that this action needs."""


class Right(Protocol):
    """The right to order, of the process that is attached; `record.leases.Lease`."""

    async def assured(self) -> None:
        """Wait until it is known to hold. Raises ConnectionError."""
        ...

    def check(self) -> None:
        """Raises ConnectionError where it does not hold at this moment."""
        ...


class Commands:
    """The command connections of one PBX: one for each role, opened when first needed and kept while it
    lives. A role whose login was refused is not tried again for `REFUSED_AGAIN_S`, whoever asks meanwhile.

    Whoever made it calls `close` at the end.
    """

    def __init__(self, pbx: PbxSettings) -> None:
        self._pbx = pbx
        self._tls: ssl.SSLContext | None = None
        self._sessions: dict[Role, Session] = {}
        # One each: a login that hangs keeps nobody waiting but who needs the same role.
        self._opening = {role: asyncio.Lock() for role in Role}
        self._refused: dict[Role, tuple[float, str]] = {}  # when, by the monotonic clock, and with which words
        self.right: Right | None = None  # without one, whoever runs this answers for it (`cti-server detach`)

    async def run(self, action: Action) -> Answer:
        """Send the action and answer what the PBX said.

        Raises NoAccount, ActionFailed, or ConnectionError/TimeoutError when the PBX is out of reach. A connection
        that has died, or has said nothing since it was asked, is opened again before the action is sent; after it
        only when the action is idempotent. Without the right to order nothing is sent.
        """
        session = await self._session_now(action.role)
        asked_at = asyncio.get_running_loop().time()
        try:
            return await session.ask(action, COMMAND_S)
        except LinkLost:
            if not action.idempotent:
                raise
        except TimeoutError:
            if session.heard_at >= asked_at:
                raise  # it answers others
            session.drop(f"no answer in {COMMAND_S:g} s")  # half open, whatever TCP thinks
            if not action.idempotent:
                raise
        return await (await self._session_now(action.role)).ask(action, COMMAND_S)

    async def _session_now(self, role: Role) -> Session:
        """A session, and the right to order at this moment: `ask` writes before it waits."""
        if self.right is not None:
            await self.right.assured()
        session = await self._session(role)
        if self.right is not None:
            self.right.check()  # opening it may have taken long
        return session

    async def _session(self, role: Role) -> Session:
        account: Account | None = getattr(self._pbx, role.value)
        if account is None:
            raise NoAccount(
                f"no AMI user for role {role}: set CTI_AMI_{role.upper()}_USER and _SECRET for {self._pbx.name}"
            )
        async with self._opening[role]:
            open_session = self._sessions.get(role)
            if open_session is not None and not open_session.closed.done():
                return open_session
            self._tls = self._tls or tls_context(self._pbx)
            if (refused := self._refused.get(role)) is not None and time.monotonic() - refused[
                0
            ] < REFUSED_AGAIN_S:
                raise LinkLost(refused[1])
            try:
                session = await Session.open(
                    self._pbx.host, self._pbx.port, account, tls=self._tls, encodings=self._pbx.encodings
                )
            except Refused as cause:
                again = f"{cause}; the login is tried again after {REFUSED_AGAIN_S:g} s"
                self._refused[role] = time.monotonic(), again
                remedy = cause.remedy(f"CTI_AMI_{role.upper()}_SECRET of {self._pbx.name}")
                log.error("command.refused", pbx=self._pbx.name, reason=str(cause), remedy=remedy)
                raise LinkLost(str(cause)) from cause
            except NotAmi as cause:
                raise LinkLost(str(cause)) from cause
            self._refused.pop(role, None)
            self._sessions[role] = session
            return session

    def drop(self) -> None:
        """End the connections at once: another process may have the PBX from now on, and must not find an order of
        this one on its way yet. They are opened again when they are needed."""
        for session in self._sessions.values():
            session.drop("another process has the PBX")
        self._sessions.clear()

    def close(self) -> None:
        for session in self._sessions.values():
            session.close()
        self._sessions.clear()
