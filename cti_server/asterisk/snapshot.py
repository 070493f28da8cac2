"""Asterisk's lists of channels, queues and bridges → one Snapshot signal, after each connect and as a drift check.

Lists and events do not keep step: a list may lack a channel whose Hangup is still on its way to us, or show one
as answered before we hear so. So a drift check takes two snapshots, DRIFT_GAP_S apart, and only what both show
alike, or both lack, is held against the floor.
"""

from __future__ import annotations

import asyncio
import calendar
import time
from collections.abc import Awaitable, Callable, Hashable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

from cti_server.floor.signals import EntryRow, LegRow, MemberChanged, Recording, Snapshot, Unsettled
from cti_server.wire.ami import Message, MissingHeader

from .actions import DESK_VARIABLES, BridgeList, CoreStatus, Getvar, Ping, QueueStatus, Status
from .session import ActionFailed, Session
from .translate import MESSAGES, RINGING, UP, member, or_none

HINT = "hint:"
UNSET = "(null)"  # the value that Status gives for a variable that a channel does not have
RECORDINGS = {"on": Recording.ON, "paused": Recording.PAUSED}
DRIFT_GAP_S = 1.0  # no event has been seen to come this long after a list that already shows its effect
#: the headers that say which leg a row is about; where one occurs twice, a caller's name may have forged it
IDENTITY = frozenset({"Channel", "Uniqueid", "Linkedid"})

Row = TypeVar("Row")
Key = TypeVar("Key", bound=Hashable)


class Hints:
    """The phones behind those members whose state interface is a hint.

    FreePBX and Issabel give a member the interface `Local/101@from-queue/n` and the state interface
    `hint:101@ext-local`. The agent's seat is the first device of that hint; its further ones (a softphone, a
    browser) are theirs, too. Where a hint has no device, or our account may not ask for it, the hint itself stays
    the seat.
    """

    def __init__(self) -> None:
        self._devices: dict[str, list[str]] = {}
        self._asked: set[str] = set()

    def seated(self, member: MemberChanged) -> MemberChanged:
        """The member with the phone as their seat, where `ask` has found it; else the member unchanged."""
        devices = self._devices.get(member.seat)
        return replace(member, seat=devices[0], also=tuple(devices[1:])) if devices else member

    def lacks(self, member: MemberChanged) -> bool:
        """Whether the seat is a hint that nobody has asked for yet."""
        return member.seat.startswith(HINT) and member.seat not in self._asked

    async def ask(self, session: Session, members: Iterable[MemberChanged]) -> None:
        """Ask the PBX for the devices of each member's hint, for `seated`. Raises what Session.ask raises."""
        for hint in {m.seat for m in members if m.seat.startswith(HINT)}:
            self._asked.add(hint)
            with suppress(ActionFailed):
                answer = await session.ask(Getvar(f"HINT({hint.removeprefix(HINT)})"))
                self._devices[hint] = devices_of(answer.response.get("Value") or "")


def devices_of(hint: str) -> list[str]:
    """The phones that a hint names: `PJSIP/1001&PJSIP/991001&Custom:DND1001,CustomPresence:1001` names two. States
    and presence that an administrator made up are no phones."""
    names = (name.strip() for name in hint.split(",")[0].split("&"))
    return [name for name in names if "/" in name]


Parked = Callable[[], Awaitable[Iterable[Message]]]
"""Asks for the rows of ParkedCalls, on the account that may; no rows where there is none."""


async def nobody_asked() -> Iterable[Message]:
    """For a link without an account that may ask for parking spaces."""
    return ()


async def take(session: Session, hints: Hints, parked: Parked = nobody_asked) -> Snapshot:
    """Ask for all lists and build the snapshot of them. The caller must apply events that come meanwhile after it.

    Raises what Session.ask raises, and MissingHeader or ValueError where CoreStatus does not say when Asterisk
    started.
    """
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
    if any(row.parked for row in built.legs):
        built = replace(built, legs=tuple(in_spaces(built.legs, await parked())))
    await hints.ask(session, built.members)
    return replace(built, members=tuple(hints.seated(m) for m in built.members))


def compared(first: Snapshot, second: Snapshot) -> Snapshot:
    """The drift check that two snapshots give, `second` taken DRIFT_GAP_S after `first`.

    It has the rows that both show alike. What only one has, or what has changed between the two, is `unsettled`:
    the floor must leave that to the events.
    """
    legs, unsettled_legs = _alike(first.legs, second.legs, lambda row: row.leg, _timeless_leg)
    members, unsettled_members = _alike(
        first.members, second.members, lambda row: (row.queue, row.interface), lambda row: replace(row, at=0.0)
    )
    entries, unsettled_waits = _alike(
        first.entries, second.entries, lambda row: (row.leg, row.queue), lambda row: replace(row, wait_s=0.0)
    )
    queues, unsettled_queues = _alike(first.queues, second.queues, lambda name: name, lambda name: name)
    return replace(
        second,
        legs=legs,
        queues=queues,
        members=members,
        entries=entries,
        whole=first.whole and second.whole,
        drift_check=True,
        unsettled=Unsettled(first.at, unsettled_legs, unsettled_queues, unsettled_members, unsettled_waits),
    )


