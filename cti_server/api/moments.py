"""Times as clients send them: with a date, a time and a zone, in years that every time zone can show."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import AfterValidator, AwareDatetime, BeforeValidator

# Near the first and last year of the calendar, a time cannot be moved to another time zone.
EARLIEST: Final = datetime(1900, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)


def _written(value: object) -> object:
    """Refuse numbers, which pydantic takes as seconds since 1970: a client that sends one has made a mistake."""
    if not isinstance(value, str) or "T" not in value.upper():
        raise ValueError("not a time such as 2026-11-22T05:00:00Z")
    return value


def clamped(at: datetime) -> datetime:
    """The time itself, or the nearest one between `EARLIEST` and `LATEST`."""
    return max(EARLIEST, min(LATEST, at))


Moment = Annotated[AwareDatetime, BeforeValidator(_written)]
ClampedMoment = Annotated[Moment, AfterValidator(clamped)]
