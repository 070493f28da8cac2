"""What is read of dialplans that people write: each Queue() is found, also where no line can be put before it."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import pytest

from cti_server.attach.guide import _destinations
from cti_server.attach.layout import led_through, read
from cti_server.attach.terminal import Terminal
from cti_server.attach.wanted import asking, dialplan
from tests.attach.test_writing import SITE


@pytest.mark.parametrize(
    ("step", "queue"),
    [
        ("exten => 400,1,ExecIf($[${DB(night/on)} = 0]?Queue(support,t):Playback(closed))", "support"),
        ("exten => 400,1,TryExec(Queue(support))", "support"),
        ("exten => 400,1,ExecIf($[1]?Playback(x):Queue(${Q},t))", None),
    ],
)
def test_a_queue_within_another_application_is_for_hand(tmp_path: Path, step: str, queue: str | None) -> None:
    (tmp_path / "extensions.conf").write_text(f"[from-carrier]\n{step}\n")
    (found,) = read(tmp_path).steps
    assert (found.exten, found.queue, found.by_hand) == ("400", queue, True)
    assert asking(found, tmp_path, desk=True) is None


def test_queues_of_other_languages_are_found(tmp_path: Path) -> None:
    (tmp_path / "extensions.ael").write_text(
        "context a {\n  // Queue(old);\n  400 => {\n    Queue(support,t);\n  }\n}\n"
    )
    (tmp_path / "extensions.lua").write_text('-- app.Queue("old")\napp.Queue("sales")\n')
    found = read(tmp_path).elsewhere
    assert found == [("extensions.ael", 4, "Queue(support,t);"), ("extensions.lua", 2, 'app.Queue("sales")')]


@pytest.fixture
def issabel(tmp_path: Path) -> Path:
    etc = tmp_path / "asterisk"
    etc.mkdir()
    (tmp_path / "issabel.conf").touch()
    (etc / "extensions.conf").write_text(
        "[ext-did]\nexten => 4008001000,1,Goto(cti-to-600,s,1)\nexten => 4008001001,1,Goto(ext-queues,600,1)\n"
    )
    (etc / "queues.conf").write_text("[600]\nmember => Local/2001@from-queue/n\n[700]\n")
    return etc


def test_issabel_has_a_destination_for_each_queue_and_none_that_returns(issabel: Path) -> None:
    layout = read(issabel)
    lines = dialplan(layout, SITE).new
    assert (
        lines[lines.index("[cti-to-600]") : lines.index("[cti-to-700]")][-2] == " same => n,Goto(ext-queues,600,1)"
    )
    assert not [line for line in lines if "Return()" in line or "cti-freepbx" in line]
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        _destinations(layout, Terminal(yes=True))
    assert "PBX → Custom Destinations → Add: cti-to-600,s,1" in said.getvalue()
    assert "Return" not in said.getvalue()


def test_who_is_still_led_to_our_contexts_is_known(issabel: Path) -> None:
    assert led_through(issabel) == ["4008001000 in [ext-did]"]
