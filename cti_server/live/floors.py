"""The floors of all PBXs, read as one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cti_server.attachment import Attachment
from cti_server.floor import views
from cti_server.floor.agents import Agent
from cti_server.floor.books import Books
from cti_server.floor.calls import Call
from cti_server.floor.parts import PartState
from cti_server.floor.times import iso
from cti_server.lookup.shapes import Card
from cti_server.rules import rights


@dataclass(frozen=True, slots=True)
class LiveCall:
    """A call on a floor. `thing` decides who may see it; `view` makes its `CallView`."""

    id: str
    interaction: int | None
    customer: int | None
    thing: rights.Call
    view: Callable[[], Mapping[str, Any]]


class Floors:
    """Reads the floors in memory; nothing here waits. `api.ports.Floor`."""

    def __init__(self, attachments: Sequence[Attachment]) -> None:
        self._attachments = {attachment.pbx.name: attachment for attachment in attachments}

    # --- which PBX -------------------------------------------------------------------------------------

    def find(self, call: str) -> tuple[Attachment, Call] | None:
        """The live call with this id, and the PBX that carries it."""
        attachment = self._attachments.get(call.split(":", 1)[0])
        found = attachment.pipeline.books.calls.get(call) if attachment is not None else None
        return (attachment, found) if attachment is not None and found is not None else None

    def at_pbx(self, pbx: str | None) -> Attachment:
        """The PBX of this name; the first PBX for an agent who belongs to none."""
        return self._attachments.get(pbx or "") or next(iter(self._attachments.values()))

    def at_work(self, agent: int) -> Attachment | None:
        """The PBX at which this agent is at work."""
        return next((a for a in self._attachments.values() if _has_shift(a.pipeline.books, agent)), None)

    def of_agent(self, agent: int) -> Attachment | None:
        """The PBX at which this agent is at work, else the one they belong to."""
        knowing = (a for a in self._attachments.values() if agent in a.pipeline.books.agents)
        return self.at_work(agent) or next(knowing, None)

    # --- calls -----------------------------------------------------------------------------------------

    def calls(self) -> Sequence[LiveCall]:
        """Every live call, the oldest first."""
        calls = [c for books in self._books() for c in books.calls.values()]
        return [self._live(call) for call in sorted(calls, key=lambda c: c.started_at)]

    def calls_of(self, agent: int) -> Sequence[LiveCall]:
        """The calls in which this agent has a part that is not over."""
        calls = {call.id: call for books in self._books() for call in _calls_of(books, agent)}
        return [self._live(call) for call in calls.values()]

    def agents_with(self, customer: int) -> frozenset[int]:
        """The agents who have a live call of this customer."""
        calls = (call for books in self._books() for call in books.calls.values())
        theirs = (call for call in calls if call.customer is not None and call.customer["id"] == customer)
        return frozenset(agent for call in theirs for agent in thing_of(call).agents)

    def call(self, call: str) -> LiveCall | None:
        found = self.find(call)
        return self._live(found[1]) if found is not None else None

    def parts(self, call: str) -> Sequence[Mapping[str, Any]]:
        """All parts of a live call; empty for one that is over."""
        found = self.find(call)
        parts: Sequence[Mapping[str, Any]] = ()
        if found is not None:
            parts = views.call_topic(found[0].pipeline.books, call)["parts"]
        return parts

    def part_state(self, call: str, agent: int) -> str | None:
        """The state of the agent's open part of a live call, else of a wrap-up, else of their last part."""
        found = self.find(call)
        state: PartState | None = None
        for part in found[1].parts if found is not None else ():
            if part.agent == agent and (part.open or state is not PartState.WRAP_UP):
                state = part.state
        return state.value if state is not None else None

    async def card(self, call: str) -> Card | None:
        """The card, read from the record now; None for a call that is over."""
        found = self.find(call)
        return await found[0].pipeline.callers.fresh_card(found[1]) if found is not None else None

    def _live(self, call: Call) -> LiveCall:
        books = self._attachments[call.pbx].pipeline.books
        customer = call.customer["id"] if call.customer is not None else None
        return LiveCall(call.id, call.interaction, customer, thing_of(call), _view_of(books, call))

    # --- queues and people -----------------------------------------------------------------------------

    def queues(self) -> Sequence[Mapping[str, Any]]:
        return [queue for books in self._books() for queue in views.floor_topic(books)["queues"]]

    def members(self, pbx: str, queue: str) -> Sequence[Mapping[str, Any]] | None:
        """The members of a queue; None where there is no such queue."""
        attachment = self._attachments.get(pbx)
        if attachment is None or queue not in attachment.pipeline.books.queues:
            return None
        members: Sequence[Mapping[str, Any]] = views.queue_topic(attachment.pipeline.books, queue)["members"]
        return members

    def serves(self, agent: int) -> frozenset[str]:
        """The queues that this agent serves, as `pbx/queue`."""
        return frozenset(f"{books.pbx}/{name}" for books in self._books() for name in views.serves(books, agent))

    def agent_state(self, agent: int) -> Mapping[str, Any]:
        attachment = self.of_agent(agent)
        if attachment is None:
            return views.state_view(Agent(agent, "", None))
        return views.state_view(attachment.pipeline.books.agents[agent])

    def shift(self, agent: int) -> Mapping[str, Any] | None:
        attachment = self.at_work(agent)
        if attachment is None:
            return None
        found = attachment.pipeline.books.agents[agent]
        assert found.shift is not None
        return {
            "seat": found.seat,
            "extension": found.shift.extension,
            "kind": found.shift.kind,
            "since": iso(found.shift.since),
        }

    def at_seat(self, pbx: str, seat: str) -> int | None:
        agent = self.at_pbx(pbx).pipeline.books.agent_at(seat)
        return agent.id if agent is not None and agent.shift is not None else None

    def team(self) -> Sequence[Mapping[str, Any]]:
        """Every agent once, by name. An agent on several floors is shown as they are where they are at work."""
        found: dict[int, Mapping[str, Any]] = {}
        for books in self._books():
            for member in views.team_topic(books)["team"]:
                if member["agent"] not in found or _has_shift(books, member["agent"]):
                    found[member["agent"]] = member
        return sorted(found.values(), key=lambda member: str(member["name"]))

    # --- the links -------------------------------------------------------------------------------------

    def links(self) -> Mapping[str, Mapping[str, Any]]:
        found = {books.pbx: views.link_view(books) for books in self._books()}
        return {pbx: {k: v for k, v in view.items() if k != "pbx"} for pbx, view in found.items()}

    def lag_ms(self) -> int:
        return round(max((a.pipeline.lag_s for a in self._attachments.values()), default=0.0) * 1000)

    def _books(self) -> Iterable[Books]:
        return [a.pipeline.books for a in self._attachments.values()]


def thing_of(call: Call) -> rights.Call:
    """What `rules.rights` needs to know of a call: who is in it, and how it stands."""
    parts = [part for part in call.parts if part.state is not PartState.LEFT]
    agents = frozenset(part.agent for part in parts if part.agent is not None)
    rings = any(part.state is PartState.RINGING for part in parts)
    whose = views.about(call)
    return rights.Call(call.pbx, str(call.state), agents, call.queue, rings, whose.agents, whose.queues)


def _view_of(books: Books, call: Call) -> Callable[[], Mapping[str, Any]]:
    def view() -> Mapping[str, Any]:
        made: Mapping[str, Any] = views.call_topic(books, call.id)["call"]
        return made

    return view


def _calls_of(books: Books, agent: int) -> Iterable[Call]:
    return (call for call, _ in books.parts_of(agent)) if agent in books.agents else ()


def _has_shift(books: Books, agent: int) -> bool:
    found = books.agents.get(agent)
    return found is not None and found.shift is not None
