"""Dates as files have them, and the order of day and month that a file keeps to.

`01/03/2025` is a day of January in one file and of March in the next. Whoever wrote the file wrote all of its
dates alike, so one that fits a single order decides for its column. Where none does, nothing is guessed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from typing import Final, Literal, get_args

Order = Literal["dmy", "mdy", "ymd"]
ORDERS: Final[tuple[Order, ...]] = get_args(Order)
SPELLED: Final = {"dmy": "day/month/year", "mdy": "month/day/year", "ymd": "year/month/day"}
EXAMPLE: Final = "write a date like 2026-01-31"

# A time of day may follow, and is dropped; with a zone at midnight only: 16:00Z is the next day in China.
_TIME: Final = (
    r"(?:(?:T|\s+|(?<=日))(?:上午|下午)?\s*(?P<time>\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?)\s*(?:[AP]\.?M\.?)?"
    r"(?:\s*(?P<zone>Z|UTC|GMT|[+-]\d{2}:?\d{2}))?)?"
)
# 20260131, or three numbers with something between them: a month alone is no day of January.
_YEAR_FIRST: Final = re.compile(
    r"(?:(\d{4})(\d{2})(\d{2})|(\d{4})(?:\s*[-/.年]\s*|\s+)(\d{1,2})(?:\s*[-/.月]\s*|\s+)(\d{1,2})\s*日?)" + _TIME,
    re.IGNORECASE,
)
_THREE: Final = re.compile(r"(\d{1,2})\s*([-/.])\s*(\d{1,2})\s*\2\s*(\d{4}|\d{2})" + _TIME, re.IGNORECASE)
_NAMED: Final = tuple(
    re.compile(form + _TIME, re.IGNORECASE)
    for form in (
        r"(?P<d>\d{1,2})(?:st|nd|rd|th)?[-\s.]*(?P<m>[A-Z]{3,9})\.?[-\s,]*(?P<y>\d{4}|\d{2})",
        r"(?P<m>[A-Z]{3,9})\.?\s+(?P<d>\d{1,2})(?:st|nd|rd|th)?,?\s+(?P<y>\d{4})",
        r"(?P<y>\d{4})[-\s](?P<m>[A-Z]{3,9})[-\s](?P<d>\d{1,2})",
    )
)
_MONTHS: Final = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_SERIAL: Final = re.compile(r"\d{5}(?:[.,]\d+)?")
_SERIALS: Final = range(32874, 73416)  # 1990 to 2100: days since Excel's 30 December 1899
_OPEN: Final = frozenset(
    (
        *(
            "长期",
            "长期有效",
            "永久",
            "永久有效",
            "无固定期限",
            "无固定",
            "无期限",
            "无限期",
            "不限",
            "不限期",
            "终身",
        ),
        *("无终止日期", "无到期日", "perpetual", "permanent", "noend", "noenddate", "openended", "unlimited"),
        *("indefinite", "never", "forever", "evergreen", "ongoing", "unbefristet"),
    )
)


def is_open(text: str) -> bool:
    """Whether the text says that there is no last day."""
    return re.sub(r"[\s\-_.]+", "", unicodedata.normalize("NFKC", text).casefold()) in _OPEN


@lru_cache(maxsize=8192)
def readings(text: str) -> Mapping[Order | None, date]:
    """Every day that the text may mean, by the order in which it would; under None the one that it means for sure.

    Three numbers with the year at their end have no order of their own, except with dots between: no language
    writes `3.31.2025` (CLDR).
    """
    text = unicodedata.normalize("NFKC", text).strip()
    if found := _YEAR_FIRST.fullmatch(text):
        return _certain(found, *(int(part) for part in found.groups()[:6] if part))
    if found := _THREE.fullmatch(text):
        return _three(found)
    for form in _NAMED:
        if found := form.fullmatch(text):
            month = [name for name in _MONTHS if found["m"].casefold() in (name, name[:3], name[:4])]
            number = _MONTHS.index(month[0]) + 1 if month else 0
            return _certain(found, _year(found["y"]), number, int(found["d"]))
    if _SERIAL.fullmatch(text) and int(text[:5]) in _SERIALS:
        return {None: date(1899, 12, 30) + timedelta(int(text[:5]))}
    return {}


def _three(found: re.Match[str]) -> dict[Order | None, date]:
    a, b, c = int(found[1]), int(found[3]), found[4]
    days: dict[Order, tuple[int, int, int]] = {"dmy": (_year(c), b, a), "mdy": (_year(c), a, b)}
    if found[2] == ".":
        del days["mdy"]
    if len(c) == 2:
        days["ymd"] = (_year(found[1]), b, int(c))
    if len(days) == 1:
        return _certain(found, *days["dmy"])
    return {order: day for order, parts in days.items() for day in _certain(found, *parts).values()}


def _certain(found: re.Match[str], *parts: int) -> dict[Order | None, date]:
    if found["zone"] and found["time"].strip("0:.,"):
        return {}
    with suppress(ValueError):  # 31 February
        return {None: date(*parts)}
    return {}


def _year(text: str) -> int:
    return int(text) if len(text) == 4 else 2000 + int(text)


@dataclass(slots=True)
class _Column:
    """What the dates of one column tell of their order: for each order the first date that it does not fit."""

    against: dict[Order, tuple[int, str]] = field(default_factory=dict)
    asked: bool = False  # whether a date is another day in another order

    def see(self, line: int, text: str) -> None:
        found = readings(text)
        if found and None not in found:
            self.asked = self.asked or len(set(found.values())) > 1
            for order in ORDERS:
                if order not in found:
                    self.against.setdefault(order, (line, text))

    @property
    def fitting(self) -> list[Order]:
        return [order for order in ORDERS if order not in self.against]


@dataclass(frozen=True, slots=True)
class Habit:
    """In which order a column's dates are read, and how that is known; no order where it is not known."""

    order: Order | None
    why: str


