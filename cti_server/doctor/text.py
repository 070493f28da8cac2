"""What a text of the doctor is made of."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Text(NamedTuple):
    """`remedy` is the line that mends it and where it belongs; several lines are several things to do."""

    status: Literal["ok", "warning", "problem"]
    what: str
    remedy: str = ""


RELOAD_MANAGER = 'asterisk -rx "manager reload"'
RELOAD_DIALPLAN = 'asterisk -rx "dialplan reload"'
