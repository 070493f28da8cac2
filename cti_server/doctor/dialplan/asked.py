"""Whom the dialplan asks who is calling: this server, another one, or nobody."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator

from cti_server.doctor.dialplan.plan import Dialplan
from cti_server.doctor.environment import loopback
from cti_server.doctor.findings import Finding, say
from cti_server.doctor.manager.reach import Patient


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
    host, _, port = asked.rpartition(":") if ":" in asked else (asked, ":", "4573")
    right = f"{our_address(patient)}:{settings.fastagi_port}"
    facts = {"found": asked, "right": right, "port": settings.fastagi_port}
    if settings.fastagi_port and port != str(settings.fastagi_port):
        yield say(check, "dialplan.port", **facts)
    else:
        code = {True: "address", False: "host", None: "address_unsure"}[_is_us(patient, host)]
        yield say(check, f"dialplan.{code}", **facts)


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
