"""The PBX's log of channel events: whether it is named, can be read, and has what is needed of calls that nobody
saw."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

from cti_server.cel import source
from cti_server.cel.look import CelUnreadable, Look
from cti_server.doctor.findings import Finding, say
from cti_server.record.contacts import gaps
from cti_server.record.contacts.gaps import Gap
from cti_server.record.database import Database
from cti_server.settings import PbxSettings
from cti_server.wire.cel import Row

BACK_S = (3600.0, 86400.0, 7 * 86400.0)  # so far back rows are looked for, until there are enough
ENOUGH = 200  # rows that show which events are written
MOST = 20_000
SHOWN = timedelta(days=7)  # of what was not filled, older gaps are beyond help
NEEDED = ("CHAN_START", "ANSWER", "HANGUP", "CHAN_END", "BRIDGE_ENTER", "BRIDGE_EXIT")
OF_QUEUES = ("APP_START", "APP_END")


async def examine(pbx: PbxSettings, database_url: str | None) -> list[Finding]:
    """The findings about one PBX's CEL. `database_url` None: the record cannot be read."""
    check, look = f"{pbx.name}: CEL", source.look_of(pbx)
    unfilled = await _unfilled(database_url, pbx.name) if database_url is not None else []
    if look is None:
        return [say(check, "cel.none_gaps", **_of(unfilled))] if unfilled else [say(check, "cel.none")]
    try:
        rows = await _sample(look)
    except CelUnreadable as cause:
        return [say(check, "cel.unreadable", why=cause)]
    if not rows:
        return [say(check, "cel.silent", place=look.place, days=round(BACK_S[-1] / 86400))]
    findings = list(_of_rows(check, look, rows))
    if not findings:
        newest = datetime.fromtimestamp(rows[-1].at, UTC).isoformat(sep=" ", timespec="seconds")
        findings.append(say(check, "cel.ok", place=look.place, newest=newest))
    if unfilled:
        findings.append(say(check, "cel.unfilled", why=unfilled[0].trouble or "not tried yet", **_of(unfilled)))
    return findings


async def _sample(look: Look) -> Sequence[Row]:
    """The latest rows, as many as it takes to see which events are written."""
    rows: list[Row] = []
    now = time.time()
    for back in BACK_S:
        rows = []
        async with aclosing(source.rows(look, now - back, now + 86400.0)) as batches:
            async for batch in batches:
                rows += batch
                if len(rows) > MOST:
                    break
        if len(rows) >= ENOUGH:
            break
    return rows


def _of_rows(check: str, look: Look, rows: Sequence[Row]) -> Iterator[Finding]:
    kinds = {row.kind for row in rows}
    if any(row.kind in ("CHAN_END", "HANGUP", "LINKEDID_END", "BRIDGE_EXIT") for row in rows):  # a call was over
        answered = "BRIDGE_ENTER" in kinds or any(row.app in ("AppQueue", "AppDial") for row in rows)
        missing = [
            kind
            for kind in NEEDED
            if kind not in kinds and (answered or kind in ("CHAN_START", "HANGUP", "CHAN_END"))
        ]
        if missing:
            yield say(check, "cel.events", missing=",".join(missing))
    queued = {row.kind for row in rows if row.app.lower() == "queue"}
    if (queued or any(row.app == "AppQueue" for row in rows)) and not queued.issuperset(OF_QUEUES):
        yield say(check, "cel.queues", missing=",".join(kind for kind in OF_QUEUES if kind not in queued))
    if len(rows) >= ENOUGH and all(row.at == int(row.at) for row in rows):
        yield say(check, "cel.seconds", place=look.place)
    if look.columns is not None and (lacking := look.columns.lacking):
        yield say(check, "cel.columns", lacking=", ".join(lacking))


async def _unfilled(database_url: str, pbx: str) -> list[Gap]:
    since = datetime.now(UTC) - SHOWN
    async with Database(database_url) as database, database.read() as conn:
        return await gaps.not_filled(conn, pbx, since)


def _of(unfilled: Sequence[Gap]) -> dict[str, object]:
    """How many gaps, and how long all of them are."""
    lasted = sum((((gap.until or gap.since) - gap.since) for gap in unfilled), timedelta())
    first = unfilled[0].since.isoformat(sep=" ", timespec="seconds")
    return {"count": len(unfilled), "minutes": max(1, round(lasted.total_seconds() / 60)), "first": first}
