"""Every `cti-server …` that these documents tell people to run is a command, with options that it has."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer.main

from cti_server.cli import cli

ROOT = Path(__file__).parents[2]
DOCUMENTS = (
    "README.md",
    "README.zh-CN.md",
    *(
        f"docs/{name}{language}.md"
        for name in ("proxy", "operations", "softphone", "dialling")
        for language in ("", ".zh-CN")
    ),
)


def told(text: str) -> list[list[str]]:
    """The words after each `cti-server`, in blocks and between backticks, without a shell's comment."""
    lines = [line for block in re.findall(r"```.*?\n(.*?)```", text, re.S) for line in block.splitlines()]
    lines += re.findall(r"`([^`\n]+)`", text)
    found = (re.search(r"(?:^|\s|/)cti-server ((?!/)[a-z].*)$", line.split(" # ")[0].strip()) for line in lines)
    return [shlex.split(match[1]) for match in found if match and "systemctl" not in match.string]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_they_exist(document: str) -> None:
    commands = told((ROOT / document).read_text(encoding="utf-8"))
    assert commands or "proxy" in document
    for words in commands:
        command = typer.main.get_command(cli)
        while words and hasattr(command, "commands") and words[0] in command.commands:
            command = command.commands[words.pop(0)]
        assert not hasattr(command, "commands") or not words, f"{document}: cti-server has no {words}"
        options = {option for parameter in command.params for option in parameter.opts}
        unknown = [word for word in words if word.startswith("--") and word.split("=")[0] not in options]
        assert not unknown, f"{document}: {command.name} has no {unknown}"
