"""Finds, or builds once in a cache, the file tree that holds a real Asterisk 22.

Debian 12 and 13 ship no Asterisk but sid ships 22, so the tree is a debootstrap of sid outside the checkout,
keyed by version and architecture. The mirror comes from the machine's own apt configuration: behind a site's
proxy, or with an air-gapped mirror, no other address works.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ASTERISK_MAJOR = 22
SUITE = "sid"
# python3 runs the scripts of dialplans/agi-bin, which Asterisk itself starts.
PACKAGES = ("asterisk", "asterisk-core-sounds-en-gsm", "python3")
OLDEST_SYSTEM_MAJOR = 20
BUILD_LIMIT_S = 1800

_DEBIAN_SUITE = re.compile(
    r"^(bullseye|bookworm|trixie|forky|duke|sid|stable|oldstable|testing|unstable)(-updates)?/?$"
)


class DemoUnavailable(RuntimeError):
    """The demo PBX cannot be started here; the text names the line that fixes it."""


@dataclass(frozen=True)
class AsteriskTree:
    """Where an Asterisk lives: `root` is what to chroot into, "/" for the system's own."""

    root: Path
    binary: str = "/usr/sbin/asterisk"

    @property
    def is_system(self) -> bool:
        return self.root == Path("/")


def find_or_build(env: Mapping[str, str] = os.environ) -> AsteriskTree:
    """The tree to run from; building it takes a minute. Raises DemoUnavailable, with the line that fixes it."""
    if env.get("CTI_ASTERISK", "") == "system":
        return _system_asterisk()
    root = cached_root(env)
    if not _usable(root):
        build(root, env)
    return AsteriskTree(root)


def cached_root(env: Mapping[str, str] = os.environ) -> Path:
    """Where the tree lives: CTI_ASTERISK_ROOT, else the user's cache, keyed by version and architecture."""
    if chosen := env.get("CTI_ASTERISK_ROOT"):
        return Path(chosen).absolute()
    cache = Path(env.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache.absolute() / "cti-server" / f"asterisk-{ASTERISK_MAJOR}-{debian_architecture()}"


def debian_architecture() -> str:
    """The architecture as Debian names it (amd64, arm64)."""
    if shutil.which("dpkg"):
        return subprocess.run(
            ["dpkg", "--print-architecture"], check=True, capture_output=True, text=True
        ).stdout.strip()
    names = {"x86_64": "amd64", "aarch64": "arm64"}
    return names.get(os.uname().machine, os.uname().machine)


def require_tools(*tools: str) -> None:
    """Raises DemoUnavailable with one `apt-get install` line for every missing tool."""
    packages = {
        "sipp": "sip-tester",
        "baresip": "baresip-core",
        "linphonec": "linphone-cli",
        "debootstrap": "debootstrap",
        "nsenter": "util-linux",
        "setpriv": "util-linux",
        "mount": "mount",
    }
    missing = [packages[tool] for tool in tools if not shutil.which(tool, path=_search_path())]
    if missing:
        raise DemoUnavailable(f"missing on this machine; run: {_sudo()}apt-get install -y {' '.join(missing)}")


def require_root(purpose: str, again: str) -> None:
    """Raises DemoUnavailable, naming the sudo line, unless this process may mount and chroot."""
    if os.geteuid() != 0:
        raise DemoUnavailable(f"{purpose} needs root (mount and chroot); run: sudo {again}")


def build(root: Path, env: Mapping[str, str] = os.environ) -> None:
    """Builds the tree beside its place and renames it when complete, so that a half-built tree is never used."""
    again = f"{shlex.quote(sys.executable)} -m cti_server.demo.asterisk_root"
    again = f"CTI_ASTERISK_ROOT={shlex.quote(str(root))} {again}"
    require_root("building the Asterisk tree", again)
    require_tools("debootstrap")
    mirror = env.get("CTI_DEBIAN_MIRROR") or debian_mirror(read_apt_sources())
    if mirror is None:
        raise DemoUnavailable(
            "no Debian mirror in this machine's apt configuration; set CTI_DEBIAN_MIRROR to one that carries sid "
            f"(and on Ubuntu run: {_sudo()}apt-get install -y debian-archive-keyring), or use the system's own: "
            f"{_sudo()}apt-get install -y asterisk sip-tester, then CTI_ASTERISK=system"
        )
    root.parent.mkdir(parents=True, exist_ok=True)
    with _one_builder(root):
        if _usable(root):  # another process built it while this one waited for the lock
            return
        half = root.with_name(root.name + ".building")
        _remove(half)
        _remove(root)
        _debootstrap(half, mirror)
        half.rename(root)


def _debootstrap(target: Path, mirror: str) -> None:
    print(
        f"building Asterisk {ASTERISK_MAJOR} in {target.parent} (about a minute, once) …",
        file=sys.stderr,
        flush=True,
    )
    command = [
        "debootstrap",
        "--variant=minbase",
        f"--include={','.join(PACKAGES)}",
        SUITE,
        str(target),
        mirror,
    ]
    log = target.with_name(target.name + ".log")
    try:
        with log.open("wb") as out:
            done = subprocess.run(
                command, stdout=out, stderr=subprocess.STDOUT, timeout=BUILD_LIMIT_S, env=_build_env()
            )
    except subprocess.TimeoutExpired:
        raise DemoUnavailable(f"debootstrap took over {BUILD_LIMIT_S} s; its log is {log}") from None
    binary = target / "usr/sbin/asterisk"
    if done.returncode or not binary.exists():
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-5:])
        raise DemoUnavailable(f"{shlex.join(command)} failed ({done.returncode}); its log is {log}:\n{tail}")
    (target / "lab").mkdir(exist_ok=True)  # where each instance's work folder is mounted
    for package in (target / "var/cache/apt/archives").glob("*.deb"):
        package.unlink()
    log.unlink()