def habits(
    dates: Iterable[tuple[int, str, str]], given: Order | None, remembered: Order | None = None
) -> dict[str, Habit]:
    """The habit of each column in which the order matters, from (line, column, text) of every date.

    What somebody says now is `given`, what they said of such a file before `remembered`. Between the two stands
    what the column itself shows, or else the file's other column.
    """
    columns: dict[str, _Column] = {}
    for line, column, text in dates:
        columns.setdefault(column, _Column()).see(line, text)
    decided = {order[0] for column in columns.values() if len(order := column.fitting) == 1}
    return {
        name: _habit(column, decided, given, remembered)
        for name, column in columns.items()
        if column.asked or not column.fitting
    }


def _habit(column: _Column, decided: set[Order], given: Order | None, remembered: Order | None) -> Habit:
    if given:
        return Habit(given, "as --dates says")
    fitting = column.fitting
    if len(fitting) == 1:
        # The last order to be excluded is the one that was in question.
        line, text = max((column.against[order] for order in ORDERS if order not in fitting), key=lambda at: at[0])
        return Habit(fitting[0], f"as line {line} shows ({text})")
    if not fitting:
        shown = " and ".join(f"line {line} ({text})" for line, text in sorted({*column.against.values()})[:3])
        return Habit(remembered, "as remembered" if remembered else f"{shown} have different orders")
    if len(decided) == 1 and (order := next(iter(decided))) in fitting:
        return Habit(order, "as the other dates of the file show")
    if remembered in fitting:
        return Habit(remembered, "as remembered")
    return Habit(None, "no date of the column tells which is the day")


def choices() -> str:
    return "--dates dmy, --dates mdy or --dates ymd"


def read(text: str, habit: Habit | None) -> date | str:
    """The day that the text means in a column of this habit, or why that is not known."""
    found = readings(text)
    if len(days := {*found.values()}) == 1 and (None in found or len(found) > 1 or habit is None):
        return next(iter(days))
    if not found or habit is None:
        return EXAMPLE
    if habit.order is None:
        return f"{habit.why}: say {choices()}"
    return found.get(habit.order) or f"it is no {SPELLED[habit.order]}, {habit.why}"


def said(found: Mapping[str, Habit]) -> Iterator[str]:
    """How each column's dates were read, or what has to be said about them, in words."""
    for column, habit in found.items():
        if habit.order:
            yield f"{column} is read as {SPELLED[habit.order]}, {habit.why}"
        else:
            yield f"{column}: {habit.why}; say {choices()}"
