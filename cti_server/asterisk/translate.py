"""AMI message → signal: the only file that names AMI events.

The table at the end has one function for each event that the floor needs. Other events are dropped by their
name, before any header is read. A header that an event of its kind always has is never read as an empty value:
where it is missing, MissingHeader is raised, and the link counts and logs it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cti_server.floor.signals import (
    DialStatus,
    LegAnswered,
    LegBridged,
    LegDialEnded,
    LegDialled,
    LegEnded,
    LegFetched,
    LegHangupAsked,
    LegHeld,
    LegHeldAtDesk,
    LegNumbered,
    LegParked,
    LegPickedUp,
    LegRang,
    LegRefused,
    LegRenamed,
    LegRetrieved,
    LegSetAside,
    LegStarted,
    LegTransferred,
    LegUnbridged,
    LegUnparked,
    MemberChanged,
    MemberConnected,
    MemberDidNotAnswer,
    MemberHungUp,
    MemberOffered,
    MemberRemoved,
    MemberStatus,
    NobodyCalls,
    NumberNotReached,
    PhoneChanged,
    PoolAgentChanged,
    QueueAbandoned,
    QueueJoined,
    QueueLeft,
    QueueMeant,
    Recording,
    RecordingChanged,
    Signal,
    StepTaken,
)
from cti_server.wire.ami import Message

UP = "6"  # ChannelState AST_STATE_UP
RINGING = "5"  # AST_STATE_RINGING: the device at the far end rings
BUSY = "7"  # AST_STATE_BUSY: the PBX has refused the caller
#: the channel that runs the dialplan for SIP MESSAGEs, one for as long as Asterisk runs: nobody is on it
MESSAGES = "Message/"

#: app_queue's device states (include/asterisk/devicestate.h, enum ast_device_state)
MEMBER_STATUS: Mapping[str, MemberStatus] = {
    "0": MemberStatus.UNKNOWN,
    "1": MemberStatus.IDLE,
    "2": MemberStatus.IN_USE,
    "3": MemberStatus.BUSY,
    "4": MemberStatus.INVALID,
    "5": MemberStatus.UNAVAILABLE,
    "6": MemberStatus.RINGING,
    "7": MemberStatus.IN_USE,  # in use and ringing once more
    "8": MemberStatus.ON_HOLD,
}

#: DialEnd's DialStatus; every other one is a failure. CONTINUE: who picked up did not accept the call
DIAL_STATUS: Mapping[str, DialStatus] = {
    "ANSWER": DialStatus.ANSWER,
    "BUSY": DialStatus.BUSY,
    "NOANSWER": DialStatus.NO_ANSWER,
    "CONTINUE": DialStatus.NO_ANSWER,
    "CANCEL": DialStatus.CANCEL,
}

#: ContactStatus of a PJSIP contact; the others (Unknown, Updated) do not say whether it can be reached
REACHABLE: Mapping[str, bool] = {
    "Reachable": True,
    "NonQualified": True,  # registered; Asterisk has not asked yet whether it answers, or never asks
    "Unreachable": False,
    "Removed": False,
}

_ABSENT = frozenset({"", "<unknown>", "<none>"})


def or_none(value: str | None) -> str | None:
    """The value, or None where Asterisk wrote one of the placeholders for having none."""
    return None if value is None or value in _ABSENT else value


def stamp(message: Message, arrived: float) -> float:
    """When the event happened: the PBX's own stamp (`timestampevents = yes`), or `arrived` where it has none."""
    given = message.get("Timestamp")
    if given is None:
        return arrived
    try:
        return float(given)
    except ValueError:
        return arrived


def translate(message: Message, arrived: float) -> Signal | None:
    """The signal that an event gives, or None for an event that the floor does not need and for an answer.

    `arrived` is when the message was read, in seconds since the epoch; it counts where the PBX does not stamp its
    events. Raises MissingHeader where the event lacks a header, ValueError where it has an unreadable number.
    """
    translator = TRANSLATORS.get(message.event) if message.event is not None else None
    if translator is None:
        return None
    at = stamp(message, arrived)
    if (message.get("Channel") or "").startswith(MESSAGES):
        return NobodyCalls(at, message["Linkedid"])
    return translator(message, at)


