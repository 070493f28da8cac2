"""What one channel did in a story: when it began and ended, who rang it, whether its party hung up. Pure.

CEL has no event for "this channel rings that one", nor for the moment at which somebody hung up: both follow from
what its other rows say, those that come later included.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from cti_server.floor.calls import device_of
from cti_server.wire.cel import Row

QUEUE, DIAL = "queue", "dial"
#: the application that CEL names for a channel that Queue(), Dial() or the manager's Originate rings
RUNG_BY = {"AppQueue": QUEUE, "AppDial": DIAL, "AppDial2": ""}
HANGUP_EXTEN = "h"  # where the dialplan goes on once a channel has hung up
TOGETHER_S = 1.0  # what a hangup brings with it comes within this; times without fractions are no finer
DECLINED = (17, 21)  # Q.850: user busy, call rejected
GAVE_UP = (0, 16, 26, 127)  # the causes with which a caller ends who was not answered
#: what is told of a channel between its party's hangup and its end
FOLLOWED = ("BRIDGE_EXIT", "APP_END", "PARK_END", "BLINDTRANSFER", "ATTENDEDTRANSFER")
CANCELLED_S = 0.2  # phones that stop ringing because the caller is gone do so within this
LATE_S = 2.0  # an end that is told later was held up: by ChanSpy, for as long as somebody listens (asterisk#68)
CONFBRIDGE = "confbridge"


@dataclass(slots=True)
class Leg:
    """One channel. `rows` are its own, by their place in the story. `how`: what rang it, None for one that nobody
    rang, '' for one that the PBX began by itself; `by` the channel that did.

    `asked` is the place of the row before which its party had hung up, `gone` that of the row after which it was
    gone, though its end was told later.
    """

    id: str
    linkedid: str
    channel: str
    rows: list[tuple[int, Row]] = field(default_factory=list)
    began: int | None = None
    ended: int | None = None
    answered: bool = False
    how: str | None = None
    by: str | None = None
    cause: int | None = None
    dial_status: str = ""
    asked: int | None = None
    gone: int | None = None

    @property
    def device(self) -> str:
        return device_of(self.channel)

    @property
    def local(self) -> bool:
        return self.channel.startswith("Local/")

    @property
    def refused(self) -> bool:
        """The PBX told a caller that nobody can be reached. What it then ends, it names as ended by them."""
        if self.how is not None:
            return False
        ends = next((row for _, row in self.rows if row.kind == "HANGUP"), None)
        told = ends is not None and ends.app.lower() in ("busy", "congestion")
        return told or (not self.answered and self.cause not in (None, *GAVE_UP))

    @property
    def far_half(self) -> bool:
        """It is the half of a Local pair that runs the dialplan: nobody rings that."""
        return self.local and self.channel.endswith(";2")

    def app_at(self, place: int) -> tuple[str, str]:
        """The application that it ran at this place of the story, with its arguments: what the last row says, or
        the next one where the applications are not logged. '' for none."""
        before = next((row for at, row in reversed(self.rows) if at <= place), None)
        if before is not None and before.kind != "APP_END" and before.app:
            return before.app.lower(), before.data
        after = next((row for at, row in self.rows if at > place), None)
        if after is not None and after.kind != "APP_START" and after.app:
            return after.app.lower(), after.data
        return "", ""

    def is_there(self, place: int) -> bool:
        return (self.began is None or self.began < place) and (self.ended is None or self.ended > place)


def legs_of(rows: Sequence[Row]) -> dict[str, Leg]:
    """The channels of a story, by id, in the order in which they come."""
    legs: dict[str, Leg] = {}
    for place, row in enumerate(rows):
        leg = legs.get(row.leg)
        if leg is None:
            leg = legs[row.leg] = Leg(row.leg, row.linkedid, row.channel)
        leg.rows.append((place, row))
        if row.kind == "CHAN_START" and leg.began is None:
            leg.began, leg.linkedid, leg.channel = place, row.linkedid, row.channel
        elif row.kind == "CHAN_END":
            leg.ended = place
        elif row.kind == "ANSWER":
            leg.answered = True
        elif row.kind == "HANGUP":
            cause = row.extra.get("hangupcause")
            leg.cause = cause if isinstance(cause, int) else None
            leg.dial_status = str(row.extra.get("dialstatus") or "")
        if row.app in RUNG_BY and leg.how is None:
            leg.how = RUNG_BY[row.app]
    for leg in legs.values():
        began_alone = leg.id == leg.linkedid
        if leg.far_half or (began_alone and leg.how):
            leg.how = None  # a phone that picked a call up goes on as the one that rang
        elif leg.how is None and leg.began is not None and not began_alone:
            leg.how = DIAL
    for leg in legs.values():
        if leg.how in (QUEUE, DIAL):
            leg.by = _rung_by(leg, legs.values())
        leg.asked, leg.gone = _asked(leg), _gone(leg)
    _before_their_phones(rows, legs)
    return legs


def _rung_by(leg: Leg, legs: Iterable[Leg]) -> str | None:
    """The channel that ran the application which rang this one: of several the one whose call it was part of."""
    place = leg.began or 0
    there = [other for other in legs if other is not leg and other.is_there(place) and other.how != leg.how]
    there += [other for other in legs if other is not leg and other.is_there(place) and other.how == leg.how]
    wanted = "queue" if leg.how == QUEUE else "dial"
    running = [other for other in there if other.app_at(place)[0] == wanted]
    own = [other for other in running if other.linkedid == leg.linkedid or other.id == leg.linkedid]
    if found := own or running:
        return max(found, key=lambda other: other.began or 0).id
    return leg.linkedid if leg.linkedid != leg.id else None


def _asked(leg: Leg) -> int | None:
    """The place of the first row that its party's hangup brought with it; None where they did not hang up."""
    hung_up = next(((at, row) for at, row in leg.rows if row.kind == "HANGUP"), None)
    if hung_up is None:
        return None
    place, row = hung_up
    if row.extra.get("hangupsource") != row.channel or leg.refused:
        return None
    if leg.how is not None and not leg.answered and leg.cause not in DECLINED:
        return None  # a phone that stops ringing is named as if it had hung up itself
    for at, before in reversed([pair for pair in leg.rows if pair[0] < hung_up[0]]):
        follows = before.kind in FOLLOWED or before.exten == HANGUP_EXTEN
        is_late = row.at - before.at > TOGETHER_S and before.exten != HANGUP_EXTEN
        if not follows or (is_late and leg.how not in (QUEUE, DIAL)):
            break
        place = at
    return place


def _before_their_phones(rows: Sequence[Row], legs: Mapping[str, Leg]) -> None:
    """A caller who gives up ends the phones that ring for them, and those are told of first."""
    first = next(iter(legs.values()), None)
    if first is None or first.asked is None:
        return
    at = rows[first.asked].at
    ended = [
        place
        for leg in legs.values()
        if leg.how is not None and not leg.answered
        for place, row in leg.rows
        if row.kind == "HANGUP" and place < first.asked and at - row.at <= CANCELLED_S
    ]
    first.asked = min((*ended, first.asked))


def _gone(leg: Leg) -> int | None:
    """The place of the row with which a phone that was rung, and talked, left its last bridge, where its end was
    told much later and nothing came between."""
    if leg.how not in (QUEUE, DIAL) or leg.ended is None:
        return None
    last = [pair for pair in leg.rows if pair[1].kind not in ("HANGUP", "CHAN_END", "LINKEDID_END")]
    if not last or last[-1][1].kind != "BRIDGE_EXIT":
        return None
    place, row = last[-1]
    end = next(row.at for at, row in leg.rows if at == leg.ended)
    return place if end - row.at > LATE_S else None
