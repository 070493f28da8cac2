"""Our side of OpenID Connect: sends a browser to the provider, takes its code, and judges what it signs."""

from __future__ import annotations

import asyncio
import base64
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote_plus, urlencode

from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from cti_server.provider import tokens, web
from cti_server.provider.keys import Keys
from cti_server.provider.metadata import Discovery, Metadata
from cti_server.provider.tokens import Ended
from cti_server.provider.trouble import Trouble
from cti_server.rules.identity import claim_of

_LOCALES: Final[Mapping[str | None, str]] = {"en": "en", "zh": "zh-CN zh"}
AT_ONCE: Final = 20  # browsers whose codes are being taken; the next one waits


@dataclass(frozen=True, slots=True)
class Going:
    """A browser that goes to the provider: where, and what it must come back with. `nonce` and `verifier` are for
    the way back; only this browser may have them."""

    url: str
    state: str
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Came:
    """Who came back, by the provider's word. `issuer` is as `named` writes it. `claims` are those of the ID token
    and, where something was missing there, those of userinfo. `sid` is the provider's session; `id_token` is kept
    for the sign-out."""

    issuer: str
    subject: str
    claims: Mapping[str, Any] = field(repr=False)
    sid: str | None
    id_token: str = field(repr=False)


def named(issuer: str) -> str:
    """An issuer as the record writes it, whether or not its owner and the settings end it in a slash."""
    return issuer.rstrip("/")


class Provider:
    """One for a process. `now` gives Unix time."""

    def __init__(
        self,
        issuer: str,
        client_id: str,
        client_secret: str | None,
        scopes: str = "openid profile email",
        now: Callable[[], float] = time.time,
    ) -> None:
        self.client_id = client_id
        self._secret, self._scopes, self._now = client_secret or None, scopes, now
        self.discovery, self._keys = Discovery(issuer), Keys()
        self._taking = asyncio.Semaphore(AT_ONCE)

    async def going(self, redirect_uri: str, language: str | None = None) -> Going:
        """Raises Trouble when the provider's addresses are not known and cannot be read."""
        metadata = await self.discovery.get()
        nonce, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
        state = secrets.token_urlsafe(32)
        url = prepare_grant_uri(
            metadata.authorization,
            client_id=self.client_id,
            response_type="code",
            redirect_uri=redirect_uri,
            scope=self._scopes,
            state=state,
            nonce=nonce,
            code_challenge=create_s256_code_challenge(verifier),
            code_challenge_method="S256",
            **({"ui_locales": _LOCALES[language]} if language in _LOCALES else {}),
        )
        return Going(str(url), state, nonce, verifier)

    async def came(
        self, code: str, *, issuer: str | None, nonce: str, verifier: str, redirect_uri: str, wanted: Iterable[str]
    ) -> Came:
        """Who came back with this code. `issuer` is the one that the browser brought along (RFC 9207); `wanted`
        are claims that are looked for in userinfo where the ID token has them not. Raises Trouble."""
        metadata = await self.discovery.get()
        if issuer is None and metadata.says_issuer:
            raise Trouble("bad_token", "whoever sent the browser back does not say who they are")
        if issuer is not None and issuer != metadata.issuer:
            raise Trouble("bad_token", f"{issuer} sent the browser back, and not {metadata.issuer}")
        async with self._taking:
            answer = await self._take(metadata, code, verifier, redirect_uri)
            id_token, access_token = answer.get("id_token"), answer.get("access_token")
            if not isinstance(id_token, str):
                raise Trouble("misconfigured", "the provider gave no ID token; CTI_OIDC_SCOPES must have openid")
            header, claims = await self._read(id_token, metadata)
            subject = tokens.judge_id_token(
                claims,
                header,
                metadata,
                client=self.client_id,
                nonce=nonce,
                access_token=access_token if isinstance(access_token, str) else None,
                now=self._now(),
            )
            if (
                any(claim_of(claims, name) is None for name in wanted)
                and metadata.userinfo
                and isinstance(access_token, str)
            ):
                told = await web.get_json(metadata.userinfo, "userinfo", token=access_token)
                if told.get("sub") != subject:
                    raise Trouble("bad_token", "userinfo speaks of somebody else")
                claims = {**told, **claims}
        sid = claims.get("sid")
        return Came(named(metadata.issuer), subject, claims, sid if isinstance(sid, str) else None, id_token)

    async def ended(self, logout_token: str) -> tuple[str, Ended]:
        """The issuer, and whose sessions end by this logout token. Raises Trouble."""
        metadata = await self.discovery.get()
        header, claims = await self._read(logout_token, metadata)
        return named(metadata.issuer), tokens.judge_logout(
            claims, header, metadata, client=self.client_id, now=self._now()
        )

    def end_url(self, id_token: str, then: str) -> str | None:
        """Where a browser ends the provider's session, and comes back to `then`. None where the provider has no
        such address, or could not be asked yet."""
        metadata = self.discovery.known
        if metadata is None or metadata.end_session is None:
            return None
        query = {"id_token_hint": id_token, "client_id": self.client_id, "post_logout_redirect_uri": then}
        return f"{metadata.end_session}{'&' if '?' in metadata.end_session else '?'}{urlencode(query)}"

    async def knows_us(self, redirect_uri: str) -> str | None:
        """None when the provider takes our client and its secret; what it says when it does not. It is asked with
        a code that nobody has. Raises Trouble."""
        try:
            await self._take(
                await self.discovery.get(), "cti-server-doctor", secrets.token_urlsafe(48), redirect_uri
            )
        except Trouble as trouble:
            if trouble.code == "old_state":
                return None
            if trouble.code != "wrong_client":
                raise
            return str(trouble)
        return None

    async def _read(self, token: str, metadata: Metadata) -> tuple[Mapping[str, Any], dict[str, Any]]:
        header = tokens.header_of(token)
        if header.get("alg") not in metadata.algorithms:
            raise Trouble("bad_token", f"a token is signed by {header.get('alg')}")
        name = header.get("kid")
        keys = await self._keys.named(metadata.keys, name if isinstance(name, str) else None)
        return header, tokens.claims_of(token, keys, metadata)

    async def _take(self, metadata: Metadata, code: str, verifier: str, redirect_uri: str) -> Mapping[str, Any]:
        """What the provider's token endpoint gives for the code."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        headers: dict[str, str] = {}
        if self._secret is None:
            form["client_id"] = self.client_id
        elif "client_secret_basic" in metadata.token_auth or "client_secret_post" not in metadata.token_auth:
            # RFC 6749, 2.3.1: both are form-encoded before they go into this header.
            pair = f"{quote_plus(self.client_id)}:{quote_plus(self._secret)}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form |= {"client_id": self.client_id, "client_secret": self._secret}
        answer = await web.post_form(metadata.token, "token", form, headers)
        error = answer.get("error")
        if error is None:
            return answer
        said = f"{error}: {answer.get('error_description', '')}"[:300]
        if error in ("invalid_client", "unauthorized_client"):
            raise Trouble("wrong_client", f"the provider refuses our client ({said})")
        if error == "invalid_grant":
            raise Trouble("old_state", f"the provider does not take this code ({said})")
        raise Trouble("misconfigured", f"the provider refuses the code ({said})")
