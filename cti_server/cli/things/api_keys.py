"""api-key: keys of other programs, with what each may do and until when."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from cti_server.cli.common import fail, out, read, read_settings, say, write
from cti_server.cli.given import MAX_NUMBER, text
from cti_server.cli.tables import Json, show_all

api_key = typer.Typer(no_args_is_help=True, help="Keys of other programs, for the REST API.")

COLUMNS = ("id", "name", "scopes", "good", "expires_at", "used_at", "created_by")


@api_key.command("list")
def list_keys(json: Json = False) -> None:
    """Every key, also those that are over. The keys themselves are not kept."""

    async def rows(conn: Any) -> list[dict[str, Any]]:
        from cti_server.api.admin.api_keys import key_view
        from cti_server.record.center import api_keys

        now = datetime.now(UTC)
        return [dict(key_view(key, now)) for key in await api_keys.everything(conn)]

    show_all(COLUMNS, read(read_settings(), rows), json)


@api_key.command("add")
def add_key(
    name: Annotated[str, typer.Argument(help="What it is for.")],
    scope: Annotated[list[str], typer.Option("--scope", help="What it may do. Again for more.")],
    days: Annotated[int, typer.Option("--days", min=1, max=730, help="How long it is good.")] = 365,
) -> None:
    """Make a key. It is printed this once: send it as  Authorization: Bearer KEY."""
    from cti_server.rules.operations import NUMBERS, SCOPES

    text("the name", name)
    if strange := set(scope) - {*SCOPES, NUMBERS}:
        fail(f"there is no scope {', '.join(sorted(strange))}", f"scopes: {', '.join((*SCOPES, NUMBERS))}")

    async def add(conn: Any) -> str:
        from cti_server.api.admin.api_keys import made_key

        token, _ = await made_key(conn, name, frozenset(scope), days, getpass.getuser(), datetime.now(UTC))
        return token

    token = write(read_settings(), add)
    out.print(token, markup=False, highlight=False, soft_wrap=True)


@api_key.command("revoke")
def revoke_key(key: Annotated[int, typer.Argument(min=1, max=MAX_NUMBER, help="Its number.")]) -> None:
    """From now on it opens nothing."""

    async def revoke(conn: Any) -> bool:
        from cti_server.record.center import api_keys

        return await api_keys.revoke(conn, key, datetime.now(UTC))

    if not write(read_settings(), revoke):
        fail(f"there is no key {key} that still opens anything", "cti-server api-key list")
    say(f"key {key} opens nothing any more")
