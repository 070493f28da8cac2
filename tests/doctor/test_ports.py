"""Ports of our own: free, ours, taken; and who may ask FastAGI."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from cti_server.doctor import ports
from cti_server.settings import Settings

METRICS = (
    'cti_identify_seconds_count{status="ok"} 12.0\ncti_fastagi_closed_total{cause="a \\"b\\""} 2.0\n'
    'cti_identify_refused_total{rule="other_number"} 3.0\n'
)


@asynccontextmanager
async def web_server(pages: Mapping[str, tuple[int, str]]) -> AsyncIterator[int]:
    """An HTTP server with these pages; gives its port."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readline()).decode().split()[1]
        status, body = pages.get(path, (404, ""))
        writer.write(f"HTTP/1.0 {status} x\r\n\r\n{body}".encode())
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def codes(**settings: object) -> list[str]:
    found = await ports.examine(Settings(_env_file=None, **settings))  # type: ignore[arg-type]
    return [finding.code for finding in found]


async def test_both_are_free() -> None:
    assert await codes(http_port=free_port(), fastagi_port=free_port()) == ["port.free", "port.free"]
    assert await codes(http_port=0, fastagi_port=0) == ["port.any", "port.any"]


async def test_another_program_has_them() -> None:
    async with web_server({"/healthz": (200, "hello")}) as taken:
        findings = await ports.examine(Settings(_env_file=None, http_port=taken, fastagi_port=taken))
    assert [finding.code for finding in findings] == ["port.taken", "port.taken"]
    assert f"sport = :{taken}" in (findings[0].remedy or "")
    assert "CTI_HTTP_PORT" in (findings[0].remedy or "")
    assert "CTI_FASTAGI_PORT" in (findings[1].remedy or "")


async def test_a_running_server_is_ours_and_says_how_it_is() -> None:
    pages = {
        "/healthz": (200, '{"status":"ok"}'),
        "/readyz": (503, '{"detail":"the link to main is refused"}'),
        "/metrics": (200, METRICS),
    }
    async with web_server(pages) as port:
        findings = await ports.examine(Settings(_env_file=None, http_port=port, fastagi_port=port))
    assert [finding.code for finding in findings] == [
        "port.ours",
        "server.not_ready",
        "port.ours",
        "fastagi.asked",
        "fastagi.closed",
        "fastagi.refused",
    ]
    assert "other_number (3)" in findings[5].what
    assert "the link to main is refused" in findings[1].what
    assert "12 times (ok 12)" in findings[3].what


async def test_a_running_server_that_nobody_has_asked() -> None:
    pages = {"/healthz": (200, '{"status":"ok"}'), "/readyz": (200, "{}"), "/metrics": (200, "")}
    async with web_server(pages) as port:
        assert await codes(http_port=port, fastagi_port=free_port()) == [
            "port.ours",
            "fastagi.elsewhere",
            "fastagi.never_asked",
        ]


async def test_an_address_that_is_not_this_machines() -> None:
    assert await codes(http_host="192.0.2.1", http_port=free_port(), fastagi_port=0) == ["port.host", "port.any"]


def allowed(peer: str, **settings: object) -> list[tuple[str, str]]:
    given = Settings(_env_file=None, **settings)  # type: ignore[arg-type]
    found = ports.examine_allowed(given, "main: FastAGI", peer, "10.0.0.2")
    return [(finding.code, finding.remedy or "") for finding in found]


def test_who_may_ask() -> None:
    assert allowed("127.0.0.1") == [("fastagi.allowed", "")]
    assert allowed("10.0.0.9") == [
        ("fastagi.not_allowed", "In .env:  CTI_FASTAGI_ALLOW=127.0.0.0/8,::1/128,10.0.0.9"),
        ("fastagi.loopback", "In .env:  CTI_FASTAGI_HOST=10.0.0.2"),
    ]
    assert allowed("10.0.0.9", fastagi_host="0.0.0.0", fastagi_allow="10.0.0.0/24") == [("fastagi.allowed", "")]
    assert allowed("127.0.0.1", fastagi_allow="127.0.0.0/8,ten")[0][0] == "fastagi.allow_bad"
