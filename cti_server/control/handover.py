"""The handover capsule: what the colleague who gives a call away leaves for the one who takes it.

What was typed when sending is known here only, for as long as the call lives. Who gave it, who calls and what
they went through is on the floor, the draft note in the record: so a call that was transferred on a phone's own
keys, or before the server was restarted, has a capsule too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import structlog

from cti_server.floor.calls import Call
from cti_server.floor.parts import CONNECTED, Origin, Part
from cti_server.floor.standing import part_of
from cti_server.floor.times import iso
from cti_server.record.contacts import wrap_ups
from cti_server.record.database import Database

MAX_CALLS = 1000  # whose capsules are kept; past it those of calls that are over go first, then the oldest
MAX_SENT = 20  # of one call, the last ones
DRAFT_S = 1.0  # for the draft in the record; without it the call goes all the same
KINDS: dict[Origin, Literal["transfer", "consult"]] = {Origin.TRANSFER: "transfer", Origin.CONSULT: "consult"}

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Sent:
    """What one agent sent with a call. `to` is the colleague it is meant for, None for whoever takes it."""

    agent: int
    name: str
    kind: Literal["transfer", "consult"]
    at: float
    to: int | None = None
    said: str | None = None
    note: str | None = None
    code: str | None = None

    def view(self, call: Call) -> dict[str, Any]:
        """HandoverView of docs/api.md."""
        path = [{"step": s["step"], "choice": s["choice"], "at": iso(s["at"])} for s in call.path]
        return {
            "from": {"agent": self.agent, "name": self.name},
            "kind": self.kind,
            "note": self.note,
            "code": self.code,
            "match": call.match,
            "path": path,
            "said": self.said,
            "since": iso(self.at),
        }


class Handovers:
    """Capsules by call. `find` gives the live call of an id, also of one that was merged into another."""

    def __init__(self, find: Callable[[str], Call | None], database: Database) -> None:
        self._find = find
        self._database = database
        self._sent: dict[str, list[Sent]] = {}

    async def send(self, call: Call, sent: Sent) -> Sent:
        """Keep it, with the sender's draft as it is now. The transfer does not wait for a record that is away."""
        try:
            async with asyncio.timeout(DRAFT_S):
                sent = await self._with_draft(call, sent)
        except Exception:
            log.exception("handover.no_draft", call=call.id, agent=sent.agent)
        if call.id not in self._sent and len(self._sent) >= MAX_CALLS:
            self._forget()
        self._sent[call.id] = [*self._sent.get(call.id, ()), sent][-MAX_SENT:]
        return sent

    def withdraw(self, call: Call, sent: Sent) -> None:
        """The call did not go there."""
        left = [one for one in self._sent.pop(call.id, ()) if one is not sent]
        if left:
            self._sent[call.id] = left

    def view(self, call: str, agent: int) -> dict[str, Any] | None:
        """What this agent is told of the call that they were given, from memory; None when nobody gave it."""
        found = self._for(call, agent)
        return found[1].view(found[0]) if found is not None else None

    async def fresh(self, call: str, agent: int) -> dict[str, Any] | None:
        """The same with the sender's draft as it is by now."""
        found = self._for(call, agent)
        return (await self._with_draft(*found)).view(found[0]) if found is not None else None

    def _for(self, call: str, agent: int) -> tuple[Call, Sent] | None:
        live = self._find(call)
        if live is None:
            return None
        ids = [live.id, *(f"{live.pbx}:{live.boot}:{one}" for one in live.aliases)]
        known = [one for key in ids for one in self._sent.get(key, ())]
        meant = [one for one in known if one.agent != agent and one.to in (None, agent)]
        sent = max(meant, key=lambda one: one.at, default=None) or _told_by_floor(live, agent)
        return (live, sent) if sent is not None else None

    async def _with_draft(self, call: Call, sent: Sent) -> Sent:
        if call.interaction is None:
            return sent
        async with self._database.read() as conn:
            segment = await wrap_ups.mine(conn, call.interaction, sent.agent)
        if segment is None:
            return sent
        return replace(sent, note=segment.note or sent.note, code=segment.wrap_code or sent.code)

    def _forget(self) -> None:
        for key in [key for key in self._sent if self._find(key) is None]:
            del self._sent[key]
        while len(self._sent) >= MAX_CALLS:
            del self._sent[next(iter(self._sent))]


def _told_by_floor(call: Call, agent: int) -> Sent | None:
    """A call that came by transfer or consultation came from the agent who had it before."""
    mine = part_of(call, agent)
    if mine is None or mine.origin not in KINDS:
        return None
    gave = next((p for p in reversed(call.parts) if _gave(p, mine)), None)
    if gave is None or gave.agent is None:
        return None
    return Sent(gave.agent, gave.name, KINDS[mine.origin], mine.offered_at or mine.since, code=gave.wrap.code)


def _gave(part: Part, to: Part) -> bool:
    before = part.position < to.position and part.agent not in (None, to.agent)
    return before and (part.outcome == "transferred" or (part.open and part.state in CONNECTED))
