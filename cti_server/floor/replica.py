"""A floor as its events tell it: the views that desktops are shown, put in their places in the journal's order.

The `Books` of a floor are where its PBX's signals are applied, in one process. A replica knows no signals: whoever
reads the journal can keep one, so every process can answer for every floor. It is never ahead of the journal.
Nothing here searches: an event costs what it touches.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from . import events as kinds
from .events import About
from .views import member_of_team

View = dict[str, Any]

MAX_ENDED = 1000  # calls that have left, kept because a part of theirs may still be told to be in wrap-up
NOBODYS = About(kinds.NOBODY, kinds.NOTHING)


class Replica:
    """The floor of one PBX. `load` gives it a whole floor, `take` the events after that.

    `calls`, `queues` and `agents` are views (`floor/views.py`) by id, only to be read. `loaded` says whether a
    whole floor was given.
    """

    def __init__(self, pbx: str) -> None:
        self.pbx = pbx
        self._clear()
        self.loaded = False

    def _clear(self) -> None:
        self.link: View = {"pbx": self.pbx, "state": "connecting", "since": None, "detail": None}
        self.calls: dict[str, View] = {}
        self.queues: dict[str, View] = {}
        self.agents: dict[int, View] = {}
        self._abouts: dict[str, About] = {}
        self._parts: dict[str, dict[int, View]] = {}
        self._members: dict[str, dict[str, View]] = {}
        self._live: dict[int, dict[tuple[str, int], None]] = {}  # each agent's live parts, as (call, position)
        self._of_customer: dict[int, dict[str, None]] = {}
        self._seats: dict[str, int] = {}  # who is at work there
        self._aliases: dict[str, list[str]] = {}  # the ids of calls that became part of this one
        self._ended: OrderedDict[str, tuple[View, About]] = OrderedDict()

    # --- in --------------------------------------------------------------------------------------------

    def load(self, whole: Mapping[str, Any]) -> None:
        """Be this floor (`views.whole`), whatever was here before."""
        self._clear()
        self.link = whole["link"]
        for agent in whole["agents"]:
            self._take_agent(agent)
        for queue in whole["queues"]:
            self.queues[queue["queue"]] = queue
        for member in whole["members"]:
            view = {name: value for name, value in member.items() if name != "queue"}
            self._members.setdefault(member["queue"], {})[member["interface"]] = view
        for told in whole["calls"]:
            about = told["about"]
            if told["aliases"]:
                self._aliases[told["call"]["call"]] = list(told["aliases"])
            self._keep(told["call"], About(frozenset(about["agents"]), frozenset(about["queues"])))
            for part in told["parts"]:
                self._put_part(part)
            self._drop_if_over(told["call"]["call"])
        self.loaded = True

    def take(self, kind: str, body: Mapping[str, Any], about: About | None = None) -> None:
        """Take in one event; it keeps the views of the body. `about` is of its audience. Unknown kinds say
        nothing of a floor."""
        match kind:
            case kinds.PART_CHANGED:
                self._take_part(body["part"])
            case kinds.QUEUE_CHANGED:
                self.queues[body["queue"]["queue"]] = body["queue"]
            case kinds.QUEUE_REMOVED:
                self.queues.pop(body["queue"], None)
                self._members.pop(body["queue"], None)
            case kinds.MEMBER_CHANGED:
                self._take_member(body["queue"], body["interface"], body["member"])
            case kinds.ME_CHANGED:
                self._take_agent(dict(body))
            case kinds.LINK_CHANGED:
                self.link = dict(body)
            case _ if kind.startswith("call."):
                self._take_call(body["call"], about or NOBODYS)

    def _take_agent(self, agent: View) -> None:
        number, before = agent["agent"], self.agents.get(agent["agent"])
        sat = before["shift"] if before is not None else None
        if sat is not None and self._seats.get(sat["seat"]) == number:
            del self._seats[sat["seat"]]
        if (sits := agent["shift"]) is not None:
            self._seats[sits["seat"]] = number
        self.agents[number] = agent

    def _take_member(self, queue: str, interface: str, member: View | None) -> None:
        members = self._members.setdefault(queue, {})
        members.pop(interface, None)
        if member is not None:
            members[interface] = member

    def _take_call(self, view: View, about: About) -> None:
        self._keep(view, about)
        self._drop_if_over(view["call"])

    def _keep(self, view: View, about: About) -> None:
        call = view["call"]
        self._leave_customer(self.calls.get(call), call)
        self.calls[call], self._abouts[call] = view, about
        if view["customer"] is not None:
            self._of_customer.setdefault(view["customer"]["id"], {})[call] = None

    def _take_part(self, part: View) -> None:
        call = part["call"]
        if call not in self.calls:
            if (ended := self._ended.get(call)) is None or part["state"] == "left":
                return
            self._keep(*ended)
        self._put_part(part)
        self._drop_if_over(call)

    def _put_part(self, part: View) -> None:
        call, position, agent = part["call"], part["position"], part["agent"]
        parts = self._parts.setdefault(call, {})
        self._unlink(parts.get(position))
        parts[position] = part
        if agent is not None and part["state"] != "left":
            self._live.setdefault(agent, {})[call, position] = None

    def _drop_if_over(self, call: str) -> None:
        """A call leaves when it has ended and nobody wraps it up, or when it became a part of another."""
        view, parts = self.calls[call], self._parts.get(call, {})
        if view["state"] != "ended":
            return
        if (into := view["merged_into"]) is not None:
            self._aliases.setdefault(into, []).extend([call, *self._aliases.get(call, ())])
        if view["merged_into"] is None and any(part["state"] != "left" for part in parts.values()):
            return
        self._leave_customer(view, call)
        for part in parts.values():
            self._unlink(part)
        self._parts.pop(call, None)
        self._aliases.pop(call, None)
        del self.calls[call]
        self._ended[call] = view, self._abouts.pop(call)
        if len(self._ended) > MAX_ENDED:
            self._ended.popitem(last=False)

    def _unlink(self, part: View | None) -> None:
        if part is None or part["agent"] is None:
            return
        live = self._live.get(part["agent"], {})
        live.pop((part["call"], part["position"]), None)
        if not live:
            self._live.pop(part["agent"], None)

    def _leave_customer(self, view: View | None, call: str) -> None:
        if view is None or view["customer"] is None:
            return
        calls = self._of_customer.get(view["customer"]["id"], {})
        calls.pop(call, None)
        if not calls:
            self._of_customer.pop(view["customer"]["id"], None)

    # --- out: calls and parts --------------------------------------------------------------------------

    def about(self, call: str) -> About:
        """Whose call it is, and was; nobody's once it has left."""
        return self._abouts.get(call, NOBODYS)

    def aliases(self, call: str) -> Sequence[str]:
        """The ids of the calls that became part of this one."""
        return self._aliases.get(call, ())

    def parts(self, call: str) -> Sequence[View]:
        """All parts of a call that is here, in order."""
        return [part for _, part in sorted(self._parts.get(call, {}).items())]

    def parts_of(self, agent: int) -> Sequence[View]:
        """The agent's parts that are not over, wrap-ups included."""
        return [self._parts[call][position] for call, position in self._live.get(agent, ())]

    def calls_with(self, customer: int) -> Iterable[str]:
        """The ids of the customer's calls."""
        return tuple(self._of_customer.get(customer, ()))

    # --- out: queues and people ------------------------------------------------------------------------

    def members(self, queue: str) -> Sequence[View]:
        return [member for _, member in sorted(self._members.get(queue, {}).items())]

    def serves(self, agent: int) -> frozenset[str]:
        """The queues that this agent is a member of; none for an agent whom this floor does not know."""
        found = self.agents.get(agent)
        return frozenset(found["queues"]) if found is not None else kinds.NOTHING

    def at_seat(self, seat: str) -> int | None:
        """The agent who is at work at this seat."""
        return self._seats.get(seat)

    # --- snapshots -------------------------------------------------------------------------------------

    def whole(self) -> View:
        """The floor as `load` takes it."""
        return {
            "link": self.link,
            "agents": list(self.agents.values()),
            "queues": list(self.queues.values()),
            "members": [
                member | {"queue": queue}
                for queue, members in self._members.items()
                for member in members.values()
            ],
            "calls": [
                {
                    "call": view,
                    "parts": self.parts(call),
                    "aliases": list(self.aliases(call)),
                    "about": {
                        "agents": sorted(self._abouts[call].agents),
                        "queues": sorted(self._abouts[call].queues),
                    },
                }
                for call, view in self.calls.items()
            ],
        }

    def desk_of(self, agent: int) -> View:
        """What concerns this agent: their calls, their own parts in them, and the queues that they serve."""
        parts = self.parts_of(agent)
        calls = dict.fromkeys(part["call"] for part in parts)
        queues = (self.queues.get(name) for name in sorted(self.serves(agent)))
        return {
            "calls": [self.calls[call] for call in calls],
            "parts": list(parts),
            "queues": [queue for queue in queues if queue is not None],
        }

    def floor_topic(self) -> View:
        """Every call that goes on, and every queue."""
        return {
            "calls": [view for view in self.calls.values() if view["state"] != "ended"],
            "queues": [queue for _, queue in sorted(self.queues.items())],
        }

    def team_topic(self) -> View:
        """The agents of this floor."""
        return {"team": [member_of_team(agent) for agent in self.agents.values()]}

    def queue_topic(self, name: str) -> View:
        """A queue with its members; `queue` is None once the PBX does not have it any more."""
        queue = self.queues.get(name)
        return {"queue": queue, "members": self.members(name) if queue is not None else []}

    def call_topic(self, call: str) -> View:
        """A call with all its parts; `call` is None once it has left the floor."""
        return {"call": self.calls.get(call), "parts": self.parts(call)}
