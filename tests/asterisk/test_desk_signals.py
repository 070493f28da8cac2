"""Recordings, phones and what stands on a leg: AMI's words → what the floor learns."""

from __future__ import annotations

import pytest

from cti_server.asterisk.actions import DESK_VARIABLES, Status
from cti_server.asterisk.snapshot import leg_row
from cti_server.asterisk.translate import translate
from cti_server.floor.signals import (
    LegFetched,
    LegHeld,
    LegRetrieved,
    PhoneChanged,
    Recording,
    RecordingChanged,
    Signal,
)
from cti_server.wire.ami import Message

LEG = {"Uniqueid": "demo-1.1", "Linkedid": "demo-1.0"}


def told(event: str, **headers: str) -> Signal | None:
    lines = [f"Event: {event}", *(f"{name}: {value}" for name, value in headers.items())]
    return translate(Message("\r\n".join(lines).encode()), 5.0)


@pytest.mark.parametrize(
    ("event", "headers", "state"),
    [
        ("MixMonitorStart", {}, Recording.ON),
        ("MixMonitorMute", {"Direction": "both", "State": "1"}, Recording.PAUSED),
        ("MixMonitorMute", {"Direction": "both", "State": "0"}, Recording.ON),
        ("MixMonitorStop", {}, Recording.OFF),
    ],
)
def test_a_recording(event: str, headers: dict[str, str], state: Recording) -> None:
    assert told(event, **LEG, **headers) == RecordingChanged(5.0, "demo-1.1", "demo-1.0", state)


def test_a_recording_of_which_one_side_is_silent_is_not_paused() -> None:
    assert told("MixMonitorMute", **LEG, Direction="read", State="1") is None


@pytest.mark.parametrize(
    ("status", "reachable"),
    [("Reachable", True), ("NonQualified", True), ("Unreachable", False), ("Removed", False)],
)
def test_a_phone(status: str, reachable: bool) -> None:
    contact = {"URI": "sip:1101@127.0.0.1:5", "AOR": "1101", "EndpointName": "1101"}
    signal = told("ContactStatus", ContactStatus=status, **contact)
    assert signal == PhoneChanged(5.0, "PJSIP/1101", "sip:1101@127.0.0.1:5", reachable)


def test_a_contact_of_which_nothing_is_known() -> None:
    assert told("ContactStatus", ContactStatus="Unknown", URI="sip:x", AOR="1", EndpointName="1") is None


def test_hold_is_told_on_the_leg_that_holds() -> None:
    assert told("Hold", **LEG) == LegHeld(5.0, "demo-1.1", "demo-1.0")
    assert told("Unhold", **LEG) == LegRetrieved(5.0, "demo-1.1", "demo-1.0")


def test_a_caller_whom_an_agent_asked_for() -> None:
    signal = told("UserEvent", UserEvent="CTIFetched", Why="picked", **LEG)
    assert signal == LegFetched(5.0, "demo-1.1", "demo-1.0", "picked")


# --- a row of Status --------------------------------------------------------------------------------------

ROW = [
    "Event: Status",
    "Uniqueid: demo-1.1",
    "Linkedid: demo-1.0",
    "Channel: PJSIP/1002-00000001",
    "ChannelState: 6",
]


def row(*variables: str) -> tuple[bool | None, bool | None, Recording | None]:
    lines = [*ROW, *(f"Variable: {one}" for one in variables)]
    leg = leg_row(Message("\r\n".join(lines).encode()))
    return leg.held, leg.muted, leg.recording


def test_what_stands_on_a_leg() -> None:
    assert dict(Status().headers())["Variables"].split(",") == list(DESK_VARIABLES)
    assert row("CTI_HELD=1", "CTI_MUTED=", "CTI_RECORDING=(null)") == (True, False, Recording.OFF)
    assert row("CTI_HELD=(null)", "CTI_MUTED=1", "CTI_RECORDING=paused") == (False, True, Recording.PAUSED)


def test_a_list_that_did_not_ask_tells_nothing() -> None:
    assert row() == (None, None, None)


def test_a_caller_who_writes_variables_into_their_name_is_not_believed() -> None:
    forged = row("CTI_HELD=1", "CTI_HELD=(null)", "CTI_MUTED=(null)", "CTI_RECORDING=(null)")
    assert forged == (None, None, None)
