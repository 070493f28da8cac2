"""A contact as it is read back says in which queues the caller waited, for how long, and how each wait ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import get_type_hints

from cti_server.api.crm.interactions import visit_view
from cti_server.api.shapes import VisitView
from cti_server.record.contacts.history import Visit

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_a_wait_that_somebody_ended() -> None:
    view = visit_view(
        Visit(
            position=1,
            queue="support",
            joined_at=NOON,
            left_at=NOON + timedelta(seconds=8, milliseconds=250),
            how="answered",
            agent_id=7,
            agent_name="Alice",
            seat="PJSIP/1001",
            place=2,
        )
    )
    assert view == {
        "position": 1,
        "queue": "support",
        "joined_at": "2026-11-22T12:00:00.000Z",
        "left_at": "2026-11-22T12:00:08.250Z",
        "wait_ms": 8250,
        "how": "answered",
        "agent": {"id": 7, "name": "Alice"},
        "seat": "PJSIP/1001",
        "place": 2,
    }


def test_a_wait_that_goes_on() -> None:
    view = visit_view(Visit(position=0, queue="support", joined_at=NOON))
    assert (view["left_at"], view["wait_ms"], view["how"], view["agent"]) == (None, None, None, None)
    assert view.keys() == get_type_hints(VisitView).keys()