# --- channels --------------------------------------------------------------------------------------------


def _new_channel(m: Message, at: float) -> Signal:
    return LegStarted(
        at,
        m["Uniqueid"],
        m["Linkedid"],
        m["Channel"],
        m["ChannelState"] == UP,
        or_none(m["CallerIDNum"]),
        or_none(m["CallerIDName"]),
        or_none(m["Exten"]),
    )


def _new_state(m: Message, at: float) -> Signal | None:
    match m["ChannelState"]:
        case "6":
            return LegAnswered(at, m["Uniqueid"], m["Linkedid"])
        case "5":
            return LegRang(at, m["Uniqueid"], m["Linkedid"])
        case "7":
            return LegRefused(at, m["Uniqueid"], m["Linkedid"])
        case _:
            return None


def _new_caller_id(m: Message, at: float) -> Signal:
    return LegNumbered(at, m["Uniqueid"], m["Linkedid"], or_none(m["CallerIDNum"]), or_none(m["CallerIDName"]))


def _rename(m: Message, at: float) -> Signal:
    return LegRenamed(at, m["Uniqueid"], m["Newname"])


def _dial_begin(m: Message, at: float) -> Signal:
    return LegDialled(
        at, m["DestUniqueid"], m["DestLinkedid"], m.get("Uniqueid"), m["DestChannel"], dialled_number(m)
    )


def dialled_number(m: Message) -> str | None:
    """The number in the DialString of an event, or None where it has none.

    Forms seen: `013800138000@trunk`, `1001`, `PJSIP/9…@trunk`, `1001/sip:…`.
    """
    text = or_none(m.get("DialString"))
    if text is None:
        return None
    number = text.rsplit("/", 1)[-1] if "/sip:" not in text else text.split("/", 1)[0]
    number = number.split("@", 1)[0].removeprefix("sip:")
    return number or None


def _dial_end(m: Message, at: float) -> Signal:
    status = DIAL_STATUS.get(m["DialStatus"], DialStatus.FAILED)
    forwarded = or_none(m.get("Forward"))
    return LegDialEnded(at, m["DestUniqueid"], m["DestLinkedid"], m["DestChannel"], status, forwarded)


def _hangup_request(m: Message, at: float) -> Signal | None:
    if m["ChannelState"] == BUSY:
        return None  # the PBX refused the caller, and now ends the channel itself
    return LegHangupAsked(at, m["Uniqueid"], m["Linkedid"])


def _hangup(m: Message, at: float) -> Signal:
    cause = m.get("Cause")
    return LegEnded(
        at, m["Uniqueid"], m["Linkedid"], int(cause) if cause is not None and cause.isdecimal() else None
    )


def _hold(m: Message, at: float) -> Signal:
    return LegHeld(at, m["Uniqueid"], m["Linkedid"])


def _unhold(m: Message, at: float) -> Signal:
    return LegRetrieved(at, m["Uniqueid"], m["Linkedid"])


def _record_start(m: Message, at: float) -> Signal:
    return RecordingChanged(at, m["Uniqueid"], m["Linkedid"], Recording.ON)


def _record_stop(m: Message, at: float) -> Signal:
    return RecordingChanged(at, m["Uniqueid"], m["Linkedid"], Recording.OFF)


def _record_mute(m: Message, at: float) -> Signal | None:
    if m["Direction"] != "both":
        return None  # one side is still recorded
    silent = m["State"] == "1"
    return RecordingChanged(at, m["Uniqueid"], m["Linkedid"], Recording.PAUSED if silent else Recording.ON)


# --- bridges, transfers, parking -------------------------------------------------------------------------


