"""What an agent does with a call → the actions that make Asterisk do it, in the order in which they are run.

Pure: nothing is sent from here. Each move names channels (`PJSIP/1002-0000000a`), never legs; the contexts are
those of dialplans/extensions_cti.conf, the keys those of dialplans/features_cti.conf. What does not look like a
channel, a number, a queue is refused with NotSafe before anything is sent. What each move was seen to do on a
real Asterisk, and why it is done so: docs/decisions/moves.md and tests/live/test_moves.py.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .actions import Action
from .call_actions import (
    Atxfer,
    BlindTransfer,
    CancelAtxfer,
    Hangup,
    MixMonitorMute,
    Originate,
    PJSIPNotify,
    PlayDTMF,
    Redirect,
    Setvar,
    StopMixMonitor,
)

#: keys that no phone has, so that nobody presses them by accident: [applicationmap] of features_cti.conf
HOLD_KEY = "A"
RECORD_KEY = "B"
FEATURES = "cti-hold#cti-record"
#: what Asterisk listens for during a consultation: [general] of features_cti.conf
COMPLETE_KEYS, THREE_WAY_KEYS, SWAP_KEYS = "*1", "*3", "*5"
#: any key ends a hold; this one means nothing else
RETRIEVE_KEY = "C"
REJECTED = 21  # Q.850: call rejected

_CHANNEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9/@_.:;+-]{1,150}\Z")
_SEAT = re.compile(r"[A-Za-z0-9]+/[A-Za-z0-9/@_.+-]{1,80}\Z")
_NUMBER = re.compile(r"[+*]?[0-9]{1,32}\Z")
_QUEUE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}\Z")
_ROOM = re.compile(r"[0-9]{1,20}\Z")
_DIGITS = re.compile(r"[0-9*#A-D]{1,32}\Z")
_LEG = re.compile(r"[A-Za-z0-9_.-]{1,100}\Z")


class NotSafe(ValueError):
    """Something that is not what its place wants: it could mean something else to Asterisk."""


@dataclass(frozen=True, slots=True)
class Number:
    """An extension inside or a number outside: the dialplan tells which (CTI_INSIDE of cti_site.conf)."""

    number: str


@dataclass(frozen=True, slots=True)
class Queue:
    name: str


Target = Number | Queue
Moves = Sequence[Action]

# --- the call that is there --------------------------------------------------------------------------------


def prepare(ringing: str) -> Moves:
    """What cti-leg does, for a phone that a dialplan without it rings (FreePBX): from the answer on, its leg hears
    the keys of hold and recording. Useless once it talks."""
    return [Setvar(_channel(ringing), "CTI_LEG", "agent"), Setvar(ringing, "DYNAMIC_FEATURES", FEATURES)]


def answer(ringing: str) -> Moves:
    """A desk phone that rings is told to answer. Role notify."""
    return [PJSIPNotify(_channel(ringing))]


def hang_up(channel: str) -> Moves:
    """Mine, or somebody's who is to be dropped."""
    return [Hangup(_channel(channel))]


def reject(ringing: str) -> Moves:
    """The phone stops ringing; a queue goes on to the next."""
    return [Hangup(_channel(ringing), cause=REJECTED)]


def hold(mine: str) -> Moves:
    """The other side hears music. Told by LegHeld on my leg."""
    return [PlayDTMF(_channel(mine), HOLD_KEY, receive=True)]


def retrieve(mine: str) -> Moves:
    """Told by LegRetrieved on my leg. A held call is retrieved before it is consulted about or given away."""
    return [PlayDTMF(_channel(mine), RETRIEVE_KEY, receive=True)]


def mute(mine: str, *, by_phone: bool = False) -> Moves:
    """Asterisk drops what comes from my phone. No event tells; it is done when these answered.

    Then no packet goes to the other side at all (measured). A phone that mutes itself, `by_phone`, sends silence
    instead, which no carrier takes for a dead line: of that Asterisk only keeps the note.
    """
    noted = Setvar(_channel(mine), "CTI_MUTED", "1")
    return [noted] if by_phone else [Setvar(mine, "MUTEAUDIO(in)", "on"), noted]


def unmute(mine: str, *, by_phone: bool = False) -> Moves:
    noted = Setvar(_channel(mine), "CTI_MUTED", "")
    return [noted] if by_phone else [Setvar(mine, "MUTEAUDIO(in)", "off"), noted]


def dtmf(other: str, digits: str) -> Moves:
    """Keys for a voice menu at the other end. Leave 60 ms between two, or the same key twice is one long key."""
    return [PlayDTMF(_channel(other), digit) for digit in _checked(_DIGITS, digits, "keys")]


# --- giving it away ----------------------------------------------------------------------------------------


def transfer(mine: str, target: Target) -> Moves:
    """Blind. When nobody takes it the caller rings my phone again, then goes to the queue of before."""
    match target:
        case Number(number):
            return [BlindTransfer(_channel(mine), "cti-transfer", _number(number))]
        case Queue(name):
            return [BlindTransfer(_channel(mine), "cti-transfer-queue", _queue(name))]


def consult(mine: str, target: Target) -> Moves:
    """Attended transfer, first half: the caller hears music, I hear the target ring. Asterisk presses keys for
    it, so what is meant travels in a variable that the consultation inherits."""
    match target:
        case Number(number):
            return [Setvar(_channel(mine), "__CTI_TARGET", _number(number)), Atxfer(mine, "cti-consult", "00")]
        case Queue(name):
            return [Setvar(_channel(mine), "__CTI_TARGET", _queue(name)), Atxfer(mine, "cti-consult-queue", "00")]


