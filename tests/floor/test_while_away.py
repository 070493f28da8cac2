"""What goes on, and what ends, while the server or its link is away."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime

import pytest

from cti_server.floor.apply import Floor
from cti_server.floor.calls import Call, Leg
from cti_server.floor.desk_signals import AgentSeated, DesktopSeen, WrapUpCoded, WrapUpFinished
from cti_server.floor.parts import Part, PartState
from cti_server.floor.signals import (
    EntryRow,
    LegBridged,
    LegEnded,
    LegHangupAsked,
    LegHeld,
    LegHeldAtDesk,
    LegParked,
    LegRow,
    LegStarted,
    LinkChanged,
    LinkState,
    QueueJoined,
    Signal,
    Snapshot,
)
from cti_server.floor.views import part_view
from cti_server.floor.visits import How
from cti_server.record import resume
from cti_server.record.calls import call_of, record_of
from tests.floor.fold import Desktop, Viewer, fresh
from tests.floor.looks import look
from tests.floor.test_hostile import ALL
from tests.floor.test_restart_at_any_time import as_json
from tests.floor.test_transcripts import seated, stored
from tests.floor.world import as_it_is

TRUNK = "PJSIP/trunk-00000001"


def restart(before: Floor, *signals: Signal, heard_until: float | None = None) -> Floor:
    """The server comes up again with what it wrote."""
    after = Floor(before.pbx)
    after.books.heard_until = heard_until
    for call in before.calls.values():
        after.restore(call_of(as_json(stored(record_of(call)))))
    for signal in (*seated(), *signals):
        after.apply(signal)
    return after


def only(floor: Floor) -> Call:
    (call,) = floor.calls.values()
    return call


def row_of(call: Call, leg: Leg) -> LegRow:
    """As a snapshot lists it."""
    parked = leg.parked is not None
    return LegRow(leg.id, call.linkedid, leg.channel, leg.up, None, None, None, leg.bridge, 9.0, parked=parked)


def row(leg: str = "x.1", at: float = 100.0, bridge: str | None = None, parked: bool = False) -> LegRow:
    return LegRow(leg, "x.1", TRUNK, True, "100", None, "400", bridge, at, parked=parked)


@pytest.fixture
def waiting() -> Floor:
    """A caller waits in a queue since 2."""
    floor = Floor("demo")
    floor.apply(Snapshot(0.5, 1))
    for signal in seated():
        floor.apply(signal)
    floor.apply(LegStarted(1.0, "x.1", "x.1", TRUNK, True, "100", None, "400"))
    floor.apply(QueueJoined(2.0, "x.1", "x.1", "support", 1))
    return floor


def talking() -> Floor:
    """The recorded call, while agent 2 talks with the caller."""
    floor = Floor("demo")
    for signal in (*seated(), *ALL["answered"]):
        floor.apply(signal)
        if any(
            call.connected() and call.in_conference() is False and _bridged(call) for call in floor.calls.values()
        ):
            return floor
    raise AssertionError("nobody talks in it")


def _bridged(call: Call) -> bool:
    return len([leg for leg in call.legs.values() if leg.bridge is not None]) == 2


# --- a queue's limit ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("server_restarts", [True, False])
def test_a_queues_limit_that_passes_unseen_leaves_nobody_in_the_menu(
    waiting: Floor, server_restarts: bool
) -> None:
    now = Snapshot(32.0, 1, (row(),), ("support",))
    floor = restart(waiting, now) if server_restarts else waiting
    if not server_restarts:
        floor.apply(LinkChanged(10.0, LinkState.STALE))
        floor.apply(now)
    call = only(floor)
    assert call.state == "ivr"
    assert [(v.queue, v.how, v.left) for v in call.visits] == [("support", How.UNSEEN, None)]
    floor.apply(LegHangupAsked(36.0, "x.1", "x.1"))
    floor.apply(LegEnded(36.0, "x.1", "x.1", 16))
    assert (call.outcome, call.wait_s) == ("no_agent", 30.0)


def test_who_waits_on_while_the_server_is_away_has_waited_all_the_time(waiting: Floor) -> None:
    floor = restart(waiting, Snapshot(32.0, 1, (row(),), ("support",), (), (EntryRow("support", "x.1", 1, 30.0),)))
    call = only(floor)
    assert (call.state, call.waiting_since, call.visit and call.visit.how) == ("queued", 2.0, None)
    floor.apply(LegEnded(36.0, "x.1", "x.1", 16))
    assert call.wait_s == 34.0


# --- talk and hold --------------------------------------------------------------------------------------------


def test_a_hold_goes_on_as_a_hold() -> None:
    floor = talking()
    (part,) = only(floor).connected()
    held_at = part.since + 10
    floor.apply(LegHeldAtDesk(held_at, part.leg or "", only(floor).linkedid, True))
    floor.apply(LegHeld(held_at, part.leg or "", only(floor).linkedid))
    rows = look(floor, held_at + 60).legs
    assert [row.leg for row in rows if row.held] == [part.leg]
    after = restart(floor, Snapshot(held_at + 60, floor.books.boot, rows))
    (again,) = only(after).connected()
    assert (again.state, again.since) == (PartState.HOLD, held_at)
    again.enter(PartState.TALKING, held_at + 70)
    assert again.hold_s == pytest.approx(70.0)
    assert again.talk_s == pytest.approx(10.0)


def test_a_phones_own_hold_goes_on_too() -> None:
    """The lists say nothing of it."""
    floor = talking()
    (part,) = only(floor).connected()
    floor.apply(LegHeld(part.since + 10, part.leg or "", only(floor).linkedid))
    after = restart(floor, look(floor, part.since + 60))
    assert [p.state for p in only(after).connected()] == [PartState.HOLD]


def test_a_hold_from_the_desk_that_ended_meanwhile_is_over() -> None:
    floor = talking()
    (part,) = only(floor).connected()
    held_at = part.since + 10
    floor.apply(LegHeldAtDesk(held_at, part.leg or "", only(floor).linkedid, True))
    floor.apply(LegHeld(held_at, part.leg or "", only(floor).linkedid))
    taken = look(floor, held_at + 60)
    after = restart(floor, replace(taken, legs=tuple(replace(row, held=False) for row in taken.legs)))
    (again,) = only(after).connected()
    assert (again.state, again.hold_s) == (PartState.TALKING, pytest.approx(60.0))


def test_a_phone_that_was_lent_and_is_gone_leaves_no_call_behind() -> None:
    floor = Floor("demo")
    floor.apply(Snapshot(0.5, 1))
    for signal in seated():
        floor.apply(signal)
    floor.apply(LegStarted(1.0, "a.1", "a.1", "PJSIP/1001-00000001", True, "1001", None, "8001"))
    floor.apply(LegBridged(1.1, "a.1", "a.1", "room", conference=True))
    floor.apply(LegStarted(2.0, "c.1", "c.1", TRUNK, True, "139", None, "400"))
    floor.apply(QueueJoined(2.1, "c.1", "c.1", "support", 1))
    floor.apply(LegBridged(3.0, "c.1", "c.1", "room", conference=True))
    assert sorted(call.lent for call in floor.calls.values() if call.lent) == ["a.1"]
    after = restart(floor, Snapshot(60.0, 1))
    assert [call.id for call in after.calls.values() if not call.ended] == []


def test_a_call_that_ends_while_the_server_is_away_has_lasted_for_as_long_as_it_was_heard() -> None:
    floor = talking()
    (part,) = only(floor).connected()
    after = restart(floor, Snapshot(part.since + 90, floor.books.boot), heard_until=part.since + 25)
    (again,) = only(after).parts
    assert (again.outcome, again.ended_at) == ("answered", None)
    assert again.talk_s == pytest.approx(25.0)
    assert not only(after).complete


def test_a_call_that_ends_while_the_link_is_away_has_lasted_until_the_link_was_lost() -> None:
    floor = talking()
    (part,) = only(floor).connected()
    floor.apply(LinkChanged(part.since, LinkState.LIVE))
    floor.apply(LinkChanged(part.since + 25, LinkState.STALE))
    floor.apply(LinkChanged(part.since + 26, LinkState.CONNECTING))
    floor.apply(Snapshot(part.since + 90, floor.books.boot))
    assert part.talk_s == pytest.approx(25.0)
    assert floor.books.heard_until is None


# --- parking --------------------------------------------------------------------------------------------------


def test_a_parked_call_keeps_its_space(waiting: Floor) -> None:
    waiting.apply(LegParked(5.0, "x.1", "x.1", "703"))
    after = restart(waiting, Snapshot(32.0, 1, (row(parked=True),)))
    assert (only(after).state, only(after).park_space, only(after).was_parked) == ("parked", "703", True)


# --- wrap-ups -------------------------------------------------------------------------------------------------


def two_wrap_ups() -> Floor:
    """Two agents wrap up one call."""
    for name in ALL:
        floor = Floor("demo")
        for signal in (*seated(), *ALL[name]):
            floor.apply(signal)
            if len([p for c in floor.calls.values() for p in c.parts if p.state is PartState.WRAP_UP]) > 1:
                break
        ended = [c for c in floor.calls.values() if c.ended and len([p for p in c.parts if p.live]) > 1]
        if ended and len(floor.calls) == 1:
            return floor
    raise AssertionError("no tape has two wrap-ups of one call")


def test_what_a_finished_wrap_up_asked_is_not_shown_any_more() -> None:
    """The record keeps the code with one of the agent's parts, the floor with all: nobody is to see that."""
    floor = two_wrap_ups()
    call = only(floor)
    part = next(p for p in call.parts if p.state is PartState.WRAP_UP)
    floor.apply(WrapUpCoded(floor.books.clock + 1, call.id, part.agent or 0, "solved"))
    shown = part_view(call, part)["wrap_up"]
    assert shown is not None
    assert shown["code"] == "solved"
    floor.apply(WrapUpFinished(floor.books.clock + 2, call.id, part.agent or 0))
    assert part_view(call, part)["wrap_up"] is None


