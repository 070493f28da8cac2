"""What the program imports is what its wheel asks pip for: the tests' own packages hide what is missing."""

from __future__ import annotations

import ast
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
#: brought by one that is asked for, which names them as part of its own interface
BROUGHT = {"starlette": "fastapi", "dotenv": "pydantic-settings", "typing_extensions": "pydantic"}


def imported() -> dict[str, Path]:
    found: dict[str, Path] = {}
    for file in (ROOT / "cti_server").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                names.append(node.module)
            found |= {name.partition(".")[0]: file for name in names}
    return {name: file for name, file in found.items() if name not in sys.stdlib_module_names | {"cti_server"}}


def test_every_package_that_is_imported_is_asked_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [line for lines in project["optional-dependencies"].values() for line in lines]
    wanted = {canonicalize_name(Requirement(line).name) for line in [*project["dependencies"], *extras]}
    names = imported()
    assert {"fastapi", "httpx", "sqlalchemy"} <= set(names)
    of = packages_distributions()
    missing = {
        name: str(file)
        for name, file in names.items()
        if canonicalize_name(BROUGHT.get(name, of.get(name, [name])[0])) not in wanted
    }
    if missing:
        pytest.fail(f"not in [project] dependencies: {missing}")


@pytest.mark.parametrize("lock", ["runtime.lock", "dev.lock"])
def test_every_package_that_is_asked_for_is_locked(lock: str) -> None:
    """The image installs the lock and nothing else: a package that it lacks is an image that does not start."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {canonicalize_name(Requirement(line).name) for line in project["dependencies"]}
    lines = (ROOT / ".ci" / lock).read_text(encoding="utf-8").splitlines()
    locked = {canonicalize_name(line.partition("==")[0]) for line in lines if "==" in line and line[0] not in " #"}
    assert not wanted - locked
