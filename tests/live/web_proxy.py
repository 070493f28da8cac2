"""A real nginx and a real Caddy, in the foreground, on loopback, with a configuration of the test's.

This machine's own are taken where it has them. Else the Debian packages are unpacked into the cache: installing
them would start a web server on port 80, now and at each boot.
"""

from __future__ import annotations

import fcntl
import functools
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from cti_server.demo.asterisk_root import debian_architecture

NAME = "cti.example.com"  # as in the documents; the browser is told that it is 127.0.0.1
START_WITHIN_S = 20


@functools.lru_cache
def program(name: str) -> str:
    """The path of nginx or caddy. Fails, with the line that helps, where it cannot be had: never skips."""
    if found := shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin"):
        return found
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").absolute()
    folder = cache / "cti-server" / f"{name}-{debian_architecture()}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            _unpack(name, folder)
    return next(str(path) for path in (folder / f"usr/sbin/{name}", folder / f"usr/bin/{name}") if path.exists())


def _unpack(name: str, folder: Path) -> None:
    half = folder.with_suffix(".half")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir()
    download = ["apt-get", "download", "-q", name]
    if subprocess.run(download, cwd=half, capture_output=True).returncode != 0:
        subprocess.run(["apt-get", "update", "-qq"], capture_output=True)  # a fresh machine has no lists yet
        done = subprocess.run(download, cwd=half, capture_output=True, text=True)
        if done.returncode != 0:
            pytest.fail(
                f"these tests need {name}; as root: apt-get install -y {name}\n{done.stderr}", pytrace=False
            )
    [package] = half.glob("*.deb")
    subprocess.run(["dpkg-deb", "-x", str(package), str(half)], check=True)
    half.rename(folder)


@dataclass(frozen=True)
class Certificate:
    """For `NAME`, by an authority that nobody knows: what an administrator makes for a trial."""

    chain: Path
    key: Path


def certificate(folder: Path) -> Certificate:
    made = Certificate(folder / "fullchain.pem", folder / "privkey.pem")
    issued = trustme.CA().issue_cert(NAME)
    made.chain.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    made.key.write_bytes(issued.private_key_pem.bytes())
    return made


@contextmanager
def nginx(folder: Path, servers: str, port: int) -> Iterator[None]:
    """nginx with these lines in `http { … }`, as a file in conf.d is; `port` is one on which it listens."""
    temporary = "".join(
        f"    {kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off;\nuser {'root' if os.geteuid() == 0 else 'nobody'};\nworker_processes 1;\npid {folder}/pid;\n"
        f"error_log {folder}/error.log;\nevents {{}}\nhttp {{\n    access_log off;\n{temporary}{servers}}}\n"
    )
    with _running([program("nginx"), "-p", str(folder), "-c", str(folder / "nginx.conf")], folder, port):
        yield


@contextmanager
def caddy(folder: Path, sites: str, port: int) -> Iterator[None]:
    """Caddy with this Caddyfile. `port` is that of https; on no other does it listen."""
    own = f"{{\n    admin off\n    auto_https disable_redirects\n    https_port {port}\n}}\n"
    (folder / "Caddyfile").write_text(own + sites)
    command = [program("caddy"), "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]
    with _running(command, folder, port):
        yield


@contextmanager
def _running(command: list[str], folder: Path, port: int) -> Iterator[None]:
    log = folder / "proxy.log"
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    with log.open("wb") as out:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", *command], stdout=out, stderr=out, env=environment, cwd=folder
        )
    try:
        deadline = time.monotonic() + START_WITHIN_S
        while not _answers(port):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, f"no proxy on port {port}: {log.read_text()}"
            time.sleep(0.02)
        yield
    finally:
        process.terminate()
        process.wait(10)


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
