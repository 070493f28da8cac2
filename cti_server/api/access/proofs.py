"""Proves a person's second factor: a code of their authenticator app, or one of their recovery codes.

Each counts once. Whoever calls has counted the try already, and has checked the password.
"""

from __future__ import annotations

import secrets
from typing import Literal

import structlog

from cti_server.api.ports import Deps
from cti_server.api.principal import digest
from cti_server.api.problems import Problem
from cti_server.record.audit.entries import note
from cti_server.record.center import second_factors
from cti_server.record.center.agents import Agent
from cti_server.record.center.second_factors import SecondFactor
from cti_server.record.sealing import SealingError
from cti_server.rules import second_factor as rules

log = structlog.get_logger(__name__)

Proof = Literal["not_asked", "right", "wrong", "missing"]
CODES = 10


async def prove(deps: Deps, agent: Agent, code: str | None) -> Proof:
    """Use up this code. `not_asked`: their second factor is not on. Raises a 503 problem where its secret cannot
    be opened."""
    async with deps.database.read() as conn:
        factor = await second_factors.find(conn, agent.id)
    if factor is None or factor.on_since is None:
        return "not_asked"
    if code is None:
        return "missing"
    typed = rules.plain(code)
    if rules.is_recovery(typed):
        async with deps.database.begin() as conn:
            used = await second_factors.use_code(conn, agent.id, digest(typed))
            if used:
                note("second_factor.recovery_code_used", f"user:{agent.id}")
        if used:
            log.warning("second_factor.recovery_code_used", agent=agent.id)
        return "right" if used else "wrong"
    step = rules.step_of(opened(deps, factor), typed, deps.now().timestamp())
    if step is None:
        return "wrong"
    async with deps.database.begin() as conn:
        used = await second_factors.use_step(conn, agent.id, step)
    return "right" if used else "wrong"


def opened(deps: Deps, factor: SecondFactor) -> str:
    """The secret in clear. Raises a 503 problem: the settings lack the key that sealed it."""
    try:
        return deps.sealer.open(factor.secret, second_factors.about(factor.agent_id))
    except SealingError as cause:
        log.error("second_factor.unreadable", agent=factor.agent_id, why=str(cause), remedy=cause.remedy)
        raise Problem(
            503,
            "second_factor_unreadable",
            "the server cannot read what your codes are checked with",
            remedy=f"A recovery code works. Administrator: {cause.remedy}",
        ) from None


def new_recovery_codes() -> list[str]:
    """Ten plain codes, of which `digest` is stored."""
    return [
        "".join(secrets.choice(rules.RECOVERY_LETTERS) for _ in range(rules.RECOVERY_LENGTH)) for _ in range(CODES)
    ]
