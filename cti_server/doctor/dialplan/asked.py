"""Whom the dialplan asks who is calling: this server, another one, both in turn, or nobody."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator

from cti_server.doctor.dialplan.plan import Dialplan
from cti_server.doctor.environment import loopback
from cti_server.doctor.findings import Finding, say
from cti_server.doctor.manager.reach import Patient

SECOND = "CTI_FASTAGI_2"


def examine(patient: Patient, plan: Dialplan) -> Iterator[Finding]:
    check, settings = patient.check("dialplan"), patient.settings
    asked = plan.assigned("cti-site", "CTI_FASTAGI")
    if asked is None:
        yield say(check, "dialplan.no_site")
        return
    if not asked:
        yield say(check, "dialplan.script")
        return
    yield from _token(patient, plan)
    second = plan.assigned("cti-site", SECOND) or ""
    if second:
        yield from _second(patient, plan, asked, second)
    right = f"{our_address(patient)}:{settings.fastagi_port}"
    # Of two servers one is another: it is enough that this is either of them.
    found = second if second and _code(patient, second) == "address" else asked
    yield say(check, f"dialplan.{_code(patient, found)}", found=found, right=right, port=settings.fastagi_port)


def _code(patient: Patient, asked: str) -> str:
    """How this address stands to this server: `address`, where it is ours."""
    ours = patient.settings.fastagi_port
    host, port = _parts(asked)
    if ours and port != str(ours):
        return "port"
    return {True: "address", False: "host", None: "address_unsure"}[_is_us(patient, host)]


def _parts(asked: str) -> tuple[str, str]:
    host, _, port = asked.rpartition(":") if ":" in asked else (asked, ":", "4573")
    return host, port


def _second(patient: Patient, plan: Dialplan, first: str, second: str) -> Iterator[Finding]:
    """Whether the second server can be asked, and within the time of the first."""
    check = patient.check("dialplan")
    deadline = plan.assigned("cti-site", "CTI_DEADLINE") or ""
    needs = patient.settings.lookup_deadline_ms / 1000
    if not any(SECOND in place.step.data for place in plan.places() if place.context == "cti-identify"):
        yield say(check, "dialplan.second_old", found=second)
    elif _parts(first) == _parts(second):
        yield say(check, "dialplan.second_same", found=second)
    elif (share := _half(deadline)) is not None and share <= needs:
        yield say(check, "dialplan.second_share", found=deadline, share=f"{share:g}", needs=f"{needs:g}")
    else:
        yield say(check, "dialplan.second", first=first, second=second)


def _half(deadline: str) -> float | None:
    try:
        return float(deadline) / 2
    except ValueError:  # computed, or reported as no number
        return None


def _token(patient: Patient, plan: Dialplan) -> Iterator[Finding]:
    """Whether the questions show what the settings ask for; the values themselves are nobody's to read here."""
    check, secret = patient.check("dialplan"), patient.settings.fastagi_token
    wanted = secret.get_secret_value() if secret is not None else ""
    shown = plan.assigned("cti-site", "CTI_TOKEN") or ""
    if wanted and not any(
        "token=" in place.step.data for place in plan.places() if place.context == "cti-identify"
    ):
        yield say(check, "dialplan.token_old")
    elif wanted != shown and wanted:
        yield say(check, "dialplan.token")


def our_address(patient: Patient) -> str:
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
