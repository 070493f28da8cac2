"""Whether a dialplan's question about a call is answered: it has to be what the PBX itself says of the channel.

FastAGI names no sender. A program that reaches it could give a live call another caller, or ask whose any number
is. The manager connection is the PBX's own word, so a question has to agree with it:

    the manager has said …                  first question     the same again     another line of that caller
    this number, of this channel, last      ask                repeat             ask
    another number, or none                 refuse             refuse             refuse
    nothing of this channel                 refuse             refuse             refuse
    nothing, because it is not connected    ask, tell no desk  –                  –

A dialplan that gives a channel another number (`Set(CALLERID(num)=…)`) makes the manager say so: the number that
was said last counts. A `secret` number must be one that was said of the channel before it was masked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from .numbers import normalise

Answer = Literal["ask", "repeat", "refuse"]

_NO_DIGIT: Final = re.compile(r"[^0-9]+")


@dataclass(frozen=True, slots=True)
class Question:
    """What a dialplan says of the caller of one channel. None: it has no such value."""

    ani: str | None
    dnis: str | None = None
    secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Ruling:
    """How a question is answered, by which rule, and what was seen. `told`: what is found goes to the desks."""

    answer: Answer
    code: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    told: bool = True


@dataclass(frozen=True, slots=True)
class Asked:
    """The question that was answered before: its number, its line, and whether it showed a secret number."""

    ani: str | None
    dnis: str | None
    secret: bool

    @classmethod
    def of(cls, question: Question) -> Asked:
        return cls(question.ani, question.dnis, question.secret is not None)


def agrees(question: Question, said: Sequence[str | None] | None, region: str) -> bool:
    """Whether the question's numbers are those that the manager has said of the channel, the present one last."""
    if not said or not same_number(question.ani, said[-1], region):
        return False
    return question.secret is None or any(
        one is not None and same_number(question.secret, one, region) for one in said
    )


def judge(
    question: Question,
    said: Sequence[str | None] | None,
    before: Asked | None,
    *,
    connected: bool,
    region: str,
) -> Ruling:
    """Answer a question. `said` is None for a channel that the manager has not named. `before` is the question
    whose answer is still known. `connected`: the manager would have said it."""
    if not agrees(question, said, region):
        if not connected:
            return Ruling("ask", "manager_away", told=False)
        if not said:
            return Ruling("refuse", "unknown_channel")
        code = "other_number" if not same_number(question.ani, said[-1], region) else "other_secret"
        return Ruling("refuse", code, {"numbers_said": len(said)})
    if before is None:
        return Ruling("ask", "first")
    if before.secret and question.secret is None:
        return Ruling("repeat", "says_less")
    shows_more = question.secret is not None and not before.secret
    if shows_more or not same_number(question.ani, before.ani, region):
        return Ruling("ask", "number_corrected")
    if question.dnis is not None and question.dnis != before.dnis:
        return Ruling("ask", "another_line")
    return Ruling("repeat", "asked_before")


def same_number(one: str | None, other: str | None, region: str) -> bool:
    """Whether two texts are one number: +86…, 0086…, as the region dials it. Two withheld numbers are the same."""
    if one == other:
        return True
    a, b = normalise(one, region), normalise(other, region)
    if "withheld" in (a.kind, b.kind):
        return a.kind == b.kind
    if a.e164 is not None and a.e164 == b.e164:
        return True
    digits = _NO_DIGIT.sub("", one or "")
    return digits != "" and digits == _NO_DIGIT.sub("", other or "")
