"""Reads a telephone number as people in the dialled line's region write it: E.164, extension, withheld, malformed.

A wrong reading matches the wrong customer. A text with two plausible readings is therefore malformed, and so is a
national number outside the region's plan. The reason is always given.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal
from urllib.parse import unquote

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, ValidationResult

NumberKind = Literal["e164", "extension", "withheld", "malformed"]
NumberReason = Literal[
    "international",  # e164: written with + or an international prefix
    "unlisted",  # e164: written with +, a possible length, but a range the numbering plan does not list
    "national",  # e164: written as the region dials it
    "local",  # e164: written without its area code, which the line gave
    "trunk_prefix",  # e164: behind a prefix that the PBX or carrier put in front
    "extension",
    "withheld",
    "zeros",  # withheld: carriers send 0 or 000… for a hidden number
    "too_long",
    "too_short",
    "letters",
    "symbols",
    "country_code",
    "area_code_missing",
    "not_in_plan",
    "ambiguous",
    "short_code",
]

MAX_RAW: Final = 128  # E.164 has 15 digits; a SIP URI around one is still shorter than this
EXTENSION_LENGTHS: Final = (3, 4)
TRUNK_PREFIXES: Final = ("0", "9")
E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")

_WITHHELD: Final = frozenset(
    {"anonymous", "unknown", "restricted", "private", "withheld", "unavailable", "blocked", "hidden", "none"}
    | {"null", "undefined", "privatenumber", "nonumber", "nocallerid", "nan"}
    | {"匿名", "未知", "隐藏", "保密", "未显示", "私人号码", "隐藏号码", "未知号码"}
)
_URI: Final = re.compile(r"(?:^|<)\s*(sips?|tel):([^>]*)", re.IGNORECASE)
_URI_EXTENSION: Final = re.compile(r";(?:ext|isub)=([0-9]+)", re.IGNORECASE)
_SPOKEN_EXTENSION: Final = re.compile(
    r"(?:转|轉|分机|分機|ext\.?|extension|x|#|,)\s*:?\s*([0-9]{1,6})$", re.IGNORECASE
)
_DASH: Final = re.compile(r"[\u2010-\u2015\u2212\u30fc]")
_DASHED_EXTENSION: Final = re.compile(r"^(.*[0-9])\s*-\s*([0-9]{1,6})$")
_SEPARATORS: Final = re.compile(r"[\s().\-/\u200b-\u200f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it came and as it was read. `extension` is one behind a switchboard, or the whole number."""

    raw: str
    e164: str | None
    extension: str | None
    kind: NumberKind
    reason: NumberReason


def normalise(
    raw: str | None,
    region: str,
    *,
    area_code: str | None = None,
    trunk_prefixes: tuple[str, ...] = TRUNK_PREFIXES,
    extension_lengths: tuple[int, ...] = EXTENSION_LENGTHS,
) -> Number:
    """Read `raw` as somebody in `region` (a CLDR code such as `CN`) writes it. Never raises, whatever the text.

    `area_code` completes a number written without one. One of `trunk_prefixes` is dropped only when the number is
    not in the plan with it, but is without it. As many digits as `extension_lengths` has are a phone of the PBX.
    """
    if raw is None:
        return Number("", None, None, "withheld", "withheld")
    if len(raw) > MAX_RAW:  # before the cache, which would keep the text
        return Number(raw[:MAX_RAW], None, None, "malformed", "too_long")
    return _normalise(raw, region, area_code, trunk_prefixes, extension_lengths)


def area_code_of(e164: str | None) -> str | None:
    """The area code of a geographic number, without trunk prefix: `10` for +86 10 8555 1234. None without one."""
    if e164 is None:
        return None
    try:
        parsed = phonenumbers.parse(e164, None)
    except NumberParseException:
        return None
    length = phonenumbers.length_of_geographical_area_code(parsed)
    return phonenumbers.national_significant_number(parsed)[:length] or None


