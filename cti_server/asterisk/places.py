"""Whether the dialplan has the place to which an action sends a caller.

Asterisk accepts a Redirect or BlindTransfer to a context that does not exist, and hangs the caller up (measured
on 22.10). So the place is asked for before anybody is moved. Atxfer and Originate fail by themselves, and harm
nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .actions import Action, Getvar
from .call_actions import BlindTransfer, Redirect
from .commands import Commands

#: contexts that also need the answer of a function, which is empty where its module is not loaded
NEEDS = {"cti-room": ("CONFBRIDGE_INFO(parties,cti)", "app_confbridge.so")}
#: every context of the desk begins with this one, which is in another file
COMMON = "cti-settings"


@dataclass(frozen=True, slots=True)
class Lacking:
    """What the PBX lacks, and the line that adds it."""

    what: str
    remedy: str


async def lacking(commands: Commands, actions: Sequence[Action]) -> Lacking | None:
    """What the PBX lacks for these actions; None when they can be run. Raises what Commands.run raises.

    A PBX that cannot tell (`func_dialplan` is not loaded) is believed to have everything.
    """
    for action in actions:
        if not isinstance(action, Redirect | BlindTransfer):
            continue
        if await _value(commands, f"DIALPLAN_EXISTS({action.context},{action.exten},1)") == "0":
            return _include("extensions_cti_desk.conf", action.context)
        if await _value(commands, f"DIALPLAN_EXISTS({COMMON},s,1)") == "0":
            return _include("extensions_cti.conf", COMMON)
        question, module = NEEDS.get(action.context, ("", ""))
        if question and not await _value(commands, question):
            return Lacking(f"the PBX has not loaded {module}", f'asterisk -rx "module load {module}"')
    return None


def _include(file: str, context: str) -> Lacking:
    where = "extensions.conf (FreePBX, Issabel: extensions_custom.conf)"
    return Lacking(
        f"the PBX has no context {context}",
        f'#tryinclude {file}   in {where}; then: asterisk -rx "dialplan reload"',
    )


async def _value(commands: Commands, question: str) -> str:
    return (await commands.run(Getvar(question))).response.get("Value") or ""
