"""The fence of the dial policy in the PBX: whether it is there, of the policy that is in force, and asked."""

from __future__ import annotations

from typing import get_args

from cti_server.doctor.dialplan.plan import Dialplan
from cti_server.doctor.dialplan.steps import targets
from cti_server.doctor.findings import Finding, say
from cti_server.doctor.manager.reach import Patient
from cti_server.doctor.pbx.recorded import Recorded
from cti_server.rules.dial_fence import CONTEXT, VERSION, Strictness, site_of, version_of


def examine(patient: Patient, record: Recorded, plan: Dialplan) -> list[Finding]:
    check, pbx = patient.check("fence"), patient.pbx
    named = f" --pbx {pbx.name}" if len(patient.settings.attached()) > 1 else ""
    if CONTEXT not in plan.contexts:
        return [say(check, "fence.missing", named=named)]
    site = site_of(record.policy, patient.settings.default_region, pbx.dial, record.lines)
    wanted = {version_of(record.policy, site, strictness) for strictness in get_args(Strictness)}
    found = plan.assigned(CONTEXT, f"LOCAL({VERSION})") or "none"
    if found not in wanted:
        anybody = " --anybody" if found.startswith("anybody") else ""
        return [say(check, "fence.old", found=found, named=named, anybody=anybody)]
    asking = {
        place.context
        for place in plan.places()
        if place.context != CONTEXT and any(target.context == CONTEXT for target in targets(place.step))
    }
    if not asking:
        return [say(check, "fence.unasked")]
    return [say(check, "fence.ok", asking=", ".join(sorted(asking)), strictness=found.partition("-")[0])]
