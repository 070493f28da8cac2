"""What an agent can do with a call. Each value is the last part of a route, and `command` in `command.done`."""

from __future__ import annotations

from enum import StrEnum


class Verb(StrEnum):
    DIAL = "dial"
    ANSWER = "answer"
    HANGUP = "hangup"
    HOLD = "hold"
    RETRIEVE = "retrieve"
    MUTE = "mute"
    UNMUTE = "unmute"
    DTMF = "dtmf"
    TRANSFER = "transfer"
    CONSULT = "consult"
    ALTERNATE = "alternate"
    COMPLETE = "complete"
    CANCEL = "cancel"
    CONFERENCE = "conference"
    DROP = "drop"
    PARK = "park"
    PICK_UP = "pick-up"
    RECORD_START = "recording/start"
    RECORD_PAUSE = "recording/pause"
    RECORD_RESUME = "recording/resume"
    RECORD_STOP = "recording/stop"
    RECONNECT = "reconnect"
