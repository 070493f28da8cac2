"""Masks the numbers in whatever leaves the server for somebody without the grant `full_numbers`.

A masked number carries a handle, sealed and without meaning to its reader: `+86138••••8000~AbC…`. Whoever sends it
back, to dial it or to keep it, means the number that it stands for.

Which fields hold numbers is said once, in `NUMBERS`, by schema and field; the rest is made from the OpenAPI
document.
"""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from cti_server.record.schema import to_json
from cti_server.rules.masking import DOT, masked, masked_name

Mask = Callable[[Any], Any]
"""Takes a part of a JSON document, changes the numbers in it, and gives it back."""

NUMBERS: Final[frozenset[tuple[str, str]]] = frozenset(
    {
        ("Callback", "number"),
        ("CallView", "ani"),
        ("CallView", "dnis"),
        ("ContactPointView", "e164"),
        ("ContactPointView", "raw"),
        ("ContactTarget", "number"),
        ("DialDecisionView", "number"),
        ("CustomerRowView", "numbers"),
        ("InteractionView", "ani"),
        ("InteractionView", "ani_raw"),
        ("InteractionView", "dnis"),
        ("JoinedView", "number"),
        ("NumberView", "e164"),
        ("NumberView", "raw"),
        ("PersonView", "number"),
        ("PromiseView", "number"),
        ("StateBecauseView", "number"),
    }
)
NAMES: Final = frozenset({("CallView", "ani_name"), ("InteractionView", "ani_name"), ("PersonView", "name")})
"""What a phone calls itself: often its number, and never dialled."""

PROSE: Final = frozenset({("ProblemBody", "detail"), ("ProblemView", "detail")})
"""Sentences that may name a number."""

WHERE: Final[Mapping[tuple[str, str], tuple[str, str]]] = {
    ("CallView", "dnis"): ("direction", "outbound"),
    ("InteractionView", "dnis"): ("direction", "outbound"),
    ("ContactPointView", "raw"): ("kind", "phone"),
}
"""Fields that hold a customer's number only where another field says so: what was dialled is the center's own line
when a customer called; what was written may be a mail address."""

TAKE_NUMBERS: Final = frozenset({"to", "number", "raw"})
"""Fields of what comes in that take a number, and so a handle. In a text that is kept, a handle stays a handle."""

ASK_FOR_NUMBERS: Final = frozenset({"q", "number"})
"""The same for the parameters of a query."""

_IN_PROSE: Final = re.compile(r"[+]?[0-9][0-9 -]{4,}[0-9]")
_HANDLE: Final = re.compile(rf"[^\s~]*{DOT}[^\s~]*~([A-Za-z0-9_-]{{24,200}})")
NONCE: Final = 12


