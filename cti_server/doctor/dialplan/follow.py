"""Where a dialled number leads.

This follows what is written, not what would happen: conditions and times are not evaluated, every branch is
followed, and a context that only a running call knows (a variable) is not. So it can say "reaches Queue()
unasked" and "I lost it", and never promises more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from cti_server.doctor.dialplan.plan import Dialplan, Place, from_priority
from cti_server.doctor.dialplan.steps import (
    IDENTIFY,
    LAST,
    QUEUE,
    SUBROUTINES,
    Step,
    Target,
    acts,
    asks,
    keys_context,
    looked_for,
    looks_for,
    queue_of,
    targets,
)

MAX_PLACES = 20_000  # in following one number; a FreePBX line takes a few hundred
MAX_MEANT = 50  # extensions that one variable may stand for; with more of them it says too little


@dataclass(slots=True)
class Reached:
    """Where a number leads. `queues`: every queue, asked or not. `asked`: some way asks who is calling.
    `unasked`: (context, extension, queue) of each Queue() that is reached without asking, `rung`: (context,
    extension) of each such Dial(). `broken`: steps, and what they lead to that is not there, so that the call
    ends. `ends`: the (context, extension) visited last."""

    queues: list[str] = field(default_factory=list)
    asked: bool = False
    unasked: list[tuple[str, str, str]] = field(default_factory=list)
    rung: list[tuple[str, str]] = field(default_factory=list)
    broken: list[tuple[Place, Target]] = field(default_factory=list)
    ends: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class _Branch:
    context: str
    extension: str
    start: str
    asked: bool


def follow(plan: Dialplan, context: str, extension: str) -> Reached:
    reached = Reached(ends=(context, extension))
    todo = [_Branch(context, extension, "1", False)]
    visited: set[_Branch] = set()
    while todo and len(visited) < MAX_PLACES:
        branch = todo.pop()
        if branch not in visited:
            visited.add(branch)
            todo.extend(_walk(plan, branch, reached))
    return reached


def _walk(plan: Dialplan, at: _Branch, reached: Reached) -> Iterator[_Branch]:
    """Go through one extension; gives the branches that are still to be followed."""
    found = plan.match(at.context, at.extension)
    asked = at.asked
    for step in from_priority(found, at.start) if found is not None else ():
        reached.ends = (at.context, at.extension)
        for act in acts(step):
            in_vain = any(name not in plan.contexts for name in looked_for(step))
            if not in_vain and asks_within(plan, act, at.extension):
                asked = reached.asked = True
                continue
            if (queue := queue_of(act, at.extension)) is not None:
                reached.queues.append(queue)
                if not asked:
                    reached.unasked.append((at.context, at.extension, queue))
            if act.application == "Dial" and not asked:
                reached.rung.append((at.context, at.extension))
            if (keys := keys_context(act)) is not None:
                yield from _keys(plan, keys or at.context, at.extension, asked)
            for target in targets(act, at.extension):
                if target.how == "leg" or target.context == QUEUE:
                    continue
                if not plan.has(target, at.context, at.extension):
                    if target.context and not looks_for(found or (), target.context):
                        reached.broken.append((Place(at.context, at.extension, act), target))
                    continue
                for extension in meant(plan, target, at.context, at.extension):
                    yield _Branch(target.context or at.context, extension, target.priority, asked)
        if step.application in LAST or _ends_the_call(plan, step, at):
            return


def _ends_the_call(plan: Dialplan, step: Step, at: _Branch) -> bool:
    """Whether a Gosub leads nowhere, which cuts the caller off."""
    return step.application == "Gosub" and any(
        not plan.has(target, at.context, at.extension) for target in targets(step, at.extension)
    )


def _keys(plan: Dialplan, context: str, extension: str, asked: bool) -> Iterator[_Branch]:
    if context in plan.contexts:
        yield from (
            _Branch(context, key, "1", asked) for key in plan.contexts[context].extensions if key != extension
        )


def meant(plan: Dialplan, target: Target, context: str, extension: str) -> list[str]:
    """The extensions that a target may mean: one, or where it holds a variable, `s-${DIALSTATUS}`, all that
    it fits. None of them where the variable could be any extension of the context in which the call is
    already."""
    wanted = target.extension or extension
    if "$" not in wanted:
        return [wanted]
    known = re.sub(r"\$\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}", "\0", wanted)
    if known == "\0" and not target.context:
        return []
    fits = re.compile(".*".join(map(re.escape, known.split("\0"))))
    there = plan.contexts[target.context or context].extensions
    found = [name for name in there if name != extension and fits.fullmatch(name)]
    return found if len(found) <= MAX_MEANT else []


def asks_within(plan: Dialplan, act: Step, extension: str, depth: int = 3) -> bool:
    """Whether the step asks who is calling, itself or in a subroutine that it calls and returns from."""
    if asks(act):
        return IDENTIFY in plan.contexts or act.application in ("AGI", "EAGI")
    if act.application not in SUBROUTINES or not depth:
        return False
    called = [
        plan.match(target.context, target.extension) or [] for target in targets(act, extension) if target.context
    ]
    return any(
        asks_within(plan, inner, "s", depth - 1) for steps in called for step in steps for inner in acts(step)
    )
