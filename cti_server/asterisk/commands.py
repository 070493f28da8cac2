"""Asking a PBX to act, each action on the account of its role, never twice when it may not be."""

from __future__ import annotations

import asyncio
import ssl

from cti_server.settings import Account, PbxSettings
from cti_server.wire.ami import NotAmi

from .actions import Action, Role
from .link import tls_context
from .session import Answer, LinkLost, Refused, Session

COMMAND_S = 5.0


class NoAccount(LookupError):
    """No AMI user is configured for the role that this action needs."""


class Commands:
    """Command connections of one PBX: one a role, opened when first needed, kept while it lives."""

    def __init__(self, pbx: PbxSettings) -> None:
        self._pbx = pbx
        self._tls: ssl.SSLContext | None = None
        self._sessions: dict[Role, Session] = {}
        self._opening = asyncio.Lock()

    async def run(self, action: Action) -> Answer:
        """Do it. Raises NoAccount, ActionFailed, or ConnectionError/TimeoutError when the PBX is out of reach.

        A connection that has died is opened again before the action is sent, never after.
        """
        session = await self._session(action.role)
        try:
            return await session.ask(action, COMMAND_S)
        except LinkLost:
            if not action.idempotent:
                raise
            return await (await self._session(action.role)).ask(action, COMMAND_S)

    async def _session(self, role: Role) -> Session:
        account: Account | None = getattr(self._pbx, role.value)
        if account is None:
            raise NoAccount(
                f"no AMI user for role {role}: set CTI_AMI_{role.upper()}_USER and _SECRET for {self._pbx.name}"
            )
        async with self._opening:
            known = self._sessions.get(role)
            if known is not None and not known.closed.done():
                return known
            self._tls = self._tls or tls_context(self._pbx)
            try:
                session = await Session.open(self._pbx.host, self._pbx.port, account, tls=self._tls)
            except (NotAmi, Refused) as cause:
                raise LinkLost(str(cause)) from cause
            self._sessions[role] = session
            return session

    def close(self) -> None:
        for session in self._sessions.values():
            session.close()
        self._sessions.clear()
