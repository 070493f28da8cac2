"""The tokeniser: what is indexed is found again by any part of it that a person would type."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti_server.record.crm import tokens


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("王小明", ["小", "小明", "明", "王", "王小"]),
        ("Ｗａｎｇ WEI", ["wang", "wei"]),
        ("José Müller", ["jose", "muller"]),
        ("Straße", ["strasse"]),
        ("华为 Huawei-技术", ["huawei", "为", "华", "华为", "技", "技术", "术"]),
        ("li.wei@example.com", ["com", "example", "li", "wei"]),
        ("C-1001", ["1001", "c"]),
        ("②号", ["2", "号"]),
        ("🙂 \0\n'\"&|!:*()", []),
        ("", []),
    ],
)
def test_words_of_a_text(text: str, words: list[str]) -> None:
    assert tokens.index_words(text) == sorted(words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("王", [("王", False)]),
        ("小明", [("小明", False)]),
        ("王小明", [("王小", False), ("小明", False)]),
        ("wa 王", [("wa", True), ("王", False)]),
        ("!!", []),
    ],
)
def test_words_of_a_query(text: str, words: list[tuple[str, bool]]) -> None:
    assert tokens.query_words(text) == words


@pytest.mark.parametrize(
    ("text", "fragment"),
    [
        ("138", "138"),
        ("13", None),
        ("0138", "138"),
        ("+86 138-0013 (8000)", "8613800138000"),
        ("１３８", "138"),
        ("000", "000"),
        ("C-1001", None),
        ("wang 138", None),
        ("9" * 300, "9" * 200),
    ],
)
def test_part_of_a_number(text: str, fragment: str | None) -> None:
    assert tokens.number_fragment(text) == fragment


def _found(query: str, text: str) -> bool:
    indexed = tokens.index_words(text)
    return all(
        any(word.startswith(wanted) if prefix else word == wanted for word in indexed)
        for wanted, prefix in tokens.query_words(query)
    )


@given(st.text(alphabet=st.sampled_from("王小明李娜aBcÉ1 -公司🙂"), max_size=20), st.data())
def test_any_part_that_begins_at_a_word_is_found(text: str, data: st.DataObject) -> None:
    start = data.draw(st.sampled_from([0, *(i + 1 for i, c in enumerate(text) if c in " -🙂王小明李娜公司")]))
    end = data.draw(st.integers(start, len(text)))
    assert _found(text[start:end], text)


@given(st.text(max_size=60))
def test_every_text_finds_itself_whatever_its_case(text: str) -> None:
    assert _found(text, text)
    assert tokens.index_words(tokens.fold(text)) == tokens.index_words(text)


@given(st.text(max_size=300))
def test_words_carry_nothing_that_a_query_language_knows(text: str) -> None:
    for word in [*tokens.index_words(text), *(word for word, _ in tokens.query_words(text))]:
        assert word
        assert len(word) <= tokens.MAX_WORD
        assert not set(word) & set("'\"\\&|!:*() \0\n")
