"""The remedies name the settings file that counts."""

from __future__ import annotations

from pathlib import Path

from cti_server.doctor.environment import examine, in_its_file
from cti_server.doctor.findings import say
from cti_server.settings import Settings


def test_a_remedy_names_the_file_that_was_read(tmp_path: Path) -> None:
    file = tmp_path / "cti.env"
    file.write_text("CTI_AMI_HOSTS=x\n")
    settings = Settings.load(file)
    finding = say("database", "database.url", why="wrong")
    assert (in_its_file(settings, finding).remedy or "").startswith(f"In {file}:  CTI_DATABASE_URL=")
    nowhere = in_its_file(Settings.load(None), finding).remedy or ""
    assert nowhere.startswith("In /etc/cti-server/cti-server.env:  CTI_DATABASE_URL=")
    [strange] = [finding for finding in examine(settings, {}) if finding.code == "settings.unknown"]
    assert f"({file})" in strange.what


def test_the_variable_that_names_the_file_is_known() -> None:
    assert [finding.code for finding in examine(Settings(), {"CTI_CONFIG": "/x"})] == ["settings.ok"]
