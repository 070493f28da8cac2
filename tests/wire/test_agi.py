"""AGI bytes in, environment and replies out."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cti_server.wire.agi import (
    MAX_COMMAND,
    MAX_LINE,
    AgiDecoder,
    AgiViolation,
    HungUp,
    Reply,
    UnsafeCommand,
    command,
    query_of,
)
from cti_server.wire.text import to_text

ENVIRONMENT = (
    b"agi_network: yes\nagi_network_script: identify?pbx=demo\nagi_uniqueid: demo-1.4\n"
    b'agi_calleridname: Zhang\nagi_accountcode: forged"\nagi_accountcode: \n\n'
)
SESSION = ENVIRONMENT + (
    b"200 result=1 (gold)\n200 result=0\n510 Invalid or unknown command\n"
    b"520-Invalid command syntax.  Proper usage follows:\nUsage: SET VARIABLE\n520 End of proper usage.\n"
    b"HANGUP\n511 Command Not Permitted on a dead channel\n200 result=0 (a (b) c) endpos=480\n"
)


def test_a_session_gives_environment_and_replies() -> None:
    decoder = AgiDecoder()
    replies = decoder.feed(SESSION)

    assert decoder.environment is not None
    assert decoder.environment["agi_uniqueid"] == "demo-1.4"
    assert decoder.environment["agi_accountcode"] == 'forged"'  # the first wins; nobody reads this one
    assert replies[0] == Reply(200, "1", "gold", "result=1 (gold)")
    assert [type(r) for r in replies] == [Reply, Reply, Reply, Reply, HungUp, Reply, Reply]
    assert [r.code for r in replies if isinstance(r, Reply)] == [200, 200, 510, 520, 511, 200]
    last = replies[-1]
    assert isinstance(last, Reply)
    assert last.value == "a (b) c"
    assert last.ok
    assert not Reply(200, "-1", None, "").ok


@given(st.lists(st.integers(0, len(SESSION)), max_size=30))
def test_any_chunking_gives_the_same_replies(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(SESSION)]
    decoder = AgiDecoder()
    replies = [r for a, b in zip(edges, edges[1:], strict=False) for r in decoder.feed(SESSION[a:b])]

    assert replies == AgiDecoder().feed(SESSION)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "no agi_uniqueid"),
        (b"agi_x: " + b"9" * (MAX_LINE + 10), "a line of more than"),
        (b"".join(b"agi_%d: x\n" % i for i in range(300)), "larger than any PBX"),
        (b"junk\n" * 300, "larger than any PBX"),
        (b"".join(b"agi_%d: %s\n" % (i, b"9" * 4000) for i in range(5)), "larger than any PBX"),
        (ENVIRONMENT + b"hello\n", "not an AGI reply"),
        (ENVIRONMENT + b"520-x\n" + b"y\n" * 300, "usage text without end"),
    ],
)
def test_rubbish_is_refused_with_its_reason(data: bytes, why: str) -> None:
    with pytest.raises(AgiViolation, match=why):
        AgiDecoder().feed(data)


GBK_NAME = ENVIRONMENT.replace(b"Zhang", b"\xb7\xeb\x86\xb4").replace(b"\n\n", b"\nagi_channel: DAHDI/7-1\n\n")


def test_the_environment_is_read_by_what_is_declared_for_its_channel() -> None:
    seen: list[str | None] = []

    def declared(environment: Mapping[str, str]) -> str | None:
        seen.append(environment.get("agi_channel"))
        return "gb18030"

    decoder = AgiDecoder(declared)
    assert decoder.feed(GBK_NAME + b"200 result=1 (\xb7\xeb\x86\xb4)\n") == [
        Reply(200, "1", "冯喆", "result=1 (冯喆)")
    ]
    assert decoder.environment is not None
    assert decoder.environment["agi_calleridname"] == "冯喆"
    assert seen == ["DAHDI/7-1"]

    plain = AgiDecoder()
    plain.feed(GBK_NAME)
    assert plain.environment is not None
    assert plain.environment["agi_calleridname"] == to_text(b"\xb7\xeb\x86\xb4") == "\uefb7\uefeb\uef86\uefb4"


@pytest.mark.parametrize(
    ("script", "query"),
    [
        ("identify?pbx=demo&dnis=+8613800138000", {"pbx": "demo", "dnis": "+8613800138000"}),
        ("identify?dnis=%2B8613800138000&pbx=", {"dnis": "+8613800138000", "pbx": ""}),
        ("identify?dnis=400%20800&dnis=1&x", {"dnis": "400 800"}),
        ("identify?name=%D5%C5%C8%FD&a=b=c", {"name": "张三", "a": "b=c"}),
        ("identify", {}),
    ],
)
def test_the_query_of_the_url(script: str, query: dict[str, str]) -> None:
    assert query_of({"agi_network_script": script}) == query
    assert query_of({"agi_request": f"agi://127.0.0.1/{script}", "agi_network_script": "other?a=1"}) == query


def test_a_command_quotes_its_arguments() -> None:
    assert command("ANSWER") == b"ANSWER\n"
    assert command("SET VARIABLE", "CTI_X", 'a "b" \\ c') == b'SET VARIABLE "CTI_X" "a \\"b\\" \\\\ c"\n'
    assert command("SET VARIABLE", "CTI_X", to_text(b"\x95\\")) == b'SET VARIABLE "CTI_X" "\x95\\\\"\n'
    for bad in ("a\nb", "a\rb", "a\0b", to_text(b"a\0b")):
        with pytest.raises(UnsafeCommand):
            command("SET VARIABLE", "CTI_X", bad)
    with pytest.raises(UnsafeCommand, match="Asterisk reads"):
        command("SET VARIABLE", "CTI_X", "9" * MAX_COMMAND)


@pytest.mark.parametrize("cut", [0, 100, MAX_LINE])
def test_a_line_is_too_long_however_it_comes(cut: int) -> None:
    line, decoder = b"agi_x: " + b"9" * MAX_LINE + b"\n", AgiDecoder()
    assert decoder.feed(line[:cut]) == []
    with pytest.raises(AgiViolation, match="a line of more than"):
        decoder.feed(line[cut:])
