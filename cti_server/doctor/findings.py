"""A finding: what was looked at, how it is, and what mends it."""

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

    `check` names what was looked at (`main: manager`), `what` how it is, `remedy` the line that mends it and the
    file it belongs in; None where there is nothing to mend. `code` is the same in every language.
    """

    check: str
    status: Status
    what: str
    remedy: str | None
    code: str


def say(check: str, code: str, **facts: object) -> Finding:
    """The finding `code`, with its facts put into the text of texts.py."""
    text = TEXTS[code]
    remedy = text.remedy.format(**facts) if text.remedy else None
    return Finding(check, Status(text.status), text.what.format(**facts), remedy, code)
