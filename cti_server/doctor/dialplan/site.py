"""What cti_site.conf says of this PBX: its name, the trunk, which numbers are phones, who takes lost callers."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence

from cti_server.asterisk.session import Session
from cti_server.doctor.dialplan.freepbx import is_freepbx
from cti_server.doctor.dialplan.plan import Dialplan
from cti_server.doctor.dialplan.steps import Target
from cti_server.doctor.findings import Finding, say
from cti_server.doctor.manager.actions import value
from cti_server.doctor.manager.reach import Patient
from cti_server.record.center.agents import Agent
from cti_server.rules.destinations import emergency_numbers
from cti_server.rules.facts import Line

CONTEXT = "cti-site"
EMERGENCY = "cti-emergency"
PRIVATE = ("masked", "withheld", "")
OUT_OF_THE_BOX = "^[1-7][0-9]{2,4}$"
NUMBER = re.compile(r"\+?[0-9*#]+")
PLACE = re.compile(r"[\w.-]+,[^,]+,[\w-]+")


async def examine(
    patient: Patient, session: Session, plan: Dialplan, agents: Sequence[Agent], lines: Sequence[Line]
) -> list[Finding]:
    """Findings on the values of [cti-site]; `agents` and `lines` are empty where the record cannot be read."""
    if CONTEXT not in plan.contexts:
        return []  # reported as missing
    check = patient.check("cti_site.conf")
    found = [finding async for finding in _values(check, patient, session, plan)]
    found += await _inside(check, patient, session, plan, agents, lines)
    return found or [say(check, "site.ok")]


async def _values(check: str, patient: Patient, session: Session, plan: Dialplan) -> AsyncIterator[Finding]:
    def said(name: str) -> str:
        return plan.assigned(CONTEXT, name) or ""

    name = said("CTI_PBX").replace("${SYSTEMNAME}", await value(session, "SYSTEMNAME"))
    if name != patient.pbx.name:
        known = ", ".join(pbx.name for pbx in patient.settings.attached())
        also = f"\nor, if it is the settings' name that is wrong:  In .env:  CTI_PBX={name}" if name else ""
        yield say(check, "site.pbx", found=name or "nothing", known=known, right=patient.pbx.name, also=also)
    via = said("CTI_VIA")
    if via and via not in plan.contexts:
        loss = "nothing can be dialled from the screen"
        right = "from-internal" if is_freepbx(plan) else ""
        yield say(check, "site.context", name="CTI_VIA", found=via, loss=loss, right=right)
    if not via:
        async for finding in _trunk(check, session, said("CTI_TRUNK")):
            yield finding
    if (phones := said("CTI_PHONES")) and phones not in plan.contexts:
        loss = "a phone's own transfer key after a consultation cuts the caller off"
        right = "from-internal-xfer" if is_freepbx(plan) else ""
        yield say(check, "site.context", name="CTI_PHONES", found=phones, loss=loss, right=right)
    if (number := said("CTI_NUMBER")) and not NUMBER.fullmatch(number):
        yield say(check, "site.number", found=number)
    if (nobody := said("CTI_NOBODY")) and not _is_there(plan, nobody):
        yield say(check, "site.nobody", found=nobody)
    if (private := said("CTI_PRIVATE")) not in PRIVATE:
        yield say(check, "site.private", found=private)
    for timer, least in (("CTI_DEADLINE", 0.1), ("CTI_RING", 1.0)):
        if not _at_least(said(timer), least):
            yield say(check, "site.seconds", name=timer, found=said(timer) or "nothing")


async def _trunk(check: str, session: Session, trunk: str) -> AsyncIterator[Finding]:
    if not trunk:
        yield say(check, "site.trunk", found="nothing")
        return
    state = await value(session, f"DEVICE_STATE(PJSIP/{trunk})")
    if state == "INVALID":
        yield say(check, "site.trunk", found=trunk)
    elif state == "UNAVAILABLE":
        yield say(check, "site.trunk_away", found=trunk)
    elif not state:
        yield say(check, "site.trunk_unseen", found=trunk)


def _is_there(plan: Dialplan, nobody: str) -> bool:
    """CTI_NOBODY is what a GotoIf gets: context,extension,priority."""
    if "$" in nobody:
        return True
    if not PLACE.fullmatch(nobody):
        return False
    context, extension, priority = nobody.split(",")
    return plan.has(Target(context, extension, priority, "goto"))


def _at_least(text: str, seconds: float) -> bool:
    try:
        return "$" in text or float(text) >= seconds
    except ValueError:
        return False


# --- which numbers are phones -----------------------------------------------------------------------------


async def _inside(
    check: str,
    patient: Patient,
    session: Session,
    plan: Dialplan,
    agents: Sequence[Agent],
    lines: Sequence[Line],
) -> list[Finding]:
    """CTI_INSIDE, tried by the PBX itself on the numbers that the record knows."""
    inside = plan.assigned(CONTEXT, "CTI_INSIDE") or ""
    here = [agent for agent in agents if agent.pbx == patient.pbx.name and (agent.seat or "").startswith("PJSIP/")]
    numbers = [(agent, (agent.seat or "").partition("/")[2]) for agent in here]
    right = fitting([number for _, number in numbers]) or OUT_OF_THE_BOX
    if await _matches(session, inside, "1001") is None:
        return [say(check, "site.inside_wrong", found=inside or "nothing", right=right)]
    strange = [(agent, number) for agent, number in numbers if await _matches(session, inside, number) is False]
    found = []
    if strange:
        agent, number = strange[0]
        facts = {"found": inside, "number": number, "login": agent.login, "count": len(strange), "all": len(here)}
        code = "site.inside_none" if len(strange) == len(here) else "site.inside_some"
        found.append(say(check, code, right=right, **facts))
    for line in lines:
        if await _matches(session, inside, line.raw):
            found.append(say(check, "site.inside_wide", found=inside, number=line.raw, right=right))
            break
    if EMERGENCY not in plan.contexts:  # with it no pattern takes one for a phone
        for number in emergency_numbers(patient.settings.default_region):
            if await _matches(session, inside, number):
                found.append(say(check, "site.inside_emergency", found=inside, number=number, right=right))
                break
    return found


def fitting(numbers: Sequence[str]) -> str:
    """A regular expression that fits these numbers, and few others of their length: 1001, 1102 → ^1[01]0[12]$."""
    lengths: dict[int, list[str]] = {}
    for number in sorted(set(numbers)):
        if number.isdecimal():
            lengths.setdefault(len(number), []).append(number)
    return "|".join(f"^{''.join(map(_one_of, zip(*same, strict=True)))}$" for same in lengths.values())


def _one_of(digits: Sequence[str]) -> str:
    first, *rest = found = sorted(set(digits))
    if not rest:
        return first
    in_a_row = len(found) > 2 and int(found[-1]) - int(first) == len(found) - 1
    return f"[{first}-{found[-1]}]" if in_a_row else f"[{''.join(found)}]"


async def _matches(session: Session, regex: str, number: str) -> bool | None:
    """What REGEX() of the PBX says; None for what is no regular expression to it."""
    if not regex or '"' in regex:
        return None
    return {"1": True, "0": False}.get(await value(session, f'REGEX("{regex}" {number})'))
