"""The attachment to one PBX: connect, log in, wait until it is booted, take a snapshot, be live; again when lost.

    connecting ──login, FullyBooted, snapshot──▶ live ──connection lost, silence──▶ stale ──▶ connecting …
         └── user or secret refused ──▶ refused ──REFUSED_AGAIN_S──▶ the login is tried again

The read loop only parses and hands on: whatever Asterisk cannot send grows inside Asterisk. Events that come
while the snapshot is being taken are held and follow it, so nothing between the two is lost.
"""

from __future__ import annotations

import asyncio
import random
import ssl
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import structlog

from cti_server.floor.signals import LinkChanged, LinkState, MemberChanged, Signal
from cti_server.settings import PbxSettings
from cti_server.wire.ami import Message, MissingHeader

from . import snapshot
from .actions import Ping
from .channels import Channels
from .session import REFUSED_AGAIN_S, ActionFailed, LinkLost, ListBroken, Refused, Session
from .translate import translate

PING_EVERY_S = 2.0
SILENCE_S = 5.5  # without a byte, pings notwithstanding: the connection is dead, whatever TCP thinks
BOOT_S = 120.0  # how long a starting Asterisk may take to say FullyBooted
MAX_BACKOFF_S = 5.0
CLOCKS_AGREE_S = 0.5  # below it a difference is the way of the ping, and nobody sees it on a timer
HINT_S = 3.0  # an answer to Getvar takes milliseconds
MAX_HELD = 100_000  # events held while a snapshot is taken; past it the link starts over

log = structlog.get_logger()

Sink = Callable[[Signal], None]
S = TypeVar("S", bound=Signal)


class SinkFull(RuntimeError):
    """The one who takes the signals cannot keep up; the link starts over with a fresh snapshot."""


