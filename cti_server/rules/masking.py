"""How a telephone number is shown to whoever may not see it in full: its beginning, its end, and dots between."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

DOT: Final = "•"
DOTS: Final = DOT * 4
SHORTEST: Final = 6  # digits; what is shorter is an extension or a service number, which is nobody's secret
_WORDS: Final = re.compile(r"tel|sips?|ext|x", re.IGNORECASE)


def digits_of(text: str) -> str:
    """The digits of a number in whatever script and spelling, without the host of a SIP address."""
    own = text.partition("@")[0] if "@" in text else text
    return "".join(str(unicodedata.digit(c)) for c in own if unicodedata.digit(c, None) is not None)


def is_number(text: str) -> bool:
    """Whether this text, which may be anything, is a telephone number that is worth masking: enough digits, and no
    letters but those of `tel:`, `sip:` and `ext`."""
    if len(digits_of(text)) < SHORTEST:
        return False
    own = _WORDS.sub("", text.partition("@")[0])
    return not any(unicodedata.category(c).startswith("L") for c in own)


def masked(text: str) -> str:
    """A number with at least four of its digits gone, however it is spelt; a text of fewer digits as it is.

    >>> [masked(text) for text in ("+8613800138000", "(021) 6288-1234", "１３８００１３８０００", "1102")]
    ['+86138••••8000', '021••••1234', '138••••8000', '1102']
    """
    digits = digits_of(text)
    if len(digits) < SHORTEST or DOT in text:
        return text
    tail = 4 if len(digits) >= 10 else 2
    head = max(0, min(5, len(digits) - tail - 4))
    plus = "+" if "+" in unicodedata.normalize("NFKC", text).partition("@")[0] else ""
    return f"{plus}{digits[:head]}{DOTS}{digits[-tail:]}"


def masked_name(text: str) -> str:
    """What a phone calls itself: masked where it is a number."""
    return masked(text) if is_number(text) else text
