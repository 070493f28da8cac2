"""A story of CEL → signals of the floor, in order: the only file that knows what CEL's events mean. Pure.

CEL says less than the manager's events. What it does not say is not made up: no holds, no ringing, no place in a
queue, no steps of a menu. What it says late, or by other words, is put where the manager would have said it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from cti_server.floor.handlers.outcome import FALLBACK
from cti_server.floor.signals import (
    DialStatus,
    LegAnswered,
    LegBridged,
    LegDialEnded,
    LegDialled,
    LegEnded,
    LegHangupAsked,
    LegNumbered,
    LegParked,
    LegPickedUp,
    LegRefused,
    LegRenamed,
    LegSetAside,
    LegStarted,
    LegTransferred,
    LegUnbridged,
    LegUnparked,
    MemberConnected,
    MemberOffered,
    QueueAbandoned,
    QueueJoined,
    QueueLeft,
    Signal,
    StepTaken,
)
from cti_server.wire.cel import Row

from .legs import CONFBRIDGE, DECLINED, DIAL, HANGUP_EXTEN, QUEUE, TOGETHER_S, Leg, legs_of
from .stories import HOLDING, Story

AT_ONCE_S = 0.1  # a queue that takes nobody is left within milliseconds
STAYS_S = 1.5  # who is in the call for so long after giving it to a colleague has stayed: all three talk
FAILED = (1, 3, 20, 27, 28, 34, 38, 41, 42, 44, 57, 58, 66)  # not there, not to be reached, not allowed
DIAL_STATUS = {"BUSY": DialStatus.BUSY, "NOANSWER": DialStatus.NO_ANSWER, "CANCEL": DialStatus.CANCEL}

Interface = Callable[[str, str], str]
"""(queue, channel of the phone that it rings) → the member's interface."""


def signals(story: Story, interface: Interface) -> Iterator[Signal]:
    """What the story's rows say, in their order. `interface` names the member of a queue that a channel is of."""
    return _Translation(story, interface).all()


@dataclass(slots=True)
class _Wait:
    """A channel in Queue(): since when, for how long at the most; whether it has `left` the line, and been `taken`
    by a member."""

    queue: str
    since: float
    limit_s: float | None
    left: bool = False
    taken: bool = False


