"""Which rows belong to one call, and what is made of a log that is late, cut off or sparse."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from cti_server.cel.contacts import contact_of
from cti_server.cel.replay import Replay
from cti_server.cel.stories import Stories, Story
from cti_server.floor.agents import SYSTEM, Because, Shift, Wish
from cti_server.floor.apply import Floor
from cti_server.floor.desk_signals import AgentSeated
from cti_server.floor.signals import MemberChanged, MemberStatus
from cti_server.record.contacts.records import InteractionRecord

from .logs import T0, Line, call, row

CALLER = f"demo-{int(T0)}.1"
AGENT = f"demo-{int(T0) + 1}.2"
TRUNK, PHONE = "PJSIP/cti-trunk-00000001", "PJSIP/1002-00000002"
IN_B1 = {"bridge_id": "b1", "bridge_technology": "simple_bridge"}
QUEUED = {"app": "Queue", "data": "sales,t,,,25"}
RUNG = {"leg": AGENT, "linkedid": CALLER, "channel": PHONE, "app": "AppQueue", "data": "(Outgoing Line)"}


def stories(lines: Iterable[Line]) -> list[Story]:
    made = Stories()
    return [story for line in lines for story in made.take(row(line))] + list(made.rest())


def floor() -> Floor:
    made = Floor("demo")
    made.apply(AgentSeated(0, 2, "Bob", "PJSIP/1002"))
    member = MemberChanged(0, "sales", "PJSIP/1002", "PJSIP/1002", "Bob", MemberStatus.IDLE, False, None)
    made.apply(member)
    return made


def contacts(lines: Iterable[Line]) -> list[InteractionRecord]:
    replay = Replay(floor().books, T0 - 100)
    return [contact_of(made) for story in stories(lines) for made in replay.calls(story, 5)]


def hung_up(source: str, cause: int = 16) -> dict[str, object]:
    return {"hangupcause": cause, "hangupsource": source, "dialstatus": ""}


def answered() -> list[Line]:
    """A caller waits 2 s, Bob's phone rings, they talk for 10 s, the caller hangs up."""
    return [
        Line("CHAN_START", 0, number="13800138000", exten="4008002000"),
        Line("ANSWER", 0.1, number="13800138000", app="Answer"),
        Line("APP_START", 1, number="13800138000", **QUEUED),
        Line("CHAN_START", 1, AGENT, CALLER, PHONE),
        Line("ANSWER", 3, **RUNG),
        Line("BRIDGE_ENTER", 3, **RUNG, extra=IN_B1),
        Line("BRIDGE_ENTER", 3, **QUEUED, extra=IN_B1),
        Line("BRIDGE_EXIT", 13, **QUEUED, extra=IN_B1),
        Line("BRIDGE_EXIT", 13, **RUNG, extra=IN_B1),
        Line("HANGUP", 13, **RUNG, extra=hung_up(TRUNK)),
        Line("CHAN_END", 13, **RUNG),
        Line("APP_END", 13, **QUEUED),
        Line("HANGUP", 13, extra=hung_up(TRUNK)),
        Line("CHAN_END", 13),
        Line("LINKEDID_END", 13),
    ]


def test_a_queue_call_is_told_with_its_wait_its_talk_and_who_hung_up() -> None:
    (told,) = contacts(answered())
    assert (told.direction, told.ani_raw, told.dnis, told.queue) == (
        "inbound",
        "13800138000",
        "4008002000",
        "sales",
    )
    assert (told.wait_ms, told.talk_ms, told.hold_ms) == (2000, 10_000, None)
    assert (told.outcome, told.ended_by, told.complete, told.told_by) == ("answered", "caller", False, "cel")
    (part,) = told.segments
    assert (part.agent_id, part.seat, part.origin, part.outcome) == (2, "PJSIP/1002", "offer", "answered")
    assert part.wrapped_at == part.ended_at, "nobody is asked to wrap up what no desktop showed"


def test_two_calls_at_once_are_two_stories() -> None:
    one, other = call(11, 0), call(12, 1)
    mixed = [line for pair in zip(one, other, strict=True) for line in pair]
    assert [story.is_whole for story in stories(mixed)] == [True, True]


