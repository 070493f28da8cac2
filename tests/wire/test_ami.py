"""AMI bytes in, messages out."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cti_server.wire.ami import (
    MAX_LINE,
    MAX_MESSAGE,
    AmiDecoder,
    ListEnd,
    Message,
    MissingHeader,
    NotAmi,
    UnsafeText,
    encode,
    messages_in,
)
from cti_server.wire.text import ENCODINGS, Encodings, to_bytes, to_text

BANNER = b"Asterisk Call Manager/11.0.0\r\n"
STREAM = BANNER + (
    b"Response: Success\r\nActionID: 1\r\nMessage: Authentication accepted\r\n\r\n"
    b"Event: FullyBooted\r\nUptime: 0\r\n\r\n"
    b"Event: Newchannel\r\nUniqueid: a.1\r\nCallerIDName: \xe5\xbc\xa0\xe4\xbc\x9f \xf0\x9f\x93\x9e\r\n\r\n"
    b"Event: Odd\r\nno colon here\r\nX:\r\nX: second\r\nY:no space\r\n\r\n"
    b"Event: Bytes\r\nName: \xff\xfe\r\nRaw: a\nb\r\n\r\n"
)


def texts(messages: list[Message]) -> list[tuple[str | None, dict[str, str]]]:
    return [(m.event, m.headers) for m in messages]


def test_a_stream_gives_its_messages() -> None:
    decoder = AmiDecoder()
    messages = decoder.feed(STREAM)

    assert decoder.version == "11.0.0"
    assert [m.event for m in messages] == [None, "FullyBooted", "Newchannel", "Odd", "Bytes"]
    assert messages[0]["Message"] == "Authentication accepted"
    assert messages[2]["CallerIDName"] == "张伟 📞"
    assert messages[4]["Name"] == "\uefff\ueffe"
    assert messages[4]["Raw"] == "a\nb"


def test_the_first_of_two_headers_counts_and_a_line_without_colon_is_counted() -> None:
    odd = AmiDecoder().feed(STREAM)[3]

    assert odd.headers == {"Event": "Odd", "X": "", "Y": "no space"}
    assert odd.duplicates == ("X",)
    assert odd.malformed == 1
    assert odd.all("X") == ["", "second"]


def test_a_missing_header_is_an_error_or_none_never_empty() -> None:
    message = Message(b"Event: Hold\r\nUniqueid: a.1")

    assert message.get("Linkedid") is None
    with pytest.raises(MissingHeader, match="Hold without header Linkedid"):
        message["Linkedid"]


LINES = st.lists(st.sampled_from([b"X", b"X: ", b"X:", b"XX: ", b":X: ", b"Y: X: ", b"", b" X: "]), max_size=6)


@given(LINES, st.lists(st.binary(max_size=8), min_size=6, max_size=6))
def test_one_header_is_read_as_if_all_were_parsed(starts: list[bytes], values: list[bytes]) -> None:
    lines = [b"Event: Odd", *(a + b for a, b in zip(starts, values, strict=False))]
    parsed: dict[str, str] = {}
    for line in b"\r\n".join(lines).split(b"\r\n"):
        name, colon, value = line.partition(b":")
        if colon and to_text(name) not in parsed:
            parsed[to_text(name)] = to_text(value).removeprefix(" ")

    for name in ("Event", "X", "XX", "Y", " X", "Z"):
        message = Message(b"\r\n".join(lines))
        assert message.get(name) == parsed.get(name)
        assert message.headers == parsed
        if name in parsed:
            assert message[name] == parsed[name]


def test_names_that_are_not_utf_8_are_read_value_by_value() -> None:
    message = Message(
        b"Event: Newchannel\r\nChannel: PJSIP/carrier-a-0000001c\r\nCallerIDName: \xd5\xc5\xc8\xfd\r\n"
        b"ConnectedLineName: J\xfcrgen\r\nQueue: \xe5\xae\xa2\xe6\x9c\x8d\r\nExten: 400"
    )
    assert message["CallerIDName"] == "张三"
    assert message["ConnectedLineName"] == "Jürgen"
    assert message["Queue"] == "客服"  # UTF-8 beside them
    assert message["Exten"] == "400"


@pytest.mark.parametrize(
    ("declared", "name"),
    [
        ("", "\uefc8\uefe2\uefe0\uefed\uefee\uefe2"),
        ("cp1251", "Иванов"),
        ("PJSIP/carrier-a=cp1251,gbk", "Иванов"),
        ("PJSIP=cp1251,gbk", "Иванов"),
        ("PJSIP/carrier=cp1251,gbk", "肉囗钼"),
        ("PJSIP/carrier-ab=cp1251", "\uefc8\uefe2\uefe0\uefed\uefee\uefe2"),
    ],
)
def test_the_encoding_is_that_of_the_trunk_else_of_the_pbx(declared: str, name: str) -> None:
    decoder = AmiDecoder(Encodings.parse(declared))
    (message,) = decoder.feed(
        BANNER + b"Event: Newchannel\r\nChannel: PJSIP/carrier-a-0000001c\r\nCallerIDName: "
        b"\xc8\xe2\xe0\xed\xee\xe2\r\nMemberName: \xe5\xbc\xa0\xe4\xbc\x9f\r\n\r\n"
    )
    assert message["CallerIDName"] == name
    assert message["MemberName"] == "张伟"


@given(
    st.sampled_from(["", *ENCODINGS]),
    st.binary(max_size=12),
    st.sampled_from([b"", b"\r", b"\n"]),
)
def test_no_name_forges_a_header_whatever_is_declared(declared: str, name: bytes, end: bytes) -> None:
    """A lead byte before the line's end must not swallow it, nor a name bring one along."""
    assume(b"\r\n" not in name + end)
    block = b"Event: E\r\nCallerIDName: " + name + end + b"\x95" + b"\r\nUniqueid: a.1\r\nLinkedid: a.2"
    message = messages_in(Encodings.parse(declared))(block)
    assert list(message.headers) == ["Event", "CallerIDName", "Uniqueid", "Linkedid"]
    assert (message["Uniqueid"], message["Linkedid"], message.malformed) == ("a.1", "a.2", 0)