@lru_cache(maxsize=8192)
def _normalise(
    raw: str,
    region: str,
    area_code: str | None,
    trunk_prefixes: tuple[str, ...],
    extension_lengths: tuple[int, ...],
) -> Number:
    text, extension = _unwrap(_plain(raw))
    if _says_withheld(text):
        return Number(raw, None, None, "withheld", "withheld")
    plan = _Plan(region.upper(), area_code, trunk_prefixes)
    if extension is None:
        text, extension = _split_spoken(text)
    if extension is None and (dashed := _DASHED_EXTENSION.match(text)):
        return _read_dashed(raw, text, dashed.group(1), dashed.group(2), plan, extension_lengths)
    return _read(raw, text, extension, plan, extension_lengths)


def _read_dashed(
    raw: str, whole: str, head: str, tail: str, plan: _Plan, extension_lengths: tuple[int, ...]
) -> Number:
    """`010-85551234-8001` ends in an extension, `010-8555-1234` does not: the numbering plan decides."""
    as_whole = _read(raw, whole, None, plan, extension_lengths)
    as_extension = _read(raw, head, tail, plan, extension_lengths)
    if as_extension.kind != "e164":
        return as_whole
    if as_whole.kind != "e164" or (as_whole.reason in ("unlisted", "trunk_prefix", "local")):
        return as_extension
    return Number(raw, None, None, "malformed", "ambiguous")


def _read(raw: str, text: str, extension: str | None, plan: _Plan, extension_lengths: tuple[int, ...]) -> Number:
    digits = _SEPARATORS.sub("", text)
    bare = digits.removeprefix("+")
    if not bare:
        return Number(raw, None, None, "withheld", "withheld")
    if not (bare.isascii() and bare.isdigit()):
        letters = any(ch.isalpha() for ch in bare)
        return Number(raw, None, None, "malformed", "letters" if letters else "symbols")
    if not bare.strip("0"):
        return Number(raw, None, None, "withheld", "zeros")
    if digits == bare and extension is None and len(bare) in extension_lengths and bare[0] != "0":
        return Number(raw, None, bare, "extension", "extension")
    if len(bare) > 32:
        return Number(raw, None, None, "malformed", "too_long")
    e164, reason = plan.international(digits) if digits != bare else plan.dialled(bare)
    if e164 is None or not E164.fullmatch(e164):
        return Number(raw, None, None, "malformed", reason if e164 is None else "not_in_plan")
    return Number(raw, e164, extension, "e164", reason)


@dataclass(frozen=True, slots=True)
class _Plan:
    """The numbering plan of a line. It reads digits as E.164: (e164, how it was read) or (None, why not)."""

    region: str
    area_code: str | None
    trunk_prefixes: tuple[str, ...]

    def international(self, digits: str) -> tuple[str | None, NumberReason]:
        """Digits written with `+`: the country is certain, so a range that our tables lack is accepted."""
        e164, valid, why = _parse(digits, None)
        if e164 is None:
            return None, why
        return e164, "international" if valid else "unlisted"

    def dialled(self, digits: str) -> tuple[str | None, NumberReason]:
        """Digits as dialled: read as they are, else without a trunk prefix; two possible numbers are ambiguous."""
        plain = self._plain_readings(digits)
        stripped = self._stripped_readings(digits)
        for readings in (plain, stripped):
            numbers = {e164 for e164, _ in readings}
            if len(numbers) > 1:
                return None, "ambiguous"
            if readings:
                return readings[0]
        return None, self._why_not(digits)

    def _plain_readings(self, digits: str) -> list[tuple[str, NumberReason]]:
        found: list[tuple[str, NumberReason]] = []
        if digits.startswith("00"):  # ITU-T E.123's usual international prefix, sent by PBXs of every region
            e164, valid, _ = _parse("+" + digits[2:], None)
            if e164 and valid:
                found.append((e164, "international"))
        e164, valid, _ = _parse(digits, self.region)
        if e164 and valid:
            found.append((e164, "national"))
        if not found and self.area_code and 5 <= len(digits) <= 8 and not digits.startswith("0"):
            e164, valid, _ = _parse(self._country() + self.area_code + digits, None)
            if e164 and valid:
                found.append((e164, "local"))
        return found

    def _stripped_readings(self, digits: str) -> list[tuple[str, NumberReason]]:
        found: list[tuple[str, NumberReason]] = []
        for prefix in self.trunk_prefixes:
            if prefix and digits.startswith(prefix) and len(digits) - len(prefix) >= 7:
                rest = digits[len(prefix) :]
                found += [(e164, "trunk_prefix") for e164, _ in self._plain_readings(rest)]
        return found

    def _country(self) -> str:
        return f"+{phonenumbers.country_code_for_region(self.region)}"

    def _why_not(self, digits: str) -> NumberReason:
        _, _, why = _parse(digits, self.region)
        if len(digits) <= 6 and why in ("too_short", "area_code_missing", "not_in_plan"):
            return "short_code"
        if why == "not_in_plan" and self.area_code is None and 7 <= len(digits) <= 8:
            return "area_code_missing"
        return why