@dataclass(slots=True)
class _Translation:
    story: Story
    interface: Interface
    legs: Mapping[str, Leg] = field(init=False)
    names: dict[str, str] = field(default_factory=dict)  # of the channels now
    callers: dict[str, tuple[str | None, str | None]] = field(default_factory=dict)
    waits: dict[str, _Wait] = field(default_factory=dict)
    rooms: dict[str, str] = field(default_factory=dict)  # channel → the bridge that it is in
    over: set[str] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.legs = legs_of(self.story.rows)

    def all(self) -> Iterator[Signal]:
        asked = {leg.asked: leg for leg in self.legs.values() if leg.asked is not None}
        for place, row in enumerate(self.story.rows):
            leg = self.legs[row.leg]
            if (first := asked.get(place)) is not None:
                self.asked.add(first.id)
                yield LegHangupAsked(row.at, first.id, row.linkedid)
            if leg.id in self.over:
                continue
            if leg.id in self.names and self.names[leg.id] != row.channel and row.channel:
                self.names[leg.id] = row.channel
                yield LegRenamed(row.at, leg.id, row.channel)
            if (told := TOLD.get(row.kind)) is not None:
                yield from told(self, leg, row, place)
            if leg.gone == place:
                yield from self._ended(leg, row)

    # --- channels --------------------------------------------------------------------------------------

    def _started(self, leg: Leg, row: Row, place: int) -> Iterator[Signal]:
        self.names[leg.id], self.callers[leg.id] = row.channel, (row.number, row.name)
        yield LegStarted(row.at, leg.id, row.linkedid, row.channel, False, row.number, row.name, row.exten)
        if leg.how is None:
            return
        by = self.legs.get(leg.by or "")
        yield LegDialled(row.at, leg.id, row.linkedid, leg.by, row.channel, self._number(leg, by, row, place))
        wait = self.waits.get(leg.by or "")
        if leg.how == QUEUE and wait is not None and by is not None:
            member = self.interface(wait.queue, row.channel)
            yield MemberOffered(row.at, by.id, row.linkedid, wait.queue, member, leg.id)

    def _number(self, leg: Leg, by: Leg | None, row: Row, place: int) -> str | None:
        """The number that was dialled to reach this channel: of what Dial() was told to call, that which is of
        this channel's device; else the extension that the dialling channel was at."""
        if by is None or leg.how != DIAL:
            return None
        app, data = by.app_at(place)
        if app == "dial":
            for target in data.split(",", 1)[0].split("&"):
                technology, _, rest = target.partition("/")
                number, _, endpoint = rest.partition("@")
                if f"{technology}/{endpoint or number}" in (leg.device, row.channel):
                    return number
        return row.number

    def _answered(self, leg: Leg, row: Row, place: int) -> Iterator[Signal]:
        yield LegAnswered(row.at, leg.id, row.linkedid)
        if leg.how is not None:
            yield LegDialEnded(row.at, leg.id, row.linkedid, row.channel, DialStatus.ANSWER)

    def _hung_up(self, leg: Leg, row: Row, place: int) -> Iterator[Signal]:
        if leg.refused:
            yield LegRefused(row.at, leg.id, row.linkedid)

    def _channel_ended(self, leg: Leg, row: Row, place: int) -> Iterator[Signal]:
        yield from self._ended(leg, row)

    def _ended(self, leg: Leg, row: Row) -> Iterator[Signal]:
        self.over.add(leg.id)
        yield from self._left_queue(leg, row)
        if leg.how is not None and not leg.answered:
            yield LegDialEnded(row.at, leg.id, row.linkedid, row.channel, self._status(leg))
        yield LegEnded(row.at, leg.id, row.linkedid, leg.cause)

    def _status(self, leg: Leg) -> DialStatus:
        """How the attempt to reach this channel ended: by its own cause, or, where that says nothing, by what
        Dial() told the channel that rang it."""
        if leg.cause in DECLINED:
            return DialStatus.BUSY
        if leg.cause in FAILED:
            return DialStatus.FAILED
        by = self.legs.get(leg.by or "")
        if by is None or by.id in self.asked:
            return DialStatus.CANCEL
        only = sum(other.by == by.id for other in self.legs.values()) == 1
        return DIAL_STATUS.get(by.dial_status, DialStatus.CANCEL) if only else DialStatus.CANCEL

    def _numbered(self, leg: Leg, row: Row) -> Iterator[Signal]:
        """The dialplan set, or an analog line brought, another number than the channel began with."""
        if leg.how is None and leg.id == leg.linkedid and (row.number, row.name) != self.callers.get(leg.id):
            self.callers[leg.id] = row.number, row.name
            yield LegNumbered(row.at, leg.id, row.linkedid, row.number, row.name)

    def _forwarded(self, leg: Leg, row: Row, place: int) -> Iterator[Signal]:
        """A phone sent the call on: of those that this channel rings, the one that ends first without an
        answer."""
        rung = [
            one for one in self.legs.values() if one.by == leg.id and not one.answered and one.id in self.names
        ]
        there = [one for one in rung if one.ended is not None and one.ended > place]
        if there and (target := row.extra.get("forward")):
            gone = min(there, key=lambda one: one.ended or 0)
            number = str(target).rsplit("/", 1)[-1].split("@", 1)[0]
            status = DialStatus.FAILED
            yield LegDialEnded(row.at, gone.id, row.linkedid, gone.channel, status, number)

    # --- queues ----------------------------------------------------------------------------------------

    def _app_began(self, leg: Leg, row: Row, place: int) -> Iterator[Signal]:
        if row.exten != HANGUP_EXTEN:
            yield from self._numbered(leg, row)
        yield from self._left_queue(leg, row)  # where the end of Queue() is not logged
        if row.app.lower() == "queue" and (queue := row.data.split(",", 1)[0].strip()):
            if self._turned_away(leg, row, place):
                yield StepTaken(row.at, leg.id, row.linkedid, FALLBACK, None)
                return
            self.waits[leg.id] = _Wait(queue, row.at, _limit(row.data))
            yield QueueJoined(row.at, leg.id, row.linkedid, queue, None)

    def _turned_away(self, leg: Leg, row: Row, place: int) -> bool:
        """Whether the queue did not let the caller in, for it was full or nobody served it: it was over at once,
        and nobody was rung or had hung up."""
        after = next((one for at, one in leg.rows if at > place), None)
        rung = any(one.by == leg.id and (one.began or 0) > place for one in self.legs.values())
        return after is not None and after.at - row.at < AT_ONCE_S and not rung and leg.asked is None

    def _app_ended(self, leg: Leg, row: Row, place: int) -> Iterator[Signal]:
        if row.app.lower() == "queue":
            yield from self._left_queue(leg, row)

    def _left_queue(self, leg: Leg, row: Row) -> Iterator[Signal]:
        wait = self.waits.pop(leg.id, None)
        if wait is None or wait.left:
            return
        limit = wait.limit_s is not None and row.at - wait.since >= wait.limit_s - TOGETHER_S
        if limit or leg.id in self.asked or self._first_asked():
            yield QueueAbandoned(row.at, leg.id, row.linkedid, wait.queue)
        yield QueueLeft(row.at, leg.id, row.linkedid, wait.queue)

    def _first_asked(self) -> bool:
        return next(iter(self.legs)) in self.asked

    def _connected(self, leg: Leg, row: Row, bridge: str) -> Iterator[Signal]:
        """A caller who comes into a bridge does not wait any more; a phone of the queue that is with them there
        has taken the call."""
        here = (leg, *(self.legs[other] for other, room in self.rooms.items() if room == bridge))
        if (wait := self.waits.get(leg.id)) is not None and not wait.left:
            wait.left = True
            yield QueueLeft(row.at, leg.id, row.linkedid, wait.queue)
        for one in here:
            wait = self.waits.get(one.by or "") if one.how == QUEUE else None
            caller = self.legs.get(one.by or "")
            if wait is None or caller is None or caller not in here or wait.taken:
                continue
            wait.taken = True
            member = self.interface(wait.queue, one.channel)
            yield MemberConnected(row.at, caller.id, row.linkedid, wait.queue, member, one.id)

    # --- bridges, transfers, parking -------------------------------------------------------------------

    def _bridge_entered(self, leg: Leg, row: Row, place: int) -> Iterator[Signal]:
        bridge = str(row.extra.get("bridge_id") or "")
        if not bridge:
            return
        if row.extra.get("bridge_technology") == HOLDING:
            if not any(one.kind == "PARK_START" and abs(one.at - row.at) <= TOGETHER_S for _, one in leg.rows):
                yield LegSetAside(row.at, leg.id, row.linkedid)
            return
        yield from self._connected(leg, row, bridge)
        self.rooms[leg.id] = bridge
        yield LegBridged(row.at, leg.id, row.linkedid, bridge, row.app.lower() == CONFBRIDGE)

    def _bridge_left(self, leg: Leg, row: Row, place: int) -> Iterator[Signal]:
        bridge = str(row.extra.get("bridge_id") or self.rooms.get(leg.id) or "")
        self.rooms.pop(leg.id, None)
        if bridge:
            yield LegUnbridged(row.at, leg.id, row.linkedid, bridge)

    def _parked(self, leg: Leg, row: Row, place: int) -> Iterator[Signal]:
        by = str(row.extra.get("parker_dial_string") or "") or None
        yield LegParked(row.at, leg.id, row.linkedid, "", by)

    def _unparked(self, leg: Leg, row: Row, place: int) -> Iterator[Signal]:
        yield LegUnparked(row.at, leg.id, row.linkedid)

    def _picked_up(self, leg: Leg, row: Row, place: int) -> Iterator[Signal]:
        if by := row.extra.get("pickup_channel_uniqueid"):
            yield LegPickedUp(row.at, leg.id, row.linkedid, str(by))

    def _blind(self, leg: Leg, row: Row, place: int) -> Iterator[Signal]:
        target = str(row.extra.get("extension") or "") or None
        yield LegTransferred(row.at, leg.id, row.linkedid, attended=False, target=target)

    def _attended(self, leg: Leg, row: Row, place: int) -> Iterator[Signal]:
        second = self.legs.get(str(row.extra.get("channel2_uniqueid") or ""))
        yield LegTransferred(
            row.at,
            leg.id,
            row.linkedid,
            attended=True,
            second=second.id if second is not None else None,
            second_linkedid=_linkedid(second, place) if second is not None else None,
            conference=leg.id in self.rooms if second is leg else self._stays(leg, place, row.at),
        )

    def _stays(self, leg: Leg, place: int, at: float) -> bool:
        """Whether the one who gave the call away is in it afterwards: then nobody left."""
        later = [row for where, row in leg.rows if where > place]
        return any(row.kind == "BRIDGE_ENTER" for row in later) or (
            leg.id in self.rooms
            and bool(later)
            and min((row.at for row in later if row.kind in ("BRIDGE_EXIT", "CHAN_END")), default=at) - at
            > STAYS_S
        )


