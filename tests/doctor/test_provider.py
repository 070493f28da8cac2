"""The doctor's lines about the identity provider, against one that says what a test wants."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from cti_server.doctor.provider import examine, examine_emergency
from cti_server.provider import web
from cti_server.record.center import agents
from cti_server.record.database import Database
from cti_server.settings import Settings
from tests.api.idp import CLIENT, ISSUER, SECRET, Idp


@pytest.fixture
def idp(monkeypatch: pytest.MonkeyPatch) -> Idp:
    made = Idp()
    monkeypatch.setattr(web, "_client", made.client)
    return made


def settings(**changes: Any) -> Settings:
    given = {"oidc_issuer": ISSUER, "oidc_client_id": CLIENT, "oidc_client_secret": SECRET} | changes
    return Settings(_env_file=None, http_origins=("https://desk.example/",), **given)


def says(status: int, **given: Any) -> Any:
    return lambda request: httpx.Response(status, **given)


def fails(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused")


CASES: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "well": ({}, {}, "provider.ok"),
    "down": ({"openid-configuration": fails}, {}, "provider.down"),
    "another issuer": (
        {"openid-configuration": says(200, json={"issuer": "https://x.example"})},
        {},
        "provider.misfit",
    ),
    "unknown realm": ({"openid-configuration": says(404, json={})}, {}, "provider.misfit"),
    "wrong secret": ({"token": says(401, json={"error": "invalid_client"})}, {}, "provider.client"),
    "no sign-out": ({}, {"end_session_endpoint": None}, "provider.no_end"),
}


@pytest.mark.parametrize("case", CASES)
async def test_what_it_finds(idp: Idp, case: str) -> None:
    idp.answers, idp.document, code = CASES[case]
    found = {one.code: one for one in await examine(settings())}
    assert code in found
    assert found["provider.redirect"].what.startswith(
        "redirect URI for the provider: https://desk.example/sign-in/back"
    )
    assert "https://desk.example/api/oidc/logout" in found["provider.logout"].what
    assert "provider.no_key" in found or code in ("provider.down", "provider.misfit")
    assert SECRET not in str(found)


async def test_nothing_without_a_provider() -> None:
    assert await examine(Settings(_env_file=None)) == []
    assert await examine_emergency(Settings(_env_file=None)) == []


async def test_somebody_must_come_in_while_the_provider_is_down(sqlite_url: str) -> None:
    without = settings(password_sign_in=False, database_url=sqlite_url)
    assert [one.code for one in await examine_emergency(without)] == ["provider.no_emergency"]
    async with Database(sqlite_url) as database, database.begin() as conn:
        await agents.add(conn, login="root", name="Root", break_glass=True, password_hash="hash")
    assert [one.code for one in await examine_emergency(without)] == ["provider.emergency"]
