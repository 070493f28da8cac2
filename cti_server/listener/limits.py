"""What the HTTP listener allows its peers, and how many descriptors it leaves to FastAGI, AMI and the database."""

from __future__ import annotations

import ipaddress
import resource
from collections.abc import Sequence
from dataclasses import dataclass

#: Descriptors that HTTP never gets: 500 FastAGI sessions (`asterisk.fastagi.MAX_SESSIONS`), five manager
#: connections a PBX, the database's pool and files, the log, and as many again of those in a moment of change.
RESERVE = 640
#: Refused connections that may wait for their peer to read why. They are taken from HTTP's share.
MOST_ENDING = 128
FEWEST = 16  # connections, however few descriptors there are

IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Limits:
    """Connections at once, in all and for one address; seconds for a request's headers and for its body, and for a
    peer that takes nothing of what it is sent. `held` is bytes: of all bodies that are not complete.

    `proxies` are networks whose addresses stand for many people and are not limited each.
    """

    connections: int = 8192
    per_address: int = 4096
    headers_s: float = 10.0
    body_s: float = 30.0
    stalled_s: float = 30.0
    held: int = 64 * 1024 * 1024
    ending: int = MOST_ENDING
    proxies: tuple[IpNetwork, ...] = ()

    def site_of(self, address: str | None) -> str | None:
        """What is counted as one address: an IPv4 address, a /64 of IPv6. None for what is not counted."""
        if address is None:
            return None  # a Unix socket: the proxy behind it
        try:
            parsed = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return None
        if parsed.version == 6 and parsed.ipv4_mapped is not None:
            parsed = parsed.ipv4_mapped
        if any(parsed in network for network in self.proxies):
            return None
        return str(parsed if parsed.version == 4 else ipaddress.ip_network((parsed, 64), strict=False))


def proxies_of(written: Sequence[str]) -> tuple[IpNetwork, ...]:
    """The networks in CTI_HTTP_PROXIES. `*` is every address; a name or the path of a socket is none."""
    found: list[IpNetwork] = []
    for one in written:
        if one == "*":
            return ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0")
        try:
            found.append(ipaddress.ip_network(one, strict=False))
        except ValueError:
            continue
    return tuple(found)


def raise_descriptors() -> int:
    """Raise this process's soft limit of open files to the hard one, and return the limit that it then has.

    The soft limit is 1,024 nearly everywhere, because select() knows no more; nothing here uses it.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (OSError, ValueError):
            return soft
    return hard if hard != resource.RLIM_INFINITY else 1 << 30


def connections_within(descriptors: int, wanted: int) -> int:
    """How many connections HTTP may have of so many descriptors: `wanted`, or what the reserve leaves."""
    return max(FEWEST, min(wanted, descriptors - RESERVE - MOST_ENDING))
