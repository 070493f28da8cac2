"""The floors of all PBXs, read as one: from the replicas, so that every process answers alike."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cti_server.floor import views
from cti_server.floor.agents import Agent
from cti_server.floor.replica import Replica
from cti_server.lookup.shapes import Card
from cti_server.push.cards import Cards
from cti_server.rules import rights

SIGNED_OUT = views.state_view(Agent(0, "", None))


@dataclass(frozen=True, slots=True)
class LiveCall:
    """A call on a floor. `thing` decides who may see it; `view` makes its `CallView`."""

    id: str
    interaction: int | None
    customer: int | None
    thing: rights.Call
    view: Callable[[], Mapping[str, Any]]


class Floors:
    """Reads the floors in memory; only `card` and `handover` wait. `api.ports.Floor`.

    `replicas` and `cards` are by PBX; `lag_s` says for how many seconds the oldest event here has been waiting for
    the journal, `unattached` which PBXs no process is attached to, and since when, and `answering` those whose
    desk phones can be told to answer.
    """

    def __init__(
        self,
        replicas: Mapping[str, Replica],
        cards: Mapping[str, Cards] | None = None,
        lag_s: Callable[[], float] = lambda: 0.0,
        unattached: Callable[[], Mapping[str, datetime]] = dict,
        answering: Collection[str] = (),
    ) -> None:
        self._replicas = replicas
        self._cards = cards or {}
        self._lag_s = lag_s
        self._unattached = unattached
        self._answering = answering

    def of(self, pbx: str) -> Replica | None:
        """The floor of the PBX of this name."""
        return self._replicas.get(pbx)

    def with_call(self, call: str) -> Replica | None:
        """The floor that has this call."""
        found = self._replicas.get(call.split(":", 1)[0])
        return found if found is not None and call in found.calls else None

    # --- calls -----------------------------------------------------------------------------------------

    def calls(self) -> Sequence[LiveCall]:
        """Every live call, the oldest first."""
        calls = [(view["started_at"], r, call) for r in self._replicas.values() for call, view in r.calls.items()]
        return [_live(replica, call) for _, replica, call in sorted(calls, key=lambda found: found[0])]

    def calls_of(self, agent: int) -> Sequence[LiveCall]:
        """The calls in which this agent has a part that is not over."""
        parts = ((replica, part) for replica in self._replicas.values() for part in replica.parts_of(agent))
        found = dict.fromkeys((replica, part["call"]) for replica, part in parts)
        return [_live(replica, call) for replica, call in found]

    def agents_with(self, customer: int) -> frozenset[int]:
        """The agents who have a live call of this customer."""
        return frozenset(
            agent
            for replica in self._replicas.values()
            for call in replica.calls_with(customer)
            for agent in thing_of(replica, call).agents
        )

    def call(self, call: str) -> LiveCall | None:
        found = self.with_call(call)
        return _live(found, call) if found is not None else None

    def parts(self, call: str) -> Sequence[Mapping[str, Any]]:
        """All parts of a live call; empty for one that is over."""
        found = self.with_call(call)
        return found.parts(call) if found is not None else ()

    def part_state(self, call: str, agent: int) -> str | None:
        """The state of the agent's open part of a live call, else of a wrap-up, else of their last part."""
        state: str | None = None
        for part in self.parts(call):
            if part["agent"] == agent and (part["outcome"] is None or state != "wrap_up"):
                state = part["state"]
        return state

    async def card(self, call: str) -> Card | None:
        """The card, read from the record now; None for a call that is over."""
        found = self.with_call(call)
        cards = self._cards.get(found.pbx) if found is not None else None
        return await cards.fresh(call) if cards is not None else None

    async def handover(self, call: str, agent: int) -> Mapping[str, Any] | None:
        """What a colleague left for the agent with this call; None when nobody gave them the call."""
        found = self.with_call(call)
        cards = self._cards.get(found.pbx) if found is not None else None
        return await cards.handover(call, agent) if cards is not None else None

    # --- queues and people -----------------------------------------------------------------------------

    def queues(self) -> Sequence[Mapping[str, Any]]:
        return [queue for replica in self._replicas.values() for queue in replica.floor_topic()["queues"]]

    def members(self, pbx: str, queue: str) -> Sequence[Mapping[str, Any]] | None:
        """The members of a queue; None where there is no such queue."""
        replica = self._replicas.get(pbx)
        return replica.members(queue) if replica is not None and queue in replica.queues else None

    def serves(self, agent: int) -> frozenset[str]:
        """The queues that this agent serves, as `pbx/queue`."""
        floors = self._replicas.items()
        return frozenset(f"{pbx}/{name}" for pbx, replica in floors for name in replica.serves(agent))

    def agent_state(self, agent: int) -> Mapping[str, Any]:
        found = self._of_agent(agent)
        state: Mapping[str, Any] = found["state"] if found is not None else SIGNED_OUT
        return state

    def shift(self, agent: int) -> Mapping[str, Any] | None:
        found = self._at_work(agent)
        shift = found["shift"] if found is not None else None
        if found is None or shift is None:
            return None
        return {**shift, "answers": shift["kind"] == "browser" or found["pbx"] in self._answering}

    def at_seat(self, pbx: str, seat: str) -> int | None:
        replica = self._replicas.get(pbx) or next(iter(self._replicas.values()))
        return replica.at_seat(seat)

    def team(self) -> Sequence[Mapping[str, Any]]:
        """Every agent once, by name. An agent on several floors is shown as they are where they are at work."""
        found: dict[int, Mapping[str, Any]] = {}
        for replica in self._replicas.values():
            for number, agent in replica.agents.items():
                if number not in found or agent["shift"] is not None:
                    found[number] = agent
        members = [views.member_of_team(dict(agent)) for agent in found.values()]
        return sorted(members, key=lambda member: str(member["name"]))

    def pbx_at_work(self, agent: int) -> str | None:
        """The PBX at which this agent is at work."""
        found = self._at_work(agent)
        return found["pbx"] if found is not None else None

    def pbx_of(self, agent: int) -> str | None:
        """The PBX whose floor shows a phone of this agent."""
        known = ((pbx, replica.agents.get(agent)) for pbx, replica in self._replicas.items())
        seated = (pbx for pbx, found in known if found is not None and found["state"]["phone"]["seat"] is not None)
        return next(seated, None)

    def at_work(self) -> frozenset[int]:
        """The agents whose shift goes on."""
        agents = (agent for replica in self._replicas.values() for agent in replica.agents.values())
        return frozenset(agent["agent"] for agent in agents if agent["shift"] is not None)

    def _at_work(self, agent: int) -> Mapping[str, Any] | None:
        known = (replica.agents.get(agent) for replica in self._replicas.values())
        return next((found for found in known if found is not None and found["shift"] is not None), None)

    def _of_agent(self, agent: int) -> Mapping[str, Any] | None:
        known = (replica.agents.get(agent) for replica in self._replicas.values())
        return self._at_work(agent) or next((found for found in known if found is not None), None)

    # --- the links -------------------------------------------------------------------------------------

    def links(self) -> Mapping[str, Mapping[str, Any]]:
        links = {}
        unattached = self._unattached()
        for pbx, replica in self._replicas.items():
            links[pbx] = {name: value for name, value in replica.link.items() if name != "pbx"}
            if (since := unattached.get(pbx)) is not None and links[pbx]["state"] == "live":
                ended = since.isoformat(timespec="milliseconds").replace("+00:00", "Z")
                links[pbx] |= {"state": "stale", "since": ended, "detail": "no server is attached"}
        return links

    def lag_ms(self) -> int:
        return round(self._lag_s() * 1000)


def thing_of(replica: Replica, call: str) -> rights.Call:
    """What `rules.rights` needs to know of a call: who is in it, and how it stands."""
    view, whose = replica.calls[call], replica.about(call)
    parts = [part for part in replica.parts(call) if part["state"] != "left"]
    agents = frozenset(part["agent"] for part in parts if part["agent"] is not None)
    rings = any(part["state"] == "ringing" for part in parts)
    return rights.Call(view["pbx"], view["state"], agents, view["queue"], rings, whose.agents, whose.queues)


def _live(replica: Replica, call: str) -> LiveCall:
    view = replica.calls[call]
    customer = view["customer"]["id"] if view["customer"] is not None else None
    return LiveCall(call, view["interaction"], customer, thing_of(replica, call), lambda: view)
