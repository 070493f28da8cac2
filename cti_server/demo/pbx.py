"""A real Asterisk for the demo and the tests: started, asked, stopped, killed; everything on 127.0.0.1."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.util
import secrets
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from cti_server.demo.asterisk_root import (
    AsteriskTree,
    DemoUnavailable,
    find_or_build,
    require_root,
    require_tools,
)
from cti_server.demo.ports import free_ports, voice_ports
from cti_server.demo.render import ROLES, PbxConfig, render

START_LIMIT_S = 60.0
STOP_LIMIT_S = 5.0


class DemoPbx:
    """A context manager around one instance; several can run side by side. Blocking: from asyncio, use a thread.

    `config`, with ports and secrets, is final once the object is made. The work folder is deleted at the end
    unless `keep` names one.
    """

    def __init__(
        self, config: PbxConfig | None = None, *, keep: Path | None = None, tree: AsteriskTree | None = None
    ) -> None:
        require_root("the demo PBX", shlex.join([sys.executable, *sys.argv]))
        require_tools("mount", "nsenter")
        self._held = contextlib.ExitStack()
        voice = self._held.enter_context(voice_ports())
        self.config = dataclasses.replace(config or free_config(), rtp_ports=voice)
        self._tree = tree or find_or_build()
        self._keep = keep
        self.work = keep or Path(tempfile.mkdtemp(prefix=f"cti-pbx-{self.config.name}-"))
        self._inside = str(self.work) if self._tree.is_system else "/lab"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self._prepare()
            self.start()
        except BaseException:
            self._clean_up()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.stop()
        finally:
            self._clean_up()

    @property
    def log_file(self) -> Path:
        """Asterisk's log: notices, warnings, errors, and each dialplan step."""
        return self.work / "log" / "messages.log"

    @property
    def ami_certificate(self) -> Path:
        """What a TLS client of AMI or wss must trust. It exists only if the configuration has a port for one."""
        return self.work / "keys" / "ami.crt"

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Starts Asterisk and waits for FullyBooted. Raises DemoUnavailable, with the end of the log."""
        asterisk = [self._tree.binary, "-f", "-C", f"{self._inside}/etc/asterisk.conf"]
        jail = [
            sys.executable,
            "-I",
            str(Path(__file__).with_name("jail.py")),
            str(self._tree.root),
            str(self.work),
        ]
        with (self.work / "log" / "console.log").open("ab") as console:
            self._process = subprocess.Popen(
                [*jail, *asterisk],
                stdin=subprocess.PIPE,
                stdout=console,
                stderr=console,
                env={
                    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
                    "LC_ALL": "C.UTF-8",
                    "PYTHONPATH": f"{self._inside}/python",
                },
            )
        deadline = time.monotonic() + START_LIMIT_S
        # Some core commands exist only a moment after FullyBooted.
        while not self._fully_booted() or "No such command" in self.cli("core show settings"):
            if not self.running or time.monotonic() > deadline:
                self.kill9()
                raise DemoUnavailable(f"Asterisk did not start:\n{self._tail()}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Stops Asterisk as `core stop now` does: channels get a hangup. Nothing is left running or mounted."""
        if self._process is None:
            return
        if self.running:
            self._process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_LIMIT_S)
        self.kill9()

    def kill9(self) -> None:
        """Kills Asterisk without warning, as a power cut does."""
        if self._process is None:
            return
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process = None
        for left in (self.work / "run").glob("asterisk.*"):
            left.unlink()

    def restart(self) -> None:
        self.stop()
        self.start()

    def cli(self, command: str) -> str:
        """What `asterisk -rx command` prints. Raises DemoUnavailable when the PBX is not running."""
        if self._process is None:
            raise DemoUnavailable("the demo PBX is not running")
        asked = [self._tree.binary, "-C", f"{self._inside}/etc/asterisk.conf", "-rx", command]
        inner = next(iter(_children(self._process.pid)))
        enter = [] if self._tree.is_system else ["nsenter", "-t", str(inner), "-m", "-r"]
        return subprocess.run(
            [*enter, *asked], capture_output=True, text=True, errors="replace", timeout=60
        ).stdout

    def _prepare(self) -> None:
        modules = next(iter(sorted(self._tree.root.glob("usr/lib/*/asterisk/modules"))), None)
        if modules is None:
            raise DemoUnavailable(f"{self._tree.root} has no Asterisk modules; remove that folder and start again")
        render(self.config, self.work, self._inside, modules)
        if self.config.ami_tls_port or self.config.https_port:
            make_certificate(self.work / "keys", "ami")
        _copy_python_packages(self.work / "python")

    def _clean_up(self) -> None:
        self.kill9()
        self._held.close()
        if self._keep is None:
            shutil.rmtree(self.work, ignore_errors=True)

    def _fully_booted(self) -> bool:
        """Whether an AMI login gets FullyBooted. The banner alone comes before the modules are loaded."""
        try:
            with socket.create_connection(("127.0.0.1", self.config.ami_port), 1) as ami:
                ami.settimeout(1)
                secret = self.config.secrets["cti-events"]
                ami.sendall(f"Action: Login\r\nUsername: cti-events\r\nSecret: {secret}\r\n\r\n".encode())
                received = b""
                while b"Event: FullyBooted" not in received:
                    if not (data := ami.recv(65536)):
                        return False
                    received += data
                return True
        except OSError:
            return False

    def _tail(self) -> str:
        lines: list[str] = []
        for file in (self.work / "log" / "console.log", self.log_file):
            if file.exists():
                lines += file.read_text(errors="replace").splitlines()[-15:]
        return "\n".join(lines)


def free_config(name: str = "demo", **changes: object) -> PbxConfig:
    """A configuration on ports that nobody else uses, with fresh secrets. `changes` are fields of PbxConfig."""
    with free_ports(6) as (sip, ami, tls, http, https, trunk):
        made = {role: secrets.token_hex(16) for role in ROLES}
        found: dict[str, object] = {
            "sip_port": sip,
            "ami_port": ami,
            "ami_tls_port": tls,
            "http_port": http,
            "https_port": https,
            "trunk_port": trunk,
        }
        return PbxConfig(**{"name": name, "secrets": made, **found, **changes})  # type: ignore[arg-type]


def make_certificate(folder: Path, name: str) -> None:
    """A self-signed certificate for 127.0.0.1: {name}.crt for clients, {name}.pem (with the key) for Asterisk."""
    if not shutil.which("openssl"):
        raise DemoUnavailable(
            "TLS needs openssl; run: apt-get install -y openssl, or set ami_tls_port and https_port to 0"
        )
    key, certificate = folder / f"{name}.key", folder / f"{name}.crt"
    made = [
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "30",
        "-subj",
        "/CN=127.0.0.1",
    ]
    names = [
        "-addext",
        "subjectAltName=IP:127.0.0.1,DNS:localhost",
        "-keyout",
        str(key),
        "-out",
        str(certificate),
    ]
    subprocess.run(["openssl", *made, *names], check=True, capture_output=True)
    (folder / f"{name}.pem").write_bytes(key.read_bytes() + certificate.read_bytes())


def _copy_python_packages(target: Path) -> None:
    """Copies pyst2 for the scripts in agi-bin, which run inside the tree."""
    for name in ("asterisk", "six"):
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            continue
        origin = Path(spec.origin)
        if origin.name == "__init__.py":
            shutil.copytree(origin.parent, target / name, dirs_exist_ok=True)
        else:
            shutil.copy(origin, target / origin.name)


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
