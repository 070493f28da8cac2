"""Who may see and do what: REST, the push, search, the command line and API keys ask here.

A *viewer* is who looks: an agent, or a service with an API key. A *thing* is what they look at, with only the
fields that the rule needs. What a GET would not give a viewer is never pushed to them either.

`REACH` is the one table of what a role sees of whom; `operations.py` says what each operation of the API needs.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Literal, get_args

from cti_server.floor.events import About
from cti_server.rules.facts import Role

_RANK: Final[dict[str, int]] = {"service": -1, "agent": 0, "supervisor": 1, "administrator": 2}

Kind = Literal["agent", "supervisor", "administrator", "service"]
"""Whose rights are asked for: a person's role, or a service with an API key."""

Grant = Literal["listen", "recordings", "dial_anywhere", "export", "full_numbers", "administer"]
"""What a person may do beside their role: listen to calls, hear recordings, dial what the dial policy refuses,
take data out, see customers' numbers in full, and administer: users, teams, keys, policies, the audit log."""

GRANTS: Final[tuple[Grant, ...]] = get_args(Grant)

BY_ROLE: Final[dict[Kind, frozenset[Grant]]] = {
    "agent": frozenset(),
    "supervisor": frozenset({"full_numbers"}),
    "administrator": frozenset({"administer", "export", "full_numbers"}),
    "service": frozenset(),
}
"""What comes with the role. Nobody listens, hears recordings or dials anywhere by their role alone."""

Reach = Literal["none", "own", "team", "all"]
Right = Literal["calls", "queues", "floor", "own", "promises", "help", "contacts", "notes"]

REACH: Final[dict[Right, dict[Kind, Reach]]] = {
    #             what an agent sees     a supervisor            an administrator          a service
    "calls":     {"agent": "own",       "supervisor": "team",   "administrator": "all",   "service": "all"},
    "queues":    {"agent": "own",       "supervisor": "team",   "administrator": "all",   "service": "all"},
    "floor":     {"agent": "none",      "supervisor": "team",   "administrator": "all",   "service": "all"},
    "own":       {"agent": "own",       "supervisor": "own",    "administrator": "own",   "service": "none"},
    "promises":  {"agent": "own",       "supervisor": "team",   "administrator": "all",   "service": "all"},
    "help":      {"agent": "own",       "supervisor": "team",   "administrator": "all",   "service": "none"},
    "contacts":  {"agent": "own",       "supervisor": "team",   "administrator": "all",   "service": "all"},
    "notes":     {"agent": "own",       "supervisor": "own",    "administrator": "own",   "service": "none"},
}  # fmt: skip
"""Whose things a viewer sees. `own`: those they have a part in. `team`: also those of the teams that they
supervise. `notes` are those that are not finished; those that are belong to their contact."""


def is_at_least(role: Kind, wanted: Role) -> bool:
    """Whether `role` has all the rights of `wanted`."""
    return _RANK[role] >= _RANK[wanted]


def grants_of(role: Kind, given: Collection[Grant]) -> frozenset[Grant]:
    """Those that come with the role, and those that were given to the person."""
    return BY_ROLE[role] | frozenset(given)


@dataclass(frozen=True, slots=True)
class Oversight:
    """Whom a supervisor supervises: the people and the queues (as `pbx/queue`) of their teams. None is everybody,
    in a center that has no teams."""

    agents: frozenset[int] | None = None
    queues: frozenset[str] | None = None

    def has_agent(self, *agents: int | None) -> bool:
        return self.agents is None or not self.agents.isdisjoint(agents)

    def has_queue(self, *queues: str) -> bool:
        return self.queues is None or not self.queues.isdisjoint(queues)


EVERYBODY: Final = Oversight()


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks. `agent` is 0 for a service. `serves` has their queues, as `pbx/queue`; with `may_pick` they may
    take a caller who waits in one of these. `grants` has all that they have, by role or given; `oversees` counts
    for supervisors.
    """

    agent: int
    role: Kind = "agent"
    may_pick: bool = False
    serves: frozenset[str] = frozenset()
    grants: frozenset[Grant] = frozenset()
    oversees: Oversight = EVERYBODY

    @property
    def supervises(self) -> bool:
        """Whether they are more than an agent: supervisors of their teams, administrators of all."""
        return is_at_least(self.role, "supervisor")

    @property
    def sees_numbers(self) -> bool:
        """Whether they see customers' numbers in full."""
        return "full_numbers" in self.grants

    def reaches(
        self, right: Right, *, own: bool, agents: Collection[int | None] = (), queues: Collection[str] = ()
    ) -> bool:
        """Whether they see something of this kind: it is their own, or of these agents or queues."""
        reach = REACH[right][self.role]
        if reach == "all" or (own and reach != "none"):
            return True
        return reach == "team" and (self.oversees.has_agent(*agents) or self.oversees.has_queue(*queues))


# --- what there is to see ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Call:
    """A live call. `agents` have a part in it that is not over; `rings` says that one of their phones rings. `had`
    are all agents and `visited` all queues (as `pbx/queue`) that it has been with: a team that has seen a call
    sees it to its end.
    """

    pbx: str
    state: str
    agents: frozenset[int]
    queue: str | None = None
    rings: bool = False
    had: frozenset[int] = frozenset()
    visited: frozenset[str] = frozenset()


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
    """The calls and queues of the call center, or of the viewer's teams."""


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


@dataclass(frozen=True, slots=True)
class Contact:
    """A past contact: the agents who had a part in it, the queues (as `pbx/queue`) it waited in, and whether it
    belongs to a customer. Whoever serves a customer reads what they have said before."""

    agents: frozenset[int]
    queues: frozenset[str] = frozenset()
    of_customer: bool = False


Thing = About | Contact | Call | Part | Queue | Floor | Shared | Own | Promise | Help | Message | Notes


def may_see(viewer: Viewer, thing: Thing) -> bool:
    """Whether this viewer may look at this thing."""
    match thing:
        case Call():
            queues = thing.visited | ({f"{thing.pbx}/{thing.queue}"} if thing.queue is not None else frozenset())
            own = viewer.agent in thing.agents
            return viewer.reaches("calls", own=own, agents=thing.agents | thing.had, queues=queues)
        case Part():
            return viewer.agent == thing.agent or may_see(viewer, thing.call)
        case Queue():
            queue = f"{thing.pbx}/{thing.name}"
            return viewer.reaches("queues", own=queue in viewer.serves, queues=(queue,))
        case Floor():
            return REACH["floor"][viewer.role] != "none"
        case About():
            return viewer.reaches("floor", own=False, agents=thing.agents, queues=thing.queues)
        case Shared():
            return True
        case Own():
            return viewer.reaches("own", own=viewer.agent == thing.agent)
        case Promise():
            owners = (thing.owner, thing.maker)
            own = thing.by_customer or viewer.agent in owners
            # What nobody owns is every supervisor's to give away.
            nobodys = thing.owner is None and viewer.supervises
            return nobodys or viewer.reaches("promises", own=own, agents=owners)
        case Help():
            return viewer.reaches("help", own=viewer.agent == thing.agent, agents=(thing.agent,))
        case Contact():
            own = thing.of_customer or viewer.agent in thing.agents
            return viewer.reaches("contacts", own=own, agents=thing.agents, queues=thing.queues)
        case Notes():
            return thing.finished or viewer.reaches("notes", own=viewer.agent == thing.author)
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
    """Whether the viewer may set a customer's tier and preferred agent: who is served first, and by whom. A
    program may that keeps the customers."""
    return viewer.supervises or viewer.role == "service"
