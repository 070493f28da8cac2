"""The test call at the end of an attachment: a real one through the PBX's dialplan, and the card that it gave."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime

from cti_server.asterisk.actions import Action, Role
from cti_server.asterisk.commands import Commands
from cti_server.record.contacts import history
from cti_server.record.contacts.history import Filter, Interaction
from cti_server.record.crm import contact_points
from cti_server.record.database import Database
from cti_server.settings import PbxSettings

from .steps import QueueStep
from .terminal import Terminal

CALL_S = 20  # how long the call that the PBX places stays
SEEN_S = 30.0  # for the card; an IVR may come first
RINGS_S = 8.0  # how long a phone may take to ring before the card is shown without
POLL_S = 0.5


@dataclass(frozen=True, slots=True)
class PlaceCall(Action):
    """A call from nowhere to a number of this PBX: its near end only waits, its far end runs the dialplan."""

    name = "Originate"
    role = Role.ORIGINATE
    idempotent = False
    context: str
    exten: str
    number: str

    def headers(self) -> list[tuple[str, str]]:
        return [
            ("Channel", f"Local/{self.exten}@{self.context}/n"),
            ("Application", "Wait"),
            ("Data", str(CALL_S)),
            ("CallerID", f'"Test" <{self.number}>'),
            ("Async", "true"),
        ]


async def a_known_number(database: Database) -> str | None:
    """The number of a customer in the record; None without customers."""
    async with database.read() as conn:
        return await contact_points.any_number(conn)


async def place(pbx: PbxSettings, step: QueueStep, number: str) -> None:
    """Call the step's number as this caller. Raises what Commands.run raises."""
    commands = Commands(pbx)
    try:
        await commands.run(PlaceCall(step.line.section, step.exten, number))
    finally:
        commands.close()


async def seen(database: Database, pbx: str, since: datetime) -> Interaction | None:
    """The first call at this PBX that was looked up since then; None when there is none in time."""
    limit = asyncio.get_running_loop().time() + SEEN_S
    while asyncio.get_running_loop().time() < limit:
        async with database.read() as conn:
            rows = (await history.page(conn, Filter(since=since), limit=10)).items
        looked_up = [row for row in rows if row.pbx == pbx and row.match_standing not in (None, "pending")]
        ringing = next((row for row in looked_up if row.segments), None)
        waited = asyncio.get_running_loop().time() > limit - SEEN_S + RINGS_S
        if ringing is not None or (looked_up and waited):
            return ringing or looked_up[0]
        await asyncio.sleep(POLL_S)
    return None


def show(call: Interaction, number: str | None, exten: str | None, terminal: Terminal) -> None:
    """The card, as far as a terminal shows one. `number` called `exten`, where we placed the call."""
    who = call.customer_name or "nobody whom the record knows"
    verdict = (call.verdict or {}).get("code")
    rang = ", ".join(sorted({s.agent_name or s.seat or "" for s in call.segments})) or "no phone yet"
    caller = number or call.ani_e164 or call.ani_raw or "a caller without a number"
    terminal.good(f"{caller} called {exten or call.dnis or 'a line'}")
    terminal.say(f"      {who}" + (f" · {call.customer_tier}" if call.customer_tier else ""), "bold")
    terminal.say(
        f"      match: {call.match_standing} · contract: {verdict or 'none'} · queue: {call.queue or 'none'}"
    )
    terminal.say(f"      rings: {rang}")
