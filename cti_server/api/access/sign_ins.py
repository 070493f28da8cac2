"""Judges one try to sign in: within its budget, hashed in its turn, told to the log and counted."""

from __future__ import annotations

import math
import time
from typing import Final

import structlog
from prometheus_client import Counter

from cti_server.api.access.attempts import Attempts
from cti_server.api.access.passwords import Crowded, Verifier
from cti_server.api.problems import Problem
from cti_server.record.center.agents import Agent

log = structlog.get_logger(__name__)

AGAIN_S: Final = 2  # for whoever comes while too many wait


class SignIns:
    """One for a process; `results` is its metric. The login that was typed is not logged: it may be a password."""

    def __init__(self) -> None:
        self.results = Counter("cti_sign_ins", "Tries to sign in, by how they ended", ["result"], registry=None)
        self._attempts, self._verifier = Attempts(), Verifier()

    async def judge(
        self, agent: Agent | None, login: str, password: str, address: str, device: str | None
    ) -> Agent:
        """The agent, whose password this is. `device` is that of somebody who signed in from there before. Raises
        a problem: 401 for a wrong one, 429 over the budget, 503 when too many wait."""
        tried = self._attempts.take(login, address, device, time.monotonic())
        if isinstance(tried, float):
            raise self._refused("limited", agent, address, _later(tried))
        stored = agent.password_hash if agent is not None and agent.active else None
        try:
            matches = await self._verifier.matches(password, stored, first=device is not None)
        except Crowded:
            self._attempts.undone(tried, time.monotonic())
            raise self._refused("crowded", agent, address, _crowded()) from None
        if not matches or agent is None:
            wrong = Problem(401, "wrong_credentials", "the login or the password is wrong")
            raise self._refused("wrong", agent, address, wrong)
        self._attempts.right(tried, time.monotonic())
        self.results.labels("right").inc()
        return agent

    def _refused(self, result: str, agent: Agent | None, address: str, problem: Problem) -> Problem:
        self.results.labels(result).inc()
        if result == "wrong":  # the others come by the hundred, and are counted
            log.warning("sign_in.refused", agent=agent.id if agent is not None else None, address=address)
        return problem


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
