"""Decoding and translating AMI against panoramisk, on the same recorded bytes in the same run."""

from __future__ import annotations

import asyncio
import gc
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from operator import attrgetter
from pathlib import Path
from typing import Any

from panoramisk import Manager
from panoramisk.ami_protocol import AMIProtocol

from cti_server.asterisk.link import Link
from cti_server.asterisk.session import Session
from cti_server.asterisk.translate import translate
from cti_server.demo.asterisk_root import DemoUnavailable
from cti_server.floor import signals
from cti_server.floor.signals import Signal
from cti_server.settings import PbxSettings
from cti_server.wire.ami import END, AmiDecoder, MissingHeader
from tests.transcripts.tap import Tap

from .figures import Figure, out, show
from .floorplan import ALL_EVENTS, BigPbx, Callers, phones, plan

EVENTS_ROLE, READ_ALL = "tests/transcripts, the events role", "a user with read=all"
GOALS = {EVENTS_ROLE: 5.0, READ_ALL: 8.0}  # our events/s : panoramisk's
EVENTS = 100_000
ROUNDS = 5
RECORDED = 40  # calls on the read=all tape
CHUNKS = (1448, 65536)  # bytes: one TCP segment, as events trickle in; a read of a backlog
TAPES = Path(__file__).parents[1] / "transcripts"
NOT_FOR_PANORAMISK = {
    "hostile-names"
}  # a caller's name that forges an Event line ends its read loop (AttributeError)
BANNER = b"Asterisk Call Manager/11.0.0\r\n"
#: by kind of signal, what reads all of its fields
READ_FIELDS = {
    kind: attrgetter(*(field.name for field in fields(kind)))
    for kind in vars(signals).values()
    if isinstance(kind, type) and issubclass(kind, Signal) and kind is not Signal
}

Feed = Callable[[Sequence[bytes]], int]


async def run() -> None:
    tapes = [tape.read_bytes() for tape in sorted(TAPES.glob("*.ami")) if tape.stem not in NOT_FOR_PANORAMISK]
    recorded = {EVENTS_ROLE: tapes}
    try:
        recorded[READ_ALL] = [await asyncio.to_thread(_record_all)]
    except DemoUnavailable as reason:
        out.print(f"no read=all tape: {reason}")
    for name, tapes in recorded.items():
        stream, events = _stream(tapes)
        title = (
            f"decode: {name}, {events:,} events, {len(stream) / 1e6:.0f} MB; best of {ROUNDS} interleaved rounds"
        )
        figures: list[Figure] = []
        for size in CHUNKS:
            chunks = [stream[at : at + size] for at in range(0, len(stream), size)]
            figures += _compare(chunks, size, GOALS[name])
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


def _compare(chunks: Sequence[bytes], size: int, goal: float) -> list[Figure]:
    sides: dict[str, Feed] = {
        "panoramisk": _panoramisk,
        "decode+translate": _ours,
        "decode": _decode_only,
        "split": _split_only,
        "session+link": _as_served,
    }
    best = dict.fromkeys(sides, float("inf"))
    counted: dict[str, int] = {}
    for _ in range(ROUNDS):
        for name, feed in sides.items():
            with _quiet():
                begun = time.process_time()  # what else the machine does meanwhile does not count
                counted[name] = feed(chunks)
                best[name] = min(best[name], time.process_time() - begun)
    assert len(set(counted.values())) == 1, f"not the same events: {counted}"
    rate = {name: f"{counted[name] / taken:,.0f} events/s" for name, taken in best.items()}
    ratio = best["panoramisk"] / best["decode+translate"]
    floor = best["split"] / best["decode+translate"]
    return [
        Figure(f"{size:>6}-byte chunks: panoramisk 1.4", rate["panoramisk"]),
        Figure("               a loop that only splits and counts", rate["split"]),
        Figure("               decode only", rate["decode"]),
        Figure("               decode + translate, every field read", rate["decode+translate"]),
        Figure("               the same bytes through our session and link", rate["session+link"]),
        Figure("               decode + translate : panoramisk", f"{ratio:.1f}x", f"{goal:g}x", ratio >= goal),
        Figure("               of decode + translate, splitting and counting is", f"{floor:.0%}"),
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
    """Each event to its signal, and every field of every signal read, so that nothing can be put off."""
    decoder, events, translated, values, unusable = AmiDecoder(), 0, 0, 0, 0
    for chunk in chunks:
        for message in decoder.feed(chunk):
            if message.event is not None:
                events += 1
                try:
                    signal = translate(message, 0.0)
                except (MissingHeader, ValueError):
                    unusable += 1
                    continue
                if signal is not None:
                    translated += 1
                    values += len(READ_FIELDS[type(signal)](signal))
    assert not unusable, f"{unusable} events could not be translated"
    assert values > translated > 0, "no field of a signal was read"
    return events


def _split_only(chunks: Sequence[bytes]) -> int:
    """What no decoder in Python goes below: cut the messages apart and count those that are events."""
    rest, events = b"", 0
    for chunk in (chunks[0].removeprefix(BANNER), *chunks[1:]):
        *blocks, rest = (rest + chunk).split(END)
        for block in blocks:
            if block.startswith(b"Event: "):
                events += 1
    return events


def _decode_only(chunks: Sequence[bytes]) -> int:
    decoder = AmiDecoder()
    return sum(message.event is not None for chunk in chunks for message in decoder.feed(chunk))


def _as_served(chunks: Sequence[bytes]) -> int:
    """All that the server does with the bytes before its inbox, answers to actions looked for and the rest."""
    taken: list[Signal] = []
    link = Link(PbxSettings(), taken.append)
    session = Session(link._on_event)
    for chunk in chunks:
        session.data_received(chunk)
    assert taken, "no signal came"
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
