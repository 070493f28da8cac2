"""What options give: `set` changes only what is given, and an empty text takes a value away."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Annotated, Any, TypeVar

import typer

from cti_server.settings import Settings

from .common import fail

MAX_NUMBER = 2_147_483_647  # what a column of whole numbers holds in either database
MAX_NAME = 80  # characters; what the API takes for logins, titles and names of queues
LATER = "; a running server knows it within 15 s"
T = TypeVar("T")

Title = Annotated[str | None, typer.Option("--title", help="Its name in English.")]
TitleZh = Annotated[str | None, typer.Option("--title-zh", help="Its name in Chinese.")]
Pbx = Annotated[str | None, typer.Option("--pbx", help="Its PBX; the first one unless named.")]
Position = Annotated[
    int | None, typer.Option("--position", min=0, max=10_000, help="Its place in lists; the last unless given.")
]
Active = Annotated[bool | None, typer.Option("--active/--inactive", help="Whether it can be used.")]


def changes(*, may_be_empty: Collection[str] = (), **options: Any) -> dict[str, Any]:
    """The options that were given. '' is "none" for those that may be without a value, and refused for others."""
    found: dict[str, Any] = {}
    for name, value in options.items():
        if value is None:
            continue
        if isinstance(value, str):
            if not value.strip() and name not in may_be_empty:
                fail(f"{_option(name)} must not be empty")
            value = text(_option(name), value.strip()) or None
        found[name] = value
    return found


def some(found: dict[str, Any], command: str) -> dict[str, Any]:
    """The changes, of which there must be one."""
    if not found:
        fail("nothing to change was given", f"{command} --help   names the options")
    return found


def text(what: str, value: str, limit: int = MAX_NAME) -> str:
    if len(value) > limit:
        fail(f"{what} has {len(value)} characters; the limit is {limit}")
    if not value.isprintable():
        fail(f"{what} has a line end or another control character in it")
    return value


def one_of(what: str, value: str | None, allowed: Iterable[str]) -> None:
    if value is not None and value not in (known := list(allowed)):
        fail(f"{what} is one of {', '.join(known)}; not {value}")


def region_of(given: str) -> str:
    """The region that was named, e.g. CN. By a misspelt one no local number could be read."""
    from cti_server.rules.numbers import REGIONS

    if (region := given.strip().upper()) not in REGIONS:
        fail(f"{given} is no region", "two letters, as CN, GB or US (ISO 3166): whose numbers they are")
    return region


def pbx_of(settings: Settings, named: str | None) -> str:
    """The PBX that was named, else the first. A misspelt name would make a queue or phone that nobody sees."""
    known = [pbx.name for pbx in settings.attached()]
    if named is not None and named not in known:
        fail(f"the settings name no PBX {named}", f"--pbx {' or '.join(known)}")
    return named or known[0]


def there(thing: T | None, what: str, remedy: str) -> T:
    if thing is None:
        fail(f"there is no {what}", remedy)
    return thing


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")
