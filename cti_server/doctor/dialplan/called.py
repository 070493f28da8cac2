"""What the dialplan calls: contexts of ours that are not there, or would cut callers off on the day that they
are not; and cti-identify too late, or where no call comes."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping

from cti_server.doctor.dialplan.freepbx import generated, is_freepbx
from cti_server.doctor.dialplan.plan import Dialplan, Place
from cti_server.doctor.dialplan.steps import (
    IDENTIFY,
    Step,
    Target,
    acts,
    asks,
    looked_for,
    looks_for,
    queue_of,
    safe,
    targets,
)
from cti_server.doctor.findings import Finding, say, some
from cti_server.doctor.texts.dialplan import FREEPBX_CONTEXT, FREEPBX_TARGET
from cti_server.rules.dial_fence import CONTEXT as FENCE
from cti_server.rules.dial_fence import FILE as FENCE_FILE

SITE, CALLS, DESK = "cti_site.conf", "extensions_cti.conf", "extensions_cti_desk.conf"
#: our contexts, and the file that brings each
FILES: Mapping[str, str] = {
    "cti-site": SITE,
    **dict.fromkeys(
        (
            *("cti-settings", "cti-identify", "cti-checked", "cti-queue", "cti-step", "cti-leg", "cti-inherit"),
            *("cti-own", "cti-agent", "cti-caller", "cti-nowhere"),
        ),
        CALLS,
    ),
    **dict.fromkeys(
        (
            *(
                "cti-device",
                "cti-ring",
                "cti-refused",
                "cti-not-reached",
                "cti-transfer",
                "cti-transfer-queue",
                "cti-back",
                "cti-requeue",
            ),
            *(
                "cti-nobody-took",
                "cti-sent",
                "cti-sent-parking",
                "cti-consult",
                "cti-consult-queue",
                "cti-consulted",
            ),
            *(
                "cti-park",
                "cti-pick-up",
                "cti-pick",
                "cti-return",
                "cti-dial",
                "cti-room",
                "cti-invite",
                "cti-hold",
            ),
            "cti-record",
        ),
        DESK,
    ),
    **dict.fromkeys(("cti-fence", "cti-fence-plan", "cti-emergency"), FENCE_FILE),
}
SHOWN = 5


def examine(check: str, plan: Dialplan, roots: Collection[str]) -> Iterator[Finding]:
    """`roots`: contexts that calls enter from outside, as far as that can be seen."""
    yield from some(list(_missing(check, plan)), SHOWN)
    yield from some(list(_looks_elsewhere(check, plan)), SHOWN)
    yield from some(list(_unsafe(check, plan)), SHOWN)
    yield from _asks(check, plan, roots)


# --- contexts that are not there --------------------------------------------------------------------------


def _missing(check: str, plan: Dialplan) -> Iterator[Finding]:
    for place, target in _calls_of_ours(plan):
        if plan.has(target, place.context, place.extension):
            continue
        facts = _facts(place, target)
        # A leg is rung all the same (measured on Asterisk 22); a call that goes where there is nothing is over.
        if target.how == "leg":
            if target.context not in FILES:
                yield say(check, "called.skipped", remedy=_bring(plan, place, target), **facts)
        elif _looks_first(plan, place, target):
            if target.context not in (IDENTIFY, FENCE):  # whose absence has a finding of its own
                yield say(check, "called.skipped", remedy=_bring(plan, place, target), **facts)
        else:
            code = "called.missing_freepbx" if generated(plan, place.context) else "called.missing"
            yield say(check, code, remedy=_bring(plan, place, target), **facts)


def _bring(plan: Dialplan, place: Place, target: Target) -> str:
    """The line that mends a call of what is not there: the file that brings it, or its name, written right."""
    if target.context in plan.contexts:
        return (
            f"Write an extension and a priority that [{target.context}] has: "
            f'asterisk -rx "dialplan show {target.context}"'
        )
    file = FILES.get(target.context)
    if file == SITE:
        return f"Copy dialplans/{SITE} beside {CALLS}"
    if file is not None:
        after = f", after {CALLS}" if file == DESK else ""
        return f"#tryinclude {file}   in extensions.conf{after} (FreePBX, Issabel: extensions_custom.conf)"
    if generated(plan, place.context):
        own = [name for name in plan.contexts if name not in FILES and not generated(plan, name)]
        near = difflib.get_close_matches(target.context, own, n=1)
        return FREEPBX_TARGET.format(context=near[0]) if near else FREEPBX_CONTEXT
    near = difflib.get_close_matches(
        target.context, [name for name in plan.contexts if name in FILES] or FILES, n=1
    )
    if not near:
        return (
            f"Correct it, or add [{target.context}] to extensions.conf (FreePBX, Issabel: extensions_custom.conf)"
        )
    right = Target(near[0], target.extension, target.priority, target.how)
    written = Step(
        place.step.priority,
        place.step.label,
        place.step.application,
        place.step.data.replace(target.context, near[0]),
    )
    return f"{in_place_of(place)}{safe(written, right)}   in [{place.context}], extension {place.extension}"


def _calls_of_ours(plan: Dialplan) -> Iterator[tuple[Place, Target]]:
    """Each step that leads to a context of ours, by name or by what it seems to mean, and each of ours that leads
    anywhere."""
    for place in plan.places():
        for target in targets(place.step):
            if target.context and (target.context.startswith("cti") or place.context in FILES):
                yield place, target


# --- calls that would harm --------------------------------------------------------------------------------


def _unsafe(check: str, plan: Dialplan) -> Iterator[Finding]:
    """Calls of ours from the administrator's own lines that do not look first."""
    for place, target in _calls_of_ours(plan):
        if place.context in FILES or target.context not in FILES or target.how != "gosub":
            continue
        if _looked_for_in_vain(plan, place, target) is not None:
            continue  # has a finding of its own
        if plan.has(target, place.context, place.extension) and not _looks_first(plan, place, target):
            remedy = f"{in_place_of(place)}{safe(place.step, target)}"
            code = "called.unsafe_freepbx" if generated(plan, place.context) else "called.unsafe"
            yield say(check, code, line=remedy, **_facts(place, target))


