"""A dialplan as ShowDialPlan lists it, and where a dialled number leads in it.

This follows what is written, not what would happen: conditions are not evaluated, both branches are followed, and
a target that only a running call knows (a variable) is not. So it can say "reaches Queue() unasked" and "I lost
it", and never promises more.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from cti_server.wire.ami import Message

MAX_STEPS = 20_000  # in following one number; a FreePBX line takes a few hundred
IDENTIFY = "cti-identify"
BRANCHES = {"Goto", "GotoIf", "Gosub", "GosubIf", "ExecIf", "Macro"}
WAITS_FOR_KEYS = {"WaitExten", "Background"}


@dataclass(frozen=True, slots=True)
class Step:
    priority: int
    label: str | None
    application: str
    data: str


@dataclass(slots=True)
class Context:
    extensions: dict[str, list[Step]] = field(default_factory=lambda: defaultdict(list))
    includes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Reached:
    """Where a number leads. `asked`: some way asks who is calling. `unasked`: (context, extension, queue) of each
    Queue() that is reached without asking. `ends`: the (context, extension) visited last."""

    asked: bool = False
    unasked: list[tuple[str, str, str]] = field(default_factory=list)
    ends: tuple[str, str] = ("", "")


class Dialplan:
    def __init__(self, rows: Iterable[Message]) -> None:
        self.contexts: dict[str, Context] = defaultdict(Context)
        for row in rows:
            if row.event == "ListDialplan" and (name := row.get("Context")):
                self._add(self.contexts[name], row)
        for context in self.contexts.values():
            for steps in context.extensions.values():
                steps.sort(key=lambda step: step.priority)

    @staticmethod
    def _add(context: Context, row: Message) -> None:
        if (included := row.get("IncludeContext")) is not None:
            context.includes.append(included)
        extension, priority, application = row.get("Extension"), row.get("Priority"), row.get("Application")
        if extension and application and priority is not None and priority.isdecimal():
            step = Step(int(priority), row.get("ExtensionLabel"), application, row.get("AppData") or "")
            context.extensions[extension].append(step)

    def steps(self) -> Iterator[tuple[str, str, Step]]:
        for name, context in self.contexts.items():
            for extension, steps in context.extensions.items():
                for step in steps:
                    yield name, extension, step

    def callers_of_identify(self) -> list[tuple[str, str]]:
        """(context, extension) of each step that asks who is calling."""
        return [(c, e) for c, e, step in self.steps() if c != IDENTIFY and asks(step)]

    def _asks_within(self, step: Step, extension: str, depth: int = 3) -> bool:
        """Whether the step asks, itself or in a subroutine that it calls and returns from."""
        if asks(step):
            return True
        if step.application not in ("Gosub", "GosubIf", "Macro") or not depth:
            return False
        called = [self.match(context, exten) or [] for context, exten, _ in targets(step, extension) if context]
        return any(self._asks_within(inner, "s", depth - 1) for steps in called for inner in steps)

    def assigned(self, context: str, name: str) -> str | None:
        """The value of the last Set(name=…) in this context."""
        found = [
            step.data.partition("=")[2]
            for _, steps in (self.contexts[context].extensions.items() if context in self.contexts else ())
            for step in steps
            if step.application == "Set" and step.data.partition("=")[0].strip() == name
        ]
        return found[-1] if found else None

    def contexts_with(self, extension: str) -> list[str]:
        """The contexts with exactly this extension, such as inbound routes."""
        return [name for name, context in self.contexts.items() if extension in context.extensions]

    # --- following a number ----------------------------------------------------------------------------

    def follow(self, context: str, extension: str) -> Reached:
        reached = Reached(ends=(context, extension))
        todo: list[tuple[str, str, str, bool]] = [(context, extension, "1", False)]
        visited: set[tuple[str, str, str, bool]] = set()
        while todo and len(visited) < MAX_STEPS:
            place = todo.pop()
            if place in visited:
                continue
            visited.add(place)
            todo.extend(self._walk(*place, reached))
        return reached

    def _walk(
        self, context: str, extension: str, start: str, asked: bool, reached: Reached
    ) -> list[tuple[str, str, str, bool]]:
        """Go through one extension from `start`; returns the branches that are still to be followed."""
        found = self.match(context, extension)
        if found is None:
            return []
        branches: list[tuple[str, str, str, bool]] = []
        for step in _from(found, start):
            reached.ends = (context, extension)
            if self._asks_within(step, extension):
                asked = reached.asked = True
            elif step.application == "Queue":
                if not asked:
                    queue = substitute(step.data.partition(",")[0], extension)
                    reached.unasked.append((context, extension, queue))
            elif step.application in WAITS_FOR_KEYS:
                keys = [key for key in self.contexts[context].extensions if key != extension]
                branches += [(context, key, "1", asked) for key in keys]
            elif step.application in BRANCHES:
                for target in targets(step, extension):
                    branches.append((target[0] or context, target[1] or extension, target[2], asked))
                if step.application == "Goto":
                    break
        return branches

    def match(self, context: str, extension: str, depth: int = 0) -> list[Step] | None:
        """The steps for an extension: its own, else those of the pattern with the most digits, else those of an
        included context. None when nothing matches."""
        if context not in self.contexts or depth > 20:
            return None
        here = self.contexts[context]
        if extension in here.extensions:
            return here.extensions[extension]
        patterns = [p for p in here.extensions if p.startswith("_") and pattern(p).fullmatch(extension)]
        if patterns:
            return here.extensions[max(patterns, key=lambda p: sum(c.isdigit() for c in p))]
        return next((f for i in here.includes if (f := self.match(i, extension, depth + 1)) is not None), None)


def asks(step: Step) -> bool:
    """Whether this step asks a CTI server who is calling."""
    if step.application in ("Gosub", "GosubIf", "ExecIf"):
        return f"{IDENTIFY}," in step.data
    return step.application in ("AGI", "EAGI") and "identify" in step.data


def targets(step: Step, extension: str) -> list[tuple[str, str, str]]:
    """(context, extension, priority) of each target of a step; '' for a part that stays. Targets that only a
    running call knows are left out."""
    data = substitute(step.data, extension)
    if step.application == "Macro":
        return [(f"macro-{data.partition(',')[0]}", "s", "1")]
    if step.application == "ExecIf":
        calls = re.findall(r"(?:Goto|Gosub)\(([^()]*(?:\([^()]*\))?)\)", data.partition("?")[2])
        return [place for call in calls if (place := _place(call)) is not None]
    if step.application.endswith("If"):
        data = data.partition("?")[2]
        parts = re.split(r":(?![^(]*\))", data)
        return [place for part in parts if part and (place := _place(part)) is not None]
    return [place] if (place := _place(data)) is not None else []


def _place(text: str) -> tuple[str, str, str] | None:
    text = re.sub(r"\(.*\)\s*$", "", text.strip())  # Gosub's arguments
    parts = [part.strip() for part in text.split(",")]
    if not 1 <= len(parts) <= 3 or any("$" in part for part in parts) or not parts[-1]:
        return None
    context, extension, priority = [""] * (3 - len(parts)) + parts
    return context, extension, priority


def substitute(text: str, extension: str) -> str:
    """Fill in ${EXTEN}, ${EXTEN:2} and ${FILTER(0-9,${EXTEN})} for this extension; the rest stays as it is."""
    text = re.sub(r"\$\{EXTEN(?::(\d+))?\}", lambda m: extension[int(m[1] or 0) :], text)
    return re.sub(r"\$\{FILTER\(0-9,([^${}]*)\)\}", lambda m: re.sub(r"\D", "", m[1]), text)


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


def _from(steps: list[Step], start: str) -> list[Step]:
    """The steps from this priority or label on."""
    if start.isdecimal():
        return [step for step in steps if step.priority >= int(start)]
    at = next((step.priority for step in steps if step.label == start), None)
    return [] if at is None else [step for step in steps if step.priority >= at]
