"""Find out who is calling and what they are entitled to: the answer to the PBX, and the card for the desktop.

There are two questions, one statement each, because they differ in urgency: the person on the line waits for
`identify`, while `card` adds the background when the queue is already looking for an agent. `identify` has no
deadline of its own; its caller must set one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from cti_server.lookup.card import Background, card
from cti_server.lookup.places import NoPlaces, Places
from cti_server.lookup.shapes import Card
from cti_server.record import card_facts
from cti_server.record.center import lines
from cti_server.record.crm import contact_points, customers
from cti_server.record.database import Database
from cti_server.record.engines import Connection
from cti_server.rules.facts import Contract, Customer, Line, Reason
from cti_server.rules.match import Candidate, Match, match
from cti_server.rules.numbers import MAX_RAW, Number, area_code_of, normalise
from cti_server.rules.priority import priority
from cti_server.rules.verdict import Verdict, verdict
from cti_server.rules.why import why

LINES_FRESH_FOR: Final = 15.0  # seconds; a line that an administrator adds works after that
SENT_S: Final = 0.001  # from what was found to the socket
GIVES_WAY_S: Final = 0.02  # how long other work waits for the answers to callers on the line

_UNKNOWN: Final = Verdict("none", Reason("customer.unknown"), None)
NOBODY: Final = card_facts.Callers((), ())


@dataclass(frozen=True, slots=True)
class Identified:
    """Who is calling. `customer` is set only when nobody else is as likely; `match.candidates` has everybody."""

    number: Number
    ani_name: str | None
    dnis: str | None
    line: Line | None
    match: Match
    verdict: Verdict
    priority: int
    language: str | None
    at: datetime

    @property
    def customer(self) -> Customer | None:
        return self.match.customer

    @property
    def agent_seat(self) -> str | None:
        """The phone of the customer's preferred agent, `PJSIP/1001`."""
        agent = self.customer.preferred_agent if self.customer else None
        return agent.seat if agent else None


