"""Rows of CEL (Channel Event Logging) as Asterisk's back-ends write them: columns by any of their names → `Row`.

The same event has other names for its fields in each back-end: cel_custom writes `CALLERID(num)` or `CIDNum`,
cel_pgsql, cel_odbc and FreePBX `cid_num`, cel_sqlite3_custom whatever its columns are called. No I/O.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .cel_times import BadTime, Times, born

#: what cel_custom.conf.sample writes, in order; set CTI_CEL_COLUMNS where a site writes something else
SAMPLE = (
    "eventtype,eventtime,cid_name,cid_num,cid_ani,cid_rdnis,cid_dnid,exten,context,channame,appname,appdata,"
    "amaflags,accountcode,uniqueid,linkedid,peer,userfield,userdeftype,extra"
)
NEEDED = ("eventtype", "eventtime", "channame", "uniqueid", "linkedid", "appname", "appdata", "extra")
WANTED = ("cid_num", "cid_name", "exten")
"""Without these a contact lacks who called, and where to."""

#: the names that back-ends, samples and distributions give to these fields
_ALSO = {
    "eventenum": "eventtype",
    "name": "cid_name",
    "cidname": "cid_name",
    "callerid(name)": "cid_name",
    "num": "cid_num",
    "cidnum": "cid_num",
    "callerid(num)": "cid_num",
    "extension": "exten",
    "channel(exten)": "exten",
    "channel": "channame",
    "channel(channame)": "channame",
    "channel(appname)": "appname",
    "channel(appdata)": "appdata",
    "channel(uniqueid)": "uniqueid",
    "channel(linkedid)": "linkedid",
    "eventextra": "extra",
}

#: enum ast_cel_event_type of Asterisk 12 and later, for tables whose eventtype is a number
_NUMBERS = (
    "", "CHAN_START", "CHAN_END", "HANGUP", "ANSWER", "APP_START", "APP_END", "PARK_START", "PARK_END",
    "USER_DEFINED", "BRIDGE_ENTER", "BRIDGE_EXIT", "BLINDTRANSFER", "ATTENDEDTRANSFER", "LINKEDID_END", "PICKUP",
    "FORWARD", "LOCAL_OPTIMIZE", "LOCAL_OPTIMIZE_BEGIN",
)  # fmt: skip
KINDS = frozenset(_NUMBERS[1:])

Values = Mapping[str, object]


class BadRow(ValueError):
    """A row that cannot be read; the text says why."""


@dataclass(frozen=True, slots=True)
class Row:
    """One event of one channel. `at` is in seconds since the epoch; `app` and `data` are what the channel was
    running; `extra` is the event's own JSON."""

    kind: str
    at: float
    leg: str
    linkedid: str
    channel: str
    number: str | None = None
    name: str | None = None
    exten: str | None = None
    app: str = ""
    data: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column is which: the field of each, '' for one that is not needed."""

    names: tuple[str, ...]

    @classmethod
    def of(cls, names: Sequence[str]) -> Columns:
        """From a header, a table's columns, or the settings. Raises ValueError where one that is needed lacks."""
        found = [_field(name) for name in names]
        kept = tuple(name if name not in found[:at] else "" for at, name in enumerate(found))  # the first counts
        if missing := [name for name in NEEDED if name not in kept]:
            raise ValueError(f"CEL has no column {', '.join(missing)}; its columns are: {', '.join(names)}")
        return cls(kept)

    @classmethod
    def parse(cls, text: str) -> Columns:
        return cls.of([name.strip() for name in text.split(",")])

    @property
    def lacking(self) -> list[str]:
        """Those without which a contact says less."""
        return [name for name in WANTED if name not in self.names]

    def values(self, row: Sequence[object]) -> Values:
        """The values of a row, by field. Raises BadRow for one with another number of columns."""
        if len(row) != len(self.names):
            raise BadRow(f"{len(row)} columns, not {len(self.names)}: {str(list(row))[:200]}")
        return {name: value for name, value in zip(self.names, row, strict=True) if name}


def _field(name: str) -> str:
    """`${CSV_QUOTE(${CALLERID(num)})}`, `CALLERID(num)`, `CIDNum`, `"cid_num"` → `cid_num`."""
    name = name.strip().strip("\"'`").lower().removeprefix("${csv_quote(").replace("${", "").replace("}", "")
    name = name if name.count("(") == name.count(")") else name.removesuffix(")")
    if name.startswith("eventtime("):
        name = "eventtime"  # with a form of its own: eventtime(%FT%T%z)
    return _ALSO.get(name, name)


def is_header(row: Sequence[str]) -> bool:
    """Whether this first line of a file names its columns, rather than being an event."""
    names = {_field(name) for name in row}
    return {"eventtype", "uniqueid"} <= names


def read(values: Values, times: Times, after: float | None = None) -> Row:
    """The row of these values; `after` is the time of the row before it. Raises BadRow and BadTime."""
    leg, linkedid = _text(values, "uniqueid"), _text(values, "linkedid")
    if not leg or not linkedid:
        raise BadRow(f"an event without a channel's id: {str(dict(values))[:200]}")
    at = times.read(values.get("eventtime"), after, born(leg))
    return Row(
        kind_of(values.get("eventtype")),
        at,
        leg,
        linkedid,
        _text(values, "channame"),
        _told(values, "cid_num"),
        _told(values, "cid_name"),
        _told(values, "exten"),
        _text(values, "appname"),
        _text(values, "appdata"),
        _extra(_text(values, "extra")),
    )


def kind_of(value: object) -> str:
    """The event's name. A table may have its number; one that a dialplan made has a name of its own."""
    text = str(value).strip() if value is not None else ""
    if text.removesuffix(".0").isdecimal():
        number = int(text.removesuffix(".0"))
        return _NUMBERS[number] if number < len(_NUMBERS) else ""
    return text


def _text(values: Values, name: str) -> str:
    value = values.get(name)
    return "" if value is None else str(value)


def _told(values: Values, name: str) -> str | None:
    return _text(values, name).strip() or None


def _extra(text: str) -> Mapping[str, Any]:
    """The event's JSON; nothing where it is cut off (FreePBX keeps 512 characters of it) or is somebody else's."""
    if not text:
        return {}
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


__all__ = ["KINDS", "NEEDED", "SAMPLE", "WANTED", "BadRow", "BadTime", "Columns", "Row", "Values", "is_header",
           "kind_of", "read"]  # fmt: skip
