"""The second factor: what a code is, which time step it belongs to, and who must have one.

Codes are those of RFC 6238 as every authenticator app makes them: SHA-1, six digits, a new one each 30 s.
"""

from __future__ import annotations

import hmac
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import pyotp

from cti_server.rules.facts import Reason, Role

STEP_S: Final = 30
DIGITS: Final = 6
EITHER_SIDE: Final = 1  # steps: phones and servers differ by some seconds, and people type slowly
RECOVERY_LETTERS: Final = "23456789abcdefghjkmnpqrstuvwxyz"  # none that looks like another
RECOVERY_LENGTH: Final = 16  # letters, 79 bits: too many to try even with their hashes in hand


def plain(code: str) -> str:
    """What was meant by a code that was typed or pasted: no spaces, no dashes, no full-width digits."""
    folded = unicodedata.normalize("NFKC", code).casefold()
    return "".join(letter for letter in folded if letter.isalnum())


def is_recovery(code: str) -> bool:
    """Whether this plain code has the form of a recovery code."""
    return len(code) == RECOVERY_LENGTH and all(letter in RECOVERY_LETTERS for letter in code)


def grouped(code: str) -> str:
    """A recovery code as it is shown: `abcd-efgh-jkmn-pqrs`."""
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))


def step_of(secret: str, code: str, at: float) -> int | None:
    """The time step whose code this plain code is, within one step of `at` (Unix time); None for a wrong code.

    It compares with every step, whichever fits, so that the time it takes tells nothing.
    """
    if len(code) != DIGITS or not (code.isascii() and code.isdigit()):
        return None
    now, totp, found = int(at) // STEP_S, pyotp.TOTP(secret), None
    for step in range(now - EITHER_SIDE, now + EITHER_SIDE + 1):
        if hmac.compare_digest(totp.generate_otp(step), code):
            found = step
    return found


@dataclass(frozen=True, slots=True)
class SetUp:
    """Whether somebody must set a second factor up before anything else, and the rule that says so."""

    needed: bool
    rule: Reason


def must_set_up(role: Role, wanted: Collection[Role], *, has_one: bool, by_provider: bool) -> SetUp:
    """`wanted` are the roles that need a second factor. `by_provider`: they signed in through the identity
    provider, which asks for its own."""
    facts = {"role": role}
    if role not in wanted:
        return SetUp(False, Reason("second_factor.not_wanted", facts))
    if has_one:
        return SetUp(False, Reason("second_factor.on", facts))
    if by_provider:
        return SetUp(False, Reason("second_factor.of_provider", facts))
    return SetUp(True, Reason("second_factor.wanted", facts))
