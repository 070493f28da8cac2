"""One edit of a configuration file: a block at its end, or some lines in place of one. Pure.

What is written is found again by its very words, so that an edit can be taken back after others have changed the
file, too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

BEGIN, END = "; --- cti-server: begin (cti-server attach --undo removes this) ---", "; --- cti-server: end ---"


@dataclass(frozen=True, slots=True)
class Edit:
    """`old` is the one line that the `new` ones replace; None: they are added at the file's end.

    `file` is a name in /etc/asterisk, `place` says in words where in it.
    """

    file: str
    place: str
    new: tuple[str, ...]
    old: str | None = None

    def lines(self) -> tuple[str, ...]:
        """What is to be seen in the file afterwards."""
        return (BEGIN, *self.new, END) if self.old is None else self.new


class NotThere(ValueError):
    """The file does not have what the edit is about."""


def lacking(text: str, edit: Edit) -> Edit | None:
    """The edit without the includes that the file has already, wherever; None where nothing is left to write."""
    if is_in(text, edit):
        return None
    there = {" ".join(line.split()).replace("#tryinclude", "#include") for line in text.splitlines()}
    new = tuple(
        line
        for line in edit.new
        if not line.startswith("#") or line.replace("#tryinclude", "#include") not in there
    )
    return replace(edit, new=new) if new else None


def is_in(text: str, edit: Edit) -> bool:
    """Whether the edit was made, by us or by hand: each of its lines is there, in order."""
    rest = iter([line.strip() for line in text.splitlines()])
    return all(any(line == wanted.strip() for line in rest) for wanted in edit.new)


def made(text: str, edit: Edit) -> str:
    """The text with the edit. Raises NotThere where the line that it replaces is not there exactly once."""
    if edit.old is None:
        gap = "" if not text or text.endswith("\n") else "\n"
        return text + gap + "\n".join(edit.lines()) + "\n"
    return _replaced(text, (edit.old,), edit.new, edit.file)


def undone(text: str, edit: Edit) -> str:
    """The text without the edit. Raises NotThere where its lines were changed since."""
    return _replaced(text, edit.lines(), () if edit.old is None else (edit.old,), edit.file)


def _replaced(text: str, old: tuple[str, ...], new: tuple[str, ...], file: str) -> str:
    there = text.splitlines(keepends=True)
    bare = [line.rstrip("\r\n") for line in there]
    at = [n for n in range(len(bare) - len(old) + 1) if tuple(bare[n : n + len(old)]) == old]
    if len(at) != 1:
        raise NotThere(f"{file} does not have this line exactly once: {old[0].strip()}")
    end = "\r\n" if there[at[0]].endswith("\r\n") else "\n"
    return "".join([*there[: at[0]], *(line + end for line in new), *there[at[0] + len(old) :]])
