"""Shared by all commands: where they print, how they fail, how they read settings and run."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console

from cti_server.settings import Settings

out = Console()
err = Console(stderr=True)


def fail(what: str, remedy: str | None = None) -> NoReturn:
    """Print what is wrong and what fixes it, and exit with status 1."""
    err.print(f"[bold red]{what}[/]", highlight=False)
    if remedy is not None:
        err.print(remedy, highlight=False)
    raise typer.Exit(1)


def read_settings(**changes: Any) -> Settings:
    try:
        return Settings(**changes)
    except ValidationError as bad:
        for error in bad.errors():
            name = "CTI_" + "_".join(str(part) for part in error["loc"]).upper()
            err.print(f"[bold red]{name}[/]: {error['msg']}", highlight=False)
        raise typer.Exit(2) from None


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run to the end or until Ctrl-C, on uvloop where it is installed."""
    factory: Callable[[], asyncio.AbstractEventLoop] | None = None
    with contextlib.suppress(ImportError):
        import uvloop

        factory = uvloop.new_event_loop
    with contextlib.suppress(KeyboardInterrupt), asyncio.Runner(loop_factory=factory) as runner:
        runner.run(work)
