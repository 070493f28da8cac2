"""docs/dialling.md in both languages: its policy can be set, and its lines are the same. tests/live runs these."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from cti_server.rules.destinations import KINDS
from cti_server.rules.dial_policy_form import read

DOCS = Path(__file__).parents[2] / "docs"
ENGLISH, CHINESE = (DOCS / "dialling.md").read_text(), (DOCS / "dialling.zh-CN.md").read_text()


def blocks(text: str, language: str) -> list[str]:
    """The blocks of this language, as `ini plain`, in their order."""
    return re.findall(rf"```{language}\n(.*?)```", text, re.S)


@pytest.mark.parametrize("language", ["sh", "toml", "ini plain", "ini freepbx"])
def test_the_same_lines_in_both(language: str) -> None:
    assert blocks(ENGLISH, language) == blocks(CHINESE, language) != []


def test_the_policy_can_be_set() -> None:
    (block,) = blocks(ENGLISH, "toml")
    policy = read(tomllib.loads(block))
    assert [rule.name for rule in policy.rules] == ["no-mobiles", "night-shift", "home"]


@pytest.mark.parametrize("text", [ENGLISH, CHINESE])
def test_each_kind_has_a_line(text: str) -> None:
    table = text.partition("|---|---|---|")[2].partition("\n\n")[0]
    assert set(re.findall(r"`([a-z_]+)`", table)) - {"CTI_DEFAULT_REGION"} == set(KINDS)
