"""Reaching a PBX's manager: whether anything listens, speaks AMI, plain or by TLS, is trusted, and lets us in."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from cti_server.asterisk.actions import Role
from cti_server.asterisk.link import tls_context
from cti_server.asterisk.session import LinkLost, Refused, Session
from cti_server.doctor.environment import line, secret_variable, variable
from cti_server.doctor.findings import Finding, say
from cti_server.settings import Account, PbxSettings, Settings
from cti_server.wire.ami import BANNER_START, Message, NotAmi

CONNECT_S = 5.0
BANNER_S = 3.0  # Asterisk sends it at once
DEFAULT_SECRET = "CHANGE-ME"  # noqa: S105 - what manager_cti.conf is shipped with
FILE = "manager_cti.conf"


@dataclass(frozen=True, slots=True)
class Patient:
    """A PBX under examination: its settings, its address (`peer`) and ours (`local`) on the connection, and the
    AMI version."""

    settings: Settings
    pbx: PbxSettings
    tls: ssl.SSLContext | None
    peer: str
    local: str
    version: str

    def check(self, part: str) -> str:
        return f"{self.pbx.name}: {part}"

    async def sign_in(self, account: Account, on_event: Callable[[Message], None] | None = None) -> Session:
        """Open a session as this account. Raises what Session.open raises."""
        return await Session.open(
            self.pbx.host,
            self.pbx.port,
            account,
            tls=self.tls,
            on_event=on_event,
            encodings=self.pbx.encodings,
        )


class Unreachable(Exception):
    """The manager cannot be reached; `finding` says why."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.what)
        self.finding = finding


async def reach(settings: Settings, pbx: PbxSettings) -> Patient:
    """Connect without signing in. Raises Unreachable."""
    check = f"{pbx.name}: manager"
    facts: dict[str, object] = {
        "host": pbx.host,
        "port": pbx.port,
        "bind": _bind_for(pbx.host),
        "variable": variable(settings, pbx, "port"),
        "tls_on": line(settings, pbx, "tls", "true"),
        "tls_off": line(settings, pbx, "tls", "false"),
        "ca_variable": variable(settings, pbx, "ca"),
        "ca_line": line(settings, pbx, "ca", "/etc/cti-server/pbx.crt"),
        "host_variable": variable(settings, pbx, "host"),
    }

    def no(code: str, **more: object) -> Unreachable:
        return Unreachable(say(check, code, **facts | more))

    try:
        tls = tls_context(pbx)
    except OSError as wrong:  # ssl.SSLError is one
        raise no("ami.ca", file=pbx.ca, why=wrong.strerror or wrong) from None
    try:
        said, peer, local = await _hear(pbx.host, pbx.port, tls)
    except ssl.SSLCertVerificationError as wrong:
        if wrong.verify_code in (62, 64):  # hostname mismatch, address mismatch
            alternative = "IP" if _is_address(pbx.host) else "DNS"
            raise no("ami.wrong_name", why=wrong.verify_message, alternative=alternative) from None
        raise no("ami.untrusted", why=wrong.verify_message) from None
    except ssl.SSLError as wrong:
        plain = await _hear_quietly(pbx.host, pbx.port, None)
        why = wrong.reason or wrong
        raise (no("ami.tls_here") if plain.startswith(BANNER_START) else no("ami.tls_failed", why=why)) from None
    except socket.gaierror as wrong:
        raise no("ami.unknown_host", why=wrong.strerror, variable=facts["host_variable"]) from None
    except ConnectionRefusedError:
        raise no("ami.refused") from None
    except (TimeoutError, OSError) as wrong:
        why = getattr(wrong, "strerror", None) or f"no connection in {CONNECT_S:g} s"
        raise no("ami.timeout", why=why) from None
    if said.startswith(BANNER_START):
        version = said[len(BANNER_START) :].decode("ascii", "backslashreplace").strip()
        return Patient(settings, pbx, tls, peer, local, version)
    if tls is None and (await _hear_quietly(pbx.host, pbx.port, _trusting())).startswith(BANNER_START):
        raise no("ami.plain_here")
    if said:
        raise no("ami.not_ami", said=repr(said[:60].decode("ascii", "backslashreplace")))
    raise no("ami.silent")


async def sign_in(
    patient: Patient, role: Role, account: Account, on_event: Callable[[Message], None] | None = None
) -> Session | Finding:
    """A session of this role, or why there is none."""
    settings, pbx, check = patient.settings, patient.pbx, patient.check("manager")
    facts: dict[str, object] = {
        "user": account.user,
        "file": FILE,
        "variable": secret_variable(settings, pbx, role),
        "line": line(settings, pbx, f"{role.value}_secret", "…"),
        "local": patient.local,
    }
    if not account.secret.get_secret_value():
        return say(check, "account.no_secret", **facts)
    try:
        return await patient.sign_in(account, on_event)
    except Refused as refused:
        return say(check, "account.refused", **facts | {"why": str(refused).rpartition(": ")[2]})
    except (LinkLost, NotAmi, TimeoutError, OSError) as lost:
        return say(check, "ami.lost", host=pbx.host, port=pbx.port, why=str(lost) or type(lost).__name__)


async def _hear(host: str, port: int, tls: ssl.SSLContext | None) -> tuple[bytes, str, str]:
    """What the other end sends first (empty when nothing came in time), its address and ours."""
    async with asyncio.timeout(CONNECT_S):
        reader, writer = await asyncio.open_connection(host, port, ssl=tls)
    try:
        peer, local = writer.get_extra_info("peername")[0], writer.get_extra_info("sockname")[0]
        said = b""
        with suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(BANNER_S):
                said = await reader.read(1024)
        return said, peer.split("%")[0], local.split("%")[0]
    finally:
        writer.transport.abort()


async def _hear_quietly(host: str, port: int, tls: ssl.SSLContext | None) -> bytes:
    with suppress(OSError, TimeoutError):
        return (await _hear(host, port, tls))[0]
    return b""


def _trusting() -> ssl.SSLContext:
    """Trusts anybody. Only to find out whether the other end speaks TLS at all; nothing is sent through it."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _bind_for(host: str) -> str:
    return host if _is_address(host) else "0.0.0.0"  # noqa: S104 - a line for manager.conf


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