def _looks_elsewhere(check: str, plan: Dialplan) -> Iterator[Finding]:
    """Calls of ours that look for a context by a name that there is not, and so are left out for ever."""
    for place, target in _calls_of_ours(plan):
        if target.context in FILES and (found := _looked_for_in_vain(plan, place, target)) is not None:
            mended = f"{in_place_of(place)}{safe(place.step, target)}"
            yield say(check, "called.never", found=found, line=mended, **_facts(place, target))


def _looked_for_in_vain(plan: Dialplan, place: Place, target: Target) -> str | None:
    """The name that a step's own condition looks for, where it is none that the dialplan has nor ours brings."""
    names = looked_for(place.step)
    missing = [name for name in names if name not in plan.contexts and name not in FILES]
    return missing[0] if missing and target.context not in names else None


def _looks_first(plan: Dialplan, place: Place, target: Target) -> bool:
    return looks_for(plan.contexts[place.context].extensions[place.extension], target.context)


ASK = "GosubIf($[${DIALPLAN_EXISTS(cti-identify,s,1)}]?cti-identify,s,1)"


def asking_before(plan: Dialplan, context: str, extension: str, application: str) -> str:
    """The lines that ask who is calling before the first step that does this application, and where they belong:
    the extension may begin with it, and then its first step becomes the second."""
    steps = plan.match(context, extension) or []
    step = next((s for s in steps if any(act.application == application for act in acts(s))), None)
    # Where it is written: an included context may have it, and a pattern of another name.
    context, written = next(
        (
            (name, own)
            for name, one in plan.contexts.items()
            for own, its in one.extensions.items()
            if steps and its is steps
        ),
        (context, extension),
    )
    if step is None or step.priority > 1:
        return f"same => n,{ASK}   in [{context}], extension {written}, before {application}()"
    label = f"({step.label})" if step.label else ""
    rest = f"same => n,{step.application}({step.data})"
    return f"exten => {written},1{label},{ASK}\n {rest}   both in [{context}], in place of {written},1"


def in_place_of(place: Place) -> str:
    """How a line begins that takes the place of this step: `same => n,`, or `exten => 1,1,` if it is the first."""
    label = f"({place.step.label})" if place.step.label else ""
    first = place.step.priority == 1
    return f"exten => {place.extension},1{label}," if first else f"same => n{label},"


def _facts(place: Place, target: Target) -> dict[str, object]:
    return {
        "context": place.context,
        "extension": place.extension,
        "priority": place.step.priority,
        "application": place.step.application,
        "called": target.context,
        "what": f"{target.context},{target.extension},{target.priority}",
        "file": FILES.get(target.context, "extensions.conf"),
    }


# --- who asks -----------------------------------------------------------------------------------------------


def askers(plan: Dialplan) -> list[Place]:
    """Each step outside of our own contexts that asks who is calling."""
    return [place for place in plan.places() if place.context not in FILES and asks(place.step)]


def _asks(check: str, plan: Dialplan, roots: Collection[str]) -> Iterator[Finding]:
    places = askers(plan)
    if IDENTIFY not in plan.contexts and not any(place.step.application in ("AGI", "EAGI") for place in places):
        if not places or all(looks_for([place.step], IDENTIFY) for place in places):
            yield say(check, "dialplan.absent")
        return
    if not places:
        yield say(check, "dialplan.uncalled")
        return
    entered = plan.entered() | set(roots)
    fine: list[str] = []
    for place in places:
        if (queue := _queued_before(plan, place)) is not None:
            facts = {"context": place.context, "extension": place.extension, "queue": queue}
            lines = asking_before(plan, place.context, place.extension, "Queue")
            yield say(check, "dialplan.too_late", lines=lines, **facts)
        elif place.context not in entered and not place.context.startswith("macro-"):
            code = "dialplan.dead_freepbx" if is_freepbx(plan) else "dialplan.dead"
            yield say(check, code, context=place.context, extension=place.extension)
        else:
            fine.append(str(place))
    if fine:
        more = f" and {len(fine) - SHOWN} more" if len(fine) > SHOWN else ""
        yield say(check, "dialplan.calls", places=", ".join(fine[:SHOWN]) + more)


def _queued_before(plan: Dialplan, asker: Place) -> str | None:
    """The queue in which a call has waited when it comes to this step, by the same extension's steps before
    it. None where there is none, or one of them asks already, or a label between them may be where calls
    come in."""
    queue = None
    for step in plan.contexts[asker.context].extensions[asker.extension]:
        if step.priority >= asker.step.priority:
            return None if asker.step.label else queue
        if step.label:
            queue = None
        for act in acts(step):
            if asks(act):
                return None
            queue = queue_of(act, asker.extension) or queue
    return None
