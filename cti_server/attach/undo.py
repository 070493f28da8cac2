"""The way back: what was set at the queues, the edits, our files; and whether all is as it was."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from cti_server.asterisk.commands import Commands
from cti_server.handing_back import give_back
from cti_server.record import leases
from cti_server.record.database import Database
from cti_server.settings import Settings

from .edits import NotThere, undone
from .hands import Hands
from .layout import led_through
from .ledger import Ledger, digest, digests
from .terminal import Declined, Terminal

RELOADS = ("dialplan reload", "module reload features", "manager reload")


async def undo(ledger: Ledger, settings: Settings | None, hands: Hands, terminal: Terminal) -> bool:
    """Take the attachment back. Returns whether /etc/asterisk is as it was before it. `settings` are None where
    they cannot be read: then the queues are not asked, and the files go back all the same."""
    terminal.step("The way back")
    await _server_first(settings, terminal)
    if ledger.here:
        _routes_first(Path(ledger.etc), terminal)
    for edit in reversed(ledger.edits):
        terminal.say(f"  {Path(ledger.etc) / edit.file}, {edit.place}: out with")
        terminal.lines(edit.new)
    terminal.say(f"  {ledger.etc}: {', '.join(sorted(ledger.written))} are deleted, or are as they were")
    if not terminal.confirm("Do it?", default=True):
        raise Declined("nothing was changed")
    if settings is not None:
        await _give_back(settings, terminal)
    if not ledger.here:
        return _elsewhere(ledger, terminal)
    changed: set[str] = set()
    for name in dict.fromkeys(edit.file for edit in ledger.edits):
        _take_back(ledger, name, hands, terminal, changed)
    for name in list(ledger.written):
        _restore(ledger, name, hands, terminal)
    for line in RELOADS:
        if hands.cli(line) is not None:
            terminal.good(line)
        else:
            terminal.lines([f'asterisk -rx "{line}"'])
    return _compared(ledger, terminal, changed)


async def _server_first(settings: Settings | None, terminal: Terminal) -> None:
    """A server that runs would pause its agents' phones again, by the session that it has, and could not unpause
    them any more once the manager's users are gone."""
    while settings is not None and (owner := await _attached(settings)) is not None:
        terminal.say(f"  A server is attached: {owner}. Stop it first; it gives back what it set:", "yellow")
        terminal.lines(["systemctl stop cti-server"])
        if terminal.yes:
            raise Declined("nothing was changed; stop the server first")
        if not terminal.confirm("Look again?"):
            raise Declined("nothing was changed")


async def _attached(settings: Settings) -> str | None:
    """The server that is attached to one of these PBXs; None where there is none, or where the record is away."""
    for pbx in settings.attached():
        with suppress(Exception):  # without a record the files go back all the same
            async with Database(settings.database_url) as database:
                if (owner := await leases.living_holder(database, pbx.name)) is not None:
                    return owner
    return None


def _routes_first(etc: Path, terminal: Terminal) -> None:
    """FreePBX and Issabel call our contexts without looking: no call may be led there any more before they go."""
    while places := led_through(etc):
        terminal.say(f"  Calls would be cut off that are still led to our contexts: {', '.join(places)}", "yellow")
        terminal.lines(
            [
                "Connectivity → Inbound Routes: point the route to where its Custom Destination leads",
                "Admin → Custom Destinations: delete it; Apply Config",
            ]
        )
        if terminal.yes:
            raise Declined("nothing was changed; do this on its screens first")
        if not terminal.confirm("Look again?"):
            raise Declined("nothing was changed")


def _elsewhere(ledger: Ledger, terminal: Terminal) -> bool:
    """The PBX is another machine, on which nobody here may write: what to do there."""
    terminal.say("  On the PBX, after the lines above are out:")
    terminal.lines([f"rm /etc/asterisk/{name}" for name in sorted(ledger.written)])
    terminal.lines([f'asterisk -rx "{line}"' for line in RELOADS])
    terminal.wait("Tell me when it is done; it is not compared from here.")
    ledger.file.unlink(missing_ok=True)
    return True


async def _give_back(settings: Settings, terminal: Terminal) -> None:
    """Before the manager's users go: unpause, and take out of queues."""
    for pbx in settings.attached():
        commands = Commands(pbx)
        try:
            async with Database(settings.database_url) as database:
                done = await give_back(pbx, database, commands, at_once=True)
        except Exception as cause:  # the record or the PBX is away: the files go back all the same
            terminal.bad(f"{pbx.name}: its queues were not asked: {cause}")
            continue
        finally:
            commands.close()
        terminal.good(f"queues: {len(done.given.unpaused)} unpaused, {len(done.given.removed)} taken out")


def _take_back(ledger: Ledger, name: str, hands: Hands, terminal: Terminal, changed: set[str]) -> None:
    """Take our lines out of a file of theirs; what others have written there since stays."""
    text = hands.text(name)
    left = [one for one in ledger.edits if one.file == name]
    while left:
        copies = sum(one.lines() == left[-1].lines() for one in left)
        edit = left.pop()
        try:
            text = undone(text, edit, copies)
        except NotThere:
            if any(line.strip() in text for line in edit.new if line.strip()):
                changed.add(name)
                terminal.bad(f"{name}: what was written {edit.place} was changed since; take out by hand:")
                terminal.lines(edit.lines())
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


def _compared(ledger: Ledger, terminal: Terminal, changed: set[str]) -> bool:
    """Whether nothing of the attachment is left. What others have changed since is named, and is theirs."""
    now = digests(Path(ledger.etc))
    differing = sorted(
        name for name in ledger.before.keys() | now.keys() if ledger.before.get(name) != now.get(name)
    )
    for name in differing:
        if name not in changed:
            terminal.say(
                f"  {name} is not as it was: others have changed it, and nothing of ours is in it", "yellow"
            )
    if changed:
        return False
    same = len(now) - len([name for name in differing if name in now])
    terminal.good(f"{ledger.etc}: {same} of {len(now)} files are as they were before the first step")
    ledger.file.unlink(missing_ok=True)
    return True