class Masks:
    """Makes the masks of one API. `key` is 32 secret bytes, the same in every process; None makes handles that
    only this process understands, until it ends."""

    def __init__(self, document: Mapping[str, Any], key: bytes | None = None) -> None:
        derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"cti-server number handles")
        self._cipher = AESGCM(derived.derive(key or secrets.token_bytes(32)))
        self._schemas: Mapping[str, Any] = document["components"]["schemas"]
        self._made: dict[str, Mask | None] = {}
        self._of_operation = {
            operation["operationId"]: self._of(_answer(operation))
            for path in document["paths"].values()
            for operation in path.values()
        }
        self._of_frame = self._of({"$ref": "#/components/schemas/Frame"})
        self._problem = self._of({"$ref": "#/components/schemas/ProblemView"})

    # --- what leaves -----------------------------------------------------------------------------------

    def has_numbers(self, operation: str) -> bool:
        """Whether the answer of this operation may hold numbers."""
        return self._of_operation.get(operation) is not None

    def answer(self, operation: str, body: bytes) -> bytes:
        """The body of an answer, masked."""
        mask = self._of_operation.get(operation)
        return body if mask is None or not body else to_json(mask(orjson.loads(body))).encode()

    def frame(self, text: str) -> str:
        """A frame of /ws, masked."""
        return text if self._of_frame is None else to_json(self._of_frame(orjson.loads(text)))

    def problem(self, body: bytes) -> bytes:
        """The body of a refusal, masked: it may say which number could not be dialled."""
        return to_json(self._problem(orjson.loads(body))).encode() if body and self._problem is not None else body

    def number(self, text: str) -> str:
        """The number as it is sent: masked, with its handle. What is too short for a number stays.

        A handle is another one each time: of equal ones, whoever sends guesses in would learn which is right.
        """
        if (shown := masked(text)) == text:
            return text
        nonce = secrets.token_bytes(NONCE)
        sealed = nonce + self._cipher.encrypt(nonce, text.encode("utf-8", "surrogatepass"), None)
        return f"{shown}~{base64.urlsafe_b64encode(sealed).decode().rstrip('=')}"

    # --- what comes back -------------------------------------------------------------------------------

    def opened(self, text: str) -> str:
        """The number of a handle; any other text, and one with a handle in it, stays as it is."""
        found = _HANDLE.fullmatch(text.strip()) if DOT in text else None
        if found is None:
            return text
        try:
            sealed = base64.urlsafe_b64decode(found[1] + "=" * (-len(found[1]) % 4))
            return self._cipher.decrypt(sealed[:NONCE], sealed[NONCE:], None).decode("utf-8", "surrogatepass")
        except (InvalidTag, ValueError):
            return text

    def opened_body(self, body: bytes) -> bytes:
        """A JSON body with the numbers of handles in the fields that take numbers; what is no JSON is left to
        whoever refuses it."""
        if b"~" not in body:
            return body
        try:
            return to_json(self._open(orjson.loads(body))).encode()
        except (orjson.JSONDecodeError, RecursionError):
            return body

    def _open(self, value: Any) -> Any:
        match value:
            case list():
                return [self._open(item) for item in value]
            case dict():
                return {
                    name: self.opened(item) if name in TAKE_NUMBERS and isinstance(item, str) else self._open(item)
                    for name, item in value.items()
                }
        return value

    # --- masks from schemas ----------------------------------------------------------------------------

    def _of(self, schema: Mapping[str, Any] | None) -> Mask | None:
        """The mask for a schema; None where it can hold no number."""
        if not schema:
            return None
        if (name := schema.get("$ref", "").rpartition("/")[2]) != "":
            return self._named(name)
        if schema.get("discriminator", {}).get("mapping"):
            return self._by_kind(schema["discriminator"])
        parts = [mask for one in (*schema.get("anyOf", ()), *schema.get("oneOf", ())) if (mask := self._of(one))]
        if (item := self._of(schema.get("items"))) is not None:
            parts.append(lambda value: [item(one) for one in value] if isinstance(value, list) else value)
        more = schema.get("additionalProperties")
        if isinstance(more, Mapping) and (each := self._of(more)) is not None:
            parts.append(
                lambda value: {k: each(v) for k, v in value.items()} if isinstance(value, dict) else value
            )
        if not parts:
            return None
        return parts[0] if len(parts) == 1 else lambda value: _through(parts, value)

    def _named(self, name: str) -> Mask | None:
        if name not in self._made:
            # A schema may hold itself: whoever asks meanwhile gets a mask that looks the finished one up.
            self._made[name] = lambda value: made(value) if (made := self._made[name]) is not None else value
            self._made[name] = self._object(name, self._schemas[name])
        return self._made[name]

    def _object(self, name: str, schema: Mapping[str, Any]) -> Mask | None:
        if "properties" not in schema:
            return self._of(schema)
        fields: dict[str, Mask] = {}
        for field, of_field in schema.get("properties", {}).items():
            if (name, field) in NUMBERS:
                fields[field] = self._text
            elif (name, field) in NAMES:
                fields[field] = _name
            elif (name, field) in PROSE:
                fields[field] = self._prose
            elif (mask := self._of(of_field)) is not None:
                fields[field] = mask
        if not fields:
            return None

        def mask_object(value: Any) -> Any:
            if not isinstance(value, dict):
                return value
            for field, mask in fields.items():
                if value.get(field) is None:
                    continue
                if (told := WHERE.get((name, field))) is not None and value.get(told[0]) != told[1]:
                    continue
                value[field] = mask(value[field])
            return value

        return mask_object

    def _by_kind(self, told: Mapping[str, Any]) -> Mask | None:
        """For a union whose discriminator says which schema a value has."""
        masks = {kind: self._of({"$ref": ref}) for kind, ref in told["mapping"].items()}

        def mask_one(value: Any) -> Any:
            mask = masks.get(value.get(told["propertyName"])) if isinstance(value, dict) else None
            return value if mask is None else mask(value)

        return mask_one if any(masks.values()) else None

    @staticmethod
    def _prose(value: Any) -> Any:
        return _IN_PROSE.sub(lambda found: masked(found[0]), value) if isinstance(value, str) else value

    def _text(self, value: Any) -> Any:
        match value:
            case str():
                return self.number(value)
            case list():
                return [self._text(one) for one in value]
        return value


def _name(value: Any) -> Any:
    return masked_name(value) if isinstance(value, str) else value


def _through(masks: list[Mask], value: Any) -> Any:
    for mask in masks:
        value = mask(value)
    return value


def _answer(operation: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The schema of an operation's answer when it worked."""
    for status, answer in operation["responses"].items():
        if status.startswith("2"):
            found: Mapping[str, Any] | None = answer.get("content", {}).get("application/json", {}).get("schema")
            return found
    return None
