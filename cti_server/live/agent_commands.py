"""Carries out what an agent asks for beside call control: shifts, states, wrap-ups, whose call it is.

A command that takes time returns the id of a request; the event `command.done` reports its result.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog

from cti_server.attachment import Attachment
from cti_server.commands import CommandRefused, Sitting
from cti_server.floor.agents import By
from cti_server.floor.books import Books
from cti_server.floor.calls import Call
from cti_server.floor.desk_signals import (
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
from cti_server.floor.parts import PartState
from cti_server.floor.signals import LinkState
from cti_server.in_hand import InHand
from cti_server.pipeline import PipelineClosed
from cti_server.record.center import agents
from cti_server.record.contacts import history
from cti_server.record.database import Database
from cti_server.record.processes.requests import Accepted

from .attached import Attached

CONFIRM_S = 5.0  # how long the PBX may take to show what it was asked for
NOT_LIVE = "the PBX {pbx} is not connected ({state}); nothing was done"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Done:
    """The result of a request. `problem` is None when all went well."""

    problem: dict[str, Any] | None = None


OK = Done()
Shows = Callable[[Books], Done | None]


class AgentCommands:
    """Checks a command at once, hands it to the PBX's pipeline, and reports what the floor then shows."""

    def __init__(
        self, attached: Attached, in_hand: InHand, connected: Callable[[], Set[int]], database: Database
    ) -> None:
        """`connected` has the agents who have a desktop now."""
        self._attached = attached
        self._in_hand = in_hand
        self._connected = connected
        self._database = database
        self._running: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def begin_shift(
        self, attachment: Attachment, number: int, phone: Sitting, request: str | None = None
    ) -> str:
        """`request` is the id that the request is to have, here and below."""
        _live(attachment)
        async with self._database.read() as conn:
            agent = await agents.get(conn, number)
        if agent is None:
            raise CommandRefused("not_found", "there is no such agent")
        accepted = await self._begin(attachment, agent.id, "begin_shift", request)
        put, now = attachment.pipeline.put, time.time()
        seat = agent.seat if agent.pbx == attachment.pbx.name else None
        put(AgentSeated(now, agent.id, agent.name, seat, agent.extension, agent.role))
        if agent.id in self._connected():
            put(DesktopSeen(now, agent.id, connected=True))  # it connected before the floor knew the agent
        put(ShiftBegan(now, agent.id, phone.seat, phone.extension, phone.kind, phone.queues))
        wanted = {queue for queue, _ in phone.queues}

        def joined(books: Books) -> Done | None:
            agent_now, sitting = books.agents.get(agent.id), books.agent_at(phone.seat)
            if sitting is not None and sitting is not agent_now and sitting.shift is not None:
                return _problem(
                    "seat_taken", f"{sitting.name} is at this phone", "Choose another phone, or ask them."
                )
            if (
                agent_now is None
                or agent_now.shift is None
                or agent_now.seat != phone.seat
                or agent_now.shift.since < now
            ):
                return None
            if agent_now.shift.trouble is not None:
                return _refused(agent_now.shift.trouble)
            return OK if wanted <= {m.queue for m in books.memberships(agent_now.seat)} else None

        return self._await(attachment, accepted, joined)

    async def end_shift(self, agent: int, request: str | None = None) -> str:
        attachment = self._at_work(agent)
        _live(attachment)  # otherwise the queues would go on ringing an empty desk
        if any(part.open for _, part in attachment.pipeline.books.parts_of(agent)):
            raise CommandRefused("in_a_call", "you are in a call", "Finish the call, or transfer it, first.")
        accepted = await self._begin(attachment, agent, "end_shift", request)
        attachment.pipeline.put(ShiftEnded(time.time(), agent))
        seat = attachment.pipeline.books.agents[agent].seat

        def gone(books: Books) -> Done | None:
            agent_now = books.agents.get(agent)
            rung = any(not member.paused for member in books.memberships(seat))
            return OK if agent_now is not None and agent_now.shift is None and not rung else None

        return self._await(attachment, accepted, gone)

    async def set_state(
        self, agent: int, state: str, reason: str | None, by: By | None = None, request: str | None = None
    ) -> str:
        attachment = self._at_work(agent)
        _live(attachment)
        accepted = await self._begin(attachment, agent, "set_state", request)
        ready, at = state == "ready", time.time()
        name = attachment.pipeline.books.agents[agent].name
        attachment.pipeline.put(StateChosen(at, agent, ready, reason, by or By("agent", name)))

        def chosen(books: Books) -> Done | None:
            agent_now = books.agents.get(agent)
            shift = agent_now.shift if agent_now is not None else None
            if agent_now is None or shift is None or shift.wish.at < at:
                return None
            if shift.trouble is not None:
                return _refused(shift.trouble)
            if shift.wish.ready and shift.joined and not books.memberships(agent_now.seat):
                return None  # the agent is out of all queues, and joins them again first
            # Members confirm a pause; during a call it is there already, and the wish only waits.
            return OK if shift.confirmed or shift.wish.ready != ready else None

        return self._await(attachment, accepted, chosen)

    def _at_work(self, agent: int) -> Attachment:
        attachment = self._attached.at_work(agent)
        if attachment is None:
            raise CommandRefused("not_at_work", "you are not signed in to a phone", "Choose your phone first.")
        return attachment

    async def _begin(self, attachment: Attachment, agent: int, command: str, request: str | None) -> Accepted:
        """Write a command down before it is carried out. Raises CommandRefused."""
        accepted = Accepted(request or uuid.uuid4().hex, agent, command, None)
        await self._in_hand.accept(attachment.pipeline.lease, accepted, command)
        return accepted

    def _await(self, attachment: Attachment, accepted: Accepted, shows: Shows) -> str:
        """Begin to wait for what `shows` answers, which `command.done` then reports. Returns the request's id."""
        work = self._tell_outcome(attachment, accepted, shows)
        task = asyncio.create_task(work, name=f"command {accepted.request}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return accepted.request

    async def _tell_outcome(self, attachment: Attachment, accepted: Accepted, shows: Shows) -> None:
        try:
            problem = (await attachment.pipeline.when(shows, CONFIRM_S)).problem
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
            log.exception("command.failed", request=accepted.request, command=accepted.command)
            problem = {"code": "internal", "detail": f"the server failed: {type(cause).__name__}", "remedy": None}
        await self._in_hand.done(accepted.agent_id, accepted, problem, None)

    async def choose_customer(self, call: str, customer: int, agent: int) -> None:
        found = self._attached.find(call)
        if found is None:
            raise CommandRefused("call_over", "that call is over")
        attachment, live = found
        if not await attachment.pipeline.callers.choose(live, customer, agent):
            raise CommandRefused("not_found", "there is no such customer")
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
        found = self._attached.find(call)
        if found is not None:
            found[0].pipeline.put(WrapUpCoded(time.time(), call, agent, code))

    async def extend_wrap_up(self, call: str, agent: int) -> None:
        attachment, live = self._wrapping(call, agent)
        parts = [p for p in live.parts if p.agent == agent and p.state is PartState.WRAP_UP]
        if not any(p.wrap.ends_at is not None for p in parts):
            raise CommandRefused("no_limit", "this wrap-up has no limit")
        if not any(p.wrap.extensions_left > 0 for p in parts):
            raise CommandRefused("no_extension_left", "you have had all the extra time there is")
        attachment.pipeline.put(WrapUpExtended(time.time(), call, agent))

    async def want_wrap_up(self, call: str, agent: int, wanted: bool) -> None:
        found = self._attached.find(call)
        if found is None or not any(p.agent == agent and p.open for p in found[1].parts):
            raise CommandRefused("call_over", "you are not in that call any more")
        found[0].pipeline.put(WrapUpWanted(time.time(), call, agent, wanted))

    def _wrapping(self, call: str, agent: int) -> tuple[Attachment, Call]:
        found = self._attached.find(call)
        if found is None:
            raise CommandRefused("call_over", "that call is wrapped up already")
        if not any(p.agent == agent and p.state is PartState.WRAP_UP for p in found[1].parts):
            raise CommandRefused("not_in_wrap_up", "you are not wrapping up this call")
        return found


def _live(attachment: Attachment) -> None:
    """Raises CommandRefused where the PBX is out of reach, so that no command is half done."""
    link = attachment.pipeline.books.link
    if link is not LinkState.LIVE or not attachment.owner:
        raise CommandRefused("pbx_unreachable", NOT_LIVE.format(pbx=attachment.pbx.name, state=link))


def _problem(code: str, detail: str, remedy: str | None = None) -> Done:
    return Done({"code": code, "detail": detail, "remedy": remedy})


def _refused(detail: str) -> Done:
    return _problem("refused_by_pbx", detail)
