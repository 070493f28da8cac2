"""Reads a telephone number as people in the dialled line's region write it: E.164, extension, withheld, malformed.

A wrong reading matches the wrong customer. A text with two plausible readings is therefore malformed, and so is a
national number outside the region's plan. The reason is always given.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, Literal

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, ValidationResult

from cti_server.rules import number_text
from cti_server.rules.facts import DialForm
from cti_server.rules.number_text import Written, says_withheld

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

SHORTEST: Final = 6  # digits, with the trunk prefix, of a number that has extensions
MAX_RAW: Final = 128  # E.164 has 15 digits; a SIP URI around one is still shorter than this
EXTENSION_LENGTHS: Final = (3, 4)
TRUNK_PREFIXES: Final = ("0", "9")
COUNTRIES: Final = phonenumbers.COUNTRY_CODE_TO_REGION_CODE
REGIONS: Final = frozenset(phonenumbers.SUPPORTED_REGIONS)
"""The regions (CLDR) whose numbering plan is known."""
E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")

_DASHED_EXTENSION: Final = re.compile(r"^(.*[0-9])\s*-\s*([0-9]{1,6})$")
# Countries whose numbers have no fixed length. There the digits behind the dash are dialled with the number, `-0`
# for the switchboard, `-537` for a phone (Germany's DIN 5008 writes it so), and a call from there shows them all.
_DIRECT_DIALLING: Final = frozenset({43, 49, 352, 358})
# `+44 (0)20 7946 0018`: who calls from abroad leaves the bracketed zero out.
_TRUNK_ZERO: Final = re.compile(r"^(\+[\s().-]*[1-9][0-9]{0,2})[\s.-]*[(\[]\s*0\s*[)\]](.*)$")
# A footnote, or the second of two numbers (`… (2)`); the decimals of a number that was none (`….00`).
_FOOTNOTE: Final = re.compile(r"[0-9][^()]*\s\([0-9]{1,2}\)$|^\+?[0-9]{7,}\.0+$")
# A dot between groups of digits; several in a row are what a masked number has in place of them.
_SEPARATORS: Final = re.compile(r"(?<!•)•(?!•)|[\s().\-/·\u200b-\u200f\u202a-\u202e\u2066-\u2069]")


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
    number = _normalise(raw, region, area_code, trunk_prefixes, extension_lengths)
    if number.kind == "malformed" and raw[:1] == " " and raw[1:2].isdecimal():
        # A `+` that went through the decoding of a URL's query is a space.
        plus = _normalise("+" + raw[1:], region, area_code, trunk_prefixes, extension_lengths)
        if plus.reason == "international":
            return replace(plus, raw=raw)
    return number


def dialled(e164: str, form: DialForm, region: str) -> str:
    """How the PBX dials a number outside: `+8675512345678`, its digits alone, or as people in the region do
    (`075512345678`, `00442071234567`)."""
    match form:
        case "e164":
            return e164
        case "digits":
            return e164.removeprefix("+")
        case "national":
            parsed = phonenumbers.parse(e164, None)
            written = phonenumbers.format_out_of_country_calling_number(parsed, region)
            return re.sub(r"\D", "", written)


def short_code(raw: str) -> str:
    """The digits of a number that `normalise` called a short code: 10086 of `sip:10086@pbx.example`."""
    return _SEPARATORS.sub("", number_text.read(raw).text)


@lru_cache(maxsize=1024)  # of the lines that people dial, which every call asks for
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
    written = number_text.read(raw)
    if says_withheld(written.text):
        return Number(raw, None, None, "withheld", "withheld")
    plan = _Plan(region.upper(), area_code, trunk_prefixes, extension_lengths)
    if written.context is not None and not written.text.startswith("+"):
        return _read_in_context(raw, written, written.context, plan)
    return _read_written(raw, written, plan)


def _read_in_context(raw: str, written: Written, context: str, plan: _Plan) -> Number:
    """RFC 3966 5.1.5: the context makes a local number global. Some write the number as its country dials it."""
    as_global = _read_written(raw, replace(written, text=context + written.text), plan)
    if as_global.reason == "international":
        return as_global
    country = next((n for n in (1, 2, 3) if int(context[1 : n + 1]) in COUNTRIES), None)
    if country is None:
        return as_global
    region = phonenumbers.region_code_for_country_code(int(context[1 : country + 1]))
    there = replace(plan, region=region, area_code=context[country + 1 :] or None)
    as_dialled = _read_written(raw, written, there)
    return as_global if as_dialled.e164 is None and as_global.e164 is not None else as_dialled


def _read_written(raw: str, written: Written, plan: _Plan) -> Number:
    text, extension = written.text, written.extension
    if _FOOTNOTE.search(text) or any(unicodedata.category(ch) == "No" for ch in raw):
        return Number(raw, None, None, "malformed", "symbols")
    if zero := _TRUNK_ZERO.match(text):
        return _read_trunk_zero(raw, written, zero[1], zero[2], plan)
    if "/" in text:
        if not _is_behind_area_code(text, plan):
            return Number(raw, None, None, "malformed", "ambiguous")
        text = text.replace("/", " ")
    if extension is None and (dashed := _DASHED_EXTENSION.match(text)):
        return _read_dashed(raw, text, dashed[1], dashed[2], plan)
    return _read(raw, text, extension, plan)


def _read_trunk_zero(raw: str, written: Written, country: str, rest: str, plan: _Plan) -> Number:
    """`+44 (0)20 …` without its zero, or with it where numbers begin so (Italy); neither where both may be."""
    without = _read_written(raw, replace(written, text=f"{country} {rest}"), plan)
    kept = _read_written(raw, replace(written, text=f"{country} 0{rest}"), plan)
    if without.e164 == kept.e164:
        return without
    match without.reason, kept.reason:
        case "international", "international":
            return Number(raw, None, None, "malformed", "ambiguous")
        case _, "international":
            return kept
        case "international" | "unlisted", _:
            return without
        case _:
            return Number(raw, None, None, "malformed", without.reason if without.e164 is None else "not_in_plan")


def _is_behind_area_code(text: str, plan: _Plan) -> bool:
    """Whether a slash divides area code and number, `030/1234567`. Others stand between two numbers: `…34/35`."""
    head, _, tail = text.rpartition("/")
    code, rest = _SEPARATORS.sub("", head), _SEPARATORS.sub("", tail)
    international = code.startswith(("+", "00"))
    if len(code) > (8 if international else 6 if code.startswith("0") else 4) or len(rest) < 5:
        return False
    if not international and _read("", tail, None, plan).reason in ("national", "international"):
        return False
    return _read("", text.replace("/", " "), None, plan).reason in ("national", "international", "unlisted")


def _read_dashed(raw: str, whole: str, head: str, tail: str, plan: _Plan) -> Number:
    """`010-85551234-8001` ends in an extension, `010-8555-1234` does not: the numbering plan decides.

    A number that is whole by the plan is never shortened: without its last group it would be somebody else's.
    """
    as_whole = _read(raw, whole, None, plan)
    as_extension = _read(raw, head, tail, plan)
    if as_extension.reason == "trunk_prefix" and whole.startswith("00"):
        return as_whole  # not 0 and a national number, but a number abroad that the plan does not list
    match as_whole.reason, as_extension.reason:
        case "international", _:
            return as_whole
        case "unlisted", "international":
            return as_whole if _dials_direct(as_whole.e164) else as_extension
        case "unlisted", _:
            return as_whole
        case "national", "national" | "international":
            in_groups = len(tail) > 1 and ("-" in head or len(_SEPARATORS.sub("", head)) < SHORTEST)
            if in_groups or _dials_direct(as_whole.e164):
                return as_whole
            return Number(raw, None, None, "malformed", "ambiguous")
        case "national", _:
            return as_whole
        case _, "national" | "international":
            return as_extension
        case (("local" | "trunk_prefix"), ("local" | "trunk_prefix")):
            return Number(raw, None, None, "malformed", "ambiguous")
        case _, "local" | "trunk_prefix":
            return as_extension
        case _:
            return as_whole


def _dials_direct(e164: str | None) -> bool:
    return e164 is not None and phonenumbers.parse(e164, None).country_code in _DIRECT_DIALLING


def _read(raw: str, text: str, extension: str | None, plan: _Plan) -> Number:
    digits = _SEPARATORS.sub("", text)
    bare = digits.removeprefix("+")
    if not bare:
        return Number(raw, None, None, "withheld", "withheld")
    if not (bare.isascii() and bare.isdigit()):
        letters = any(ch.isalpha() for ch in bare)
        return Number(raw, None, None, "malformed", "letters" if letters else "symbols")
    if not bare.strip("0"):
        return Number(raw, None, None, "withheld", "zeros")
    if digits == bare and extension is None and len(bare) in plan.extension_lengths and bare[0] != "0":
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
    extension_lengths: tuple[int, ...]

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