@pytest.mark.parametrize("raw", [b"a\0b", "a\uef80b".encode(), b"\xff", "王".encode(), "\U0010ffff".encode()])
def test_every_name_is_one_that_can_be_stored_and_had_back(raw: bytes) -> None:
    name = Message(b"Event: E\r\nCallerIDName: " + raw)["CallerIDName"]
    assert "\0" not in name
    assert to_bytes(name) == raw


def test_lines_without_colon_are_counted_only_where_a_header_was_read() -> None:
    message = Message(b"Event: Odd\r\nno colon\r\nX: 1")
    assert message.malformed == 0

    assert message["X"] == "1"
    assert message.malformed == 1


@given(st.lists(st.integers(0, len(STREAM)), max_size=30))
def test_any_chunking_gives_the_same_messages(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(STREAM)]
    decoder = AmiDecoder()
    messages = [m for a, b in zip(edges, edges[1:], strict=False) for m in decoder.feed(STREAM[a:b])]

    assert texts(messages) == texts(AmiDecoder().feed(STREAM))


@given(st.binary(max_size=400), st.integers(1, 7))
def test_no_bytes_crash_it_and_chunking_never_matters(garbage: bytes, step: int) -> None:
    data = BANNER + garbage + b"\r\n\r\nEvent: Sentinel\r\n\r\n"
    whole = AmiDecoder().feed(data)
    decoder = AmiDecoder()
    pieces = [m for i in range(0, len(data), step) for m in decoder.feed(data[i : i + step])]

    assert texts(pieces) == texts(whole)
    assert whole[-1].event == "Sentinel"


