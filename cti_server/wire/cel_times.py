"""The times of CEL (Channel Event Logging): text, a number or a timestamp of a database → seconds since the epoch.

cel.conf's `dateformat` says how they are written; without it, as seconds and microseconds since the epoch. A time
that names no zone needs `zone`, that of Asterisk's machine (UTC with `usegmtime = yes`): nothing is guessed.
Whether that zone is right, a channel's Uniqueid tells, for it has the second in which the channel began (`born`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

BACK_S = 2.0  # rows are written in order, but by threads: so much earlier than the row before it a row may be
OFF_S = 5.0  # a channel is logged within a second of its beginning
QUARTER_S = 900.0  # by so much, or multiples of it, zones differ

_EPOCH = re.compile(r"\d{9,11}(?:\.\d+)?")
_DATED = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[ ]?[+-]\d\d(?::?\d\d)?)?")
_BORN = re.compile(r"(?:^|-)(\d{9,11})\.\d+$")
_FRACTION = re.compile(r"%\d?q")  # Asterisk's own: fractions of a second, %3q in thousandths


class BadTime(ValueError):
    """A time that cannot be told. The text says why, and what to set."""


@dataclass(frozen=True, slots=True)
class Times:
    """How times are written: `form` is cel.conf's dateformat, '' where it has none or writes a date as ISO
    does."""

    zone: tzinfo | None = None
    form: str = ""

    @classmethod
    def of(cls, zone: str, form: str = "") -> Times:
        """From the settings. Raises ValueError for a zone that is none, and for a form that leaves the time
        open."""
        if "%Z" in form:
            raise ValueError("a dateformat with %Z: names of zones are not unique; use %z in cel.conf, and here")
        if form and form != "%s" and not {"%S", "%T", "%X", "%c"}.intersection(re.findall(r"%[A-Za-z]", form)):
            raise ValueError(f"dateformat {form!r} has no seconds; use %F %T.%6q in cel.conf, and here")
        return cls(zone_of(zone) if zone else None, form)

    def read(self, value: object, after: float | None = None, born: float | None = None) -> float:
        """The time in seconds since the epoch. `after` is the time of the row before, `born` when the row's
        channel began: in the hour that comes twice when clocks are put back, they tell which one it is. Raises
        BadTime."""
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        if isinstance(value, datetime):
            return self._of(value, after, born)
        text = str(value).strip() if value is not None else ""
        if _EPOCH.fullmatch(text):
            return float(text)
        return self._of(self._parsed(text), after, born)

    def _parsed(self, text: str) -> datetime:
        if self.form and self.form != "%s":
            form = _FRACTION.sub("%f", self.form).replace("%F", "%Y-%m-%d").replace("%T", "%H:%M:%S")
            try:
                return datetime.strptime(text, form)  # noqa: DTZ007 - the zone is added below, or refused
            except ValueError:
                raise BadTime(f"time {text!r} is not of the dateformat {self.form!r}") from None
        if _DATED.fullmatch(text):
            return datetime.fromisoformat(_six_digits(text))
        raise BadTime(f"time {text!r} is of no known form: set CTI_CEL_DATEFORMAT to the dateformat of cel.conf")

    def _of(self, moment: datetime, after: float | None, born: float | None) -> float:
        if moment.tzinfo is not None:
            return moment.timestamp()
        if self.zone is None:
            raise BadTime(
                f"time {moment} has no zone: set CTI_CEL_ZONE to the zone of Asterisk's machine, as "
                "Asia/Shanghai, or to UTC where usegmtime = yes"
            )
        first, second = (moment.replace(tzinfo=self.zone, fold=fold).timestamp() for fold in (0, 1))
        if first == second:
            return first
        if first > second:  # the hour that is left out: no clock of this zone ever showed it
            raise BadTime(
                f"there is no {moment} in {self.zone}: CTI_CEL_ZONE is not the zone of Asterisk's machine"
            )
        since = max((at for at in (after, born) if at is not None), default=None)
        return first if since is None or first >= since - BACK_S else second


def zone_of(name: str) -> tzinfo:
    """The zone of this name. Raises ValueError."""
    try:
        return UTC if name.upper() == "UTC" else ZoneInfo(name)
    except (ValueError, OSError, LookupError):  # not found; no valid name; a folder
        raise ValueError(f"{name!r} is no time zone: a name as Asia/Shanghai, Europe/Berlin, UTC") from None


def born(leg: str) -> float | None:
    """The second in which the channel with this Uniqueid began: `demo-1767225600.17`, `1767225600.17`. None for an
    id that a program chose."""
    found = _BORN.search(leg)
    return float(found[1]) if found is not None else None


def off_by(began: Iterable[tuple[str, float]]) -> float | None:
    """By how many seconds the times of these channels, (Uniqueid, CHAN_START), are off; None where they are right,
    or none can be told. One that is right is enough; a difference that no two zones have says nothing."""
    differences = [at - second for leg, at in began if (second := born(leg)) is not None]
    if not differences or any(-1.0 <= difference < OFF_S for difference in differences):
        return None
    off = sorted(differences)[len(differences) // 2]
    quarters = round(off / QUARTER_S) * QUARTER_S
    return quarters if quarters and -1.0 <= off - quarters < OFF_S else None


def _six_digits(text: str) -> str:
    """`2026-03-01 10:11:12,5 +0800` as datetime.fromisoformat of Python 3.11 takes it."""
    text = re.sub(r"[.,](\d{1,9})", lambda found: "." + found[1][:6].ljust(6, "0"), text)
    return re.sub(r" ([+-]\d\d)", r"\1", text)
