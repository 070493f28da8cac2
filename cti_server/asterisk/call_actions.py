"""AMI actions for calls, one frozen dataclass each. asterisk/moves.py says which of them make a move."""

from __future__ import annotations

from dataclasses import dataclass

from .actions import Action, Role, given

# --- calls: role call --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Hangup(Action):
    """Hang a channel up. `cause` is the Q.850 number for its phone: 16 normal, 17 busy, 21 rejected."""

    name = "Hangup"
    role = Role.CALL
    channel: str
    cause: int = 16

    def headers(self) -> list[tuple[str, str]]:
        return [("Channel", self.channel), ("Cause", str(self.cause))]


@dataclass(frozen=True, slots=True)
class Redirect(Action):
    """Send a channel to another place of the dialplan, and with `extra` the one it talks to: both or neither."""

    name = "Redirect"
    role = Role.CALL
    idempotent = False
    channel: str
    context: str
    exten: str
    extra: str | None = None

    def headers(self) -> list[tuple[str, str]]:
        lines = [("Channel", self.channel), ("Context", self.context), ("Exten", self.exten), ("Priority", "1")]
        if self.extra is None:
            return lines
        both = [("ExtraChannel", self.extra), ("ExtraContext", self.context), ("ExtraExten", self.exten)]
        return [*lines, *both, ("ExtraPriority", "1")]


@dataclass(frozen=True, slots=True)
class BlindTransfer(Action):
    """Send the channel that `channel` talks to into the dialplan. `channel` itself is hung up."""

    name = "BlindTransfer"
    role = Role.CALL
    idempotent = False
    channel: str
    context: str
    exten: str

    def headers(self) -> list[tuple[str, str]]:
        return [("Channel", self.channel), ("Context", self.context), ("Exten", self.exten)]


@dataclass(frozen=True, slots=True)
class Atxfer(Action):
    """Begin an attended transfer: Asterisk presses the transfer key and then `exten` for `channel`.

    So `exten` must be digits, and the channel must be allowed to transfer (t or T of Queue and Dial).
    """

    name = "Atxfer"
    role = Role.CALL
    idempotent = False
    channel: str
    context: str
    exten: str

    def headers(self) -> list[tuple[str, str]]:
        return [("Channel", self.channel), ("Exten", self.exten), ("Context", self.context)]


@dataclass(frozen=True, slots=True)
class CancelAtxfer(Action):
    """End a consultation. `channel` is connected again to the party that it was about."""

    name = "CancelAtxfer"
    role = Role.CALL
    idempotent = False
    channel: str

    def headers(self) -> list[tuple[str, str]]:
        return [("Channel", self.channel)]


@dataclass(frozen=True, slots=True)
class PlayDTMF(Action):
    """One key, sent to the phone at the end of `channel`, or with `receive` as if that phone had pressed it."""

    name = "PlayDTMF"
    role = Role.CALL
    idempotent = False
    channel: str
    digit: str
    receive: bool = False
    duration_ms: int = 120

    def headers(self) -> list[tuple[str, str]]:
        lines = [("Channel", self.channel), ("Digit", self.digit), ("Duration", str(self.duration_ms))]
        return [*lines, ("Receive", "true")] if self.receive else lines


@dataclass(frozen=True, slots=True)
class Setvar(Action):
    """Set a channel's variable or a dialplan function on it: MUTEAUDIO(in)."""

    name = "Setvar"
    role = Role.CALL
    channel: str
    variable: str
    value: str

    def headers(self) -> list[tuple[str, str]]:
        return [("Channel", self.channel), ("Variable", self.variable), ("Value", self.value)]


@dataclass(frozen=True, slots=True)
class MixMonitorMute(Action):
    """Record silence instead of both sides of `channel`, or record them again."""

    name = "MixMonitorMute"
    role = Role.CALL
    channel: str
    silent: bool

    def headers(self) -> list[tuple[str, str]]:
        return [("Channel", self.channel), ("Direction", "both"), ("State", "1" if self.silent else "0")]


@dataclass(frozen=True, slots=True)
class StopMixMonitor(Action):
    name = "StopMixMonitor"
    role = Role.CALL
    channel: str

    def headers(self) -> list[tuple[str, str]]:
        return [("Channel", self.channel)]


@dataclass(frozen=True, slots=True)
class ParkedCalls(Action):
    """Who is parked in which space. Asterisk lists it only to an account that may also transfer calls."""

    name = "ParkedCalls"
    role = Role.CALL
    is_list = True


# --- new calls: role originate -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Originate(Action):
    """Ring `channel` and, when it is up, send it into the dialplan.

    The answer comes at once; events report what becomes of it. `leg` is the Uniqueid of the new channel, so that
    whoever asked for the call recognises it.
    """

    name = "Originate"
    role = Role.ORIGINATE
    idempotent = False
    channel: str
    context: str
    exten: str
    number: str | None = None  # shown on the phone that rings
    caller: str | None = None  # the name that is shown beside it
    leg: str | None = None
    timeout_s: int = 20
    variables: tuple[tuple[str, str], ...] = ()

    def headers(self) -> list[tuple[str, str]]:
        lines = [("Channel", self.channel), ("Context", self.context), ("Exten", self.exten), ("Priority", "1")]
        lines += [("Async", "true"), ("Timeout", str(self.timeout_s * 1000))]
        shown = None if self.number is None else f'"{self.caller or self.number}" <{self.number}>'
        lines += given(("CallerID", shown), ("ChannelId", self.leg))
        return lines + [("Variable", f"{name}={value}") for name, value in self.variables]


# --- desk phones: role notify, where it is configured ------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PJSIPNotify(Action):
    """A NOTIFY inside the dialogue of `channel`. Many desk phones answer at `talk` (Polycom, Snom, Yealink)."""

    name = "PJSIPNotify"
    role = Role.NOTIFY
    idempotent = False
    channel: str
    event: str = "talk"

    def headers(self) -> list[tuple[str, str]]:
        return [("Channel", self.channel), ("Variable", f"Event={self.event}")]
