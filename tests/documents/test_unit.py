"""docs/cti-server.service: systemd takes it, the server starts under it, and the documents say the same."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from cti_server.demo.ports import free_ports
from tests.documents import DOCS, blocks

UNIT = DOCS / "cti-server.service"
LONGEST_EXPOSURE = 15  # of 100, as `systemd-analyze security` reckons; a service without any line of it has 92


class Settings(configparser.RawConfigParser):
    """A unit: names are case-sensitive, and some come twice."""

    def __init__(self) -> None:
        super().__init__(strict=False, interpolation=None)
        self.optionxform = str  # type: ignore[method-assign, assignment]
        self.read_string(UNIT.read_text())


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with a program that is here: `verify` looks whether it can be started."""
    program = tmp_path / "cti-server"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    made = tmp_path / "cti-server.service"
    made.write_text(UNIT.read_text().replace("/opt/cti-server/bin/cti-server", str(program)))
    return made


def test_systemd_takes_every_line(unit: Path) -> None:
    assert shutil.which("systemd-analyze"), "as root: apt-get install -y systemd"
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    unit.write_text(unit.read_text().replace("UMask=0077", "UMask=worst\nRestartSecs=2"))
    wrong = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    assert "RestartSecs" in wrong.stderr, "it would have been seen"


def test_little_is_left_that_a_broken_in_server_could_do(unit: Path) -> None:
    command = ["systemd-analyze", "security", "--offline=true", f"--threshold={LONGEST_EXPOSURE}", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-300:]


@pytest.fixture
def state() -> Iterator[Path]:
    """Beside /tmp, which the service has for itself."""
    made = Path(tempfile.mkdtemp(prefix="cti-unit-", dir="/var/lib"))
    yield made
    shutil.rmtree(made)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give up rights")
def test_the_server_starts_and_stops_under_the_restrictions(state: Path, tmp_path: Path) -> None:
    service = Settings()["Service"]
    assert service["UMask"] == "0077"
    with free_ports(2) as (http, fastagi):
        pass
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(DOCS.parent),
        "PYTHONDONTWRITEBYTECODE": "1",
        "CTI_HTTP_PORT": str(http),
        "CTI_FASTAGI_PORT": str(fastagi),
        "CTI_AMI_PORT": "1",
        "CTI_DATABASE_URL": f"sqlite:///{state}/cti-server.db",
    }
    restricted = [sys.executable, str(Path(__file__).with_name("restricted.py")), str(state)]

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [*restricted, sys.executable, "-m", "cti_server", *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)

    migrated = run("migrate")
    assert migrated.returncode == 0, migrated.stderr
    assert stat.S_IMODE((state / "cti-server.db").stat().st_mode) == 0o600
    elsewhere = subprocess.run(
        [*restricted, "sh", "-c", f"touch {state}/mine && ! touch /var/lib/theirs /etc/theirs"],
        capture_output=True,
        check=False,
    )
    assert elsewhere.returncode == 0, "the restrictions are none"

    log = tmp_path / "server.log"
    with log.open("wb") as out:
        command = [*restricted, sys.executable, "-m", "cti_server", "serve"]
        server = subprocess.Popen(command, env=environment, stdout=out, stderr=out)
    try:
        transport = httpx.HTTPTransport(retries=10, verify=False)
        with httpx.Client(base_url=f"http://127.0.0.1:{http}", transport=transport) as client:
            assert client.get("/healthz").status_code == 200, log.read_text()
            assert client.get("/metrics").status_code == 200
            wrong = client.post("/api/session", json={"login": "nobody", "password": "wrong"})
            assert wrong.status_code == 401, "argon2 runs"
        began = time.monotonic()
        server.terminate()
        server.wait(float(service["TimeoutStopSec"]))
        assert time.monotonic() - began < float(service["TimeoutStopSec"]) / 2, "a stop has time to spare"
    finally:
        server.kill()
        server.wait()
    assert "Traceback" not in log.read_text(), log.read_text()


def test_the_documents_say_what_the_unit_says() -> None:
    unit = Settings()
    service = unit["Service"]
    program = service["ExecStart"].split()[0]
    for name in ("operations.md", "operations.zh-CN.md"):
        text = (DOCS / name).read_text(encoding="utf-8")
        told = "\n".join(blocks(name, "sh"))
        assert f"{program.rpartition('/')[0]}/pip install" in told, name
        assert f"useradd --system --home-dir {service['WorkingDirectory']} " in told, name
        assert re.search(rf"^useradd .* {service['User']}$", told, re.M), name
        assert f"/etc/{service['ConfigurationDirectory']}/cti-server.env" in told, name
        # systemd leaves a folder that it finds as it is: a fresh one of its own would be closed to the service.
        mode = service["ConfigurationDirectoryMode"].removeprefix("0")
        assert f"install -d -m {mode} -o root -g {service['Group']} /etc/" in told, name
        assert service["WorkingDirectory"] == f"/var/lib/{service['StateDirectory']}"
        assert "/etc/systemd/system/cti-server.service" in text, name
    for name in ("install.md", "install.zh-CN.md"):
        for quoted in blocks(name, "ini"):
            if "[Service]" in quoted:
                assert quoted == UNIT.read_text(), f"docs/{name} quotes another unit"
        assert "cti-server.service" in (DOCS / name).read_text(encoding="utf-8")
