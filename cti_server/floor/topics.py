"""Topics: what a desktop can open, so that it is told of it. An event names those that it belongs to.

`serving` is the one that no desktop opens: the server puts an agent's desktops into it for each queue that the
agent serves.
"""

from __future__ import annotations

FLOOR = "floor"
TEAM = "team"

#: the kinds that name one thing, as `kind:thing`
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
    """(kind, what is named); ("floor", "") and ("team", "") name nothing. None: no such topic."""
    if topic in (FLOOR, TEAM):
        return topic, ""
    kind, colon, rest = topic.partition(":")
    return (kind, rest) if colon and rest and kind in KINDS else None
