"""Why they may be calling: the record at the moment of the call, and the facts that are named."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from cti_server.rules.facts import (
    Case,
    CaseStatus,
    Channel,
    Contract,
    Direction,
    InteractionBrief,
    Outcome,
    ServiceLevel,
)
from cti_server.rules.verdict import verdict
from cti_server.rules.why import MAX_FACTS, why

NOW = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)
LEVEL = ServiceLevel(1, "gold", "Gold", "金牌", 3, 8)


def case(id_: int, due: timedelta | None = None, status: CaseStatus = "open", priority: int = 3) -> Case:
    opened = NOW - timedelta(days=2)
    due_at = NOW + due if due is not None else None
    return Case(id_, 7, f"K-{id_}", "Paper jam", status, priority, opened, due_at)


def contact(
    id_: int,
    ago: timedelta,
    outcome: Outcome = "answered",
    channel: Channel = "voice",
    direction: Direction = "inbound",
) -> InteractionBrief:
    return InteractionBrief(id_, channel, direction, NOW - ago, outcome, "support", "Li Wei", 60_000, "Toner")


def contract(ends: date) -> Contract:
    return Contract(3, 7, "C-3", LEVEL, "active", None, date(2026, 1, 1), ends)


def said(cases: list[Case], recent: list[InteractionBrief], ends: date | None = None) -> list[tuple[str, str]]:
    judged = verdict([contract(ends)], NOW, "UTC") if ends else None
    return [(one.code, one.ref) for one in why(cases, recent, judged, NOW)]


HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def test_nothing_is_known() -> None:
    assert said([], []) == []


def test_overdue_comes_before_open_and_closed_is_silent() -> None:
    late, waiting, closed = case(2, -HOUR), case(3, HOUR, "waiting"), case(4, -DAY, "closed")
    assert said([case(1), late, waiting, closed], []) == [
        ("open_case_overdue", "case:2"),
        ("open_case", "case:1"),
        ("open_case", "case:3"),
    ]


def test_the_urgent_case_first() -> None:
    assert said([case(1, priority=4), case(2, priority=1)], [])[0] == ("open_case", "case:2")


def test_overdue_names_its_evidence() -> None:
    (fact,) = why([case(2, due=-HOUR)], [], None, NOW)
    assert fact.params == {
        "case": "K-2",
        "subject": "Paper jam",
        "status": "open",
        "priority": 3,
        "late_ms": 3_600_000,
    }


def test_gave_up_just_before() -> None:
    assert said([], [contact(1, HOUR, "abandoned")]) == [("abandoned_before", "interaction:1")]
    assert said([], [contact(1, 3 * HOUR, "abandoned")]) == []
    assert said([], [contact(1, HOUR, "no_agent")]) == [("abandoned_before", "interaction:1")]
    # somebody spoke with them since
    since = [contact(1, HOUR, "abandoned"), contact(2, HOUR / 2)]
    assert said([], since) == [("repeat_call", "interaction:2")]


def test_repeat_call_counts_and_names_the_last() -> None:
    (fact,) = why([], [contact(1, 5 * HOUR), contact(2, 2 * HOUR), contact(3, 2 * DAY)], None, NOW)
    assert (fact.code, fact.ref, fact.params["times"], fact.params["agent"]) == (
        "repeat_call",
        "interaction:2",
        2,
        "Li Wei",
    )


def test_recent_visit_and_email() -> None:
    recent = [contact(1, 8 * DAY, channel="visit"), contact(2, 2 * DAY, channel="visit")]
    assert said([], recent) == [("recent_visit", "interaction:2")]
    assert said([], [contact(1, DAY, channel="email"), contact(2, 2 * DAY, channel="email")]) == [
        ("recent_email", "interaction:1")
    ]


def test_contract_ending_or_just_expired() -> None:
    assert said([], [], date(2026, 12, 22)) == [("contract_ending", "contract:3")]
    assert said([], [], date(2026, 12, 23)) == []
    assert said([], [], date(2026, 11, 1)) == [("contract_expired", "contract:3")]
    assert said([], [], date(2026, 2, 1)) == []


def test_at_most_four_and_the_future_is_not_a_reason() -> None:
    cases = [case(n) for n in range(10)]
    assert len(said(cases, [contact(1, HOUR)])) == MAX_FACTS
    assert said([], [contact(1, -HOUR)]) == []
