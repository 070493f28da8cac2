"""Names as trunks and phones send them: bytes in, the name out, and the same bytes back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti_server.wire.text import (
    CACHED,
    ENCODINGS,
    NONE_DECLARED,
    Encodings,
    encoding_of,
    is_plain,
    read_again,
    to_bytes,
    to_text,
)

CODECS = sorted(set(ENCODINGS.values()))

# What is read without anything declared: name, the encoding that it came in.
GUESSED = [
    ("张三", "gbk"),
    ("李四", "gbk"),
    ("刘婷婷", "gbk"),  # two of three are rare Hanzi
    ("佟丽娅", "gbk"),  # a rare surname
    ("中国联通", "gbk"),
    ("张伟（技术部）", "gbk"),  # with Chinese brackets
    ("VIP李总", "gbk"),
    ("李A", "gbk"),
    ("B座前台", "gbk"),  # its last four bytes would be valid UTF-8
    ("Jürgen", "latin-1"),
    ("Schäfer", "latin-1"),  # FreePBX superfecta 203: was shown as "Schfer"
    ("JV Jura Voyages Sàrl", "latin-1"),  # superfecta 290
    ("Conceição", "latin-1"),  # its two accented letters in a row would be a Hanzi
    ("CONCEIÇÃO", "latin-1"),
    ("José Álvarez", "latin-1"),
    ("Åsa Öz", "latin-1"),
    ("O’Neil", "cp1252"),
    ("Café «Zentral»", "cp1252"),
]

# What might be several things stays as it came, and is right as soon as its encoding is declared.
DECLARED = [
    ("Виталий Калинин", "cp1251"),  # python-ami 7; MikoPBX 833: was shown as "?????????"
    ("Иванов", "cp1251"),  # would be four Hanzi
    ("ИВАНОВ", "cp1251"),
    ("Соловьёв", "cp1251"),
    ("Иван Ivanov", "cp1251"),
    ("Пётр", "koi8-r"),  # MikoPBX 845: the letter ё was lost
    ("Γιώργος", "cp1253"),  # superfecta 313
    ("שלום", "cp1255"),
    ("สมชาย", "tis-620"),
    ("王小明", "big5"),
    ("陳美玲", "big5"),
    ("鈴木一郎", "shift_jis"),
    ("田中", "shift_jis"),
    ("冯喆", "gbk"),  # a Hanzi that GB2312 has not
]


@pytest.mark.parametrize(("name", "encoding"), GUESSED)
def test_chinese_and_western_names_are_read_by_themselves(name: str, encoding: str) -> None:
    raw = name.encode(encoding)
    assert to_text(raw) == name
    assert to_text(raw, encoding_of(encoding)) == name
    assert to_bytes(name, encoding_of(encoding)) == raw


@pytest.mark.parametrize(("name", "encoding"), DECLARED)
def test_other_names_are_kept_until_their_encoding_is_declared(name: str, encoding: str) -> None:
    raw = name.encode(encoding)
    kept = to_text(raw)
    assert not is_plain(kept)
    assert to_bytes(kept) == raw
    assert to_text(raw, encoding_of(encoding)) == name
    assert read_again(kept, encoding_of(encoding)) == name


@pytest.mark.parametrize("encoding", ["gb18030", "cp1251", "big5", "utf-8", None])
@pytest.mark.parametrize("name", ["张伟", "Jürgen", "Jörg Müller", "李🙂", "support", "客服A"])
def test_utf_8_is_utf_8_whatever_is_declared(name: str, encoding: str | None) -> None:
    declared = encoding_of(encoding) if encoding else None
    assert to_text(name.encode(), declared) == name


def test_two_byte_letters_only_are_of_a_declared_multi_byte_encoding_if_it_has_them() -> None:
    """The bytes of 莽 in GBK are those of ç in UTF-8. One reading must win, and what is declared is likelier."""
    raw = "莽".encode("gbk")
    assert raw == "ç".encode()
    assert to_text(raw) == "ç"
    assert to_text(raw, "gb18030") == "莽"
    assert to_text(raw, "cp1251") == "ç"


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        # panoramisk 106 and MikoPBX 399: Asterisk cut a long name in the middle of a character
        ("Алексей, K129".encode() + b"\xd0", "Алексей, K129\uefd0"),
        ("张伟".encode() + b"\xe4\xb8", "张伟\uefe4\uefb8"),
        ("重要客户：王小明".encode() + b"\xff!", "重要客户：王小明\uefff!"),
        (b"\xff\xfe", "\uefff\ueffe"),
        (b"\xed\xa0\x80", "\uefed\uefa0\uef80"),  # a surrogate in UTF-8, which no database takes
        (b"a\0b", "a\uef00b"),
        ("\uef80".encode(), "\uefee\uefbe\uef80"),  # would be taken for a kept byte
        ("\uef7f".encode(), "\uef7f"),
        (b"", ""),
    ],
)
def test_what_cannot_be_read_is_kept_byte_by_byte(raw: bytes, text: str) -> None:
    assert to_text(raw) == text
    assert to_bytes(text) == raw


def test_a_long_text_is_read_as_a_short_one_is() -> None:
    names = "张三，" * CACHED
    assert to_text(names.encode("gbk")) == names


@given(st.binary(max_size=40) | st.text(max_size=20).map(lambda t: t.encode("utf-8", "surrogatepass")))
def test_no_byte_is_lost(raw: bytes) -> None:
    text = to_text(raw)
    assert "\ufffd" not in text or b"\xef\xbf\xbd" in raw
    assert raw in (to_bytes(text), to_bytes(text, "gb18030"), to_bytes(text, "cp1252"))
    text.encode()  # both databases take it: no lone surrogate
    assert "\0" not in text


@given(
    st.sampled_from([None, *CODECS]),
    st.lists(st.sampled_from([b"\r", b"\n", b":", b"\\", b'"']) | st.binary(max_size=6), max_size=8),
)
def test_no_encoding_makes_or_swallows_what_ends_a_line_or_a_name(
    declared: str | None, parts: list[bytes]
) -> None:
    raw = b"".join(parts)
    text = to_text(raw, declared)
    for mark in "\r\n:":
        assert text.count(mark) == raw.count(mark.encode())
    assert "\0" not in text
    text.encode()


def test_settings_name_encodings_for_the_pbx_and_for_trunks() -> None:
    assert Encodings.parse("") is NONE_DECLARED
    assert Encodings.parse("GBK").of("PJSIP/x-1") == "gb18030"
    declared = Encodings.parse("PJSIP/carrier-a = Windows-1251, DAHDI=ISO-8859-1,big5")
    assert declared.of("PJSIP/carrier-a-0000001c") == "cp1251"
    assert declared.of("PJSIP/carrier-ab-0000001c") == "cp950"
    assert declared.of("DAHDI/i1/1001-1") == "cp1252"
    assert declared.of(None) == "cp950"
    assert Encodings.parse("PJSIP/a=gbk").of("PJSIP/b-1") is None


@pytest.mark.parametrize(
    "wrong", ["utf-16", "utf-7", "ebcdic", "PJSIP/a=", "=gbk", "gbk,big5", "iso-2022-jp", "hz"]
)
def test_an_encoding_that_could_hide_a_line_end_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="encoding"):
        Encodings.parse(wrong)
