"""An identity provider without a network: the server's own HTTP client asks it, its tokens are signed for good."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from joserfc import jwt
from joserfc.jwk import RSAKey

from cti_server.provider.tokens import EVENT

ISSUER = "https://idp.example/realms/cti"
CLIENT, SECRET = "cti desk", "s%cret:+ü"
KEY = RSAKey.generate_key(2048, {"kid": "k1", "use": "sig"})
Answer = Callable[[httpx.Request], httpx.Response]


class Idp:
    """Whoever signs in there next is `claims`, of which `in_userinfo` are told by userinfo only. `answers` replace
    what a path answers."""

    def __init__(self) -> None:
        self.issuer = ISSUER
        self.key = KEY
        self.listed = [self.key]
        self.claims: dict[str, Any] = {"sub": "u-1", "preferred_username": "li", "sid": "s-1"}
        self.in_userinfo: dict[str, Any] = {}
        self.id_token: dict[str, Any] = {}
        self.answers: dict[str, Answer] = {}
        self.document: dict[str, Any] = {}
        self.asked: list[str] = []
        self._nonces: dict[str, tuple[str, str]] = {}

    def client(self) -> httpx.AsyncClient:
        """In place of `provider.web._client`."""
        return httpx.AsyncClient(transport=httpx.MockTransport(self._answer))

    def visit(self, url: str) -> dict[str, str]:
        """What somebody who signs in at this address is sent back with."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert query["client_id"] == CLIENT
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        code = f"code {len(self._nonces)}"
        self._nonces[code] = (query["nonce"], query["redirect_uri"])
        return {"state": query["state"], "code": code, "iss": self.issuer}

    def token(self, **changes: Any) -> str:
        """An ID token; a change to None takes a claim away."""
        now = int(time.time())
        made = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, **self.claims, **changes}
        return self.signed({name: value for name, value in made.items() if value is not None})

    def logout_token(self, **changes: Any) -> str:
        now = int(time.time())
        made = {
            "iss": self.issuer,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 120,
            "jti": f"j{time.monotonic_ns()}",
            "events": {EVENT: {}},
            "sub": self.claims["sub"],
            "sid": self.claims.get("sid"),
            **changes,
        }
        return self.signed({name: value for name, value in made.items() if value is not None}, "logout+jwt")

    def signed(self, claims: dict[str, Any], kind: str = "JWT") -> str:
        return jwt.encode({"alg": "RS256", "kid": self.key.kid, "typ": kind}, claims, self.key)

    def forged(self, claims: dict[str, Any]) -> str:
        """Signed by HMAC with the public key, which everybody has."""
        parts = [{"alg": "HS256", "kid": self.key.kid}, claims]
        text = ".".join(base64.urlsafe_b64encode(json.dumps(one).encode()).decode().rstrip("=") for one in parts)
        mac = hmac.digest(self.key.as_pem(private=False), text.encode(), "sha256")
        return f"{text}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"

    def _answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.rpartition("/")[2]
        self.asked.append(path)
        if path in self.answers:
            return self.answers[path](request)
        match path:
            case "openid-configuration":
                return httpx.Response(200, json=self._document())
            case "jwks":
                return httpx.Response(200, json={"keys": [key.as_dict(private=False) for key in self.listed]})
            case "userinfo":
                assert request.headers["authorization"] == "Bearer access"
                return httpx.Response(200, json={"sub": self.claims["sub"], **self.in_userinfo})
            case "token":
                return self._token(request)
        return httpx.Response(404)

    def _document(self) -> dict[str, Any]:
        at = ISSUER.rstrip("/")
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{at}/auth?realm=cti",
            "token_endpoint": f"{at}/token",
            "jwks_uri": f"{at}/jwks",
            "userinfo_endpoint": f"{at}/userinfo",
            "end_session_endpoint": f"{at}/end",
            "id_token_signing_alg_values_supported": ["none", "HS256", "RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            "authorization_response_iss_parameter_supported": True,
            **self.document,
        }

    def _token(self, request: httpx.Request) -> httpx.Response:
        form = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
        kept = self._nonces.pop(form["code"], None)
        if kept is None or form["redirect_uri"] != kept[1] or not form["code_verifier"]:
            return httpx.Response(400, json={"error": "invalid_grant"})
        changes = {"nonce": kept[0], **self.id_token}
        return httpx.Response(
            200,
            json={"access_token": "access", "token_type": "Bearer", "id_token": self.token(**changes)},
        )