@pytest.mark.parametrize("in_the_record", [False, True])
def test_of_two_wrap_ups_one_is_finished_after_a_restart(in_the_record: bool) -> None:
    """By the floor; or in the record only, because the server was killed before the floor had told it."""
    before = two_wrap_ups()
    call, at = only(before), before.books.clock
    one, two = (p for p in call.parts if p.state is PartState.WRAP_UP)
    viewers = [Viewer(p.agent or 0) for p in (one, two)]
    held = [fresh(before, viewer) for viewer in viewers]
    stored_row = as_json(stored(record_of(call)))
    if in_the_record:
        finished = record_of(call).ended_at
        segments = tuple(
            replace(s, wrapped_at=finished) if s.position == one.position else s for s in stored_row.segments
        )
        stored_row = replace(stored_row, segments=segments)
    after = Floor("demo")
    after.restore(call_of(stored_row))
    desktops = [Desktop(after, viewer) for viewer in viewers]
    for desktop, state in zip(desktops, held, strict=True):
        desktop.state = state
    signals: list[Signal] = [*seated(), Snapshot(at + 10, before.books.boot, members=members(before))]
    if not in_the_record:
        signals.append(WrapUpFinished(at + 20, call.id, one.agent or 0))
    for signal in signals:
        for event in after.apply(signal):
            for desktop in desktops:
                desktop.take(event)
    for desktop in desktops:
        assert desktop.state == fresh(after, desktop.viewer)
    assert [len(desktop.state["parts"]) for desktop in desktops] == [0, 1]


