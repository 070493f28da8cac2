"""Which encoding a CSV file is in, where it is neither UTF-8 nor marked. What is not certain is asked.

Customers under wrong names are worse than a question. charset-normalizer says which encodings the bytes can be in,
`letters` how well they read as names in each; unless one is far ahead of all others, the file is refused.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

from charset_normalizer import from_bytes

from cti_server.imports.columns import WrongFile
from cti_server.imports.headings import is_column
from cti_server.imports.layout import HEAD_ROWS
from cti_server.imports.letters import (
    BALTIC,
    CENTRAL,
    KANA,
    PINYIN,
    TURKISH,
    VIETNAMESE,
    WESTERN,
    evidence,
)
from cti_server.wire.text import ENCODINGS, encoding_of

CHUNK: Final = 1 << 20
MAX_WORDS: Final = 20_000  # different words with other than ASCII letters; more would not tell more
# The share of chaos up to which a reading stays in question. By default it is 0.2, which now and then excludes the
# true reading of a few short names, and a wrong one is left.
CHAOS: Final = 0.6
ENOUGH: Final = 2.0  # the least evidence that a file is taken by
USUAL: Final = 5.0  # the evidence that lies in the region
BEYOND_DOUBT: Final = 7.0  # by how much the best reading surpasses the next: it is a thousand times likelier
ASK: Final = "Say which it is with --encoding, or save the file as CSV UTF-8."

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, with whose mark it begins
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WIDE: Final = ("utf-16", "utf-16-le", "utf-16-be", "utf-32")
#: what spreadsheets save as "CSV" and databases export: by codec, the letters of its languages beside ASCII
_CANDIDATES: Final = {
    "gb18030": PINYIN,
    "cp950": (),
    "big5hkscs": (),
    "cp932": KANA,
    "euc_jp": KANA,
    "cp949": (),
    "cp1252": WESTERN,
    "cp1250": CENTRAL,
    "cp1251": (),
    "cp1253": (),
    "cp1254": TURKISH,
    "cp1255": (),
    "cp1256": WESTERN,
    "cp1257": BALTIC,
    "cp1258": VIETNAMESE,
    "cp874": (),
    "koi8_r": (),
    "iso8859_2": CENTRAL,
    "iso8859_5": (),
    "mac_roman": WESTERN,  # Excel for Macintosh
    "mac_cyrillic": (),
    "cp850": WESTERN,  # "CSV (MS-DOS)"
    "cp852": CENTRAL,
    "cp866": (),
}
#: what people of a region save, where it is not what Western Europe does
_USUAL: Final = {
    **dict.fromkeys(("CN", "SG"), "gb18030"),
    **dict.fromkeys(("TW", "HK", "MO"), "cp950"),
    "JP": "cp932",
    "KR": "cp949",
    **dict.fromkeys(("RU", "BY", "UA", "BG", "RS", "MK", "KZ", "KG", "MN"), "cp1251"),
    **dict.fromkeys(("PL", "CZ", "SK", "HU", "RO", "HR", "SI", "BA"), "cp1250"),
    **dict.fromkeys(("GR", "CY"), "cp1253"),
    "TR": "cp1254",
    "IL": "cp1255",
    **dict.fromkeys(("EG", "SA", "AE", "IQ", "JO", "KW", "LB", "OM", "QA", "SY", "YE"), "cp1256"),
    **dict.fromkeys(("LT", "LV", "EE"), "cp1257"),
    "VN": "cp1258",
    "TH": "cp874",
}
# A word: what stands between separators and spaces. None of these is the second byte of any encoding's character.
_WORD: Final = re.compile(rb'[^\x00-\x20",;]*[\x80-\xff][^\x00-\x20",;]*')


def declared(name: str, start: bytes, encoding: str) -> str:
    """The codec of the encoding that a person says a file is in. Raises WrongFile where it cannot be that.

    `name` is the file's, and `start` its first bytes.
    """
    asked = re.sub(r"[-_ ]|sig$", "", encoding.casefold())
    try:
        codec = {name.replace("-", ""): name for name in _WIDE}.get(asked) or encoding_of(asked)
    except ValueError:
        known = ", ".join([*ENCODINGS, *_WIDE])
        raise WrongFile(f"{encoding!r} is no encoding that is known here. These are: {known}") from None
    mark = _marked(start)
    if mark is not None and not mark.startswith(codec.removesuffix("-le").removesuffix("-be")):
        raise WrongFile(
            f"{name} begins with the mark of {mark.removesuffix('-sig').upper()}, so it is not {encoding}"
        )
    return mark or codec


def _marked(start: bytes) -> str | None:
    """The codec that a byte order mark names."""
    return next((codec for mark, codec in _BOMS if start.startswith(mark)), None)


def detect(path: Path, region: str) -> str:
    """The codec of a file, by its mark or its bytes. Raises WrongFile where it cannot be told.

    What is usual in `region` counts as evidence, but does not decide alone.
    """
    with path.open("rb") as file:
        start = file.read(4096)
        if (codec := _marked(start) or _unmarked_utf16(start)) is not None:
            return codec
        if b"\0" in start:
            raise WrongFile(f"{path.name}: the header is not readable; is it a CSV or XLSX file?")
        file.seek(0)
        utf8, words = _examine(file)
    if utf8:
        return "utf-8"
    return _by_headings(start.splitlines()[:HEAD_ROWS]) or _likeliest(
        path.name, sorted(words), _USUAL.get(region, "cp1252")
    )


def _unmarked_utf16(start: bytes) -> str | None:
    """UTF-16 without its mark, known by a column of its header."""
    if b"\0" in start:
        for codec in ("utf-16-le", "utf-16-be"):
            text = start[: len(start) & ~1].decode(codec, "replace")
            if any(_has_column(line) for line in text.split("\n")[:HEAD_ROWS]):
                return codec
    return None


def _examine(file: BinaryIO) -> tuple[bool, set[bytes]]:
    """(whether the file is UTF-8, words of it with other than ASCII letters)."""
    utf8 = codecs.getincrementaldecoder("utf-8")("replace")
    words: set[bytes] = set()
    beyond_ascii = wrong = 0
    rest = b""
    for chunk in iter(lambda: file.read(CHUNK), b""):
        if chunk.isascii() and not utf8.getstate()[0] and not rest:
            continue
        decoded = utf8.decode(chunk)
        wrong += decoded.count("\ufffd")
        beyond_ascii += sum(1 for c in decoded if c > "\x7f")
        lines, newline, after = (rest + chunk).rpartition(b"\n")
        rest = after if newline else rest + chunk
        words.update(_some(lines, MAX_WORDS - len(words)))
    words.update(_some(rest, MAX_WORDS - len(words)))
    # A UTF-8 file with a damaged byte here or there is still UTF-8: in any other encoding all names are rubbish.
    return wrong * 10 <= beyond_ascii, words


def _some(text: bytes, most: int) -> Iterator[bytes]:
    for _, found in zip(range(most), _WORD.finditer(text), strict=False):
        yield found[0]


def _by_headings(lines: list[bytes]) -> str | None:
    """The encoding in which columns have names in other than ASCII letters: nothing is surer. Titles may stand
    above them; below the first line there have to be two such columns, because one may be somebody's name."""
    for codec in _CANDIDATES:
        for at, line in enumerate(lines):
            with suppress(UnicodeDecodeError):
                named = [cell for cell in _cells(line.decode(codec)) if not cell.isascii() and is_column(cell)]
                if len(named) > (at > 0):
                    return codec
    return None


