"""What the desk needs of the dialplan: contexts that calls are sent to, and legs that hear the server's keys."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from cti_server.doctor.dialplan.called import FILES, askers, in_place_of
from cti_server.doctor.dialplan.freepbx import generated, is_freepbx
from cti_server.doctor.dialplan.plan import Dialplan, Place
from cti_server.doctor.dialplan.steps import Target, acts, split, targets
from cti_server.doctor.findings import Finding, say, some
from cti_server.doctor.manager.reach import Patient

#: context of extensions_cti.conf or extensions_cti_desk.conf → what does not work without it
CONTEXTS: Mapping[str, str] = {
    "cti-leg": "hold and recordings",
    "cti-hold": "hold",
    "cti-record": "recordings",
    "cti-transfer": "blind transfer",
    "cti-transfer-queue": "blind transfer to a queue",
    "cti-consult": "consultation",
    "cti-consult-queue": "consultation of a queue",
    "cti-park": "parking",
    "cti-pick-up": "fetching parked and ringing calls",
    "cti-pick": "picking a waiting caller",
    "cti-return": "bringing a call back to a phone that lost it",
    "cti-dial": "dialling from the screen",
    "cti-room": "conferences",
    "cti-invite": "inviting into a conference",
}
HOLD = "cti-hold"
INHERIT = "cti-inherit"
LEG = Target("cti-leg", "s", "1", "leg")
SHOWN = 5


def examine(patient: Patient, plan: Dialplan) -> list[Finding]:
    check = patient.check("desk")
    if missing := [context for context in CONTEXTS if context not in plan.contexts]:
        losses = ", ".join(CONTEXTS[context] for context in missing)
        files = sorted({FILES[context] for context in missing})
        facts = {
            "contexts": ", ".join(missing),
            "losses": losses,
            "lines": "\n".join(f"#tryinclude {f}" for f in files),
        }
        return [say(check, "desk.contexts", **facts)]
    return list(some([*_legs(check, plan), *_heirs(check, plan)], SHOWN))


def _legs(check: str, plan: Dialplan) -> Iterator[Finding]:
    """Each Queue() that does not prepare its members' legs: those legs do not hear the server's keys. The members
    of one that FreePBX writes inherit instead."""
    for place in plan.places():
        if generated(plan, place.context):
            continue
        if place.step.application == "Queue" and LEG.context not in place.step.data:
            line = in_place_of(place) + with_leg(plan, place)
            facts = {"context": place.context, "extension": place.extension, "line": line}
            yield say(check, "desk.leg", **facts)


def _heirs(check: str, plan: Dialplan) -> Iterator[Finding]:
    """On FreePBX each place that asks who is calling for a queue elsewhere, whose members inherit nothing."""
    if not is_freepbx(plan):
        return
    for context, extension in dict.fromkeys((place.context, place.extension) for place in askers(plan)):
        steps = [act for step in plan.contexts[context].extensions[extension] for act in acts(step)]
        leads = {target.context for act in steps for target in targets(act)}
        if INHERIT not in leads and not any(act.application == "Queue" for act in steps):
            code = "desk.heir_screen" if generated(plan, context) else "desk.heir"
            yield say(check, code, context=context, extension=extension)


def with_leg(plan: Dialplan, place: Place) -> str:
    """The same step, whose Queue() has what its members' legs need, as docs/install.md has it. A b() to a context
    that is not there harms nobody (measured on Asterisk 22)."""
    queue, *rest = split(place.step.data, ",")
    options = rest[0] if rest else ""
    plain = re.sub(r"\([^)]*\)", "", options)
    options += "".join(letter for letter in "tk" if letter not in plain)
    if "b" not in plain:
        options += "b(cti-leg^s^1)"
    made = f"Queue({','.join([queue, options, *rest[1:]])})"
    steps = plan.contexts[place.context].extensions[place.extension]
    whole = next(step for step in steps if step.priority == place.step.priority)
    if whole.application == "Queue":
        return made
    return f"{whole.application}({whole.data.replace(f'Queue({place.step.data})', made)})"  # ExecIf and the like
