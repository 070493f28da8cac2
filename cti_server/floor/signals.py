"""What the floor learns of the PBX: one frozen dataclass for each kind of thing. Desks stand in `desk_signals.py`.

They name no protocol. `at` is when it happened, seconds since the epoch by the PBX's stamp. `leg` is a
channel's Uniqueid; `linkedid` is what the PBX said at that moment, and two linkedids that meet are a merge.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from .descriptions import Description


class LinkState(StrEnum):
    """How well we know the PBX. Only `live` means that the floor shows this second."""

    CONNECTING = "connecting"
    LIVE = "live"
    STALE = "stale"
    REFUSED = "refused"


class MemberStatus(StrEnum):
    """A queue member's device, as app_queue knows it."""

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
    """Whether what is said is kept. While paused the file goes on, in silence."""

    OFF = "off"
    ON = "on"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class Signal:
    """Anything learnt; only its subclasses are ever made."""

    at: float


# --- the link ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LinkChanged(Signal):
    """The link to the PBX changed its state; `detail` is for people (who refused, since what)."""

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
    """A channel came to be. `exten` is where it was sent: the DNIS of a call that comes in."""

    channel: str
    up: bool
    number: str | None
    name: str | None
    exten: str | None


@dataclass(frozen=True, slots=True)
class LegRang(LegSignal):
    """The device at the leg's end rings."""


@dataclass(frozen=True, slots=True)
class LegAnswered(LegSignal):
    """The leg is up."""


@dataclass(frozen=True, slots=True)
class LegRenamed(Signal):
    """A masquerade gave the channel another name; the PBX does not say the linkedid here."""

    leg: str
    channel: str


@dataclass(frozen=True, slots=True)
class LegDialled(LegSignal):
    """`by` (None for an originate) began to call this leg; `number` is what was dialled, if it was one."""

    by: str | None
    channel: str
    number: str | None


@dataclass(frozen=True, slots=True)
class LegDialEnded(LegSignal):
    """The attempt to call this leg ended."""

    channel: str
    status: DialStatus


@dataclass(frozen=True, slots=True)
class LegBridged(LegSignal):
    """The leg entered a bridge; `conference` for a ConfBridge room."""

    bridge: str
    conference: bool = False


@dataclass(frozen=True, slots=True)
class LegUnbridged(LegSignal):
    """The leg left a bridge."""

    bridge: str


@dataclass(frozen=True, slots=True)
class LegHeld(LegSignal):
    """The party on this leg put the other side on hold."""


@dataclass(frozen=True, slots=True)
class LegRetrieved(LegSignal):
    """The party on this leg took the other side off hold."""


@dataclass(frozen=True, slots=True)
class LegMuted(LegSignal):
    """What the party on this leg says reaches nobody, or does again."""

    muted: bool


@dataclass(frozen=True, slots=True)
class RecordingChanged(LegSignal):
    """The recording that was started on this leg goes on, is silent for a while, or is over."""

    state: Recording


@dataclass(frozen=True, slots=True)
class LegHangupAsked(LegSignal):
    """The party on this leg asked to hang up; who asked first ended the call."""


@dataclass(frozen=True, slots=True)
class LegEnded(LegSignal):
    """The channel is gone. `cause` is the Q.850 number, 26 being "answered elsewhere"."""

    cause: int | None


@dataclass(frozen=True, slots=True)
class LegParked(LegSignal):
    """The leg waits in a parking space."""

    space: str


@dataclass(frozen=True, slots=True)
class LegUnparked(LegSignal):
    """Somebody fetched the leg from its space, or it timed out."""


@dataclass(frozen=True, slots=True)
class LegPickedUp(LegSignal):
    """`by` took the call that rang this leg."""

    by: str


@dataclass(frozen=True, slots=True)
class LegFetched(LegSignal):
    """An agent asked for the caller on this leg, out of a queue (`picked`) or back to a phone that had lost them
    (`returned`): the phone that is dialled next is theirs."""

    why: str


@dataclass(frozen=True, slots=True)
class LegTransferred(LegSignal):
    """The party on this leg gave the call away. `second` is their consult leg in an attended transfer."""

    attended: bool
    second: str | None = None
    second_linkedid: str | None = None
    target: str | None = None
    ok: bool = True
    conference: bool = False  # nobody left: the consulted colleague came in, and all three talk


# --- queues --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class QueueJoined(LegSignal):
    """The caller on this leg began to wait."""

    queue: str
    position: int | None


@dataclass(frozen=True, slots=True)
class QueueLeft(LegSignal):
    """The caller on this leg waits no longer, for whatever reason."""

    queue: str


@dataclass(frozen=True, slots=True)
class QueueAbandoned(LegSignal):
    """The caller on this leg gave up waiting."""

    queue: str


@dataclass(frozen=True, slots=True)
class QueueMeant(LegSignal):
    """The caller on this leg is meant for a queue, whose member is tried before it (the preferred agent)."""

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
class MemberChanged(Signal):
    """A member's whole state in one queue, as the PBX tells it."""

    queue: str
    interface: str
    seat: str
    name: str
    status: MemberStatus
    paused: bool
    reason: str | None
    penalty: int = 0
    dynamic: bool = False  # joined while Asterisk ran, and may leave; others stand in its files


@dataclass(frozen=True, slots=True)
class MemberRemoved(Signal):
    """A member left a queue."""

    queue: str
    interface: str


# --- phones --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PhoneChanged(Signal):
    """A phone of this seat, known by its contact address, came within reach or is lost."""

    seat: str
    contact: str
    reachable: bool


# --- what others found out -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StepTaken(LegSignal):
    """The caller went a step through the IVR."""

    step: str
    choice: str | None


@dataclass(frozen=True, slots=True)
class CallerIdentified(Signal):
    """A lookup found out who is calling, or that nobody knows. The call may not have been heard of yet."""

    leg: str
    linkedid: str | None
    match: str
    customer: dict[str, Any] | None = None  # {"id", "name", "tier"}
    verdict: dict[str, Any] | None = None  # {"code", "rule", "contract"}
    ani: str | None = None  # E.164 where it could be told
    line: int | None = None
    language: str | None = None
    chosen_by: str | None = None  # the agent's key, when a person chose


@dataclass(frozen=True, slots=True)
class QueueDescribed(Signal):
    """What the record knows of a queue that the PBX does not."""

    queue: str
    description: Description


# --- the whole truth, after a (re)connect and as a drift check -----------------------------------------


@dataclass(frozen=True, slots=True)
class LegRow:
    """One leg as a snapshot shows it. `age_s` is how long it has existed, None where the PBX does not tell."""

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
    conference: bool = False
    held: bool | None = None  # None: the PBX did not tell, here and below
    muted: bool | None = None
    recording: Recording | None = None


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One waiting caller as a snapshot shows it."""

    queue: str
    leg: str
    position: int
    wait_s: float


@dataclass(frozen=True, slots=True)
class Snapshot(Signal):
    """The PBX as it is: every leg, every queue with its members and waiting callers.

    `boot` is when this Asterisk started, seconds since the epoch; another boot means that every call of the
    old one ended unseen. `whole` is False where rows had to be left out, so that absence proves nothing.
    """

    boot: int
    legs: tuple[LegRow, ...] = ()
    queues: tuple[str, ...] = ()
    members: tuple[MemberChanged, ...] = ()
    entries: tuple[EntryRow, ...] = ()
    whole: bool = True
    drift_check: bool = False
    seen_before: frozenset[str] = frozenset()  # legs that a look a moment earlier still saw: not proven gone
