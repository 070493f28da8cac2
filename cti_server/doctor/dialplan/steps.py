"""One step of a dialplan: what it does, where it leads, and whether it looks before it leaps.

Conditions are not evaluated: whatever a step may do, it is taken to do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

IDENTIFY = "cti-identify"
QUEUE = "cti-queue"
#: applications that do another one, on a condition or guarded against its failure
WRAPPERS = {"ExecIf", "ExecIfTime", "Exec", "TryExec"}
#: applications after which the extension is over
LAST = {"Goto", "Hangup", "Return", "Congestion", "Busy", "MacroExit"}
SUBROUTINES = {"Gosub", "GosubIf", "Macro", "MacroIf"}

How = Literal["goto", "gosub", "leg"]


@dataclass(frozen=True, slots=True)
class Step:
    priority: int
    label: str | None
    application: str
    data: str


@dataclass(frozen=True, slots=True)
class Target:
    """A place that a step leads to; '' for a part that stays as it is. `how`: the call goes there (`goto`)
    or there and back (`gosub`), or another leg does before it rings (`leg`)."""

    context: str
    extension: str
    priority: str
    how: How


def acts(step: Step) -> list[Step]:
    """The step itself, or the applications that an ExecIf, ExecIfTime, Exec or TryExec does in its place."""
    if step.application not in WRAPPERS:
        return [step]
    data = step.data
    if step.application.startswith("ExecIf"):
        data = _after(data, "?")
    parts = split(data, ":") if step.application == "ExecIf" else [data]
    inner = [part.strip().partition("(") for part in parts if part.strip()]
    named = [replace(step, application=name.strip(), data=rest.removesuffix(")")) for name, _, rest in inner]
    return [act for one in named for act in acts(one)]


def asks(act: Step) -> bool:
    """Whether it asks a CTI server who is calling, if what it calls is there."""
    if act.application in ("AGI", "EAGI"):
        return "identify" in act.data
    return any(target.context == IDENTIFY for target in targets(act) if target.how != "leg")


def queue_of(act: Step, extension: str) -> str | None:
    """The queue in which the call waits by this step; None for a step that is no Queue(), nor calls cti-queue."""
    data = substitute(act.data, extension)
    if act.application == "Queue":
        return data.partition(",")[0].strip()
    if act.application in SUBROUTINES and (found := re.search(rf"\b{QUEUE},s,1\(([^,)]*)", data)):
        return found[1].strip()
    return None


# --- where it leads ---------------------------------------------------------------------------------------


def targets(act: Step, extension: str | None = None) -> list[Target]:
    """Every place that this step may lead to, conditions aside; `extension` is the one that was dialled,
    where that is known. Contexts and priorities that only a running call knows are left out; an extension
    may still hold a variable."""
    data = act.data if extension is None else substitute(act.data, extension)
    match act.application:
        case "Goto" | "Gosub":
            return _places([data], "goto" if act.application == "Goto" else "gosub")
        case "GotoIf" | "GosubIf" | "GotoIfTime":
            how: How = "gosub" if act.application == "GosubIf" else "goto"
            return _places(split(_after(data, "?"), ":"), how)
        case "Macro":
            return [Target(f"macro-{split(data, ',')[0].strip()}", "s", "1", "gosub")]
        case "MacroIf":
            names = [split(part, ",")[0].strip() for part in split(_after(data, "?"), ":")]
            return [Target(f"macro-{name}", "s", "1", "gosub") for name in names if name]
        case "Dial" | "Queue" | "Page" | "FollowMe" | "RetryDial":
            return [*_of_options(data, act.application)]
        case _:
            return []


def keys_context(act: Step) -> str | None:
    """Where the keys that a caller presses during this step lead: '' its own context; None where they lead
    nowhere."""
    if act.application == "WaitExten":
        return ""
    if act.application == "Background":
        arguments = split(act.data, ",")
        return arguments[3].strip() if len(arguments) > 3 else ""
    return None


def _places(texts: Iterable[str], how: How) -> list[Target]:
    found = (_place(text) for text in texts)
    return [Target(*place, how) for place in found if place is not None]


def _place(text: str) -> tuple[str, str, str] | None:
    text = re.sub(r"\((?:[^()]|\([^()]*\))*\)\s*$", "", text.strip())  # Gosub's arguments
    parts = [part.strip() for part in split(text, ",")]
    if not 1 <= len(parts) <= 3 or not parts[-1]:
        return None
    context, extension, priority = [""] * (3 - len(parts)) + parts
    return None if "$" in context or "$" in priority else (context, extension, priority)


def _of_options(data: str, application: str) -> Iterator[Target]:
    """b(context^s^1) and B(…) of Queue() and Dial(); G(context^s^1) and U(context^argument) of Dial()."""
    for option, inside in re.findall(r"([bBGU])\(([\w.-]+(?:\^[^()]*(?:\([^()]*\))?)?)\)", data):
        parts = inside.split("^")
        if option == "U" and application == "Dial":
            yield Target(parts[0], "s", "1", "leg")
        elif option == "G" and application == "Dial" and len(parts) == 3:
            yield Target(parts[0], parts[1], parts[2], "goto")
        elif option in "bB" and len(parts) == 3:
            yield Target(parts[0], parts[1], parts[2].partition("(")[0], "leg")


# --- whether it looks first -------------------------------------------------------------------------------


def looks_for(steps: Iterable[Step], context: str) -> bool:
    """Whether one of these steps asks whether the context is there: DIALPLAN_EXISTS(context,…) or VALID_EXTEN."""
    return any(context in looked_for(step) for step in steps)


def looked_for(step: Step) -> list[str]:
    """The contexts whose presence this step asks for."""
    return re.findall(r"(?:DIALPLAN_EXISTS|VALID_EXTEN)\(\s*([\w.-]+)\s*[,)]", step.data)


def safe(act: Step, target: Target) -> str:
    """What does the same as this step, and nothing where the target is not there."""
    exists = f"$[${{DIALPLAN_EXISTS({target.context},{target.extension},{target.priority})}}]"
    if target.how == "leg":
        option = re.search(rf"[bBU]\({re.escape(target.context)}[^()]*(?:\([^()]*\))?\)", act.data)
        wanted = option[0] if option else f"b({target.context}^{target.extension}^{target.priority})"
        return f"{act.application}({act.data.replace(wanted, f'${{IF({exists}?{wanted})}}')})"
    if act.application in ("Goto", "Gosub"):
        return f"{act.application}If({exists}?{act.data})"
    application = "GotoIf" if target.how == "goto" else "GosubIf"
    return f"{application}({exists}?{target.context},{target.extension},{target.priority})"


# --- reading what is written ------------------------------------------------------------------------------


def split(text: str, at: str) -> list[str]:
    """The parts between this separator, outside of brackets."""
    parts, depth, begun = [], 0, 0
    for index, char in enumerate(text):
        if char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
        elif char == at and depth <= 0:
            parts.append(text[begun:index])
            begun = index + 1
    return [*parts, text[begun:]]


def _after(text: str, at: str) -> str:
    """What follows the first separator outside of brackets, all of it; '' where there is none."""
    first = split(text, at)[0]
    return text[len(first) + 1 :]


def substitute(text: str, extension: str) -> str:
    """Fill in ${EXTEN}, ${EXTEN:2} and ${FILTER(0-9,${EXTEN})} for this extension; the rest stays as it is."""
    text = re.sub(r"\$\{EXTEN(?::(\d+))?\}", lambda m: extension[int(m[1] or 0) :], text)
    return re.sub(r"\$\{FILTER\(0-9,([^${}]*)\)\}", lambda m: re.sub(r"\D", "", m[1]), text)
