"""The agent's day: their numbers by the standard formulas, and their time in each state."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, cast
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query

from cti_server.api.desk_shapes import DayNumbers, MyDayView, StateSpanView
from cti_server.api.principal import DepsIn, Signed
from cti_server.api.problems import Problem, documented
from cti_server.lookup.shapes import stamp
from cti_server.record.center import agent_states
from cti_server.record.center.agent_states import AgentStateRow
from cti_server.record.contacts import days
from cti_server.rules import figures as rules
from cti_server.rules.figures import Span

routes = APIRouter(prefix="/api/me", tags=["me"])


@routes.get("/day", operation_id="getMyDay", responses=documented(401, 422))
async def get_my_day(
    principal: Signed,
    deps: DepsIn,
    on: Annotated[date | None, Query(alias="date", description="today by default")] = None,
    zone: Annotated[
        str, Query(max_length=60, description="the IANA time zone whose midnight begins the day")
    ] = "UTC",
) -> MyDayView:
    """One day of the signed-in agent; today up to now."""
    now = deps.now()
    where = _zone(zone)
    on = on or now.astimezone(where).date()
    since, until = _midnights(on, where)
    async with deps.database.read() as conn:
        rows = await agent_states.of_day(conn, principal.id, since, until)
        calls = await days.stretches(conn, principal.id, since, until)
    spans = rules.spans([(row.at, row.name, row.reason) for row in rows], since, min(until, max(now, since)))
    return {
        "date": on.isoformat(),
        "zone": zone,
        "from": stamp(since),
        "to": stamp(until),
        "numbers": cast(DayNumbers, asdict(rules.numbers(calls, spans, min(now, until)))),
        "states": [
            {"name": name, "reason": reason, "ms": spent} for (name, reason), spent in rules.time_in(spans).items()
        ],
        "log": [_span_view(span, rows, now) for span in spans],
        "formulas": dict(rules.FORMULAS),
    }


def _span_view(span: Span, rows: list[AgentStateRow], now: datetime) -> StateSpanView:
    row = rows[span.index]
    by = {"kind": row.by_kind, "name": row.by_name} if row.by_kind is not None else None
    return {
        "name": span.name,
        "reason": span.reason,
        "since": stamp(row.at),
        "until": None if span.until >= now else stamp(span.until),
        "by": by,
        "because": row.because,
    }


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError) as error:
        raise Problem(
            422, "unknown_zone", "there is no such time zone", remedy="Write it like Asia/Shanghai."
        ) from error


def _midnights(on: date, where: ZoneInfo) -> tuple[datetime, datetime]:
    """The first moment of the day and of the next one, which may be 23 or 25 hours later."""
    if not 1900 <= on.year < 2200:
        raise Problem(422, "unknown_date", "there is no record of that year")
    first = datetime.combine(on, time(), where)
    return first.astimezone(UTC), datetime.combine(on + timedelta(days=1), time(), where).astimezone(UTC)
