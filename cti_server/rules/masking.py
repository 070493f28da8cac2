"""How a telephone number is shown to whoever may not see it in full: its beginning, its end, and dots between."""

from __future__ import annotations

import re
from typing import Final

DOT: Final = "•"
DOTS: Final = DOT * 4
SHORTEST: Final = 6  # digits; what is shorter is an extension or a service number, which is nobody's secret
_NUMBER: Final = re.compile(r"^(?:tel:|sips?:)?[+]?[0-9][0-9 ().,/;=*#ext-]*(?:@.*)?$", re.IGNORECASE)


def is_number(text: str) -> bool:
    """Whether this text is a telephone number that is worth masking, and not a name or an extension."""
    return _NUMBER.match(text) is not None and sum(c.isdigit() for c in text) >= SHORTEST


def masked(text: str) -> str:
    """The number with at least four of its digits gone; any other text as it is.

    >>> [masked(text) for text in ("+8613800138000", "021-62881234", "1102", "王小雨")]
    ['+86138••••8000', '021••••1234', '1102', '王小雨']
    """
    if not is_number(text):
        return text
    digits = "".join(c for c in text.partition("@")[0] if c.isdigit())
    tail = 4 if len(digits) >= 10 else 2
    head = max(0, min(5, len(digits) - tail - 4))
    plus = "+" if "+" in text.partition("@")[0] else ""
    return f"{plus}{digits[:head]}{DOTS}{digits[-tail:]}"
