"""The identity provider: whether it answers, is the one of the settings, and takes this server for its client."""

from __future__ import annotations

from collections.abc import Iterator

from cti_server.api.access.oidc import BACK
from cti_server.api.sign_on import sign_on_of
from cti_server.doctor.findings import Finding, say
from cti_server.provider.metadata import well_known
from cti_server.provider.trouble import Trouble
from cti_server.record.center import agents
from cti_server.record.database import Database
from cti_server.settings import Settings

CHECK = "sign-in"


async def examine(settings: Settings) -> list[Finding]:
    """Nothing without a provider."""
    sign_on = sign_on_of(settings)
    if sign_on is None:
        return []
    origins = [origin.rstrip("/") for origin in settings.http_origins]
    findings = list(_addresses(origins))
    provider = sign_on.provider
    where = {"issuer": settings.oidc_issuer, "url": well_known(settings.oidc_issuer or "")}
    try:
        metadata = await provider.discovery.get()
        refused = await provider.knows_us(origins[0] + BACK)
    except Trouble as trouble:
        code = "provider.down" if trouble.code == "unreachable" else "provider.misfit"
        return [*findings, say(CHECK, code, why=str(trouble), **where)]
    if refused is not None:
        findings.append(say(CHECK, "provider.client", why=refused, client=settings.oidc_client_id))
    else:
        findings.append(say(CHECK, "provider.ok", issuer=metadata.issuer, client=settings.oidc_client_id))
    if metadata.end_session is None:
        findings.append(say(CHECK, "provider.no_end", issuer=metadata.issuer))
    if not settings.secret_key:
        findings.append(say(CHECK, "provider.no_key"))
    return findings


def _addresses(origins: list[str]) -> Iterator[Finding]:
    for origin in origins:
        yield say(CHECK, "provider.redirect", uri=origin + BACK, after=f"{origin}/")
    yield say(CHECK, "provider.logout", uri=f"{origins[0]}/api/oidc/logout")


async def examine_emergency(settings: Settings) -> list[Finding]:
    """Whether anybody can sign in while the provider is down."""
    if settings.password_sign_in:
        return []
    async with Database(settings.database_url) as database, database.read() as conn:
        known = [one for one in await agents.all_active(conn) if one.break_glass and one.password_hash]
    if known:
        return [say(CHECK, "provider.emergency", logins=", ".join(one.login for one in known))]
    return [say(CHECK, "provider.no_emergency")]
