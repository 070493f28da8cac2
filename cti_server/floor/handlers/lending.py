"""A phone that stays up between calls: of an agent of an agent pool, or of one who sits in a room and is sent
customers.

Its own call has nobody else in it. While a customer talks there, the phone is *lent* to the customer's call, and
the agent has a part in it; then it comes home, and the next customer's call borrows it. So each customer keeps a
contact.
"""

from __future__ import annotations

from cti_server.floor import events as kinds
from cti_server.floor.books import Books
from cti_server.floor.calls import Call, Leg
from cti_server.floor.parts import Origin, Part, PartState

from .hearing import answer
from .outcome import seal
from .parting import new_part
from .seats import sits_at
from .wrapup import wraps_up


def lend(books: Books, leg: Leg, home: Call, to: Call, at: float) -> None:
    """The phone of `home` now talks in the customer's call `to`."""
    for part in list(home.open_parts()):
        part.end(at, "answered", wrap_up=False)
        books.touch_part(home, part, kinds.LEFT)
    _move(books, leg, home, to)
    leg.home, leg.aside, home.lent = home.id, False, leg.id
    part = (
        to.part_of(leg.device)
        or _offered_to_pool(books, to, leg)
        or new_part(books, to, leg.device, at, Origin.CONFERENCE if leg.conference else Origin.OFFER, to.queue)
    )
    part.leg = leg.id
    books.touch_part(to, part)
    books.touch(home)


def _offered_to_pool(books: Books, call: Call, leg: Leg) -> Part | None:
    """The offer to a member of an agent pool who is not known to sit anywhere, answered by the phone `leg`."""
    agent = books.agent_at(leg.device)
    for part in call.open_parts():
        half = call.legs.get(part.leg or "")
        met = half is not None and leg in call.beyond(half)
        if part.state is PartState.RINGING and part.agent is None and met:
            sits_at(books, part.seat, leg.device, call.started_at)
            part.seat = leg.device
            if agent is not None:
                part.agent, part.name = agent.id, agent.name
            return part
    return None


def came_home(books: Books, call: Call, at: float) -> None:
    """Give back the phones that were lent to this call and have nobody in it any more."""
    for leg in [leg for leg in call.legs.values() if leg.home is not None]:
        others = any(not other.local and other.device != leg.device for other in call.legs.values())
        if leg.aside or (leg.conference and not others):
            give_back(books, call, leg, at)


def give_back(books: Books, call: Call, leg: Leg, at: float) -> None:
    """The agent's part in the customer's call ends; the phone waits in its own call again."""
    home = books.calls.get(leg.home or "")
    if home is None:
        return
    if (part := call.part_of(leg.device)) is not None:
        answered = part.answered_at is not None
        part.end(at, "answered" if answered else "no_answer", wrap_up=answered and wraps_up(call, part))
        books.touch_part(call, part, kinds.LEFT)
    _move(books, leg, call, home)
    leg.home = home.lent = None
    home.parted.add(call.id)
    call.parted.add(home.id)
    if not leg.aside:
        alone = new_part(books, home, leg.device, at, Origin.INTERNAL, None)
        alone.leg = leg.id
        answer(books, home, alone, at)
        alone.enter(PartState.HOLD, at)
        books.touch_part(home, alone)
    books.touch(home)
    if not call.legs and not call.ended:
        seal(books, call, at)


def is_over(books: Books, leg: Leg, at: float) -> None:
    """The phone hung up; where it was lent, its own call is over, too."""
    home = books.calls.get(leg.home or "")
    if home is not None and not home.legs and not home.ended:
        home.lent = None
        seal(books, home, at)


def _move(books: Books, leg: Leg, call: Call, to: Call) -> None:
    bridge = leg.bridge
    call.drop(leg.id)
    books.add_leg(to, leg)
    if bridge is not None:
        books.forget_bridge(call, bridge)
        books.bridges.setdefault(bridge, to)
