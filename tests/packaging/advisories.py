"""Known holes in what we ship: `make audit`. Asks pip-audit and npm audit, and says so where no index answers.

Exit status 1 where one is known; 0 where none is, and where nobody could be asked.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]
SECONDS: Final = 120
PIP: Final = (sys.executable, "-m", "pip_audit", "-f", "json", "--progress-spinner", "off", "--timeout", "15")
PIP_WHAT: Final = ("--no-deps", "--disable-pip", "-r", str(ROOT / ".ci" / "runtime.lock"))
NPM: Final = (str(ROOT / ".venv/node/bin/npm"), "audit", "--json", "--omit=dev")


def answer_of(command: tuple[str, ...], folder: Path) -> tuple[Any, str]:
    """What the tool printed as JSON, else None and its complaint in one line."""
    path = f"{ROOT / '.venv/node/bin'}:/usr/bin:/bin"
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False, env={"PATH": path}
        )
    except (subprocess.TimeoutExpired, OSError) as cause:
        return None, type(cause).__name__
    try:
        return json.loads(done.stdout), ""
    except json.JSONDecodeError:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        return None, (lines[-1] if lines else "no answer")[:160]


def of_pip(answer: Any) -> list[str]:
    """One line for each known hole of a Python package."""
    return [
        f"{one['name']} {one['version']}: {hole['id']} (mended in {', '.join(hole['fix_versions']) or 'none yet'})"
        for one in answer["dependencies"]
        for hole in one.get("vulns", ())
    ]


def of_npm(answer: Any) -> list[str] | None:
    """The same for the desktop's packages; None where npm could not ask."""
    if "vulnerabilities" not in answer:
        return None
    return [f"{name}: {one['severity']}" for name, one in answer["vulnerabilities"].items()]


def main() -> int:
    known = 0
    for what, command, folder, read in (
        ("Python packages", PIP + PIP_WHAT, ROOT, of_pip),
        ("desktop packages", NPM, ROOT / "agents_ui", of_npm),
    ):
        answer, complaint = answer_of(command, folder)
        found = read(answer) if answer is not None else None
        if found is None:
            print(f"{what}: skipped, no index of advisories answers here ({complaint or 'npm could not ask'})")
            continue
        known += len(found)
        print(f"{what}: {len(found)} known holes", *found, sep="\n  ")
    return 1 if known else 0


if __name__ == "__main__":
    sys.exit(main())
