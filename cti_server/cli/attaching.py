"""attach: the guided way to a PBX that works, and back."""

from __future__ import annotations

import os
import shlex
import shutil
import socket
from pathlib import Path
from typing import Annotated

import typer

from cti_server import settings_file

from .common import acts_as_command, fail, read_settings, run


def attach(
    undo: Annotated[bool, typer.Option("--undo", help="Take it back, and compare.")] = False,
    etc: Annotated[Path, typer.Option(help="The PBX's configuration folder on this machine.")] = Path(
        "/etc/asterisk"
    ),
    asterisk: Annotated[
        str, typer.Option(help="What runs its CLI, e.g. 'docker exec pbx asterisk'.")
    ] = "asterisk",
    host: Annotated[str, typer.Option(help="The PBX's address; another machine unless it is this one.")] = (
        "127.0.0.1"
    ),
    server: Annotated[
        str | None, typer.Option(help="This server's address, as the PBX reaches it; needed for another machine.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="A name for the PBX.")] = None,
    region: Annotated[str | None, typer.Option(help="The country whose numbers it dials, e.g. CN.")] = None,
    trunk: Annotated[str | None, typer.Option(help="The PJSIP endpoint for calls to the outside.")] = None,
    desk: Annotated[
        bool, typer.Option(help="Also what holds, transfers, records and dials from the screen.")
    ] = True,
    call: Annotated[
        str | None, typer.Option(help="The number that the test call shows; - for one that you place yourself.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing, take every default, write every edit.")] = False,
) -> None:
    """Attach to a PBX that works, step by step; each is shown, asked for and checked. Nothing is guessed.

    It reads what is there, writes our files with the real values, shows each line for a file of yours with its
    place, fills the record, and places a test call that ends with a card.
    """
    from cti_server.attach.guide import Choices
    from cti_server.attach.guide import attach as guided
    from cti_server.attach.terminal import Declined, Terminal

    here = host in ("127.0.0.1", "localhost", "::1")
    file = _settings_file()
    terminal = Terminal(yes)
    if undo:
        return _undo(file, asterisk, terminal)
    if here and not etc.is_dir():
        fail(f"there is no {etc}", "--etc FOLDER, or --host ADDRESS for an Asterisk on another machine")
    if not here and server is None:
        fail("another machine must know where this one is", f"cti-server attach --host {host} --server ADDRESS")
    addresses = _address(host), _address(server or "127.0.0.1")
    _runs(asterisk)
    read_settings(file=file)
    if not here:
        etc = file.parent / f"for-{addresses[0]}"
        etc.mkdir(parents=True, exist_ok=True)
    choices = Choices(
        etc,
        asterisk,
        file,
        *addresses,
        name,
        region,
        trunk,
        here,
        desk,
        yes,
        call,
    )
    acts_as_command()
    try:
        run(guided(choices, terminal))
    except (Declined, typer.Abort) as stopped:
        fail(str(stopped) or "stopped", "cti-server attach goes on where it was; --undo takes it back")
    except PermissionError as denied:
        fail(f"{denied.filename} cannot be written", "sudo cti-server attach")


def _address(name: str) -> str:
    """The address of a machine: what may ask, and whom the manager permits, are addresses."""
    try:
        return socket.gethostbyname(name)
    except (OSError, UnicodeError) as unknown:
        why = getattr(unknown, "strerror", None) or unknown
        fail(f"{name} is not known: {why}", "give its address, e.g. 10.0.0.5")


def _runs(asterisk: str) -> None:
    """Refuse what cannot be run: a quote that is not closed, nothing at all, a program that there is not."""
    try:
        words = shlex.split(asterisk)
    except ValueError as bad:
        fail(f"--asterisk {asterisk}: {bad}", "--asterisk 'docker exec pbx asterisk'")
    if not words or (asterisk != "asterisk" and shutil.which(words[0]) is None):
        fail(f"--asterisk {asterisk}: there is no such program", "--asterisk 'docker exec pbx asterisk'")


def _undo(file: Path, asterisk: str, terminal: object) -> None:
    from cti_server.attach.hands import Hands
    from cti_server.attach.ledger import Ledger, OfAnother
    from cti_server.attach.terminal import Declined, Terminal
    from cti_server.attach.undo import undo as back
    from cti_server.settings import Settings

    assert isinstance(terminal, Terminal)
    try:
        ledgers = [kept for path in sorted(file.parent.glob("attach-*.json")) if (kept := Ledger.read(path))]
    except OfAnother as unreadable:
        fail(str(unreadable), "docs/install.md says what to take out by hand; then delete this file")
    if not ledgers:
        fail(f"no attachment is noted in {file.parent}", "docs/install.md says what to take out by hand")
    try:
        settings = Settings.load(file)
    except ValueError as bad:  # a ValidationError is one, and SettingsError too
        settings = None
        terminal.bad(f"the settings in {file} cannot be used, so the queues are not asked: {bad}")
    whole = True
    for ledger in ledgers:
        hands = Hands.on(Path(ledger.etc), asterisk, here=ledger.here)
        try:
            whole = run(back(ledger, settings, hands, terminal)) and whole
        except (Declined, typer.Abort) as stopped:
            fail(str(stopped) or "stopped")
        except PermissionError as denied:
            fail(f"{denied.filename} cannot be written", "sudo cti-server attach --undo")
    if not whole:
        raise typer.Exit(1)


def _settings_file() -> Path:
    """The settings file that counts, or where one is made."""
    try:
        found = settings_file.find(os.environ, Path.cwd())
    except settings_file.FileUnreadable as unreadable:
        if os.environ.get(settings_file.NAMED_BY) and not unreadable.file.exists():
            return unreadable.file  # the file that is to be made
        fail(str(unreadable))
    return found or settings_file.ETC