def _linkedid(leg: Leg, place: int) -> str:
    """The linkedid that this channel had at this place of the story."""
    return next((row.linkedid for at, row in reversed(leg.rows) if at <= place), leg.linkedid)


def _limit(data: str) -> float | None:
    """The time limit among Queue()'s arguments, in seconds: Queue(name,options,url,announce,timeout,…)."""
    arguments = data.split(",")
    try:
        limit = float(arguments[4])
    except (IndexError, ValueError):
        return None
    return limit if limit > 0 else None


Told = Callable[[_Translation, Leg, Row, int], Iterator[Signal]]
TOLD: Mapping[str, Told] = {
    "CHAN_START": _Translation._started,
    "ANSWER": _Translation._answered,
    "HANGUP": _Translation._hung_up,
    "CHAN_END": _Translation._channel_ended,
    "APP_START": _Translation._app_began,
    "APP_END": _Translation._app_ended,
    "BRIDGE_ENTER": _Translation._bridge_entered,
    "BRIDGE_EXIT": _Translation._bridge_left,
    "PARK_START": _Translation._parked,
    "PARK_END": _Translation._unparked,
    "PICKUP": _Translation._picked_up,
    "BLINDTRANSFER": _Translation._blind,
    "ATTENDEDTRANSFER": _Translation._attended,
    "FORWARD": _Translation._forwarded,
}
