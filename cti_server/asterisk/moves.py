"""What an agent does with a call (a move) → the AMI actions for it, in the order in which they must be run.

Pure: nothing is sent from here; whoever runs the actions waits for the answer to each before sending the next.
Channels are given by name (`PJSIP/1002-0000000a`): `own` is the channel of the agent who acts, `other` that of
the party they talk to, `ringing` that of a phone that rings. A seat is a phone (`PJSIP/1002`). `leg` is the
Uniqueid that a new channel gets. Every function raises NotSafe for a value that does not look like what it should
be. The contexts are in dialplans/extensions_cti.conf, the keys in dialplans/features_cti.conf. What each move
does on a real Asterisk, and why it is done so: docs/decisions/moves.md and tests/live/test_moves.py.
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

#: keys that no phone has, so that nobody presses them by accident; [applicationmap] of features_cti.conf has them
HOLD_KEY = "A"
RECORD_KEY = "B"
#: the keys that Asterisk obeys during a consultation: [general] of features_cti.conf
COMPLETE_KEYS, THREE_WAY_KEYS, SWAP_KEYS = "*1", "*3", "*5"
#: any key ends a hold; this one has no other meaning
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
    """A value does not have the form of what it should be, so Asterisk could take it for something else."""


@dataclass(frozen=True, slots=True)
class Number:
    """An extension or an outside number; the dialplan tells them apart (CTI_INSIDE of cti_site.conf)."""

    number: str


@dataclass(frozen=True, slots=True)
class Queue:
    name: str


Target = Number | Queue
Moves = Sequence[Action]

# --- the present call -------------------------------------------------------------------------------------


def answer(ringing: str) -> Moves:
    """Tell a desk phone that rings to answer. Role notify."""
    return [PJSIPNotify(_channel(ringing))]


def hang_up(channel: str) -> Moves:
    """Hang up any channel: the agent's own, or that of somebody who is to leave the call."""
    return [Hangup(_channel(channel))]


def reject(ringing: str) -> Moves:
    """Stop the phone ringing; a queue goes on to its next member."""
    return [Hangup(_channel(ringing), cause=REJECTED)]


def hold(own: str) -> Moves:
    """The other side hears music. LegHeld on the agent's leg reports it."""
    return [PlayDTMF(_channel(own), HOLD_KEY, receive=True)]


def retrieve(own: str) -> Moves:
    """End the hold. LegRetrieved on the agent's leg reports it.

    A held call must be retrieved before a consultation or a transfer.
    """
    return [PlayDTMF(_channel(own), RETRIEVE_KEY, receive=True)]


def mute(own: str, *, by_phone: bool = False) -> Moves:
    """Asterisk drops the voice of the agent's phone. No event reports it: it is done once the PBX answers.

    No packet at all goes to the other side then (measured), which a carrier may take for a dead line. A phone that
    mutes itself (`by_phone`) sends silence instead: then Asterisk only notes it in CTI_MUTED.
    """
    noted = Setvar(_channel(own), "CTI_MUTED", "1")
    return [noted] if by_phone else [Setvar(own, "MUTEAUDIO(in)", "on"), noted]


def unmute(own: str, *, by_phone: bool = False) -> Moves:
    """The other side hears the agent again; as with `mute`, no event reports it."""
    noted = Setvar(_channel(own), "CTI_MUTED", "")
    return [noted] if by_phone else [Setvar(own, "MUTEAUDIO(in)", "off"), noted]


def dtmf(other: str, digits: str) -> Moves:
    """Press keys in a voice menu at the other end, one action a key.

    Leave 60 ms between two actions; without a gap the same key twice is heard as one long key.
    """
    return [PlayDTMF(_channel(other), digit) for digit in _checked(_DIGITS, digits, "keys")]


# --- transfers ---------------------------------------------------------------------------------------------


def transfer(own: str, target: Target) -> Moves:
    """Blind transfer. When nobody answers, the caller rings the agent's phone again, then returns to the queue."""
    match target:
        case Number(number):
            return [BlindTransfer(_channel(own), "cti-transfer", _number(number))]
        case Queue(name):
            return [BlindTransfer(_channel(own), "cti-transfer-queue", _queue(name))]


def consult(own: str, target: Target) -> Moves:
    """Begin an attended transfer: the caller hears music, the agent hears the target ring.

    Atxfer can only dial digits, so the target is given in a variable that the consultation's channel inherits.
    """
    match target:
        case Number(number):
            return [Setvar(_channel(own), "__CTI_TARGET", _number(number)), Atxfer(own, "cti-consult", "00")]
        case Queue(name):
            return [Setvar(_channel(own), "__CTI_TARGET", _queue(name)), Atxfer(own, "cti-consult-queue", "00")]


