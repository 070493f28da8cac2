"""The doctor on the fence of the dial policy: missing, older than the policy, asked by nobody; and the lines that
mend it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace

import pytest

from cti_server.demo.asterisk_root import DemoUnavailable
from cti_server.demo.pbx import DemoPbx, free_config
from cti_server.doctor.findings import Finding
from cti_server.rules.dial_fence import FILE
from cti_server.rules.dial_policy import Policy, Rule
from tests.cli.commands import environment
from tests.live.test_doctor import changed, found, recorded

__all__ = ["recorded"]

pytestmark = [pytest.mark.live, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def pbx() -> Iterator[DemoPbx]:
    try:
        with DemoPbx(free_config(readable=True)) as running:
            yield running
    except DemoUnavailable as reason:
        pytest.fail(str(reason), pytrace=False)


def of_fence(findings: dict[str, Finding]) -> Finding:
    (finding,) = [one for code, one in findings.items() if code.startswith("fence.")]
    return finding


async def test_the_demo_has_it(pbx: DemoPbx, recorded: SimpleNamespace) -> None:
    finding = of_fence(await found(pbx, recorded.now))
    assert finding.code == "fence.ok"
    assert "cti-device" in finding.what
    assert "cti-outbound" in finding.what


async def test_missing_and_made_by_the_line(pbx: DemoPbx, recorded: SimpleNamespace) -> None:
    with changed(pbx, FILE, lambda _: "", "dialplan reload"):
        findings = await found(pbx, recorded.now)
        finding = of_fence(findings)
        assert finding.code == "fence.missing"
        assert "called.skipped" not in findings, "it is a choice, and this finding is the one that says so"
        first = (finding.remedy or "").splitlines()[0]
        command = first.replace("/etc/asterisk", str(pbx.work / "etc")).split()
        assert command[0] == "cti-server"
        run(recorded.url, *command[1:])
        pbx.cli("dialplan reload")
        assert of_fence(await found(pbx, recorded.now)).code == "fence.ok"


@pytest.mark.parametrize("strictness", ["", "--anybody"])
async def test_older_than_the_policy(pbx: DemoPbx, recorded: SimpleNamespace, strictness: str) -> None:
    with changed(pbx, FILE, lambda text: text, "dialplan reload"):
        run(recorded.url, "dialling", "fence", str(pbx.work / "etc" / FILE), *([strictness] if strictness else []))
        pbx.cli("dialplan reload")
        assert of_fence(await found(pbx, recorded.now)).code == "fence.ok"
        changed_policy = replace(recorded.now, policy=Policy((Rule("all", "allow"),)))
        finding = of_fence(await found(pbx, changed_policy))
        assert finding.code == "fence.old"
        assert ("--anybody" in (finding.remedy or "")) is bool(strictness)
        assert of_fence(await found(pbx, replace(recorded.now, lines=()))).code == "fence.old"
        other_form = await found(pbx, recorded.now, link={"dial": "national"})
        assert of_fence(other_form).code == "fence.old"


async def test_asked_by_nobody(pbx: DemoPbx, recorded: SimpleNamespace) -> None:
    """Files of an older version beside a new fence."""

    def older(text: str) -> str:
        return "\n".join(line for line in text.splitlines() if "cti-fence" not in line)

    desk = changed(pbx, "extensions_cti_desk.conf", older, "dialplan reload")
    demo = changed(pbx, "extensions_cti_demo.conf", older, "dialplan reload")
    with desk, demo:
        assert of_fence(await found(pbx, recorded.now)).code == "fence.unasked"


async def test_a_pattern_of_phones_that_swallows_an_emergency_number(
    pbx: DemoPbx, recorded: SimpleNamespace
) -> None:
    wide = lambda text: re.sub(r"CTI_INSIDE=.*\)", "CTI_INSIDE=^[1-7][0-9]{2,4}$)", text)  # noqa: E731
    with changed(pbx, "cti_site.conf", wide, "dialplan reload"):
        assert "site.inside_emergency" not in await found(pbx, recorded.now), "the fence keeps it apart"
        with changed(pbx, FILE, lambda _: "", "dialplan reload"):
            finding = (await found(pbx, recorded.now))["site.inside_emergency"]
            assert "takes 110 for a phone" in finding.what
            right = re.search(r"CTI_INSIDE=(\S+)\)", finding.remedy or "")
            assert right is not None
            assert not re.search(right[1], "110")


def run(url: str, *arguments: str) -> None:
    command = [sys.executable, "-m", "cti_server", *arguments]
    subprocess.run(command, env=environment(CTI_DATABASE_URL=url), check=True, capture_output=True)
