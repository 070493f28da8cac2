"""The only tokeniser of the search, so that both engines find the same words, in any script, width or case.

Text is normalised (NFKC) and casefolded. A run of letters and digits is a word, without its accents. Chinese,
Japanese and Korean write no spaces, so their runs become pairs of characters, and in the index single characters
too: 王小明 is found by 王, 王小, 小明 and 王小明.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

MAX_WORD = 64
"""A longer run is cut to this length, in index and query alike; PostgreSQL refuses a word over 2 kB."""
MAX_TERMS = 12
MAX_QUERY = 200
MIN_DIGITS = 3

_CJK = re.compile(
    "[\u3005-\u3007\u3040-\u30ff\u3131-\u318e\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
    "\U0001b000-\U0001b16f\U00020000-\U000323af]"
)
_ACCENT = re.compile("[\u0300-\u036f]")
_PHONE = re.compile(r"[\d+\-().\s/]+")


def fold(text: str) -> str:
    """Text for comparison: compatibility forms and case are made equal."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def key(name: str) -> str:
    """A name for comparing and sorting: folded, without accents, one space between words."""
    return " ".join(_unaccented(fold(name)).split())


def _unaccented(text: str) -> str:
    # Only Latin, Greek and Cyrillic accents: in kana or Devanagari a mark makes a different letter.
    return unicodedata.normalize("NFC", _ACCENT.sub("", unicodedata.normalize("NFD", text)))


def _runs(text: str) -> Iterator[tuple[bool, str]]:
    """Runs of one kind, in order: (is CJK, run)."""
    run, cjk = "", False
    for char in fold(text):
        is_cjk = _CJK.match(char) is not None
        if run and (is_cjk != cjk or not (is_cjk or _is_word(char))):
            yield cjk, run
            run = ""
        if is_cjk or _is_word(char):
            run, cjk = run + char, is_cjk
    if run:
        yield cjk, run


def _is_word(char: str) -> bool:
    return char.isalnum() or unicodedata.category(char) in ("Mn", "Mc")


def _plain(run: str) -> str:
    """The run without accents; unchanged when it consists of accents only."""
    return (_unaccented(run) or run)[:MAX_WORD]


def index_words(*texts: str | None) -> list[str]:
    """The words under which these texts are to be found, sorted, each once."""
    words: set[str] = set()
    for text in texts:
        for cjk, run in _runs(text or ""):
            if cjk:
                words.update(run)
                words.update(run[i : i + 2] for i in range(len(run) - 1))
            else:
                words.add(_plain(run))
    return sorted(words)


def query_words(text: str) -> list[tuple[str, bool]]:
    """The words that must all be found, each with whether the beginning of a word is enough (not so for CJK)."""
    wanted: dict[tuple[str, bool], None] = {}
    for cjk, run in _runs(text[:MAX_QUERY]):
        if not cjk:
            wanted[_plain(run), True] = None
        elif len(run) == 1:
            wanted[run, False] = None
        else:
            wanted.update(((run[i : i + 2], False), None) for i in range(len(run) - 1))
    return list(wanted)[:MAX_TERMS]


WHOLE_NUMBER = 7
"""Digits from which on a number can be one in full: a subscriber's number in a small town."""


def number_fragment(text: str) -> str | None:
    """The digits to look for in numbers; None unless this is a number, or part of one, of at least three digits.

    Leading trunk zeros are left out, because numbers are stored in E.164.
    """
    folded = fold(text[:MAX_QUERY]).strip()
    if not _PHONE.fullmatch(folded):
        return None
    found = digits(folded)
    return (found.lstrip("0") or found) if len(found) >= MIN_DIGITS else None


def digits(text: str) -> str:
    """The ASCII digits of a text."""
    return "".join(c for c in unicodedata.normalize("NFKC", text) if "0" <= c <= "9")
