"""What is read of dialplans that people write: each Queue() is found, also where no line can be put before it."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import pytest

from cti_server.attach.edits import Edit, lacking, made, undone
from cti_server.attach.guide import _destinations
from cti_server.attach.layout import led_through, read
from cti_server.attach.ledger import Ledger
from cti_server.attach.terminal import Terminal
from cti_server.attach.wanted import asking, dialplan, manager
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


@pytest.mark.parametrize(
    "jump",
    [
        'GotoIf($["${QUEUESTATUS}" = "FULL"]?1:5)',
        "GotoIf($[1]?5)",
        "Goto(3)",
        "Goto(+2)",
        "GotoIf($[1]?:+2)",
        "Goto(400,3)",
        "Goto(${X})",
        "Dial(PJSIP/1,20,F(in^400^4))",
        "Dial(PJSIP/1,20,G(in^400^4))",
        "ExecIf($[1]?Goto(in,400,3))",
    ],
)
def test_steps_that_are_jumped_to_by_number_are_left_alone(tmp_path: Path, jump: str) -> None:
    """A line before the Queue() would make another step of each."""
    (tmp_path / "extensions.conf").write_text(f"[in]\nexten => 400,1,Queue(a,t)\n same => n,{jump}\n")
    assert [step.by_hand for step in read(tmp_path).steps] == [True]


@pytest.mark.parametrize(
    ("jump", "by_hand"),
    [
        ("Goto(in,400,2)", True),
        ("Goto(in,401,2)", False),
        ("Gosub(in,400,3(a,b))", True),
        ("Goto(400,2)", True),  # of a context that [night] may include
        ("Goto(${ANY},400,2)", True),
        ("Goto(in,400,1)", False),
        ("Gosub(${EXTEN},stdexten(${GLOBAL(CONSOLE)}))", False),
        ("Goto(in,400,after)", False),
        ("GotoIfTime(9:00-17:00,mon-fri,*,*?in,400,1:closed)", False),
        ("Dial(PJSIP/1,20,tkb(cti-leg^s^1))", False),
    ],
)
def test_who_jumps_from_elsewhere_counts_too(tmp_path: Path, jump: str, by_hand: bool) -> None:
    (tmp_path / "extensions.conf").write_text(
        f"[in]\nexten => 400,1,Answer()\n same => n,Queue(a,t)\n same => n(after),Hangup()\n"
        f"[night]\nexten => 5,1,{jump}\n"
    )
    assert [step.by_hand for step in read(tmp_path).steps] == [by_hand]


@pytest.mark.parametrize(
    "text",
    [
        ";-----------------\n; inbound\n;-----------------\n[in]\nexten => 400,1,Queue(a)\n",
        "[in]\n;-- old\nexten => 399,1,Queue(b)\n--;\nexten => 400,1,Queue(a)\n",
        "[in]\nexten => 400,1,Queue(a) ;-- old\nexten => 399,1,Queue(b)\n--;\n",
        "[in]\nexten => 400,1,Queue(a) ; a comment ;-- and none of several lines\n",
        "[in]\n;-- one --;exten => 400,1,Queue(a)\n",
        '[in]\n#include "more.conf"\n',
        '#include "/"\n#include "**x/*.conf"\n[in]\nExten=>400,1,Queue (a)\n',
        '[in]\nEXTEN => 400,1,NoOp(")\nSame = n,queue(a)\n',
    ],
)
def test_files_are_read_as_asterisk_reads_them(tmp_path: Path, text: str) -> None:
    (tmp_path / "more.conf").write_text("exten => 400,1,Queue(a)\n")
    (tmp_path / "extensions.conf").write_text(text)
    assert [(s.line.section, s.exten, s.queue) for s in read(tmp_path).steps] == [("in", "400", "a")]


@pytest.mark.parametrize("broken", ["Queue(a,t", 'Queue(a,t,,"hi)'])
def test_a_queue_that_is_not_closed_is_for_hand(tmp_path: Path, broken: str) -> None:
    (tmp_path / "extensions.conf").write_text(f"[in]\nexten => 400,1,{broken}\n")
    (step,) = read(tmp_path).steps
    assert (step.queue, asking(step, tmp_path, desk=True)) == ("a", None)


def test_equal_lines_are_edited_each_in_its_place_and_taken_back(tmp_path: Path) -> None:
    text = "[in]\n" + "".join(f"exten => {n},1,Answer()\n same => n,Queue(a,t)\n" for n in (400, 401, 402))
    (tmp_path / "extensions.conf").write_text(text)
    edits = [asking(step, tmp_path, desk=True) for step in reversed(read(tmp_path).steps)]
    changed = text
    for edit in edits:
        assert edit is not None
        assert lacking(changed, edit) == edit
        changed = made(changed, edit)
    (tmp_path / "extensions.conf").write_text(changed)
    assert [step.asked for step in read(tmp_path).steps] == [True, True, True]
    for copies, edit in ((3, edits[2]), (2, edits[1]), (1, edits[0])):
        assert edit is not None
        changed = undone(changed, edit, copies)
    assert changed == text


def test_a_desk_that_comes_later_needs_the_legs(tmp_path: Path) -> None:
    """First attached without the desk, so that the Queue() asks and prepares no leg."""
    first = "[in]\nexten => 400,1,Queue(a,t) ; ours\n"
    (tmp_path / "extensions.conf").write_text(first)
    (step,) = read(tmp_path).steps
    without = asking(step, tmp_path, desk=False)
    assert without is not None
    (tmp_path / "extensions.conf").write_text(made(first, without))
    (step,) = read(tmp_path).steps
    edit = asking(step, tmp_path, desk=True)
    assert step.asked
    assert edit is not None
    assert edit.new == ("exten => 400,n,Queue(a,tkb(cti-leg^s^1)) ; ours",)


def test_a_manager_conf_without_its_general_section_gets_one(tmp_path: Path) -> None:
    (tmp_path / "manager.conf").write_text("[own]\nsecret = x\n")
    assert manager(read(tmp_path)).new[0] == "[general]"
    (tmp_path / "manager.conf").write_text("[general]\nenabled = no\n")
    assert manager(read(tmp_path)).new[0] == "[general](+)"


def test_a_number_that_was_added_later_is_not_taken_for_done(tmp_path: Path) -> None:
    first = "[in]\nexten => 400,1,Answer()\n same => n,Queue(a,t)\n"
    (tmp_path / "extensions.conf").write_text(first)
    (step,) = read(tmp_path).steps
    edit = asking(step, tmp_path, desk=True)
    assert edit is not None
    later = made(first, edit) + "exten => 401,1,Answer()\n same => n,Queue(a,t)\n"
    (tmp_path / "extensions.conf").write_text(later)
    old, new = read(tmp_path).steps
    assert (old.asked, new.asked) == (True, False)
    wanted = asking(new, tmp_path, desk=True)
    assert wanted is not None
    assert lacking(later, wanted) == wanted


def test_an_edited_file_that_is_no_utf_8_is_kept_as_it_is(tmp_path: Path) -> None:
    text = b"; Z\xfcrich \xb0\xc5\n".decode("utf-8", "surrogateescape")
    ledger = Ledger(tmp_path / "attach-main.json", str(tmp_path))
    ledger.note(Edit("manager.conf", "at the end", ("x",), text), text)
    kept = Ledger.read(ledger.file)
    assert kept is not None
    assert (kept.originals["manager.conf"], kept.edits[0].old) == (text, text)