class Link:
    """One PBX, attached for as long as `run` runs, which is until its task is cancelled.

    `sink` takes each signal, in order, and raises SinkFull rather than block. `parked` asks who is parked where,
    which the account for events may not. `warnings` counts, by cause, messages that could not be used.
    """

    def __init__(
        self,
        pbx: PbxSettings,
        sink: Sink,
        snapshot_every_s: float = 30.0,
        parked: snapshot.Parked = snapshot.nobody_asked,
    ) -> None:
        self.pbx = pbx
        self.state = LinkState.CONNECTING
        self.detail: str | None = None
        self.warnings: Counter[str] = Counter()
        self.events = 0
        self._sink = sink
        self._snapshot_every_s = snapshot_every_s
        self._parked = parked
        self._held: list[Signal] | None = None  # while a snapshot is taken, or a member's phone is being asked for
        self._holds = 0
        self._asking: set[asyncio.Task[None]] = set()
        self._booted = asyncio.Event()
        self.channels = Channels()
        self._hints = snapshot.Hints()
        self.behind_s = 0.0  # the PBX's clock, behind ours
        self.up_since: float | None = None  # when this Asterisk started, by our clock
        self.lost_at: float | None = None  # when a link that was live was lost last
        self._overrun = False
        self._session: Session | None = None
        self._log = log.bind(pbx=pbx.name)

    async def run(self) -> None:
        """Attach, and attach again whenever the link is lost or the login refused, until cancelled."""
        failures = 0
        while True:
            self._tell(LinkState.CONNECTING if failures == 0 else self.state, self.detail)
            try:
                await self._attached(tls_context(self.pbx))
            except Refused as refused:
                failures = 1
                remedy = refused.remedy(f"CTI_AMI_EVENTS_SECRET of {self.pbx.name}")
                self._log.error("link.refused", reason=str(refused), remedy=remedy, again_in_s=REFUSED_AGAIN_S)
                self._tell(LinkState.REFUSED, f"{refused}; the login is tried again every {REFUSED_AGAIN_S:g} s")
                await asyncio.sleep(REFUSED_AGAIN_S)
                continue
            except (OSError, TimeoutError, LookupError, ValueError, ListBroken, ActionFailed, SinkFull) as lost:
                failures = 0 if self.state is LinkState.LIVE else failures + 1
                self.lost_at = time.time() if self.state is LinkState.LIVE else self.lost_at
                why = f"{self.pbx.host}:{self.pbx.port}: {lost or type(lost).__name__}"
                self._log.warning("link.lost", reason=why)
                self._tell(LinkState.STALE, why)
            longest = min(MAX_BACKOFF_S, 0.5 * 2 ** min(failures, 10))
            await asyncio.sleep(random.uniform(0.1, longest))  # noqa: S311 - spreads reconnects, hides nothing

    # --- one attachment --------------------------------------------------------------------------------

    async def _attached(self, tls: ssl.SSLContext | None) -> None:
        self._held, self._holds, self._overrun = [], 1, False
        self._booted.clear()
        self.channels.begin()
        session = await Session.open(
            self.pbx.host,
            self.pbx.port,
            self.pbx.events,
            tls=tls,
            on_event=self._on_event,
            encodings=self.pbx.encodings,
        )
        self._session = session
        try:
            if self.state is LinkState.REFUSED:
                self._tell(LinkState.CONNECTING, None)
            async with asyncio.timeout(BOOT_S):
                await self._first(session, self._booted.wait())
            await self._first(session, self._compare_clocks(session))
            await self._first(session, self._synchronise(session, drift_check=False))
            self._tell(LinkState.LIVE, None)
            self._log.info("link.live", asterisk=self.pbx.host, port=self.pbx.port)
            await self._stay(session)
        finally:
            self._session = None
            for task in self._asking:
                task.cancel()
            session.close()

    async def _first(self, session: Session, step: object, silence_s: float | None = None) -> None:
        """Run one step, but not longer than the connection lives, nor once it was silent for `silence_s`. A
        step has limits of its own, but they begin with it, and so later than the silence."""
        task = asyncio.ensure_future(step)  # type: ignore[call-overload]
        loop = asyncio.get_running_loop()
        try:
            while not task.done():
                left = None if silence_s is None else session.heard_at + silence_s - loop.time()
                if left is not None and left <= 0:
                    raise LinkLost(f"nothing heard for {silence_s:g} s")
                await asyncio.wait({task, session.closed}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
                if session.closed.done() and not task.done():
                    raise LinkLost("Asterisk closed the connection")
            await task
        finally:
            task.cancel()

    async def _compare_clocks(self, session: Session) -> None:
        """How far the PBX's clock is behind ours. Once an attachment, so that no duration spans a correction."""
        asked = time.time()
        pong = (await session.ask(Ping())).response.get("Timestamp")
        behind = (asked + time.time()) / 2 - float(pong) if pong is not None else 0.0
        self.behind_s = behind if abs(behind) > CLOCKS_AGREE_S else 0.0
        if self.behind_s:
            self._log.warning("clock.differs", pbx_behind_s=round(behind, 1), remedy="run NTP on both machines")

    async def _synchronise(self, session: Session, *, drift_check: bool) -> None:
        earlier = None
        if drift_check:
            earlier = self._by_our_clock(await snapshot.take(session, self._hints, self._parked))
            await asyncio.sleep(snapshot.DRIFT_GAP_S)
            # Held, and applied after the lists: a hangup that came while they did would be undone by its own row.
            self._hold()
        taken = self._by_our_clock(await snapshot.take(session, self._hints, self._parked))
        if earlier is not None:
            taken = snapshot.compared(earlier, taken)
        if not taken.whole:
            self.warnings["snapshot rows left out"] += 1
        self.channels.note(taken)
        self._sink(taken)
        self._release()

    def _hold(self) -> None:
        """Keep what comes in, in order, until as many `_release` follow."""
        self._holds += 1
        if self._held is None:
            self._held = []

    def _release(self) -> None:
        self._holds -= 1
        if self._holds > 0:
            return
        held, self._held = self._held, None
        for signal in held or ():
            self._sink(self._hints.seated(signal) if isinstance(signal, MemberChanged) else signal)

    async def _ask_hint(self, session: Session, member: MemberChanged) -> None:
        """Find out the phone behind the hint of a member who has just joined. What follows waits for it: a call
        may ring that phone at once, and would be a stranger's."""
        try:
            async with asyncio.timeout(HINT_S):
                await self._hints.ask(session, [member])
        except (OSError, TimeoutError, LookupError, ValueError, ListBroken, ActionFailed) as cause:
            self._log.warning("hint.unknown", hint=member.seat, cause=str(cause) or type(cause).__name__)
        if session is not self._session:
            return  # the attachment has begun anew, and holds for itself
        try:
            self._release()
        except SinkFull:
            self._overrun = True

    async def _stay(self, session: Session) -> None:
        """Keep alive and check for drift until the connection is lost."""
        loop = asyncio.get_running_loop()
        next_snapshot = loop.time() + self._snapshot_every_s
        while not session.closed.done():
            await asyncio.wait({session.closed}, timeout=PING_EVERY_S)
            if session.closed.done():
                break
            if self._overrun:
                raise SinkFull("signals came faster than they could be applied; starting over")
            if loop.time() >= next_snapshot:
                next_snapshot = loop.time() + self._snapshot_every_s
                await self._first(session, self._synchronise(session, drift_check=True), SILENCE_S)
            else:
                await self._first(session, session.ask(Ping(), SILENCE_S), SILENCE_S)
        raise LinkLost("Asterisk closed the connection")

    # --- what comes in ---------------------------------------------------------------------------------

    def _on_event(self, message: Message) -> None:
        self.events += 1
        if message.event == "FullyBooted":
            uptime = message.get("Uptime") or ""
            self.up_since = time.time() - int(uptime) if uptime.isdecimal() else None
            self._booted.set()
            return
        try:
            signal = translate(message, time.time())
        except (MissingHeader, ValueError) as cause:
            # A fixed vocabulary: what a caller can put into a header must not become a name of ours.
            kind = str(cause) if isinstance(cause, MissingHeader) else f"{message.event} with an unreadable value"
            if not self.warnings[kind]:
                self._log.warning("event.unusable", amievent=message.event, cause=str(cause))
            self.warnings[kind] += 1
            return
        if message.malformed:
            self.warnings["line without a colon"] += message.malformed
        if signal is None:
            return
        self.channels.note(signal)
        if self._overrun:
            return
        if isinstance(signal, MemberChanged):
            signal = self._hints.seated(signal)
            if self._hints.lacks(signal) and self._session is not None and self.state is LinkState.LIVE:
                self._hold()
                task = asyncio.create_task(self._ask_hint(self._session, signal))
                self._asking.add(task)
                task.add_done_callback(self._asking.discard)
        if self._held is not None:
            self._held.append(self._by_our_clock(signal))
            self._overrun = len(self._held) > MAX_HELD
            return
        try:
            self._sink(self._by_our_clock(signal))
        except SinkFull:
            self._overrun = True  # the stay loop starts over; until then nothing half is handed on

    def _by_our_clock(self, signal: S) -> S:
        """Desktops count timers from server time, so a PBX whose clock is off must not shift them."""
        return replace(signal, at=signal.at + self.behind_s) if self.behind_s else signal

    def _tell(self, state: LinkState, detail: str | None) -> None:
        self.state, self.detail = state, detail
        self._sink(LinkChanged(time.time(), state, detail))


def tls_context(pbx: PbxSettings) -> ssl.SSLContext | None:
    """AMI over TLS: verified against `ca` where one is given, else against the system's authorities."""
    if not pbx.tls:
        return None
    context = ssl.create_default_context(cafile=str(pbx.ca) if pbx.ca is not None else None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