_IMPOSSIBLE: Final[dict[int, NumberReason]] = {
    ValidationResult.INVALID_COUNTRY_CODE: "country_code",
    ValidationResult.TOO_SHORT: "too_short",
    ValidationResult.TOO_LONG: "too_long",
    ValidationResult.INVALID_LENGTH: "not_in_plan",
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "area_code_missing",
}
_UNPARSABLE: Final[dict[int, NumberReason]] = {
    NumberParseException.INVALID_COUNTRY_CODE: "country_code",
    NumberParseException.NOT_A_NUMBER: "too_short",
    NumberParseException.TOO_SHORT_AFTER_IDD: "too_short",
    NumberParseException.TOO_SHORT_NSN: "too_short",
    NumberParseException.TOO_LONG: "too_long",
}


def _parse(digits: str, region: str | None) -> tuple[str | None, bool, NumberReason]:
    """(the E.164 of a possible number or None, whether the plan lists it, why it is not listed)."""
    try:
        parsed = phonenumbers.parse(digits, region)
    except NumberParseException as failed:
        return None, False, _UNPARSABLE.get(failed.error_type, "not_in_plan")
    possible = phonenumbers.is_possible_number_with_reason(parsed)
    if possible != ValidationResult.IS_POSSIBLE:
        return None, False, _IMPOSSIBLE.get(possible, "not_in_plan")
    valid = phonenumbers.is_valid_number(parsed)
    return phonenumbers.format_number(parsed, PhoneNumberFormat.E164), valid, "not_in_plan"


def _plain(raw: str) -> str:
    """The text with ASCII digits for full-width and other scripts', one kind of dash and no control characters."""
    text = _DASH.sub("-", unicodedata.normalize("NFKC", raw))
    out = []
    for ch in text:
        digit = unicodedata.decimal(ch, None)
        if digit is not None:
            out.append(str(digit))
        elif ch.isprintable() or ch.isspace():
            out.append(" " if ch.isspace() else ch)
    return "".join(out).strip()


def _unwrap(text: str) -> tuple[str, str | None]:
    """The user part of a SIP or tel URI, and the extension in its parameters; any other text as it is."""
    found = _URI.search(text)
    if not found:
        ext = _URI_EXTENSION.search(text)
        return (text[: ext.start()], ext.group(1)) if ext else (text, None)
    scheme, rest = found.group(1).lower(), unquote(found.group(2))
    user, at, _ = rest.rpartition("@")
    user = user if at else (rest if scheme == "tel" else "")
    if not at and scheme != "tel":  # sip:host: a URI with no user names nobody
        return "", None
    ext = _URI_EXTENSION.search(rest)
    number = user.partition(";")[0].partition(":")[0]
    context = re.search(r";phone-context=\+([0-9]{1,7})(?:;|$|@)", rest)
    if context and not number.startswith("+"):  # RFC 3966 5.1.5: the context makes a local number global
        number = f"+{context.group(1)}{number}"
    return _plain(number), ext.group(1) if ext else None


def _split_spoken(text: str) -> tuple[str, str | None]:
    found = _SPOKEN_EXTENSION.search(text)
    if not found or not any(ch.isdigit() for ch in text[: found.start()]):
        return text, None
    return text[: found.start()].rstrip(" ,;:("), found.group(1)


def _says_withheld(text: str) -> bool:
    word = re.sub(r"[\W_]+", "", text).casefold()
    return not word or word in _WITHHELD
