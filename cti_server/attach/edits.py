"""One edit of a configuration file: a block at its end, or some lines in place of one. Pure.

What is written is found again by its very words, so that an edit can be taken back after others have changed the
file, too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

BEGIN, END = "; --- cti-server: begin (cti-server attach --undo removes this) ---", "; --- cti-server: end ---"


@dataclass(frozen=True, slots=True)
class Edit:
    """`old` is the line that the `new` ones replace, and `line` its number, from 1, before any edit; old None:
    they are added at the file's end.

    `file` is a name in /etc/asterisk, `place` says in words where in it.
    """

    file: str
    place: str
    new: tuple[str, ...]
    old: str | None = None
    line: int | None = None

    def lines(self) -> tuple[str, ...]:
        """What is to be seen in the file afterwards."""
        return (BEGIN, *self.new, END) if self.old is None else self.new


class NotThere(ValueError):
    """The file does not have what the edit is about."""


def lacking(text: str, edit: Edit) -> Edit | None:
    """The edit without the includes that the file has already, wherever; None where nothing is left to write. A
    line to be replaced is there as long as it stands in its place, whatever the file has elsewhere."""
    stands = (
        edit.old is not None and edit.line is not None and _bare(text)[edit.line - 1 : edit.line] == [edit.old]
    )
    if not stands and is_in(text, edit):
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
    """The text with the edit. Raises NotThere where the line that it replaces is neither in its place nor there
    exactly once. Of several edits of a file the last line comes first, or the others' numbers are not theirs."""
    if edit.old is None:
        gap = "" if not text or text.endswith("\n") else "\n"
        return text + gap + "\n".join(edit.lines()) + "\n"
    at = _places(text, (edit.old,))
    if edit.line is not None and edit.line - 1 in at:
        return _replaced(text, edit.line - 1, 1, edit.new)
    if len(at) != 1:
        raise NotThere(f"{edit.file} does not have this line exactly once: {edit.old.strip()}")
    return _replaced(text, at[0], 1, edit.new)


def undone(text: str, edit: Edit, copies: int = 1) -> str:
    """The text without the edit, of which there are so many with the same lines: any of them is as good. Raises
    NotThere where their lines were changed since."""
    lines = edit.lines()
    at = _places(text, lines)
    if len(at) != copies:
        often = "once" if copies == 1 else f"{copies} times"
        raise NotThere(f"{edit.file} does not have this line exactly {often}: {lines[0].strip()}")
    return _replaced(text, at[-1], len(lines), () if edit.old is None else (edit.old,))


def _bare(text: str) -> list[str]:
    return [line.rstrip("\r\n") for line in text.splitlines(keepends=True)]


def _places(text: str, old: tuple[str, ...]) -> list[int]:
    """Where these lines stand, one after the other."""
    bare = _bare(text)
    return [n for n in range(len(bare) - len(old) + 1) if tuple(bare[n : n + len(old)]) == old]


def _replaced(text: str, at: int, count: int, new: tuple[str, ...]) -> str:
    there = text.splitlines(keepends=True)
    end = "\r\n" if there[at].endswith("\r\n") else "\n"
    return "".join([*there[:at], *(line + end for line in new), *there[at + count :]])
