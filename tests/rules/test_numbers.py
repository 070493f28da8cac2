"""Numbers as they really arrive, and what is understood of them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti_server.rules.numbers import MAX_RAW, area_code_of, normalise

CN_AREA = "10"

UNDERSTOOD = [
    # raw, region, area code → e164, extension, why
    ("+8613800138000", "CN", None, "+8613800138000", None, "international"),
    ("008613800138000", "CN", None, "+8613800138000", None, "international"),
    ("0086013800138000", "CN", None, "+8613800138000", None, "international"),
    ("8613800138000", "CN", None, "+8613800138000", None, "national"),
    ("13800138000", "CN", None, "+8613800138000", None, "national"),
    ("013800138000", "CN", None, "+8613800138000", None, "national"),  # out-of-town mobile
    ("138 0013 8000", "CN", None, "+8613800138000", None, "national"),
    ("１３８００１３８０００", "CN", None, "+8613800138000", None, "national"),  # full width
    ("1252013800138000", "CN", None, "+8613800138000", None, "national"),  # carrier code 12520
    ("913800138000", "CN", None, "+8613800138000", None, "trunk_prefix"),
    ("9013800138000", "CN", None, "+8613800138000", None, "trunk_prefix"),
    ("0013800138000", "CN", None, "+8613800138000", None, "trunk_prefix"),  # +1 380 013… is nobody's
    ("001085551234", "CN", None, "+861085551234", None, "trunk_prefix"),
    ("01085551234", "CN", None, "+861085551234", None, "national"),
    ("(010)8555-1234", "CN", None, "+861085551234", None, "national"),
    ("010-8555-1234", "CN", None, "+861085551234", None, "national"),
    ("+86 (0)10 8555 1234", "CN", None, "+861085551234", None, "international"),
    ("85551234", "CN", CN_AREA, "+861085551234", None, "local"),
    ("23456789", "CN", "755", "+8675523456789", None, "local"),
    ("985551234", "CN", CN_AREA, "+861085551234", None, "trunk_prefix"),
    ("85551234-8001", "CN", CN_AREA, "+861085551234", "8001", "local"),
    ("010-85551234-8001", "CN", None, "+861085551234", "8001", "national"),
    ("010-85551234－8001", "CN", None, "+861085551234", "8001", "national"),  # full-width dash
    ("010-85551234转8001", "CN", None, "+861085551234", "8001", "national"),
    ("01085551234 分机 8001", "CN", None, "+861085551234", "8001", "national"),
    ("01085551234;ext=8001", "CN", None, "+861085551234", "8001", "national"),
    ("01085551234,8001", "CN", None, "+861085551234", "8001", "national"),
    ("+1 (202) 555-0123 ext. 55", "CN", None, "+12025550123", "55", "international"),
    ("+1-202-555-0123 x55", "CN", None, "+12025550123", "55", "international"),
    ("tel:+86-10-85551234;ext=12", "CN", None, "+861085551234", "12", "international"),
    ("tel:85551234;phone-context=+8610", "CN", None, "+861085551234", None, "international"),
    ("sip:+8613800138000@192.0.2.1;user=phone", "CN", None, "+8613800138000", None, "international"),
    ('"Bob" <sip:013800138000@pbx.example>', "CN", None, "+8613800138000", None, "national"),
    ("sip:%2B8613800138000@pbx.example", "CN", None, "+8613800138000", None, "international"),
    ("400-800-1234", "CN", None, "+864008001234", None, "national"),
    ("2025550123", "US", None, "+12025550123", None, "national"),
    ("912025550123", "US", None, "+12025550123", None, "trunk_prefix"),
    ("5550123", "US", "202", "+12025550123", None, "local"),
    ("020 7946 0000", "GB", None, "+442079460000", None, "national"),
    ("21234567", "HK", None, "+85221234567", None, "national"),
    ("06 1234 5678", "IT", None, "+390612345678", None, "national"),  # Italy keeps its 0
]

MALFORMED = [
    ("85551234", "CN", "area_code_missing"),
    ("10086", "CN", "short_code"),
    ("95588", "CN", "short_code"),
    ("12125551234", "CN", "not_in_plan"),  # a US number without +: might be anybody's
    ("+999123456789", "CN", "country_code"),
    ("+8610", "CN", "too_short"),
    ("+861380013800012345", "CN", "too_long"),
    ("sip:alice@example.com", "CN", "letters"),
    ("1-800-FLOWERS", "US", "letters"),
    ("x12", "CN", "letters"),
    ("*6713800138000", "CN", "symbols"),
    ("++8613800138000", "CN", "symbols"),
    ("9" * 100, "CN", "too_long"),
    ("9" * 300, "CN", "too_long"),
    ("1" * 33, "CN", "too_long"),
]

WITHHELD = [
    None,
    "",
    "  ",
    "-",
    "anonymous",
    "Anonymous",
    "<unknown>",
    "RESTRICTED",
    "Private",
    "(null)",
    "未知",
]
WITHHELD += [
    "sip:anonymous@anonymous.invalid",
    "0",
    "000",
    "+",
    "Unavailable",
    "No Caller ID",
    "\x00",
    "sip:host",
]


@pytest.mark.parametrize(("raw", "region", "area", "e164", "extension", "why"), UNDERSTOOD)
def test_understood(raw: str, region: str, area: str | None, e164: str, extension: str | None, why: str) -> None:
    number = normalise(raw, region, area_code=area)
    assert (number.kind, number.e164, number.extension, number.reason) == ("e164", e164, extension, why)
    assert number.raw == raw


@pytest.mark.parametrize(("raw", "region", "why"), MALFORMED)
def test_malformed_says_why(raw: str, region: str, why: str) -> None:
    number = normalise(raw, region)
    assert (number.kind, number.e164, number.extension, number.reason) == ("malformed", None, None, why)


@pytest.mark.parametrize("raw", WITHHELD)
def test_withheld(raw: str | None) -> None:
    number = normalise(raw, "CN")
    assert (number.kind, number.e164) == ("withheld", None)


def test_a_phone_of_the_pbx_is_an_extension() -> None:
    assert normalise("1001", "CN").extension == "1001"
    assert normalise("1001", "CN").kind == "extension"
    assert normalise("10015", "CN").kind == "malformed"
    assert normalise("10015", "CN", extension_lengths=(5,)).kind == "extension"


def test_trunk_prefixes_are_the_administrators() -> None:
    assert normalise("713800138000", "CN").kind == "malformed"
    assert normalise("713800138000", "CN", trunk_prefixes=("7",)).e164 == "+8613800138000"


def test_two_readings_are_no_reading() -> None:
    # Without 7 it is a mobile, without 71 a landline in Handan: nobody knows.
    doubtful = normalise("713103234567", "CN", trunk_prefixes=("7", "71"))
    assert (doubtful.kind, doubtful.reason) == ("malformed", "ambiguous")
    assert normalise("713103234567", "CN", trunk_prefixes=("7",)).e164 == "+8613103234567"


def test_a_long_text_is_cut_before_it_is_kept() -> None:
    number = normalise("1" * 100_000, "CN")
    assert len(number.raw) == MAX_RAW


@pytest.mark.parametrize(
    ("e164", "area"),
    [
        ("+861085551234", "10"),
        ("+8675523456789", "755"),
        ("+864008001234", None),
        ("junk", None),
        (None, None),
    ],
)
def test_area_code_of_a_line(e164: str | None, area: str | None) -> None:
    assert area_code_of(e164) == area


E164 = re.compile(r"\+[1-9][0-9]{6,14}")
numberish = st.text(alphabet="0123456789+-() .,;:=#*xext转sip@<>\"'\n\x00１２", max_size=40)
regions = st.sampled_from(["CN", "US", "GB", "DE", "HK", "IT", "ZZ", "", "xx"])


@given(raw=st.one_of(st.text(), numberish), region=regions, area=st.sampled_from([None, "10", "755", "202"]))
def test_no_text_is_too_strange(raw: str, region: str, area: str | None) -> None:
    number = normalise(raw, region, area_code=area)
    assert (number.e164 is not None) == (number.kind == "e164")
    assert number.e164 is None or E164.fullmatch(number.e164)
    if number.extension is not None:
        assert number.extension.isascii()
        assert number.extension.isdigit()


@given(raw=numberish)
def test_what_was_understood_is_understood_again(raw: str) -> None:
    number = normalise(raw, "CN")
    if number.e164:
        assert normalise(number.e164, "US").e164 == number.e164
