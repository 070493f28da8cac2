"""The bytes that a run begins with: messages of a real Asterisk from `tests/transcripts`, sessions, and names."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

TRANSCRIPTS = Path(__file__).parents[1] / "transcripts"
#: what mutations put in: ends of lines and of messages, names of headers, and bytes that encodings disagree about
TOKENS = (
    b"\r\n", b"\r\n\r\n", b"\n", b"\r", b"\0", b":", b": ", b'"', b"\\", b"Event: ", b"Response: Success",
    b"ActionID: ", b"Channel: DAHDI/7-1", b"EventList: Complete", b"ListItems: ", b"agi_uniqueid: a.1\n", b"agi_",
    b"HANGUP\n", b"200 result=1 (x) endpos=9\n", b"520-Usage\n", b"520 End\n", b"511 Gone\n", b"?pbx=a&x=%0a",
    b"\xee\xbe\x80", b"\xee\xbc\x80", b"\xc0\xee\xc7\xbf", b"Jos\xe9", b"\xc8\xe2\xe0\xed\xee\xe2", b"\xf0\x9f",
    b"\x81\x30\x81\x30", b"\xff" * 9, b"9" * 1100, b"x" * 9000,
)  # fmt: skip
ENVIRONMENT = (
    b"agi_network: yes\nagi_network_script: identify?pbx=demo&secret=%2B86138&x=1\n"
    b"agi_request: agi://h/identify?pbx=demo\nagi_channel: PJSIP/cti-trunk-0000001c\nagi_language: en\n"
    b"agi_uniqueid: demo-1795323611.4\nagi_callerid: 13800138000\nagi_calleridname: \xc0\xee\n\n"
    b"200 result=1\n200 result=1 (value)\n520-Invalid\n520-Usage: SET VARIABLE\n520 End of usage\nHANGUP\n"
)


def seeds(most: int = 400) -> list[bytes]:
    """Inputs of a few hundred bytes to a few kilobytes, the same in each run."""
    found: list[bytes] = [
        b"\x02\x07" + ENVIRONMENT,
        b"\x00\x07" + ENVIRONMENT,
        *(b"\x00\x03" + one for one in TOKENS),
    ]
    pick = random.Random(7)
    for path in sorted(TRANSCRIPTS.glob("*.ami")):
        messages = path.read_bytes().split(b"\r\n\r\n")
        at = pick.randrange(max(1, len(messages) - 4))
        found.append(bytes([pick.randrange(256), 40]) + b"\r\n\r\n".join(messages[at : at + 3]) + b"\r\n\r\n")
    return found[:most]


def mutated(seeds: list[bytes], executions: int, seed: int) -> Iterator[bytes]:
    """So many inputs made from these by cutting, joining and overwriting. The same seed gives the same inputs."""
    pick = random.Random(seed)
    for _ in range(executions):
        data = bytearray(pick.choice(seeds))
        for _ in range(pick.randint(1, 6)):
            at = pick.randrange(len(data) + 1)
            match pick.randrange(5):
                case 0:
                    data[at:at] = pick.choice(TOKENS)
                case 1:
                    del data[at : at + pick.randint(1, 40)]
                case 2:
                    data[at : at + 1] = bytes([pick.randrange(256)])
                case 3:
                    data[at:] = pick.choice(seeds)[pick.randrange(40) :]
                case _:
                    data[at:at] = data[: pick.randint(1, 200)]
        yield bytes(data)
