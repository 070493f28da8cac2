"""Asks the administrator: each question has an answer to take by pressing Enter, and a script takes them all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import typer
from rich.console import Console
from rich.text import Text


class Declined(Exception):
    """The administrator does not want to go on."""


@dataclass(slots=True)
class Terminal:
    """`yes`: take every default, ask nobody."""

    yes: bool = False
    console: Console = field(default_factory=Console)

    def say(self, text: str = "", style: str = "") -> None:
        self.console.print(Text(text, style), soft_wrap=True)

    def step(self, title: str) -> None:
        self.say()
        self.say(title, "bold")

    def lines(self, lines: Sequence[str]) -> None:
        """Lines to copy: not wrapped, and indented by nothing but the margin."""
        for line in lines:
            self.say(f"    {line}", "cyan")

    def good(self, text: str) -> None:
        self.console.print(Text.assemble(("  ✓ ", "green"), text), soft_wrap=True)

    def bad(self, text: str) -> None:
        self.console.print(Text.assemble(("  ✗ ", "bold red"), text), soft_wrap=True)

    def ask(
        self,
        question: str,
        default: str,
        choices: Sequence[str] = (),
        wrong: Callable[[str], str | None] = lambda answer: None,
    ) -> str:
        """`wrong` says what is wrong with an answer; it is asked again then."""
        if choices:
            self.say(f"  ({', '.join(choices)})", "dim")
        while True:
            answer = default
            if self.yes:
                self.say(f"  {question}: {default}")
            else:
                answer = str(typer.prompt(f"  {question}", default=default, show_default=bool(default))).strip()
            if (why := wrong(answer)) is None:
                return answer
            if self.yes:
                raise Declined(why)
            self.bad(why)

    def confirm(self, question: str, *, default: bool = True) -> bool:
        if self.yes:
            self.say(f"  {question} {'yes' if default else 'no'}")
            return default
        return typer.confirm(f"  {question}", default=default)

    def wait(self, what: str) -> None:
        """Until the administrator says that it is done."""
        if not self.yes:
            typer.prompt(f"  {what}  [Enter]", default="", show_default=False)
