"""The rows that a stream keeps for desktops that come back: without a gap, and never more than there is room."""

from __future__ import annotations

from collections.abc import Sequence

from cti_server.push.recent import Recent, Row
from cti_server.record.journal import Entry
from tests.control.site import NOW


def entries(*numbers: int) -> list[Entry]:
    return [Entry("desk", seq, NOW, "said", {"n": seq}, None) for seq in numbers]


def numbers(rows: Sequence[Row] | None) -> list[int] | None:
    return [row.entry.seq for row in rows] if rows is not None else None


def test_it_gives_what_follows_and_nothing_where_a_row_is_lacking() -> None:
    recent = Recent(kept=4)
    assert recent.after(0, 0) is None, "it knows nothing yet"
    recent.begin(10)
    assert numbers(recent.after(10, 10)) == []
    recent.add(entries(11, 12, 13))
    assert numbers(recent.after(10, 13)) == [11, 12, 13]
    assert numbers(recent.after(11, 12)) == [12], "what is told later is in the desktop's line"
    assert numbers(recent.after(13, 12)) == []
    assert recent.after(9, 13) is None
    assert recent.after(14, 13) is None, "the desktop comes from another database"


def test_the_oldest_make_room() -> None:
    recent = Recent(kept=3)
    recent.add(entries(1, 2))
    recent.add(entries(3, 4))
    assert recent.after(0, 4) is None
    assert numbers(recent.after(1, 4)) == [2, 3, 4]


def test_a_gap_makes_it_begin_again() -> None:
    recent = Recent()
    recent.add(entries(1, 2))
    recent.add(entries(7))
    assert recent.after(2, 7) is None
    assert numbers(recent.after(6, 7)) == [7]
    recent.begin(2)
    assert recent.after(6, 7) is None, "those were taken back"


def test_what_is_read_later_goes_before_as_far_as_there_is_room() -> None:
    recent = Recent(kept=4)
    recent.begin(10)
    recent.add(entries(11))
    recent.add_before([Row(entry) for entry in entries(6, 7, 8, 9, 10, 11)])
    assert numbers(recent.after(7, 11)) == [8, 9, 10, 11]
    assert recent.after(6, 11) is None
    recent.add_before([Row(entry) for entry in entries(1, 2)])
    assert recent.after(1, 11) is None, "rows that do not reach as far as the first"
    recent.add(entries(12))
    assert numbers(recent.after(8, 12)) == [9, 10, 11, 12]
