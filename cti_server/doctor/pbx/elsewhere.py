"""Whether another cti-server works on the same PBX, with a database of its own.

Asterisk does not tell a least-privilege user who else is signed in to its manager (`manager show connected`
does, at its CLI). What can be seen is what another server does: it pauses members for reasons that only a
cti-server gives.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cti_server.doctor.findings import Finding, say, some
from cti_server.doctor.manager.reach import Patient
from cti_server.doctor.pbx.recorded import Recorded
from cti_server.floor.agents import NO_ANSWER, ON_CALL, REJECTED, SIGNED_IN, WRAP_UP_EXPIRED
from cti_server.wire.ami import Message

#: what a cti-server pauses for by itself, while a shift lasts
OURS = frozenset({ON_CALL, SIGNED_IN, NO_ANSWER, REJECTED, WRAP_UP_EXPIRED})
SHOWN = 5


def examine(patient: Patient, recorded: Recorded, phones: Mapping[Message, str | None]) -> Iterator[Finding]:
    """Members that are paused as a cti-server does it, at phones where by this database nobody is at work."""
    check, pbx = patient.check("queues"), patient.pbx.name
    foreign = []
    for row, phone in phones.items():
        reason = row.get("PausedReason") or ""
        if row.get("Paused") == "1" and reason in OURS and (pbx, phone or "") not in recorded.on_shift:
            facts = {"member": row.get("Location") or "", "queue": row["Queue"], "reason": reason}
            foreign.append(say(check, "queue.paused_elsewhere", **facts))
    yield from some(foreign, SHOWN)
