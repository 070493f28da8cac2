"""The live side as the API and the websocket see it: the floors of all PBXs read as one, and commands to them."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import structlog

from .api.desk import Desk
from .api.ports import CommandRefused
from .api.principal import Principal
from .asterisk.actions import QueuePause
from .asterisk.commands import NoAccount
from .asterisk.session import ActionFailed
from .attachment import Attachment
from .floor.calls import Call
from .floor.desk_signals import WrapUpFinished
from .floor.signals import LinkState
from .lookup.identify import Identified
from .lookup.shapes import Card
from .pipeline import frame_of, missed
from .push.frames import Frame, Positions
from .push.hub import Hub, Viewer
from .push.session import Missed
from .record import history, journal, sessions
from .record.database import Database

MAX_MISSED = 5_000  # events of a stream; past it a snapshot is less to read, and to send, than what was missed
NOT_LIVE = "the PBX {pbx} is not connected ({state}); nothing was done"

log = structlog.get_logger()


class LiveFloor:
    """Reads the floors. Answers at once, from memory."""

    def __init__(self, attachments: Sequence[Attachment]) -> None:
        self._attachments = {one.pbx.name: one for one in attachments}

    def find(self, call: str) -> tuple[Attachment, Call] | None:
        """The live call with this id, and the PBX that carries it."""
        attachment = self._attachments.get(call.split(":", 1)[0])
        found = attachment.pipeline.floor.calls.get(call) if attachment is not None else None
        return (attachment, found) if attachment is not None and found is not None else None

    def of_agent(self, agent: int) -> Attachment | None:
        """The PBX at which this agent has a seat."""
        return next((a for a in self._attachments.values() if agent in a.pipeline.floor.agents), None)

    def calls(self) -> Sequence[Mapping[str, Any]]:
        calls = [c for a in self._attachments.values() for c in a.pipeline.floor.calls.values()]
        return [call.view() for call in sorted(calls, key=lambda c: c.started_at)]

    def call(self, call: str) -> Mapping[str, Any] | None:
        found = self.find(call)
        return found[1].view() if found is not None else None

    async def card(self, call: str) -> Card | None:
        """The card read again from the record."""
        found = self.find(call)
        return await found[0].pipeline.callers.fresh_card(found[1]) if found is not None else None

    def queues(self) -> Sequence[Mapping[str, Any]]:
        floors = [a.pipeline.floor for a in self._attachments.values()]
        return [queue.view(floor.seated()) for floor in floors for _, queue in sorted(floor.queues.items())]

    def agent_state(self, agent: int) -> Mapping[str, Any]:
        attachment = self.of_agent(agent)
        if attachment is None:
            return {"name": "signed_out", "reason": "no_seat", "since": None}
        return attachment.pipeline.floor.agents[agent].view()

    def links(self) -> Mapping[str, Mapping[str, Any]]:
        views = {name: a.pipeline.floor.link_view() for name, a in self._attachments.items()}
        return {name: {k: v for k, v in view.items() if k != "pbx"} for name, view in views.items()}

    def lag_ms(self) -> int:
        return round(max((a.pipeline.lag_s for a in self._attachments.values()), default=0.0) * 1000)


class LiveCommands:
    """Does what people ask for. Results that take time arrive as `command.done`, failures too."""

    def __init__(self, floor: LiveFloor, desk: Desk, hub: Hub, database: Database) -> None:
        self._floor = floor
        self._desk = desk
        self._hub = hub
        self._database = database
        self._running: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def set_state(self, agent: int, state: str, reason: str | None) -> str:
        attachment = self._floor.of_agent(agent)
        if attachment is None:
            raise CommandRefused(
                409, "no_seat", "you have no phone at a PBX", "An administrator sets your seat, e.g. PJSIP/1001."
            )
        link = attachment.pipeline.floor.link
        if link is not LinkState.LIVE:
            raise CommandRefused(503, "pbx_unreachable", NOT_LIVE.format(pbx=attachment.pbx.name, state=link))
        floor = attachment.pipeline.floor
        interfaces = sorted({m.interface for m in floor.memberships(floor.agents[agent].seat)})
        if not interfaces:
            raise CommandRefused(
                409, "in_no_queue", "your phone is a member of no queue", "Add it to a queue in Asterisk first."
            )
        request = uuid.uuid4().hex
        actions = [QueuePause(one, state != "ready", reason) for one in interfaces]
        task = asyncio.create_task(self._pause(attachment, agent, request, actions), name=f"command {request}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return request

    async def _pause(
        self, attachment: Attachment, agent: int, request: str, actions: Sequence[QueuePause]
    ) -> None:
        problem: dict[str, Any] | None = None
        try:
            for action in actions:
                await attachment.commands.run(action)
        except NoAccount as cause:
            problem = {"code": "no_account", "detail": str(cause)}
        except ActionFailed as cause:
            problem = {"code": "refused_by_pbx", "detail": str(cause)}
        except (OSError, TimeoutError) as cause:
            problem = {"code": "pbx_unreachable", "detail": str(cause)}
        async with self._desk.change() as change:
            body = {"request": request, "ok": problem is None, "problem": problem}
            change.tell("command.done", body, {"agents": [agent], "everyone": False})

    async def choose_customer(self, call: str, customer: int, agent: int) -> None:
        found = self._floor.find(call)
        if found is None:
            raise CommandRefused(409, "call_over", "that call is over")
        attachment, live = found
        if not await attachment.pipeline.callers.choose(live, customer, agent):
            raise CommandRefused(404, "not_found", "there is no such customer")
        if live.interaction is not None:
            async with self._database.begin() as conn:
                await history.reassociate(conn, live.interaction, customer, datetime.now(UTC))

    async def finish_wrap_up(self, call: str, agent: int, note: str | None) -> None:
        found = self._floor.find(call)
        if found is None:
            raise CommandRefused(409, "call_over", "that call is wrapped up already")
        attachment, live = found
        if note is not None and live.interaction is not None:
            async with self._database.begin() as conn:
                await history.set_note(conn, live.interaction, note)
        attachment.pipeline.put(WrapUpFinished(time.time(), call, agent))

    async def signed_out(self, agent: int) -> None:
        self._hub.sign_out(agent)


class LivePush:
    """What a websocket session is fed from: the snapshot of a viewer, and what a viewer missed."""

    def __init__(
        self,
        attachments: Sequence[Attachment],
        hub: Hub,
        database: Database,
        me: Callable[[int], Awaitable[Mapping[str, Any] | None]],
    ) -> None:
        self._attachments = attachments
        self._by_stream = {a.pipeline.stream: a for a in attachments}
        self._hub = hub
        self._database = database
        self._me = me

    async def snapshot(self, viewer: Viewer) -> tuple[dict[str, Any], Positions]:
        """What this viewer sees, with the positions that belong to it."""
        positions = dict(self._hub.positions)
        whole: dict[str, Any] = {
            "links": {},
            "calls": [],
            "cards": {},
            "queues": [],
        }
        for attachment in self._attachments:
            pipeline = attachment.pipeline
            floor, positions[pipeline.stream] = await pipeline.snapshot()
            link = floor["link"]
            whole["links"][link.pop("pbx")] = link
            calls = [c for c in floor["calls"].values() if viewer.sees_floor or _has_part(viewer.agent, c)]
            whole["calls"] += calls
            whole["queues"] += [
                q
                for q in floor["queues"].values()
                if viewer.sees_floor or any(m["agent"] == viewer.agent for m in q["members"])
            ]
            for view in calls:
                if (call := pipeline.floor.calls.get(view["call"])) is not None:
                    whole["cards"][view["call"]] = pipeline.callers.card(call)
        # Last, so that it is no older than the positions: an event that is told again does no harm.
        whole["me"] = await self._me(viewer.agent)
        return whole, positions

    async def still(self, viewer: Viewer) -> bool:
        """Whether they are still signed in, and may still see as much."""
        async with self._database.read() as conn:
            agent = await sessions.signed_in(conn, viewer.agent, datetime.now(UTC))
        return agent is not None and Principal(agent).sees_floor == viewer.sees_floor

    async def missed(self, viewer: Viewer, stream: str, seq: int) -> AsyncIterator[Frame]:
        """What this viewer missed of one stream. Raises Missed when the journal cannot give it whole."""
        if self._hub.positions.get(stream, 0) - seq > MAX_MISSED:
            raise Missed(f"more than {MAX_MISSED} events of {stream} were missed")
        attachment = self._by_stream.get(stream)
        try:
            async for entry in missed(self._database, stream, seq):
                body = attachment.pipeline.with_card(entry.kind, entry.body) if attachment else entry.body
                frame = frame_of(entry, body)
                if frame.concerns(viewer.agent, viewer.sees_floor):
                    yield frame
        except journal.PositionGone as gone:
            raise Missed(str(gone)) from gone


def _has_part(agent: int, call: Mapping[str, Any]) -> bool:
    return any(part["agent"] == agent and part["state"] != "left" for part in call["agents"].values())


class Delivery:
    """Where lookups made for the dialplan go: to the pipeline of the PBX that asked."""

    def __init__(self, attachments: Sequence[Attachment]) -> None:
        self._attachments = {one.pbx.name: one for one in attachments}

    async def __call__(self, pbx: str, uniqueid: str, who: Identified | None) -> None:
        attachment = self._attachments.get(pbx)
        if attachment is None and len(self._attachments) == 1:
            attachment = next(iter(self._attachments.values()))
        if attachment is None:
            log.warning("lookup.unknown_pbx", pbx=pbx, known=sorted(self._attachments))
        elif who is not None and uniqueid:
            attachment.pipeline.identified(uniqueid, who)
