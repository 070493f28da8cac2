"""Tickets for /ws: each opens one websocket, within `TICKET_LASTS` of being issued."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from cti_server.api.principal import digest
from cti_server.api.together import Together
from cti_server.record.center import sessions
from cti_server.record.center.agents import Agent
from cti_server.record.database import Database

TICKET_LASTS: Final = timedelta(seconds=30)


class Tickets:
    """Issues tickets to sessions, and redeems them. Requests of the same moment share a transaction."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now
        self._issuing: Together[str, str | None] = Together(self._issue, "tickets issued")
        self._redeeming: Together[str, Agent | None] = Together(self._redeem, "tickets redeemed")

    async def issue(self, token: str) -> str | None:
        """A ticket for the session with this token; None for a token without a session."""
        return await self._issuing(digest(token))

    async def redeem(self, ticket: str) -> Agent | None:
        """Use up a ticket. Returns its agent; None for a used, expired or unknown one, or when they signed out."""
        return await self._redeeming(digest(ticket))

    async def _issue(self, tokens: Sequence[str]) -> list[str | None]:
        now = self._now()
        async with self._database.begin() as conn:
            agents = await sessions.agents_of(conn, set(tokens), now)
            issued = [secrets.token_urlsafe(32) if token in agents else None for token in tokens]
            made = {
                digest(ticket): agents[token].id
                for ticket, token in zip(issued, tokens, strict=True)
                if ticket is not None
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