def _timeless_leg(row: LegRow) -> LegRow:
    return replace(row, age_s=None)


def _alike(
    first: Iterable[Row], second: Iterable[Row], key: Callable[[Row], Key], timeless: Callable[[Row], Row]
) -> tuple[tuple[Row, ...], frozenset[Key]]:
    """The rows of `second` that `first` has too, but for how long they have been there; and the keys of the other
    rows of both."""
    before = {key(row): timeless(row) for row in first}
    alike = tuple(row for row in second if before.get(key(row)) == timeless(row))
    keys = before.keys() | {key(row) for row in second}
    return alike, frozenset(keys - {key(row) for row in alike})


def boot_of(core: Message) -> int:
    """When this Asterisk started, from the response to CoreStatus.

    Asterisk gives local time without a zone, which is read as UTC: the number only tells one run from another.
    """
    text = f"{core['CoreStartupDate']} {core['CoreStartupTime']}"
    return calendar.timegm(time.strptime(text, "%Y-%m-%d %H:%M:%S"))


def build(
    at: float, boot: int, channels: Iterable[Message], queues: Iterable[Message], bridges: Iterable[Message]
) -> Snapshot:
    """The snapshot of these rows, taken at `at`. A row that may be forged or lacks a header is left out, and
    `whole` is False then.
    """
    whole = True
    legs: list[LegRow] = []
    nobody: set[str] = set()  # linkedids under which the PBX rings phones for text messages
    for row in channels:
        try:
            if IDENTITY.intersection(row.duplicates):
                raise ValueError("two identities in one row")
            if row["Channel"].startswith(MESSAGES):
                nobody.add(row["Linkedid"])
                continue
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
        tuple(_in_its_bridge(leg, kinds.get(leg.bridge)) for leg in legs if leg.linkedid not in nobody),
        tuple(names),
        tuple(members),
        tuple(entries),
        whole,
        nobody=frozenset(nobody),
    )


def in_spaces(legs: Iterable[LegRow], parked: Iterable[Message]) -> Iterator[LegRow]:
    """The legs, those that are parked with the space that a row of ParkedCalls names. A row in which a caller's
    name may have forged a header names none."""
    spaces = {
        row.get("ParkeeUniqueid"): or_none(row.get("ParkingSpace"))
        for row in parked
        if not {"ParkeeUniqueid", "ParkingSpace"}.intersection(row.duplicates)
    }
    for leg in legs:
        yield replace(leg, space=spaces.get(leg.leg)) if leg.parked else leg


def _in_its_bridge(leg: LegRow, bridge: Message | None) -> LegRow:
    """The leg with what its bridge says of it.

    A holding bridge is a parking lot or a waiting room, in which nobody hears anybody: it counts as no bridge.
    """
    if bridge is None:
        return leg
    if bridge.get("BridgeTechnology") == "holding_bridge":
        parked = bridge.get("BridgeType") == "parking"
        return replace(leg, bridge=None, parked=parked, aside=not parked)
    return replace(leg, conference=bridge.get("BridgeCreator") == "ConfBridge")


def leg_row(row: Message) -> LegRow:
    """The leg in one row of Status. Raises MissingHeader where the row lacks an identity, channel or state."""
    seconds = row.get("Seconds")
    desk = _desk(row)
    return LegRow(
        leg=row["Uniqueid"],
        linkedid=row["Linkedid"],
        channel=row["Channel"],
        up=row["ChannelState"] == UP,
        number=or_none(row.get("CallerIDNum")),
        name=or_none(row.get("CallerIDName")),
        exten=or_none(row.get("DNID")) or or_none(row.get("Exten")),
        bridge=or_none(row.get("BridgeID")),
        age_s=float(seconds) if seconds is not None and seconds.isdecimal() else None,
        ringing=row["ChannelState"] == RINGING,
        held=None if desk is None else bool(desk["CTI_HELD"]),
        muted=None if desk is None else bool(desk["CTI_MUTED"]),
        recording=None if desk is None else RECORDINGS.get(desk["CTI_RECORDING"], Recording.OFF),
    )


def _desk(row: Message) -> dict[str, str] | None:
    """The values of DESK_VARIABLES in a row of Status, '' for one that the channel does not have.

    None where the row does not have each of them exactly once: the list was asked for without them, or a caller's
    name forged one.
    """
    pairs = [text.partition("=") for text in row.all("Variable")]
    values = {name: "" if value == UNSET else value for name, _, value in pairs}
    return values if len(pairs) == len(DESK_VARIABLES) and set(values) == set(DESK_VARIABLES) else None
