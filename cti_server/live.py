"""The live side as the API and the websocket see it: the floors of all PBXs read as one, and commands to them."""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog

from .api.desk import Desk
from .api.ports import CommandRefused, Sitting
from .api.principal import Principal
from .asterisk.link import SinkFull
from .attachment import Attachment
from .floor.agents import Agent, By
from .floor.apply import Floor
from .floor.calls import Call
from .floor.desk_signals import (
    AgentSeated,
    DesktopSeen,
    ShiftBegan,
    ShiftEnded,
    StateChosen,
    WrapUpCoded,
    WrapUpExtended,
    WrapUpFinished,
    WrapUpWanted,
)
from .floor.parts import PartState
from .floor.signals import LinkState
from .floor.times import iso
from .lookup.identify import Identified
from .lookup.shapes import Card
from .pipeline import PipelineClosed, frame_of, missed
from .push.frames import Frame, Positions
from .push.hub import Hub, Viewer
from .push.session import Missed
from .record import journal
from .record.center import sessions
from .record.center.agents import Agent as AgentRecord
from .record.contacts import history
from .record.database import Database

MAX_MISSED = 5_000  # events of a stream; past it a snapshot is less to read, and to send, than what was missed
CONFIRM_S = 5.0  # for the PBX to show what it was asked for
NOT_LIVE = "the PBX {pbx} is not connected ({state}); nothing was done"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a request; None as the problem: all went well."""

    problem: dict[str, Any] | None = None


OK = Done()
Seen = Callable[[Floor], Done | None]


class LiveFloor:
    """Reads the floors. Answers at once, from memory."""

    def __init__(self, attachments: Sequence[Attachment]) -> None:
        self._attachments = {one.pbx.name: one for one in attachments}

    def find(self, call: str) -> tuple[Attachment, Call] | None:
        """The live call with this id, and the PBX that carries it."""
        attachment = self._attachments.get(call.split(":", 1)[0])
        found = attachment.pipeline.floor.calls.get(call) if attachment is not None else None
        return (attachment, found) if attachment is not None and found is not None else None

    def at_pbx(self, pbx: str | None) -> Attachment:
        """The PBX of this name; the first for who belongs to none."""
        return self._attachments.get(pbx or "") or next(iter(self._attachments.values()))

    def at_work(self, agent: int) -> Attachment | None:
        """The PBX at which this agent is at work."""
        return next((a for a in self._attachments.values() if _has_shift(a.pipeline.floor, agent)), None)

    def of_agent(self, agent: int) -> Attachment | None:
        """The PBX at which this agent is at work, else the one they belong to."""
        known = (a for a in self._attachments.values() if agent in a.pipeline.floor.agents)
        return self.at_work(agent) or next(known, None)

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
            return Agent(agent, "", None).view()
        return attachment.pipeline.floor.agents[agent].view()

    def shift(self, agent: int) -> Mapping[str, Any] | None:
        attachment = self.at_work(agent)
        if attachment is None:
            return None
        one = attachment.pipeline.floor.agents[agent]
        assert one.shift is not None
        return {
            "seat": one.seat,
            "extension": one.shift.extension,
            "kind": one.shift.kind,
            "since": iso(one.shift.since),
        }

    def at_seat(self, pbx: str, seat: str) -> int | None:
        floor = self.at_pbx(pbx).pipeline.floor
        agent = floor.agent_at(seat)
        return agent.id if agent is not None and agent.shift is not None else None

    def team(self) -> Sequence[Mapping[str, Any]]:
        """Of who is on the floors of several PBXs, the one where they are at work."""
        found: dict[int, Mapping[str, Any]] = {}
        for attachment in self._attachments.values():
            floor = attachment.pipeline.floor
            for number in floor.agents:
                if number not in found or _has_shift(floor, number):
                    found[number] = floor.team_member(number)
        return sorted(found.values(), key=lambda one: str(one["name"]))

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

    async def begin_shift(self, agent: AgentRecord, phone: Sitting) -> str:
        attachment = self._floor.at_pbx(agent.pbx)
        _live(attachment)
        put, now = attachment.pipeline.put, time.time()
        seat = agent.seat if agent.pbx == attachment.pbx.name else None
        put(AgentSeated(now, agent.id, agent.name, seat, agent.extension, agent.role))
        if agent.id in self._hub.agents():
            put(DesktopSeen(now, agent.id, connected=True))  # it came when the floor did not know them
        put(ShiftBegan(now, agent.id, phone.seat, phone.extension, phone.kind, phone.queues))
        wanted = {queue for queue, _ in phone.queues}

        def joined(floor: Floor) -> Done | None:
            one, there = floor.agents.get(agent.id), floor.agent_at(phone.seat)
            if there is not None and there is not one and there.shift is not None:
                return _problem(
                    "seat_taken", f"{there.name} is at this phone", "Choose another phone, or ask them."
                )
            if one is None or one.shift is None or one.seat != phone.seat or one.shift.since < now:
                return None
            if one.shift.trouble is not None:
                return _refused(one.shift.trouble)
            return OK if wanted <= {m.queue for m in floor.memberships(one.seat)} else None

        return self._await(attachment, agent.id, "begin_shift", joined)

    async def end_shift(self, agent: int) -> str:
        attachment = self._at_work(agent)
        _live(attachment)  # the queues would ring on at an empty desk
        if any(part.open for _, part in attachment.pipeline.floor.parts_of(agent)):
            raise CommandRefused(409, "in_a_call", "you are in a call", "Finish the call, or transfer it, first.")
        attachment.pipeline.put(ShiftEnded(time.time(), agent))
        seat = attachment.pipeline.floor.agents[agent].seat

        def gone(floor: Floor) -> Done | None:
            one = floor.agents.get(agent)
            rung = any(not member.paused for member in floor.memberships(seat))
            return OK if one is not None and one.shift is None and not rung else None

        return self._await(attachment, agent, "end_shift", gone)

    async def set_state(self, agent: int, state: str, reason: str | None, by: By | None = None) -> str:
        attachment = self._at_work(agent)
        _live(attachment)
        ready, at = state == "ready", time.time()
        name = attachment.pipeline.floor.agents[agent].name
        attachment.pipeline.put(StateChosen(at, agent, ready, reason, by or By("agent", name)))

        def chosen(floor: Floor) -> Done | None:
            one = floor.agents.get(agent)
            shift = one.shift if one is not None else None
            if one is None or shift is None or shift.wish.at < at:
                return None
            if shift.trouble is not None:
                return _refused(shift.trouble)
            if shift.wish.ready and shift.joined and not floor.memberships(one.seat):
                return None  # out of all queues, and joining them again
            # Members confirm a pause; during a call it is there already, and the wish only waits.
            return OK if shift.confirmed or shift.wish.ready != ready else None

        return self._await(attachment, agent, "set_state", chosen)

    def _at_work(self, agent: int) -> Attachment:
        attachment = self._floor.at_work(agent)
        if attachment is None:
            raise CommandRefused(
                409, "not_at_work", "you are not signed in to a phone", "Choose your phone first."
            )
        return attachment

    def _await(
        self, attachment: Attachment, agent: int, command: str, seen: Callable[[Floor], Done | None]
    ) -> str:
        """Tell by `command.done` what became of a request; answers its id."""
        request = uuid.uuid4().hex
        work = self._tell_outcome(attachment, agent, command, request, seen)
        task = asyncio.create_task(work, name=f"command {request}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return request

    async def _tell_outcome(
        self, attachment: Attachment, agent: int, command: str, request: str, seen: Seen
    ) -> None:
        try:
            problem = (await attachment.pipeline.when(seen, CONFIRM_S)).problem
        except asyncio.CancelledError:
            problem = {"code": "server_stopping", "detail": "the server stopped meanwhile", "remedy": None}
        except TimeoutError:
            problem = {
                "code": "not_confirmed",
                "detail": f"the PBX did not show it within {CONFIRM_S:g} s",
                "remedy": "Look at your state; try again.",
            }
        except PipelineClosed as cause:
            problem = {"code": "pbx_unreachable", "detail": str(cause), "remedy": None}
        except Exception as cause:
            log.exception("command.failed", request=request, command=command)
            problem = {"code": "internal", "detail": f"the server failed: {type(cause).__name__}", "remedy": None}
        body = {"request": request, "command": command, "call": None, "ok": problem is None, "problem": problem}
        await self._desk.tell("command.done", body, {"agents": [agent], "everyone": False})

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

    async def finish_wrap_up(self, call: str, agent: int, code: str | None = None) -> None:
        attachment, live = self._wrapping(call, agent)
        now = time.time()
        if code is not None:
            attachment.pipeline.put(WrapUpCoded(now, live.id, agent, code))
        attachment.pipeline.put(WrapUpFinished(now, live.id, agent))

    async def note_code(self, call: str, agent: int, code: str | None) -> None:
        found = self._floor.find(call)
        if found is not None:
            found[0].pipeline.put(WrapUpCoded(time.time(), call, agent, code))

    async def extend_wrap_up(self, call: str, agent: int) -> None:
        attachment, live = self._wrapping(call, agent)
        parts = [p for p in live.parts if p.agent == agent and p.state is PartState.WRAP_UP]
        if not any(p.wrap.ends_at is not None for p in parts):
            raise CommandRefused(409, "no_limit", "this wrap-up has no limit")
        if not any(p.wrap.extensions_left > 0 for p in parts):
            raise CommandRefused(409, "no_extension_left", "you have had all the extra time there is")
        attachment.pipeline.put(WrapUpExtended(time.time(), call, agent))

    async def want_wrap_up(self, call: str, agent: int, wanted: bool) -> None:
        found = self._floor.find(call)
        if found is None or not any(p.agent == agent and p.open for p in found[1].parts):
            raise CommandRefused(409, "call_over", "you are not in that call any more")
        found[0].pipeline.put(WrapUpWanted(time.time(), call, agent, wanted))

    def _wrapping(self, call: str, agent: int) -> tuple[Attachment, Call]:
        found = self._floor.find(call)
        if found is None:
            raise CommandRefused(409, "call_over", "that call is wrapped up already")
        if not any(p.agent == agent and p.state is PartState.WRAP_UP for p in found[1].parts):
            raise CommandRefused(409, "not_in_wrap_up", "you are not wrapping up this call")
        return found

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
        self._floor = LiveFloor(attachments)
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
        whole["team"] = self._floor.team()
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


def _live(attachment: Attachment) -> None:
    """Raises CommandRefused where the PBX is out of reach: nothing half is begun."""
    link = attachment.pipeline.floor.link
    if link is not LinkState.LIVE or not attachment.owner:
        raise CommandRefused(503, "pbx_unreachable", NOT_LIVE.format(pbx=attachment.pbx.name, state=link))


def _problem(code: str, detail: str, remedy: str | None = None) -> Done:
    return Done({"code": code, "detail": detail, "remedy": remedy})


def _refused(detail: str) -> Done:
    return _problem("refused_by_pbx", detail)


def _has_shift(floor: Floor, agent: int) -> bool:
    one = floor.agents.get(agent)
    return one is not None and one.shift is not None


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


class Presence:
    """Tells the floors whether an agent has a desktop connected: who has none for long is not ready."""

    def __init__(self, attachments: Sequence[Attachment]) -> None:
        self._attachments = attachments

    def __call__(self, agent: int, connected: bool) -> None:
        for attachment in self._attachments:
            with contextlib.suppress(SinkFull):  # the link starts over; the next change of presence is told
                attachment.pipeline.put(DesktopSeen(time.time(), agent, connected))