def _has_column(line: str) -> bool:
    return any(map(is_column, _cells(line)))


def _cells(line: str) -> list[str]:
    return [cell.strip('" \r') for cell in re.split(r"[,;\t|]", line)]


def _likeliest(name: str, words: list[bytes], usual: str) -> str:
    """The encoding in which the words are names, where that is beyond doubt. Raises WrongFile."""
    sample = b"\n".join(words)
    found = from_bytes(sample, cp_isolation=list(_CANDIDATES), threshold=CHAOS, preemptive_behaviour=False)
    possible = {codec for match in found for codec in match.could_be_from_charset}
    readings: dict[str, tuple[float, str]] = {}  # by what is read: the evidence, and the codec
    for codec, alphabets in _CANDIDATES.items():
        with suppress(UnicodeDecodeError):
            if codec in possible:
                text = unicodedata.normalize("NFC", sample.decode(codec))
                score = evidence(text, alphabets) + (USUAL if codec == usual else 0)
                if text not in readings or score > readings[text][0]:
                    readings[text] = (score, codec)
    ranked = sorted(readings.items(), key=lambda reading: -reading[1][0])
    if not ranked or ranked[0][1][0] < ENOUGH:
        raise WrongFile(f"{name} is not UTF-8, and not clearly anything else. {ASK}")
    _, (best, codec) = ranked[0]
    rivals = {text: codec for text, (score, codec) in ranked if score > best - BEYOND_DOUBT}
    if len(rivals) > 1:
        raise WrongFile(f"{name} is not UTF-8, and may be several others: {_differences(rivals)}. {ASK}")
    return codec


def _differences(readings: dict[str, str]) -> str:
    """The first word that they read differently: `'Núñez' in windows-1252, 'Núńez' in windows-1250`."""
    differing = next(words for words in zip(*map(str.split, readings), strict=True) if len(set(words)) > 1)
    usual = {codec.replace("-", "_"): name for name, codec in reversed(ENCODINGS.items())}
    codecs_ = readings.values()
    return ", ".join(
        f"{word!r} in {usual.get(codec, codec)}" for word, codec in zip(differing, codecs_, strict=True)
    )