@pytest.mark.parametrize("step", [1024, 65536, MAX_MESSAGE * 2])
def test_an_oversize_message_is_skipped_and_the_stream_goes_on(step: int) -> None:
    data = BANNER + b"Event: Big\r\nX: " + b"9" * (MAX_MESSAGE + 70_000) + b"\r\n\r\nEvent: Next\r\n\r\n"
    decoder = AmiDecoder()
    events = [m.event for i in range(0, len(data), step) for m in decoder.feed(data[i : i + step])]

    assert (events, decoder.oversize) == (["Next"], 1)


@pytest.mark.parametrize("version", ["11.0.0", "9.0.0", "2.8.0", "1.1", ""])
def test_the_banner_gives_the_version(version: str) -> None:
    decoder = AmiDecoder()
    decoder.feed(f"Asterisk Call Manager/{version}\r\n".encode())
    assert decoder.version == version


def test_an_extra_line_end_between_messages_is_skipped() -> None:
    events = AmiDecoder().feed(
        BANNER + b"\r\n\r\nEvent: A\r\nX: 1\r\n\r\n\r\nEvent: B\r\n\r\n\r\n\r\nEvent: C\r\n\r\n"
    )
    assert [m.event for m in events] == ["A", "B", "C"]


@pytest.mark.parametrize(
    "banner",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"Asterisk Call Manager/9.0.0\n",
        b"Asterisk Call Manager/9.0.0\nX: y\r\n",
        b"Asterisk Call Manager Proxy/1.21\r\n",
        b"\xd5\xc5\r\n",
    ],
)
def test_a_port_that_is_not_the_manager_says_so(banner: bytes) -> None:
    with pytest.raises(NotAmi, match="is this the manager port"):
        AmiDecoder().feed(banner)
    with pytest.raises(NotAmi):
        AmiDecoder().feed(b"x" * (MAX_LINE + 1))
    with pytest.raises(NotAmi):  # however it comes
        AmiDecoder().feed(b"Asterisk Call Manager/" + b"9" * MAX_LINE + b"\r\n")


def test_an_action_is_encoded_and_cannot_be_forged() -> None:
    assert encode([("Action", "Ping"), ("ActionID", "7")]) == b"Action: Ping\r\nActionID: 7\r\n\r\n"
    for bad in ("x\r\nAction: Hangup", "x\nAction: Hangup", "x\0"):
        with pytest.raises(UnsafeText):
            encode([("Action", "Setvar"), ("Value", bad)])
    with pytest.raises(UnsafeText, match="Asterisk reads 1024"):
        encode([("Value", "9" * MAX_LINE)])
    with pytest.raises(UnsafeText, match="129 headers"):
        encode([("Variable", "a=b")] * 129)


def test_a_name_that_was_kept_goes_back_as_the_bytes_that_it_was() -> None:
    raw = b"\xa4\xfd\xa4p\xa9\xfa"  # Big5, which nothing declares
    assert encode([("Queue", to_text(raw))]) == b"Queue: " + raw + b"\r\n\r\n"
    for kept in ("\uef00", "a\uef0d\uef0aAction: Hangup"):
        try:
            wire = encode([("Queue", kept)])
        except UnsafeText:
            continue
        assert wire.count(b"\r\n") == 2  # U+EF0D is no byte of ours
    with pytest.raises(UnsafeText):
        encode([("Queue", to_text(b"a\0b"))])


def test_a_list_end_says_how_many_rows_it_claims() -> None:
    end = Message(b"Event: StatusComplete\r\nEventList: Complete\r\nListItems: 12")
    broken = Message(b"Event: StatusComplete\r\nEventList: Complete\r\nListItems: many")

    assert ListEnd.of(end) == ListEnd(12)
    assert ListEnd.of(broken) == ListEnd(-1)
    assert ListEnd.of(Message(b"Event: Status\r\nUniqueid: a.1")) is None
