"""The one tokeniser of the search: the same words whatever the engine, the script, the width or the case.

NFKC, then casefold. A run of letters and digits is a word, without its accents. Chinese, Japanese and
Korean write no spaces, so their runs become pairs of characters, and in the index single characters too:
王小明 is found by 王, 王小, 小明 and 王小明.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

MAX_WORD = 64
"""A longer run is cut here, in index and query alike; PostgreSQL refuses a word over 2 kB."""
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
    """Text as it is compared: compatibility forms and case made equal."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def key(name: str) -> str:
    """A name as it is compared and sorted: folded, without accents, one space between words."""
    return " ".join(_unaccented(fold(name)).split())


def _unaccented(text: str) -> str:
    # Only the Latin, Greek and Cyrillic accents: a mark in kana or Devanagari makes another letter.
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
    """The run without accents, or as it is where it consists of nothing else."""
    return (_unaccented(run) or run)[:MAX_WORD]


def index_words(*texts: str | None) -> list[str]:
    """The words under which these texts are found, sorted, each once."""
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
    """The words that must all be there, with whether the beginning of a word is enough (not so for CJK)."""
    wanted: dict[tuple[str, bool], None] = {}
    for cjk, run in _runs(text[:MAX_QUERY]):
        if not cjk:
            wanted[_plain(run), True] = None
        elif len(run) == 1:
            wanted[run, False] = None
        else:
            wanted.update(((run[i : i + 2], False), None) for i in range(len(run) - 1))
    return list(wanted)[:MAX_TERMS]


def number_fragment(text: str) -> str | None:
    """The digits to look for in numbers if this is a number or a part of one, of three digits at least.

    Trunk zeros in front are left out, for a number is stored in E.164.
    """
    folded = fold(text[:MAX_QUERY]).strip()
    if not _PHONE.fullmatch(folded):
        return None
    found = digits(folded)
    return (found.lstrip("0") or found) if len(found) >= MIN_DIGITS else None


def digits(text: str) -> str:
    """The ASCII digits of a text."""
    return "".join(c for c in unicodedata.normalize("NFKC", text) if "0" <= c <= "9")
