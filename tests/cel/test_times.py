"""CEL's times: each way of writing one, the hour that comes twice, and a zone that is not the PBX's."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from cti_server.wire.cel_times import BadTime, Times, born, off_by

AT = 1767225600.25  # 2026-01-01 00:00:00.25 UTC


@pytest.mark.parametrize(
    ("value", "zone", "form"),
    [
        ("1767225600.250000", "", ""),
        (1767225600.25, "", ""),
        (Decimal("1767225600.25"), "", ""),
        ("2026-01-01 08:00:00.25", "Asia/Shanghai", ""),
        ("2026-01-01 08:00:00.250000", "Asia/Shanghai", ""),
        ("2026-01-01T00:00:00.250000Z", "", ""),
        ("2026-01-01 08:00:00.25+08", "", ""),
        ("2026-01-01 08:00:00.25 +0800", "", ""),
        (datetime(2026, 1, 1, 8, 0, 0, 250_000), "Asia/Shanghai", ""),  # noqa: DTZ001 - as a database without a zone
        (datetime(2026, 1, 1, 0, 0, 0, 250_000, UTC), "Asia/Shanghai", ""),
        ("01.01.2026 01:00:00.250", "Europe/Berlin", "%d.%m.%Y %T.%3q"),
        ("2026-01-01 00:00:00.250", "UTC", "%F %T.%3q"),
        ("1767225600.250000", "", "%s"),
    ],
)
def test_each_way_of_writing_the_same_time(value: object, zone: str, form: str) -> None:
    assert Times.of(zone, form).read(value) == AT


@pytest.mark.parametrize("value", ["", "yesterday", "01/02/2026 10:00:00", "10:00:00", None])
def test_what_is_no_time_of_a_known_form_is_refused_with_the_setting_to_set(value: object) -> None:
    with pytest.raises(BadTime, match="CTI_CEL_DATEFORMAT"):
        Times.of("UTC").read(value)


def test_a_time_without_a_zone_is_not_guessed() -> None:
    with pytest.raises(BadTime, match="CTI_CEL_ZONE"):
        Times.of("").read("2026-01-01 08:00:00")


def test_a_local_time_that_no_clock_showed_means_another_zone() -> None:
    with pytest.raises(BadTime, match="Europe/Berlin"):
        Times.of("Europe/Berlin").read("2026-03-29 02:30:00")


def test_in_the_hour_that_comes_twice_the_row_before_and_the_channel_tell_which() -> None:
    berlin = Times.of("Europe/Berlin")
    first, second = (datetime(2026, 10, 25, hour, 30, tzinfo=UTC).timestamp() for hour in (0, 1))
    assert berlin.read("2026-10-25 02:30:00") == first
    assert berlin.read("2026-10-25 02:30:00", after=first - 60) == first
    assert berlin.read("2026-10-25 02:30:00", after=first + 60) == second
    assert berlin.read("2026-10-25 02:30:00", born=first + 1200) == second


@pytest.mark.parametrize("form", ["%F %H:%M", "%F %T %Z"])
def test_a_dateformat_that_leaves_the_time_open_is_refused(form: str) -> None:
    with pytest.raises(ValueError, match=r"cel\.conf"):
        Times.of("UTC", form)


def test_a_zone_that_is_none_is_refused() -> None:
    for name in ("Mars/Olympus", "../etc/passwd", "Asia", "CET DST"):
        with pytest.raises(ValueError, match="time zone"):
            Times.of(name)


def test_the_channels_own_ids_tell_that_the_zone_is_wrong() -> None:
    assert born("demo-1767225600.17") == 1767225600
    assert born("my-pbx-1767225600.17") == 1767225600
    assert born("cti-7f-chosen") is None
    right = [("demo-1767225600.1", 1767225600.4), ("demo-1767225700.2", 1767225700.0)]
    assert off_by(right) is None
    assert off_by([(leg, at + 8 * 3600) for leg, at in right]) == 8 * 3600
    assert off_by([(leg, at - 5.75 * 3600) for leg, at in right]) == -5.75 * 3600
    assert off_by([*right, ("demo-1.1", 5.0), ("x", 1.0)]) is None
    assert off_by([("demo-1767225600.1", 1767225600.0 + 77)]) is None, "no two zones differ by that"
