"""What each move of the desk is made of, and what it refuses to be made of."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cti_server.asterisk import moves
from cti_server.asterisk.actions import Action, Role
from cti_server.asterisk.moves import Moves, NotSafe, Number, Queue
from cti_server.wire.ami import encode

MINE, OTHER = "PJSIP/1002-0000000a", "PJSIP/cti-trunk-00000009"

EVERY: dict[str, Callable[[], Moves]] = {
    "answer": lambda: moves.answer(MINE),
    "hang up": lambda: moves.hang_up(MINE),
    "reject": lambda: moves.reject(MINE),
    "hold": lambda: moves.hold(MINE),
    "retrieve": lambda: moves.retrieve(MINE),
    "mute": lambda: moves.mute(MINE),
    "unmute": lambda: moves.unmute(MINE),
    "mute by phone": lambda: moves.mute(MINE, by_phone=True),
    "unmute by phone": lambda: moves.unmute(MINE, by_phone=True),
    "dtmf": lambda: moves.dtmf(OTHER, "12#"),
    "transfer": lambda: moves.transfer(MINE, Number("+8613800138000")),
    "transfer to a queue": lambda: moves.transfer(MINE, Queue("support")),
    "consult": lambda: moves.consult(MINE, Number("1003")),
    "consult a queue": lambda: moves.consult(MINE, Queue("support")),
    "alternate": lambda: moves.alternate(MINE),
    "complete": lambda: moves.complete(MINE),
    "cancel": lambda: moves.cancel(MINE),
    "merge": lambda: moves.merge(MINE),
    "open a room": lambda: moves.open_room(MINE, OTHER, "77"),
    "invite a phone": lambda: moves.invite_phone("PJSIP/1003", "77", leg="cti-1"),
    "invite a number": lambda: moves.invite_number("13800138000", "77"),
    "park": lambda: moves.park(MINE),
    "fetch": lambda: moves.fetch("PJSIP/1003", "701"),
    "take": lambda: moves.take("PJSIP/1003", MINE),
    "pick": lambda: moves.pick(OTHER, "1003", "sales", 2),
    "reconnect": lambda: moves.reconnect(OTHER, "1003"),
    "start recording": lambda: moves.start_recording(MINE),
    "pause recording": lambda: moves.pause_recording(OTHER),
    "resume recording": lambda: moves.resume_recording(OTHER),
    "stop recording": lambda: moves.stop_recording(OTHER),
    "dial": lambda: moves.dial("PJSIP/1001", "13800138000"),
}


@pytest.mark.parametrize("name", EVERY)
def test_a_move_goes_out_on_the_accounts_of_its_roles(name: str) -> None:
    actions = EVERY[name]()
    assert actions
    for action in actions:
        assert encode([("Action", action.name), *action.headers()])
        assert action.role in (Role.CALL, Role.ORIGINATE, Role.NOTIFY)
    if name != "answer":
        assert Role.NOTIFY not in {action.role for action in actions}, "only answering needs the optional account"


def test_what_may_be_sent_twice_only_sets_or_ends_something() -> None:
    again = {type(a).__name__ for move in EVERY.values() for a in move() if a.idempotent}
    assert again == {"Hangup", "Setvar", "MixMonitorMute", "StopMixMonitor"}


CRLF = "1003\r\nAction: Originate"


@pytest.mark.parametrize(
    "made",
    [
        lambda: moves.hold(f"{MINE}\r\nAction: Logoff"),
        lambda: moves.hang_up("/^PJSIP/.*/"),  # Asterisk reads it as a pattern: every phone's call
        lambda: moves.hang_up(""),
        lambda: moves.transfer(MINE, Number(CRLF)),
        lambda: moves.transfer(MINE, Number("")),
        lambda: moves.transfer(MINE, Number("${SHELL(id)}")),
        lambda: moves.transfer(MINE, Number("1003@other")),
        lambda: moves.transfer(MINE, Queue("../x")),
        lambda: moves.consult(MINE, Queue("a,b")),
        lambda: moves.consult(MINE, Number("1003&1004")),
        lambda: moves.dtmf(OTHER, "1w2"),
        lambda: moves.dtmf(OTHER, ""),
        lambda: moves.dtmf(OTHER, "1" * 33),
        lambda: moves.open_room(MINE, OTHER, "7,x"),
        lambda: moves.invite_phone("PJSIP/1003&PJSIP/1004", "77"),
        lambda: moves.invite_number("1003@cti-outbound", "77"),
        lambda: moves.fetch("PJSIP/1003", "ringing"),
        lambda: moves.take("PJSIP/1003", "x&y"),
        lambda: moves.pick(OTHER, "1003", "sales,t"),
        lambda: moves.dial("1001", "13800138000"),
        lambda: moves.dial("PJSIP/1001", "13800138000", leg="a b"),
    ],
)
def test_what_could_mean_something_else_to_asterisk_is_refused(made: Callable[[], Moves]) -> None:
    with pytest.raises(NotSafe):
        made()


def test_a_number_of_thirty_three_digits_is_refused_and_one_of_thirty_two_is_not() -> None:
    assert moves.dial("PJSIP/1001", "1" * 32)
    with pytest.raises(NotSafe):
        moves.dial("PJSIP/1001", "1" * 33)


def test_a_picked_caller_is_never_behind_the_first_place() -> None:
    places = [
        dict(a.headers())["Value"] for n in (0, -3, 1, 2) for a in moves.pick(OTHER, "1003", "sales", n)[1:2]
    ]
    assert places == ["1", "1", "1", "2"]


def test_no_action_is_a_command_line() -> None:
    """Nothing that runs programs, changes files or says which application a call goes to."""
    for move in EVERY.values():
        for action in move():
            assert isinstance(action, Action)
            assert action.name not in ("Command", "MixMonitor", "AGI", "UpdateConfig")
            assert not {"Application", "Data", "Command"} & {name for name, _ in action.headers()}


def test_a_phone_that_mutes_itself_goes_on_sending_silence() -> None:
    (noted,) = moves.mute(MINE, by_phone=True)
    assert noted.headers()[1:] == [("Variable", "CTI_MUTED"), ("Value", "1")]
    assert [one.headers()[1] for one in moves.mute(MINE)] == [
        ("Variable", "MUTEAUDIO(in)"),
        ("Variable", "CTI_MUTED"),
    ]
