"""The gate: it counts the listener's connections, decides who is let in, and finds those whose time is over.

At a limit the one that has waited longest without a request gives way to the new one, so that connections which
ask for nothing cannot keep out those that do. The new one is refused only where nobody has waited `GIVES_WAY_S`.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Protocol

import structlog

from .limits import Limits

GIVES_WAY_S = 0.25  # a browser sends its request within the way there and back
SWEEP_S = 1.0
LOG_EVERY_S = 60.0
REMEDIES = {
    "too_many": "raise CTI_HTTP_CONNECTIONS, and LimitNOFILE= where there are too few descriptors",
    "too_many_of_address": "raise CTI_HTTP_PER_ADDRESS; if it is a proxy's address, name it in CTI_HTTP_PROXIES",
    "headers_too_slow": "raise CTI_HTTP_HEADERS_S if the peer means well",
    "body_too_slow": "raise CTI_HTTP_BODY_S if the peer means well",
}

log = structlog.get_logger(__name__)


class Peer(Protocol):
    """A connection as the gate needs it."""

    @property
    def address(self) -> str | None:
        """The peer's address, None where it has none."""
        ...

    def look(self, now: float) -> None:
        """End the connection if it has taken longer than it may. `now` is the loop's time."""
        ...

    def give_way(self) -> None:
        """End the connection, which waits for a request, because another one needs its place."""
        ...

    def drop_body(self) -> None:
        """End the request whose body is not complete, because all of them together are too large."""
        ...


class Gate:
    """All connections of one listener. Run `run` beside it. `closed` counts those that were ended, by cause."""

    def __init__(self, limits: Limits, clock: Callable[[], float]) -> None:
        """`clock` gives seconds that never go back: the loop's `time`."""
        self.limits = limits
        self.closed: Counter[str] = Counter()
        self.ending = 0  # refused ones that wait for their peer to read why
        self._clock = clock
        self._open: dict[Peer, str | None] = {}  # and the site that each counts for
        self._at: Counter[str] = Counter()
        self._waiting: dict[Peer, float] = {}  # since when, the longest first
        self._waiting_at: dict[str, dict[Peer, None]] = {}
        self._held: dict[Peer, int] = {}  # bytes of bodies that are not complete, the oldest first
        self._all_held = 0
        self._logged: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._open)

    @property
    def full(self) -> bool:
        """Whether the next connection is refused, or takes another one's place."""
        return len(self._open) >= self.limits.connections

    # --- in and out ------------------------------------------------------------------------------------

    def admit(self, peer: Peer) -> str | None:
        """Let a new connection in, or say why not."""
        site = self.limits.site_of(peer.address)
        cause = None
        if site is not None and self._at[site] >= self.limits.per_address:
            cause = "too_many_of_address" if not self._made_way(self._waiting_at.get(site, {})) else None
        if cause is None and self.full:
            cause = "too_many" if not self._made_way(self._waiting) else None
        if cause is not None:
            self.note(cause, peer.address)
            return cause
        self._open[peer] = site
        if site is not None:
            self._at[site] += 1
        self.waits(peer)
        return None

    def _made_way(self, waiting: dict[Peer, float] | dict[Peer, None]) -> bool:
        longest = next(iter(waiting), None)
        if longest is None or self._clock() - self._waiting[longest] < GIVES_WAY_S:
            return False
        self.note("gave_way", longest.address)
        self.leave(longest)
        longest.give_way()
        return True

    def leave(self, peer: Peer) -> None:
        """The connection is gone, or is about to be. A second time does nothing."""
        self.works(peer)
        self.holds(peer, 0)
        site = self._open.pop(peer, None)
        if site is not None:
            self._at[site] -= 1
            if not self._at[site]:
                del self._at[site]

    def hand_over(self, before: Peer, after: Peer) -> None:
        """The same connection is another object from now on: it has become a websocket, whose first message it
        waits for."""
        since, site = self._waiting.get(before), self._open.get(before)
        is_open = before in self._open
        if is_open and site is not None:
            self._at[site] += 1
        self.leave(before)
        if is_open:
            self._open[after] = site
            self.waits(after, since)

    # --- what they do ----------------------------------------------------------------------------------

    def waits(self, peer: Peer, since: float | None = None) -> None:
        """It has asked for nothing yet, or has its answer."""
        if peer not in self._open or peer in self._waiting:
            return
        self._waiting[peer] = self._clock() if since is None else since
        if (site := self._open[peer]) is not None:
            self._waiting_at.setdefault(site, {})[peer] = None

    def works(self, peer: Peer) -> None:
        """It has asked for something."""
        if self._waiting.pop(peer, None) is not None and (site := self._open.get(peer)) is not None:
            at = self._waiting_at[site]
            del at[peer]
            if not at:
                del self._waiting_at[site]

    def holds(self, peer: Peer, size: int) -> None:
        """So many bytes of a body that is not complete are kept for it; 0: none. Where all of them together are
        too large, the oldest are dropped."""
        self._all_held += size - self._held.get(peer, 0)
        if size:
            self._held[peer] = size
        else:
            self._held.pop(peer, None)
        while self._all_held > self.limits.held:
            oldest = next(iter(self._held))
            self._all_held -= self._held.pop(oldest)
            self.note("bodies_too_large", oldest.address)
            oldest.drop_body()

    def note(self, cause: str, address: str | None) -> None:
        """Count a connection that is ended, and log one a minute of each cause."""
        self.closed[cause] += 1
        now = self._clock()
        if now - self._logged.get(cause, -LOG_EVERY_S) >= LOG_EVERY_S:
            self._logged[cause] = now
            log.warning(
                "http.closed",
                cause=cause,
                peer=address,
                so_far=self.closed[cause],
                open=len(self._open),
                **({"remedy": REMEDIES[cause]} if cause in REMEDIES else {}),
            )

    # --- time ------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """End connections whose time is over, until cancelled. One look at all of them costs less than two timers
        for each request."""
        limits = self.limits
        pause = min(SWEEP_S, limits.headers_s / 4, limits.body_s / 4, limits.stalled_s / 4)
        while True:
            await asyncio.sleep(pause)
            now = self._clock()
            for peer in list(self._open):
                try:
                    peer.look(now)
                except Exception:  # one connection that cannot be ended must not lift the limits of all others
                    log.exception("http.not_ended", peer=peer.address)
                    self.leave(peer)
