"""Our files beside theirs: what is kept, what is written, what is read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from cti_server.attach import layout, wanted
from cti_server.attach.guide import _token
from cti_server.attach.hands import Hands
from cti_server.attach.layout import Kind
from cti_server.attach.ledger import Ledger, digests
from cti_server.attach.terminal import Terminal
from cti_server.attach.writing import write_files, write_settings
from cti_server.record.sealing import new_key
from cti_server.settings import Settings

KEY = new_key()
OUTSIDE = Settings(database_url="postgresql:///cti")
SITE = wanted.Site(
    name="main",
    server="10.0.0.9",
    pbx_host="10.0.0.5",
    ami_port=5038,
    fastagi_port=4573,
    region="CN",
    trunk="carrier",
    inside="^10[0-9]{2}$",
    desk=True,
    secrets={role: f"s-{role}" for role in wanted.ROLES},
    token="t-1",
)


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    folder = tmp_path / "asterisk"
    folder.mkdir()
    (folder / "manager.conf").write_text("[general]\nenabled = yes\nport = 5039\n")
    (folder / "extensions.conf").write_text(
        "[in]\nexten => 400,1,Answer()\n same => n,Queue(support,t)\n#include more/*.conf\n"
    )
    (folder / "more").mkdir()
    (folder / "more" / "a.conf").write_text("[in]\nexten => 401,1,Queue(sales)\n")
    (folder / "queues.conf").write_text(
        "[general]\n[defaults](!)\nmember => PJSIP/9999\n"
        "[support](defaults)\nmember => PJSIP/1001,0,Li Wei\n[sales]\n"
    )
    (folder / "pjsip.conf").write_text(
        "[phone](!)\ntype=endpoint\n[1001](phone)\n[1002](phone)\n[carrier]\ntype=endpoint\n[carrier]\ntype=aor\n"
    )
    return folder


def test_what_is_there_is_read(etc: Path) -> None:
    found = layout.read(etc)
    assert found.kind is Kind.PLAIN
    assert found.queues == {"support": ("PJSIP/1001",), "sales": ()}
    assert [(step.exten, step.queue, step.line.number) for step in found.steps] == [
        ("400", "support", 3),
        ("401", "sales", 2),
    ]
    assert (found.phones, found.trunks) == (["1001", "1002"], ["carrier"])
    assert (found.manager_on, found.manager_port) == (True, 5039)


def test_our_files_have_this_sites_values(etc: Path, tmp_path: Path) -> None:
    ledger = Ledger.begun(tmp_path / "attach-main.json", etc)
    write_files(SITE, Kind.PLAIN, Hands.on(etc, "asterisk", here=True), ledger, Terminal(yes=True))
    manager, site = (etc / "manager_cti.conf").read_text(), (etc / "cti_site.conf").read_text()
    assert "CHANGE-ME" not in manager.partition("[cti-notify]")[0]
    assert "permit = 10.0.0.9/255.255.255.255" in manager
    for line in (
        "CTI_FASTAGI=10.0.0.9:4573",
        "CTI_PBX=main",
        "CTI_TOKEN=t-1",
        "CTI_TRUNK=carrier",
        "CTI_INSIDE=^10[0-9]{2}$",
    ):
        assert f"Set({line})" in site
    assert (etc / "manager_cti.conf").stat().st_mode & 0o007 == 0


def test_a_second_run_keeps_what_the_administrator_changed(etc: Path, tmp_path: Path) -> None:
    before, kept = digests(etc), tmp_path / "attach-main.json"
    hands, yes = Hands.on(etc, "asterisk", here=True), Terminal(yes=True)
    write_files(SITE, Kind.PLAIN, hands, Ledger.begun(kept, etc), yes)
    mine = (etc / "cti_site.conf").read_text().replace("Set(CTI_RING=20)", "Set(CTI_RING=35)")
    (etc / "cti_site.conf").write_text(mine)
    again = Ledger.begun(kept, etc)
    write_files(SITE, Kind.PLAIN, hands, again, yes)
    assert (etc / "cti_site.conf").read_text() == mine
    assert again.before == before, "as it was before the first run, not before this one"


def test_a_site_without_a_token_gets_none_that_its_dialplan_does_not_show(etc: Path, tmp_path: Path) -> None:
    """A second run leaves cti_site.conf as it was changed by hand: a token of the settings alone would refuse
    every question."""
    assert len(_token(OUTSIDE, etc / "cti_site.conf")) == 32
    (etc / "cti_site.conf").write_text("[cti-site]\nexten => s,1,Set(CTI_PBX=main)\n")
    assert _token(OUTSIDE, etc / "cti_site.conf") == ""
    assert "TOKEN" not in wanted.settings(replace(SITE, token=""), 8080)
    (etc / "cti_site.conf").write_text("[cti-site]\nexten => s,1,Set(CTI_TOKEN=of-before)\n")
    assert _token(OUTSIDE, etc / "cti_site.conf") == "of-before"


def test_settings_that_are_there_are_kept(tmp_path: Path) -> None:
    """The page makes an empty file first; others have set their port."""
    file = tmp_path / "cti-server.env"
    file.write_text("CTI_HTTP_PORT=9090\nCTI_AMI_EVENTS_SECRET=mine")
    added = write_settings(file, SITE, OUTSIDE)
    text = file.read_text()
    assert "CTI_HTTP_PORT" not in added
    assert text.startswith("CTI_HTTP_PORT=9090\nCTI_AMI_EVENTS_SECRET=mine\n")
    assert "CTI_AMI_AGENT_SECRET=s-agent\n" in text
    assert "CTI_FASTAGI_ALLOW=127.0.0.0/8,10.0.0.5\n" in text
    assert write_settings(file, SITE, OUTSIDE) == []


@pytest.mark.parametrize(
    ("there", "outside", "written"),
    [
        ("", (), True),
        ("CTI_SECRET_KEY=\n", (), True),  # of two lines the later one counts
        ("", (KEY,), True),
        (f"CTI_SECRET_KEY={KEY}\n", (), False),
        (f"CTI_SECRET_KEY={KEY}\n", (new_key(),), False),  # what it encrypted would be lost
    ],
    ids=["none", "empty", "outside", "there", "both"],
)
def test_there_is_a_key_for_passwords_and_it_stays(
    tmp_path: Path, there: str, outside: tuple[str, ...], written: bool
) -> None:
    file = tmp_path / "cti-server.env"
    file.write_text(there)
    given = OUTSIDE.model_copy(update={"secret_key": tuple(SecretStr(key) for key in outside)})
    assert ("CTI_SECRET_KEY" in write_settings(file, SITE, given)) == written
    made = Settings.load(file)
    assert made.sealer().ready
    keys = [key.get_secret_value() for key in made.secret_key]
    assert (keys == [KEY]) == (there != "CTI_SECRET_KEY=\n" and bool(there or outside))
    assert write_settings(file, SITE, given) == []
    assert [key.get_secret_value() for key in Settings.load(file).secret_key] == keys
    assert file.stat().st_mode & 0o007 == 0
