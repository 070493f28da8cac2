"""Text as a PBX sends it: bytes to characters, and back to the same bytes, whatever encoding they are in.

AMI and AGI name no encoding. Asterisk's own files are UTF-8 as a rule, but a caller's name is in whatever the
carrier, a phone or a contact database wrote: GBK, Latin-1, Windows-1251. So UTF-8 is read as such. What is not
UTF-8 is read by the encoding declared for its PBX or trunk. Without one it is guessed; where a guess might be
wrong, each byte becomes one private-use character, of which `to_bytes` makes the byte again.

No CR, LF, NUL or colon comes out that was not in the bytes: each codec here leaves ASCII alone.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

#: the private-use characters of bytes: U+EF80 to U+EFFF for 0x80 to 0xFF, U+EF00 for NUL (PostgreSQL refuses it)
KEPT: Final = 0xEF00

#: The codecs of what may be declared: encodings that contain ASCII and have no shift states. A name stands for
#: what is meant by it in practice, as in browsers: GB2312 for its superset, Latin-1 for the Windows code page.
ENCODINGS: Final = {
    "utf-8": "utf-8",
    **dict.fromkeys(("gb18030", "gbk", "gb2312", "cp936"), "gb18030"),
    **dict.fromkeys(("big5", "cp950"), "cp950"),
    "big5-hkscs": "big5hkscs",
    **dict.fromkeys(("shift-jis", "sjis", "windows-31j", "cp932"), "cp932"),
    "euc-jp": "euc-jp",
    **dict.fromkeys(("euc-kr", "uhc", "cp949"), "cp949"),
    **dict.fromkeys(("windows-1252", "cp1252", "iso-8859-1", "latin-1", "latin1"), "cp1252"),
    **{f"windows-125{n}": f"cp125{n}" for n in range(9) if n != 2},
    **{f"cp125{n}": f"cp125{n}" for n in range(9) if n != 2},
    **{f"iso-8859-{n}": f"iso8859-{n}" for n in (2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 15, 16)},
    "koi8-r": "koi8-r",
    "koi8-u": "koi8-u",
    "tis-620": "cp874",
    "windows-874": "cp874",
    "macintosh": "mac-roman",
    "cp437": "cp437",
    "cp850": "cp850",
    "cp852": "cp852",
    "cp866": "cp866",
}


def _key(name: str) -> str:
    """An encoding's name without what is written in several ways: `Shift_JIS`, `shift-jis`."""
    return re.sub(r"[-_ ]", "", name.casefold())


_CODECS: Final = {_key(name): codec for name, codec in ENCODINGS.items()}
CACHED: Final = 256  # bytes; a longer text is read anew each time
_MULTIBYTE: Final = frozenset({"gb18030", "cp950", "big5hkscs", "cp932", "euc-jp", "cp949"})

_RESERVED: Final = re.compile(r"[\uef00\uef80-\uefff\x00]")
# Python's own way of keeping an undecodable byte, U+DC80 to U+DCFF, is no text that a database or UTF-8 takes. It
# serves in between, because every codec knows it.
_KEEP: Final = {0xDC00 + byte: KEPT + byte for byte in range(0x80, 0x100)}
_GIVE_BACK: Final = {KEPT: 0, **{kept: escape for escape, kept in _KEEP.items()}}
_HIGH: Final = re.compile(rb"[\x80-\xff]+")

# Hanzi of GB2312: level 1 is the 3,755 in common use, level 2 the 3,008 others. Rows A1 and A3 are punctuation.
_LEVEL_1: Final = re.compile(rb"[\xb0-\xd6][\xa1-\xfe]|\xd7[\xa1-\xf9]")
_CHINESE: Final = re.compile(rb"(?:[\xb0-\xd6\xd8-\xf7\xa1\xa3][\xa1-\xfe]|\xd7[\xa1-\xf9])+")
# A word of Windows-1251 or -1253: capitals only, or small letters after at most one capital. The same bytes can be
# Hanzi, but Chinese names seldom look like this.
_CYRILLIC_OR_GREEK: Final = re.compile(rb"[\xa8\xc0-\xdf]+|[\xa8\xc0-\xdf]?[\xb8\xdc-\xff]*")
# Surnames that are level 2 Hanzi; all others are level 1.
_SURNAMES: Final = frozenset(
    hanzi.encode("gb2312")
    for hanzi in "佟闫覃褚晏芮滕邬仝亓郄郗鄢鄂缪隗阚谌谯闵佘冼岑嵇邝邸邰邴郜郏璩戢笪竺逄蒯蔺訾"
)
_WORD: Final = re.compile(r"[^\W\d_]+")
_MARKS: Final = frozenset("\xa0¡¿§©®°²³´·ªº«»€‚„…‘’“”•–—™")


