"""Dates of a file: what each form means, and which of day and month stands first."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti_server.imports.dates import Habit, Order, habits, is_open, read, readings

FIRST_OF_MARCH = date(2025, 3, 1)

CERTAIN = [
    "2025-03-01",
    "2025/3/1",
    "2025.3.1",
    "20250301",
    "2025年3月1日",
    "２０２５年３月１日",
    "2025-03-01 00:00:00",
    "2025-03-01 23:59:59",
    "2025/3/1 0:00",
    "2025-03-01T00:00:00",
    "2025-03-01T00:00:00.000Z",
    "2025-03-01T00:00:00+08:00",
    "2025年3月1日 0:00",
    "2025/3/1 上午 12:00:00",
    "1-Mar-2025",
    "01-Mar-25",
    "1 March 2025",
    "1st March 2025",
    "March 1, 2025",
    "Mar 1 2025",
    "2025-Mar-01",
    "01.03.2025",
    "1.3.2025 0:00",
    "45717",
    "45717.0",
    "45717.75",
]


@pytest.mark.parametrize("text", CERTAIN)
def test_forms_that_mean_one_day_in_any_file(text: str) -> None:
    assert read(text, None) == FIRST_OF_MARCH


NO_DATES = [
    "2025-03", "202503", "2025301", "1/2025", "2025-13-01", "2025-02-30", "31/02/2025", "Mar 2025", "soon", "",
    "1 Foo 2025", "12345", "99999", "13800138000", "2025-02-28T16:00:00Z", "2025-02-28T16:00:00+00:00", "0/0/2025",
]  # fmt: skip


@pytest.mark.parametrize("text", NO_DATES)
def test_what_is_no_day_or_not_surely_one_is_none(text: str) -> None:
    assert not readings(text)
    assert read(text, None) == "write a date like 2026-01-31"


def of(*texts: str, given: Order | None = None, remembered: Order | None = None) -> Habit | None:
    dates = [(line, "start", text) for line, text in enumerate(texts, 2)]
    return habits(dates, given, remembered).get("start")


@pytest.mark.parametrize(
    ("texts", "order", "why"),
    [
        (("01/03/2025", "31/03/2025", "02/03/2025"), "dmy", "as line 3 shows (31/03/2025)"),
        (("01/03/2025", "03/31/2025"), "mdy", "as line 3 shows (03/31/2025)"),
        (("12/01/2026", "12/31/2026"), "mdy", "as line 3 shows (12/31/2026)"),  # may 250
        (("1/3/2025 0:00", "1/13/2025 12:00:00 AM"), "mdy", "as line 3 shows (1/13/2025 12:00:00 AM)"),
        (("01-03-25", "31-03-25"), None, "no date of the column tells which is the day"),  # or 2031
        (("01-03-25", "31-03-32"), "dmy", "as line 3 shows (31-03-32)"),
        (("25/03/01", "25/12/31", "99/01/13"), "ymd", "as line 4 shows (99/01/13)"),
        (("01/03/2025", "02/03/2025"), None, "no date of the column tells which is the day"),
        (("01/03/2025", "31/03/2025", "03/31/2025"), None, "line 3 (31/03/2025) and line 4 (03/31/2025)"),
    ],
)
def test_one_value_over_twelve_decides_for_its_column(texts: tuple[str, ...], order: Order, why: str) -> None:
    habit = of(*texts)
    assert habit is not None
    assert habit.order == order
    assert why in habit.why


def test_a_date_that_is_none_in_any_order_is_no_evidence() -> None:
    habit = of("01/03/2025", "31/02/2025", "13/13/2025", "28/03/2025")
    assert habit is not None
    assert (habit.order, habit.why) == ("dmy", "as line 5 shows (28/03/2025)")


def test_a_column_is_read_as_the_other_one_of_its_file_where_it_does_not_tell() -> None:
    dates = [(2, "start", "01/03/2025"), (2, "end", "28/02/2026"), (3, "start", "01/04/2025")]
    found = habits(dates, None)
    assert (found["start"].order, found["start"].why) == ("dmy", "as the other dates of the file show")
    assert read("01/04/2025", found["start"]) == date(2025, 4, 1)


def test_what_is_said_now_comes_before_what_the_file_shows_and_that_before_what_was_said_once() -> None:
    def order(habit: Habit | None) -> Order | None:
        assert habit is not None
        return habit.order

    assert order(of("01/03/2025", "31/03/2025", given="mdy", remembered="mdy")) == "mdy"
    assert order(of("01/03/2025", "31/03/2025", remembered="mdy")) == "dmy"
    assert order(of("01/03/2025", remembered="mdy")) == "mdy"


def test_dates_that_are_the_same_day_in_any_order_ask_nothing() -> None:
    assert of("01/01/2025", "02/02/2025") is None
    assert read("02/02/2025", None) == date(2025, 2, 2)


def test_what_is_not_decided_is_refused_with_the_option_that_decides_it() -> None:
    undecided = of("01/03/2025", "02/03/2025", "03/03/2025")
    assert "say --dates dmy, --dates mdy or --dates ymd" in str(read("01/03/2025", undecided))
    assert read("03/03/2025", undecided) == date(2025, 3, 3)
    assert read("2025-03-01", undecided) == FIRST_OF_MARCH
    told = of("01/03/2025", "31/03/2025", "03/31/2025", given="dmy")  # espocrm 2904: it became a day of 2025
    assert read("31/03/2025", told) == date(2025, 3, 31)
    assert read("03/31/2025", told) == "it is no day/month/year, as --dates says"


@pytest.mark.parametrize(
    "text", ["长期", " 永久 ", "无固定期限", "Perpetual", "No end", "no-end date", "Open-ended"]
)
def test_words_for_no_end(text: str) -> None:
    assert is_open(text)


@pytest.mark.parametrize("text", ["", "-", "2025-03-01", "长", "end"])
def test_other_words_are_none_for_no_end(text: str) -> None:
    assert not is_open(text)


FORMS: dict[Order, str] = {"dmy": "%d/%m/%Y", "mdy": "%m/%d/%Y"}
DAYS = st.dates(date(1990, 1, 1), date(2099, 12, 31))


@given(st.lists(DAYS, min_size=1, max_size=30), st.sampled_from(list(FORMS)))
def test_a_column_in_one_order_is_read_back_or_not_at_all(days: list[date], order: Order) -> None:
    texts = [day.strftime(FORMS[order]) for day in days]
    habit = of(*texts)
    read_back = [read(text, habit) for text in texts]
    if habit is None or habit.order is not None:
        assert read_back == days
    else:  # only what is the same day either way
        assert all(found == day or isinstance(found, str) for found, day in zip(read_back, days, strict=True))
    told = of(*texts, given=order)
    assert [read(text, told) for text in texts] == days


SURE = ["%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%Y年%m月%d日", "%d.%m.%Y", "%d-%b-%Y", "%B %d, %Y", "%Y-%m-%d %H:%M:%S"]


@given(DAYS, st.times(), st.sampled_from(SURE))
def test_a_date_in_a_sure_form_is_read_back(day: date, time: time, form: str) -> None:
    assert read(datetime.combine(day, time).strftime(form), None) == day


@given(DAYS, st.floats(0, 0.999))
def test_a_days_serial_number_is_read_back_whatever_the_time(day: date, time: float) -> None:
    serial = (day - date(1899, 12, 30)) / timedelta(days=1)
    assert read(f"{serial + time:.5f}" if time > 0.00001 and time < 0.9999 else f"{serial:.0f}", None) == day


@given(st.text(max_size=30))
def test_any_text_is_a_date_or_refused(text: str) -> None:
    assert isinstance(read(text, None), date | str)
