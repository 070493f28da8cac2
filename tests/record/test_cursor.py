"""A cursor says the sort keys again, and nothing else is a cursor."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti_server.record.cursor import BadCursor, decode, encode

AT = st.datetimes(datetime(1900, 1, 1), datetime(2200, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


@given(AT, st.integers(-(2**63), 2**63 - 1), st.text(max_size=40))
def test_there_and_back(at: datetime, number: int, text: str) -> None:
    assert decode(encode(at, number, text), datetime, int, str) == [at, number, text]


@given(st.text(max_size=80))
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(BadCursor):
        decode(text, datetime, int)


@pytest.mark.parametrize("parts", [(1,), (1, 2, 3), ("2026-11-22T12:00:00", 1), (2**63, "x"), (True, 1)])
def test_keys_of_another_list_are_refused(parts: tuple[int | str, ...]) -> None:
    with pytest.raises(BadCursor):
        decode(encode(*parts), datetime, int)
