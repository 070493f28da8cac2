"""Whether calls reach this server: what the dialplan asks, whom it asks, and where each line's number leads."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator, Sequence

from cti_server.asterisk.session import ActionFailed, ListBroken, Session
from cti_server.doctor import desk
from cti_server.doctor.actions import ShowDialPlan, value
from cti_server.doctor.dialplan import IDENTIFY, Dialplan
from cti_server.doctor.environment import loopback
from cti_server.doctor.findings import Finding, say
from cti_server.doctor.reach import Patient
from cti_server.rules.facts import Line

DIALPLAN_S = 30.0
SHOWN = 5


async def examine(patient: Patient, session: Session, lines: Sequence[Line] | None) -> list[Finding]:
    """Findings on the dialplan and the desk. `lines` is None when the record could not be read."""
    check = patient.check("dialplan")
    try:
        listing = await session.ask(ShowDialPlan(), DIALPLAN_S)
    except (ActionFailed, ListBroken, TimeoutError) as why:
        return [say(check, "dialplan.unseen", why=why)]
    dialplan = Dialplan(listing.rows)
    findings = list(_asks(check, dialplan))
    if IDENTIFY in dialplan.contexts:
        system = await value(session, "SYSTEMNAME")
        findings.extend(_asked(patient, dialplan, system))
    if lines is not None:
        findings.extend(_lines(patient, dialplan, lines))
    return [*findings, *await desk.examine(patient, session, dialplan)]


def _asks(check: str, dialplan: Dialplan) -> Iterator[Finding]:
    places = dialplan.callers_of_identify()
    if IDENTIFY not in dialplan.contexts and not places:
        yield say(check, "dialplan.absent")
    elif not places:
        yield say(check, "dialplan.uncalled")
    else:
        named = [f"{extension}@{context}" for context, extension in places]
        more = f" and {len(named) - SHOWN} more" if len(named) > SHOWN else ""
        yield say(check, "dialplan.calls", places=", ".join(named[:SHOWN]) + more)


# --- whom it asks -----------------------------------------------------------------------------------------


def _asked(patient: Patient, dialplan: Dialplan, system: str) -> Iterator[Finding]:
    check, settings = patient.check("dialplan"), patient.settings
    asked = dialplan.assigned("cti-site", "CTI_FASTAGI")
    if asked is None:
        yield say(check, "dialplan.no_site")
        return
    if not asked:
        yield say(check, "dialplan.script")
        return
    host, _, port = asked.rpartition(":") if ":" in asked else (asked, ":", "4573")
    right = f"{_our_address(patient)}:{settings.fastagi_port}"
    facts = {"found": asked, "right": right, "port": settings.fastagi_port}
    if settings.fastagi_port and port != str(settings.fastagi_port):
        yield say(check, "dialplan.port", **facts)
    else:
        reaches = _is_us(patient, host)
        code = {True: "address", False: "host", None: "address_unsure"}[reaches]
        yield say(check, f"dialplan.{code}", **facts)
    if len(known := [pbx.name for pbx in settings.attached()]) > 1:
        name = (dialplan.assigned("cti-site", "CTI_PBX") or "").replace("${SYSTEMNAME}", system)
        if name != patient.pbx.name:
            yield say(
                check, "dialplan.pbx", found=name or "nothing", known=", ".join(known), right=patient.pbx.name
            )


def _our_address(patient: Patient) -> str:
    """The address by which this PBX reaches us: the one we listen on, or, if we listen on all, our address towards
    it."""
    host = patient.settings.fastagi_host
    return patient.local if host in ("", "0.0.0.0", "::") else host  # noqa: S104 - compared, not bound


def _is_us(patient: Patient, host: str) -> bool | None:
    """Whether the PBX reaches us by this name; None when name resolution or a NAT keeps us from knowing."""
    here = loopback(patient.peer) or patient.peer == patient.local  # the PBX is on this machine
    if loopback(host):
        return here
    try:
        addresses = {str(info[4][0]) for info in socket.getaddrinfo(host, None)}
    except OSError:
        return None
    if not here and loopback(patient.settings.fastagi_host):
        return False
    if patient.local in addresses or patient.settings.fastagi_host in addresses:
        return True
    return False if here and all(_not_of_this_machine(address) for address in addresses) else None


def _not_of_this_machine(address: str) -> bool:
    family = socket.AF_INET6 if ipaddress.ip_address(address).version == 6 else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return True
    return False


# --- each line --------------------------------------------------------------------------------------------


def _lines(patient: Patient, dialplan: Dialplan, lines: Sequence[Line]) -> Iterator[Finding]:
    check = patient.check("lines")
    if not lines:
        yield say(check, "line.none", region=patient.settings.default_region)
        return
    fine: list[str] = []
    for line in lines:
        finding = _line(check, dialplan, line)
        if finding is None:
            fine.append(line.raw)
        else:
            yield finding
    if fine:
        yield say(check, "line.ok", numbers=", ".join(fine))


def _line(check: str, dialplan: Dialplan, line: Line) -> Finding | None:
    written = dict.fromkeys(
        n for n in (line.raw, line.raw.lstrip("+"), line.e164, (line.e164 or "").lstrip("+")) if n
    )
    found = [(context, number) for number in written for context in dialplan.contexts_with(number)]
    if not found:
        return say(check, "line.absent", number=line.raw)
    context, number = found[0]
    reached = dialplan.follow(context, number)
    if reached.unasked:
        where, extension, queue = reached.unasked[0]
        facts = {"queue": queue, "context": where, "extension": extension}
        return say(check, "line.unasked", number=line.raw, **facts)
    if not reached.asked:
        where, extension = reached.ends
        return say(check, "line.lost", number=line.raw, context=where, extension=extension)
    return None
