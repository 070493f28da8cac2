"""docs/proxy.md in both languages; tests/live/test_proxy.py runs its blocks."""

from __future__ import annotations

import re
from pathlib import Path

from cti_server.push.frames import HEARTBEAT_S
from tests.documents import block

PJSIP = Path(__file__).parents[2] / "dialplans" / "pjsip_cti.conf"


def test_both_languages_have_the_same_blocks() -> None:
    for language in ("nginx", "caddyfile", "sh"):
        assert block("proxy.md", language) == block("proxy.zh-CN.md", language)


def test_nginx_waits_longer_than_the_longest_silence() -> None:
    """Of a desktop, to which the server sends heartbeats, and of a browser phone, which Asterisk asks."""
    [qualify] = re.findall(r"^qualify_frequency = (\d+)$", PJSIP.read_text(), flags=re.M)
    [waits] = re.findall(r"proxy_read_timeout (\d+)s;", block("proxy.md", "nginx"))
    assert int(waits) >= 2 * max(HEARTBEAT_S, int(qualify))
