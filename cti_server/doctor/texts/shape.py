"""The shape of the doctor's texts."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Text(NamedTuple):
    """`remedy` is the line that fixes it and the file that it belongs in; several lines are several steps."""

    status: Literal["ok", "warning", "problem"]
    what: str
    remedy: str = ""


RELOAD_MANAGER = 'asterisk -rx "manager reload"'
RELOAD_DIALPLAN = 'asterisk -rx "dialplan reload"'
