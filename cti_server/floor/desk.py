"""What lookups, the dialplan and the record tell: who is calling, which way they came, what a queue asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from . import events as kinds
from .calls import MAX_EARLY_IDENTITIES, MAX_STEPS, Call
from .parts import WrapUp
from .signals import (
    CallerIdentified,
    LinkChanged,
    QueueDescribed,
    Signal,
    StepTaken,
)
from .wrapup import policy

if TYPE_CHECKING:
    from .apply import Floor


def identified(floor: Floor, s: CallerIdentified) -> None:
    call = floor.call_with_leg(s.leg) or (floor.call_with(s.linkedid) if s.linkedid is not None else None)
    if call is not None:
        apply_identity(floor, call, s)
        return
    # FastAGI may be ahead of the manager's stream: keep it until the leg is told of.
    floor.early[s.leg] = s
    while len(floor.early) > MAX_EARLY_IDENTITIES:
        floor.early.popitem(last=False)


def apply_identity(floor: Floor, call: Call, s: CallerIdentified) -> None:
    if call.chosen_by is not None and s.chosen_by is None:
        return  # a person's choice stands against a lookup that comes late
    call.match, call.customer, call.verdict = s.match, s.customer, s.verdict
    call.chosen_by = s.chosen_by
    call.ani, call.line = s.ani or call.ani, s.line or call.line
    call.language = s.language or call.language
    floor.touch(call, kinds.CALL_IDENTIFIED)


def stepped(floor: Floor, s: StepTaken) -> None:
    call = floor.call_of(s.leg, s.linkedid)
    if call is not None and len(call.path) < MAX_STEPS:
        step = {"step": s.step, "choice": s.choice, "at": s.at}
        if step not in call.path:
            call.path.append(step)
            floor.touch(call)


def described(floor: Floor, s: QueueDescribed) -> None:
    queue = floor.queue(s.queue)
    queue.title_en, queue.title_zh, queue.short_abandon_s = s.title_en, s.title_zh, s.short_abandon_s
    floor.touch_queue(s.queue)
    asked = WrapUp(s.wrap_up_mode, s.wrap_up_s, s.wrap_up_extensions, code_required=s.wrap_up_code_required)
    if asked == queue.wrap_up:
        return  # told again: what agents have used up of their extra time stays so
    queue.wrap_up = asked
    for call in floor.calls.values():
        for part in call.parts:
            if part.queue == s.queue and part.answered_at is not None and part.wrapped_at is None:
                policy(floor, part)
                floor.touch(call)


def link_changed(floor: Floor, s: LinkChanged) -> None:
    if (floor.link, floor.link_detail) == (s.state, s.detail):
        return
    if floor.link is not s.state:
        floor.link_since = s.at
    floor.link, floor.link_detail = s.state, s.detail
    floor.touch_link()


HANDLERS: Mapping[type[Signal], Callable[[Floor, Any], None]] = {
    CallerIdentified: identified,
    StepTaken: stepped,
    QueueDescribed: described,
    LinkChanged: link_changed,
}
