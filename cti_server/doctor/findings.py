"""A finding: what was examined, what was found, and what fixes it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from cti_server.doctor.texts import TEXTS


class Status(StrEnum):
    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report.

    `check` names what was examined (`main: manager`), `what` says what was found, `remedy` is the line that fixes
    it and the file it belongs in, None when there is nothing to fix. `code` is the same in every language.
    """

    check: str
    status: Status
    what: str
    remedy: str | None
    code: str


def say(check: str, code: str, **facts: object) -> Finding:
    """The finding with this code, its facts filled into the text from texts.py."""
    text = TEXTS[code]
    remedy = text.remedy.format(**facts) if text.remedy else None
    return Finding(check, Status(text.status), text.what.format(**facts), remedy, code)


def some(findings: Sequence[Finding], shown: int) -> Iterator[Finding]:
    """The first findings of one kind, and one that says how many more there are: a hundred queues missing from the
    record are one fact, not a hundred."""
    yield from findings[:shown]
    if len(findings) > shown:
        yield say(findings[0].check, "more", count=len(findings) - shown)
