"""Rows of CEL for tests, and the places in which back-ends keep them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from cti_server.cel.look import Look
from cti_server.wire.cel import SAMPLE, Columns, Row
from cti_server.wire.cel_place import Place
from cti_server.wire.cel_times import Times
from cti_server.wire.text import Encodings

T0 = 1767225600.0  # 2026-01-01 00:00:00 UTC


@dataclass
class Line:
    """An event as a back-end is given it."""

    kind: str
    at: float
    leg: str = f"demo-{int(T0)}.1"
    linkedid: str = ""
    channel: str = "PJSIP/cti-trunk-00000001"
    number: str = ""
    name: str = ""
    exten: str = ""
    app: str = ""
    data: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    def values(self, time: str | None = None) -> dict[str, Any]:
        given = {
            "eventtype": self.kind,
            "eventtime": f"{T0 + self.at:.6f}" if time is None else time,
            "cid_name": self.name,
            "cid_num": self.number,
            "exten": self.exten,
            "channame": self.channel,
            "appname": self.app,
            "appdata": self.data,
            "uniqueid": self.leg,
            "linkedid": self.linkedid or self.leg,
            "extra": json.dumps(self.extra) if self.extra else "",
        }
        return {name: given.get(name, "") for name in SAMPLE.split(",")}


def call(n: int, at: float) -> list[Line]:
    """A caller who came at `at`, heard something for five seconds, and hung up."""
    leg, channel = f"demo-{int(T0 + at)}.{n}", f"PJSIP/cti-trunk-{n:08x}"
    who = {"leg": leg, "channel": channel, "number": f"0216{n:07d}", "exten": "4008001000"}
    hung_up = {"hangupcause": 16, "hangupsource": channel, "dialstatus": ""}
    return [
        Line("CHAN_START", at, **who),
        Line("ANSWER", at + 0.1, **who, app="Answer"),
        Line("HANGUP", at + 5, **who, extra=hung_up),
        Line("CHAN_END", at + 5, **who),
        Line("LINKEDID_END", at + 5, **who),
    ]


def as_csv(lines: Sequence[Line], encoding: str = "utf-8", **writing: Any) -> bytes:
    """As cel_custom writes them: each value in quotes."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n", **writing)
    writer.writerows(list(line.values().values()) for line in lines)
    return text.getvalue().encode(encoding)


def look(place: str, zone: str = "", form: str = "", columns: str = "", encoding: str = "") -> Look:
    return Look(
        Place.parse(place),
        Times.of(zone, form),
        Columns.parse(columns) if columns else None,
        Encodings.parse(encoding),
    )


def row(line: Line) -> Row:
    return Row(
        line.kind,
        T0 + line.at,
        line.leg,
        line.linkedid or line.leg,
        line.channel,
        line.number or None,
        line.name or None,
        line.exten or None,
        line.app,
        line.data,
        line.extra,
    )
