"""code: wrap-up codes, a tree whose paths are codes: `billing/refund` stands under `billing`."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Annotated, Any

import typer

from cti_server.cli.common import fail, read, read_settings, say, write
from cti_server.cli.given import LATER, Active, Position, Title, TitleZh, changes, some, there
from cti_server.cli.tables import Json, show_all, show_one

from .reasons import check, refuse_known

code = typer.Typer(no_args_is_help=True, help="Wrap-up codes: what became of a call.")

Code = Annotated[str, typer.Argument(help="Its path, e.g. billing/refund.")]
Queue = Annotated[str | None, typer.Option("--queue", help="For calls of this queue only; '' for all.")]
COLUMNS = ("code", "title_en", "title_zh", "queue", "position", "active")


@code.command("list")
def list_codes(json: Json = False) -> None:
    """Every code, parents first. One that is not active stays in the history, and cannot be chosen."""

    async def rows(conn: Any) -> list[dict[str, Any]]:
        from cti_server.record.center import wrap_up_codes

        return [asdict(one) for one in await wrap_up_codes.all_codes(conn)]

    show_all(COLUMNS, read(read_settings(), rows), json)


@code.command("show")
def show_code(path: Code, json: Json = False) -> None:
    """One code."""

    async def row(conn: Any) -> dict[str, Any]:
        return asdict(_of(path, await _codes(conn)))

    show_one(read(read_settings(), row), json)


@code.command("add")
def add_code(
    path: Code, title: Title = None, title_zh: TitleZh = None, queue: Queue = None, position: Position = None
) -> None:
    """Add a code."""
    from cti_server.api.agent.codes import NewWrapUpCode

    fields = changes(may_be_empty={"queue"}, title_en=title, title_zh=title_zh, queue=queue, position=position)
    check(NewWrapUpCode, path, fields)
    name = path.rpartition("/")[2]

    async def add(conn: Any) -> None:
        from cti_server.record.center import wrap_up_codes

        known = await _codes(conn)
        refuse_known("code", path, {one.code: one.active for one in known.values()})
        last = max((one.position for one in known.values()), default=-1) + 1
        names = {"title_en": title or name, "title_zh": title_zh or title or name}
        values: dict[str, Any] = {"position": min(last, 10_000)} | names | fields
        made = wrap_up_codes.WrapUpCode(code=path, **values)
        _check_place(made, known)
        await wrap_up_codes.save(conn, made)

    write(read_settings(), add)
    say(f"added code {path}{LATER}")


@code.command("set")
def set_code(
    path: Code,
    title: Title = None,
    title_zh: TitleZh = None,
    queue: Queue = None,
    position: Position = None,
    active: Active = None,
) -> None:
    """Change only what is given. --active brings a removed one back."""
    fields = changes(
        may_be_empty={"queue"}, title_en=title, title_zh=title_zh, queue=queue, position=position, active=active
    )
    some(fields, "cti-server code set")

    async def change(conn: Any) -> None:
        from cti_server.record.center import wrap_up_codes

        known = await _codes(conn)
        changed = replace(_of(path, known), **fields)
        if changed.active:
            _check_place(changed, known)
        for child in known.values():
            if child.active and child.parent == path:
                _check_place(child, known | {path: changed})
        await wrap_up_codes.save(conn, changed)

    write(read_settings(), change)
    say(f"changed code {path}{LATER}")


@code.command("remove")
def remove_code(path: Code) -> None:
    """It cannot be chosen any more; contacts that have it keep it."""

    async def remove(conn: Any) -> None:
        from cti_server.record.center import wrap_up_codes

        known = await _codes(conn)
        under = [one.code for one in known.values() if one.active and one.parent == path]
        if under:
            removals = "\n".join(f"cti-server code remove {child}" for child in under)
            fail(f"codes stand under {path}; these remove them:", removals)
        await wrap_up_codes.save(conn, replace(_of(path, known), active=False))

    write(read_settings(), remove)
    say(f"code {path} cannot be chosen any more; cti-server code set {path} --active brings it back{LATER}")


async def _codes(conn: Any) -> dict[str, Any]:
    from cti_server.record.center import wrap_up_codes

    return {one.code: one for one in await wrap_up_codes.all_codes(conn)}


def _of(path: str, known: dict[str, Any]) -> Any:
    return there(known.get(path), f"code {path}", "cti-server code list")


def _check_place(made: Any, known: dict[str, Any]) -> None:
    """A code can be chosen only under one that can, and for no other queue than that."""
    if made.parent is None:
        return
    parent = known.get(made.parent)
    if parent is None or not parent.active:
        how = "add" if parent is None else "set"
        more = "" if parent is None else " --active"
        fail(
            f"{made.code} stands under {made.parent}, which is no code",
            f"cti-server code {how} {made.parent}{more}",
        )
    if parent.queue not in (None, made.queue):
        fail(
            f"{parent.code} is for calls of {parent.queue}, and so is what stands under it",
            f"--queue {parent.queue}",
        )
