"""A dialplan as ShowDialPlan lists it: contexts, their extensions and includes, the steps of an extension."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from cti_server.doctor.dialplan.steps import Step, Target, acts, targets
from cti_server.wire.ami import Message

#: applications by their names, whose case is whoever wrote them's
KNOWN = {
    name.casefold(): name
    for name in (
        *("AGI", "Background", "Busy", "Congestion", "Dial", "EAGI", "Exec", "ExecIf", "ExecIfTime", "FollowMe"),
        *("Gosub", "GosubIf", "Goto", "GotoIf", "GotoIfTime", "Hangup", "Macro", "MacroExit", "MacroIf", "Page"),
        *("Queue", "RetryDial", "Return", "Set", "TryExec", "WaitExten"),
    )
}
MAX_DEPTH = 20  # includes within includes


@dataclass(slots=True)
class Context:
    """`elsewhere`: a switch brings further extensions, from a database or another PBX, which are not
    listed. `of_file`: it is of extensions.conf, and not of a module."""

    extensions: dict[str, list[Step]] = field(default_factory=dict)
    includes: list[str] = field(default_factory=list)
    elsewhere: bool = False
    of_file: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """A step, and where it stands."""

    context: str
    extension: str
    step: Step

    def __str__(self) -> str:
        return f"{self.extension}@{self.context}"


class Dialplan:
    def __init__(self, rows: Iterable[Message]) -> None:
        self.contexts: dict[str, Context] = {}
        for row in rows:
            if row.event == "ListDialplan" and (name := row.get("Context")):
                self._add(self.contexts.setdefault(name, Context()), row)
        for context in self.contexts.values():
            for steps in context.extensions.values():
                steps.sort(key=lambda step: step.priority)

    @staticmethod
    def _add(context: Context, row: Message) -> None:
        if (included := row.get("IncludeContext")) is not None:
            context.includes.append(re.split(r"[,|]", included)[0])  # what follows says at which times it counts
        context.of_file = context.of_file or row.get("Registrar") == "pbx_config"
        if row.get("Switch") is not None:
            context.elsewhere = True
        extension, priority, application = row.get("Extension"), row.get("Priority"), row.get("Application")
        if extension and application and priority is not None and priority.isdecimal():
            named = KNOWN.get(application.casefold(), application)
            step = Step(int(priority), row.get("ExtensionLabel"), named, row.get("AppData") or "")
            context.extensions.setdefault(extension, []).append(step)

    def places(self) -> Iterator[Place]:
        """Every step, and where it stands; those that an ExecIf or the like does are among them."""
        for name, context in self.contexts.items():
            for extension, steps in context.extensions.items():
                for step in steps:
                    yield from (Place(name, extension, act) for act in acts(step))

    def assigned(self, context: str, name: str) -> str | None:
        """The value of the last Set(name=…) in this context."""
        found = [
            place.step.data.partition("=")[2]
            for place in self.places()
            if place.context == context
            and place.step.application == "Set"
            and place.step.data.partition("=")[0].strip() == name
        ]
        return found[-1] if found else None

    def contexts_with(self, extension: str) -> list[str]:
        """The contexts with exactly this extension, such as inbound routes."""
        return [name for name, context in self.contexts.items() if extension in context.extensions]

    def matching(self, extension: str) -> list[str]:
        """The contexts with a pattern of their own for this extension."""
        return [
            name
            for name, context in self.contexts.items()
            if any(p.startswith("_") and pattern(p).fullmatch(extension) for p in context.extensions)
        ]

    def match(self, context: str, extension: str, depth: int = 0) -> list[Step] | None:
        """The steps for an extension: its own, else those of the pattern with the most digits, else those of an
        included context. None when nothing matches."""
        if context not in self.contexts or depth > MAX_DEPTH:
            return None
        here = self.contexts[context]
        if extension in here.extensions:
            return here.extensions[extension]
        patterns = [p for p in here.extensions if p.startswith("_") and pattern(p).fullmatch(extension)]
        if patterns:
            return here.extensions[max(patterns, key=lambda p: sum(c.isdigit() for c in p))]
        return next((f for i in here.includes if (f := self.match(i, extension, depth + 1)) is not None), None)

    def extensions_in(self, context: str, depth: int = 0) -> set[str]:
        """The extensions of a context, and of what it includes."""
        if context not in self.contexts or depth > MAX_DEPTH:
            return set()
        here = self.contexts[context]
        return set(here.extensions).union(*(self.extensions_in(name, depth + 1) for name in here.includes))

    def has(self, target: Target, context: str = "", extension: str = "") -> bool:
        """Whether a target is there, seen from this context and extension. True also where that cannot
        be known."""
        into, to = target.context or context, target.extension or extension
        if into not in self.contexts:
            return False
        if "$" in to or self._elsewhere(into):
            return True
        found = self.match(into, to)
        return found is not None and bool(from_priority(found, target.priority))

    def _elsewhere(self, name: str, depth: int = 0) -> bool:
        context = self.contexts.get(name)
        if context is None or depth > MAX_DEPTH:
            return False
        return context.elsewhere or any(self._elsewhere(other, depth + 1) for other in context.includes)

    def entered(self) -> set[str]:
        """The contexts that another context includes or leads to."""
        found = {other for name, c in self.contexts.items() for other in c.includes if other != name}
        for place in self.places():
            found |= {t.context for t in targets(place.step) if t.context and t.context != place.context}
        return found


def from_priority(steps: list[Step], start: str) -> list[Step]:
    """The steps from this priority or label on; none where there is no such label."""
    if start.isdecimal():
        return [step for step in steps if step.priority >= int(start)]
    at = next((step.priority for step in steps if step.label == start), None)
    return [] if at is None else [step for step in steps if step.priority >= at]


@lru_cache(maxsize=20_000)  # a FreePBX has some thousands
def pattern(text: str) -> re.Pattern[str]:
    """An Asterisk pattern, `_9NXX.`, as a regular expression."""
    classes = {"X": "[0-9]", "Z": "[1-9]", "N": "[2-9]", ".": ".+", "!": ".*", "-": ""}
    made, rest = "", text.removeprefix("_")
    while rest:
        if rest[0] == "[" and "]" in rest:
            inside, _, rest = rest[1:].partition("]")
            made += "[" + inside.replace("\\", "\\\\").replace("^", "\\^") + "]"
        else:
            made += classes.get(rest[0].upper() if rest[0].isalpha() else rest[0], re.escape(rest[0]))
            rest = rest[1:]
    try:
        return re.compile(made)
    except re.error:
        return re.compile(r"(?!)")
