"""A question about a call against what the manager says of it: each row of the table in `rules/question.py`."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from cti_server.rules.question import Asked, Question, judge, same_number

LI = "13800138000"
MA = "13900139000"
FIRST = Asked(LI, "4008001000", secret=False)
HIDDEN = Asked("withheld", "4008001000", secret=True)


@pytest.mark.parametrize(
    ("question", "said", "before", "connected", "answer", "code"),
    [
        (Question(LI), [LI], None, True, "ask", "first"),
        (Question("+86" + LI), [LI], None, True, "ask", "first"),
        (Question(None), [None], None, True, "ask", "first"),
        (Question("anonymous"), [None], None, True, "ask", "first"),
        # the dialplan masks the number, and the manager says so
        (Question("withheld", None, LI), [LI, "withheld"], None, True, "ask", "first"),
        (Question("withheld", None, MA), [LI, "withheld"], None, True, "refuse", "other_secret"),
        (Question("withheld", None, MA), [None], None, True, "refuse", "other_secret"),
        # forged: another number, no number, a channel that is not there
        (Question(MA), [LI], None, True, "refuse", "other_number"),
        (Question(MA), [LI], FIRST, True, "refuse", "other_number"),
        (Question(None), [LI], FIRST, True, "refuse", "other_number"),
        (Question(LI), [LI, MA], None, True, "refuse", "other_number"),
        (Question(LI), None, None, True, "refuse", "unknown_channel"),
        (Question(LI), [], None, True, "refuse", "unknown_channel"),
        # the manager is away: nobody can tell
        (Question(LI), None, None, False, "ask", "manager_away"),
        (Question(MA), [LI], None, False, "ask", "manager_away"),
        (Question(LI), [LI], None, False, "ask", "first"),
        # again
        (Question(LI, "4008001000"), [LI], FIRST, True, "repeat", "asked_before"),
        (Question(LI), [LI], FIRST, True, "repeat", "asked_before"),
        (Question("0086" + LI, "4008001000"), [LI], FIRST, True, "repeat", "asked_before"),
        (Question(LI, "4008002000"), [LI], FIRST, True, "ask", "another_line"),
        (Question(MA, "4008001000"), [LI, MA], FIRST, True, "ask", "number_corrected"),
        (Question("withheld", None, LI), [LI, "withheld"], FIRST, True, "ask", "number_corrected"),
        (Question("withheld", "4008001000", LI), [LI, "withheld"], HIDDEN, True, "repeat", "asked_before"),
        (Question("withheld", "4008002000"), [LI, "withheld"], HIDDEN, True, "repeat", "says_less"),
    ],
)
def test_judge(
    question: Question,
    said: Sequence[str | None] | None,
    before: Asked | None,
    connected: bool,
    answer: str,
    code: str,
) -> None:
    ruling = judge(question, said, before, connected=connected, region="CN")
    assert (ruling.answer, ruling.code) == (answer, code)
    assert ruling.told is (code != "manager_away")


@pytest.mark.parametrize(
    ("one", "other", "region", "same"),
    [
        ("13800138000", "+8613800138000", "CN", True),
        ("13800138000", "008613800138000", "CN", True),
        ("013800138000", "13800138000", "CN", True),
        ("02079460018", "+442079460018", "GB", True),
        ("1001", "1001", "CN", True),
        ("10-01", "1001", "CN", True),
        ("what?", "what?", "CN", True),
        ("", None, "CN", True),
        ("anonymous", "withheld", "CN", True),
        (None, "13800138000", "CN", False),
        ("1001", "1002", "CN", False),
        ("", "1001", "CN", False),
        ("+", "1001", "CN", False),
        ("13800138000", "13800138001", "CN", False),
        ("9" * 500, "8" * 500, "CN", False),
    ],
)
def test_two_texts_of_one_number(one: str | None, other: str | None, region: str, same: bool) -> None:
    assert same_number(one, other, region) is same
    assert same_number(other, one, region) is same
