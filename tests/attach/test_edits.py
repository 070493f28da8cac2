"""What an attachment writes into other people's files, and takes out again."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti_server.attach.confs import Line
from cti_server.attach.edits import Edit, NotThere, is_in, made, undone
from cti_server.attach.layout import read
from cti_server.attach.steps import QueueStep, split_call
from cti_server.attach.wanted import asking, inside, with_leg

BLOCK = Edit(
    "extensions.conf", "at the end", ("#tryinclude extensions_cti.conf", "#tryinclude extensions_cti_desk.conf")
)
ends = st.sampled_from(["\n", "\r\n"])


@given(
    st.lists(st.text(st.characters(blacklist_characters="\r\n\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029")), max_size=8),
    ends,
)
def test_what_is_made_is_undone_to_the_byte(lines: list[str], end: str) -> None:
    text = "".join(line + end for line in lines)
    there = made(text, BLOCK)
    assert is_in(there, BLOCK)
    assert undone(there, BLOCK) == text


@given(st.lists(st.sampled_from([" same => n,Answer()", "; a note", "[other]"]), max_size=6), ends)
def test_a_line_that_is_replaced_comes_back(around: list[str], end: str) -> None:
    old = " same => n,Queue(support,t)"
    edit = Edit(
        "extensions.conf", "line 3", (" same => n,GosubIf(…)", " same => n,Queue(support,tkb(cti-leg^s^1))"), old
    )
    text = "".join(line + end for line in [*around, old, *around])
    assert undone(made(text, edit), edit) == text


def test_what_others_write_meanwhile_stays() -> None:
    there = made("[general]\n", BLOCK) + "; written later\n"
    assert undone(there, BLOCK) == "[general]\n; written later\n"


def test_a_file_without_its_last_newline() -> None:
    assert made("[a]", BLOCK).startswith("[a]\n; --- cti-server")


def test_a_line_that_is_there_twice_is_not_guessed() -> None:
    edit = Edit("extensions.conf", "line 1", ("x",), "same => n,Queue(a)")
    with pytest.raises(NotThere, match="exactly once"):
        made("same => n,Queue(a)\nsame => n,Queue(a)\n", edit)
    with pytest.raises(NotThere, match="exactly once"):
        undone("somebody took it out\n", BLOCK)


ASKS = "GosubIf($[${DIALPLAN_EXISTS(cti-identify,s,1)}]?cti-identify,s,1)"
PRIO = 'ExecIf($["${CTI_PRIORITY}" != ""]?Set(QUEUE_PRIO=${CTI_PRIORITY}))'


@pytest.mark.parametrize(
    ("line", "new"),
    [
        (
            " same => n,Queue(support,t,,,60)",
            (f" same => n,{ASKS}", f" same => n,{PRIO}", " same => n,Queue(support,tkb(cti-leg^s^1),,,60)"),
        ),
        (
            "exten => 600,1,Queue(600)  ; straight in",
            (
                f"exten => 600,1,{ASKS}",
                f"exten => 600,n,{PRIO}",
                "exten => 600,n,Queue(600,tkb(cti-leg^s^1))  ; straight in",
            ),
        ),
        (
            "same=>n(wait),Queue(s,Ct)",
            (f"same=>n(wait),{ASKS}", f"same=>n,{PRIO}", "same=>n,Queue(s,Ctkb(cti-leg^s^1))"),
        ),
        ("exten => 600,3,Queue(600)", None),
        (
            "same => n,Queue(s) ; see (wiki)",
            (f"same => n,{ASKS}", f"same => n,{PRIO}", "same => n,Queue(s,tkb(cti-leg^s^1)) ; see (wiki)"),
        ),
    ],
)
def test_a_queue_is_asked_for_before(tmp_path: Path, line: str, new: tuple[str, ...] | None) -> None:
    """A priority counted by hand is left to a person: a line more would shift those after it."""
    file = tmp_path / "extensions.conf"
    file.write_text(f"[in]\n{line}\n")
    edit = asking(QueueStep(Line(file, 2, "in", (), line.strip()), "600", "support"), tmp_path, desk=True)
    assert (edit.new if edit is not None else None) == new


@pytest.mark.parametrize(
    ("arguments", "made_of_it"),
    [
        ("support", "support,tkb(cti-leg^s^1)"),
        ("support,Tt,,,30", "support,Ttkb(cti-leg^s^1),,,30"),
        ("support,tkb(cti-leg^s^1)", "support,tkb(cti-leg^s^1)"),
        ("support,tb(own^s^1)", "support,tb(own^s^1)k"),
        ("${HASH(q,main)},t,,,20", "${HASH(q,main)},tkb(cti-leg^s^1),,,20"),
        ('${IF($["${A}" = "1,2"]?a:b)}', '${IF($["${A}" = "1,2"]?a:b)},tkb(cti-leg^s^1)'),
    ],
)
def test_options_of_a_queue_are_added_once(arguments: str, made_of_it: str) -> None:
    assert with_leg(split_call(arguments + ")")[0]) == made_of_it


@pytest.mark.parametrize(
    ("phones", "expression"),
    [
        (("1001", "1002", "1099"), "^10[0-9]{2}$"),
        (("2001",), "^20[0-9]{2}$"),
        (("101", "2001"), "^[0-9]{3,4}$"),
        (("2001", "2002"), "^20[0-9]{2}$"),
        (("9",), "^[0-9]{1}$"),
        ((), "^[1-7][0-9]{2,4}$"),
    ],
)
def test_numbers_of_phones_as_an_expression(phones: tuple[str, ...], expression: str) -> None:
    assert inside(phones) == expression


@pytest.mark.parametrize(
    ("dialplan", "left_alone"),
    [
        ("exten => 1,1,Queue(a)\nexten => 1,2,Answer()\n", True),
        ("exten => 1,1,Answer()\n same => n,Queue(a)\n same => n,GotoIf($[1]?1,2)\n", True),
        ("exten => 1,1,Queue(a)\nexten => 1,n,Hangup()\n", False),
        ("exten => 1,1,Queue(a)\n same => n,Goto(other,s,1)\n", False),
    ],
)
def test_steps_that_are_counted_by_hand_are_left_alone(tmp_path: Path, dialplan: str, left_alone: bool) -> None:
    """One line more would make a voicemail at 2 another step, and the caller would be hung up."""
    (tmp_path / "extensions.conf").write_text(f"[in]\n{dialplan}")
    (step,) = read(tmp_path).steps
    assert (asking(step, tmp_path, desk=True) is None) is left_alone


def test_a_second_look_finds_what_was_written(tmp_path: Path) -> None:
    file = tmp_path / "extensions.conf"
    file.write_text(
        "[in]\nexten => 600,1,Queue(a,t)\n[b]\nexten => 7,1,Answer()\n same => n(here),Queue(${Q},t)\n"
    )
    for step in reversed(read(tmp_path).steps):
        edit = asking(step, tmp_path, desk=True)
        assert edit is not None
        file.write_text(made(file.read_text(), edit))
    assert [step.asked for step in read(tmp_path).steps] == [True, True]


def test_a_file_in_a_folder_is_edited_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "extensions.conf").write_text("#include extensions.d/*.conf\n")
    (tmp_path / "extensions.d").mkdir()
    (tmp_path / "extensions.d" / "in.conf").write_text("[in]\nexten => 600,1,Queue(a,t)\n")
    (step,) = read(tmp_path).steps
    edit = asking(step, tmp_path, desk=True)
    assert edit is not None
    assert edit.file == "extensions.d/in.conf"
