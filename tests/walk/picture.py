"""What Asterisk says of this moment: channels, who hears whom, queues with their callers and members, parking."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from .manager import Manager, Row, Told

#: channels on which nobody speaks: halves of Local pairs, and what plays announcements into a conference room
PLUMBING = ("Local/", "CBAnn/", "CBRec/", "Announcer/", "Recorder/", "Surrogate/", "Message/")

TRUNK = "PJSIP/cti-trunk"


def device_of(channel: str) -> str:
    """`PJSIP/1001` of `PJSIP/1001-0000002a`."""
    return re.sub(r"-[0-9a-f]{8}(;[12])?$", "", channel)


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel that somebody speaks on. `state` is Asterisk's word: Up, Ringing, Ring, Down …"""

    id: str
    name: str
    state: str
    linkedid: str
    bridge: str
    application: str
    number: str
    exten: str
    context: str

    @property
    def device(self) -> str:
        return device_of(self.name)

    @property
    def up(self) -> bool:
        return self.state == "Up"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who waits in a queue: the id of their channel, their place from 1, for how many seconds. `behind` are those
    who wait there through a Local pair, after a consultation with the queue or during one."""

    channel: str
    place: int
    wait_s: int
    behind: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Member:
    interface: str
    seat: str
    status: str
    paused: bool
    reason: str
    penalty: int


@dataclass
class Picture:
    """`rooms` maps a channel to all who are in one room with it; a channel that hears nobody is alone there."""

    channels: dict[str, Channel] = field(default_factory=dict)
    rooms: dict[str, frozenset[str]] = field(default_factory=dict)
    hearing: dict[str, frozenset[str]] = field(default_factory=dict)
    """As `rooms`, without those whose voice a Local pair does not carry, because it plays music instead."""
    music: frozenset[str] = frozenset()
    """The ids of channels that Asterisk plays music to; who hears it through a Local pair is `on_hold` too."""
    on_hold: frozenset[str] = frozenset()
    consulted: frozenset[str] = frozenset()
    """The linkedids in which an agent is in a bridge with a consultation that has not been answered."""
    conference: frozenset[str] = frozenset()
    local_bridges: frozenset[str] = frozenset()
    plumbing: frozenset[str] = frozenset()
    """The ids of channels on which nobody speaks."""
    waiting: dict[str, list[Caller]] = field(default_factory=dict)
    members: dict[str, dict[str, Member]] = field(default_factory=dict)
    parked: dict[str, str] = field(default_factory=dict)

    def heard(self, channel: str) -> frozenset[str]:
        """The other channels that hear this one."""
        return self.rooms.get(channel, frozenset()) - {channel}

    def speaks_with(self, channel: str) -> frozenset[str]:
        """Those of them who hear no music instead."""
        if channel in self.holding:
            return frozenset()
        return self.hearing.get(channel, frozenset()) - {channel} - self.music - self.holding

    @property
    def holding(self) -> frozenset[str]:
        """The agents who hold from the screen: Asterisk runs cti-hold on their channel, and they hear nobody."""
        waits = ("cti-hold", "WaitDigit")
        return frozenset(one.id for one in self.channels.values() if (one.context, one.application) == waits)

    def queue_of(self, channel: str) -> str | None:
        for queue, callers in self.waiting.items():
            if any(channel in (caller.channel, *caller.behind) for caller in callers):
                return queue
        return None

    def at(self, seat: str) -> list[Channel]:
        """The channels of the phone at this seat."""
        return [channel for channel in self.channels.values() if channel.device == seat]

    def shape(self) -> object:
        """What must not change while two sides are compared: all but times."""
        waiting = {q: [(c.channel, c.place) for c in callers] for q, callers in self.waiting.items()}
        return self.channels, self.rooms, self.conference, waiting, self.members, self.parked

    def lines(self) -> Iterator[str]:
        """For people, in a finding."""
        for channel in self.channels.values():
            where = ", ".join(sorted(self.channels[one].name for one in self.heard(channel.id)))
            words = [channel.state, f"{channel.application}({channel.context},{channel.exten})"]
            words += [f"hears {where}"] if where else ["in a bridge alone" if channel.bridge else "in no bridge"]
            words += [f"waits in {queue}"] if (queue := self.queue_of(channel.id)) else []
            words += [f"parked at {self.parked[channel.id]}"] if channel.id in self.parked else []
            yield f"{channel.name} {channel.id} (linkedid {channel.linkedid}): {', '.join(words)}"


def on_music(told: Iterable[Told]) -> set[str]:
    """The channels that hear music now, by what Asterisk told of music that starts and stops."""
    hears: set[str] = set()
    for one in told:
        if one.event == "MusicOnHoldStart":
            hears.add(one.uniqueid)
        elif one.event == "MusicOnHoldStop":
            hears.discard(one.uniqueid)
    return hears


async def take(asked: Manager) -> Picture:
    """The picture of now."""
    channels = await asked.rows("CoreShowChannels")
    bridges = {row["BridgeUniqueid"]: row for row in await asked.rows("BridgeList")}
    queues = await asked.rows("QueueStatus")
    parked = await asked.rows("ParkedCalls")
    people = {row["Uniqueid"]: _channel(row) for row in channels if not row["Channel"].startswith(PLUMBING)}
    found = Picture(people, music=frozenset(on_music(asked.told)))
    holding = {one for one, row in bridges.items() if row.get("BridgeTechnology") == "holding_bridge"}
    bridge_of = {
        row["Channel"]: row["BridgeId"] for row in channels if row.get("BridgeId") not in ("", None, *holding)
    }
    found.rooms = _rooms(people, bridge_rooms(bridge_of))
    music = {row["Channel"] for row in channels if row["Uniqueid"] in found.music}
    playing = {bridge for name, bridge in bridge_of.items() if twin(name) in music}
    found.on_hold = frozenset(one.id for one in people.values() if one.name in music or one.bridge in playing)
    found.hearing = _rooms(people, bridge_rooms(bridge_of, music))
    found.conference = frozenset(
        one.id for one in people.values() if bridges.get(one.bridge, {}).get("BridgeCreator") == "ConfBridge"
    )
    found.local_bridges = frozenset(row["BridgeId"] for row in channels if row["Channel"].startswith("Local/"))
    found.consulted = frozenset(
        row["Linkedid"]
        for row in channels
        if row["Channel"].startswith("Local/00@cti-consult-") and row["Channel"].endswith(";1") and row["BridgeId"]
    )
    found.plumbing = frozenset(row["Uniqueid"] for row in channels) - set(people)

    def behind(channel: str) -> frozenset[str]:
        """Who is where half of a Local pair is, because they are in the bridge of its other half, or behind
        further pairs: each consultation that was completed leaves one."""
        bridges = behind_pair(bridge_of, channel)
        return frozenset(one.id for one in people.values() if one.bridge in bridges)

    for row in queues:
        _queue(found, row, behind(row.get("Channel", "")))
    for row in parked:
        there = (row["ParkeeUniqueid"], *behind(row["ParkeeChannel"]))
        found.parked |= dict.fromkeys(there, row["ParkingSpace"])
    return found


def twin(channel: str) -> str:
    """The other half of a Local pair, '' for any other channel."""
    if not channel.startswith("Local/"):
        return ""
    return f"{channel[:-2]};{'2' if channel.endswith(';1') else '1'}"


def behind_pair(bridge_of: Mapping[str, str], channel: str) -> set[str]:
    """The bridges that half of a Local pair leads to, through as many pairs as there are. The keys are channel
    names."""
    found: set[str] = set()
    halves = [channel]
    while halves:
        bridge = bridge_of.get(twin(halves.pop()))
        if bridge is not None and bridge not in found:
            found.add(bridge)
            halves += [name for name, where in bridge_of.items() if where == bridge and twin(name)]
    return found


def bridge_rooms(bridge_of: Mapping[str, str], music: Collection[str] = ()) -> dict[str, frozenset[str]]:
    """For each bridge those that make one room with it, because both halves of a Local pair are in them. The keys
    are channel names. A pair of which a half plays music carries that, and nobody's voice."""
    joined = {bridge: {bridge} for bridge in bridge_of.values()}
    for name, bridge in bridge_of.items():
        if name.endswith(";1"):
            other = twin(name)
            if other in bridge_of and name not in music and other not in music:
                both = joined[bridge] | joined[bridge_of[other]]
                for one in both:
                    joined[one] = both
    return {bridge: frozenset(room) for bridge, room in joined.items()}


