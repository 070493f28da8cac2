"""The report: versions, clocks, and how findings are printed."""

from __future__ import annotations

import io
import string

import pytest
from rich.console import Console

from cti_server.doctor.findings import Finding, Status
from cti_server.doctor.pbx.asterisk import clock_finding, version_finding
from cti_server.doctor.render import render
from cti_server.doctor.texts import TEXTS


@pytest.mark.parametrize(
    ("version", "code"),
    [
        ("22.10.1+dfsg+~cs6.17", "asterisk.version"),
        ("20.5.0", "asterisk.untested"),
        ("certified/18.9-cert5", "asterisk.untested"),
        ("16.28.0~dfsg", "asterisk.old"),
        ("GIT-master-abc", "asterisk.version_unseen"),
        ("", "asterisk.version_unseen"),
    ],
)
def test_versions(version: str, code: str) -> None:
    assert version_finding("main: Asterisk", version).code == code


def test_clocks() -> None:
    assert clock_finding("x", 0.4).code == "asterisk.clock_ok"
    assert clock_finding("x", 61.2).what == "the PBX's clock is 61 s ahead of this one"
    assert clock_finding("x", -61.2).what == "the PBX's clock is 61 s behind this one"


def test_every_warning_and_problem_names_what_mends_it() -> None:
    bare = [code for code, text in TEXTS.items() if text.status != "ok" and not text.remedy]
    assert bare == ["fastagi.closed", "more"]  # counts of what is said elsewhere


def test_texts_are_well_formed() -> None:
    for text in TEXTS.values():
        for part in (text.what, text.remedy):
            assert all(name is None or name.isidentifier() for _, name, _, _ in string.Formatter().parse(part))


def test_a_report_is_grouped_and_a_remedy_is_not_wrapped() -> None:
    remedy = 'write = reporting   in [cti-events] of manager_cti.conf; then: asterisk -rx "manager reload"'
    findings = [
        Finding("main: manager", Status.OK, "reached", None, "a"),
        Finding("main: manager", Status.PROBLEM, "[cti-events] is not let in", remedy, "b"),
        Finding("main: queues", Status.WARNING, "no queue", None, "c"),
    ]
    out = io.StringIO()
    render(findings, Console(file=out, width=60))
    said = out.getvalue()
    assert said.count("main: manager") == 1
    assert f"      {remedy}\n" in said
    assert "✗ [cti-events] is not let in" in said
    assert "1 problem, 1 warning" in said
