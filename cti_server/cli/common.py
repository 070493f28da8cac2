"""Shared by all commands: where they print, how they fail, how they read settings, and the way to the record."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import itertools
import logging
import os
import re
import sys
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import typer
from pydantic import ValidationError
from pydantic_settings import SettingsError
from rich.console import Console
from rich.text import Text

from cti_server import log, settings_file
from cti_server.settings import Settings
from cti_server.settings_left_out import left_out

from . import failures
from .failures import Failure

T = TypeVar("T")
SECRETS = ("password", "secret", "token")
FLAGS = ("--new-password", "--no-password")  # they take no value
COMMAND = re.compile(r"[a-z][a-z-]*")
IN_ADDRESS = re.compile(r"(://[^/@\s:]*:)[^/@\s]*@")
THREADS_END_S = 1.0

out = Console()
err = Console(stderr=True)


def fail(what: str, remedy: str | None = None, *, status: int = 1) -> NoReturn:
    """Print what is wrong and what mends it, and exit."""
    err.print(Text(what, "bold red"), soft_wrap=True)
    if remedy is not None:
        err.print(Text(remedy), soft_wrap=True)
    raise typer.Exit(status)


def say(text: str) -> None:
    """A line about what was done. Unlike `out.print` it takes brackets in names for what they are."""
    out.print(Text(text), soft_wrap=True)


def read_settings(
    *, of_the_machine: bool = True, quiet: bool = False, file: Path | None = None, **changes: Any
) -> Settings:
    """The settings that count in this folder, which a dim line on stderr names unless it is to be `quiet`.

    `of_the_machine` False leaves out what belongs to an installed server: the demo has nothing to do with it.
    `file` is the one to read, where it was found already; it need not exist yet.
    """
    logging.getLogger("dotenv").setLevel(logging.ERROR)  # `announce` names the lines with what mends them
    try:
        places = settings_file.OF_THE_MACHINE if of_the_machine else ()
        found = settings_file.find(os.environ, Path.cwd(), places) if file is None else file
        made = Settings.load(found if found is not None and found.exists() else None, **changes)
    except settings_file.FileUnreadable as unreadable:
        failure = failures.of_settings_file(unreadable)
        fail(failure.what, failure.remedy, status=2)
    except SettingsError as bad:
        named = re.search(r'field "(\w+)"', str(bad))
        name = f"CTI_{named[1].upper()}" if named is not None else "a setting"
        fail(f"{name} is not the JSON that it should be", "docs/settings.md has an example.", status=2)
    except ValidationError as bad:
        for error in bad.errors():
            name = "CTI_" + "_".join(str(part) for part in error["loc"]).upper() if error["loc"] else "settings"
            why = error["msg"].removeprefix("Value error, ")
            given = "" if _is_secret(name, error["input"]) else f"={error['input']}"
            err.print(Text.assemble((f"{name}{given}", "bold red"), f": {why}"), soft_wrap=True)
        where = f"In {found}, or in the environment. " if found is not None else ""
        err.print(Text(f"{where}docs/settings.md says what each takes."), soft_wrap=True)
        raise typer.Exit(2) from None
    if not quiet:
        log.configure("critical")  # what fails is said by the command, once
        announce(made)
    return made


def _is_secret(name: str, given: object) -> bool:
    return not isinstance(given, str) or any(word in name for word in ("SECRET", "TOKEN", "URL", "ICE", "PBXS"))


def announce(settings: Settings) -> None:
    """Say which settings file and which database a command uses, for a wrong folder should be seen at once; and
    what of the settings counts for nothing."""
    from cti_server.record.urls import shown

    file = settings.file or "none, only the environment"
    err.print(Text(f"settings: {file}   database: {shown(settings.database_url)}", "dim"), soft_wrap=True)
    for one in left_out(os.environ, settings.file):
        what = (
            f"{one.what} ({one.where}) is not a setting"
            if one.is_name
            else f"{one.where} sets nothing: {one.what}"
        )
        err.print(Text(f"{what}. {one.remedy}", "yellow"), soft_wrap=True)


def run(work: Coroutine[Any, Any, T], settings: Settings | None = None) -> T:
    """Run to the end, on uvloop where it is installed. With `settings`, a fault of their database is worded."""
    factory: Callable[[], asyncio.AbstractEventLoop] | None = None
    with contextlib.suppress(ImportError):
        import uvloop

        factory = uvloop.new_event_loop
    try:
        with asyncio.Runner(loop_factory=factory) as runner:
            return runner.run(_to_its_end(work))
    except Exception as failed:
        failure = failures.explained(failed, settings)
        if failure is None:
            raise
        refuse(failure)


async def _to_its_end(work: Coroutine[Any, Any, T]) -> T:
    """The work; after a failure also the end of aiosqlite's threads: one whose connection failed reports to the
    loop a moment later, and prints a traceback where that is closed by then."""
    try:
        return await work
    except Exception:
        deadline = time.monotonic() + THREADS_END_S
        while _sqlite_threads() and time.monotonic() < deadline:  # noqa: ASYNC110 - a thread has no event for it
            await asyncio.sleep(0.01)
        raise


def _sqlite_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if "_connection_worker_thread" in thread.name]


def refuse(failure: Failure) -> NoReturn:
    fail(failure.what, failure.remedy)


# --- the record --------------------------------------------------------------------------------------------


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Any]:
    """The database of these settings, once it is sure to be at the revision that this server needs."""
    from cti_server.record import migrate
    from cti_server.record.database import Database

    acts_as_command()
    async with Database(settings.database_url) as database:
        async with database.read() as conn:
            now = await migrate.revision_of(conn)
        if now != migrate.head():
            known = [revision.number for revision in migrate.revisions()]
            refuse(failures.of_revision(now, migrate.head(), is_known=now in known))
        yield database


Work = Callable[[Any], Awaitable[T]]


def write(settings: Settings, work: Work[T]) -> T:
    """Do work with a connection, in one transaction: a command that fails has changed nothing."""

    async def done() -> T:
        async with opened(settings) as database, database.begin() as conn:
            return await work(conn)

    return run(done(), settings)


def acts_as_command() -> None:
    """The audit log is told who runs this command, and with what; secrets only by their names."""
    from cti_server.record.audit.entries import Actor, Operation, acts

    try:
        who = getpass.getuser()
    except (KeyError, OSError):  # a user id without a name
        who = str(os.getuid())
    words = sys.argv[1:]
    name = ".".join(itertools.takewhile(COMMAND.fullmatch, words[:2]))
    # `user grant alice …` is about user:alice.
    thing = f"{words[0]}:{words[2]}" if len(words) > 2 and not words[2].startswith("-") else name
    acts(
        Actor(f"command:{who}", who), Operation(name or "command", thing or "-", {"with": without_secrets(words)})
    )


def without_secrets(words: Sequence[str]) -> list[str]:
    """The command line with … for each value of an option that takes a secret, and for passwords in addresses."""
    told: list[str] = []
    hide = False
    for word in words:
        option, equals, _ = word.partition("=")
        is_secret = option.startswith("--") and any(secret in option for secret in SECRETS) and option not in FLAGS
        if hide:
            told.append("…")
        elif is_secret and equals:
            told.append(f"{option}=…")
        else:
            told.append(IN_ADDRESS.sub(r"\1…@", word))
        hide = not hide and is_secret and not equals
    return told


def read(settings: Settings, work: Work[T]) -> T:
    """Do work with a connection that only reads."""

    async def done() -> T:
        async with opened(settings) as database, database.read() as conn:
            return await work(conn)

    return run(done(), settings)


# --- asking ------------------------------------------------------------------------------------------------


def ask_secret(what: str, *, twice: bool = False) -> str:
    """A password typed unseen; from a pipe, its first line."""
    if sys.stdin.isatty():
        return str(typer.prompt(what, hide_input=True, confirmation_prompt=twice))
    if not (given := sys.stdin.readline().rstrip("\r\n")):
        fail(f"no {what} was given", "Type it at a terminal, or send it into this command as a line.")
    return given


def confirm(question: str) -> None:
    """Go on only after a yes."""
    if not sys.stdin.isatty():
        fail(f"{question} Nobody is here to answer.", "--yes   answers it for a script")
    if not typer.confirm(question, err=True):
        fail("nothing was changed")
