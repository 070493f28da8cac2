"""Decoding and translating AMI against panoramisk, on the same recorded bytes in the same run."""

from __future__ import annotations

import asyncio
import gc
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from panoramisk import Manager
from panoramisk.ami_protocol import AMIProtocol

from cti_server.asterisk.link import Link
from cti_server.asterisk.session import Session
from cti_server.asterisk.translate import translate
from cti_server.demo.asterisk_root import DemoUnavailable
from cti_server.floor.signals import Signal
from cti_server.settings import PbxSettings
from cti_server.wire.ami import END, AmiDecoder, MissingHeader
from tests.transcripts.tap import Tap

from .figures import Figure, out, show
from .floorplan import ALL_EVENTS, BigPbx, Callers, phones, plan

GOAL = 3.0
EVENTS = 100_000
ROUNDS = 5
RECORDED = 40  # calls on the read=all tape
CHUNKS = (1448, 65536)  # bytes: one TCP segment, as events trickle in; a read of a backlog
TAPES = Path(__file__).parents[1] / "transcripts"
NOT_FOR_PANORAMISK = {
    "hostile-names"
}  # a caller's name that forges an Event line ends its read loop (AttributeError)
BANNER = b"Asterisk Call Manager/11.0.0\r\n"

Feed = Callable[[Sequence[bytes]], int]


async def run() -> None:
    tapes = [tape.read_bytes() for tape in sorted(TAPES.glob("*.ami")) if tape.stem not in NOT_FOR_PANORAMISK]
    recorded = {"tests/transcripts, the events role": tapes}
    try:
        recorded["a user with read=all"] = [await asyncio.to_thread(_record_all)]
    except DemoUnavailable as reason:
        out.print(f"no read=all tape: {reason}")
    for name, tapes in recorded.items():
        stream, events = _stream(tapes)
        title = (
            f"decode: {name}, {events:,} events, {len(stream) / 1e6:.0f} MB; best of {ROUNDS} interleaved rounds"
        )
        figures: list[Figure] = []
        for size in CHUNKS:
            figures += _compare([stream[at : at + size] for at in range(0, len(stream), size)], size)
            await asyncio.sleep(0)
        show(title, figures)


def _record_all() -> bytes:
    """What a user who may read everything is sent while a real Asterisk takes calls; half of it is VarSet."""
    with BigPbx("bench", "127.0.0.1:9") as pbx, phones(pbx):
        with Tap(pbx.config.ami_port, ALL_EVENTS, pbx.config.secrets["cti-events"]) as tape:
            callers = Callers(pbx, plan(), rate=10, calls=RECORDED)
            try:
                while callers.running:
                    time.sleep(0.1)
            finally:
                callers.close()
        return bytes(tape.raw)


def _stream(tapes: Sequence[bytes]) -> tuple[bytes, int]:
    """The tapes one after the other, again and again, as one session of EVENTS events; how many it has.

    A tape of a PBX that was killed ends in mid-message; that rest is left out.
    """
    whole = b"".join(tape[: tape.rfind(END) + len(END)].partition(b"\r\n")[2] for tape in tapes)
    once = whole.count(b"\r\nEvent: ") + whole.startswith(b"Event: ")
    times = -(-EVENTS // once)
    return BANNER + whole * times, once * times


def _compare(chunks: Sequence[bytes], size: int) -> list[Figure]:
    sides: dict[str, Feed] = {
        "panoramisk": _panoramisk,
        "decode+translate": _ours,
        "decode": _decode_only,
        "session+link": _as_served,
    }
    best = dict.fromkeys(sides, float("inf"))
    seen: dict[str, int] = {}
    for _ in range(ROUNDS):
        for name, feed in sides.items():
            with _quiet():
                begun = time.perf_counter()
                seen[name] = feed(chunks)
                best[name] = min(best[name], time.perf_counter() - begun)
    assert len(set(seen.values())) == 1, f"not the same events: {seen}"
    rate = {name: seen[name] / taken for name, taken in best.items()}
    ratio = rate["decode+translate"] / rate["panoramisk"]
    return [
        Figure(f"{size:>6}-byte chunks: panoramisk 1.4", f"{rate['panoramisk']:,.0f} events/s"),
        Figure("               decode only", f"{rate['decode']:,.0f} events/s"),
        Figure("               decode + translate", f"{rate['decode+translate']:,.0f} events/s"),
        Figure("               the same in our session and link", f"{rate['session+link']:,.0f} events/s"),
        Figure("               decode + translate : panoramisk", f"{ratio:.1f}x", f"{GOAL:g}x", ratio >= GOAL),
    ]


@contextmanager
def _quiet() -> Iterator[None]:
    """The garbage of the other side is not collected on this one's time."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _ours(chunks: Sequence[bytes]) -> int:
    decoder, events, unusable = AmiDecoder(), 0, 0
    for chunk in chunks:
        for message in decoder.feed(chunk):
            if message.event is not None:
                events += 1
                try:
                    translate(message, 0.0)
                except (MissingHeader, ValueError):
                    unusable += 1
    assert not unusable, f"{unusable} events could not be translated"
    return events


def _decode_only(chunks: Sequence[bytes]) -> int:
    decoder = AmiDecoder()
    return sum(message.event is not None for chunk in chunks for message in decoder.feed(chunk))


def _as_served(chunks: Sequence[bytes]) -> int:
    """All that the server does with the bytes before its inbox, answers to actions looked for and the rest."""
    signals: list[Signal] = []
    link = Link(PbxSettings(), signals.append)
    session = Session(link._on_event)
    for chunk in chunks:
        session.data_received(chunk)
    assert signals, "no signal came"
    return link.events


def _panoramisk(chunks: Sequence[bytes]) -> int:
    """Its own protocol and its own Manager's dispatch to one callback for every event."""
    events = 0

    def count(manager: Manager, message: Any) -> None:
        nonlocal events
        events += 1

    logging.getLogger("panoramisk").setLevel(logging.ERROR)
    manager = Manager(loop=asyncio.get_running_loop())
    manager.register_event("*", count)
    protocol = AMIProtocol()
    protocol.connection_made(None)
    protocol.factory = manager
    protocol.encoding = "utf8"
    for chunk in chunks:
        protocol.data_received(chunk)
    return events
