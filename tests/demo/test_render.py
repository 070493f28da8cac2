"""What is written for one PBX: the shipped files unchanged, this instance's values around them."""

from __future__ import annotations

import re
from pathlib import Path

from cti_server.demo.render import ROLES, PbxConfig, dialplans_folder, files, render

CONFIG = PbxConfig(
    name="demo",
    sip_port=15060,
    ami_port=15038,
    ami_tls_port=15039,
    http_port=18088,
    trunk_port=15070,
    fastagi="127.0.0.1:14573",
    secrets={role: f"secret of {role}" for role in ROLES},
    queue_overrides={"*": {"timeout": 3}, "vip": {"timeout": 4}},
    globals={"CTI_WAIT": 9},
    site={"CTI_DEADLINE": "0.5"},
)


def test_the_shipped_files_are_used_unchanged(tmp_path: Path) -> None:
    render(CONFIG, tmp_path, "/lab", tmp_path / "modules")
    for shipped in dialplans_folder().glob("*.conf"):
        if shipped.name != "cti_site.conf":  # the one that is there to be edited
            assert (tmp_path / "etc" / shipped.name).read_bytes() == shipped.read_bytes()


def test_everything_listens_on_loopback_only() -> None:
    texts = files(CONFIG, "/lab", Path("/nowhere"))
    binds = [line for text in texts.values() for line in text.splitlines() if re.match(r"(tls)?bind", line)]
    assert binds
    for line in binds:
        name, _, value = line.partition("=")
        assert name.strip() in {"bindport", "bind_rtp_to_media_address"} or value.strip().startswith("127.0.0.1")


def test_each_role_has_its_secret_and_its_rights_come_from_the_shipped_file() -> None:
    manager = files(CONFIG, "/lab", Path("/nowhere"))["manager.conf"]
    for role in ROLES:
        assert f"[{role}](+)\nsecret = secret of {role}\n" in manager
    assert "#include manager_cti.conf" in manager
    assert "write" not in manager
    assert "timestampevents = yes" in manager


def test_the_file_with_the_secrets_is_private(tmp_path: Path) -> None:
    render(CONFIG, tmp_path, "/lab", tmp_path / "modules")
    assert (tmp_path / "etc" / "manager.conf").stat().st_mode & 0o077 == 0


def test_a_queue_s_own_override_wins_over_that_for_all() -> None:
    queues = files(CONFIG, "/lab", Path("/nowhere"))["queues.conf"]
    assert "[support](+)\ntimeout = 3\n" in queues
    assert "[vip](+)\ntimeout = 4\n" in queues


def test_site_values_and_globals_reach_the_dialplan() -> None:
    texts = files(CONFIG, "/lab", Path("/nowhere"))
    assert "Set(CTI_FASTAGI=127.0.0.1:14573)" in texts["cti_site.conf"]
    assert "Set(CTI_DEADLINE=0.5)" in texts["cti_site.conf"]
    assert "CTI_WAIT = 9" in texts["extensions.conf"]


def test_no_user_of_ours_may_run_programs() -> None:
    shipped = (dialplans_folder() / "manager_cti.conf").read_text()
    rights = [line.split("=")[1] for line in shipped.splitlines() if line.startswith(("read", "write ="))]
    given = {right.strip() for line in rights for right in line.split(",")}
    assert given.isdisjoint({"command", "config", "agi", "all"})
    writes = [line for line in shipped.splitlines() if line.startswith("write =")]
    assert not any("system" in line for line in writes)
    assert shipped.count("deny = 0.0.0.0/0.0.0.0") == 1


def test_unused_modules_are_left_out(tmp_path: Path) -> None:
    for module in ("chan_iax2.so", "res_odbc.so", "app_queue.so"):
        (tmp_path / module).touch()
    modules = files(CONFIG, "/lab", tmp_path)["modules.conf"]
    assert "noload = chan_iax2.so" in modules
    assert "noload = res_odbc.so" in modules
    assert "app_queue" not in modules
