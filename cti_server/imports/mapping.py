"""What the headings of one file mean: by their names, by what somebody says, and by what they said before."""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cti_server.imports.columns import COLUMNS, NAME_PARTS, REQUIRED, SEVERAL, WrongFile
from cti_server.imports.headings import ambiguous, may_mean, meaning, nearest, plain

IGNORE = "ignore"
LISTED = 10  # headings named in one sentence
_LIKE_A_NUMBER: Final = re.compile(
    r"(?:\b|[a-z])(?:id|no|nr|num\w*|code|ref|index)\.?$|(?<![型机信账])号$|编码|代码", re.IGNORECASE
)

Columns = tuple[str, ...]
"""Our columns that a heading of theirs feeds: none, one, or several that somebody asked for."""


@dataclass(frozen=True, slots=True)
class HeadingMap:
    """The columns of each heading, in the file's order.

    `unknown` are the headings that nobody knows, and `unwanted` those that have no place here; both are left out.
    `explained` is what somebody said, now or before.
    """

    places: tuple[Columns, ...]
    unknown: tuple[str, ...]
    unwanted: tuple[str, ...]
    explained: Mapping[str, Columns]


def parse(given: Iterable[str]) -> dict[str, Columns]:
    """`Their heading=our column` as a mapping; a heading that is given twice feeds two columns.

    Raises WrongFile.
    """
    found: dict[str, Columns] = {}
    for text in given:
        heading, equals, name = (part.strip() for part in text.rpartition("="))
        if not equals or not plain(heading):
            raise WrongFile(f"--map {text!r}: write it as --map 'Their heading=our column'")
        if name == IGNORE:
            found[heading] = ()
        elif column := meaning(name):
            found[heading] = (*found.get(heading, ()), column)
        else:
            guess = f" (did you mean {near[0]}?)" if (near := nearest(name, 0.6)) else ""
            raise WrongFile(
                f"--map {text!r}: {name!r} is no column{guess}. Columns: {', '.join(COLUMNS)}, {IGNORE}."
            )
    return found


def shape(headings: Sequence[str]) -> str:
    """What files with these headings have in common, whatever their order."""
    keys = sorted({key for heading in headings if (key := plain(heading)) and key != plain("why left out")})
    return hashlib.sha256("\n".join(keys).encode()).hexdigest()


def map_headings(
    headings: Sequence[str], given: Mapping[str, Columns], remembered: Mapping[str, Columns] | None = None
) -> HeadingMap:
    """What each heading means. Raises WrongFile with a question, and the `--map` that answers it, for each heading
    that is not certain, for two that mean the same, and for a column that is needed and missing."""
    there = {plain(heading) for heading in headings}
    if strangers := [heading for heading in given if plain(heading) not in there]:
        named = ", ".join(repr(heading.strip()) for heading in headings if heading.strip())
        raise WrongFile(f"--map names {strangers[0]!r}, which is no heading of this file. Its headings: {named}.")
    explained = {**(remembered or {}), **given}
    answers = {plain(heading): columns for heading, columns in explained.items()}
    places = tuple(answers.get(plain(heading), _known(heading, there)) for heading in headings)
    loose = [h for h, columns in zip(headings, places, strict=True) if h.strip() and columns is None]
    asked = [
        _question(heading, may)
        for heading in loose
        if (may := may_mean(heading)) and plain(heading) not in answers
    ]
    settled = tuple(columns or () for columns in places)
    asked += _twice(headings, settled)
    unknown = tuple(heading.strip() for heading in loose if not may_mean(heading))
    asked += _missing(headings, settled, unknown)
    if asked:
        raise WrongFile("some headings need a word from you:\n  " + "\n  ".join(asked))
    unwanted = tuple(
        heading.strip()
        for heading, columns in zip(headings, places, strict=True)
        if columns == () and plain(heading) not in answers and heading.strip()
    )
    return HeadingMap(settled, unknown, unwanted, explained)


def option(heading: str, column: str) -> str:
    """The `--map` that says so, as it is typed."""
    return f"--map {shlex.quote(f'{heading.strip()}={column}')}"


def _known(heading: str, there: set[str]) -> Columns | None:
    """The columns of a heading by its name; None where it is not certain."""
    if plain(heading) == "title" and "jobtitle" in there:
        return ("salutation",)  # Outlook: `Title` is Dr, and `Job Title` is a role
    column = meaning(heading)
    return None if column is None else (column,) if column else ()


def _question(heading: str, may: Columns) -> str:
    answers = [option(heading, column) for column in (*may, IGNORE)]
    if not ambiguous(heading):
        return f"unknown {heading.strip()[:40]!r} (did you mean {may[0]}?): {' or '.join(answers)}"
    why = "may mean several things" if len(may) > 1 else "may mean that, or something else"
    return f"{heading.strip()[:40]!r} {why}: {', '.join(answers[:-1])} or {answers[-1]}"


def _twice(headings: Sequence[str], places: Sequence[Columns]) -> list[str]:
    problems = []
    for column in COLUMNS:
        same = [heading.strip() for heading, of in zip(headings, places, strict=True) if column in of]
        if len(same) > 1 and column not in SEVERAL:
            answers = (
                f"keep one, and say what the other is, as {option(same[-1], IGNORE)}"
                if len({plain(heading) for heading in same}) > 1
                else "rename one of them in the file"
            )
            if column == "name" and len({plain(heading) for heading in same}) > 1:
                answers = f"a person of a company is {option(same[0], 'company')}; or {option(same[-1], IGNORE)}"
            problems.append(f"{' and '.join(same)} both mean {column}: {answers}")
    return problems


def _missing(headings: Sequence[str], places: Sequence[Columns], unknown: Sequence[str]) -> list[str]:
    found: dict[str, str] = {}
    for heading, columns in zip(headings, places, strict=True):
        for column in columns:
            found.setdefault(column, heading)
    left = f"; not known are {_listed(unknown)}" if unknown else ""
    problems = []
    if "external_ref" not in found:
        heading = next(filter(_LIKE_A_NUMBER.search, unknown), "Their heading")
        told = f"missing external_ref ({COLUMNS['external_ref'][-2]}), {REQUIRED['external_ref']}: "
        told += option(heading, "external_ref") + left
        if own := next((column for column in ("mobile", "email", "phone") if column in found), None):
            twice = f"{option(found[own], 'external_ref')} {option(found[own], own)}"
            told += f". Where each has one of their own, a heading may be both: {twice}"
        problems.append(told)
    if not found.keys() & {"name", *NAME_PARTS}:
        heading = found.get("company", "Their heading")
        told = f"missing name ({COLUMNS['name'][-2]}), {REQUIRED['name']}: {option(heading, 'name')}{left}"
        problems.append(told)
    return problems


def _listed(headings: Sequence[str]) -> str:
    more = f" and {len(headings) - LISTED} more" if len(headings) > LISTED else ""
    return ", ".join(repr(heading[:40]) for heading in headings[:LISTED]) + more


def said(mapping: HeadingMap) -> list[str]:
    """Which headings were left out, and how one of them would be taken."""
    told = []
    if mapping.unwanted:
        told.append(f"not kept here: {_listed(mapping.unwanted)}")
    if mapping.unknown:
        near = nearest(mapping.unknown[0], 0.7)
        how = option(mapping.unknown[0], near[0] if near else "our column")
        told.append(f"not known, so left out: {_listed(mapping.unknown)}; to take one: {how}")
    return told
