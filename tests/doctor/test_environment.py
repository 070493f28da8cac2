"""Variables that nobody reads, and settings that contradict each other."""

from __future__ import annotations

from pathlib import Path

from cti_server.doctor.environment import examine
from cti_server.settings import PbxSettings, Settings

NOWHERE = Path("/nonexistent/.env")


def codes(settings: Settings, environ: dict[str, str], env_file: Path = NOWHERE) -> list[str]:
    return [finding.code for finding in examine(settings, environ, env_file)]


def test_a_misspelt_variable_is_named_with_the_one_that_was_meant() -> None:
    [finding] = examine(Settings(_env_file=None), {"CTI_AMI_HOSTS": "x", "PATH": "/bin"}, NOWHERE)
    assert finding.status == "problem"
    assert "CTI_AMI_HOSTS (environment)" in finding.what
    assert finding.remedy == "Write CTI_AMI_HOST"


def test_a_variable_like_no_other_is_to_be_removed() -> None:
    [finding] = examine(Settings(_env_file=None), {"CTI_QQQ": "1"}, NOWHERE)
    assert finding.remedy == "Remove it."


def test_the_env_file_is_read_too(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("CTI_AMI_SECRETT=x\nCTI_HTTP_PORT=8080\nOTHER=1\n")
    [finding] = examine(Settings(_env_file=None), {}, file)
    assert str(file) in finding.what


def test_good_settings_are_said_to_be_good() -> None:
    assert codes(Settings(_env_file=None), {"CTI_AMI_HOST": "x", "CTI_ASTERISK_ROOT": "/y"}) == ["settings.ok"]


def test_single_settings_beside_cti_pbxs_are_said_to_be_ignored() -> None:
    settings = Settings(_env_file=None, pbxs=(PbxSettings(),), ami_host="10.0.0.9")
    assert codes(settings, {}) == ["settings.ok", "settings.shadowed"]


def test_a_desktop_in_the_open_without_tls_is_a_warning() -> None:
    assert "settings.exposed" in codes(Settings(_env_file=None, http_host="0.0.0.0"), {})
    assert "settings.exposed" not in codes(Settings(_env_file=None, http_host="::", cookie_secure=True), {})
