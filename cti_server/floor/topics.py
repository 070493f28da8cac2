"""Topics: what a desktop can open in order to be sent its events. Each event names the topics that it belongs to.

No desktop opens `serving`: the server subscribes an agent's desktops to it for each queue that the agent serves.
Nor `OF_TEAMS`: it comes with the floor for who supervises some teams only, and tells of a call that comes to one.
"""

from __future__ import annotations

FLOOR = "floor"
OF_TEAMS = "floor:teams"
TEAM = "team"

#: what is told of these is told of the reader's own teams only
BY_TEAM = frozenset({FLOOR, OF_TEAMS})

#: the kinds of topic that name one object, as `kind:object`
KINDS = frozenset({"queue", "serving", "call", "customer"})


def queue(pbx: str, name: str) -> str:
    """One queue with its members."""
    return f"queue:{pbx}/{name}"


def serving(pbx: str, name: str) -> str:
    """The counts of one queue, for the agents who serve it."""
    return f"serving:{pbx}/{name}"


def call(call_id: str) -> str:
    """One call with the parts of all agents in it."""
    return f"call:{call_id}"


def customer(number: int) -> str:
    """What happens to one customer's record."""
    return f"customer:{number}"


def parse(topic: str) -> tuple[str, str] | None:
    """(kind, name of the object); the name is "" for `floor` and `team`. None: there is no such topic."""
    if topic in (FLOOR, TEAM):
        return topic, ""
    kind, colon, rest = topic.partition(":")
    return (kind, rest) if colon and rest and kind in KINDS else None
