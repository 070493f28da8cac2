"""user second-factor, link and unlink: how somebody signs in beside their password."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from cti_server.cli.common import fail, read_settings, say, write

from .users import Login, of_login


def second_factor(
    login: Login,
    off: Annotated[bool, typer.Option("--off", help="Their phone is lost: the password alone counts.")] = False,
) -> None:
    """Turn somebody's second factor off, which signs them out everywhere. Only they themselves can turn it on."""
    if not off:
        fail(
            "say --off: a second factor is turned on by its owner, in the settings of their desk",
            f"cti-server user show {login}   tells whether it is on",
        )

    async def turn_off(conn: Any) -> None:
        from cti_server.record.center import second_factors, sessions

        agent = await of_login(conn, login)
        if not await second_factors.turn_off(conn, agent.id):
            fail(f"the second factor of {login} is not on")
        await sessions.close_all(conn, agent.id, datetime.now(UTC))

    write(read_settings(), turn_off)
    say(f"{login} signs in by the password alone, and is signed out everywhere")


def link_user(
    login: Login,
    sub: Annotated[str, typer.Option("--sub", help="How the provider calls them for ever: the claim sub.")],
) -> None:
    """Whoever the identity provider calls so comes in by this account, whatever its rights are."""
    settings = read_settings()
    if settings.oidc_issuer is None:
        fail("there is no identity provider", "CTI_OIDC_ISSUER names it: docs/settings.md")
    if not sub.strip() or len(sub) > 255:
        fail("a sub has 1 to 255 characters", "the refused sign-in shows it, and the provider's list of users")

    async def link(conn: Any) -> str:
        from cti_server.provider.client import named
        from cti_server.record.center import agents, identities

        agent = await of_login(conn, login)
        issuer = named(settings.oidc_issuer or "")
        known = await identities.find(conn, issuer, sub)
        if known is not None:
            other = await agents.get(conn, known.agent_id)
            fail(
                f"{sub} comes in as {other.login if other is not None else 'somebody'} already",
                f"cti-server user unlink {other.login if other is not None else 'LOGIN'}   ends that",
            )
        if any(one.issuer == issuer for one in await identities.of_agent(conn, agent.id)):
            fail(f"somebody else comes in as {login} already", f"cti-server user unlink {login}   ends that")
        await identities.bind(conn, identities.Identity(issuer, sub, agent.id, datetime.now(UTC)))
        return issuer

    issuer = write(settings, link)
    say(f"{sub} at {issuer} comes in as {login}")


def unlink_user(login: Login) -> None:
    """Nobody comes in by this account through the identity provider any more. It signs them out everywhere."""

    async def unlink(conn: Any) -> None:
        from cti_server.record.center import identities, sessions

        agent = await of_login(conn, login)
        if not await identities.unbind(conn, agent.id):
            fail(f"nobody comes in as {login} through a provider")
        await sessions.close_all(conn, agent.id, datetime.now(UTC))

    write(read_settings(), unlink)
    say(f"nobody comes in as {login} through the provider, and they are signed out everywhere")