def encoding_of(name: str) -> str:
    """The codec of an encoding that may be declared. Raises ValueError, which lists them."""
    found = _CODECS.get(_key(name))
    if found is None:
        raise ValueError(
            f"{name.strip()!r} is no encoding that can be declared; these are: {', '.join(ENCODINGS)}"
        )
    return found


@dataclass(frozen=True, slots=True)
class Encodings:
    """The codecs declared for one PBX: for all its text, and for trunks (`PJSIP/carrier-a`, or all of `DAHDI`)."""

    everywhere: str | None = None
    trunks: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, text: str) -> Encodings:
        """Read a setting: `gb18030`, or `PJSIP/carrier-a=cp1251`, or several with commas. Raises ValueError."""
        everywhere: str | None = None
        trunks: dict[str, str] = {}
        for part in filter(None, map(str.strip, text.split(","))):
            trunk, equals, name = part.rpartition("=")
            if equals and trunk.strip():
                trunks[trunk.strip()] = encoding_of(name)
            elif equals or everywhere is not None:
                raise ValueError(f"{text!r} should be an encoding, or TRUNK=ENCODING, with commas between several")
            else:
                everywhere = encoding_of(part)
        return cls(everywhere, tuple(trunks.items())) if everywhere or trunks else NONE_DECLARED

    def of(self, channel: str | None) -> str | None:
        """The codec declared for what this channel carries; None where nothing is declared."""
        if channel is not None:
            device = channel.rpartition("-")[
                0
            ]  # PJSIP/carrier-a-0000001c, DAHDI/i1/1001-1, Local/1001@from-queue-1;2
            for trunk, encoding in self.trunks:
                if device == trunk or device.startswith(f"{trunk}/"):
                    return encoding
        return self.everywhere


NONE_DECLARED: Final = Encodings()


def to_text(raw: bytes, declared: str | None = None) -> str:
    """The text of `raw`, for which `declared` is a codec of ENCODINGS. Never raises, and loses no byte.

    What is valid UTF-8 is UTF-8, also where something else is declared, because the PBX's own files are. One
    exception: where a multi-byte encoding is declared, a name made of two-byte characters only is in that.
    """
    if raw.isascii():
        return raw.decode().replace("\0", chr(KEPT))
    return _cached(raw, declared) if len(raw) <= CACHED else _read(raw, declared)


def to_bytes(text: str, codec: str = "utf-8") -> bytes:
    """The bytes of a text: what `to_text` kept as it was, and the rest in `codec`. Never raises.

    `to_bytes(to_text(raw))` is `raw` where that was UTF-8 or could not be read; where it was read by a declared
    codec, or by a guess (`gb18030`, `cp1252`), that codec gives it back; of the few characters that have two codes
    in `cp932`, `cp950` and `big5hkscs`, one that may be the other.
    """
    if not text.isascii():
        text = text.translate(_GIVE_BACK)
    try:
        return text.encode(codec, "surrogateescape")
    except UnicodeEncodeError:  # a surrogate that no byte made, or a character that the codec lacks
        return b"".join(
            ch.encode("utf-8", "surrogateescape" if "\udc80" <= ch <= "\udcff" else "replace") for ch in text
        )


def read_again(text: str, declared: str | None) -> str:
    """The text as `to_text` reads it, where its sender could only keep the bytes that are not UTF-8."""
    return text if is_plain(text) else to_text(to_bytes(text), declared)


def is_plain(text: str) -> bool:
    """Whether no character of the text stands for a byte, or would be taken to."""
    return _RESERVED.search(text) is None


@lru_cache(maxsize=4096)  # the same names and queues come with each event of a call
def _cached(raw: bytes, declared: str | None) -> str:
    return _read(raw, declared)


