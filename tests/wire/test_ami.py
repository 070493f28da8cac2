"""AMI bytes in, messages out."""

from __future__ import annotations

import pytest
from hypothesis import given
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
)

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
    assert messages[4]["Name"] == "\ufffd\ufffd"
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
    for line in b"\r\n".join(lines).decode("utf-8", "replace").split("\r\n"):
        name, colon, value = line.partition(":")
        if colon and name not in parsed:
            parsed[name] = value.removeprefix(" ")

    for name in ("Event", "X", "XX", "Y", " X", "Z"):
        message = Message(b"\r\n".join(lines))
        assert message.get(name) == parsed.get(name)
        assert message.headers == parsed
        if name in parsed:
            assert message[name] == parsed[name]


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

    assert events[-1] == "Next"
    if step < MAX_MESSAGE:
        assert (events, decoder.oversize) == (["Next"], 1)


def test_a_port_that_is_not_the_manager_says_so() -> None:
    with pytest.raises(NotAmi, match="is this the manager port"):
        AmiDecoder().feed(b"SSH-2.0-OpenSSH_9.2\r\n")
    with pytest.raises(NotAmi):
        AmiDecoder().feed(b"x" * (MAX_LINE + 1))


def test_an_action_is_encoded_and_cannot_be_forged() -> None:
    assert encode([("Action", "Ping"), ("ActionID", "7")]) == b"Action: Ping\r\nActionID: 7\r\n\r\n"
    for bad in ("x\r\nAction: Hangup", "x\nAction: Hangup", "x\0"):
        with pytest.raises(UnsafeText):
            encode([("Action", "Setvar"), ("Value", bad)])
    with pytest.raises(UnsafeText, match="Asterisk reads 1024"):
        encode([("Value", "9" * MAX_LINE)])
    with pytest.raises(UnsafeText, match="129 headers"):
        encode([("Variable", "a=b")] * 129)


def test_a_list_end_says_how_many_rows_it_claims() -> None:
    end = Message(b"Event: StatusComplete\r\nEventList: Complete\r\nListItems: 12")
    broken = Message(b"Event: StatusComplete\r\nEventList: Complete\r\nListItems: many")

    assert ListEnd.of(end) == ListEnd(12)
    assert ListEnd.of(broken) == ListEnd(-1)
    assert ListEnd.of(Message(b"Event: Status\r\nUniqueid: a.1")) is None