def _build_env() -> dict[str, str]:
    """debootstrap downloads with wget, which does not read apt's proxy."""
    env = {**os.environ, "PATH": _search_path(), "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    for scheme in ("http", "https"):
        if f"{scheme}_proxy" not in env and shutil.which("apt-config"):
            asked = ["apt-config", "shell", "P", f"Acquire::{scheme}::Proxy"]
            answer = subprocess.run(asked, capture_output=True, text=True).stdout
            if words := shlex.split(answer.partition("=")[2]):
                env[f"{scheme}_proxy"] = words[0]
    return env


@contextlib.contextmanager
def _one_builder(root: Path) -> Iterator[None]:
    with root.with_name(root.name + ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _usable(root: Path) -> bool:
    return (root / "usr/sbin/asterisk").exists() and (root / "lab").is_dir()


def _remove(tree: Path) -> None:
    """Removes an unusable tree, unless something is mounted in it: a bind-mounted /dev must not be emptied."""
    if any(line.split()[1].startswith(f"{tree}/") for line in Path("/proc/mounts").read_text().splitlines()):
        raise DemoUnavailable(
            f"{tree} has mounts in it; run: {_sudo()}umount -R {shlex.quote(str(tree))}/*, then try again"
        )
    if tree.exists():
        shutil.rmtree(tree)


def _system_asterisk() -> AsteriskTree:
    binary = shutil.which("asterisk", path=_search_path())
    if binary is None:
        raise DemoUnavailable(
            f"CTI_ASTERISK=system, but there is no asterisk; run: {_sudo()}apt-get install -y asterisk"
        )
    version = subprocess.run([binary, "-V"], capture_output=True, text=True).stdout.strip()
    found = re.search(r"Asterisk (?:certified/)?(\d+)\.", version)
    if found is None or int(found[1]) < OLDEST_SYSTEM_MAJOR:
        raise DemoUnavailable(
            f"CTI_ASTERISK=system needs Asterisk {OLDEST_SYSTEM_MAJOR} or newer, this is: {version or 'unknown'}"
        )
    return AsteriskTree(Path("/"), binary)


def read_apt_sources(apt: Path = Path("/etc/apt")) -> list[tuple[str, str]]:
    """The machine's apt configuration as (URI, suite) pairs, in apt's order; disabled entries left out."""
    pairs: list[tuple[str, str]] = []
    files = [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))]
    for file in files:
        if file.suffix == ".list" and file.is_file():
            pairs += one_line_sources(file.read_text(errors="replace"))
        elif file.suffix == ".sources" and file.is_file():
            pairs += deb822_sources(file.read_text(errors="replace"))
    return pairs


def one_line_sources(text: str) -> list[tuple[str, str]]:
    """`deb [options] URI suite component…` lines, sources.list(5)."""
    lines = re.finditer(r"^[ \t]*deb[ \t]+(?:\[[^\]]*\][ \t]*)?(\S+)[ \t]+(\S+)", text, re.MULTILINE)
    return [(found[1], found[2]) for found in lines]


def deb822_sources(text: str) -> list[tuple[str, str]]:
    """Stanzas of `Field: values`, continued by indented lines, sources.list(5)."""
    pairs: list[tuple[str, str]] = []
    text = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for stanza in re.split(r"\n[ \t]*\n", text):
        fields = {
            name.lower(): value.split()
            for name, value in re.findall(r"^([\w-]+):((?:.*(?:\n[ \t].*)*))", stanza, re.MULTILINE)
        }
        if fields.get("enabled", ["yes"]) == ["no"] or "deb" not in fields.get("types", []):
            continue
        pairs += [(uri, suite) for uri in fields.get("uris", []) for suite in fields.get("suites", [])]
    return pairs


def debian_mirror(sources: list[tuple[str, str]]) -> str | None:
    """The URI of the first source that is a full Debian archive (a Debian suite, not security); else None."""
    for uri, suite in sources:
        if not _DEBIAN_SUITE.match(suite) or "security" in uri:
            continue
        if uri.startswith("mirror+file:"):
            listed = Path(uri.removeprefix("mirror+file:"))
            first = listed.read_text().split() if listed.is_file() else []
            uri = first[0] if first else ""
        if uri.startswith(("http://", "https://", "file:")):
            return uri.rstrip("/")
    return None


def _search_path() -> str:
    return os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


def _sudo() -> str:
    return "" if os.geteuid() == 0 else "sudo "


if __name__ == "__main__":
    try:
        print(find_or_build().root)
    except DemoUnavailable as problem:
        sys.exit(str(problem))
