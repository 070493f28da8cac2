"""Numbers as they really arrive, and what is understood of them."""

from __future__ import annotations

import re

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti_server.rules.numbers import MAX_RAW, area_code_of, normalise, short_code

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
    ("+39 (0)6 6982 1234", "IT", None, "+390669821234", None, "international"),
    # a zero in brackets is for whom the country dials it, and for nobody where it dials none
    ("+44 (0)20 7946 0018", "GB", None, "+442079460018", None, "international"),
    ("+44(0)7700900123", "GB", None, "+447700900123", None, "unlisted"),
    ("+48 (0)12 345 94 14", "PL", None, "+48123459414", None, "international"),
    ("+36 (0)1 234 5670", "HU", None, "+3612345670", None, "international"),
    ("+420 (0)224 123 456", "CZ", None, "+420224123456", None, "international"),
    ("+372 (0)612 3456", "EE", None, "+3726123456", None, "international"),
    ("+852 (0)2123 4567", "HK", None, "+85221234567", None, "international"),
    ("+352 (0)26 12 34 56", "LU", None, "+35226123456", None, "international"),
    ("01.23.45.67.00", "FR", None, "+33123456700", None, "national"),
    # groups: a number is never shortened to one that the plan lists too, or lists instead
    ("+86 138-0013-8000", "CN", None, "+8613800138000", None, "international"),
    ("+86-138-0013-8000", "CN", None, "+8613800138000", None, "international"),
    ("+86—138—0013—8000", "CN", None, "+8613800138000", None, "international"),
    ("+86·138·0013·8000", "CN", None, "+8613800138000", None, "international"),
    ("(+86)138-0013-8000", "CN", None, "+8613800138000", None, "international"),
    ("0086-138-0013-8000", "CN", None, "+8613800138000", None, "international"),
    ("86-138-0013-8000", "CN", None, "+8613800138000", None, "national"),
    ("+86-139-1234-5678", "CN", None, "+8613912345678", None, "international"),
    ("+86 755-2345-6789", "CN", None, "+8675523456789", None, "international"),
    ("+82-10-1234-5678", "CN", None, "+821012345678", None, "international"),
    ("+81-90-1234-5678", "CN", None, "+819012345678", None, "international"),
    ("+44 7700-900-123", "CN", None, "+447700900123", None, "unlisted"),  # was +447700900, extension 123
    ("+44-7700-900123", "CN", None, "+447700900123", None, "unlisted"),
    ("+44.7700.900.123", "GB", None, "+447700900123", None, "unlisted"),
    ("+358 50-123-4567", "CN", None, "+358501234567", None, "international"),  # +358 50 123 is a number too
    ("+46 70-174-06-05", "CN", None, "+46701740605", None, "international"),
    ("02-1234-5678", "IT", None, "+390212345678", None, "national"),
    ("020-12-34-56", "SE", None, "+4620123456", None, "national"),
    ("+7 495 123-45-67", "CN", None, "+74951234567", None, "international"),
    ("07219638-537", "DE", None, "+497219638537", None, "national"),  # libphonenumber 740: dialled with the number
    ("+49 30-123456-78", "CN", None, "+493012345678", None, "international"),
    ("+86-10-85551234-801", "CN", None, "+861085551234", "801", "international"),
    ("+86-10-85551234-8", "CN", None, "+861085551234", "8", "international"),
    ("+44-20-7946-0958-12", "CN", None, "+442079460958", "12", "international"),
    # a slash behind the area code
    ("0755/23456789", "CN", None, "+8675523456789", None, "national"),
    ("030/1234567", "DE", None, "+49301234567", None, "national"),
    ("+49 (0)30 / 1234567-89", "CN", None, "+4930123456789", None, "international"),
    ("212/555-0123", "US", None, "+12125550123", None, "national"),
    # what a trunk puts into the user part of a URI: Asterisk 646, pjproject 2458 and 3881
    ("+8613800138000;npdi;rn=+8613800139999", "CN", None, "+8613800138000", None, "international"),
    ("13800138000;verstat=TN-Validation-Passed", "CN", None, "+8613800138000", None, "national"),
    ("+8613800138000;cpc=ordinary;oli=0", "CN", None, "+8613800138000", None, "international"),
    ("<sip:+8613800138000@carrier.example;user=phone>", "CN", None, "+8613800138000", None, "international"),
    (
        "sip:+8613800138000;npdi;rn=+86139@c.example;user=phone",
        "CN",
        None,
        "+8613800138000",
        None,
        "international",
    ),
    ("sip:+86-138-0013-8000@c.example;user=phone", "CN", None, "+8613800138000", None, "international"),
    ("sips:%2B8613800138000@h:5061;transport=tls?Subject=x", "CN", None, "+8613800138000", None, "international"),
    ("sip:13800138000:secret@c.example", "CN", None, "+8613800138000", None, "national"),
    ("sip:+8613800138000", "CN", None, "+8613800138000", None, "international"),
    ("<sip:+8613800138000@c.example", "CN", None, "+8613800138000", None, "international"),  # cut
    ("13800138000@192.0.2.1:5060", "CN", None, "+8613800138000", None, "national"),
    ('"Li Wei" <13800138000>', "CN", None, "+8613800138000", None, "national"),
    ("callto:+86-138-0013-8000", "CN", None, "+8613800138000", None, "international"),
    ("tel:+86-138-0013-8000", "CN", None, "+8613800138000", None, "international"),
    ("tel:+44-114-272-6444;ext=1234", "CN", None, "+441142726444", "1234", "international"),
    ("tel:+44-114-272-6444,1234", "CN", None, "+441142726444", "1234", "international"),  # phone-number-parser 492
    # a local number and the prefix that makes it global, or the country whose way of dialling it is
    ("02085551234;phone-context=+86", "CN", None, "+862085551234", None, "international"),
    ("02085551234;phone-context=+86", "US", None, "+862085551234", None, "international"),
    ("8613800138000;phone-context=+86", "US", None, "+8613800138000", None, "national"),
    ("2125550123;phone-context=+1", "CN", None, "+12125550123", None, "international"),
    ("07700900123;phone-context=+44", "CN", None, "+447700900123", None, "unlisted"),
    ("85551234;phone-context=+86-10", "CN", None, "+861085551234", None, "international"),
    ("13800138000;phone-context=carrier.example", "CN", None, "+8613800138000", None, "national"),
    # the + was lost in the decoding of a URL (superfecta 269, ari4java 51)
    (" 8613800138000", "CN", None, "+8613800138000", None, "national"),
    (" 442079460958", "CN", None, "+442079460958", None, "international"),
    (" 13105551234", "CN", None, "+8613105551234", None, "national"),  # a number of the region first
    ("%2B8613800138000", "CN", None, "+8613800138000", None, "international"),
    ("034116999#2405", "TH", None, "+6634116999", "2405", "national"),  # GlobalPhone 30
    ("+16502530000x136", "CN", None, "+16502530000", "136", "international"),  # phonelib 367
    ("+7 495 123-45-67 доб. 12", "CN", None, "+74951234567", "12", "international"),
]

