"""Handlers for what others found out: the caller, their way through the IVR, a queue's settings, the link."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cti_server.floor import events as kinds
from cti_server.floor.books import Books
from cti_server.floor.calls import MAX_EARLY_IDENTITIES, MAX_STEPS, Call
from cti_server.floor.descriptions import Description
from cti_server.floor.signals import CallerIdentified, LinkChanged, LinkState, QueueDescribed, Signal, StepTaken

from .merging import call_of
from .wrapup import ask_wrap_up


def identified(books: Books, s: CallerIdentified) -> None:
    call = books.call_of(s.leg) or (books.call_with(s.linkedid) if s.linkedid is not None else None)
    if call is not None:
        apply_identity(books, call, s)
        return
    # FastAGI may be ahead of the manager's stream: keep the identity until the leg is announced.
    books.early[s.leg] = s
    while len(books.early) > MAX_EARLY_IDENTITIES:
        books.early.popitem(last=False)


def apply_identity(books: Books, call: Call, s: CallerIdentified) -> None:
    """Write the caller's identity into the call, and touch all that shows it."""
    if call.chosen_by is not None and s.chosen_by is None:
        return  # a late lookup does not override what a person chose
    call.match, call.customer, call.verdict = s.match, s.customer, s.verdict
    call.chosen_by = s.chosen_by
    call.ani, call.line = s.ani or call.ani, s.line or call.line
    call.language = s.language or call.language
    books.touch(call, kinds.CALL_IDENTIFIED)
    books.touch_card(call)
    for part in call.parts:
        if part.agent is not None and part.live:
            books.touch_agent(part.agent)  # the agent's state shows the caller's number


def stepped(books: Books, s: StepTaken) -> None:
    call = call_of(books, s.leg, s.linkedid)
    if call is not None and len(call.path) < MAX_STEPS:
        step = {"step": s.step, "choice": s.choice, "at": s.at}
        if step not in call.path:
            call.path.append(step)
            books.touch(call)


def described(books: Books, s: QueueDescribed) -> None:
    """Take in what the record says of a queue. Which queues there are, the PBX says, once it has been asked."""
    before = books.descriptions.get(s.queue, Description())
    books.descriptions[s.queue] = s.description
    if s.queue in books.queues or not books.boot:
        books.queue(s.queue).description = s.description
        books.touch_queue(s.queue)
    if before.wrap_up == s.description.wrap_up:
        return  # the rule is the same: leave alone how many extensions agents have used
    for call, part in books.live_parts():
        if part.queue == s.queue and part.answered_at is not None:
            ask_wrap_up(books, part)
            books.touch_part(call, part)


def link_changed(books: Books, s: LinkChanged) -> None:
    if (books.link, books.link_detail) == (s.state, s.detail):
        return
    if books.link is LinkState.LIVE and s.state is not LinkState.LIVE:
        books.heard_until = s.at
    if books.link is not s.state:
        books.link_since = s.at
    books.link, books.link_detail = s.state, s.detail
    books.touch_link()


HANDLERS: Mapping[type[Signal], Callable[[Books, Any], None]] = {
    CallerIdentified: identified,
    StepTaken: stepped,
    QueueDescribed: described,
    LinkChanged: link_changed,
}
