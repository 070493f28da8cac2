"""The actions that the doctor sends to a PBX: they list or read, and do nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cti_server.asterisk.actions import Action, Getvar
from cti_server.asterisk.session import ActionFailed, ListBroken, Session

ANSWER_S = 5.0
DENIED = "Permission denied"


@dataclass(frozen=True, slots=True)
class ListCommands(Action):
    """Every action that this user may use, each with its `(Priv: …)`. Every user may ask it."""

    name = "ListCommands"


@dataclass(frozen=True, slots=True)
class CoreSettings(Action):
    name = "CoreSettings"


@dataclass(frozen=True, slots=True)
class ShowDialPlan(Action):
    name = "ShowDialPlan"
    is_list = True


@dataclass(frozen=True, slots=True)
class Bare(Action):
    """An action by name, without any headers. Only for actions that ListCommands did *not* list: Asterisk then
    answers that it is denied or unknown, and does nothing either way.
    """

    called: str

    @property
    def name(self) -> str:  # type: ignore[override]
        return self.called


async def value(session: Session, variable: str) -> str:
    """What Getvar answers; '' when it has no value, is denied, or knows no such function."""
    try:
        answer = await session.ask(Getvar(variable), ANSWER_S)
    except (ActionFailed, ListBroken):
        return ""
    return answer.response.get("Value") or ""


async def setting(session: Session, file: str, section: str, names: Sequence[str]) -> dict[str, str]:
    """Settings of one section of a file in /etc/asterisk; those that are not set, or cannot be read, are left out.

    Use it for permissions and flags only. The same function of Asterisk reads secrets, too, which is why the
    doctor warns when it is loaded.
    """
    found: dict[str, str] = {}
    for name in names:
        # -1: the last occurrence, which is the one that counts; an Asterisk without this index gives the first
        for index in (",-1", ""):
            if said := await value(session, f"AST_CONFIG({file},{section},{name}{index})"):
                found[name] = said
                break
    return found