MALFORMED = [
    ("+39 (0)312 345 6797", "IT", "ambiguous"),  # a mobile without its zero, a subscriber of Bergamo with it
    # a footnote, a second number, the decimals of a database
    ("030 1234567²", "DE", "symbols"),
    ("030 1234567¹)", "DE", "symbols"),
    ("030 1234567①", "DE", "symbols"),
    ("030 1234567 (2)", "DE", "symbols"),
    ("+49301234567.00", "DE", "symbols"),
    ("+861085551234.00", "CN", "symbols"),
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
    # two numbers in one text: nobody knows which is meant, and together they are none
    ("13800138000/13900139000", "CN", "ambiguous"),
    ("13800138000 / 010-85551234", "CN", "ambiguous"),
    ("85551234/35", "CN", "ambiguous"),
    ("+44 7700 900123/4", "GB", "ambiguous"),
    ("1001/1002", "CN", "ambiguous"),
    ("110/120", "CN", "ambiguous"),
    ("95588/95599", "CN", "ambiguous"),
    ("0754-8234567-8", "CN", "ambiguous"),  # a subscriber of seven digits and a phone of theirs, or one of eight
    ("13800138000;13900139000", "CN", "symbols"),
    ("tel:+44-114-272-6444;1234", "CN", "symbols"),
    # not whole by the plan, and not shortened until it is
    ("07700-900-123", "GB", "not_in_plan"),
    ("00 44 7700-900-123", "CN", "not_in_plan"),
    ("0755-2345-67890", "CN", "not_in_plan"),
    ("13800138000.0", "CN", "symbols"),
    ("13,800,138,000", "CN", "symbols"),
    ("3.108207129E9", "US", "letters"),  # xlsx2csv 190
    ("sip:10086@pbx.example", "CN", "short_code"),
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
    "sip:192.0.2.1",
    "anonymous@anonymous.invalid",
    '"Anonymous" <sip:anonymous@anonymous.invalid>;tag=as1',
    "sip:c8oqz84zk7z@anonymous.invalid",
    "sip:restricted@carrier.example;user=phone",
    "Anonymous;npdi",
    "asterisk",
    "Out of area",
    "Unbekannt",
    "скрытый номер",
    "非通知",
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
    assert normalise("sip:1001@pbx.example", "CN").extension == "1001"
    assert normalise("1001;phone-context=pbx.example", "CN").extension == "1001"
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


@pytest.mark.parametrize("raw", ["10086", "sip:10086@192.0.2.1", "10086;rn=123", "tel:100-86"])
def test_the_digits_of_a_short_code_are_its_own_only(raw: str) -> None:
    assert normalise(raw, "CN").reason == "short_code"
    assert short_code(raw) == "10086"


EXAMPLES = [
    phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    for region in sorted(phonenumbers.SUPPORTED_REGIONS)
    for kind in (phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.MOBILE)
    if (number := phonenumbers.example_number_for_type(region, kind)) is not None
]


@given(st.sampled_from(EXAMPLES), st.sets(st.integers(1, 12), max_size=4), st.sampled_from("- ./—"))
def test_no_grouping_of_an_international_number_makes_another_of_it(e164: str, cuts: set[int], mark: str) -> None:
    country = len(str(phonenumbers.parse(e164, None).country_code)) + 1
    edges = [0, country, *sorted(country + cut for cut in cuts if country + cut < len(e164)), len(e164)]
    number = normalise(mark.join(e164[a:b] for a, b in zip(edges, edges[1:], strict=False)), "CN")
    assert (number.e164, number.extension) in ((e164, None), (None, None))
    if mark != "/":
        assert number.e164 == e164


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


@pytest.mark.parametrize("masked", ["+86 138 •••• 8000", "•••• 8000", "+86138••••8000", "021••••1234"])
def test_what_is_left_of_a_masked_number_is_another_number(masked: str) -> None:
    """Somebody who copies it from a page must not dial what is left without the dots."""
    assert normalise(masked, "CN").kind == "malformed"
