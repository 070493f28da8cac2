"""Both sides of one quiet moment: what Asterisk says, and what the server answers to a supervisor."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from .picture import TRUNK, Channel, Picture
from .picture import take as take_picture
from .site import PBX, Site

View = dict[str, Any]
OPEN = frozenset({"ringing", "talking", "hold", "consulting"})
CONNECTED = frozenset({"talking", "hold", "consulting"})


@dataclass
class Seen:
    """`calls` are the live ones, `parts` by call. `customers` are the channels of callers from outside."""

    picture: Picture
    calls: dict[str, View]
    parts: dict[str, list[View]]
    queues: dict[str, View]
    members: dict[str, dict[str, View]]
    team: dict[int, View]
    customers: frozenset[str]
    seats: dict[int, str]
    """Where each agent of the walk sits."""

    def call_with(self, channel: str) -> View | None:
        """The call that has this channel among its people."""
        return next((c for c in self.calls.values() if any(p["leg"] == channel for p in c["people"])), None)

    def channels_of(self, call: View) -> list[Channel]:
        legs = [person["leg"] for person in call["people"]]
        return [self.picture.channels[leg] for leg in legs if leg in self.picture.channels]

    def open_parts(self) -> Iterator[tuple[View, View]]:
        for call in self.calls.values():
            for part in self.parts[call["call"]]:
                if part["state"] in OPEN:
                    yield call, part

    def is_seat(self, channel: Channel) -> bool:
        return channel.device in self.seats.values()

    def lines(self) -> Iterator[str]:
        """Both sides for people, a line each."""
        yield from (f"  asterisk  {line}" for line in self.picture.lines())
        for queue, callers in self.picture.waiting.items():
            if callers:
                each = ", ".join(f"{caller.place}. {caller.channel} {caller.wait_s} s" for caller in callers)
                yield f"  asterisk  queue {queue}: {each}"
        for call in self.calls.values():
            yield f"  floor     {_call(call)}"
            yield from (f"  floor       {_part(part)}" for part in self.parts[call["call"]])


def _call(call: View) -> str:
    names = [
        f"{one['role']} {one['name'] or one['number']} {one['state']} ({one['leg']})" for one in call["people"]
    ]
    where = f"park {call['park_space']} " if call["park_space"] is not None else ""
    what = f"{call['direction']} {call['state']} {where}queue {call['queue']} #{call['position']}"
    return f"{call['call']} {what}: {', '.join(names)}"


def _part(part: View) -> str:
    state = f"{part['origin']} {part['state']}/{part['standing']} {part['outcome'] or ''}"
    times = f"talk {part['talk_ms']} hold {part['hold_ms']}"
    return f"part {part['position']} {part['name']} {state} leg {part['leg']} {times}"


async def look(site: Site, numbers: Iterable[str]) -> Seen | None:
    """Both sides; None when Asterisk changed while they were taken. `numbers` are those of the callers."""
    before = await take_picture(site.asterisk)
    api = site.susan.api
    calls, queues, team = await asyncio.gather(
        *(_get(api, path) for path in ("/api/calls", "/api/queues", "/api/team"))
    )
    live = {call["call"]: call for call in calls["items"]}
    parts = dict(zip(live, await asyncio.gather(*(_parts(api, call) for call in live)), strict=True))
    names = [queue["queue"] for queue in queues]
    listed = await asyncio.gather(*(_get(api, f"/api/queues/{PBX}/{name}/members") for name in names))
    after = await take_picture(site.asterisk)
    if before.shape() != after.shape():
        return None
    known = frozenset(numbers)
    return Seen(
        after,
        live,
        parts,
        {queue["queue"]: queue for queue in queues},
        {
            name: {member["interface"]: member for member in members}
            for name, members in zip(names, listed, strict=True)
        },
        {member["agent"]: member for member in team},
        frozenset(c.id for c in after.channels.values() if c.number in known and c.device == TRUNK),
        {person.id: person.seat for person in site.people.values()},
    )


async def _get(api: Any, path: str) -> Any:
    return (await api.get(path)).raise_for_status().json()


async def _parts(api: Any, call: str) -> list[View]:
    answer = await api.get(f"/api/calls/{call}/parts")
    return answer.json() if answer.is_success else []  # it ended between two requests
