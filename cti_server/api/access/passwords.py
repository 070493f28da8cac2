"""Passwords: argon2id, computed in a thread so that no call waits for it."""

from __future__ import annotations

import asyncio
from typing import Final

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

# OWASP's smallest recommendation. A hash takes 19 MiB while it runs, so only a few run at once.
_HASHER: Final = PasswordHash((Argon2Hasher(time_cost=2, memory_cost=19_456, parallelism=1),))
_AT_ONCE: Final = 2
MAX_PASSWORD: Final = 256  # characters; hashing a megabyte would be somebody's joke
MIN_PASSWORD: Final = 8

# An unknown login is checked against this hash, so that it takes as long as an existing one.
_NOBODY: Final = _HASHER.hash("nobody's password")


def hash_password(password: str) -> str:
    """The hash to store. Raises ValueError for a password that is too short or too long.

    It takes about 30 ms: call it in a thread from a running loop.
    """
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise ValueError(f"a password has {MIN_PASSWORD} to {MAX_PASSWORD} characters")
    return _HASHER.hash(password)


class Verifier:
    """Checks passwords, a few at once."""

    def __init__(self) -> None:
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def matches(self, password: str, stored: str | None) -> bool:
        """Whether `stored` is the hash of `password`. It takes as long when `stored` is None."""
        if len(password) > MAX_PASSWORD:
            return False
        async with self._slots:
            return await asyncio.to_thread(_matches, password, stored)


def _matches(password: str, stored: str | None) -> bool:
    try:
        return _HASHER.verify(password, stored or _NOBODY) and stored is not None
    except Exception:  # a hash of another kind, or a password that UTF-8 cannot hold: not a match
        return False
