"""The provider's addresses, as its discovery document has them, read again each hour."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from authlib.oidc.discovery import get_well_known_url

from cti_server.provider import web
from cti_server.provider.trouble import Trouble
from cti_server.rules.identity import is_safe

LASTS_S: Final = 3600.0
SIGNATURES: Final = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"}
)
"""Only those whose key is the provider's alone: never `none`, and no HMAC with a secret that we have as well."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """`issuer` is written as the provider writes it. `algorithms` sign its tokens. `says_issuer`: it names itself
    when it sends somebody back (RFC 9207)."""

    issuer: str
    authorization: str
    token: str
    keys: str
    userinfo: str | None
    end_session: str | None
    algorithms: tuple[str, ...]
    token_auth: tuple[str, ...]
    says_issuer: bool


def same_issuer(one: str, other: str) -> bool:
    """Whether both name the same issuer: administrators cannot know whether theirs ends in a slash."""
    return one.rstrip("/") == other.rstrip("/")


def read(document: Mapping[str, Any], issuer: str) -> Metadata:
    """What the document of `issuer` says. Raises Trouble for one that another wrote, or that lacks an address."""
    named = document.get("issuer")
    if not isinstance(named, str) or not same_issuer(named, issuer):
        raise Trouble("misconfigured", f"the provider calls itself {named}, and CTI_OIDC_ISSUER is {issuer}")

    def address(name: str, *, needed: bool = True) -> str | None:
        found = document.get(name)
        if found is None and not needed:
            return None
        if not isinstance(found, str) or not is_safe(found):
            raise Trouble("misconfigured", f"the provider's document has no {name} over https")
        return found

    offered = _texts(document.get("id_token_signing_alg_values_supported")) or ("RS256",)
    algorithms = tuple(name for name in offered if name in SIGNATURES)
    if not algorithms:
        raise Trouble(
            "misconfigured", f"the provider signs only by {', '.join(offered)}, which others could forge"
        )
    return Metadata(
        issuer=named,
        authorization=address("authorization_endpoint") or "",
        token=address("token_endpoint") or "",
        keys=address("jwks_uri") or "",
        userinfo=address("userinfo_endpoint", needed=False),
        end_session=address("end_session_endpoint", needed=False),
        algorithms=algorithms,
        token_auth=_texts(document.get("token_endpoint_auth_methods_supported")) or ("client_secret_basic",),
        says_issuer=document.get("authorization_response_iss_parameter_supported") is True,
    )


def _texts(value: object) -> tuple[str, ...]:
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()


class Discovery:
    """Reads the document when it is first needed: a provider that is down stops nobody's server."""

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer
        self._known: Metadata | None = None
        self._read_at = 0.0

    @property
    def known(self) -> Metadata | None:
        """What was read last, however old; None before the first time."""
        return self._known

    async def get(self) -> Metadata:
        """Raises Trouble when it was never read; a document that cannot be read again counts on."""
        if self._known is not None and time.monotonic() - self._read_at < LASTS_S:
            return self._known
        try:
            self._known = read(await web.get_json(well_known(self._issuer), "discovery"), self._issuer)
            self._read_at = time.monotonic()
        except Trouble as trouble:
            if self._known is None or trouble.code != "unreachable":
                raise
        return self._known


def well_known(issuer: str) -> str:
    """Where the provider's document stands."""
    return str(get_well_known_url(issuer, external=True))
