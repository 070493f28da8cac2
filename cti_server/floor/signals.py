"""What the floor learns from the PBX and from lookups: one frozen dataclass per kind. Desks: `desk_signals.py`.

Signals name no protocol. `at` is when it happened, in seconds since the epoch by the PBX's stamp. `leg` is a
channel's Uniqueid. `linkedid` is what the PBX said at that moment; when a leg's linkedid becomes another call's,
the two calls merge.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import inf
from typing import Any

from .descriptions import Description


class LinkState(StrEnum):
    """How well the server knows the PBX. Only while `live` does the floor show this very second."""

    CONNECTING = "connecting"
    LIVE = "live"
    STALE = "stale"
    REFUSED = "refused"


class MemberStatus(StrEnum):
    """The state of a queue member's device, as app_queue reports it."""

    UNKNOWN = "unknown"
    IDLE = "idle"
    IN_USE = "in_use"
    BUSY = "busy"
    INVALID = "invalid"
    UNAVAILABLE = "unavailable"
    RINGING = "ringing"
    ON_HOLD = "on_hold"


class DialStatus(StrEnum):
    """How an attempt to reach a leg ended."""

    ANSWER = "answer"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    CANCEL = "cancel"
    FAILED = "failed"


class Recording(StrEnum):
    """Whether the call is being recorded. While paused the file goes on, in silence."""

    OFF = "off"
    ON = "on"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class Signal:
    """Base of all signals; only subclasses are instantiated."""

    at: float


# --- the link ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LinkChanged(Signal):
    """The state of the link to the PBX changed; `detail` is a sentence for people (who refused, and why)."""

    state: LinkState
    detail: str | None = None


# --- legs ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LegSignal(Signal):
    """Something about one leg."""

    leg: str
    linkedid: str


@dataclass(frozen=True, slots=True)
class LegStarted(LegSignal):
    """A channel was created. `exten` is the extension it was sent to: the DNIS of an inbound call."""

    channel: str
    up: bool
    number: str | None
    name: str | None
    exten: str | None


@dataclass(frozen=True, slots=True)
class NobodyCalls(Signal):
    """What the PBX does under this linkedid is no call: it runs the dialplan for text messages."""

    linkedid: str


@dataclass(frozen=True, slots=True)
class LegRang(LegSignal):
    """The device at the end of this leg rings."""


@dataclass(frozen=True, slots=True)
class LegAnswered(LegSignal):
    """The leg is up."""


@dataclass(frozen=True, slots=True)
class LegRenamed(Signal):
    """A masquerade gave the channel another name. The PBX does not report the linkedid with it."""

    leg: str
    channel: str


@dataclass(frozen=True, slots=True)
class LegDialled(LegSignal):
    """The leg `by` (None for an originate) began to call this leg. `number` is the number dialled, if any."""

    by: str | None
    channel: str
    number: str | None


@dataclass(frozen=True, slots=True)
class LegDialEnded(LegSignal):
    """The attempt to call this leg ended. `forwarded` is the number that its phone sent the call on to."""

    channel: str
    status: DialStatus
    forwarded: str | None = None


@dataclass(frozen=True, slots=True)
class NumberNotReached(LegSignal):
    """Nobody answered at the number that this leg dialled from the desk. `cause` is Q.850's, `outside` a number
    that is no phone of the PBX; `trunk_known` is False where the PBX has no such trunk or endpoint."""

    number: str
    status: DialStatus
    cause: int | None
    outside: bool
    trunk_known: bool


@dataclass(frozen=True, slots=True)
class LegNumbered(LegSignal):
    """The PBX learned who is on this leg: the number on an analog line comes after the channel, and a dialplan may
    set another."""

    number: str | None
    name: str | None


@dataclass(frozen=True, slots=True)
class LegRefused(LegSignal):
    """The PBX told the party on this leg that nobody can be reached; what it then hangs up, they did not."""


@dataclass(frozen=True, slots=True)
class LegBridged(LegSignal):
    """The leg entered a bridge; `conference` is True for a ConfBridge room."""

    bridge: str
    conference: bool = False


