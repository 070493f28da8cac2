"""Sign-in through an identity provider, as the settings have it."""

from __future__ import annotations

from cti_server.api.ports import SignOn
from cti_server.provider.client import Provider
from cti_server.rules.identity import RoleMap
from cti_server.settings import Settings


def sign_on_of(settings: Settings) -> SignOn | None:
    """The identity provider of these settings; None without one."""
    if settings.oidc_issuer is None:
        return None
    secret = settings.oidc_client_secret
    return SignOn(
        Provider(
            settings.oidc_issuer,
            settings.oidc_client_id or "",
            secret.get_secret_value() if secret is not None else None,
            settings.oidc_scopes,
        ),
        settings.oidc_name,
        settings.oidc_login_claim,
        RoleMap.parse(settings.oidc_roles) if settings.oidc_roles else None,
        settings.oidc_create,
    )
