"""Judges what a provider has signed: its ID tokens (OpenID Connect Core 3.1.3.7) and its logout tokens
(Back-Channel Logout 2.6). No I/O; `now` is Unix time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from authlib.oidc.core import CodeIDToken
from joserfc import jws, jwt
from joserfc.errors import JoseError

from cti_server.provider.keys import Key
from cti_server.provider.metadata import Metadata
from cti_server.provider.trouble import Trouble

SKEW_S: Final = 120  # seconds by which clocks may differ
LOGOUT_LASTS_S: Final = 600  # seconds after which a logout token is of another day, whatever its `exp`
MAX_TOKEN: Final = 32 * 1024  # characters
EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"


@dataclass(frozen=True, slots=True)
class Ended:
    """A logout token: whose sessions end, and `jti` by which it counts once, until Unix time `until`."""

    subject: str | None
    sid: str | None
    jti: str
    until: float


def header_of(token: str) -> Mapping[str, Any]:
    """The header, which nobody has vouched for yet. Raises Trouble for what is no signed token."""
    if len(token) > MAX_TOKEN:
        raise Trouble("bad_token", "the token is too long")
    try:
        return dict(jws.extract_compact(token.encode()).headers())
    except (JoseError, ValueError, AttributeError, TypeError) as cause:
        raise Trouble("bad_token", f"that is no signed token ({type(cause).__name__})") from None


def claims_of(token: str, keys: Sequence[Key], metadata: Metadata) -> dict[str, Any]:
    """The claims, whose signature one of the keys has made. Raises Trouble."""
    for key in keys:
        try:
            return dict(jwt.decode(token, key, algorithms=list(metadata.algorithms)).claims)
        except (JoseError, ValueError, TypeError):
            continue
    raise Trouble("bad_token", "no key of the provider has signed this token")


def judge_id_token(
    claims: Mapping[str, Any],
    header: Mapping[str, Any],
    metadata: Metadata,
    *,
    client: str,
    nonce: str,
    access_token: str | None,
    now: float,
) -> str:
    """The subject, for whom this ID token was made a moment ago, at our asking. Raises Trouble."""
    _judge_times(claims, now)
    options = {"iss": {"essential": True, "value": metadata.issuer}, "aud": {"essential": True, "value": client}}
    params = {"nonce": nonce, "client_id": client, "access_token": access_token}
    try:
        CodeIDToken(dict(claims), dict(header), options, params).validate(now=int(now), leeway=SKEW_S)
    except (JoseError, ValueError, TypeError) as cause:
        raise Trouble("bad_token", f"the ID token is not for us: {cause}") from None
    return _text(claims, "sub") or _refuse("it names no subject")


def judge_logout(
    claims: Mapping[str, Any], header: Mapping[str, Any], metadata: Metadata, *, client: str, now: float
) -> Ended:
    """Whose sessions this logout token ends. Raises Trouble for one that lacks anything, or is something else."""
    _judge_times(claims, now)
    if float(claims["iat"]) < now - LOGOUT_LASTS_S - SKEW_S:
        _refuse("it is of another day")
    if header.get("typ") not in (None, "JWT", "jwt", "logout+jwt", "application/logout+jwt"):
        _refuse(f"it is a {header['typ']}")
    if claims.get("iss") != metadata.issuer:
        _refuse("another issuer made it")
    audience = claims.get("aud")
    if client not in (audience if isinstance(audience, list) else [audience]):
        _refuse("it is for another client")
    events = claims.get("events")
    if not isinstance(events, Mapping) or not isinstance(events.get(EVENT), Mapping):
        _refuse("it tells of no logout")
    if "nonce" in claims:
        _refuse("it has a nonce, as ID tokens have")
    subject, sid = _text(claims, "sub"), _text(claims, "sid")
    if subject is None and sid is None:
        _refuse("it names neither subject nor session")
    jti = _text(claims, "jti") or _refuse("it has no jti")
    return Ended(subject, sid, jti, float(claims["exp"]) + SKEW_S)


def _judge_times(claims: Mapping[str, Any], now: float) -> None:
    """`iat` and `exp`, which every token must have. What is wrong with them is most often somebody's clock."""
    issued, expires = claims.get("iat"), claims.get("exp")
    if not _is_time(issued) or not _is_time(expires):
        _refuse("it does not say when it was made, or until when it counts")
    ahead, late = float(issued or 0) - now, now - float(expires or 0)
    if ahead > SKEW_S:
        raise Trouble("clock", f"the token was made {ahead:.0f} s from now")
    if late > SKEW_S:
        raise Trouble("clock", f"the token ended {late:.0f} s ago")


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e11


def _text(claims: Mapping[str, Any], name: str) -> str | None:
    found = claims.get(name)
    if found is None:
        return None
    if not isinstance(found, str) or not 0 < len(found) <= 255:
        _refuse(f"its {name} is no text of 255 characters at most")
    return str(found)


def _refuse(why: str) -> Any:
    raise Trouble("bad_token", why)
