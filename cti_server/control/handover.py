"""The handover capsule: what the colleague who gives a call away leaves for the one who takes it.

Only this file keeps what the sender typed, for as long as the call lives. The floor knows who gave the call, who
calls and the caller's path, and the record holds the draft note. A call that was transferred with a phone's own
keys, or before the server was restarted, therefore has a capsule too.
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

MAX_CALLS = 1000  # calls with capsules; beyond it calls that are over are forgotten first, then the oldest
MAX_SENT = 20  # capsules kept for one call, the latest ones
DRAFT_S = 1.0  # to read the draft from the record; the call goes without it after that
KINDS: dict[Origin, Literal["transfer", "consult"]] = {Origin.TRANSFER: "transfer", Origin.CONSULT: "consult"}

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Sent:
    """What one agent left with a call; `at` in epoch seconds. `to` is the agent it is for, None for any taker."""

    agent: int
    name: str
    kind: Literal["transfer", "consult"]
    at: float
    to: int | None = None
    said: str | None = None
    note: str | None = None
    code: str | None = None

    def view(self, call: Call) -> dict[str, Any]:
        """The `HandoverView` of docs/api.md."""
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
    """Capsules by call. `find` gives the live call for an id, also for the id of a call merged into another."""

    def __init__(self, find: Callable[[str], Call | None], database: Database) -> None:
        self._find = find
        self._database = database
        self._sent: dict[str, list[Sent]] = {}

    async def send(self, call: Call, sent: Sent) -> Sent:
        """Keep the capsule with the sender's draft as it is now, and return it.

        The transfer waits `DRAFT_S` at most for the record.
        """
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
        """Forget a capsule that `send` returned, because the call did not go."""
        others = [capsule for capsule in self._sent.pop(call.id, ()) if capsule is not sent]
        if others:
            self._sent[call.id] = others

    def view(self, call: str, agent: int) -> dict[str, Any] | None:
        """The capsule for this agent, from memory; None when nobody gave them the call."""
        found = self._for(call, agent)
        return found[1].view(found[0]) if found is not None else None

    async def fresh(self, call: str, agent: int) -> dict[str, Any] | None:
        """As `view`, with the sender's draft read from the record now."""
        found = self._for(call, agent)
        return (await self._with_draft(*found)).view(found[0]) if found is not None else None

    def _for(self, call: str, agent: int) -> tuple[Call, Sent] | None:
        live = self._find(call)
        if live is None:
            return None
        ids = [live.id, *(f"{live.pbx}:{live.boot}:{alias}" for alias in live.aliases)]
        capsules = [capsule for key in ids for capsule in self._sent.get(key, ())]
        for_agent = [capsule for capsule in capsules if capsule.agent != agent and capsule.to in (None, agent)]
        sent = max(for_agent, key=lambda capsule: capsule.at, default=None) or _from_floor(live, agent)
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


def _from_floor(call: Call, agent: int) -> Sent | None:
    """The capsule of a call that came by transfer or consultation: its sender is the agent who had it before."""
    own = part_of(call, agent)
    if own is None or own.origin not in KINDS:
        return None
    gave = next((p for p in reversed(call.parts) if _gave(p, own)), None)
    if gave is None or gave.agent is None:
        return None
    return Sent(gave.agent, gave.name, KINDS[own.origin], own.offered_at or own.since, code=gave.wrap.code)


def _gave(part: Part, to: Part) -> bool:
    before = part.position < to.position and part.agent not in (None, to.agent)
    return before and (part.outcome == "transferred" or (part.open and part.state in CONNECTED))