def _bridge_enter(m: Message, at: float) -> Signal | None:
    if m.get("BridgeTechnology") == "holding_bridge":  # in which channels do not hear each other
        is_parking = m.get("BridgeType") == "parking"  # ParkedCall says more
        return None if is_parking else LegSetAside(at, m["Uniqueid"], m["Linkedid"])
    conference = m.get("BridgeCreator") == "ConfBridge"
    return LegBridged(at, m["Uniqueid"], m["Linkedid"], m["BridgeUniqueid"], conference)


def _bridge_leave(m: Message, at: float) -> Signal:
    return LegUnbridged(at, m["Uniqueid"], m["Linkedid"], m["BridgeUniqueid"])


def _blind_transfer(m: Message, at: float) -> Signal:
    return LegTransferred(
        at,
        m["TransfererUniqueid"],
        m["TransfererLinkedid"],
        attended=False,
        target=or_none(m.get("Extension")),
        ok=m["Result"] == "Success",
    )


def _attended_transfer(m: Message, at: float) -> Signal:
    return LegTransferred(
        at,
        m["OrigTransfererUniqueid"],
        m["OrigTransfererLinkedid"],
        attended=True,
        second=m.get("SecondTransfererUniqueid"),
        second_linkedid=m.get("SecondTransfererLinkedid"),
        ok=m["Result"] == "Success",
        conference=m.get("DestType") == "Threeway",
    )


def _parked(m: Message, at: float) -> Signal:
    by = or_none(m.get("ParkerDialString"))
    return LegParked(at, m["ParkeeUniqueid"], m["ParkeeLinkedid"], m["ParkingSpace"], by)


def _unparked(m: Message, at: float) -> Signal:
    return LegUnparked(at, m["ParkeeUniqueid"], m["ParkeeLinkedid"])


def _pickup(m: Message, at: float) -> Signal:
    return LegPickedUp(at, m["TargetUniqueid"], m["TargetLinkedid"], by=m["Uniqueid"])


# --- queues ----------------------------------------------------------------------------------------------


def _queue_join(m: Message, at: float) -> Signal:
    position = m.get("Position")
    return QueueJoined(
        at,
        m["Uniqueid"],
        m["Linkedid"],
        m["Queue"],
        int(position) if position is not None and position.isdecimal() else None,
    )


def _queue_leave(m: Message, at: float) -> Signal:
    return QueueLeft(at, m["Uniqueid"], m["Linkedid"], m["Queue"])


def _queue_abandon(m: Message, at: float) -> Signal:
    return QueueAbandoned(at, m["Uniqueid"], m["Linkedid"], m["Queue"])


def _agent_called(m: Message, at: float) -> Signal:
    return MemberOffered(
        at, m["Uniqueid"], m["Linkedid"], m["Queue"], m["Interface"], or_none(m.get("DestUniqueid"))
    )


def _agent_connect(m: Message, at: float) -> Signal:
    return MemberConnected(
        at, m["Uniqueid"], m["Linkedid"], m["Queue"], m["Interface"], or_none(m.get("DestUniqueid"))
    )


def _agent_ring_no_answer(m: Message, at: float) -> Signal:
    return MemberDidNotAnswer(at, m["Uniqueid"], m["Linkedid"], m["Queue"], m["Interface"])


def _agent_dump(m: Message, at: float) -> Signal:
    return MemberHungUp(at, m["Uniqueid"], m["Linkedid"], m["Queue"], m["Interface"])


def _agent_login(m: Message, at: float) -> Signal:
    return PoolAgentChanged(at, m["Uniqueid"], m["Linkedid"], f"Agent:{m['Agent']}", m["Channel"], True)


def _agent_logoff(m: Message, at: float) -> Signal:
    return PoolAgentChanged(at, m["Uniqueid"], m["Linkedid"], f"Agent:{m['Agent']}", m["Channel"], False)


