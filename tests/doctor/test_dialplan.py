"""What the doctor reads from a dialplan, and where a number gets to in it."""

from __future__ import annotations

import pytest

from cti_server.doctor.dialplan import Dialplan, pattern, substitute
from cti_server.wire.ami import Message


def dialplan(text: str) -> Dialplan:
    """Extensions as extensions.conf has them; ShowDialPlan lists each step as one row."""
    rows, context, extension, priority = [], "", "", 0
    for line in filter(None, (line.strip() for line in text.splitlines())):
        if line.startswith("["):
            context = line[1:-1]
            continue
        name, _, rest = (part.strip() for part in line.partition("=>"))
        if name == "include":
            rows.append(f"Context: {context}\r\nIncludeContext: {rest}")
            continue
        if name == "exten":
            extension, _, rest = rest.partition(",")
            priority = 0
        label = ""
        _, _, application = rest.partition(",")
        if "(" in rest.partition(",")[0]:
            label = f"ExtensionLabel: {rest.partition(',')[0].partition('(')[2].rstrip(')')}\r\n"
        priority += 1
        app, _, data = application.partition("(")
        step = f"{label}Application: {app}\r\nAppData: {data.removesuffix(')')}"
        rows.append(f"Context: {context}\r\nExtension: {extension}\r\nPriority: {priority}\r\n{step}")
    return Dialplan(Message(f"Event: ListDialplan\r\n{row}".encode()) for row in rows)


ASKED = """
[from-trunk]
exten => 4008001000,1,Goto(line,support,1)
[line]
exten => _[a-z]!,1,Gosub(cti-identify,s,1)
same => n,Queue(${EXTEN},t)
[cti-identify]
exten => s,1,AGI(agi://127.0.0.1:4573/identify?pbx=main)
"""


def test_a_line_that_asks_before_it_queues() -> None:
    plan = dialplan(ASKED)
    reached = plan.follow("from-trunk", "4008001000")
    assert reached.asked
    assert reached.unasked == []
    assert plan.callers_of_identify() == [("line", "_[a-z]!")]


def test_a_line_that_queues_first_is_named_with_its_queue() -> None:
    reached = dialplan(
        """
        [from-trunk]
        exten => 100,1,Queue(sales,t)
        same => n,Gosub(cti-identify,s,1)
        """
    ).follow("from-trunk", "100")
    assert reached.unasked == [("from-trunk", "100", "sales")]


def test_both_ways_of_a_condition_are_gone() -> None:
    reached = dialplan(
        """
        [from-trunk]
        exten => 100,1,GotoIf($["${X}" = "1"]?asked,1:unasked,1)
        exten => asked,1,Gosub(cti-identify,s,1)
        same => n,Queue(one)
        exten => unasked,1,Queue(two)
        """
    ).follow("from-trunk", "100")
    assert reached.asked
    assert reached.unasked == [("from-trunk", "unasked", "two")]


def test_asking_inside_a_subroutine_counts_for_what_follows_it() -> None:
    """As FreePBX writes a Custom Destination that returns."""
    reached = dialplan(
        """
        [customdests]
        exten => dest-1,1,Gosub(cti-freepbx,s,1())
        same => n,Goto(ext-queues,600,1)
        [cti-freepbx]
        exten => s,1,Gosub(cti-identify,s,1)
        same => n,Return()
        [ext-queues]
        exten => 600,1,Queue(600,t,,,,,,)
        """
    ).follow("customdests", "dest-1")
    assert reached.asked
    assert reached.unasked == []


def test_keys_of_an_ivr_are_followed_and_includes_searched() -> None:
    reached = dialplan(
        """
        [from-trunk]
        include => lines
        [lines]
        exten => _100X,1,Goto(ivr,s,1)
        [ivr]
        exten => s,1,Background(hello)
        exten => 1,1,Queue(support)
        """
    ).follow("from-trunk", "1001")
    assert reached.unasked == [("ivr", "1", "support")]


def test_a_label_is_a_place_to_begin() -> None:
    reached = dialplan(
        """
        [a]
        exten => 1,1,Goto(b,2,wait)
        [b]
        exten => 2,1,Gosub(cti-identify,s,1)
        same => n(wait),Queue(support)
        """
    ).follow("a", "1")
    assert reached.unasked == [("b", "2", "support")]


def test_a_loop_ends() -> None:
    reached = dialplan("[a]\nexten => s,1,Goto(b,s,1)\n[b]\nexten => s,1,Goto(a,s,1)").follow("a", "s")
    assert not reached.asked


def test_a_target_that_only_the_running_call_knows_is_lost_not_guessed() -> None:
    reached = dialplan("[a]\nexten => s,1,Goto(${WHERE},s,1)").follow("a", "s")
    assert not reached.asked
    assert reached.unasked == []
    assert reached.ends == ("a", "s")


@pytest.mark.parametrize(
    ("text", "number", "matches"),
    [
        ("_9NXX.", "92001", True),
        ("_9NXX.", "9200", False),
        ("_1[01]0[1-5]", "1103", True),
        ("_1[01]0[1-5]", "1203", False),
        ("_+X.", "+44207", True),
        ("_[a-z]!", "support", True),
        ("_*8X.", "*81001", True),
        ("_Z", "0", False),
    ],
)
def test_patterns(text: str, number: str, matches: bool) -> None:
    assert bool(pattern(text).fullmatch(number)) is matches


def test_what_is_known_of_a_number_is_put_in() -> None:
    assert substitute("${FILTER(0-9,${EXTEN})},1", "+4420") == "4420,1"
    assert substitute("PJSIP/${EXTEN:1}@${TRUNK}", "9123") == "PJSIP/123@${TRUNK}"