@dataclass(frozen=True, slots=True)
class LegUnbridged(LegSignal):
    """The leg left a bridge."""

    bridge: str


@dataclass(frozen=True, slots=True)
class LegSetAside(LegSignal):
    """The leg went into a waiting room where nobody hears anybody: an agent of an agent pool without a call."""


@dataclass(frozen=True, slots=True)
class LegHeld(LegSignal):
    """The party on this leg put the other side on hold."""


@dataclass(frozen=True, slots=True)
class LegRetrieved(LegSignal):
    """The party on this leg took the other side off hold."""


@dataclass(frozen=True, slots=True)
class LegHeldAtDesk(LegSignal):
    """A hold from the desk began or ended on this leg; a hold that is none from the desk is the phone's own."""

    on: bool


@dataclass(frozen=True, slots=True)
class LegMuted(LegSignal):
    """The party on this leg was muted, so that nobody hears them, or unmuted."""

    muted: bool


@dataclass(frozen=True, slots=True)
class RecordingChanged(LegSignal):
    """The recording on this leg started or resumed, paused, or stopped."""

    state: Recording


@dataclass(frozen=True, slots=True)
class LegHangupAsked(LegSignal):
    """The party on this leg asked to hang up, or an agent asked for it on their screen (`at_desk`). The first who
    asks is the one who ended the call."""

    at_desk: bool = False


@dataclass(frozen=True, slots=True)
class LegEnded(LegSignal):
    """The channel is gone. `cause` is the Q.850 number, 26 being "answered elsewhere"."""

    cause: int | None


@dataclass(frozen=True, slots=True)
class LegParked(LegSignal):
    """The leg waits in a parking space. `by` is the device of who parked it."""

    space: str
    by: str | None = None


@dataclass(frozen=True, slots=True)
class LegUnparked(LegSignal):
    """Somebody fetched the leg from its space, or it timed out."""


@dataclass(frozen=True, slots=True)
class LegPickedUp(LegSignal):
    """`by` took the call that rang this leg."""

    by: str


@dataclass(frozen=True, slots=True)
class LegFetched(LegSignal):
    """An agent asked for the caller on this leg. `why` is `picked` (out of a queue) or `returned` (back to a phone
    that had lost them). The phone that is dialled next is that agent's."""

    why: str


@dataclass(frozen=True, slots=True)
class LegTransferred(LegSignal):
    """The party on this leg gave the call away. `second` is their consult leg in an attended transfer."""

    attended: bool
    second: str | None = None
    second_linkedid: str | None = None
    target: str | None = None
    ok: bool = True
    conference: bool = False  # nobody left: the consulted colleague joined, and all three talk


# --- queues --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class QueueJoined(LegSignal):
    """The caller on this leg began to wait."""

    queue: str
    position: int | None


@dataclass(frozen=True, slots=True)
class QueueLeft(LegSignal):
    """The caller on this leg stopped waiting, for whatever reason."""

    queue: str


@dataclass(frozen=True, slots=True)
class QueueAbandoned(LegSignal):
    """The caller on this leg gave up waiting."""

    queue: str


@dataclass(frozen=True, slots=True)
class QueueMeant(LegSignal):
    """The caller on this leg is bound for a queue, but one of its members (the preferred agent) is tried first."""

    queue: str


@dataclass(frozen=True, slots=True)
class MemberOffered(LegSignal):
    """The queue rings a member for the caller on this leg."""

    queue: str
    interface: str
    member_leg: str | None


@dataclass(frozen=True, slots=True)
class MemberConnected(LegSignal):
    """A member took the caller on this leg."""

    queue: str
    interface: str
    member_leg: str | None


@dataclass(frozen=True, slots=True)
class MemberDidNotAnswer(LegSignal):
    """The queue gave up ringing this member (RONA)."""

    queue: str
    interface: str


@dataclass(frozen=True, slots=True)
class MemberHungUp(LegSignal):
    """This member picked up, and hung up before the caller was connected: during an announcement, say."""

    queue: str
    interface: str