def alternate(mine: str) -> Moves:
    """During a consultation that was answered: to the one who waits now."""
    return _keys(mine, SWAP_KEYS)


def complete(mine: str) -> Moves:
    """The two others talk to each other; my phone is free."""
    return _keys(mine, COMPLETE_KEYS)


def cancel(mine: str) -> Moves:
    """The consulted one is let go, I am back with the caller; also while it still rings."""
    return [CancelAtxfer(_channel(mine))]


def merge(mine: str) -> Moves:
    """The consultation becomes a conference of three."""
    return _keys(mine, THREE_WAY_KEYS)


# --- conference rooms --------------------------------------------------------------------------------------


def open_room(mine: str, other: str, room: str) -> Moves:
    """The two who talk go on in a room, to which others can be invited. It ends with its last agent."""
    return [Redirect(_channel(mine), "cti-room", _room(room), extra=_channel(other))]


def invite_phone(seat: str, room: str, leg: str | None = None) -> Moves:
    """Rings an agent's phone and brings it into the room. Role originate."""
    agent = (("CTI_LEG", "agent"),)  # the room lives as long as an agent is in it
    return [Originate(_seat(seat), "cti-room", _room(room), leg=_leg(leg), variables=agent)]


def invite_number(number: str, room: str, leg: str | None = None) -> Moves:
    """Calls a number outside and brings whoever answers into the room. Role originate."""
    return [Originate(f"Local/{_number(number)}@cti-invite", "cti-room", _room(room), leg=_leg(leg))]


# --- waiting places ----------------------------------------------------------------------------------------


def park(mine: str) -> Moves:
    """The caller waits in a parking space, my phone is free. After its time the caller rings my phone again."""
    return [BlindTransfer(_channel(mine), "cti-park", "park")]


def fetch(seat: str, space: str, leg: str | None = None) -> Moves:
    """A parked call to the phone at `seat`. Role originate."""
    return [Originate(_seat(seat), "cti-pick-up", _room(space), number=space, caller="Parked", leg=_leg(leg))]


def take(seat: str, ringing: str, leg: str | None = None) -> Moves:
    """The call that rings another phone (`ringing` is that phone's channel) to the phone at `seat`."""
    which = (("CTI_CHANNEL", _channel(ringing)),)
    return [Originate(_seat(seat), "cti-pick-up", "ringing", leg=_leg(leg), variables=which)]


def pick(waiting: str, extension: str, queue: str, position: int = 1) -> Moves:
    """A waiting caller to the phone of `extension`; not answered: back to the same place."""
    place = str(max(1, int(position)))
    return [
        Setvar(_channel(waiting), "CTI_QUEUE", _queue(queue)),
        Setvar(waiting, "CTI_PLACE", place),
        Redirect(waiting, "cti-pick", _number(extension)),
    ]


def reconnect(other: str, extension: str) -> Moves:
    """The other side of a call whose phone was lost rings the phone of `extension` again; what is left of the
    old leg ends by itself."""
    return [Redirect(_channel(other), "cti-return", _number(extension))]


# --- recordings --------------------------------------------------------------------------------------------


def start_recording(mine: str) -> Moves:
    """Starts on the other side's leg, to go on when the call changes hands. RecordingChanged names it."""
    return [PlayDTMF(_channel(mine), RECORD_KEY, receive=True)]


def pause_recording(recorded: str) -> Moves:
    """Silence in the file until resumed. `recorded` is the leg of RecordingChanged."""
    return [MixMonitorMute(_channel(recorded), silent=True), Setvar(recorded, "CTI_RECORDING", "paused")]


def resume_recording(recorded: str) -> Moves:
    return [MixMonitorMute(_channel(recorded), silent=False), Setvar(recorded, "CTI_RECORDING", "on")]


def stop_recording(recorded: str) -> Moves:
    return [StopMixMonitor(_channel(recorded)), Setvar(recorded, "CTI_RECORDING", "")]


# --- new calls ---------------------------------------------------------------------------------------------


def dial(seat: str, number: str, leg: str | None = None) -> Moves:
    """Rings the agent's phone (it shows the number), then calls the number. Role originate."""
    return [Originate(_seat(seat), "cti-dial", _number(number), number=number, leg=_leg(leg))]


# --- what may go out ---------------------------------------------------------------------------------------


def _keys(mine: str, keys: str) -> Moves:
    return [PlayDTMF(_channel(mine), key, receive=True) for key in keys]


def _checked(shape: re.Pattern[str], text: str, what: str) -> str:
    if not shape.match(text):
        raise NotSafe(f"{text[:40]!r} does not look like {what}")
    return text


def _channel(text: str) -> str:
    return _checked(_CHANNEL, text, "a channel")


def _seat(text: str) -> str:
    return _checked(_SEAT, text, "a phone")


def _number(text: str) -> str:
    return _checked(_NUMBER, text, "a number")


def _queue(text: str) -> str:
    return _checked(_QUEUE, text, "a queue")


def _room(text: str) -> str:
    return _checked(_ROOM, text, "a room or parking space")


def _leg(text: str | None) -> str | None:
    return None if text is None else _checked(_LEG, text, "a channel's id")
