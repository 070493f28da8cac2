"""Who may come in by the word of a provider: each answer of `admit`, the map of groups, logins, second factors."""

from __future__ import annotations

from typing import Any

import pytest

from cti_server.rules.facts import Role
from cti_server.rules.identity import Account, Came, RoleMap, admit, is_safe, login_of
from cti_server.rules.second_factor import STEP_S, grouped, is_recovery, must_set_up, plain, step_of

AGENT, SUPERVISOR, ADMINISTRATOR = (Account(1, role) for role in ("agent", "supervisor", "administrator"))


def came(role: Role | None = None, login: str | None = "li", **more: bool) -> Came:
    return Came(login, role, **more)


ADMISSIONS: list[tuple[Came, Account | None, Account | None, bool, str, str, Role]] = [
    (came(), AGENT, None, False, "sign_in", "identity.bound", "agent"),
    (came("supervisor"), AGENT, None, False, "sign_in", "identity.bound", "supervisor"),
    (came("agent"), ADMINISTRATOR, None, False, "sign_in", "identity.bound", "agent"),
    (came(), ADMINISTRATOR, None, False, "sign_in", "identity.bound", "administrator"),
    (came(login=None), AGENT, None, False, "sign_in", "identity.bound", "agent"),
    (came(in_no_group=True), AGENT, None, True, "refuse", "oidc_no_role", "agent"),
    (came(), Account(1, "agent", active=False), None, True, "refuse", "oidc_disabled", "agent"),
    (came(login=None), None, None, True, "refuse", "oidc_no_login", "agent"),
    (came(), None, AGENT, False, "bind", "identity.login", "agent"),
    (came("supervisor"), None, AGENT, False, "bind", "identity.login", "supervisor"),
    (came("supervisor"), None, SUPERVISOR, False, "bind", "identity.login", "supervisor"),
    (came("administrator"), None, SUPERVISOR, False, "bind", "identity.login", "administrator"),
    (came("agent"), None, SUPERVISOR, False, "refuse", "oidc_link_needed", "agent"),
    (came(), None, SUPERVISOR, False, "refuse", "oidc_link_needed", "agent"),
    (came("administrator"), None, ADMINISTRATOR, True, "refuse", "oidc_link_needed", "agent"),
    (came(), None, Account(1, "agent", active=False), True, "refuse", "oidc_disabled", "agent"),
    (came(), None, Account(1, "agent", bound=True), True, "refuse", "oidc_taken", "agent"),
    (came(email_unverified=True), None, AGENT, True, "refuse", "oidc_email_unverified", "agent"),
    (came(email_unverified=True), None, None, True, "refuse", "oidc_email_unverified", "agent"),
    (came(email_unverified=True), AGENT, None, True, "sign_in", "identity.bound", "agent"),
    (came(), None, None, False, "refuse", "oidc_unknown_person", "agent"),
    (came(), None, None, True, "create", "identity.new", "agent"),
    (came("administrator"), None, None, True, "create", "identity.new", "administrator"),
]


@pytest.mark.parametrize("case", ADMISSIONS, ids=lambda case: f"{case[5]}-{ADMISSIONS.index(case)}")
def test_admissions(case: tuple[Came, Account | None, Account | None, bool, str, str, Role]) -> None:
    who, mine, named, may_create, answer, rule, role = case
    found = admit(who, mine, named, may_create=may_create)
    assert (found.answer, found.rule.code, found.role) == (answer, rule, role)


MAP = "groups: cti-admins=administrator, CN=leads,OU=a=b,DC=x=supervisor, 坐席=agent"


@pytest.mark.parametrize(
    ("text", "claims", "role"),
    [
        (MAP, {"groups": ["cti-admins"]}, "administrator"),
        (MAP, {"groups": ["坐席", "CN=leads,OU=a=b,DC=x"]}, "supervisor"),
        (MAP, {"groups": "坐席"}, "agent"),
        (MAP, {"groups": ["CTI-ADMINS", 7, None]}, None),
        (MAP, {}, None),
        (MAP, {"groups": {"cti-admins": True}}, None),
        ("groups: a=supervisor, *=agent", {}, "agent"),
        ("groups: a=supervisor, *=agent", {"groups": ["*"]}, "agent"),
        ("realm_access.roles: a=supervisor", {"realm_access": {"roles": ["a"]}}, "supervisor"),
        ("realm_access.roles: a=supervisor", {"realm_access": ["roles"]}, None),
        ("https://x.example/roles: a=agent", {"https://x.example/roles": ["a"]}, "agent"),
    ],
)
def test_groups_give_roles(text: str, claims: dict[str, Any], role: Role | None) -> None:
    assert RoleMap.parse(text).role_of(claims) == role


@pytest.mark.parametrize(
    "text", ["", "groups", "groups:", "groups: ", "groups: a=boss", "a=agent", "groups: a=agent, b"]
)
def test_a_map_that_says_nothing_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="administrator"):
        RoleMap.parse(text)


@pytest.mark.parametrize(
    ("claim", "login"),
    [
        (" Li.Wei ", "li.wei"),
        ("李伟", "李伟"),
        ("li wei", None),
        ("", None),
        (7, None),
        ("x" * 81, None),
        ("a\x00", None),
    ],
)
def test_logins(claim: object, login: str | None) -> None:
    assert login_of({"preferred_username": claim}, "preferred_username") == login


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://idp.example/x", True),
        ("http://localhost:8080", True),
        ("http://127.0.0.1", True),
        ("http://idp.example", False),
        ("https://", False),
        ("ftp://idp.example", False),
        ("https://[", False),
    ],
)
def test_where_secrets_may_travel(url: str, safe: bool) -> None:
    assert is_safe(url) is safe


# --- second factors ----------------------------------------------------------------------------------------

RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # RFC 6238, appendix B, of whose eight digits the last six count


@pytest.mark.parametrize(("at", "code"), [(59, "287082"), (1111111109, "081804"), (2000000000, "279037")])
def test_codes_of_the_specification(at: int, code: str) -> None:
    assert step_of(RFC_SECRET, code, at) == at // STEP_S
    assert step_of(RFC_SECRET, code, at + STEP_S) == at // STEP_S
    assert step_of(RFC_SECRET, code, at + 2 * STEP_S) is None


def test_a_recovery_code_is_one_however_it_was_copied() -> None:
    assert plain(" ABCD-efgh JKMN-pqrs\n") == "abcdefghjkmnpqrs"
    assert is_recovery("abcdefghjkmnpqrs")
    assert grouped("abcdefghjkmnpqrs") == "abcd-efgh-jkmn-pqrs"
    assert not is_recovery("abcdefghjkmnpqr1"), "no 1 looks like an l"


@pytest.mark.parametrize(
    ("role", "has_one", "by_provider", "needed", "rule"),
    [
        ("agent", False, False, False, "second_factor.not_wanted"),
        ("supervisor", True, False, False, "second_factor.on"),
        ("supervisor", False, True, False, "second_factor.of_provider"),
        ("supervisor", False, False, True, "second_factor.wanted"),
    ],
)
def test_who_must_set_one_up(role: Role, has_one: bool, by_provider: bool, needed: bool, rule: str) -> None:
    found = must_set_up(role, ("supervisor",), has_one=has_one, by_provider=by_provider)
    assert (found.needed, found.rule.code) == (needed, rule)
