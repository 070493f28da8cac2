"""What this server set at the queues of a PBX, and the actions that give it back. Pure.

A pause outlives whoever ordered it: Asterisk keeps it, and dynamic members, in its own database, over reloads and
restarts. So a server that goes away gives back what it set, or a queue would ring nobody any more:

    a pause with a reason of ours      unpaused
    a member whom we made one          taken out; but not while callers wait in that queue, for some queues send
                                       their callers away when the last member leaves (`leavewhenempty`)

What anybody else set (a feature code, another program, queues.conf) is left alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cti_server.floor.agents import SIGNED_OUT, SYSTEM_REASONS
from cti_server.floor.signals import MemberChanged, Snapshot

from .actions import Action, QueuePause, QueueRemove


@dataclass(frozen=True, slots=True)
class Ours:
    """What of a PBX's queues is this server's doing, by the record.

    `seats` are the phones at which agents are at work (None: any), `reasons` those of its pauses there. `left` are
    the phones whose agents have gone home, which it keeps paused for that reason only: who never signed in here is
    paused by somebody else, perhaps another server. `joined` has (queue, phone) of each member that it made one.
    """

    seats: frozenset[str] | None = None
    reasons: frozenset[str] = SYSTEM_REASONS
    left: frozenset[str] = frozenset()
    joined: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Given:
    """What is given back: the memberships that are unpaused and removed, and those that stay because callers wait
    in their queue."""

    unpaused: Sequence[MemberChanged]
    removed: Sequence[MemberChanged]
    kept: Sequence[MemberChanged]

    def actions(self) -> list[Action]:
        """In the order in which they must be run: whoever is rung again is rung first."""
        pauses = [QueuePause(m.interface, False, queue=m.queue) for m in self.unpaused]
        return [*pauses, *(QueueRemove(m.queue, m.interface) for m in self.removed)]


def given_back(snapshot: Snapshot, ours: Ours, *, at_once: bool = False) -> Given:
    """What of this snapshot is ours to give back. `at_once`: members leave a queue in which callers wait, too."""
    waiting = set() if at_once else {entry.queue for entry in snapshot.entries}
    made = [m for m in snapshot.members if m.dynamic and _is_at(m, ours.joined)]
    kept = [m for m in made if m.queue in waiting]
    removed = [m for m in made if m.queue not in waiting]
    paused = [m for m in snapshot.members if m.paused and _paused_by_us(m, ours)]
    return Given([m for m in paused if m not in removed], removed, kept)


def _paused_by_us(member: MemberChanged, ours: Ours) -> bool:
    if member.reason == SIGNED_OUT and _sits_at(member, ours.left):
        return True
    return member.reason in ours.reasons and _sits_at(member, ours.seats)


def _sits_at(member: MemberChanged, seats: frozenset[str] | None) -> bool:
    return seats is None or bool(seats.intersection((member.seat, member.interface, *member.also)))


def _is_at(member: MemberChanged, joined: frozenset[tuple[str, str]]) -> bool:
    return bool(joined.intersection((member.queue, seat) for seat in (member.seat, member.interface)))
