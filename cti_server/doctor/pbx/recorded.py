"""What the record knows about the PBXs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cti_server.record.center import agents, dial_policies, lines, phone_passwords, phones, queues, shifts
from cti_server.record.center.agents import Agent
from cti_server.record.center.phone_passwords import Holder
from cti_server.record.center.phones import Phone
from cti_server.record.center.queues import Queue
from cti_server.record.database import Database
from cti_server.rules.dial_policy import DEFAULT, Policy
from cti_server.rules.facts import Line


@dataclass(frozen=True, slots=True)
class Recorded:
    """`on_shift`: (PBX, seat) of each agent who is at work, as this database has it. `holders`: who was given the
    password of which phone."""

    agents: Sequence[Agent]
    queues: Sequence[Queue]
    lines: Sequence[Line]
    phones: Sequence[Phone] = ()
    on_shift: frozenset[tuple[str, str]] = frozenset()
    holders: Sequence[Holder] = ()
    policy: Policy = DEFAULT

    def agents_at(self, pbx: str) -> list[Agent]:
        """Those who have a phone at this PBX."""
        return [agent for agent in self.agents if agent.seat is not None and agent.pbx == pbx]

    def browsers_at(self, pbx: str) -> list[Phone]:
        return [phone for phone in self.phones if phone.kind == "browser" and phone.pbx == pbx]


async def read(url: str) -> Recorded:
    async with Database(url, pool_size=1) as database, database.read() as conn:
        return Recorded(
            await agents.all_active(conn),
            await queues.all_queues(conn),
            await lines.all_lines(conn),
            await phones.all_phones(conn),
            frozenset((shift.pbx, shift.seat) for shift in await shifts.all_open(conn)),
            await phone_passwords.holders(conn),
            (await dial_policies.current(conn)).policy,
        )
