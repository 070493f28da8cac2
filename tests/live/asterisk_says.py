"""What Asterisk itself says, by its command line: channels, who hears whom, queue members, parking, recordings."""

from __future__ import annotations

import asyncio
import re
import wave
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from cti_server.demo.pbx import DemoPbx
from tests.live.center import until

TRUNK = "PJSIP/cti-trunk"


@dataclass(frozen=True)
class Channel:
    """One line of `core show channels concise`. `device` is the channel without its serial number."""

    name: str
    exten: str
    state: str
    application: str
    data: str
    number: str
    bridge: str

    @property
    def device(self) -> str:
        return re.sub(r"(-[0-9a-f]{8})(;[12])?$", "", self.name)

    @property
    def local(self) -> str | None:
        """The pair that this half belongs to."""
        return self.name.rpartition(";")[0] if self.name.startswith("Local/") else None


class AsteriskSays:
    """Each question is asked anew; the answers are small and frozen."""

    def __init__(self, pbx: DemoPbx) -> None:
        self.pbx = pbx

    async def cli(self, command: str) -> str:
        return await asyncio.to_thread(self.pbx.cli, command)

    async def channels(self) -> list[Channel]:
        lines = (line.split("!") for line in (await self.cli("core show channels concise")).splitlines())
        return [Channel(f[0], f[2], f[4], f[5], f[6], f[7], f[12]) for f in lines if len(f) >= 14]

    async def devices(self, state: str | None = None) -> list[str]:
        """Phones and trunks that have a channel, in order; each as often as it has one."""
        found = await self.channels()
        return sorted(c.device for c in found if c.local is None and state in (None, c.state))

    async def together(self) -> list[list[str]]:
        """Who hears whom: the devices of each bridge, bridges joined by a Local pair counted as one."""
        found = await self.channels()
        groups = [{c.bridge} for c in found if c.bridge]
        halves = [c for c in found if c.local and c.bridge]
        groups += [{a.bridge, b.bridge} for a, b in combinations(halves, 2) if a.local == b.local]
        merged: list[set[str]] = []
        for group in groups:
            touching = [other for other in merged if other & group]
            merged = [other for other in merged if not other & group] + [group.union(*touching)]
        rooms = [sorted(c.device for c in found if c.bridge in ids and c.local is None) for ids in merged]
        return sorted(room for room in rooms if room)

    async def are_together(self, *rooms: Iterable[str]) -> None:
        """Waits until exactly these groups hear each other; somebody alone in a bridge is a group of one."""
        wanted = sorted(sorted(room) for room in rooms)
        seen: list[list[str]] = []

        async def so() -> bool:
            seen[:] = await self.together()
            return seen == wanted

        try:
            await until(so, "")
        except AssertionError:
            raise AssertionError(f"Asterisk says {seen} talk together, not {wanted}") from None

    async def has(self, *devices: str, state: str | None = None) -> None:
        """Waits until exactly these devices have a channel (in that state)."""
        wanted = sorted(devices)
        seen: list[str] = []

        async def so() -> bool:
            seen[:] = await self.devices(state)
            return seen == wanted

        try:
            await until(so, "")
        except AssertionError:
            raise AssertionError(f"Asterisk says {seen} are {state or 'there'}, not {wanted}") from None

    async def member(self, queue: str, seat: str) -> str:
        """The line of `queue show` for this member, "" without one."""
        lines = (await self.cli(f"queue show {queue}")).splitlines()
        return next((line.strip() for line in lines if seat in line and "has taken" in line), "")

    async def waiting(self, queue: str) -> list[str]:
        """The callers of a queue, first in line first, as their devices."""
        _, _, callers = (await self.cli(f"queue show {queue}")).partition("Callers:")
        return [re.sub(r"-[0-9a-f]{8}$", "", name) for name in re.findall(r"^\s+\d+\. (\S+)", callers, re.M)]

    async def member_is(self, queue: str, seat: str, *words: str, without: Iterable[str] = ()) -> None:
        """Waits until the member's line has these words, and not those."""
        line = ""

        async def so() -> bool:
            nonlocal line
            line = await self.member(queue, seat)
            return bool(line) and all(w in line for w in words) and not any(w in line for w in without)

        try:
            await until(so, "")
        except AssertionError:
            raise AssertionError(f"queue show {queue}: {line!r}, wanted {words}, without {without}") from None

    async def parked(self) -> list[str]:
        """Devices in parking spaces."""
        shown = await self.cli("parking show default")
        return sorted(
            re.sub(r"-[0-9a-f]{8}$", "", name) for name in re.findall(r"Channel\s*:\s*(PJSIP/\S+)", shown)
        )

    def recordings(self) -> list[Path]:
        """The files that MixMonitor wrote, oldest first."""
        found = (self.pbx.work / "spool" / "monitor").rglob("*.wav")
        return sorted(found, key=lambda file: file.stat().st_mtime)

    async def nobody(self) -> None:
        await self.has()


def loudness(file: Path, piece_s: float = 0.1) -> list[int]:
    """The loudest sample of each piece of a recording, 0 to 32767."""
    with wave.open(str(file)) as sound:
        assert sound.getsampwidth() == 2, "MixMonitor writes 16 bits a sample"
        rate, samples = sound.getframerate(), array("h", sound.readframes(sound.getnframes()))
    size = int(rate * piece_s)
    return [max(map(abs, samples[at : at + size])) for at in range(0, len(samples), size)]
