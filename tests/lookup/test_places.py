"""Places by the digits of a number, from the tables that a child process reads."""

from __future__ import annotations

import pytest

from cti_server.lookup.places import NoPlaces, PrefixPlaces


@pytest.fixture(scope="module")
def places() -> PrefixPlaces:
    warmed = PrefixPlaces()
    warmed.warm()
    return warmed


@pytest.mark.parametrize(
    ("e164", "en", "zh"),
    [
        ("+861085551234", "Beijing", "北京市"),
        ("+8613800138000", "Beijing", "北京市"),
        ("+442079460000", "London", "London"),  # the tables have no Chinese name
        ("+999", None, None),
        ("+1", None, None),
    ],
)
def test_places(places: PrefixPlaces, e164: str, en: str | None, zh: str | None) -> None:
    assert (places.of(e164, "en"), places.of(e164, "zh")) == (en, zh)


def test_nothing_is_named_before_it_is_warm() -> None:
    assert PrefixPlaces().of("+861085551234", "en") is None
    assert NoPlaces().of("+861085551234", "en") is None