def _read(raw: bytes, declared: str | None) -> str:
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        if declared is not None:
            return _decode(raw, declared)
        if (guessed := _guess(raw)) is not None:
            return _escaped(guessed)
        return _decode(raw, "utf-8" if _mostly_utf8(raw) else "ascii")
    if declared in _MULTIBYTE and max(raw) < 0xE0 and not _glued(raw):
        with suppress(UnicodeDecodeError):
            text = raw.decode(declared)
    return _escaped(text)


def _decode(raw: bytes, codec: str) -> str:
    """The text in this codec; a byte that it cannot read is kept, and what is around it is read all the same."""
    return _escaped(raw.decode(codec, "surrogateescape")).translate(_KEEP)


def _escaped(text: str) -> str:
    """The text without characters that would be taken for kept bytes: each becomes the bytes of its UTF-8."""
    return _RESERVED.sub(lambda found: "".join(chr(KEPT + byte) for byte in found[0].encode()), text)


# --- without a declared encoding -------------------------------------------------------------------------


def _mostly_utf8(raw: bytes) -> bool:
    """Whether it is UTF-8 but for a few bytes. Asterisk cuts a long name in the middle of a character."""
    text = raw.decode("utf-8", "surrogateescape")
    wrong = sum("\udc80" <= ch <= "\udcff" for ch in text)
    right = sum(byte > 0x7F for byte in raw) - wrong
    end = text.rstrip("".join(map(chr, _KEEP)))
    was_cut = len(text) - len(end) == wrong and raw[-wrong] >= 0xC2
    return right > (wrong if was_cut else 3 * wrong)


def _guess(raw: bytes) -> str | None:
    """Chinese in GB2312, or a Western European language in Windows-1252; None where it may be anything."""
    if max(raw) >= 0xE0 and _mostly_utf8(raw):
        return None
    if _glued(raw) and (western := _western(raw)):
        return western
    return _chinese(raw) or _western(raw)


def _glued(raw: bytes) -> bool:
    """Whether two high bytes stand alone beside a Latin letter: in `Conceição` they would be a Hanzi."""
    return any(len(run) == 2 and glued for run, glued in _runs(raw))


def _runs(raw: bytes) -> list[tuple[bytes, bool]]:
    """The runs of high bytes, and of each whether a Latin letter or a digit is beside it."""
    return [
        (found[0], raw[: found.start()][-1:].isalnum() or raw[found.end() :][:1].isalnum())
        for found in _HIGH.finditer(raw)
    ]


def _chinese(raw: bytes) -> str | None:
    runs = _runs(raw)
    if not all(_CHINESE.fullmatch(run) for run, _ in runs):
        return None
    if all(_CYRILLIC_OR_GREEK.fullmatch(run) and not glued for run, glued in runs):
        return None
    hanzi = [run[at : at + 2] for run, _ in runs for at in range(0, len(run), 2) if run[at] >= 0xB0]
    common = [_LEVEL_1.fullmatch(pair) is not None for pair in hanzi]
    if sum(common) * 3 < len(hanzi) or not (any(common[:1]) or _SURNAMES.intersection(hanzi[:1])):
        return None
    return raw.decode("gb18030")


def _western(raw: bytes) -> str | None:
    try:
        text = raw.decode("cp1252")
    except UnicodeDecodeError:
        return None
    letters = sum(ch.isalpha() and ch.isascii() for ch in text)
    marks = sum(ch in _MARKS for ch in text)
    high = [ch for ch in text if not (ch.isascii() or ch in _MARKS)]
    if not all(map(str.isalpha, high)) or len(high) > letters or marks * 3 > letters or _case_is_odd(text):
        return None
    # A word of accented letters alone is no Western one, but for `à` or `É.`
    words = [(len(word), sum(ch > "\x7f" for ch in word)) for word in _WORD.findall(text)]
    return text if all(accented * 2 <= length or length == 1 for length, accented in words) else None


def _case_is_odd(text: str) -> bool:
    """Whether other letters read as Western ones show by their case: `JÃ¼`, `VIPÀî`."""
    for before, at, after in zip(" " + text, text, text[1:] + " ", strict=False):
        if at > "\x7f" and at.isupper() and before.islower():
            return True
        if after > "\x7f" and after.islower() and at.isupper() and before.isupper():
            return True
    return False
