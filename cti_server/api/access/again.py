"""Asks somebody who is signed in for their password once more, before a change that a thief of the session would
make first."""

from __future__ import annotations

from fastapi import Request

from cti_server.api.access.proofs import prove
from cti_server.api.access.sign_ins import Prove, SignIns, wrong_code
from cti_server.api.ports import Deps
from cti_server.api.principal import COOKIE, Principal, digest
from cti_server.api.problems import Problem


async def ask_again(
    request: Request, deps: Deps, principal: Principal, password: str, code: str | None = None
) -> str:
    """The token hash of this session, which goes on. With `code` their second factor is asked for as well. Raises
    a problem: 403 for what is wrong, 429 over the budget."""
    agent, token = principal.agent, digest(request.cookies[COOKIE])
    sign_ins: SignIns = request.app.state.sign_ins
    checked: Prove | None = None if code is None else lambda one: prove(deps, one, code)
    # Whoever has the session guesses as slowly as at the sign-in, and in a budget of this session.
    try:
        await sign_ins.judge(agent, agent.login, password, address_of(request), token, checked)
    except Problem as refused:
        if refused.code == "wrong_credentials":
            raise Problem(403, "wrong_password", "that is not your password") from None
        if refused.code == "wrong_code":
            raise wrong_code(403) from None
        raise
    return token


def address_of(request: Request) -> str:
    return request.client.host if request.client else ""
