"""Whom the walk plays: callers, phones on desks, whoever is called outside; and what was asked at the desks."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx

from cti_server.demo.calls import dial, place_call
from cti_server.demo.sipp_process import Sipp

from .picture import TRUNK, Channel, Picture
from .site import Person, Site

STAY_S = 600.0  # a caller hangs up when the walk says so, not by themselves


@dataclass
class Request:
    """What an agent asked for at the desk. `leg` is the channel of their phone at that moment."""

    number: str
    person: str
    what: str
    verb: str
    call: str
    leg: str | None
    step: int
    at: float = field(default_factory=time.monotonic)


@dataclass
class Around:
    """`callers` are from outside, by their number; `dialled` are calls begun at a phone's own keys."""

    site: Site
    callers: dict[str, Sipp] = field(default_factory=dict)
    dialled: list[Sipp] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    desk_hangups: list[tuple[float, str]] = field(default_factory=list)
    hung_up: set[str] = field(default_factory=set)
    """The callers who hung up because the walk said so."""
    picture: Picture = field(default_factory=Picture)
    serving: bool = True
    step: int = 0
    _counter: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    # --- who is there ----------------------------------------------------------------------------------

    def living(self) -> list[str]:
        """The numbers of callers who have not hung up."""
        return [number for number, sipp in self.callers.items() if sipp.running]

    def at(self, person: Person, *, up: bool) -> list[Channel]:
        """The channels of a phone that are up, or that ring."""
        return [one for one in self.picture.at(person.seat) if (one.up if up else one.state == "Ringing")]

    def outside(self, *, up: bool) -> list[Channel]:
        """The same of numbers outside that were called."""
        far = [one for one in self.picture.at(TRUNK) if one.number not in self.numbers]
        return [one for one in far if (one.up if up else one.state in ("Ringing", "Down"))]

    def views(self, state: str) -> list[dict[str, Any]]:
        """The calls in this state, as the supervisor's screen has them."""
        floor = self.site.susan.held.topics.get("floor") or {"calls": {}}
        return [call for call in floor["calls"].values() if call["state"] == state]

    # --- callers and phones ----------------------------------------------------------------------------

    async def call(self, line: str) -> str:
        number = f"0216{next(self._counter):07d}"
        self.numbers.append(number)
        self.callers[number] = await asyncio.to_thread(place_call, self.site.pbx, number, line, stay_s=STAY_S)
        return number

    def hang_up(self, number: str) -> None:
        self.hung_up.add(number)
        self.callers[number].hang_up()

    async def dial(self, extension: str, number: str) -> str:
        self.dialled.append(await asyncio.to_thread(dial, self.site.pbx, extension, number, STAY_S))
        return ""

    async def everybody_hangs_up(self) -> None:
        """No channel is left, and no SIPp that the walk began for one call."""
        for sipp in (*self.callers.values(), *self.dialled):
            if sipp.running:
                with suppress(OSError):
                    sipp.hang_up()
        await asyncio.sleep(0.2)
        await asyncio.to_thread(self.site.pbx.cli, "channel request hangup all")
        gone = [*self.callers.values(), *self.dialled]
        self.callers.clear()
        self.dialled.clear()
        await asyncio.gather(*(asyncio.to_thread(sipp.close) for sipp in gone))

    async def let_go(self) -> None:
        """Reap the callers who have hung up."""
        for number in [number for number, sipp in self.callers.items() if not sipp.running]:
            await asyncio.to_thread(self.callers.pop(number).close)
        for sipp in [sipp for sipp in self.dialled if not sipp.running]:
            self.dialled.remove(sipp)
            await asyncio.to_thread(sipp.close)

    # --- at the desk -----------------------------------------------------------------------------------

    async def ask(self, person: Person, path: str, body: Any, what: str, leg: str | None = None) -> str:
        """A command; returns what was answered at once. What becomes of it is looked at when it is quiet."""
        verb, call = path.rsplit("/", 1)[-1], path.split("/")[3] if path.count("/") > 3 else ""
        try:
            answer = await person.desktop.api.post(path, json=body)
        except httpx.HTTPError as error:
            return f"no answer: {error!r}"
        if answer.status_code == 202:
            request = Request(answer.json()["request"], person.login, what, verb, call, leg, self.step)
            self.requests.append(request)
            if verb in ("hangup", "drop") and leg is not None:
                self.desk_hangups.append((time.time(), body.get("leg", leg)))
            return "accepted"
        if answer.is_success:
            return "done"
        code = answer.json().get("code", "?")
        name = f"{verb} {answer.status_code} {code}"
        self.refused[name] = self.refused.get(name, 0) + 1
        if answer.status_code >= 500 and code not in ("pbx_unreachable",):
            self.broken.append(f"{what}: {answer.status_code} {answer.text[:300]}")
        return f"refused: {code}: {answer.json().get('detail', '')}"
