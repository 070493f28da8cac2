"""A firewall that drops what the dialplan asks: the doctor says so, and the line that it names mends it."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from cti_server.demo.calls import place_call
from cti_server.doctor import Finding, examine
from cti_server.settings import PbxSettings
from tests.live.center import Center, center, until
from tests.live.test_doctor import settings_of
from tests.live.test_doctor_mends import set_to

pytestmark = pytest.mark.live


@contextmanager
def dropping() -> Iterator[int]:
    """A port that takes no connection and refuses none, as behind a firewall that drops: its queue is full."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


async def found(site: Center) -> dict[str, Finding]:
    given = settings_of(site.pbx, site.database_url, http_port=site.http_port, fastagi_port=site.fastagi_port)
    assert isinstance(given.pbxs[0], PbxSettings)
    return {finding.code: finding for finding in await examine(given)}


async def test_questions_that_are_dropped(database_url: str, tmp_path: Path) -> None:
    waits = {"*": {"joinempty": "yes", "leavewhenempty": "no"}}  # for agents who are not there
    async with center(database_url, tmp_path, config={"queue_overrides": waits}) as site:
        await site.start()
        file = site.pbx.work / "etc" / "cti_site.conf"
        with dropping() as port:
            file.write_text(set_to(f"Set(CTI_FASTAGI=127.0.0.1:{port})")(file.read_text()))
            site.pbx.cli("dialplan reload")
            with place_call(site.pbx, "13800138000", "4008002000"):

                async def queued() -> dict[str, Finding] | None:
                    findings = await found(site)
                    return findings if {"fastagi.none_asked", "fastagi.down"} <= set(findings) else None

                findings = await until(queued, "a caller in the queue who was not identified", 30)
        assert findings["fastagi.none_asked"].what.startswith("callers seen in a queue: 1, and none of them asked")
        assert "1 of 1 calls of this moment asked" in findings["fastagi.down"].what
        for code in ("fastagi.none_asked", "fastagi.down"):
            remedy = findings[code].remedy or ""
            assert f"nc -vz 127.0.0.1 {site.fastagi_port}" in remedy
            assert "ufw" not in remedy, "no firewall stands between two programs of one machine"
        [line] = re.findall(
            r"^(Set\(CTI_FASTAGI=.*\))   in cti_site.conf$", findings["fastagi.down"].remedy or "", re.M
        )
        file.write_text(set_to(line)(file.read_text()))
        site.pbx.cli("dialplan reload")
        with place_call(site.pbx, "13800138000", "4008002000"):

            async def asked() -> dict[str, Finding] | None:
                findings = await found(site)
                return findings if "fastagi.asked" in findings else None

            findings = await until(asked, "a question that arrives", 30)
            assert not {"fastagi.none_asked", "fastagi.down"} & set(findings)
