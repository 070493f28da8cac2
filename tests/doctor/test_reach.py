"""Each way in which a manager port is not what the settings say, with a real socket at the other end."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trustme

from cti_server.doctor.findings import Finding
from cti_server.doctor.manager import reach as reaching
from cti_server.doctor.manager.reach import Unreachable, reach
from cti_server.settings import PbxSettings, Settings

BANNER = b"Asterisk Call Manager/11.0.0\r\n"


@asynccontextmanager
async def saying(words: bytes, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server that says this to everybody and keeps the connection; gives its port."""
    until = asyncio.Event()

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(words)
        await until.wait()
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        until.set()
        server.close()


def server_tls(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name).configure_cert(context)
    return context


async def finding(port: int, **given: object) -> Finding:
    pbx = PbxSettings(port=port, **given)  # type: ignore[arg-type]
    with pytest.raises(Unreachable) as no:
        await reach(Settings(_env_file=None), pbx)
    return no.value.finding


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reaching, "BANNER_S", 0.3)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca(authority: trustme.CA, tmp_path: Path) -> Path:
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    return file


async def test_a_manager_is_reached() -> None:
    async with saying(BANNER) as port:
        patient = await reach(Settings(_env_file=None), PbxSettings(port=port))
    assert (patient.version, patient.peer, patient.local) == ("11.0.0", "127.0.0.1", "127.0.0.1")


async def test_a_manager_is_reached_over_tls(authority: trustme.CA, ca: Path) -> None:
    async with saying(BANNER, server_tls(authority, "127.0.0.1")) as port:
        patient = await reach(Settings(_env_file=None), PbxSettings(port=port, tls=True, ca=ca))
    assert patient.version == "11.0.0"


async def test_nobody_listens() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        found = await finding(held.getsockname()[1])
    assert found.code == "ami.refused"
    assert "enabled = yes" in (found.remedy or "")
    assert "manager.conf" in (found.remedy or "")
    assert "CTI_AMI_PORT" in (found.remedy or "")


async def test_a_name_that_nobody_knows() -> None:
    assert (await finding(5038, host="pbx.invalid")).code == "ami.unknown_host"


async def test_something_else_listens() -> None:
    async with saying(b"SSH-2.0-OpenSSH_9.2\r\n") as port:
        found = await finding(port)
    assert found.code == "ami.not_ami"
    assert "SSH-2.0" in found.what


async def test_something_that_says_nothing() -> None:
    async with saying(b"") as port:
        assert (await finding(port)).code == "ami.silent"


async def test_tls_at_the_pbx_and_none_here(authority: trustme.CA) -> None:
    async with saying(BANNER, server_tls(authority, "127.0.0.1")) as port:
        found = await finding(port)
    assert (found.code, found.remedy) == ("ami.plain_here", "In .env:  CTI_AMI_TLS=true")


async def test_tls_here_and_none_at_the_pbx() -> None:
    async with saying(BANNER) as port:
        found = await finding(port, tls=True)
    assert found.code == "ami.tls_here"
    assert "CTI_AMI_TLS=false" in (found.remedy or "")


async def test_a_certificate_that_nobody_vouches_for(authority: trustme.CA) -> None:
    async with saying(BANNER, server_tls(authority, "127.0.0.1")) as port:
        found = await finding(port, tls=True)
    assert found.code == "ami.untrusted"
    assert "CTI_AMI_CA=" in (found.remedy or "")


async def test_a_certificate_for_another_name(authority: trustme.CA, ca: Path) -> None:
    async with saying(BANNER, server_tls(authority, "pbx.example")) as port:
        found = await finding(port, tls=True, ca=ca)
    assert found.code == "ami.wrong_name"
    assert "subjectAltName = IP:127.0.0.1" in (found.remedy or "")


async def test_a_ca_file_that_is_not_there(tmp_path: Path) -> None:
    found = await finding(5039, tls=True, ca=tmp_path / "none.pem")
    assert found.code == "ami.ca"
    assert "none.pem" in found.what


async def test_settings_in_cti_pbxs_are_named_as_they_are_written_there() -> None:
    async with saying(BANNER, server_tls(trustme.CA(), "127.0.0.1")) as port:
        pbx = PbxSettings(name="north", port=port)
        with pytest.raises(Unreachable) as no:
            await reach(Settings(_env_file=None, pbxs=(pbx,)), pbx)
    assert no.value.finding.remedy == 'In .env, CTI_PBXS, "north":  "tls": true'
