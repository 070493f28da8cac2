"""Asterisk itself: its version, its clock, and whether the modules that a card needs are loaded."""

from __future__ import annotations

import time

from cti_server.asterisk.actions import Ping
from cti_server.asterisk.session import ActionFailed, Session
from cti_server.doctor.findings import Finding, say
from cti_server.doctor.manager.actions import ANSWER_S, DENIED, Bare, CoreSettings, value
from cti_server.doctor.manager.reach import Patient

OLDEST, TESTED = 18, 22
CLOCK_S = 2.0  # a larger difference shows in the waiting times on the screen

#: without these, no card pops or the caller is delayed
NEEDED = {
    "app_queue.so": "there are no queues",
    "res_agi.so": "the dialplan cannot ask who is calling",
    "app_stack.so": "there is no Gosub, so cti-identify cannot be called",
    "app_exec.so": "cti-identify uses ExecIf",
    "func_timeout.so": "the deadline of cti-identify cannot be set, so a server that hangs would hold the caller",
    "func_strings.so": "cti-identify uses FILTER",
    "func_logic.so": "cti-queue uses IF",
    "pbx_config.so": "extensions.conf is not read",
}
#: without these, something less important than the card is missing
WANTED = {
    "app_userevent.so": "what the caller chose in the IVR is not seen",
    "func_channel.so": "the caller's language cannot be set",
    "func_devstate.so": "whether the preferred agent's phone is free is not known",
    "res_pjsip.so": "there are no PJSIP phones",
    "chan_pjsip.so": "there are no PJSIP phones",
    "app_dial.so": "phones cannot be called",
    "res_parking.so": "calls cannot be parked",
}


async def examine(patient: Patient, session: Session) -> list[Finding]:
    return [await _version(patient, session), await _clock(patient, session), *await _modules(patient, session)]


async def _version(patient: Patient, session: Session) -> Finding:
    check = patient.check("Asterisk")
    try:
        core = (await session.ask(CoreSettings(), ANSWER_S)).response
    except ActionFailed:
        return say(check, "asterisk.version_unseen")
    return version_finding(check, core.get("AsteriskVersion") or "")


def version_finding(check: str, version: str) -> Finding:
    """Judge a version: `22.10.1~dfsg…`, `certified/18.9-cert5`, or `GIT-master-…` (which reveals nothing)."""
    major = version.removeprefix("certified/").removeprefix("certified-").partition(".")[0]
    if not major.isdecimal():
        return say(check, "asterisk.version_unseen")
    number = int(major)
    code = "old" if number < OLDEST else "version" if number == TESTED else "untested"
    return say(check, f"asterisk.{code}", version=version)


async def _clock(patient: Patient, session: Session) -> Finding:
    check = patient.check("Asterisk")
    before = time.time()
    pbx_time = (await session.ask(Ping(), ANSWER_S)).response.get("Timestamp")
    our_time = (before + time.time()) / 2
    return clock_finding(check, float(pbx_time) - our_time if pbx_time is not None else 0.0)


def clock_finding(check: str, ahead_s: float) -> Finding:
    if abs(ahead_s) < CLOCK_S:
        return say(check, "asterisk.clock_ok", ms=round(abs(ahead_s) * 1000))
    direction = "ahead of" if ahead_s > 0 else "behind"
    return say(check, "asterisk.clock", seconds=round(abs(ahead_s)), direction=direction)


async def _modules(patient: Patient, session: Session) -> list[Finding]:
    check = patient.check("Asterisk")
    if await value(session, "IFMODULE(func_module.so)") != "1":
        return await _modules_by_actions(check, session)
    findings = []
    for modules, code in ((NEEDED, "module.missing"), (WANTED, "module.wanted")):
        for module, loss in modules.items():
            if await value(session, f"IFMODULE({module})") != "1":
                findings.append(say(check, code, module=module, loss=loss))
    return findings or [say(check, "module.ok", count=len(NEEDED) + len(WANTED))]


async def _modules_by_actions(check: str, session: Session) -> list[Finding]:
    """Without func_module: if Asterisk knows an action, even to deny it, the module that provides it is loaded."""
    findings = []
    for module, action in (("app_queue.so", "QueueAdd"), ("res_agi.so", "AGI")):
        try:
            await session.ask(Bare(action), ANSWER_S)
        except ActionFailed as answer:
            # "Permission denied", or a complaint about a missing header: either way Asterisk knows the action
            if DENIED not in str(answer) and "unknown" in str(answer):
                findings.append(say(check, "module.missing", module=module, loss=NEEDED[module]))
    unseen = [module for module in (NEEDED | WANTED) if module not in ("app_queue.so", "res_agi.so")]
    return [*findings, say(check, "module.unseen", modules=", ".join(unseen), example=unseen[0])]
