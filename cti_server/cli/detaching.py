"""detach: leave a PBX's queues as they were before this server."""

from __future__ import annotations

from typing import Annotated

import typer

from cti_server.settings import PbxSettings, Settings

from .common import err, fail, out, read_settings, run


def detach(
    now: Annotated[
        bool, typer.Option("--now", help="Take members out of queues in which callers wait, too.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Even while a server is attached.")] = False,
) -> None:
    """Give back to the PBX what this server set: unpause its agents' phones, take out the members that it made.

    A server that is stopped in order does so by itself. This is for one that crashed, was killed or has gone; it
    works from any machine that reaches the manager.
    """
    run(_detach(read_settings(), now, force))


async def _detach(settings: Settings, now: bool, force: bool) -> None:
    left = False
    for pbx in settings.attached():
        left = await _detach_one(settings, pbx, now, force) or left
    if left:
        raise typer.Exit(1)


async def _detach_one(settings: Settings, pbx: PbxSettings, now: bool, force: bool) -> bool:
    """Returns whether something could not be given back."""
    from cti_server.asterisk.commands import Commands, NoAccount
    from cti_server.asterisk.session import ActionFailed, ListBroken
    from cti_server.handing_back import give_back
    from cti_server.record import leases
    from cti_server.record.database import Database

    async with Database(settings.database_url) as database:
        owner = await leases.living_holder(database, pbx.name)
        if not force and owner is not None:
            fail(
                f"a server is attached to {pbx.name}: {owner}",
                "systemctl stop cti-server     it gives everything back by itself; or --force",
            )
        commands = Commands(pbx)
        try:
            done = await give_back(pbx, database, commands, at_once=now)
        except NoAccount as cause:
            fail(str(cause), "cti-server doctor")
        except (ActionFailed, ListBroken, OSError, TimeoutError, LookupError, ValueError) as cause:
            why = str(cause) or type(cause).__name__
            fail(f"{pbx.name}: the manager at {pbx.host}:{pbx.port} does not answer: {why}", "cti-server doctor")
        finally:
            commands.close()
    for member in done.given.unpaused:
        out.print(f"{member.queue}: {member.interface} is unpaused (was {member.reason})", highlight=False)
    for member in done.given.removed:
        out.print(f"{member.queue}: {member.interface} is out of the queue", highlight=False)
    for member in done.given.kept:
        err.print(f"{member.queue}: {member.interface} stays, because callers wait there", highlight=False)
    for action, said in done.failed:
        err.print(f"{type(action).__name__}: {said}", highlight=False)
    if done.given.kept:
        err.print("run it again when they were served, or with --now", highlight=False)
    if not (done.given.unpaused or done.given.removed or done.given.kept):
        out.print(f"{pbx.name}: its queues have nothing of this server")
    return bool(done.given.kept or done.failed)
