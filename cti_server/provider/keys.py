"""The provider's keys. One that is not known yet is looked for anew, at most so often: whoever sends us tokens
with invented key names must not make us ask for each."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, OKPKey, RSAKey

from cti_server.provider import web
from cti_server.provider.trouble import Trouble

AT_ONCE: Final = 5  # readings; then one each `EVERY_S`
EVERY_S: Final = 60.0
LASTS_S: Final = 3600.0  # a key that the provider has withdrawn counts no longer than that

Key = RSAKey | ECKey | OKPKey


class Keys:
    """`clock` is monotonic, in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._keys: list[tuple[str | None, Key]] = []
        self._read_at: float | None = None
        self._spent = 0.0
        self._spent_at = clock()

    async def named(self, url: str, name: str | None) -> list[Key]:
        """The keys that a token with this key name (`kid`) may be signed with. Empty: there is none."""
        now = self._clock()
        if self._read_at is None or now - self._read_at > LASTS_S:
            await self._read(url)
        found = self._matching(name)
        if not found and self._may_ask():
            await self._read(url)
            found = self._matching(name)
        return found

    def _matching(self, name: str | None) -> list[Key]:
        return [key for kid, key in self._keys if name is None or kid == name]

    def _may_ask(self) -> bool:
        now = self._clock()
        self._spent = max(0.0, self._spent - (now - self._spent_at) / EVERY_S)
        self._spent_at = now
        if self._spent > AT_ONCE - 1:
            return False
        self._spent += 1
        return True

    async def _read(self, url: str) -> None:
        document = await web.get_json(url, "keys")
        listed = document.get("keys")
        if not isinstance(listed, list):
            raise Trouble("misconfigured", f"{url} lists no keys")
        self._keys = [(made[0], made[1]) for one in listed if (made := _key(one)) is not None]
        self._read_at = self._clock()


def _key(data: object) -> tuple[str | None, Key] | None:
    """A public key that signs; None for any other, of which a provider may have some."""
    if not isinstance(data, Mapping) or data.get("use", "sig") != "sig":
        return None
    try:
        made = JWKRegistry.import_key(dict[str, Any](data))
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    name = data.get("kid")
    return (name if isinstance(name, str) else None, made) if isinstance(made, RSAKey | ECKey | OKPKey) else None
