"""Which numbers the PBX would be asked to dial by some actions: what the dial policy has to judge.

Every action and every context that call control uses has a row here. One that has none is refused, so that a new
verb cannot dial past the policy because somebody forgot a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from cti_server.asterisk.actions import Action
from cti_server.asterisk.call_actions import (
    Atxfer,
    BlindTransfer,
    CancelAtxfer,
    Hangup,
    MixMonitorMute,
    Originate,
    ParkedCalls,
    PJSIPNotify,
    PlayDTMF,
    Redirect,
    Setvar,
    StopMixMonitor,
)
from cti_server.asterisk.moves import Moves

TARGET: Final = "__CTI_TARGET"
#: context → whether its extension is a number that is dialled
CONTEXTS: Final[Mapping[str, bool]] = {
    "cti-dial": True,
    "cti-transfer": True,
    "cti-pick": True,
    "cti-return": True,
    "cti-invite": True,
    "cti-transfer-queue": False,
    "cti-consult-queue": False,
    "cti-park": False,
    "cti-pick-up": False,
    "cti-room": False,
}
#: actions that bring nobody new into a call
HARMLESS: Final[tuple[type[Action], ...]] = (
    Hangup,
    CancelAtxfer,
    PlayDTMF,
    MixMonitorMute,
    StopMixMonitor,
    ParkedCalls,
    PJSIPNotify,
)
#: variables that call control sets on a channel, none of which dials by itself
VARIABLES: Final = frozenset({"CTI_MUTED", "MUTEAUDIO(in)", "CTI_QUEUE", "CTI_PLACE", "CTI_RECORDING", TARGET})
#: `Local/13800138000@from-internal/n` and `PJSIP/13800138000@trunk`: the number and where it is dialled
_DIALS: Final = re.compile(r"[A-Za-z0-9]+/([+*#0-9]+)@([A-Za-z0-9_-]+)")


class Unfenced(LookupError):
    """An action, a context or a variable of which nobody has said what it dials."""


def numbers(moves: Moves) -> Iterator[str]:
    """The numbers that these actions dial, as the PBX is told them. Raises Unfenced for what has no row here."""
    target = ""
    for action in moves:
        match action:
            case Originate(channel=channel, context=context, exten=exten):
                if (by := _DIALS.match(channel)) is not None:
                    yield by[1]
                yield from _by_context(context, exten)
            case Redirect(context=context, exten=exten) | BlindTransfer(context=context, exten=exten):
                yield from _by_context(context, exten)
            case Atxfer(context="cti-consult"):
                if not target:
                    raise Unfenced("a consultation whose target is not said")
                yield target
            case Atxfer(context=context, exten=exten):
                yield from _by_context(context, exten)
            case Setvar(variable=variable, value=value):
                if variable not in VARIABLES:
                    raise Unfenced(f"the variable {variable}")
                target = value if variable == TARGET else target
            case _ if not isinstance(action, HARMLESS):
                raise Unfenced(f"the action {type(action).__name__}")


def _by_context(context: str, exten: str) -> Iterator[str]:
    if context not in CONTEXTS:
        raise Unfenced(f"the context {context}")
    if CONTEXTS[context]:
        yield exten