def alternate(own: str) -> Moves:
    """In a consultation that was answered: talk to the party who is waiting, and let the other wait."""
    return _keys(own, SWAP_KEYS)


def complete(own: str) -> Moves:
    """Complete the transfer: the two others talk to each other, and the agent's phone is free."""
    return _keys(own, COMPLETE_KEYS)


def cancel(own: str) -> Moves:
    """Hang up the consulted party, answered or still ringing: the agent talks to the caller again."""
    return [CancelAtxfer(_channel(own))]


def merge(own: str) -> Moves:
    """Turn the consultation into a conference of three."""
    return _keys(own, THREE_WAY_KEYS)


# --- conference rooms --------------------------------------------------------------------------------------


def open_room(own: str, other: str, room: str) -> Moves:
    """Move the agent and the other side into a room that others can join. It ends with its last agent."""
    return [Redirect(_channel(own), "cti-room", _room(room), extra=_channel(other))]


def invite_phone(seat: str, room: str, leg: str | None = None) -> Moves:
    """Ring an agent's phone and bring it into the room. Role originate."""
    agent = (("CTI_LEG", "agent"),)  # the room lives as long as an agent is in it
    return [Originate(_seat(seat), "cti-room", _room(room), leg=_leg(leg), variables=agent)]


def invite_number(number: str, room: str, leg: str | None = None) -> Moves:
    """Call a number outside and bring whoever answers into the room. Role originate."""
    return [Originate(f"Local/{_number(number)}@cti-invite", "cti-room", _room(room), leg=_leg(leg))]


# --- parking and pick-up -----------------------------------------------------------------------------------


def park(own: str) -> Moves:
    """The caller waits in a parking space and the agent's phone is free. At the timeout the caller rings it."""
    return [BlindTransfer(_channel(own), "cti-park", "park")]


def fetch(seat: str, space: str, leg: str | None = None) -> Moves:
    """Bring a parked call to the phone at `seat`. Role originate."""
    return [Originate(_seat(seat), "cti-pick-up", _room(space), number=space, caller="Parked", leg=_leg(leg))]


def take(seat: str, ringing: str, leg: str | None = None) -> Moves:
    """Bring the call that rings another phone to the phone at `seat`. Role originate."""
    which = (("CTI_CHANNEL", _channel(ringing)),)
    return [Originate(_seat(seat), "cti-pick-up", "ringing", leg=_leg(leg), variables=which)]


def pick(waiting: str, extension: str, queue: str, position: int = 1) -> Moves:
    """Bring the caller on channel `waiting` to the phone of `extension`.

    Unanswered, the caller returns to `position` of `queue`.
    """
    place = str(max(1, int(position)))
    return [
        Setvar(_channel(waiting), "CTI_QUEUE", _queue(queue)),
        Setvar(waiting, "CTI_PLACE", place),
        Redirect(waiting, "cti-pick", _number(extension)),
    ]


def reconnect(other: str, extension: str) -> Moves:
    """The other side of a call whose phone was lost rings the phone of `extension` again.

    What is left of the lost phone's leg ends by itself.
    """
    return [Redirect(_channel(other), "cti-return", _number(extension))]


# --- recordings --------------------------------------------------------------------------------------------


def start_recording(own: str) -> Moves:
    """Record the other side's leg, so that a transfer does not end it. RecordingChanged names the leg."""
    return [PlayDTMF(_channel(own), RECORD_KEY, receive=True)]


def pause_recording(recorded: str) -> Moves:
    """Record silence until resumed. `recorded` is the channel of the leg that RecordingChanged named."""
    return [MixMonitorMute(_channel(recorded), silent=True), Setvar(recorded, "CTI_RECORDING", "paused")]


def resume_recording(recorded: str) -> Moves:
    """Record what is said again, into the same file."""
    return [MixMonitorMute(_channel(recorded), silent=False), Setvar(recorded, "CTI_RECORDING", "on")]


def stop_recording(recorded: str) -> Moves:
    """End the recording."""
    return [StopMixMonitor(_channel(recorded)), Setvar(recorded, "CTI_RECORDING", "")]


# --- new calls ---------------------------------------------------------------------------------------------


def dial(seat: str, number: str, leg: str | None = None) -> Moves:
    """Ring the agent's phone, which shows the number; when it is answered, call the number. Role originate."""
    return [Originate(_seat(seat), "cti-dial", _number(number), number=number, leg=_leg(leg))]


# --- the forms of values -----------------------------------------------------------------------------------


def _keys(own: str, keys: str) -> Moves:
    return [PlayDTMF(_channel(own), key, receive=True) for key in keys]


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