class Lookup:
    """Reads the record for callers. One for the whole server; safe to use from many tasks."""

    def __init__(
        self,
        database: Database,
        *,
        default_region: str = "CN",
        places: Places | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._region = default_region
        self._places = places or NoPlaces()
        self._now = now
        self._monotonic = monotonic
        self._waiting = 0  # callers on the line whose answer is being looked up
        self._calm = asyncio.Event()
        self._reading_lines = asyncio.Lock()
        self._lines: dict[str, Line] = {}
        self._lines_read_at: float | None = None

    async def identify(
        self,
        pbx: str,
        ani: str | None,
        ani_name: str | None = None,
        dnis: str | None = None,
        at: datetime | None = None,
        *,
        secret: str | None = None,
    ) -> Identified:
        """Who calls from `ani` on the line `dnis`. `pbx` is the PBX's name; all PBXs share one set of lines.

        A `secret` number finds the customer in place of `ani`, and is not in the answer.
        """
        at = at or self._now()
        with self._waited_for():
            line = await self.line(dnis)
            number = self.number(ani, line)
            shown_by = self.number(secret, line) if secret else number
            known = await card_facts.callers(self._database, shown_by.e164) if shown_by.e164 else NOBODY
        found = match(shown_by, known.holders, known.people)
        judged = _UNKNOWN
        if found.customer is not None:
            judged = _judge(found.customer, known.entitling(found.customer), at)
        return _identified(number, ani_name, dnis, line, found, judged, at)

    async def choose(
        self, identified: Identified, customer_id: int, agent_id: int, at: datetime
    ) -> Identified | None:
        """An agent says who the caller is: remember it for this number. None when there is no such customer."""
        number = identified.number
        async with self._database.begin() as conn:
            customer = await customers.get(conn, customer_id)
            if customer is None:
                return None
            if number.e164:
                await contact_points.choose(conn, number.e164, customer_id, agent_id, at)
            found = _chosen(await _match(conn, number), customer)
            judged = await _verdict(conn, customer, identified.at)
        return _identified(
            number, identified.ani_name, identified.dnis, identified.line, found, judged, identified.at
        )

    async def showing(self, identified: Identified, customer_id: int) -> Identified | None:
        """The same caller with this customer picked, without remembering the choice: a person made it before. None
        when there is no such customer."""
        async with self._database.read() as conn:
            customer = await customers.get(conn, customer_id)
            if customer is None:
                return None
            found = _chosen(await _match(conn, identified.number), customer)
            judged = await _verdict(conn, customer, identified.at)
        return _identified(
            identified.number, identified.ani_name, identified.dnis, identified.line, found, judged, identified.at
        )

    async def card(self, call: str, identified: Identified, interaction: int | None = None) -> Card:
        """The card of `call` for this caller. `interaction` is the call's own; it is kept out of the history."""
        customer = identified.customer
        facts = None
        if customer is not None:
            await self.calm()
            facts = await card_facts.card(self._database, customer.id, interaction, identified.at)
        if facts is None:  # nobody was picked, or the customer was deleted meanwhile
            found = replace(identified.match, customer=None)
            return card(call, identified.number, found, _UNKNOWN, Background(), (), self._places)
        judged = _judge(facts.customer, facts.contracts, identified.at)
        return card(
            call,
            identified.number,
            replace(identified.match, customer=facts.customer),
            judged,
            Background(facts.products, facts.cases, facts.notes, facts.recent, facts.promises),
            why(facts.cases, facts.recent, judged, identified.at, facts.promises),
            self._places,
        )

    @contextmanager
    def _waited_for(self) -> Iterator[None]:
        """While somebody on the line waits for an answer, and until it is on its way, other work waits too."""
        self._waiting += 1
        self._calm.clear()
        try:
            yield
        finally:
            asyncio.get_running_loop().call_later(SENT_S, self._answered)

    def _answered(self) -> None:
        self._waiting -= 1
        if not self._waiting:
            self._calm.set()

    async def calm(self) -> None:
        """Return once nobody on the line waits for an answer, or GIVES_WAY_S later. For work that can wait."""
        if self._waiting:
            with suppress(TimeoutError):
                async with asyncio.timeout(GIVES_WAY_S):
                    await self._calm.wait()

    def number(self, raw: str | None, line: Line | None = None) -> Number:
        """`raw` read by the rules of the line's region; without a line, of the server's default region."""
        if line is None:
            return normalise(raw, self._region)
        return normalise(raw, line.region, area_code=area_code_of(line.e164))

    async def line(self, dnis: str | None) -> Line | None:
        """The line with this DNIS; None when the record has none. Lines are few and every call asks for one, so
        they are kept for LINES_FRESH_FOR."""
        if not dnis or len(dnis) > MAX_RAW:
            return None
        if not self._lines_are_fresh():
            async with self._reading_lines:
                if not self._lines_are_fresh():  # for whoever was first
                    await self._read_lines()
        if dnis in self._lines:
            return self._lines[dnis]
        e164 = normalise(dnis, self._region).e164
        return self._lines.get(e164) if e164 else None

    def _lines_are_fresh(self) -> bool:
        read_at = self._lines_read_at
        return read_at is not None and self._monotonic() - read_at <= LINES_FRESH_FOR

    async def _read_lines(self) -> None:
        at = self._monotonic()
        async with self._database.read() as conn:
            found = await lines.all_lines(conn)
        kept: dict[str, Line] = {}
        for line in found:
            for key in (line.raw, line.e164):
                if key:
                    kept.setdefault(key, line)
        self._lines, self._lines_read_at = kept, at


async def _match(conn: Connection, number: Number) -> Match:
    if number.e164 is None:
        return match(number, ())
    found = await card_facts.callers(conn, number.e164)
    return match(number, found.holders, found.people)


async def _verdict(conn: Connection, customer: Customer | None, at: datetime) -> Verdict:
    if customer is None:
        return _UNKNOWN
    return _judge(customer, await card_facts.entitlements(conn, customer), at)


def _judge(customer: Customer, contracts: Sequence[Contract], at: datetime) -> Verdict:
    return verdict(contracts, at, customer.time_zone, customer.company)


def _chosen(found: Match, customer: Customer) -> Match:
    """The match with the agent's choice picked and put first, whatever the evidence says."""
    others = tuple(candidate for candidate in found.candidates if candidate.customer.id != customer.id)
    standings = [candidate.standing for candidate in found.candidates if candidate.customer.id == customer.id]
    times = [
        candidate.reason.params.get("times")
        for candidate in found.candidates
        if candidate.customer.id == customer.id
    ]
    reason = Reason("chosen_before", {"times": times[0] if times and times[0] else 1})
    standing = standings[0] if standings else "guess"
    return Match(standing, reason, (Candidate(customer, standing, reason), *others), customer)


def _identified(
    number: Number,
    ani_name: str | None,
    dnis: str | None,
    line: Line | None,
    found: Match,
    judged: Verdict,
    at: datetime,
) -> Identified:
    customer = found.customer
    return Identified(
        number=number,
        ani_name=ani_name,
        dnis=dnis,
        line=line,
        match=found,
        verdict=judged,
        priority=priority(judged, customer.tier if customer else None),
        language=(customer.language if customer else None) or (line.language if line else None),
        at=at,
    )
