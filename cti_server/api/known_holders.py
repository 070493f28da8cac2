"""Sessions that this process has verified, for the time when the record cannot be asked.

Whoever was signed in goes on working while the record is away. Nobody new is let in, for that needs the record.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Final

from cti_server.record.center.sessions import Holder

MAX_KNOWN: Final = 20_000  # sessions; beyond it the one that was seen longest ago is forgotten
KEPT: Final = timedelta(hours=12)  # about a shift


class KnownHolders:
    """By the digest of the session's token."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[datetime, Holder]] = OrderedDict()

    def verified(self, token: str, holder: Holder | None, now: datetime) -> None:
        """The record has said whose session it is; None: nobody's any more."""
        self._known.pop(token, None)
        if holder is not None:
            self._known[token] = now, holder
            if len(self._known) > MAX_KNOWN:
                self._known.popitem(last=False)

    def ended(self, agent: int) -> None:
        """The sessions of this agent were ended: those that go on are verified anew."""
        for token in [token for token, (_, holder) in self._known.items() if holder.agent.id == agent]:
            del self._known[token]

    def of(self, token: str, now: datetime) -> Holder | None:
        """Whose session it was when the record was last asked, if that was not long ago."""
        at, holder = self._known.get(token, (None, None))
        return holder if at is not None and now - at < KEPT else None
