"""What the tools of `make audit` answer is read as it is: recorded answers, with and without holes."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.packaging.advisories import answer_of, of_npm, of_pip


def test_a_hole_in_a_python_package_is_named_with_what_mends_it() -> None:
    hole = {"id": "PYSEC-2024-1", "fix_versions": ["2.0"], "aliases": [], "description": ""}
    answer = {
        "dependencies": [
            {"name": "a", "version": "1.0", "vulns": [hole]},
            {"name": "b", "version": "1.0", "vulns": []},
            {"name": "c", "skip_reason": "not on the index"},
        ]
    }
    assert of_pip(answer) == ["a 1.0: PYSEC-2024-1 (mended in 2.0)"]


def test_npm_that_could_not_ask_is_no_clean_answer() -> None:
    assert of_npm({"message": "request failed", "error": {}}) is None
    assert of_npm({"vulnerabilities": {}}) == []
    assert of_npm({"vulnerabilities": {"vite": {"severity": "high"}}}) == ["vite: high"]


def test_a_tool_without_an_answer_says_why(tmp_path: Path) -> None:
    script = "import sys; print('no route to the index', file=sys.stderr); sys.exit(1)"
    assert answer_of((sys.executable, "-c", script), tmp_path) == (None, "no route to the index")
    assert answer_of((str(tmp_path / "nothing"),), tmp_path)[0] is None
