"""The routes of one's own second factor: turn it on by password and code, get new recovery codes, turn it off.

They are open to a session that may do nothing else yet, because its role needs a second factor.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Final

import pyotp
import segno
from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from cti_server.api.access.account import Password
from cti_server.api.access.again import address_of, ask_again
from cti_server.api.access.proofs import new_recovery_codes, opened
from cti_server.api.access.sign_ins import SignIns
from cti_server.api.ports import Deps
from cti_server.api.principal import COOKIE, DepsIn, Principal, Signed, digest
from cti_server.api.problems import Problem, documented
from cti_server.api.shapes import RecoveryCodesView, SecondFactorSecretView, SecondFactorView
from cti_server.lookup.shapes import stamp
from cti_server.record.center import second_factors, sessions
from cti_server.record.engines import Connection
from cti_server.record.sealing import SealingError
from cti_server.rules import second_factor as rules

routes = APIRouter(prefix="/api/me/second-factor", tags=["me"])

MAX_CODE: Final = 80  # characters: a recovery code with whatever came along when it was copied
ISSUER: Final = "cti-server"  # what authenticator apps show beside the login
BEGUN_LASTS: Final = timedelta(minutes=30)

Code = Annotated[str, Field(min_length=1, max_length=MAX_CODE)]


class ByPassword(BaseModel):
    """The password that counts now."""

    model_config = ConfigDict(extra="forbid")

    password: Password


class ByCode(BaseModel):
    """The six digits that the authenticator app shows."""

    model_config = ConfigDict(extra="forbid")

    code: Code


class ByBoth(BaseModel):
    """The password, and six digits or a recovery code."""

    model_config = ConfigDict(extra="forbid")

    password: Password
    code: Code


@routes.get("", operation_id="getMySecondFactor", responses=documented(401))
async def get_second_factor(principal: Signed, deps: DepsIn) -> SecondFactorView:
    """Whether it is on, and how many recovery codes are left."""
    async with deps.database.read() as conn:
        factor = await second_factors.find(conn, principal.id)
        left = await second_factors.codes_left(conn, principal.id)
    since = factor.on_since if factor is not None else None
    return {
        "on": since is not None,
        "since": stamp(since) if since is not None else None,
        "recovery_codes_left": left,
        "wanted": principal.agent.role in deps.second_factor_roles,
        "possible": deps.sealer.ready and principal.agent.password_hash is not None,
        "has_password": principal.agent.password_hash is not None,
    }


@routes.post("", operation_id="beginMySecondFactor", responses=documented(401, 403, 409, 429, 503))
async def begin_second_factor(
    body: ByPassword, request: Request, principal: Signed, deps: DepsIn
) -> SecondFactorSecretView:
    """A secret for the authenticator app. It does not count before PUT brings a code of it.

    Asked twice within half an hour it answers the same one, for a phone may have it already.
    """
    if not deps.sealer.ready:
        raise _no_key("Set CTI_SECRET_KEY to what  cti-server key  prints, and keep a copy of it.")
    await ask_again(request, deps, principal, body.password)
    async with deps.database.begin() as conn:
        secret = await _begun(conn, deps, principal)
    uri = pyotp.TOTP(secret).provisioning_uri(name=principal.agent.login, issuer_name=ISSUER)
    # White around it, whatever the page's colours are: cameras read no other.
    image = segno.make(uri, error="m", micro=False).svg_data_uri(
        border=4, dark="#000", light="#fff", omitsize=True
    )
    return {"secret": secret, "uri": uri, "qr": image}


async def _begun(conn: Connection, deps: Deps, principal: Principal) -> str:
    factor = await second_factors.find(conn, principal.id)
    if factor is not None and factor.on_since is not None:
        raise Problem(409, "second_factor_on", "your second factor is on already", remedy="Turn it off first.")
    if factor is not None and factor.begun_at > deps.now() - BEGUN_LASTS:
        return opened(deps, factor)
    secret = pyotp.random_base32()
    try:
        sealed = deps.sealer.seal(secret, second_factors.about(principal.id))
    except SealingError as cause:
        raise _no_key(cause.remedy) from None
    await second_factors.begin(conn, principal.id, sealed, deps.now())
    return secret


def _no_key(remedy: str) -> Problem:
    return Problem(
        409,
        "second_factor_no_key",
        "the server has no key to keep the secret with",
        remedy=f"Administrator: {remedy}",
    )


@routes.put("", operation_id="confirmMySecondFactor", responses=documented(401, 403, 409, 429, 503))
async def confirm_second_factor(
    body: ByCode, request: Request, principal: Signed, deps: DepsIn
) -> RecoveryCodesView:
    """Turn it on. The recovery codes are shown this once. Every other session of this person ends."""
    async with deps.database.read() as conn:
        factor = await second_factors.find(conn, principal.id)
    if factor is None or factor.on_since is not None or factor.begun_at <= deps.now() - BEGUN_LASTS:
        raise Problem(
            409, "second_factor_not_begun", "there is no secret that waits for a code", remedy="Begin again."
        )
    token, sign_ins = digest(request.cookies[COOKIE]), _sign_ins(request)
    step = rules.step_of(opened(deps, factor), rules.plain(body.code), deps.now().timestamp())
    codes = new_recovery_codes()

    async def turned_on() -> bool:
        if step is None:
            return False
        async with deps.database.begin() as conn:
            if not await second_factors.turn_on(conn, principal.id, step, deps.now()):
                return False
            await second_factors.put_codes(conn, principal.id, [digest(code) for code in codes])
            await sessions.close_all(conn, principal.id, deps.now(), keep=token)
        return True

    await sign_ins.judge_code(principal.agent, address_of(request), token, turned_on)
    await deps.commands.signed_out(principal.id)
    return {"codes": [rules.grouped(code) for code in codes]}


@routes.post("/recovery-codes", operation_id="renewMyRecoveryCodes", responses=documented(401, 403, 409, 429, 503))
async def renew_recovery_codes(
    body: ByBoth, request: Request, principal: Signed, deps: DepsIn
) -> RecoveryCodesView:
    """Ten new recovery codes, shown this once; those before work no more."""
    await _is_on(deps, principal)
    await ask_again(request, deps, principal, body.password, body.code)
    codes = new_recovery_codes()
    async with deps.database.begin() as conn:
        await second_factors.put_codes(conn, principal.id, [digest(code) for code in codes])
    return {"codes": [rules.grouped(code) for code in codes]}


@routes.post(
    "/off", operation_id="endMySecondFactor", status_code=204, responses=documented(401, 403, 409, 429, 503)
)
async def end_second_factor(body: ByBoth, request: Request, principal: Signed, deps: DepsIn) -> None:
    """Turn it off. Every other session of this person ends. 409 where their role needs one."""
    if principal.agent.role in deps.second_factor_roles:
        raise Problem(
            409,
            "second_factor_wanted",
            f"who has the role {principal.agent.role} must have a second factor",
            remedy="For a new phone, ask an administrator to turn it off; then set it up anew.",
        )
    await _is_on(deps, principal)
    token = await ask_again(request, deps, principal, body.password, body.code)
    async with deps.database.begin() as conn:
        await second_factors.turn_off(conn, principal.id)
        await sessions.close_all(conn, principal.id, deps.now(), keep=token)
    await deps.commands.signed_out(principal.id)


async def _is_on(deps: Deps, principal: Principal) -> None:
    async with deps.database.read() as conn:
        factor = await second_factors.find(conn, principal.id)
    if factor is None or factor.on_since is None:
        raise Problem(409, "second_factor_off", "your second factor is not on")


def _sign_ins(request: Request) -> SignIns:
    sign_ins: SignIns = request.app.state.sign_ins
    return sign_ins
