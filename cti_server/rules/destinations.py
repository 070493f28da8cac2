"""What a number reaches, as the PBX is going to dial it: its kind, and the region that it belongs to.

The kind comes from the numbering plans and never from a prefix that somebody wrote down: +1 809 is the Dominican
Republic, +44 7911 may be Guernsey, and a range that no plan lists is `unknown`, for such ranges are what revenue
fraud is made of.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Literal, get_args

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberType, ShortNumberCost, shortnumberinfo

from cti_server.rules import number_text, numbers
from cti_server.rules.facts import DialForm

Kind = Literal[
    "internal",  # an extension of this PBX
    "own",  # a number of the center's own lines
    "emergency",
    "premium",  # also personal numbers and pagers, which cost as much
    "shared_cost",
    "satellite",
    "toll_free",
    "national",
    "international",
    "special",  # a short code of the region: 10086 in China, 411 in the United States
    "unknown",  # in no numbering plan that is known here
]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
SATELLITE: Final = re.compile(r"\+(87[0-4]|88[123])")
"""Inmarsat (870; 871 to 874 until 2008), the global satellite systems (881), and the networks of 882 and 883."""
WORLD: Final = "001"
"""The region of numbers that belong to no country, as phonenumbers names it."""

#: where phonenumbers has fewer than people are told to dial (122 is the traffic police)
_ALSO_EMERGENCY: Final = {"CN": ("110", "119", "120", "122")}
_CANDIDATES: Final = tuple(
    [f"{n:02d}" for n in range(10, 20)] + [f"{n:03d}" for n in range(1000)] + ["1122", "9999"]
)
_COST: Final = {
    PhoneNumberType.PREMIUM_RATE: "premium",
    PhoneNumberType.PERSONAL_NUMBER: "premium",
    PhoneNumberType.PAGER: "premium",
    PhoneNumberType.SHARED_COST: "shared_cost",
}
_SEPARATORS: Final = re.compile(r"[\s().\-/·,]|(?<!•)•(?!•)")  # not the dots of a masked number
_PREFIXES: Final = ("0", "9", "00")
INTERNAL: Final = ("XXX", "XXXX")
"""Extensions that the record does not know, unless the policy says otherwise; X is any digit."""
SHORTEST_PREFIXED: Final = 3
"""Behind a prefix a number of two digits (15 in France) cannot be told from an extension (915)."""


@dataclass(frozen=True, slots=True)
class Destination:
    """`number` is what the PBX dials; `e164` the whole number where it is one, and `country` its ISO 3166 region,
    `001` for none. `country` is None for an extension or a short code."""

    kind: Kind
    number: str
    e164: str | None = None
    country: str | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """What a number means here: the region that dials, and how the PBX is told a number (`form`).

    `phones` are the extensions that are known, `internal` patterns of further ones (`6XX`, X is any digit), `own`
    the center's own numbers in E.164, `emergency` its emergency numbers.
    """

    region: str
    form: DialForm = "e164"
    phones: Collection[str] = ()
    internal: Collection[str] = INTERNAL
    own: Collection[str] = ()
    emergency: Collection[str] = field(default=())

    def emergencies(self) -> Collection[str]:
        return self.emergency or emergency_numbers(self.region)


@lru_cache(maxsize=64)
def emergency_numbers(region: str) -> tuple[str, ...]:
    """The emergency numbers of a region: 110, 119, 120 and 122 in China; 112 and 911 in the United States."""
    found = [n for n in _CANDIDATES if shortnumberinfo.is_emergency_number(n, region)]
    return tuple(dict.fromkeys([*_ALSO_EMERGENCY.get(region, ()), *found]))


def emergency_of(text: str, site: Site) -> str | None:
    """The emergency number that somebody wrote, also behind a prefix for an outside line (9-911) or the country's
    own code (+49 112); None for anything else. Who is in need is not to be told of prefixes."""
    if len(text) > numbers.MAX_RAW:
        return None
    known = site.emergencies()
    country = str(phonenumbers.country_code_for_region(site.region))
    for written in (number_text.read(text).text, number_text.plain(text)):
        digits = _SEPARATORS.sub("", written)
        if digits in known:
            return digits
        if digits in site.phones:
            return None
        for prefix in (*_PREFIXES, f"+{country}", f"00{country}"):
            rest = digits.removeprefix(prefix)
            if rest != digits and len(rest) >= SHORTEST_PREFIXED and rest in known:
                return rest
    return None


def destination(dialled: str, site: Site) -> Destination:
    """What `dialled` reaches: the digits that the PBX is going to be told, with a + where its form has one."""
    if dialled in site.emergencies():
        return Destination("emergency", dialled, country=site.region)
    whole = _whole(dialled, site)
    if whole is None:
        return Destination(_short(dialled, site), dialled)
    if whole in site.own:
        return Destination("own", dialled, whole, site.region)
    kind, country = _of_plan(whole, site.region)
    return Destination(kind, dialled, whole, country)


def _whole(dialled: str, site: Site) -> str | None:
    """The E.164 of what is dialled; None for an extension or a short code."""
    if dialled.startswith("+"):
        return dialled
    if len(dialled) <= numbers.SHORTEST:
        return None
    if site.form == "digits":
        return f"+{dialled}"
    try:
        parsed = phonenumbers.parse(dialled, site.region)
    except NumberParseException:
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def _short(dialled: str, site: Site) -> Kind:
    if dialled in site.phones:
        return "internal"
    if not dialled.isdigit():
        return "unknown"
    listed = short_kind(dialled, site.region)
    if listed is not None:
        return listed
    if dialled[:1] != "0" and any(_fits(pattern, dialled) for pattern in site.internal):
        return "internal"
    return "unknown"


@lru_cache(maxsize=1024)
def short_kind(digits: str, region: str) -> Literal["special", "premium"] | None:
    """Whether a region has this short code, and whether it costs more than a call; None where it has none."""
    if len(digits) > numbers.SHORTEST:
        return None
    try:
        parsed = phonenumbers.parse(digits, region)
    except NumberParseException:
        return None
    if not shortnumberinfo.is_valid_short_number_for_region(parsed, region):
        return None
    dear = shortnumberinfo.expected_cost_for_region(parsed, region) == ShortNumberCost.PREMIUM_RATE
    return "premium" if dear else "special"


def _fits(pattern: str, digits: str) -> bool:
    same = len(pattern) == len(digits)
    return same and all(p in ("X", d) for p, d in zip(pattern, digits, strict=True))


@lru_cache(maxsize=8192)
def _of_plan(e164: str, region: str) -> tuple[Kind, str]:
    try:
        parsed = phonenumbers.parse(e164, None)
    except NumberParseException:
        return ("satellite" if SATELLITE.match(e164) else "unknown"), WORLD
    country = phonenumbers.region_code_for_number(parsed)
    if country is None:  # of several countries that share a code, or of none: which one cannot be told
        country = WORLD if parsed.country_code not in numbers.COUNTRIES else _only_one(parsed.country_code)
    if SATELLITE.match(e164):
        return "satellite", country
    # 979 is the world's premium code; no plan lists what is behind it.
    if parsed.country_code == 979:
        return "premium", country
    of_type = phonenumbers.number_type(parsed)
    if of_type in _COST:
        return ("premium" if _COST[of_type] == "premium" else "shared_cost"), country
    if not phonenumbers.is_valid_number(parsed):
        return "unknown", country
    if of_type == PhoneNumberType.TOLL_FREE and _shares_code(parsed.country_code or 0, region):
        return "toll_free", country
    return ("national" if country == region else "international"), country


def _only_one(code: int | None) -> str:
    regions = numbers.COUNTRIES.get(code or 0, ())
    return regions[0] if len(regions) == 1 else WORLD


def _shares_code(code: int, region: str) -> bool:
    """Whether a free number of this code is free in the region: +1 800 is so in Canada too, but not in China;
    +800 is so everywhere."""
    return code == 800 or code == phonenumbers.country_code_for_region(region)
