#!/usr/bin/env python3
"""Asks the CTI server over HTTPS who is calling: the AGI script for a PBX that cannot reach FastAGI.

Asterisk runs it when CTI_FASTAGI in cti_site.conf is empty:  AGI(cti_identify.py,NAME-OF-THIS-PBX).
It needs Python 3.7 and `pip install pyst2`, and reads cti_identify.conf in Asterisk's configuration folder:

    [cti]
    url = https://cti.example.com
    token = the server's CTI_IDENTIFY_TOKEN
    deadline = 0.6          ; seconds for everything; the call goes on without an answer afterwards

It never fails a call: whatever goes wrong is one line in Asterisk's log, and the presets of the dialplan stay.
"""

from __future__ import annotations

import configparser
import json
import os
import re
import signal
import sys
import urllib.request
from typing import Any

from asterisk.agi import AGI

# What the answer may set, and what a value may look like: the dialplan checks the same again.
NAMES = ["STATUS", "CUSTOMER", "MATCH", "TIER", "VERDICT", "PRIORITY", "LANGUAGE", "AGENT"]
SAFE = re.compile(r"[A-Za-z0-9_@/.-]{0,80}\Z")
LARGEST_ANSWER = 65536
MOST_HEADERS = 200


class TooLate(Exception):
    """The deadline passed."""


class Call(AGI):  # type: ignore[misc]
    """pyst2's AGI with two repairs: the first of two equal headers counts, and nothing is written unescaped."""

    def _get_agi_env(self) -> None:
        # A caller's name with a newline in it forges further headers; Asterisk's own uniqueid comes before it.
        for _ in range(MOST_HEADERS):
            line = self.stdin.readline().strip()
            if not line:
                return
            name, _colon, value = line.partition(":")
            self.env.setdefault(name.strip(), value.strip())

    def _quote(self, string: Any) -> str:
        text = re.sub(r"[\x00-\x1f\x7f]", " ", str(string))
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the token somewhere else."""

    def redirect_request(self, *args: Any) -> None:
        return None


def settings() -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None, inline_comment_prefixes=(";",))
    path = os.path.join(os.environ.get("AST_CONFIG_DIR", "/etc/asterisk"), "cti_identify.conf")
    if not parser.read(path):
        raise OSError(f"{path} is missing")
    return parser["cti"]


def ask(url: str, token: str, question: dict, seconds: float) -> dict[str, Any]:
    """The server's answer to POST /api/identify: {"variables": {"CTI_STATUS": "ok", …}}."""
    request = urllib.request.Request(  # noqa: S310 - the administrator's own address
        url.rstrip("/") + "/api/identify",
        data=json.dumps(question).encode("utf-8", "replace"),
        headers={
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "Accept": "application/json",
        },
    )
    with urllib.request.build_opener(NoRedirect).open(request, timeout=seconds) as response:
        answer = json.loads(response.read(LARGEST_ANSWER))
    variables = answer["variables"]
    if not isinstance(variables, dict):
        raise ValueError("the answer has no variables")  # noqa: TRY004 - it is the server's, not a caller's
    return variables


def text(value: str | None) -> str | None:
    """What Asterisk wrote, with a byte that is not UTF-8 as U+EF80 to U+EFFF: the server knows the encoding."""
    if value is None:
        return None
    return re.sub("[\udc80-\udcff]", lambda byte: chr(ord(byte.group()) - 0xDC00 + 0xEF00), value)


def accepted(variables: dict[str, Any]) -> dict[str, str]:
    """Those that we know, with values that cannot be anything but values."""
    found = {f"CTI_{name}": variables.get(f"CTI_{name}") for name in NAMES}
    texts = {name: str(value) for name, value in found.items() if isinstance(value, (str, int))}
    return {name: text for name, text in texts.items() if SAFE.match(text)}


def too_late(*_: Any) -> None:
    raise TooLate("no answer in time")


def main() -> None:
    sys.stdin.reconfigure(encoding="utf-8", errors="surrogateescape")  # type: ignore[union-attr]
    sys.stdout.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    call = Call(stderr=open(os.devnull, "w"))  # noqa: SIM115 - pyst2 writes a running commentary to it
    try:
        chosen = settings()
        seconds = float(chosen.get("deadline", "0.6"))
        signal.signal(signal.SIGALRM, too_late)
        signal.setitimer(signal.ITIMER_REAL, seconds)  # urllib's own limit is for each read, a dribble has no end
        question = {
            "pbx": sys.argv[1] if len(sys.argv) > 1 else None,
            "uniqueid": text(call.env.get("agi_uniqueid")),
            "channel": text(call.env.get("agi_channel")),
            "ani": text(call.env.get("agi_callerid")),
            "ani_name": text(call.env.get("agi_calleridname")),
            "dnis": text(call.env.get("agi_dnid")),
            "secret": sys.argv[2] if len(sys.argv) > 2 else None,
        }
        variables = accepted(ask(chosen["url"], chosen["token"], question, seconds))
        signal.setitimer(signal.ITIMER_REAL, 0)
        for name, value in variables.items():
            call.set_variable(name, value)
    except Exception as problem:  # the call goes on, whatever it was
        signal.setitimer(signal.ITIMER_REAL, 0)
        call.verbose(f"cti_identify: {type(problem).__name__}: {problem}", 1)


if __name__ == "__main__":
    main()
