"""Judges one try to sign in: within its budget, hashed in its turn, told to the log and counted."""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Final

import structlog
from prometheus_client import Counter

from cti_server.api.access.attempts import Attempts, Try
from cti_server.api.access.passwords import Crowded, Verifier
from cti_server.api.access.proofs import Proof
from cti_server.api.problems import Problem
from cti_server.record.center.agents import Agent

log = structlog.get_logger(__name__)

AGAIN_S: Final = 2  # for whoever comes while too many wait

Prove = Callable[[Agent], Awaitable[Proof]]
"""Proves the second factor of somebody whose password was right."""


class SignIns:
    """One for a process; `results` is its metric. The login that was typed is not logged: it may be a password."""

    def __init__(self) -> None:
        self.results = Counter("cti_sign_ins", "Tries to sign in, by how they ended", ["result"], registry=None)
        self._attempts, self._verifier = Attempts(), Verifier()

    async def judge(
        self,
        agent: Agent | None,
        login: str,
        password: str,
        address: str,
        device: str | None,
        prove: Prove | None = None,
    ) -> Agent:
        """The agent, whose password this is. `device` is that of somebody who signed in from there before. Raises
        a problem: 401 for a wrong one, or where `prove` misses or refuses a code; 429 over the budget, 503 when
        too many wait."""
        tried = self._take(login, agent, address, device)
        stored = agent.password_hash if agent is not None and agent.active else None
        try:
            matches = await self._verifier.matches(password, stored, first=device is not None)
        except Crowded:
            self._attempts.undone(tried, time.monotonic())
            raise self._refused("crowded", agent, address, _crowded()) from None
        if not matches or agent is None:
            wrong = Problem(401, "wrong_credentials", "the login or the password is wrong")
            raise self._refused("wrong", agent, address, wrong)
        proof = await prove(agent) if prove is not None else "not_asked"
        if proof == "missing":
            # Given back, and no more than that: a right password must not begin the guessing of codes anew.
            self._attempts.undone(tried, time.monotonic())
            raise self._refused("code_needed", agent, address, _code_needed())
        if proof == "wrong":
            raise self._refused("wrong_code", agent, address, wrong_code(401))
        self._right(tried)
        return agent

    async def judge_code(
        self, agent: Agent, address: str, device: str, matches: Callable[[], Awaitable[bool]]
    ) -> None:
        """Let somebody who is signed in try one code. Raises a problem: 403 for a wrong one, 429 over
        the budget."""
        tried = self._take(agent.login, agent, address, device)
        if not await matches():
            raise self._refused("wrong_code", agent, address, wrong_code(403))
        self._right(tried)

    @contextmanager
    def counted(self, address: str) -> Iterator[None]:
        """A sign-in through the provider, which costs us questions to it: a try of this address unless it ends
        without an exception. Raises a 429 problem over the budget."""
        tried = self._attempts.take_address(address, time.monotonic())
        if isinstance(tried, float):
            raise self._refused("limited", None, address, _later(tried))
        try:
            yield
        except Exception:
            self.results.labels("provider_refused").inc()
            raise
        self._right(tried)

    def _take(self, login: str, agent: Agent | None, address: str, device: str | None) -> Try:
        tried = self._attempts.take(login, address, device, time.monotonic())
        if isinstance(tried, float):
            raise self._refused("limited", agent, address, _later(tried))
        return tried

    def _right(self, tried: Try) -> None:
        self._attempts.right(tried, time.monotonic())
        self.results.labels("right").inc()

    def _refused(self, result: str, agent: Agent | None, address: str, problem: Problem) -> Problem:
        self.results.labels(result).inc()
        if result in ("wrong", "wrong_code"):  # the others come by the hundred, and are counted
            log.warning(
                "sign_in.refused", agent=agent.id if agent is not None else None, address=address, why=result
            )
        return problem


def wrong_code(status: int) -> Problem:
    return Problem(
        status,
        "wrong_code",
        "this code is wrong, or it was used already",
        remedy="Wait for the next code of your authenticator app, and see that the phone's clock is right.",
    )


def _code_needed() -> Problem:
    return Problem(
        401,
        "code_needed",
        "this login needs a code, too",
        remedy="Send it as  code  beside login and password: six digits, or a recovery code.",
    )


def _later(wait: float) -> Problem:
    seconds = math.ceil(wait)
    return Problem(
        429,
        "too_many_attempts",
        "too many failed attempts to sign in",
        remedy=f"Wait {seconds} s.",
        headers={"Retry-After": str(seconds)},
    )


def _crowded() -> Problem:
    return Problem(
        503,
        "too_many_sign_ins",
        "too many people sign in at this moment",
        remedy=f"Try again in {AGAIN_S} s.",
        headers={"Retry-After": str(AGAIN_S)},
    )
