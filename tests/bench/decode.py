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

from cti_server.asterisk.translate import translate
from cti_server.wire.ami import AmiDecoder, MissingHeader

from .figures import Figure, show

GOAL = 3.0
EVENTS = 100_000
ROUNDS = 5
CHUNKS = (1448, 65536)  # bytes: one TCP segment, as events trickle in; a read of a backlog
TAPES = Path(__file__).parents[1] / "transcripts"
BANNER = b"Asterisk Call Manager/11.0.0\r\n"

Feed = Callable[[Sequence[bytes]], int]


async def run(tape: Path | None = None) -> None:
    """`tape`: another recording, for example of a user with `read = all`."""
    recorded = {"all events (read=all)": [tape.read_bytes()]} if tape is not None else _tapes()
    for name, tapes in recorded.items():
        stream, events = _stream(tapes)
        title = f"decode: {name}, {events:,} events, {len(stream) / 1e6:.0f} MB; best of {ROUNDS} interleaved rounds"
        figures: list[Figure] = []
        for size in CHUNKS:
            figures += _compare([stream[at : at + size] for at in range(0, len(stream), size)], size)
            await asyncio.sleep(0)
        show(title, figures)


def _tapes() -> dict[str, list[bytes]]:
    return {"tests/transcripts (the events role)": [file.read_bytes() for file in sorted(TAPES.glob("*.ami"))]}


def _stream(tapes: Sequence[bytes]) -> tuple[bytes, int]:
    """The tapes one after the other, again and again, as one session of EVENTS events; how many it has."""
    whole = b"".join(tape.partition(b"\r\n")[2] for tape in tapes)
    once = whole.count(b"\r\nEvent: ") + whole.startswith(b"Event: ")
    times = -(-EVENTS // once)
    return BANNER + whole * times, once * times


def _compare(chunks: Sequence[bytes], size: int) -> list[Figure]:
    sides: dict[str, Feed] = {"panoramisk": _panoramisk, "decode+translate": _ours, "decode": _decode_only}
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
        Figure("               ratio", f"{ratio:.1f}x", f"{GOAL:g}x", ratio >= GOAL),
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
    """As Session.data_received and Link._on_event do it."""
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
