"""The server's own ports: free, held by a running cti-server, or taken; and who may ask FastAGI."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import ipaddress
import json
import re
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from cti_server.doctor.environment import loopback
from cti_server.doctor.findings import Finding, say
from cti_server.settings import Settings

ANSWER_S = 3.0
MAX_BODY = 1 << 20
ANY = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}  # noqa: S104 - read, not bound


@dataclass(frozen=True, slots=True)
class Running:
    """What a running cti-server reports about itself: why it is not ready, its FastAGI lookups counted by
    status, the FastAGI sessions that it closed, by cause, the questions that it refused, by rule, and how many
    callers it has seen join a queue, by PBX."""

    not_ready: str | None = None
    lookups: dict[str, int] = field(default_factory=dict)
    closed: dict[str, int] = field(default_factory=dict)
    queued: dict[str, int] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)


async def examine(settings: Settings) -> list[Finding]:
    web, running = await _web(settings.http_host, settings.http_port)
    findings = [web]
    if running is not None and running.not_ready is not None:
        where = {"host": ANY.get(settings.http_host, settings.http_host), "port": settings.http_port}
        findings.append(say("web", "server.not_ready", why=running.not_ready, **where))
    agi = _listen("FastAGI", settings.fastagi_host, settings.fastagi_port, running is not None)
    if running is not None and agi.code == "port.free":
        agi = say("FastAGI", "fastagi.elsewhere", host=settings.fastagi_host, port=settings.fastagi_port)
    findings.append(agi)
    if running is not None:
        findings.extend(_asked(settings, running))
    return findings


def _asked(settings: Settings, running: Running) -> Iterator[Finding]:
    if count := sum(running.lookups.values()):
        statuses = ", ".join(f"{status} {n}" for status, n in sorted(running.lookups.items()))
        yield say("FastAGI", "fastagi.asked", count=count, statuses=statuses)
    elif running.queued:
        of_pbx, count = max(running.queued.items(), key=lambda pair: pair[1])
        pbx = next((pbx.host for pbx in settings.attached() if pbx.name == of_pbx), "PBX")
        way = way_in(pbx, _towards(settings, pbx), settings.fastagi_port)
        yield say("FastAGI", "fastagi.none_asked", count=count, way=way)
    else:
        yield say("FastAGI", "fastagi.never_asked")
    if running.closed:
        causes = "; ".join(f"{cause} ({n})" for cause, n in sorted(running.closed.items()))
        yield say("FastAGI", "fastagi.closed", causes=causes)
    if running.refused:
        rules = "; ".join(f"{rule} ({n})" for rule, n in sorted(running.refused.items()))
        yield say("FastAGI", "fastagi.refused", rules=rules)


def way_in(pbx: str, here: str, port: int) -> str:
    """What lets the questions of a PBX in: `here` is our address towards it. No firewall stands between two
    programs of one machine."""
    tells = f"nc -vz {here} {port}   tells whether it gets here"
    site = f"Set(CTI_FASTAGI={here}:{port})   in cti_site.conf"
    if loopback(pbx) or pbx == here:
        return f"On this machine:  {tells}\n{site}"
    return (
        f"On the PBX:  {tells}; if not, open the firewall here:\n"
        f"ufw allow proto tcp from {pbx} to any port {port}     "
        f"(firewalld: firewall-cmd --permanent --add-port={port}/tcp)\n{site}\n"
        f"In .env:  CTI_FASTAGI_HOST={here}     CTI_FASTAGI_ALLOW=127.0.0.0/8,{pbx}"
    )


def _towards(settings: Settings, pbx: str) -> str:
    """The address at which this PBX finds FastAGI: the one that it listens on, else ours towards the PBX."""
    if settings.fastagi_host not in ANY and not (loopback(settings.fastagi_host) and not loopback(pbx)):
        return settings.fastagi_host
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((pbx, 9))  # sends nothing: the system only chooses the way
        return str(probe.getsockname()[0])
    return settings.fastagi_host


# --- is it free -------------------------------------------------------------------------------------------


async def _web(host: str, port: int) -> tuple[Finding, Running | None]:
    if port == 0:
        return say("web", "port.any", host=host), None
    address = ANY.get(host, host)
    status, body = await _get(address, port, "/healthz")
    if status == 200 and _is_ours(body):
        return say("web", "port.ours", host=host, port=port), await _ask_running(address, port)
    return _listen("web", host, port, ours=False), None


def _listen(check: str, host: str, port: int, ours: bool) -> Finding:
    """What would happen if a server listened there. `ours`: our server is running, so a port in use is its own."""
    variable = "CTI_HTTP" if check == "web" else "CTI_FASTAGI"
    if port == 0:
        return say(check, "port.any", host=host)
    try:
        family, kind, proto, _, address = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, proto) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except PermissionError as why:
        facts = {"user": getpass.getuser(), "port": port, "why": why.strerror, "variable": f"{variable}_PORT"}
        return say(check, "port.denied", **facts)
    except OSError as why:
        if why.errno in _IN_USE:
            code = "port.ours" if ours else "port.taken"
            return say(check, code, host=host, port=port, variable=f"{variable}_PORT")
        return say(check, "port.host", host=host, why=why.strerror or why, variable=f"{variable}_HOST")
    return say(check, "port.free", host=host, port=port)


_IN_USE = {98, 48}  # EADDRINUSE of Linux, of the BSDs


# --- who may ask ------------------------------------------------------------------------------------------


def examine_allowed(settings: Settings, check: str, peer: str, local: str) -> list[Finding]:
    """Whether the PBX at `peer` may ask FastAGI and can reach it; `local` is our address towards that PBX."""
    address = ipaddress.ip_address(peer)
    networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network] = []
    findings: list[Finding] = []
    for network in settings.fastagi_allow:
        try:
            networks.append(ipaddress.ip_network(network, strict=False))
        except ValueError:
            findings.append(say("FastAGI", "fastagi.allow_bad", network=network, example=peer))
    if not any(address in network for network in networks):
        wanted = ",".join([*map(str, networks), peer])
        findings.append(say(check, "fastagi.not_allowed", address=peer, networks=wanted))
    if not address.is_loopback and loopback(settings.fastagi_host):
        findings.append(say(check, "fastagi.loopback", host=settings.fastagi_host, address=peer, local=local))
    return findings or [say(check, "fastagi.allowed", address=peer)]


# --- asking a server that runs ----------------------------------------------------------------------------


async def _ask_running(host: str, port: int) -> Running:
    ready, said = await _get(host, port, "/readyz")
    why = None
    if ready != 200:
        with contextlib.suppress(ValueError, AttributeError):
            why = str(json.loads(said).get("detail") or ready)
    _, metrics = await _get(host, port, "/metrics")
    return Running(
        not_ready=why,
        lookups=_counts(metrics, "cti_identify_seconds_count", "status"),
        closed=_counts(metrics, "cti_fastagi_closed_total", "cause"),
        queued=_counts(metrics, "cti_queue_joins_total", "pbx"),
        refused=_counts(metrics, "cti_identify_refused_total", "rule"),
    )


def _counts(metrics: str, name: str, label: str) -> dict[str, int]:
    found = re.findall(rf'^{name}\{{{label}="((?:[^"\\]|\\.)*)"\}} (\S+)', metrics, re.MULTILINE)
    return {value: int(float(count)) for value, count in found if float(count)}


def _is_ours(body: str) -> bool:
    try:
        return bool(json.loads(body) == {"status": "ok"})
    except ValueError:
        return False


async def _get(host: str, port: int, path: str) -> tuple[int | None, str]:
    """(status, body) of a GET; (None, '') when nobody answers in HTTP."""
    with contextlib.suppress(OSError, TimeoutError, ValueError, IndexError):
        async with asyncio.timeout(ANSWER_S):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(f"GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
                head, _, body = (await _all(reader)).partition(b"\r\n\r\n")
            finally:
                writer.close()
        return int(head.split()[1]), body.decode("utf-8", "replace")
    return None, ""


async def _all(reader: asyncio.StreamReader) -> bytes:
    chunks: Sequence[bytes] = []
    while (chunk := await reader.read(65536)) and sum(map(len, chunks)) < MAX_BODY:
        chunks = [*chunks, chunk]
    return b"".join(chunks)
