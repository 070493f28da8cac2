"""Tickets for /ws: each opens one websocket, within `TICKET_LASTS` of being issued.

They are kept in the record, so that any process redeems what another has issued. While the record is away, a
session that this process has verified before gets one that this process alone redeems.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Final

from cti_server.api.known_holders import KnownHolders
from cti_server.api.principal import digest, must_set_up, second_factor_needed
from cti_server.api.together import Together
from cti_server.record.center import sessions
from cti_server.record.center.agents import Agent
from cti_server.record.database import Database
from cti_server.rules.facts import Role

TICKET_LASTS: Final = timedelta(seconds=30)


class Tickets:
    """Issues tickets to sessions, and redeems them. Requests of the same moment share a transaction.

    `second_factor_roles` are the roles whose sessions get none without a second factor.
    """

    def __init__(
        self,
        database: Database,
        now: Callable[[], datetime],
        second_factor_roles: Collection[Role] = (),
        known: KnownHolders | None = None,
    ) -> None:
        self._known = known or KnownHolders()
        self._own: dict[str, tuple[datetime, str]] = {}  # of this process: until when, and of which session
        self._database = database
        self._now = now
        self._second_factor_roles = second_factor_roles
        self._issuing: Together[str, str | bool] = Together(self._issue, "tickets issued")
        self._redeeming: Together[str, Agent | None] = Together(self._redeem, "tickets redeemed")

    async def issue(self, token: str) -> str | None:
        """A ticket for the session with this token; None for a token without a session. Raises a 403 problem for
        one that may not do anything yet."""
        try:
            issued = await self._issuing(digest(token))
        except Exception as cause:
            if not self._database.trouble.note(cause) or (own := self._issue_own(digest(token))) is None:
                raise
            return own
        if issued is True:
            raise second_factor_needed()
        return issued or None

    async def redeem(self, ticket: str) -> Agent | None:
        """Use up a ticket. Returns its agent; None for a used, expired or unknown one, or when they signed out."""
        until, token = self._own.pop(digest(ticket), (None, ""))
        if until is not None:
            now = self._now()
            holder = self._known.of(token, now) if now < until else None
            return holder.agent if holder is not None else None
        return await self._redeeming(digest(ticket))

    def _issue_own(self, token: str) -> str | None:
        now = self._now()
        holder = self._known.of(token, now)
        if holder is None or must_set_up(holder, self._second_factor_roles):
            return None
        self._own = {ticket: given for ticket, given in self._own.items() if now < given[0]}
        ticket = secrets.token_urlsafe(32)
        self._own[digest(ticket)] = now + TICKET_LASTS, token
        return ticket

    async def _issue(self, tokens: Sequence[str]) -> list[str | bool]:
        """A ticket for each; False for a token without a session, True for one that is held up."""
        now = self._now()
        async with self._database.begin() as conn:
            holders = await sessions.holders(conn, set(tokens), now)
            held_up = {
                token for token, holder in holders.items() if must_set_up(holder, self._second_factor_roles)
            }
            issued = [
                token in held_up if token not in holders or token in held_up else secrets.token_urlsafe(32)
                for token in tokens
            ]
            made = {
                digest(ticket): holders[token].agent.id
                for ticket, token in zip(issued, tokens, strict=True)
                if isinstance(ticket, str)
            }
            await sessions.issue_tickets(conn, made, now + TICKET_LASTS)
        return issued

    async def _redeem(self, tickets: Sequence[str]) -> list[Agent | None]:
        now = self._now()
        async with self._database.begin() as conn:
            redeemed = await sessions.redeem_tickets(conn, set(tickets), now)
            agents = await sessions.all_signed_in(conn, set(redeemed.values()), now)
        # `pop`, so that only the first of two who bring the same ticket at the same moment gets its agent.
        return [agents.get(redeemed.pop(ticket, 0)) for ticket in tickets]
