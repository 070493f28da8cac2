"""Who may see and do what: the API and the push ask here.

A *viewer* is the agent who looks; a *thing* is what they look at, with only the fields that the rule needs. What a
GET would not give a viewer is never pushed to them either.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cti_server.rules.facts import Role

_RANK: Final[dict[Role, int]] = {"agent": 0, "supervisor": 1, "administrator": 2}


def is_at_least(role: Role, wanted: Role) -> bool:
    """Whether `role` has all the rights of `wanted`."""
    return _RANK[role] >= _RANK[wanted]


@dataclass(frozen=True, slots=True)
class Viewer:
    """The agent who looks. `serves` has their queues, as `pbx/queue`; with `may_pick` they may take a caller who
    waits in one of these.
    """

    agent: int
    role: Role = "agent"
    may_pick: bool = False
    serves: frozenset[str] = frozenset()

    @property
    def supervises(self) -> bool:
        """Supervisors and administrators see every call and every queue."""
        return is_at_least(self.role, "supervisor")


# --- what there is to see ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Call:
    """A live call. `agents` have a part in it that is not over; `rings` says that one of their phones rings."""

    pbx: str
    state: str
    agents: frozenset[int]
    queue: str | None = None
    rings: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """One agent's part of a call; `agent` is None for a phone whose agent the record does not know."""

    agent: int | None
    call: Call


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue's counts and members."""

    pbx: str
    name: str


@dataclass(frozen=True, slots=True)
class Floor:
    """All calls and all queues of the call center."""


@dataclass(frozen=True, slots=True)
class Shared:
    """What every signed-in agent may read: colleagues' states, links, codes, customers and their contacts."""


@dataclass(frozen=True, slots=True)
class Own:
    """What only one agent may read: a draft, settings, their state in full, the result of their request."""

    agent: int


@dataclass(frozen=True, slots=True)
class Promise:
    """A promise. `by_customer` says that the viewer reads it as part of the customer's record."""

    owner: int | None
    maker: int | None
    by_customer: bool = False


@dataclass(frozen=True, slots=True)
class Help:
    """A request for help by this agent."""

    agent: int


@dataclass(frozen=True, slots=True)
class Message:
    """A message to `receiver`; without one, to all supervisors or else to everybody."""

    sender: int
    receiver: int | None = None
    to_supervisors: bool = False


@dataclass(frozen=True, slots=True)
class Notes:
    """What an agent wrote about their part of a contact: note, code, follow-up. Until they have finished it is a
    draft, saved as they type."""

    author: int | None
    finished: bool


Thing = Call | Part | Queue | Floor | Shared | Own | Promise | Help | Message | Notes


def may_see(viewer: Viewer, thing: Thing) -> bool:
    """Whether this viewer may look at this thing."""
    match thing:
        case Call():
            return viewer.supervises or viewer.agent in thing.agents
        case Part():
            return viewer.agent == thing.agent or may_see(viewer, thing.call)
        case Queue():
            return viewer.supervises or f"{thing.pbx}/{thing.name}" in viewer.serves
        case Floor():
            return viewer.supervises
        case Shared():
            return True
        case Own():
            return viewer.agent == thing.agent
        case Promise():
            return viewer.supervises or thing.by_customer or viewer.agent in (thing.owner, thing.maker)
        case Help():
            return viewer.supervises or viewer.agent == thing.agent
        case Notes():
            return thing.finished or viewer.agent == thing.author
        case Message():
            if viewer.agent in (thing.sender, thing.receiver):
                return True
            return thing.receiver is None and (viewer.supervises or not thing.to_supervisors)


# --- what may be done --------------------------------------------------------------------------------------


def may_take(viewer: Viewer, call: Call) -> bool:
    """Whether the viewer may bring this call to their phone: a parked call, one that rings at a colleague or, with
    `may_pick`, a caller who waits in one of their queues.
    """
    if call.state == "parked":
        return True
    if call.rings:
        return call.state in ("ringing", "queued")
    return call.state == "queued" and viewer.may_pick and f"{call.pbx}/{call.queue}" in viewer.serves


def may_write_to(viewer: Viewer, receiver: Role) -> bool:
    """Whether the viewer may send a message to this role: agents write to supervisors, supervisors to anybody."""
    return viewer.supervises or is_at_least(receiver, "supervisor")


def may_value_customers(viewer: Viewer) -> bool:
    """Whether the viewer may set a customer's tier and preferred agent: who is served first, and by whom."""
    return viewer.supervises