def member(m: Message, at: float) -> MemberChanged:
    """A member's whole state. Each QueueMember… event carries all of it, and so does a member row of QueueStatus.

    In a row the interface is called `Location` and the name `Name`.
    """
    interface = m.get("Interface") or m["Location"]
    return MemberChanged(
        at,
        m["Queue"],
        interface,
        or_none(m.get("StateInterface")) or interface,
        or_none(m.get("MemberName") or m.get("Name")) or interface,
        MEMBER_STATUS.get(m["Status"], MemberStatus.UNKNOWN),
        m["Paused"] == "1",
        or_none(m.get("PausedReason")),
        int(m.get("Penalty") or 0),
        dynamic=m.get("Membership") == "dynamic",
    )


def _member_removed(m: Message, at: float) -> Signal:
    return MemberRemoved(at, m["Queue"], m["Interface"])


# --- phones ----------------------------------------------------------------------------------------------


def _contact(m: Message, at: float) -> Signal | None:
    reachable = REACHABLE.get(m["ContactStatus"])
    if reachable is None:
        return None
    return PhoneChanged(at, f"PJSIP/{m['EndpointName']}", m["URI"], reachable)


# --- what the dialplan reports ---------------------------------------------------------------------------


def _user_event(m: Message, at: float) -> Signal | None:
    match m.get("UserEvent"):
        case "CTIStep":
            return StepTaken(at, m["Uniqueid"], m["Linkedid"], m["Step"], or_none(m.get("Choice")))
        case "CTIHold":
            return LegHeldAtDesk(at, m["Uniqueid"], m["Linkedid"], m["State"] == "on")
        case "CTIFetched":
            return LegFetched(at, m["Uniqueid"], m["Linkedid"], m["Why"])
        case "CTINotReached":
            cause = m.get("Cause") or ""
            return NumberNotReached(
                at,
                m["Uniqueid"],
                m["Linkedid"],
                m["Number"],
                DIAL_STATUS.get(m["Status"], DialStatus.FAILED),
                int(cause) if cause.isdecimal() else None,
                outside=m["Outside"] == "1",
                trunk_known=m["Known"] == "1",
            )
        case "CTIPreferred":
            return QueueMeant(at, m["Uniqueid"], m["Linkedid"], m["Queue"])
        case _:
            return None


TRANSLATORS: Mapping[str, Callable[[Message, float], Signal | None]] = {
    "Newchannel": _new_channel,
    "Newstate": _new_state,
    "NewCallerid": _new_caller_id,
    "Rename": _rename,
    "DialBegin": _dial_begin,
    "DialEnd": _dial_end,
    "HangupRequest": _hangup_request,
    "Hangup": _hangup,
    "Hold": _hold,
    "Unhold": _unhold,
    "MixMonitorStart": _record_start,
    "MixMonitorStop": _record_stop,
    "MixMonitorMute": _record_mute,
    "BridgeEnter": _bridge_enter,
    "BridgeLeave": _bridge_leave,
    "BlindTransfer": _blind_transfer,
    "AttendedTransfer": _attended_transfer,
    "ParkedCall": _parked,
    "ParkedCallSwap": _parked,
    "UnParkedCall": _unparked,
    "ParkedCallGiveUp": _unparked,
    "ParkedCallTimeOut": _unparked,
    "Pickup": _pickup,
    "QueueCallerJoin": _queue_join,
    "QueueCallerLeave": _queue_leave,
    "QueueCallerAbandon": _queue_abandon,
    "AgentCalled": _agent_called,
    "AgentConnect": _agent_connect,
    "AgentRingNoAnswer": _agent_ring_no_answer,
    "AgentDump": _agent_dump,
    "AgentLogin": _agent_login,
    "AgentLogoff": _agent_logoff,
    "QueueMemberAdded": member,
    "QueueMemberStatus": member,
    "QueueMemberPause": member,
    "QueueMemberPenalty": member,
    "QueueMemberRemoved": _member_removed,
    "ContactStatus": _contact,
    "UserEvent": _user_event,
}
