"""Who may come in by the word of an identity provider, as whom, and in which role.

A person is known by issuer and subject, which never change. A login name does: at many providers people choose it
themselves, and one that somebody left is given to somebody else. So a name finds an account once, the first time,
and brings no rights that the provider does not vouch for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from cti_server.rules.facts import Reason, Role
from cti_server.rules.rights import is_at_least

_ROLES: Final[tuple[Role, ...]] = ("administrator", "supervisor", "agent")  # the highest first
# A group is all that stands before `=role` and a comma or the end: names of LDAP have commas and = of their own.
_PAIR: Final = re.compile(r"\s*(?P<group>.+?)\s*=\s*(?P<role>administrator|supervisor|agent)\s*(?:,|$)")
MAX_LOGIN: Final = 80


@dataclass(frozen=True, slots=True)
class RoleMap:
    """Which group gives which role: `groups: cti-admins=administrator, cti-leads=supervisor, *=agent`. `claim` is
    the name of a claim, or a way of names with dots; `otherwise` is the role of whoever is in no such group."""

    claim: str
    groups: tuple[tuple[str, Role], ...]
    otherwise: Role | None

    @classmethod
    def parse(cls, text: str) -> RoleMap:
        """Raises ValueError."""
        claim, colon, rest = text.strip().partition(": ")
        pairs: list[tuple[str, Role]] = []
        rest = rest.strip()
        while rest:
            found = _PAIR.match(rest)
            if found is None:
                raise ValueError(f"{rest} is not  group=administrator,  =supervisor  or  =agent")
            role: Role = next(one for one in _ROLES if one == found["role"])
            pairs.append((found["group"], role))
            rest = rest[found.end() :].strip()
        if not colon or not claim or not pairs:
            raise ValueError(
                "write a claim, a colon and a space, and groups:  groups: cti-admins=administrator, *=agent"
            )
        otherwise = next((role for group, role in pairs if group == "*"), None)
        return cls(claim, tuple(pair for pair in pairs if pair[0] != "*"), otherwise)

    def role_of(self, claims: Mapping[str, Any]) -> Role | None:
        """The highest role that their groups give; None for whoever may not come in."""
        theirs = set(texts_of(claim_of(claims, self.claim)))
        given = {role for group, role in self.groups if group in theirs}
        return next((role for role in _ROLES if role in given), self.otherwise)


def claim_of(claims: Mapping[str, Any], name: str) -> Any:
    """The claim of this name, dots and all; else what is found along the names between its dots."""
    if name in claims:
        return claims[name]
    found: Any = claims
    for part in name.split("."):
        if not isinstance(found, Mapping):
            return None
        found = found.get(part)
    return found


def texts_of(value: Any) -> Sequence[str]:
    """The texts of a claim that is a text or a list."""
    if isinstance(value, str):
        return [value]
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def login_of(claims: Mapping[str, Any], claim: str) -> str | None:
    """The login that a claim gives; None for what can be none."""
    found = claim_of(claims, claim)
    if not isinstance(found, str):
        return None
    login = found.strip().casefold()
    fits = 0 < len(login) <= MAX_LOGIN and login.isprintable() and not any(letter.isspace() for letter in login)
    return login if fits else None


def is_safe(url: str) -> bool:
    """Whether secrets may travel to this address: by TLS, or within this machine."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if parts.scheme == "https":
        return bool(parts.hostname)
    return parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Came:
    """Who the provider says has come. `role` is what their groups give, None where roles are not the provider's to
    give. `in_no_group`: they are, and it gives none. `email_unverified`: their login is a mail address for which
    nobody vouches."""

    login: str | None
    role: Role | None = None
    in_no_group: bool = False
    email_unverified: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """An account of ours. `bound`: somebody of this provider comes in by it already."""

    agent: int
    role: Role
    active: bool = True
    bound: bool = False


@dataclass(frozen=True, slots=True)
class Admission:
    """`bind`: sign in by the account of that name, and by it from now on. `role` is theirs from now on."""

    answer: Literal["sign_in", "bind", "create", "refuse"]
    rule: Reason
    role: Role = "agent"


def admit(came: Came, mine: Account | None, named: Account | None, *, may_create: bool) -> Admission:
    """`mine` is the account that issuer and subject are bound to; `named` the one that has their login."""
    facts: dict[str, str | int | bool | None] = {"login": came.login, "role": came.role}

    def refuse(code: str) -> Admission:
        return Admission("refuse", Reason(f"oidc_{code}", facts))

    if came.in_no_group:
        return refuse("no_role")
    if mine is not None:
        if not mine.active:
            return refuse("disabled")
        return Admission("sign_in", Reason("identity.bound", facts), came.role or mine.role)
    if came.login is None:
        return refuse("no_login")
    if named is not None:
        if not named.active:
            return refuse("disabled")
        if named.bound:
            return refuse("taken")
        if came.email_unverified:
            return refuse("email_unverified")
        if not _may_take_over(came.role, named.role):
            return refuse("link_needed")
        return Admission("bind", Reason("identity.login", facts), came.role or named.role)
    if not may_create:
        return refuse("unknown_person")
    if came.email_unverified:
        return refuse("email_unverified")
    return Admission("create", Reason("identity.new", facts), came.role or "agent")


def _may_take_over(vouched: Role | None, has: Role) -> bool:
    """Whether a name alone may find this account: an agent's; a supervisor's where the provider's groups say that
    they are one; never an administrator's."""
    if has == "administrator":
        return False
    return has == "agent" or (vouched is not None and is_at_least(vouched, has))
