"""Seals what the record must give back in clear, such as a SIP password: AES-256-GCM with a key from the settings.

A sealed text names its key, and is bound to what it is about: one row's secret cannot be moved into another.

    v1:<first 8 hex digits of SHA-256 of the key>:<base64url of nonce (12 bytes) and ciphertext with tag>
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterable
from typing import Final

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_MARK: Final = "v1:"


class SealingError(Exception):
    """A secret cannot be sealed or opened. `remedy` says what to do; neither it nor the text has the secret."""

    def __init__(self, text: str, remedy: str) -> None:
        super().__init__(text)
        self.remedy = remedy


def new_key() -> str:
    """A new random key, as `CTI_SECRET_KEY` takes it."""
    return base64.urlsafe_b64encode(os.urandom(KEY_BYTES)).decode().rstrip("=")


def is_sealed(text: str) -> bool:
    """Whether this came from `seal`. A text in clear was written before there was a key."""
    return text.startswith(_MARK)


def key_of(text: str) -> bytes:
    """The key that `new_key` wrote. Raises ValueError for anything else."""
    try:
        key = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise ValueError("a key is 43 letters and digits, as  cti-server key  prints it")
    return key


class Signer:
    """Signs with an Ed25519 key that follows from a key of the settings; `public` is its public key, in hex."""

    def __init__(self, key: bytes) -> None:
        derived = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=b"cti-server audit log").derive(key)
        self._private = Ed25519PrivateKey.from_private_bytes(derived)
        self.public = self._private.public_key().public_bytes_raw().hex()

    def sign(self, data: bytes) -> str:
        """The signature, in hex."""
        return self._private.sign(data).hex()


def is_signed_by(public: str, signature: str, data: bytes) -> bool:
    """Whether this is the signature of whoever has the private key of `public`; both in hex."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(bytes.fromhex(signature), data)
    except (InvalidSignature, ValueError):
        return False
    return True


class Sealer:
    """Seals with the first of its keys, and opens with each: to change the key, put the new one before the old.

    Without a key it seals nothing, and opens only what is in clear.
    """

    def __init__(self, keys: Iterable[str] = ()) -> None:
        """Raises ValueError for a text that is no key."""
        raw = [key_of(key) for key in keys]
        self._first = raw[0] if raw else None
        self.signers = tuple(Signer(key) for key in raw)
        """One for each key, the first that to sign with."""
        self._ciphers = {hashlib.sha256(key).hexdigest()[:8]: AESGCM(key) for key in raw}

    @property
    def shared_key(self) -> bytes | None:
        """What every process with these settings can derive keys of its own from; None without a key."""
        return self._first

    @property
    def ready(self) -> bool:
        """Whether there is a key to seal with."""
        return bool(self._ciphers)

    def is_current(self, sealed: str) -> bool:
        """Whether this is sealed, and with the first key."""
        return is_sealed(sealed) and sealed.split(":")[1] == next(iter(self._ciphers), None)

    def seal(self, text: str, about: str) -> str:
        """Seal the secret of `about`, e.g. `phones/main/PJSIP/1001`. Raises SealingError without a key."""
        for name, cipher in self._ciphers.items():
            nonce = os.urandom(_NONCE_BYTES)
            sealed = nonce + cipher.encrypt(nonce, text.encode("utf-8", "surrogatepass"), about.encode())
            return f"{_MARK}{name}:{base64.urlsafe_b64encode(sealed).decode()}"
        raise SealingError(
            "there is no key to encrypt this secret with",
            "Set CTI_SECRET_KEY to what  cti-server key  prints, and keep a copy of it.",
        )

    def open(self, text: str, about: str) -> str:
        """The secret in clear. A text that was never sealed is given back as it is.

        Raises SealingError where its key is not among the settings', or it was sealed for something else.
        """
        if not is_sealed(text):
            return text
        name, _, data = text.removeprefix(_MARK).partition(":")
        cipher = self._ciphers.get(name)
        if cipher is None:
            raise SealingError(
                f"the secret of {about} is encrypted with another key ({name}…)",
                "Put that key behind the present one in CTI_SECRET_KEY, after a comma, or store the secret anew.",
            )
        try:
            sealed = base64.urlsafe_b64decode(data)
            return cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], about.encode()).decode(
                "utf-8", "surrogatepass"
            )
        except (InvalidTag, ValueError) as cause:
            raise SealingError(
                f"the secret of {about} was changed in the record, or belongs to something else",
                "Store it anew.",
            ) from cause
