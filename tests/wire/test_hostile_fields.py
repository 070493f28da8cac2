"""Field × hostile string: whatever stands in a field of an action, or in a variable for the dialplan, the wire
carries one message of the manager's grammar, or nothing. An action with a field of a type unknown here fails.
"""

from __future__ import annotations

import dataclasses
import re
import typing
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import Any, Final

import pytest

from cti_server.asterisk import actions, call_actions
from cti_server.asterisk.actions import Action
from cti_server.lookup.variables import NAMES, safe
from cti_server.wire.agi import UnsafeCommand, command
from cti_server.wire.ami import UnsafeText, encode

HOSTILE: Final = (
    "x\r\nAction: Originate",
    "x\nAction: Command\nCommand: core stop now",
    "x\rActionID: 1",
    "x\0y",
    "\r\n\r\nAction: Logoff",
    "x\u0085Action: Logoff",
    "x\u2028Action: Logoff",
    "\ud800",
    "\udc0a",  # a byte that was kept: LF, if somebody wrote it back without looking
    "\uef8a",
    "${SHELL(id)}",
    "$[1+1]",
    '"),System(id',
    "a,b&c|d^e",
    "%0d%0aAction: Logoff",
    "Ａction：Logoff",
    "x" * 70_000,
    "\x1b[2J",
    "",
)
#: one action as Asterisk's manager reads it: lines that end with CR LF, and an empty one
ONE_ACTION: Final = re.compile(rb"Action: [A-Za-z]+\r\nActionID: 1\r\n(?:[A-Za-z-]+: [^\r\n\0]*\r\n)*\r\n")
#: one command as res_agi reads it: a verb, then quoted arguments in which quotes and backslashes are escaped
ONE_COMMAND: Final = re.compile(rb'SET VARIABLE "[A-Z_]+" "(?:[^"\\\r\n\0]|\\["\\])*"\n')


def all_actions() -> list[type[Action]]:
    found = [
        one
        for module in (actions, call_actions)
        for one in vars(module).values()
        if isinstance(one, type) and issubclass(one, Action) and one is not Action
    ]
    return sorted(set(found), key=lambda one: one.__name__)


def plain(kind: Any) -> Any:
    """A harmless value of this type. Raises TypeError for a type that nobody has thought of."""
    origin, inside = typing.get_origin(kind), typing.get_args(kind)
    if origin is not None and type(None) in inside:
        return plain(next(one for one in inside if one is not type(None)))
    if origin in (typing.Literal,):
        return inside[0]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return next(iter(kind))
    known = {str: "x", int: 1, float: 1.0, bool: True}
    if kind in known:
        return known[kind]
    if origin is not None and issubclass(origin, Mapping):
        return {"CTI_X": "x"}
    if origin is tuple and len(inside) == 2 and inside[1] is Ellipsis:
        return (plain(inside[0]),)
    if origin is tuple:
        return tuple(map(plain, inside))
    if origin is not None and issubclass(origin, Sequence):
        return (plain(inside[0]),)
    raise TypeError(f"{kind}: say in `plain` and `filled` what a hostile one is")


def filled(value: Any, text: str) -> Iterator[Any]:
    """The value with the text in place of each text in it, one at a time."""
    match value:
        case str() if not isinstance(value, Enum):
            yield text
        case dict():
            yield dict.fromkeys(value, text)
            yield {text: "x"}
        case tuple():
            for at, one in enumerate(value):
                for other in filled(one, text):
                    yield (*value[:at], other, *value[at + 1 :])


@pytest.mark.parametrize("action", all_actions(), ids=lambda one: one.__name__)
def test_an_action_is_one_action_or_is_not_sent(action: type[Action]) -> None:
    kinds = typing.get_type_hints(action)
    base = {field.name: plain(kinds[field.name]) for field in dataclasses.fields(action) if field.init}
    sent = 0
    for name, value in base.items():
        for text in HOSTILE:
            for hostile in filled(value, text):
                try:
                    made = action(**(base | {name: hostile}))
                    wire = encode([("Action", made.name), ("ActionID", "1"), *made.headers()])
                except (UnsafeText, ValueError):
                    continue
                assert ONE_ACTION.fullmatch(wire), (name, text[:40], wire[:200])
                sent += 1
    assert sent or not base


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("name", NAMES)
def test_a_variable_is_one_command_that_the_dialplan_cannot_expand(name: str, text: str) -> None:
    value = safe(text)
    assert not re.search(r"[\r\n\0\"'\\$,;|&^(){}\[\]%]", value)
    assert ONE_COMMAND.fullmatch(command("SET VARIABLE", name, value))


@pytest.mark.parametrize("text", HOSTILE)
def test_an_argument_that_nobody_cleaned_is_one_command_or_is_not_sent(text: str) -> None:
    try:
        wire = command("SET VARIABLE", "CTI_X", text)
    except UnsafeCommand:
        return
    assert ONE_COMMAND.fullmatch(wire)
