"""Runs `cti-server` as an administrator does: a process of its own, with settings of its own and nobody else's."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from tests.cli import forks

CHECKOUT = Path(__file__).parents[2]


def environment(**settings: str) -> dict[str, str]:
    """Without the settings of this machine: CTI_CONFIG names an empty file unless it is given."""
    mine = {k: v for k, v in os.environ.items() if not k.startswith("CTI_")}
    return mine | {"COLUMNS": "200", "PYTHONPATH": str(CHECKOUT), "CTI_CONFIG": os.devnull} | settings


def run(
    *arguments: str, typed: str = "", folder: Path | None = None, **settings: str
) -> subprocess.CompletedProcess[str]:
    """`typed` comes from a pipe."""
    status, printed, complained = forks.command(arguments, environment(**settings), folder, typed)
    return subprocess.CompletedProcess(arguments, status, printed, complained)


class Record:
    """The commands of one database."""

    def __init__(self, url: str, **settings: str) -> None:
        self.url = url
        self.settings = {"CTI_DATABASE_URL": url, **settings}

    def do(self, *arguments: str, typed: str = "") -> str:
        """What it says; the command must succeed."""
        done = run(*arguments, typed=typed, **self.settings)
        assert done.returncode == 0, (arguments, done.stdout, done.stderr)
        return done.stdout

    def see(self, *arguments: str) -> Any:
        """What `list` or `show` answers."""
        return json.loads(self.do(*arguments, "--json"))

    def refused(self, *arguments: str, typed: str = "") -> str:
        """Why it is refused: what is wrong, and what mends it."""
        done = run(*arguments, typed=typed, **self.settings)
        assert done.returncode in (1, 2), (arguments, done.returncode, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr
        return done.stderr
