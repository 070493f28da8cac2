"""Rows of CEL → stories: all rows of one call, from its first channel to the end of its last. Pure.

Rows are of one story when they share a channel, a linkedid, or a bridge in which people hear each other. A
linkedid alone does not do: a call that meets an older one takes over its linkedid, conference rooms keep
everybody's, and a channel that is picked up or transferred is named by another's row."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from cti_server.wire.cel import Row

LINGER_S = 2.0  # rows of a call that has ended may still follow: LINKEDID_END, what another thread wrote
MAX_ROWS = 20_000  # of one call; those of a longer one are not kept
MAX_OPEN = 20_000  # calls without an end at the same time; past it the one that began first is given up
#: in the extra of ATTENDEDTRANSFER, BLINDTRANSFER, PICKUP, LOCAL_OPTIMIZE: other channels of the same call
NAMED = (
    "channel2_uniqueid",
    "transferee_channel_uniqueid",
    "transfer_target_channel_uniqueid",
    "pickup_channel_uniqueid",
    "local_two_uniqueid",
)
NOBODY = "Message/"  # the channel that runs the dialplan for text messages: nobody is on it
HOLDING = "holding_bridge"  # a parking lot, a waiting room: nobody hears anybody, so it joins no calls


@dataclass(slots=True)
class Story:
    """All rows of one call, in order. `started` and `over` are its channels that began, and that have ended, in
    these rows; `too_long` when rows were left out."""

    rows: list[Row] = field(default_factory=list)
    legs: dict[str, None] = field(default_factory=dict)
    linkedids: dict[str, None] = field(default_factory=dict)
    started: set[str] = field(default_factory=set)
    over: set[str] = field(default_factory=set)
    too_long: bool = False
    keys: set[str] = field(default_factory=set)
    numbers: list[int] = field(default_factory=list)  # of the rows, as they stand in the log

    @property
    def began_at(self) -> float:
        return self.rows[0].at

    @property
    def ended_at(self) -> float:
        return self.rows[-1].at

    @property
    def is_over(self) -> bool:
        """Each channel that began has ended."""
        return bool(self.started) and self.started <= self.over

    @property
    def is_whole(self) -> bool:
        """Every channel is there from its beginning to its end, those included whose name only a linkedid has."""
        return not self.too_long and self.is_over and self.started == set(self.legs) >= set(self.linkedids)

    def take(self, number: int, row: Row) -> None:
        self.legs[row.leg] = None
        self.linkedids[row.linkedid] = None
        if row.kind == "CHAN_START":
            self.started.add(row.leg)
        elif row.kind == "CHAN_END":
            self.over.add(row.leg)
        if len(self.rows) < MAX_ROWS:
            self.rows.append(row)
            self.numbers.append(number)
        else:
            self.too_long = True

    def join(self, other: Story) -> None:
        """Take in all rows of a call that turns out to be the same."""
        pairs = sorted(zip((*self.numbers, *other.numbers), (*self.rows, *other.rows), strict=True),
                       key=lambda pair: pair[0])  # fmt: skip
        self.numbers, self.rows = [number for number, _ in pairs], [row for _, row in pairs]
        self.legs = {**other.legs, **self.legs}
        self.linkedids = {**other.linkedids, **self.linkedids}
        self.keys |= other.keys
        self.started |= other.started
        self.over |= other.over
        self.too_long = self.too_long or other.too_long


class Stories:
    """Takes rows in order and gives stories, each once its call is over. Call `take` for each row, then `rest`.

    `nobody` are linkedids under which nobody calls: the PBX rings phones for text messages.
    """

    def __init__(self, nobody: Iterable[str] = ()) -> None:
        self._nobody = set(nobody)
        self._of: dict[str, Story] = {}  # by channel, linkedid and bridge
        self._open: OrderedDict[int, Story] = OrderedDict()  # by id(), the one that began first at the front
        self._over: OrderedDict[int, Story] = OrderedDict()  # that may linger, in the order in which they ended
        self._count = 0
        self.given_up = 0

    def take(self, row: Row) -> Iterator[Story]:
        """Take in a row; yields the stories that are over by now."""
        yield from self._finished(row.at - LINGER_S)
        self._count += 1
        if row.channel.startswith(NOBODY):
            self._nobody.add(row.linkedid)
        if row.linkedid in self._nobody:
            return
        keys = _keys(row)
        story = None
        for key in keys:
            found = self._of.get(key)
            if found is not None and found is not story:
                story = found if story is None else self._joined(story, found)
        story = Story() if story is None else story
        for key in keys:
            self._of[key] = story
        story.keys.update(keys)
        story.take(self._count, row)
        self._place(story)
        while len(self._open) > MAX_OPEN:
            self._forget(self._open.popitem(last=False)[1])
            self.given_up += 1

    def rest(self) -> Iterator[Story]:
        """The stories that are left: those that are over, then those whose end no row tells."""
        yield from self._finished(float("inf"))
        while self._open:
            story = self._open.popitem(last=False)[1]
            self._forget(story)
            yield story

    def _place(self, story: Story) -> None:
        number = id(story)
        if story.is_over:
            self._open.pop(number, None)
            self._over[number] = story
            self._over.move_to_end(number)
        else:
            self._over.pop(number, None)
            self._open.setdefault(number, story)

    def _joined(self, story: Story, other: Story) -> Story:
        into, gone = (story, other) if len(story.rows) >= len(other.rows) else (other, story)
        for key in gone.keys:
            self._of[key] = into
        into.join(gone)
        for line in (self._open, self._over):
            line.pop(id(gone), None)
        return into

    def _finished(self, before: float) -> Iterator[Story]:
        while self._over:
            number, story = next(iter(self._over.items()))
            if story.ended_at > before:
                return
            del self._over[number]
            self._forget(story)
            yield story

    def _forget(self, story: Story) -> None:
        for key in story.keys:
            if self._of.get(key) is story:
                del self._of[key]


def _keys(row: Row) -> list[str]:
    """By what other rows of the same call are found."""
    keys = [f"u:{row.leg}", f"u:{row.linkedid}"]
    extra = row.extra
    if extra.get("bridge_technology") != HOLDING:
        keys += [f"b:{extra[name]}" for name in ("bridge_id", "bridge1_id", "bridge2_id") if extra.get(name)]
    return keys + [f"u:{extra[name]}" for name in NAMED if extra.get(name) not in (None, "", "N/A")]
