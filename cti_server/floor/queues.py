"""The queues of one PBX: who waits in them, and which members serve them."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from enum import StrEnum

from .descriptions import Description
from .signals import MemberChanged, MemberStatus

AT_WORK = frozenset({MemberStatus.RINGING, MemberStatus.IN_USE, MemberStatus.ON_HOLD, MemberStatus.BUSY})
GONE = frozenset({MemberStatus.UNAVAILABLE, MemberStatus.INVALID})


class Duty(StrEnum):
    """What a member is to their queue: could be rung, is on a call, is paused, or is not there."""

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
    """One app_queue queue. Members go in by `put` and out by `take_out`, callers in by `join`: these keep the
    counts and the order. A member is the last signal that told of them."""

    name: str
    description: Description = field(default_factory=Description)
    members: dict[str, MemberChanged] = field(default_factory=dict)  # by interface
    waiting: OrderedDict[str, float] = field(default_factory=OrderedDict)  # leg → since when, the longest first
    counts: dict[Duty, int] = field(default_factory=lambda: dict.fromkeys(Duty, 0))

    def put(self, member: MemberChanged) -> bool:
        """This member is so now; answers whether that changed the counts."""
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
        """Callers join one after the other; only a snapshot tells of one who waits longer than the last."""
        last = next(reversed(self.waiting.values())) if self.waiting else since
        self.waiting[leg] = since
        if since < last:
            self.waiting = OrderedDict(sorted(self.waiting.items(), key=lambda entry: entry[1]))

    @property
    def longest_since(self) -> float | None:
        """Since when the caller waits who waits longest."""
        return next(iter(self.waiting.values()), None)
