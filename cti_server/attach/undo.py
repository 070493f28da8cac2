"""The way back: what was set at the queues, the edits, our files; and whether all is as it was."""

from __future__ import annotations

from pathlib import Path

from cti_server.asterisk.commands import Commands, NoAccount
from cti_server.asterisk.session import ActionFailed, ListBroken
from cti_server.handing_back import give_back
from cti_server.record.database import Database
from cti_server.settings import Settings

from .edits import NotThere, is_in, undone
from .hands import Hands
from .ledger import Ledger, digest, digests
from .terminal import Declined, Terminal

RELOADS = ("dialplan reload", "module reload features", "manager reload")


async def undo(ledger: Ledger, settings: Settings, hands: Hands, terminal: Terminal) -> bool:
    """Take the attachment back. Returns whether /etc/asterisk is as it was before it."""
    terminal.step("The way back")
    for edit in reversed(ledger.edits):
        terminal.say(f"  {Path(ledger.etc) / edit.file}, {edit.place}: out with")
        terminal.lines(edit.new)
    terminal.say(f"  {ledger.etc}: {', '.join(sorted(ledger.written))} are deleted, or are as they were")
    if not terminal.confirm("Do it?", default=True):
        raise Declined("nothing was changed")
    await _give_back(settings, terminal)
    for edit in reversed(list(ledger.edits)):
        _take_back(ledger, edit.file, hands, terminal)
    for name in list(ledger.written):
        _restore(ledger, name, hands, terminal)
    for line in RELOADS:
        if hands.cli(line) is not None:
            terminal.good(line)
        else:
            terminal.lines([f'asterisk -rx "{line}"'])
    return _compared(ledger, terminal)


async def _give_back(settings: Settings, terminal: Terminal) -> None:
    """Before the manager's users go: unpause, and take out of queues."""
    for pbx in settings.attached():
        commands = Commands(pbx)
        try:
            async with Database(settings.database_url) as database:
                done = await give_back(pbx, database, commands, at_once=True)
        except (NoAccount, ActionFailed, ListBroken, OSError, TimeoutError, LookupError, ValueError) as cause:
            terminal.bad(f"{pbx.name}: its queues were not asked: {cause}")
            continue
        finally:
            commands.close()
        terminal.good(f"queues: {len(done.given.unpaused)} unpaused, {len(done.given.removed)} taken out")


def _take_back(ledger: Ledger, name: str, hands: Hands, terminal: Terminal) -> None:
    """Take our lines out of a file of theirs; what others have written there since stays."""
    text = hands.text(name)
    for edit in [one for one in reversed(ledger.edits) if one.file == name]:
        if not is_in(text, edit):
            continue
        try:
            text = undone(text, edit)
        except NotThere as other:
            terminal.bad(f"{other}; take these lines out by hand:")
            terminal.lines(edit.new)
    original = ledger.originals.get(name, "")
    if text.rstrip("\n") == original.rstrip("\n"):
        text = original  # our block had to begin on a line of its own
    if text != hands.text(name):
        if text == "" and name not in ledger.before:
            hands.remove(name)
        else:
            hands.write(name, text)
        terminal.good(f"{name}: without our lines")


def _restore(ledger: Ledger, name: str, hands: Hands, terminal: Terminal) -> None:
    text = hands.text(name)
    if text and digest(text.encode("utf-8", "surrogateescape")) != ledger.written[name]:
        kept = f"{name}.kept"
        hands.write(kept, text)
        terminal.say(f"  {name} was changed since; it is kept as {kept}", "yellow")
    if name in ledger.originals and name in ledger.before:
        hands.write(name, ledger.originals[name])
    else:
        hands.remove(name)


def _compared(ledger: Ledger, terminal: Terminal) -> bool:
    now = digests(Path(ledger.etc))
    differing = sorted(
        name for name in ledger.before.keys() | now.keys() if ledger.before.get(name) != now.get(name)
    )
    if not differing:
        terminal.good(f"{ledger.etc}: {len(now)} files, each as it was before the first step")
        ledger.file.unlink(missing_ok=True)
        return True
    for name in differing:
        terminal.bad(f"{name} is not as it was")
    return False
