"""What is sealed comes back for what it was sealed for, with a key that is known, and not otherwise."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti_server.record.center import agents, second_factors
from cti_server.record.database import Database
from cti_server.record.sealing import Sealer, SealingError, is_sealed, new_key

OLD, NEW = new_key(), new_key()


@given(text=st.text(max_size=80), about=st.text(max_size=40).filter(lambda text: text.isprintable()))
def test_what_is_sealed_comes_back(text: str, about: str) -> None:
    sealer = Sealer([OLD])
    sealed = sealer.seal(text, about)
    assert is_sealed(sealed)
    assert not text or text not in sealed.partition(":")[2] or len(text) < 8
    assert sealer.open(sealed, about) == text


def test_a_secret_moved_to_another_row_does_not_open() -> None:
    sealer = Sealer([OLD])
    with pytest.raises(SealingError, match="belongs to something else"):
        sealer.open(sealer.seal("s", "phones/1"), "phones/2")


def test_a_new_key_opens_what_the_old_one_sealed() -> None:
    sealed = Sealer([OLD]).seal("s", "a")
    both = Sealer([NEW, OLD])
    assert both.open(sealed, "a") == "s"
    assert not both.is_current(sealed)
    assert both.is_current(both.seal("s", "a"))
    with pytest.raises(SealingError, match="another key"):
        Sealer([NEW]).open(sealed, "a")


def test_without_a_key_nothing_is_sealed_and_what_is_in_clear_is_read() -> None:
    none = Sealer()
    assert not none.ready
    assert none.open("in clear", "a") == "in clear"
    with pytest.raises(SealingError, match="no key") as raised:
        none.seal("s", "a")
    assert "CTI_SECRET_KEY" in raised.value.remedy


@pytest.mark.parametrize(
    "wrong",
    ["", "short", "é" * 43, OLD[:-3], OLD + "AAAA"],
    ids=["none", "short", "letters", "shorter", "longer"],  # a key is another one in each worker
)
def test_what_is_no_key_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="cti-server key"):
        Sealer([wrong])


@pytest.mark.parametrize("changed", ["v1::", "v1:x", "v1:aaaaaaaa:!", "v1:{key}:", "v1:{key}:AAAA"])
def test_what_was_changed_in_the_record_is_an_error_and_no_traceback(changed: str) -> None:
    sealer = Sealer([OLD])
    key = sealer.seal("s", "a").split(":")[1]
    with pytest.raises(SealingError):
        sealer.open(changed.format(key=key), "a")


async def test_a_second_factor_is_sealed_anew_with_the_next_key(database: Database) -> None:
    """Otherwise nobody could take the older key out of the settings without locking people out."""
    async with database.begin() as conn:
        agent = await agents.add(conn, login="li", name="Li")
        about = second_factors.about(agent)
        await second_factors.begin(conn, agent, Sealer([OLD]).seal("s3cret", about), datetime.now(UTC))
    both = Sealer([NEW, OLD])
    for times in (1, 0):
        async with database.begin() as conn:
            assert await second_factors.seal_anew(conn, both) == times
    async with database.begin() as conn:
        found = await second_factors.find(conn, agent)
        assert found is not None
        assert Sealer([NEW]).open(found.secret, about) == "s3cret"
        assert await second_factors.seal_anew(conn, Sealer([OLD])) == 0
        assert await second_factors.seal_anew(conn, Sealer()) == 0
