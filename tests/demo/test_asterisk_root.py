"""Where the Asterisk tree comes from: apt's two formats, the mirror, and what is said when one is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from cti_server.demo import asterisk_root
from cti_server.demo.asterisk_root import (
    DemoUnavailable,
    cached_root,
    deb822_sources,
    debian_mirror,
    one_line_sources,
    read_apt_sources,
)

ONE_LINE = """\
# deb http://commented.example/debian bookworm main
deb [arch=amd64 signed-by=/usr/share/keyrings/x.gpg] http://mirror.example/debian/ trixie main contrib
deb-src http://source.example/debian trixie main
  deb http://security.example/debian-security trixie-security main
"""

DEB822 = """\
Types: deb
# a comment between the fields
URIs: http://one.example/debian
  http://two.example/debian
Suites: bookworm bookworm-updates
Components: main

Types: deb
URIs: http://off.example/debian
Suites: sid
Enabled: no

Types: deb-src
URIs: http://source.example/debian
Suites: sid
"""


def test_one_line_format() -> None:
    assert one_line_sources(ONE_LINE) == [
        ("http://mirror.example/debian/", "trixie"),
        ("http://security.example/debian-security", "trixie-security"),
    ]


def test_deb822_format() -> None:
    assert deb822_sources(DEB822) == [
        ("http://one.example/debian", "bookworm"),
        ("http://one.example/debian", "bookworm-updates"),
        ("http://two.example/debian", "bookworm"),
        ("http://two.example/debian", "bookworm-updates"),
    ]


def test_both_formats_are_read_in_order(tmp_path: Path) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list").write_text("deb http://first.example/debian sid main\n")
    (tmp_path / "sources.list.d" / "debian.sources").write_text(DEB822)
    (tmp_path / "sources.list.d" / "other.list.save").write_text("deb http://ignored.example/debian sid main\n")
    uris = [uri for uri, _ in read_apt_sources(tmp_path)]
    assert uris[0] == "http://first.example/debian"
    assert "http://one.example/debian" in uris
    assert "http://ignored.example/debian" not in uris


@pytest.mark.parametrize(
    ("sources", "mirror"),
    [
        ([("http://m.example/debian/", "bookworm")], "http://m.example/debian"),
        (
            [("http://s.example/debian-security", "bookworm-security"), ("http://m.example/debian", "sid")],
            "http://m.example/debian",
        ),
        ([("http://archive.example/ubuntu", "noble")], None),
        ([("https://tool.example/apt", "nodistro")], None),
        ([], None),
    ],
)
def test_the_mirror_is_a_full_debian_archive(sources: list[tuple[str, str]], mirror: str | None) -> None:
    assert debian_mirror(sources) == mirror


def test_a_mirror_list_is_followed(tmp_path: Path) -> None:
    (tmp_path / "mirrors").write_text("http://listed.example/debian\nhttp://second.example/debian\n")
    assert debian_mirror([(f"mirror+file:{tmp_path}/mirrors", "trixie")]) == "http://listed.example/debian"


def test_the_cache_is_outside_the_checkout_and_named_by_version() -> None:
    root = cached_root({"XDG_CACHE_HOME": "/var/cache/me"})
    assert str(root).startswith("/var/cache/me/cti-server/asterisk-22-")
    assert cached_root({"CTI_ASTERISK_ROOT": "/srv/asterisk"}) == Path("/srv/asterisk")


def test_without_root_the_exact_line_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(DemoUnavailable, match=r"sudo CTI_ASTERISK_ROOT=.*asterisk_root"):
        asterisk_root.build(tmp_path / "root", {})


def test_a_missing_tool_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda *_args, **_kwargs: None)
    with pytest.raises(DemoUnavailable, match="apt-get install -y sip-tester debootstrap"):
        asterisk_root.require_tools("sipp", "debootstrap")


def test_without_a_mirror_the_variable_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(asterisk_root, "require_tools", lambda *_: None)
    monkeypatch.setattr(asterisk_root, "read_apt_sources", lambda: [("http://archive.example/ubuntu", "noble")])
    with pytest.raises(DemoUnavailable, match="CTI_DEBIAN_MIRROR"):
        asterisk_root.build(tmp_path / "root", {})
    assert not (tmp_path / "root").exists()


def test_a_half_built_tree_is_never_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An aborted build leaves nothing at the tree's own place."""
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(asterisk_root, "require_tools", lambda *_: None)

    def broken(target: Path, mirror: str) -> None:
        (target / "usr").mkdir(parents=True)
        raise KeyboardInterrupt

    monkeypatch.setattr(asterisk_root, "_debootstrap", broken)
    with pytest.raises(KeyboardInterrupt):
        asterisk_root.build(tmp_path / "root", {"CTI_DEBIAN_MIRROR": "http://m.example/debian"})
    assert not (tmp_path / "root").exists()
