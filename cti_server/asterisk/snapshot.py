"""The lists that Asterisk gives → one Snapshot signal, after a (re)connect and as a drift check.

The lists and the events are not one clock: a list may already miss a channel whose Hangup is still on its
way. So a drift check looks twice, DRIFT_GAP_S apart, and only what was absent both times is taken to be gone.
"""

from __future__ import annotations

import asyncio
import calendar
import re
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace

from cti_server.floor.signals import EntryRow, LegRow, MemberChanged, Recording, Snapshot
from cti_server.wire.ami import Message, MissingHeader

from .actions import DESK_VARIABLES, BridgeList, CoreStatus, Getvar, Ping, QueueStatus, Status
from .session import ActionFailed, Session
from .translate import RINGING, UP, known, member

HINT = "hint:"
UNSET = "(null)"  # what Status says of a variable that a channel does not have
RECORDINGS = {"on": Recording.ON, "paused": Recording.PAUSED}
DRIFT_GAP_S = 1.0  # longer than any event has been seen to trail its list by
#: headers that say which leg a row is about; a row that has one of them twice may be forged by a caller's name
IDENTITY = frozenset({"Channel", "Uniqueid", "Linkedid"})


class Hints:
    """What the hints that stand for members' phones lead to, as far as a snapshot has asked.

    FreePBX and Issabel write `Local/101@from-queue/n` with the state interface `hint:101@ext-local`; the agent's
    seat is the first device of that hint. A hint that leads nowhere, or may not be asked, stands for itself.
    """

    def __init__(self) -> None:
        self._seats: dict[str, str] = {}

    def seated(self, member: MemberChanged) -> MemberChanged:
        """The member with their phone for a seat."""
        return replace(member, seat=self._seats[member.seat]) if member.seat in self._seats else member

    async def ask(self, session: Session, members: Iterable[MemberChanged]) -> None:
        for hint in {m.seat for m in members if m.seat.startswith(HINT)}:
            with suppress(ActionFailed):
                answer = await session.ask(Getvar(f"HINT({hint.removeprefix(HINT)})"))
                device = re.split("[&,]", answer.response.get("Value") or "")[0].strip()
                if device:
                    self._seats[hint] = device


async def take(session: Session, hints: Hints) -> Snapshot:
    """The PBX as it is now. Raises what Session.ask raises."""
    now, core = await asyncio.gather(session.ask(Ping()), session.ask(CoreStatus()))
    channels = await session.ask(Status())
    queues = await session.ask(QueueStatus())
    bridges = await session.ask(BridgeList())
    built = build(
        at=float(now.response.get("Timestamp") or time.time()),
        boot=boot_of(core.response),
        channels=channels.rows,
        queues=queues.rows,
        bridges=bridges.rows,
    )
    await hints.ask(session, built.members)
    return replace(built, members=tuple(hints.seated(m) for m in built.members))


def compared(first: Snapshot, second: Snapshot) -> Snapshot:
    """A drift check: what is missing from both of two snapshots is gone, what is in the second is there."""
    seen = frozenset(row.leg for row in first.legs)
    return replace(second, drift_check=True, seen_before=seen, whole=first.whole and second.whole)


def boot_of(core: Message) -> int:
    """A number that is the same as long as this Asterisk runs: its start, read as if its zone were UTC."""
    text = f"{core['CoreStartupDate']} {core['CoreStartupTime']}"
    return calendar.timegm(time.strptime(text, "%Y-%m-%d %H:%M:%S"))


def build(
    at: float, boot: int, channels: Iterable[Message], queues: Iterable[Message], bridges: Iterable[Message]
) -> Snapshot:
    """Rows → Snapshot. A row that is forged or lacks what it must have is left out, and `whole` is False."""
    whole = True
    legs: list[LegRow] = []
    for row in channels:
        try:
            if IDENTITY.intersection(row.duplicates):
                raise ValueError("two identities in one row")
            legs.append(leg_row(row))
        except (MissingHeader, ValueError):
            whole = False
    names: list[str] = []
    members: list[MemberChanged] = []
    entries: list[EntryRow] = []
    for row in queues:
        try:
            match row.event:
                case "QueueParams":
                    names.append(row["Queue"])
                case "QueueMember":
                    members.append(member(row, at))
                case "QueueEntry":
                    position, wait = int(row["Position"]), float(row["Wait"])
                    entries.append(EntryRow(row["Queue"], row["Uniqueid"], position, wait))
        except (MissingHeader, ValueError):
            whole = False
    kinds = {row.get("BridgeUniqueid"): row for row in bridges}
    return Snapshot(
        at,
        boot,
        tuple(_in_its_bridge(leg, kinds.get(leg.bridge)) for leg in legs),
        tuple(names),
        tuple(members),
        tuple(entries),
        whole,
    )


def _in_its_bridge(leg: LegRow, bridge: Message | None) -> LegRow:
    """In a holding bridge nobody hears anybody: it is a parking lot, or a waiting room."""
    if bridge is None:
        return leg
    if bridge.get("BridgeTechnology") == "holding_bridge":
        return replace(leg, bridge=None, parked=bridge.get("BridgeType") == "parking")
    return replace(leg, conference=bridge.get("BridgeCreator") == "ConfBridge")


def leg_row(row: Message) -> LegRow:
    """One row of Status."""
    seconds = row.get("Seconds")
    desk = _desk(row)
    return LegRow(
        leg=row["Uniqueid"],
        linkedid=row["Linkedid"],
        channel=row["Channel"],
        up=row["ChannelState"] == UP,
        number=known(row.get("CallerIDNum")),
        name=known(row.get("CallerIDName")),
        exten=known(row.get("DNID")) or known(row.get("Exten")),
        bridge=known(row.get("BridgeID")),
        age_s=float(seconds) if seconds is not None and seconds.isdecimal() else None,
        ringing=row["ChannelState"] == RINGING,
        held=None if desk is None else bool(desk["CTI_HELD"]),
        muted=None if desk is None else bool(desk["CTI_MUTED"]),
        recording=None if desk is None else RECORDINGS.get(desk["CTI_RECORDING"], Recording.OFF),
    )


def _desk(row: Message) -> dict[str, str] | None:
    """The variables that our moves and dialplan leave on a leg; None where not each was told exactly once, as on a
    list that did not ask for them, or in a row that a caller's name forges."""
    pairs = [text.partition("=") for text in row.all("Variable")]
    told = {name: "" if value == UNSET else value for name, _, value in pairs}
    return told if len(pairs) == len(DESK_VARIABLES) and set(told) == set(DESK_VARIABLES) else None
