"""Who may dial what: number × role, spellings, limits, hours, and the forms that the PBX is told."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti_server.commands import CommandRefused
from cti_server.control.targets import dialable
from cti_server.rules import dial_policy, numbers
from cti_server.rules.destinations import KINDS, Destination, Site, destination, emergency_numbers, emergency_of
from cti_server.rules.dial_policy import (
    CODES,
    DEFAULT,
    WEEKDAYS,
    Code,
    Decision,
    Hours,
    Limit,
    Policy,
    Recent,
    Rule,
    Who,
    decide,
)
from cti_server.rules.facts import DialForm, Role
from tests.rules.dialled_numbers import NONE_AT_ALL, NUMBERS, OWN, ROLES, WHO

NOW = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)  # a Wednesday
FORMS: tuple[DialForm, ...] = get_args(DialForm)


def site(region: str, form: DialForm = "e164") -> Site:
    return Site(region, form, phones=frozenset({"1001", "1002"}), own=OWN)


def told(text: str, here: Site) -> str:
    """What the PBX is told for what a person writes."""
    return emergency_of(text, here) or dialable(text, here.region, here.form)


def reached(region: str, text: str, form: DialForm = "e164") -> Destination:
    here = site(region, form)
    return destination(told(text, here), here)


def on_shift(role: Role, login: str = "li", *, anywhere: bool = False) -> Who:
    return Who(login, role, on_shift=True, anywhere=anywhere)


# --- number × role -----------------------------------------------------------------------------------------


def test_each_kind_and_each_code_has_a_row() -> None:
    assert {kind for _, _, kind, _ in NUMBERS} == set(KINDS) == set(WHO)
    assert set(CODES) == set(get_args(Code))
    assert len(NUMBERS) >= 40


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("region", "text", "kind", "country"), NUMBERS)
def test_what_a_number_reaches(region: str, text: str, kind: str, country: str | None, form: DialForm) -> None:
    found = reached(region, text, form)
    assert (found.kind, found.country) == (kind, country), f"{text} is dialled as {found.number}"


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(("region", "text", "kind", "country"), NUMBERS)
def test_who_may_dial_it_by_default(
    region: str, text: str, kind: dial_policy.Kind, country: str | None, role: Role
) -> None:
    decision = decide(DEFAULT, on_shift(role), reached(region, text), NOW)
    assert decision.allowed is (role in WHO[kind]), decision
    assert decision.evidence["kind"] == kind


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(("region", "text", "kind", "country"), NUMBERS)
def test_off_shift_only_extensions_and_emergency_numbers(
    region: str, text: str, kind: str, country: str | None, role: Role
) -> None:
    decision = decide(DEFAULT, Who("li", role, on_shift=False), reached(region, text), NOW)
    assert decision.allowed is (kind in ("internal", "emergency")), decision
    assert decision.allowed or decision.code == "off_shift"


@pytest.mark.parametrize(("region", "text"), NONE_AT_ALL)
@pytest.mark.parametrize("form", FORMS)
def test_what_is_no_number_is_not_dialled(region: str, text: str, form: DialForm) -> None:
    here = site(region, form)
    if text == "13800138000@from-internal":  # what stands behind a number is dropped, as of sip:…@pbx.example
        assert destination(told(text, here), here).e164 == "+8613800138000"
        return
    with pytest.raises(CommandRefused) as caught:
        told(text, here)
    assert caught.value.code == "bad_target"


# --- a spelling changes nothing ----------------------------------------------------------------------------

E164 = st.sampled_from(
    sorted({found.e164 for r, t, _, _ in NUMBERS if (found := reached(r, t)).e164 and found.kind != "unknown"})
)
REGIONS = st.sampled_from(["CN", "US", "GB", "DE", "NO"])
SEPARATORS = st.sampled_from(["", " ", "-", ".", " - "])


@st.composite
def spellings(draw: st.DrawFn) -> tuple[str, str, str]:
    """(region, a number in E.164, one of the many ways to write it)."""
    region, e164 = draw(REGIONS), draw(E164)
    text = draw(
        st.sampled_from(
            [e164, f"00{e164[1:]}" if e164[1:3] != "00" else e164, numbers.dialled(e164, "national", region)]
        )
    )
    cut = draw(st.integers(1, max(1, len(text) - 1)))
    separator = draw(SEPARATORS)
    text = text[:cut] + separator + text[cut:] if text[cut:] and text[cut - 1] != "+" else text
    if draw(st.booleans()):
        text = text.translate(str.maketrans("0123456789+", "０１２３４５６７８９＋"))
    around = draw(st.sampled_from(["{}", " {} ", "tel:{}", "sip:{}@pbx.example", "{},,123", '"Bob" <sip:{}@x>']))
    return region, e164, around.format(text)


@given(spellings(), st.sampled_from(FORMS), st.sampled_from(ROLES))
def test_the_spelling_never_changes_the_decision(spelt: tuple[str, str, str], form: DialForm, role: Role) -> None:
    region, e164, text = spelt
    here = site(region, form)
    plainly = decide(DEFAULT, on_shift(role), destination(numbers.dialled(e164, form, region), here), NOW)
    try:
        dialled = told(text, here)
    except CommandRefused:
        return  # not understood is not dialled
    assert decide(DEFAULT, on_shift(role), destination(dialled, here), NOW) == plainly, dialled


@given(
    st.sampled_from([row for row in NUMBERS if not WHO[row[2]]]),
    st.text(alphabet="+0-9*#,;pwx@&/ ()１９", max_size=6),
    st.text(alphabet="+0*#,;pwx@&/ ()12９abc\x00\n", max_size=8),
    st.sampled_from(FORMS),
)
def test_what_is_refused_is_not_dialled_with_junk_around_it(
    row: tuple[str, str, str, str | None], before: str, after: str, form: DialForm
) -> None:
    """Whatever is written around a refused number: what the PBX is told is not that number in any of its forms."""
    region, text, _, _ = row
    here = site(region, form)
    forbidden = destination(told(text, here), here)
    try:
        dialled = told(before + text + after, here)
    except CommandRefused:
        return
    found = destination(dialled, here)
    if found.e164 == forbidden.e164 and found.number == forbidden.number:
        assert not decide(DEFAULT, on_shift("administrator"), found, NOW).allowed
    assert moves_safe(dialled), "nothing but digits reaches the PBX"


def moves_safe(dialled: str) -> bool:
    return dialled.removeprefix("+").isascii() and dialled.removeprefix("+").isdigit()


@given(E164, REGIONS)
def test_the_form_of_the_pbx_never_changes_what_a_number_is(e164: str, region: str) -> None:
    found = {
        (one.kind, one.country, one.e164)
        for form in FORMS
        for one in [destination(numbers.dialled(e164, form, region), site(region, form))]
    }
    assert len(found) == 1, found


# --- emergency numbers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("region", "known"),
    [
        ("CN", {"110", "119", "120", "122"}),
        ("US", {"911", "112"}),
        ("GB", {"999", "112"}),
        ("DE", {"110", "112"}),
        ("FR", {"15", "17", "18", "112"}),
        ("AU", {"000", "106", "112"}),
        ("JP", {"110", "119"}),
        ("HK", {"999", "112", "992"}),
    ],
)
def test_the_regions_own_emergency_numbers(region: str, known: set[str]) -> None:
    assert set(emergency_numbers(region)) == known


def test_a_site_has_emergency_numbers_of_its_own() -> None:
    here = Site("CN", emergency=("110", "2222"))
    assert destination("2222", here).kind == "emergency"
    assert destination("119", here).kind != "emergency"


@pytest.mark.parametrize("text", ["9113", "1911", "91155", "+47 911 23 456", "9110", "0 911 23", "911911"])
def test_a_number_that_only_begins_like_one_is_none(text: str) -> None:
    assert emergency_of(text, site("US")) is None


def test_a_phone_of_that_number_is_not_the_emergency_service_behind_a_prefix() -> None:
    here = Site("US", phones=frozenset({"9911"}))
    assert emergency_of("9911", here) is None
    assert destination("9911", here).kind == "internal"
    assert emergency_of("911", here) == "911", "the plain number always is"


@pytest.mark.parametrize("answer", ["allow", "refuse"])
def test_only_a_rule_that_names_the_kind_refuses_an_emergency_number(answer: dial_policy.Answer) -> None:
    everything = Policy((Rule("nothing", "refuse"),), (Limit(0, 0),))
    to = reached("CN", "110")
    nobody = Who("li", "agent", on_shift=False)
    assert decide(everything, nobody, to, NOW, Recent(99, 99)) == Decision(
        True, "emergency", "emergency", {"kind": "emergency", "country": "CN", "role": "agent"}
    )
    explicit = Policy((Rule("nothing", "refuse"), Rule("no-110", answer, kinds=("emergency",))))
    assert decide(explicit, nobody, to, NOW).allowed is (answer == "allow")
    assert decide(explicit, nobody, to, NOW).rule == "no-110"


# --- rules, in their order ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "fits"),
    [
        (Rule("a", "allow"), True),
        (Rule("a", "allow", roles=("supervisor",)), False),
        (Rule("a", "allow", roles=("agent", "supervisor")), True),
        (Rule("a", "allow", logins=("wang",)), False),
        (Rule("a", "allow", roles=("supervisor",), logins=("li",)), True),
        (Rule("a", "allow", kinds=("premium",)), False),
        (Rule("a", "allow", countries=("HK", "MO")), True),
        (Rule("a", "allow", countries=("TW",)), False),
        (Rule("a", "allow", numbers=("+8522",)), True),
        (Rule("a", "allow", numbers=("+8526", "+8525")), False),
        (Rule("a", "allow", hours=Hours("Asia/Shanghai", begins=8 * 60, ends=18 * 60)), True),
        (Rule("a", "allow", hours=Hours("Asia/Shanghai", begins=12 * 60, ends=18 * 60)), False),
    ],
)
def test_what_a_rule_fits(rule: Rule, fits: bool) -> None:
    to = reached("CN", "+85223456789")
    decision = decide(Policy((rule,)), on_shift("agent"), to, NOW)
    assert (decision.allowed, decision.code) == (fits, "rule" if fits else "no_rule")


def test_the_first_rule_that_fits_decides() -> None:
    to = reached("GB", "07400 123456")
    landlines = Policy((Rule("no-mobiles", "refuse", numbers=("+447",)), Rule("home", "allow", countries=("GB",))))
    assert decide(landlines, on_shift("agent"), to, NOW).rule == "no-mobiles"
    assert decide(landlines, on_shift("agent"), reached("GB", "020 7946 0018"), NOW).allowed
    assert not decide(landlines, on_shift("agent"), reached("GB", "1002"), NOW).allowed, "it has no country"


@pytest.mark.parametrize(
    ("text", "shift", "recent", "code"),
    [
        ("+1 900 555 1234", True, Recent(), "anywhere"),
        ("+1 900 555 1234", False, Recent(), "off_shift"),
        ("+1 900 555 1234", True, Recent(a_minute=20), "a_minute"),
        ("+1 900 555 1234", True, Recent(at_once=3), "at_once"),
        ("110", True, Recent(a_minute=20), "emergency"),
    ],
)
def test_the_grant_passes_the_rules_and_nothing_else(text: str, shift: bool, recent: Recent, code: str) -> None:
    who = Who("li", "agent", on_shift=shift, anywhere=True)
    assert decide(DEFAULT, who, reached("CN", text), NOW, recent).code == code


# --- limits ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("recent", "code"),
    [
        (Recent(0, 0), "rule"),
        (Recent(19, 2), "rule"),
        (Recent(20, 0), "a_minute"),
        (Recent(0, 3), "at_once"),
        (Recent(99, 99), "a_minute"),
    ],
)
def test_limits(recent: Recent, code: str) -> None:
    outside, inside = reached("CN", "13800138000"), reached("CN", "1002")
    decision = decide(DEFAULT, on_shift("agent"), outside, NOW, recent)
    assert (decision.code, decision.allowed) == (code, code == "rule")
    assert decide(DEFAULT, on_shift("agent"), inside, NOW, recent).allowed, "extensions count for no limit"


def test_the_first_limit_that_fits_counts() -> None:
    limits = (Limit(1, 1, logins=("li",)), Limit(5, 5, roles=("agent",)), Limit(0, 0))
    policy = Policy((Rule("all", "allow"),), limits)
    to = reached("CN", "13800138000")
    allowed = [
        decide(policy, who, to, NOW, Recent(1, 0)).allowed
        for who in (on_shift("agent", "li"), on_shift("agent", "wang"), on_shift("supervisor", "zhao"))
    ]
    assert allowed == [False, True, False]


# --- hours -------------------------------------------------------------------------------------------------


def at(zone: str, text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


BERLIN = Hours("Europe/Berlin", ("sun",), 2 * 60, 3 * 60)
NIGHT = Hours("Europe/Berlin", ("sat",), 22 * 60, 3 * 60)
OFFICE = Hours("America/New_York", WEEKDAYS[:5], 9 * 60, 17 * 60)


@pytest.mark.parametrize(
    ("hours", "moment", "within"),
    [
        # The clock goes forward on 29 March 2026 at 02:00: there is no 02:30, and the hour does not come.
        (BERLIN, datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC), False),  # 01:59:59
        (BERLIN, datetime(2026, 3, 29, 1, 0, 0, tzinfo=UTC), False),  # 03:00:00
        # It goes back on 25 October at 03:00: 02:30 comes twice, and both are within.
        (BERLIN, at("Europe/Berlin", "2026-10-25T02:30:00", 0), True),
        (BERLIN, at("Europe/Berlin", "2026-10-25T02:30:00", 1), True),
        (BERLIN, at("Europe/Berlin", "2026-10-25T03:00:00"), False),
        # Over midnight it is Saturday's night, Sunday's small hours included, and not Sunday's evening.
        (NIGHT, at("Europe/Berlin", "2026-10-24T22:00:00"), True),
        (NIGHT, at("Europe/Berlin", "2026-10-25T02:59:00", 1), True),
        (NIGHT, at("Europe/Berlin", "2026-10-25T22:00:00"), False),
        (NIGHT, at("Europe/Berlin", "2026-10-24T02:00:00"), False),
        (NIGHT, at("Europe/Berlin", "2026-10-24T21:59:59"), False),
        # The same hour of the office is another one of UTC in summer.
        (OFFICE, datetime(2026, 7, 1, 13, 0, tzinfo=UTC), True),
        (OFFICE, datetime(2026, 12, 1, 13, 59, tzinfo=UTC), False),
        (OFFICE, datetime(2026, 12, 1, 14, 0, tzinfo=UTC), True),
        (OFFICE, at("America/New_York", "2026-12-01T17:00:00"), False),
        (OFFICE, at("America/New_York", "2026-12-05T12:00:00"), False),  # a Saturday
        (Hours("Asia/Shanghai"), datetime(2026, 12, 5, 16, 0, tzinfo=UTC), True),
    ],
)
def test_hours(hours: Hours, moment: datetime, within: bool) -> None:
    assert hours.has(moment) is within


@given(st.datetimes(timezones=st.just(UTC)), st.integers(0, 1439), st.integers(1, 1440))
def test_hours_and_the_rest_of_the_day_make_a_whole_day(now: datetime, begins: int, ends: int) -> None:
    """Over every change of the clock a moment is in one of the two, and never in both."""
    if begins == ends % 1440 or not 1 < now.year < 9999:
        return
    inside = Hours("Europe/Berlin", WEEKDAYS, begins, ends)
    rest = Hours("Europe/Berlin", WEEKDAYS, ends % 1440, begins or 1440)
    assert inside.has(now) is not rest.has(now)