def test_a_call_that_took_over_an_older_linkedid_is_one_story_with_it() -> None:
    older, younger = call(11, 0), call(12, 1)
    younger[2:] = [replace(line, linkedid=older[0].leg) for line in younger[2:]]
    (story,) = stories([*older[:2], *younger, *older[2:]])
    assert story.is_whole
    assert set(story.linkedids) == {older[0].leg, younger[0].leg}


def test_a_parking_lot_joins_no_calls() -> None:
    lines = [*call(11, 0), *call(12, 0)]
    lot = {"bridge_id": "lot", "bridge_technology": "holding_bridge"}
    lines += [replace(first, kind="BRIDGE_ENTER", at=1, extra=lot) for first in (lines[1], lines[6])]
    assert len(stories(sorted(lines, key=lambda line: line.at))) == 2


def test_the_end_of_a_phone_that_chanspy_held_up_is_that_of_its_talk() -> None:
    """asterisk/asterisk#68: while somebody listens to any channel, others that end are told of when they stop."""
    lines = [replace(line, at=line.at + 300) if line.leg == AGENT and line.at == 13 and line.kind in (
        "HANGUP", "CHAN_END") else line for line in answered()]  # fmt: skip
    (told,) = contacts(sorted(lines, key=lambda line: line.at))
    assert told.segments[0].talk_ms == 10_000
    assert told.ended_at is not None
    assert told.ended_at.timestamp() == T0 + 13


def test_a_call_that_the_log_does_not_end_has_no_end() -> None:
    """Asterisk was killed: no HANGUP, no CHAN_END."""
    cut = answered()[:7]
    (story,) = stories(cut)
    assert not story.is_over
    (told,) = contacts([*cut, replace(cut[1], kind="BRIDGE_ENTER", at=9, extra=IN_B1)])
    assert (told.ended_at, told.ended_by, told.outcome) == (None, "unknown", "answered")
    assert (told.wait_ms, told.talk_ms) == (2000, 6000), "so much of it is in the log"


def test_a_caller_whose_rows_the_database_refused_leaves_no_whole_story() -> None:
    """A cel table in latin1 refuses each row with a name that it cannot store: the caller's, not the phone's."""
    (story,) = stories(line for line in answered() if line.leg == AGENT)
    assert story.is_over
    assert not story.is_whole


def test_without_the_beginning_and_end_of_queue_the_wait_is_not_made_up() -> None:
    """Asterisk's sample of cel.conf tracks dial and park only, and no APP_END."""
    sparse = [line for line in answered() if not line.kind.startswith("APP_") and line.kind != "LINKEDID_END"]
    (told,) = contacts(sparse)
    assert (told.outcome, told.talk_ms, told.ended_by) == ("answered", 10_000, "caller")
    assert told.wait_ms is None
    assert told.visits == ()


def test_a_caller_who_gives_up_in_the_queue_has_abandoned() -> None:
    lines = [
        *answered()[:3],
        Line("APP_END", 22, **QUEUED),
        Line("HANGUP", 22, extra=hung_up(TRUNK)),
        Line("CHAN_END", 22),
    ]
    (told,) = contacts(lines)
    assert (told.outcome, told.ended_by, told.wait_ms, told.queue) == ("abandoned", "caller", 21_000, "sales")
    assert [visit.how for visit in told.visits] == ["abandoned"]


def test_a_queue_that_gives_up_is_not_the_callers_doing() -> None:
    lines = [
        *answered()[:3],
        Line("APP_END", 26, **QUEUED),
        Line("APP_START", 26, app="Playback", data="sorry"),
        Line("APP_END", 30, app="Playback", data="sorry"),
        Line("HANGUP", 30, extra=hung_up("dialplan/builtin")),
        Line("CHAN_END", 30),
    ]
    (told,) = contacts(lines)
    assert (told.outcome, told.ended_by, told.wait_ms) == ("no_agent", "system", 25_000)
    assert [visit.how for visit in told.visits] == ["timed_out"]


def test_an_agent_who_sat_down_after_the_gap_is_not_named() -> None:
    made = floor()
    agent = made.agents[2]
    agent.shift = Shift(T0 + 500, "1002", "desk", {}, Wish(True, None, SYSTEM, Because("chosen"), T0 + 500))
    (story,) = stories(answered())
    (told,) = Replay(made.books, T0 - 100).calls(story, 5)
    assert [(part.agent, part.seat) for part in told.parts] == [(None, "PJSIP/1002")]
