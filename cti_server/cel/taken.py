"""The values of a log → its rows; and what shows that the settings do not fit them."""

from __future__ import annotations

from collections.abc import Sequence

from cti_server.wire.cel import BadRow, Row, Values, read
from cti_server.wire.cel_times import BadTime, off_by

from .look import CelUnreadable, Look

BAD_TRIES = 20  # rows that cannot be read, before any that can: the columns are others
CHECKED = 50  # of the channels that began last, by which the zone is checked


class Taken:
    """Take batches in order: it knows the time of the row before."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._last: float | None = None
        self._bad = 0
        self._began: list[tuple[str, float]] = []

    def rows(self, batch: Sequence[Values]) -> list[Row]:
        """The rows of a batch that can be read. Raises CelUnreadable."""
        found = []
        for values in batch:
            try:
                row = read(values, self._look.times, self._last)
            except BadTime as cause:
                raise CelUnreadable(f"{self._look.place}: {cause}") from None
            except BadRow as cause:
                self._bad += 1
                if self._bad >= BAD_TRIES and self._last is None:
                    raise CelUnreadable(f"{self._look.place}: {cause}") from None
                continue
            self._last = row.at
            if row.kind == "CHAN_START":
                self._began.append((row.leg, row.at))
            found.append(row)
        self._check_zone()
        return found

    def _check_zone(self) -> None:
        if (off := off_by(self._began)) is not None:
            how = f"{abs(off) / 3600:g} hours too {'late' if off > 0 else 'early'}"
            raise CelUnreadable(
                f"{self._look.place}: its times are {how}, as the channels' own ids show. Set CTI_CEL_ZONE to the "
                "zone in which Asterisk writes them; UTC where usegmtime = yes"
            )
        del self._began[:-CHECKED]