@pytest.mark.parametrize("goes_on", [True, False])
@pytest.mark.parametrize("tape", ["desk-park-and-fetch", "parked-and-gives-up", "phone-parks-by-a-key"])
def test_a_wrap_up_of_a_call_that_went_on_is_finished_in_the_record_only(tape: str, goes_on: bool) -> None:
    """The server was killed after the record had it and before the floor had told it; the caller is parked yet, or
    hung up meanwhile. The agent's desktop lets go of the call."""
    before = Floor("demo")
    for signal in (*seated(), *ALL[tape]):
        before.apply(signal)
        wrapping = [(c, p) for c in before.calls.values() for p in c.parts if p.state is PartState.WRAP_UP]
        if wrapping and not wrapping[0][0].ended:
            break
    (call, part) = wrapping[0]
    at, viewer = before.books.clock, Viewer(part.agent or 0)
    held = fresh(before, viewer)
    assert call.id in held["parts"]
    row_ = as_json(stored(record_of(call)))
    finished = datetime.fromtimestamp(at, UTC)
    segments = tuple(replace(s, wrapped_at=finished) if s.position == part.position else s for s in row_.segments)
    after = Floor("demo")
    after.restore(call_of(replace(row_, segments=segments)))
    desktop = Desktop(after, viewer)
    desktop.state = held
    legs = tuple(
        LegRow(
            leg.id, call.linkedid, leg.channel, leg.up, None, None, None, leg.bridge, 9.0, parked=bool(leg.parked)
        )
        for leg in (call.legs.values() if goes_on else ())
    )
    for signal in (*seated(), Snapshot(at + 10, before.books.boot, legs, members=members(before))):
        for event in after.apply(signal):
            desktop.take(event)
    assert desktop.state["parts"] == {}
    assert desktop.state["calls"] == {}
    assert desktop.state == fresh(after, viewer)


def test_a_number_outside_that_was_dialled_meanwhile_is_called() -> None:
    floor = Floor("demo")
    for signal in seated():
        floor.apply(signal)
    mine = LegRow("x.1", "x.1", "PJSIP/1001-00000001", True, "1001", None, "13900000009", None, 8.0)
    other = LegRow("x.2", "x.1", "PJSIP/trunk-00000002", False, "13900000009", None, None, None, 7.0)
    floor.apply(Snapshot(100.0, 1, (mine, replace(other, ringing=True))))
    call = only(floor)
    assert (call.direction.value, call.customer_leg, call.dnis) == ("outbound", "x.2", "13900000009")
    assert [(part.agent, part.origin.value) for part in call.parts] == [(1, "outbound")]


