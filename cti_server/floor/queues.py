"""The queues of one PBX: who waits in them, and which members serve them."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from enum import StrEnum

from .descriptions import Description
from .line import Line
from .signals import MemberChanged, MemberStatus

AT_WORK = frozenset({MemberStatus.RINGING, MemberStatus.IN_USE, MemberStatus.ON_HOLD, MemberStatus.BUSY})
GONE = frozenset({MemberStatus.UNAVAILABLE, MemberStatus.INVALID})


class Duty(StrEnum):
    """What a queue can count on from a member: ready to be rung, busy on a call, paused, or out of reach."""

    READY = "ready"
    BUSY = "busy"
    PAUSED = "paused"
    OFF = "off"


def duty_of(member: MemberChanged) -> Duty:
    if member.status in AT_WORK:
        return Duty.BUSY
    if member.status is not MemberStatus.IDLE:
        return Duty.OFF
    return Duty.PAUSED if member.paused else Duty.READY


@dataclass(slots=True)
class Queue:
    """One app_queue queue. Change it by `put`, `take_out` and `join` only: they keep the counts and the order of
    waiting. A member is represented by the last signal about it."""

    name: str
    description: Description = field(default_factory=Description)
    members: dict[str, MemberChanged] = field(default_factory=dict)  # by interface
    waiting: OrderedDict[str, float] = field(default_factory=OrderedDict)  # leg → since when, the longest first
    line: Line = field(default_factory=Line)
    counts: dict[Duty, int] = field(default_factory=lambda: dict.fromkeys(Duty, 0))

    def put(self, member: MemberChanged) -> bool:
        """Add or replace this member; returns whether that changed the counts."""
        before, duty = self.members.get(member.interface), duty_of(member)
        self.members[member.interface] = member
        if before is not None:
            if (old_duty := duty_of(before)) is duty:
                return False
            self.counts[old_duty] -= 1
        self.counts[duty] += 1
        return True

    def take_out(self, interface: str) -> MemberChanged | None:
        member = self.members.pop(interface, None)
        if member is not None:
            self.counts[duty_of(member)] -= 1
        return member

    def join(self, leg: str, since: float) -> None:
        """Add a waiting caller in the order of `since`. Callers join in that order; only one that a snapshot adds
        may belong before others."""
        last = next(reversed(self.waiting.values())) if self.waiting else since
        self.waiting[leg] = since
        if since < last:
            self.waiting = OrderedDict(sorted(self.waiting.items(), key=lambda entry: entry[1]))

    @property
    def longest_since(self) -> float | None:
        """When the longest-waiting caller joined; None when nobody waits."""
        return next(iter(self.waiting.values()), None)
