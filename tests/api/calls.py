"""Calls in the record of the API's tests, as the pipeline would have written them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from cti_server.record.contacts.interactions import InteractionRecord, SegmentRecord, save_calls
from cti_server.record.database import Database
from tests.lookup.seed import NOW


def segment(agent: int | None, position: int = 0, **fields: Any) -> SegmentRecord:
    """A part that an agent answered, and that is over."""
    given: dict[str, Any] = {
        "position": position,
        "origin": "offer",
        "agent_id": agent,
        "queue": "support",
        "offered_at": NOW - timedelta(minutes=10),
        "answered_at": NOW - timedelta(minutes=9),
        "ended_at": NOW - timedelta(minutes=5),
        "outcome": "answered",
        "talk_ms": 240_000,
    }
    return SegmentRecord(**given | fields)


def record(call: str, *segments: SegmentRecord, **fields: Any) -> InteractionRecord:
    pbx, boot, linkedid = call.split(":")
    given: dict[str, Any] = {
        "pbx": pbx,
        "boot": int(boot),
        "linkedid": linkedid,
        "ani_raw": "13800138000",
        "ani_e164": "+8613800138000",
        "queue": "support",
        "started_at": NOW - timedelta(minutes=10),
        "outcome": "answered",
        "complete": True,
        "segments": segments,
    }
    return InteractionRecord(**given | fields)


async def a_call(database: Database, call: str, agent: int, **fields: Any) -> int:
    """A call that this agent answered; answers its interaction."""
    async with database.begin() as conn:
        [number] = (await save_calls(conn, [record(call, segment(agent), **fields)])).values()
    return number
