"""Lets in whom the identity provider vouches for: finds, binds or makes their account, in the role that they have
now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import structlog

from cti_server.api.ports import Deps, SignOn
from cti_server.api.problems import Problem
from cti_server.provider.client import Came
from cti_server.record.audit.entries import Actor, acts, note
from cti_server.record.center import agents, identities, sessions
from cti_server.record.center.agents import Agent
from cti_server.record.center.identities import Identity
from cti_server.record.engines import Connection
from cti_server.rules import identity as rules
from cti_server.rules.identity import Account, Admission

log = structlog.get_logger(__name__)

MAX_NAME: Final = 80  # characters, as everywhere for names

#: the detail and the remedy of each refusal, with the facts {login}, {subject} and {claim}
_REFUSALS: Final[Mapping[str, tuple[str, str]]] = {
    "oidc_no_role": ("none of your groups may come in here", "Administrator: add one to CTI_OIDC_ROLES."),
    "oidc_no_login": (
        "the provider does not say what your login is",
        "Administrator: CTI_OIDC_LOGIN_CLAIM={claim} is not among your claims; CTI_OIDC_SCOPES may lack one.",
    ),
    "oidc_disabled": ("your account here is disabled", "Administrator: cti-server user enable {login}"),
    "oidc_taken": (
        "somebody else of the provider comes in as {login}",
        "Administrator: if {login} is another person now: cti-server user unlink {login}, and link them anew.",
    ),
    "oidc_link_needed": (
        "the account {login} has rights that a name alone does not give",
        "Administrator: cti-server user link {login} --sub {subject}",
    ),
    "oidc_email_unverified": (
        "the provider has not verified your mail address",
        "Verify it there. Administrator: or set CTI_OIDC_LOGIN_CLAIM to a claim that the provider vouches for.",
    ),
    "oidc_unknown_person": (
        "{login} is not known here",
        "Administrator: cti-server user add {login} --name …   or set CTI_OIDC_CREATE=true",
    ),
}


def wanted(sign_on: SignOn) -> Sequence[str]:
    """The claims that decide who comes, and as what."""
    roles = [sign_on.roles.claim] if sign_on.roles is not None else []
    return [sign_on.login_claim, *roles, *(["name"] if sign_on.may_create else [])]


async def admitted(deps: Deps, sign_on: SignOn, came: Came) -> Agent:
    """The account of whoever came, in the role that the provider gives it. Raises a 403 problem.

    Where the role has changed, every session that they had ends.
    """
    acts(Actor(f"provider:{came.issuer}", came.subject))
    async with deps.database.begin() as conn:
        found = await identities.find(conn, came.issuer, came.subject)
        mine = await agents.get(conn, found.agent_id) if found is not None else None
        told = _told(sign_on, came.claims)
        named = await agents.by_login(conn, told.login) if mine is None and told.login is not None else None
        admission = rules.admit(
            told,
            await _account(conn, came.issuer, mine),
            await _account(conn, came.issuer, named),
            may_create=sign_on.may_create,
        )
        log.info("oidc.came", answer=admission.answer, rule=admission.rule.code, login=told.login)
        if admission.answer == "refuse":
            raise _refusal(admission, sign_on, came, mine or named)
        agent = mine or named or await _made(conn, told, came, admission)
        if mine is None:
            await identities.bind(conn, Identity(came.issuer, came.subject, agent.id, deps.now()))
            note("identity.bound", f"user:{agent.id}", {"login": agent.login, "added": named is None})
        changed = agent.role != admission.role
        if changed:
            note("user.role", f"user:{agent.id}", {"before": agent.role, "after": admission.role})
            agent = await agents.update(conn, agent.id, role=admission.role) or agent
            await sessions.close_all(conn, agent.id, deps.now())
    if changed:
        await deps.commands.signed_out(agent.id)
    return agent


def _told(sign_on: SignOn, claims: Mapping[str, Any]) -> rules.Came:
    role = sign_on.roles.role_of(claims) if sign_on.roles is not None else None
    # Some providers say it as a text; who says nothing has verified nothing.
    verified = claims.get("email_verified") in (True, "true")
    return rules.Came(
        login=rules.login_of(claims, sign_on.login_claim),
        role=role,
        in_no_group=sign_on.roles is not None and role is None,
        email_unverified=sign_on.login_claim == "email" and not verified,
    )


async def _account(conn: Connection, issuer: str, agent: Agent | None) -> Account | None:
    if agent is None:
        return None
    bound = any(one.issuer == issuer for one in await identities.of_agent(conn, agent.id))
    return Account(agent.id, agent.role, agent.active, bound)


async def _made(conn: Connection, told: rules.Came, came: Came, admission: Admission) -> Agent:
    """A new account, which has no password."""
    login = told.login or ""
    given = came.claims.get("name")
    name = given.strip()[:MAX_NAME] if isinstance(given, str) and given.isprintable() else ""
    number = await agents.add(conn, login=login, name=name or login, role=admission.role)
    made = await agents.get(conn, number)
    assert made is not None
    return made


def _refusal(admission: Admission, sign_on: SignOn, came: Came, agent: Agent | None) -> Problem:
    detail, remedy = _REFUSALS[admission.rule.code]
    login = agent.login if agent is not None else admission.rule.params.get("login")
    facts = {"login": login, "subject": came.subject, "claim": sign_on.login_claim}
    log.warning("oidc.not_admitted", why=admission.rule.code, **facts, remedy=remedy.format(**facts))
    return Problem(403, admission.rule.code, detail.format(**facts), remedy=remedy.format(**facts))