def _rooms(people: Mapping[str, Channel], rooms: Mapping[str, Collection[str]]) -> dict[str, frozenset[str]]:
    return {
        one.id: frozenset(other.id for other in people.values() if other.bridge in rooms[one.bridge])
        for one in people.values()
        if one.bridge in rooms
    }


def _channel(row: Row) -> Channel:
    return Channel(
        row["Uniqueid"],
        row["Channel"],
        row["ChannelStateDesc"],
        row["Linkedid"],
        row.get("BridgeId", ""),
        row.get("Application", ""),
        row.get("CallerIDNum", ""),
        row.get("Exten", ""),
        row.get("Context", ""),
    )


STATUS = {
    "0": "unknown",
    "1": "idle",
    "2": "in_use",
    "3": "busy",
    "4": "invalid",
    "5": "unavailable",
    "6": "ringing",
    "7": "in_use",
    "8": "on_hold",
}


def _queue(found: Picture, row: Row, behind: frozenset[str]) -> None:
    match row["Event"]:
        case "QueueParams":
            found.waiting.setdefault(row["Queue"], [])
            found.members.setdefault(row["Queue"], {})
        case "QueueEntry":
            caller = Caller(row["Uniqueid"], int(row["Position"]), int(row["Wait"]), behind)
            found.waiting.setdefault(row["Queue"], []).append(caller)
        case "QueueMember":
            member = Member(
                row["Location"],
                row["StateInterface"],
                STATUS.get(row["Status"], "unknown"),
                row["Paused"] == "1",
                row.get("PausedReason", ""),
                int(row["Penalty"]),
            )
            found.members.setdefault(row["Queue"], {})[member.interface] = member
