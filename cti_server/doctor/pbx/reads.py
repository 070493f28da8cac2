"""What a manager's secret reads beyond its job: functions by which Getvar, and Status with Variables, give away
files, addresses and passwords to whoever has `write = reporting` or `write = call`.

Asterisk has no permission that stops them; only their modules not being loaded does (measured on 22.10, which does
stop SHELL, FILE and whatever else `live_dangerously` guards). Unloading one that the dialplan uses would break
calls, so the dialplan is looked at before it is advised.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cti_server.asterisk.session import Session
from cti_server.doctor.dialplan.plan import Dialplan
from cti_server.doctor.findings import Finding, say
from cti_server.doctor.manager.actions import value
from cti_server.doctor.manager.reach import Patient

#: function of the dialplan → (its module, what it gives away)
GIVES: Final[Mapping[str, tuple[str, str]]] = {
    "AST_CONFIG": ("func_config.so", "every line of /etc/asterisk, the other users' secrets among them"),
    "CURL": ("func_curl.so", "every file that Asterisk may read (file://…), and every address that it reaches"),
    "AST_SORCERY": ("func_sorcery.so", "every PJSIP object, phones' passwords among them"),
}
SHOWN = 3


async def examine(patient: Patient, session: Session, plan: Dialplan | None) -> list[Finding]:
    """One finding for each function that is there. `plan` None: whether it is used cannot be seen."""
    check = patient.check("secrets")
    findings = []
    for function, (module, what) in GIVES.items():
        if await value(session, f"IFMODULE({module})") != "1":
            continue
        users = ", ".join(
            account.user for account in (patient.pbx.events, patient.pbx.call) if account is not None
        )
        facts = {"function": function, "module": module, "what": what, "users": users}
        used = _used(plan, function) if plan is not None else []
        if used:
            more = f" and {len(used) - SHOWN} more" if len(used) > SHOWN else ""
            findings.append(say(check, "secrets.used", places=", ".join(used[:SHOWN]) + more, **facts))
        else:
            findings.append(say(check, "secrets.read", **facts))
    if not findings and await value(session, "IFMODULE(func_module.so)") != "1":
        return [say(check, "secrets.unseen", modules=", ".join(module for module, _ in GIVES.values()))]
    return findings or [say(check, "secrets.ok")]


def _used(plan: Dialplan, function: str) -> list[str]:
    """Where the dialplan uses this function: `100@from-trunk`."""
    return list(dict.fromkeys(str(place) for place in plan.places() if f"{function}(" in place.step.data))
