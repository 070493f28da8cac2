"""Where each line's number leads: through cti-identify to a queue, to a queue unasked, or out of sight."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from cti_server.doctor.dialplan.called import FILES, asking_before
from cti_server.doctor.dialplan.follow import Reached, follow
from cti_server.doctor.dialplan.freepbx import generated, is_freepbx
from cti_server.doctor.dialplan.plan import Dialplan
from cti_server.doctor.findings import Finding, say
from cti_server.doctor.manager.reach import Patient
from cti_server.rules.facts import Line


def examine(patient: Patient, plan: Dialplan, lines: Sequence[Line], trunks: Collection[str]) -> Iterator[Finding]:
    """`trunks`: the contexts that calls from outside are seen to enter."""
    check = patient.check("lines")
    if not lines:
        yield say(check, "line.none", region=patient.settings.default_region)
        return
    fine: list[str] = []
    for line in lines:
        finding = _line(check, plan, line, trunks)
        if finding is None:
            fine.append(line.raw)
        else:
            yield finding
    if fine:
        yield say(check, "line.ok", numbers=", ".join(fine))


def numbers(plan: Dialplan, trunks: Collection[str]) -> dict[str, list[str]]:
    """The numbers that a trunk brings calls for, and the queues to which each may lead: at once, through a menu,
    by office hours. A number that leads to none is left out."""
    found: dict[str, list[str]] = {}
    for context in trunks:
        for extension in sorted(plan.extensions_in(context)):
            if is_number(extension) and extension not in found:
                queues = follow(plan, context, extension).queues
                if queues:
                    found[extension] = list(dict.fromkeys(queues))
    return found


def is_number(extension: str) -> bool:
    """Whether people can dial it: no `s`, no key of a menu, no pattern."""
    return extension.lstrip("+").isdecimal() and len(extension) > 1


#: where the trunks of FreePBX and Issabel come in, whatever their endpoints say
OF_FREEPBX = ("from-trunk", "from-pstn")


def starts(plan: Dialplan, line: Line, trunks: Collection[str] = ()) -> list[tuple[str, str]]:
    """(context, number) of each place at which a call of this line may begin, the likeliest first: where a
    trunk comes in, then whoever has exactly this number, then whoever has a pattern for it and is led to by
    nobody. Ours have patterns, too, to which only the server sends calls."""
    written = dict.fromkeys(
        n for n in (line.raw, line.raw.lstrip("+"), line.e164, (line.e164 or "").lstrip("+")) if n
    )
    roots = [*trunks, *(OF_FREEPBX if is_freepbx(plan) else ())]
    found = [
        (context, number) for number in written for context in roots if plan.match(context, number) is not None
    ]
    found += [(context, number) for number in written for context in plan.contexts_with(number)]
    if not found:
        entered = plan.entered()
        found = [(c, n) for n in written for c in plan.matching(n) if c not in entered and c not in FILES]
    return found


def _line(check: str, plan: Dialplan, line: Line, trunks: Collection[str]) -> Finding | None:
    found = starts(plan, line, trunks)
    if not found:
        return say(check, "line.absent_freepbx" if is_freepbx(plan) else "line.absent", number=line.raw)
    return _judge(check, plan, line.raw, follow(plan, *found[0]))


def _judge(check: str, plan: Dialplan, number: str, reached: Reached) -> Finding | None:
    if reached.broken:
        place, target = reached.broken[0]
        facts = {"context": place.context, "extension": place.extension, "priority": place.step.priority}
        code = "line.broken_freepbx" if generated(plan, place.context) else "line.broken"
        return say(check, code, number=number, to=f"[{target.context}] {target.extension}", **facts)
    if reached.unasked:
        where, extension, queue = reached.unasked[0]
        facts = {"number": number, "queue": queue, "context": where, "extension": extension}
        facts["lines"] = asking_before(plan, where, extension, "Queue")
        return say(check, "line.unasked_freepbx" if generated(plan, where) else "line.unasked", **facts)
    if not reached.asked and reached.rung:
        where, extension = reached.rung[0]
        code = "line.rings_freepbx" if generated(plan, where) else "line.rings"
        lines = asking_before(plan, where, extension, "Dial")
        return say(check, code, number=number, context=where, extension=extension, lines=lines)
    if not reached.asked:
        where, extension = reached.ends
        return say(check, "line.lost", number=number, context=where, extension=extension)
    return None
