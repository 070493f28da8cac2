"""Stories → contacts: what CEL says, played on a floor of its own, so that it means what it means live. Pure.

The floor of the replay knows the phones, agents and queues that the live one knows. Nothing is ordered or told
from it: its calls are taken out once they are over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from cti_server.floor.apply import Floor
from cti_server.floor.books import Books
from cti_server.floor.calls import Call, device_of
from cti_server.floor.descriptions import WrapUpRule
from cti_server.floor.desk_signals import AgentSeated, Tick
from cti_server.floor.handlers.outcome import seal
from cti_server.floor.parts import PartState
from cti_server.floor.signals import QueueDescribed, Signal

from .stories import Story
from .translate import signals


class Replay:
    """Plays stories with the people and queues of `books` as they are now; an agent whose shift began after
    `until` (epoch seconds) is not taken to have sat there. Makes no call of another boot than `boot`."""

    def __init__(self, books: Books, until: float) -> None:
        self._pbx = books.pbx
        self._came_later = {
            agent.id: agent.shift.since
            for agent in books.agents.values()
            if agent.shift is not None and agent.shift.since > until
        }
        self._known = list(_known(books))
        self._members = [member for queue in books.queues.values() for member in queue.members.values()]
        self._interfaces = {(m.queue, _stem(m.interface)): m.interface for m in self._members}
        self._floor = self._fresh(0)

    def _fresh(self, boot: int) -> Floor:
        floor = Floor(self._pbx)
        floor.books.boot = boot
        for signal in (*self._known, *self._members):
            floor.apply(signal)
        floor.take_orders()
        return floor

    def calls(self, story: Story, boot: int) -> list[Call]:
        """The calls of this story, each once: those that were merged into another are part of it. A call without
        an end in the log is closed as one whose end nobody saw."""
        if self._floor.books.boot != boot or self._floor.calls:
            self._floor = self._fresh(boot)
        floor = self._floor
        found: dict[str, Call] = {}
        for signal in signals(story, self._interface):
            floor.apply(signal)
            found |= {call.id: call for call in floor.take_changed()}
        floor.books.heard_until = story.ended_at
        for call in [call for call in floor.calls.values() if not call.ended]:
            for leg in list(call.legs):
                floor.books.drop_leg(call, leg)
                floor.books.leave_queue(leg)
            seal(floor.books, call, None)
            found[call.id] = call
        self._wrap_up(floor, story.ended_at)
        floor.books.ended.clear()
        for call in found.values():
            self._without_newcomers(call)
        return [call for call in found.values() if call.merged_into is None]

    def _without_newcomers(self, call: Call) -> None:
        """A phone at which somebody sat down only later was not theirs yet."""
        for part in call.parts:
            since = self._came_later.get(part.agent or 0)
            if since is not None and (part.offered_at or call.started_at) < since:
                part.agent, part.wrap.owed = None, False
        for visit in call.visits:
            if visit.agent in self._came_later and visit.joined < self._came_later[visit.agent]:
                visit.agent = None

    def _wrap_up(self, floor: Floor, at: float) -> None:
        """Nobody wraps up what no desktop showed: a code that the queue requires is owed, and the call leaves the
        floor."""
        for call in floor.calls.values():
            for part in call.parts:
                if part.state is PartState.WRAP_UP:
                    part.close(part.ended_at or part.since)
            floor.books.touch_all(call)
            floor.books.touch(call)
        floor.apply(Tick(at))
        floor.take_changed()
        floor.take_orders()
        floor.take_shifts()

    def _interface(self, queue: str, channel: str) -> str:
        """The member of this queue whose phone the channel is of: `PJSIP/1001`, `Local/1001@from-queue/n`."""
        device = device_of(channel)
        return self._interfaces.get((queue, device), device)


def _stem(interface: str) -> str:
    """A Local member without its options: the channels that are made of it have none."""
    return interface.split("/n", 1)[0] if interface.startswith("Local/") else interface


def _known(books: Books) -> Iterator[Signal]:
    """The agents at their seats, and the queues: without wrap-up, for nobody was asked for it at the time."""
    for agent in books.agents.values():
        yield AgentSeated(0.0, agent.id, agent.name, agent.seat, agent.extension, agent.role)
    for name, description in books.descriptions.items():
        rule = WrapUpRule("optional", 0.0, 0, description.wrap_up.code_required)
        yield QueueDescribed(0.0, name, replace(description, wrap_up=rule))
