"""Passwords: which are good enough, and argon2id, computed in a thread so that no call waits for it."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

# OWASP's smallest recommendation. A hash takes 19 MiB while it runs, so only a few run at once.
_HASHER: Final = PasswordHash((Argon2Hasher(time_cost=2, memory_cost=19_456, parallelism=1),))
_AT_ONCE: Final = 2
MAX_WAITING: Final = 50  # sign-ins that wait for a hash, a second of work; the next is told to try again
MAX_PASSWORD: Final = 256  # characters; hashing a megabyte would be somebody's joke
MIN_PASSWORD: Final = 10
FEWEST_OF_OWN: Final = 4  # different characters beside those of the person's login and name
FEWEST_GUESSES: Final = 10**6  # zxcvbn's "protected against guessing over the network"
_JUDGED: Final = 72  # characters; zxcvbn's time grows with the square, and what follows only adds guesses

# An unknown login is checked against this hash, so that it takes as long as an existing one.
_NOBODY: Final = _HASHER.hash("nobody's password")


class Crowded(Exception):
    """So many sign-ins wait that one more would wait too long."""


class WeakPassword(ValueError):
    """`code` says why a password is refused: `too_short`, `too_long` or `easy_to_guess`; the text says it too."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(why)
        self.code = code


def check_password(password: str, *known: str) -> None:
    """Raises WeakPassword. `known` is what others know of the person: login, name. No kind of character is asked
    for; a password must only not be among those that are tried first (NIST SP 800-63B, OWASP ASVS 2.1)."""
    if len(password) < MIN_PASSWORD:
        raise WeakPassword("too_short", f"a password has {MIN_PASSWORD} characters or more")
    if len(password) > MAX_PASSWORD:
        raise WeakPassword("too_long", f"a password has {MAX_PASSWORD} characters at most")
    from zxcvbn import zxcvbn  # 14 MB of word lists, for the few who set a password

    words = [word.casefold() for text in known for word in (text, *text.split()) if word]
    own = password.casefold()
    for word in sorted(words, key=len, reverse=True):
        own = own.replace(word, "")
    is_theirs = len(set(own)) < FEWEST_OF_OWN  # what is left when their name is taken out of it
    if is_theirs or zxcvbn(password[:_JUDGED], user_inputs=[*words, "cti", "server"])["guesses"] < FEWEST_GUESSES:
        raise WeakPassword("easy_to_guess", "this password is among those that are tried first")


def hash_password(password: str) -> str:
    """The hash to store; `check_password` comes before. It takes about 30 ms: call it in a thread from a running
    loop."""
    return _HASHER.hash(password)


class Verifier:
    """Checks passwords, a few at once. Those who came from a device that signed in before go first."""

    def __init__(self) -> None:
        self._running = 0
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._count = 0

    async def matches(self, password: str, stored: str | None, *, first: bool = False) -> bool:
        """Whether `stored` is the hash of `password`. It takes as long when `stored` is None. Raises Crowded."""
        if len(password) > MAX_PASSWORD:
            return False
        async with self._slot(first):
            return await asyncio.to_thread(_matches, password, stored)

    @asynccontextmanager
    async def _slot(self, first: bool) -> AsyncIterator[None]:
        if self._running >= _AT_ONCE:
            if len(self._waiting) >= MAX_WAITING and not first:
                raise Crowded
            await self._wait(first)
        else:
            self._running += 1
        try:
            yield
        finally:
            self._hand_on()

    async def _wait(self, first: bool) -> None:
        """Until a slot is handed to us; whoever ends hands theirs on, so that none is counted twice."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._waiting, (0 if first else 1, self._count, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._hand_on()
            raise

    def _hand_on(self) -> None:
        while self._waiting:
            _, _, turn = heapq.heappop(self._waiting)
            if not turn.done():
                turn.set_result(None)
                return
        self._running -= 1


def _matches(password: str, stored: str | None) -> bool:
    try:
        return _HASHER.verify(password, stored or _NOBODY) and stored is not None
    except Exception:  # a hash of another kind, or a password that UTF-8 cannot hold: not a match
        return False