@dataclass(frozen=True, slots=True)
class PoolAgentChanged(LegSignal):
    """The agent of an agent pool whose device is `device` logged in on this leg, or logged out."""

    device: str
    channel: str
    logged_in: bool


@dataclass(frozen=True, slots=True)
class MemberChanged(Signal):
    """The whole state of a member in one queue, as the PBX reports it. `seat` is the device behind `interface`."""

    queue: str
    interface: str
    seat: str
    name: str
    status: MemberStatus
    paused: bool
    reason: str | None
    penalty: int = 0
    dynamic: bool = False  # joined at run time, and may leave; other members stand in Asterisk's files
    also: tuple[str, ...] = ()  # further devices of the agent's extension, beside the seat


@dataclass(frozen=True, slots=True)
class MemberRemoved(Signal):
    """A member left a queue."""

    queue: str
    interface: str


# --- phones --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PhoneChanged(Signal):
    """A phone of this seat, identified by its contact address, became reachable or was lost."""

    seat: str
    contact: str
    reachable: bool


# --- what others found out -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StepTaken(LegSignal):
    """The caller went one step through the IVR."""

    step: str
    choice: str | None


@dataclass(frozen=True, slots=True)
class CallerIdentified(Signal):
    """A lookup, or an agent, found out who is calling, or that nobody knows. It may come before `LegStarted`."""

    leg: str
    linkedid: str | None
    match: str
    customer: dict[str, Any] | None = None  # {"id", "name", "tier"}
    verdict: dict[str, Any] | None = None  # {"code", "rule", "contract"}
    ani: str | None = None  # E.164 where it could be told
    line: int | None = None
    language: str | None = None
    chosen_by: str | None = None  # the agent's id as text, when a person chose and not a lookup


@dataclass(frozen=True, slots=True)
class QueueDescribed(Signal):
    """What the record knows of a queue that the PBX does not."""

    queue: str
    description: Description


# --- snapshots: after every (re)connect, and as the drift check ----------------------------------------


@dataclass(frozen=True, slots=True)
class LegRow:
    """One leg in a snapshot. `age_s` is how long it has existed, None when the PBX does not say."""

    leg: str
    linkedid: str
    channel: str
    up: bool
    number: str | None
    name: str | None
    exten: str | None
    bridge: str | None
    age_s: float | None
    ringing: bool = False
    parked: bool = False
    aside: bool = False  # in a waiting room, where nobody hears anybody
    conference: bool = False
    held: bool | None = None  # None: the PBX did not say, here and below
    muted: bool | None = None
    recording: Recording | None = None
    space: str | None = None  # of a parked leg


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One waiting caller in a snapshot."""

    queue: str
    leg: str
    position: int
    wait_s: float


@dataclass(frozen=True, slots=True)
class Unsettled:
    """What two looks at the PBX, a moment apart, do not show alike: it is changing, and events will say how.

    `legs` by id, `queues` by name, `members` as (queue, interface), `waits` as (leg, queue). The first look was
    taken at `since`: what both lack, but began after it, may have come and gone between them.
    """

    since: float = inf
    legs: frozenset[str] = frozenset()
    queues: frozenset[str] = frozenset()
    members: frozenset[tuple[str, str]] = frozenset()
    waits: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Snapshot(Signal):
    """The PBX as it is: every leg, every queue with its members and waiting callers.

    `boot` is when this Asterisk started, in seconds since the epoch; when it changes, every earlier call has ended
    unseen. `whole` is False when rows had to be left out: then the absence of a row proves nothing.

    A drift check has only the rows that two looks show alike. What it lacks is gone, unless it is `unsettled`.
    """

    boot: int
    legs: tuple[LegRow, ...] = ()
    queues: tuple[str, ...] = ()
    members: tuple[MemberChanged, ...] = ()
    entries: tuple[EntryRow, ...] = ()
    whole: bool = True
    drift_check: bool = False
    unsettled: Unsettled = Unsettled()
    nobody: frozenset[str] = frozenset()  # linkedids as of `NobodyCalls`