def members(floor: Floor) -> tuple[object, ...]:
    return tuple(m for q in floor.queues.values() for m in q.members.values())


# --- nothing is forgotten -------------------------------------------------------------------------------------

#: fields that a restored call or part has from columns, or that are worked out anew
CALL_COLUMNS = {
    "pbx", "boot", "linkedid", "started_at", "direction", "legs", "parts", "visits", "aliases", "ani_raw", "ani",
    "ani_name", "dnis", "line", "language", "path", "queued_at", "wait_s", "answered_at", "ended_at", "customer",
    "verdict", "match", "outcome", "ended_by", "complete", "interaction", "id", "audience", "_seats", "_rooms",
    "_halves", "_rung", "merged_into", "joined",
}  # fmt: skip
PART_COLUMNS = {
    "position", "seat", "agent", "origin", "offered_at", "answered_at", "ended_at", "queue", "ring_s", "talk_s",
    "hold_s", "outcome", "wrapped_at", "state", "why", "wrap",
}  # fmt: skip


def test_every_field_of_a_call_and_a_part_outlives_a_restart() -> None:
    """A new field is put into `record/resume.py`, or into a column."""
    assert {f.name for f in fields(Call)} == CALL_COLUMNS | set(resume.OF_CALL)
    assert {f.name for f in fields(Leg)} == {"id", "device", "local", "ours", "heard_at"} | set(resume.OF_LEG)
    assert {f.name for f in fields(Part)} == PART_COLUMNS | set(resume.OF_PART)


def test_an_agents_words_on_a_part_outlive_a_restart(waiting: Floor) -> None:
    waiting.apply(AgentSeated(3.0, 9, "Chen", "PJSIP/1009"))
    part = Part(0, "PJSIP/1009", 9, "Chen", "offer", PartState.TALKING, 4.0)  # type: ignore[arg-type]
    part.wrap.wanted = True
    again = Part(0, "PJSIP/1009", 9, "", "offer", PartState.RINGING, 0.0)  # type: ignore[arg-type]
    resume.part_goes_on(again, resume.of_part(part))
    assert again == part


@pytest.mark.parametrize(("until", "shown"), [(28, 33), (18, 33), (16, 40), (60, 66)])
def test_a_phone_that_takes_customers_while_nobody_watches_keeps_each_a_contact(until: int, shown: int) -> None:
    """The link is away between two signals of a tape; then a list shows what the later one has brought about."""
    tape = [
        s for s in (*seated(), *ALL["elsewhere-agent-pool"]) if not (isinstance(s, Snapshot) and s.drift_check)
    ]
    whole = Floor("demo")
    looks = []
    for signal in tape:
        whole.apply(signal)
        looks.append(look(whole, signal.at))
    floor = Floor("demo")
    calls = {}
    for signal in (*tape[:until], looks[shown], *tape[shown + 1 :]):
        floor.apply(signal)
        calls |= {call.id: call for call in floor.take_changed()}
    kept = [call for call in calls.values() if call.merged_into is None]
    assert sorted(call.direction.value for call in kept) == ["inbound", "inbound", "internal"]
    for call in kept:
        if call.direction.value == "inbound":
            assert [part.origin.value for part in call.parts] == ["offer"]
            assert (call.ended_at or 0.0) - call.started_at < 10


@pytest.mark.parametrize(("after_s", "by"), [(0.5, "unknown"), (10.0, "system")])
def test_who_hung_up_is_not_known_where_they_may_have_asked_before_the_pbx_was_heard_again(
    after_s: float, by: str
) -> None:
    floor = Floor("demo")
    floor.apply(LegStarted(100.0, "a.1", "a.1", "PJSIP/trunk-00000001", True, "13800138000", None, "400"))
    floor.apply(LinkChanged(200.0, LinkState.LIVE))
    call = only(floor)
    floor.apply(LegEnded(200.0 + after_s, "a.1", "a.1", 16))
    assert call.ended_by == by


@pytest.mark.parametrize("is_there", [True, False], ids=["a desktop is open", "nobody is there"])
def test_a_wrap_up_that_nobody_can_finish_ends_by_itself(*, is_there: bool) -> None:
    """A member of the queue whose phone answers, and who never opened the desktop."""
    floor = two_wrap_ups()
    parts = [part for call in floor.calls.values() for part in call.parts if part.state is PartState.WRAP_UP]
    for part in parts:
        floor.apply(DesktopSeen(floor.books.clock, part.agent or 0, is_there))
    now = max(part.since for part in parts) + 900
    floor.apply(as_it_is(floor, now, whole=True, drift_check=True))
    assert {part.state for part in parts} == {PartState.WRAP_UP if is_there else PartState.LEFT}
