"""A finding: what was examined, what was found, and what fixes it."""

from __future__ import annotations

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
