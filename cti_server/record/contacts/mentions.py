"""Contacts by what they say: part of a name, a number, a subject or a note, wherever in it.

What matches is a comparison, the same on both engines; an index only finds where to look. PostgreSQL has one of
every three characters in a row, of Chinese, Japanese and Korean also of every two and each (`cti_grams` of
migration 0017); SQLite's FTS5 has one of every three. So there are two ways. What few contacts can have is looked
for by the index; what many have is met soon by going back in time. A few letters that are rare, without a time
span, find neither way short, and that is what the limit on a search is for (`Database.read_within`).
"""

from __future__ import annotations

import json
from typing import Any, Final, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from cti_server.record.contacts.briefs import finished
from cti_server.record.contacts.tables import interactions, segments
from cti_server.record.crm import search_index, tokens
from cti_server.record.engines import Connection
from cti_server.record.schema import Id

FEW: Final = 5000
"""Contacts that may match. Among more than these, a page of them is met soon enough by going back in time."""
GRAM: Final = 3

i, s = interactions.c, segments.c
TEXTS: Final = (i.ani_raw, i.ani_e164, i.ani_name, i.dnis, i.subject, i.note)
"""The columns of the index, in its order."""


def mentions(q: str, engine: str, *, whole_numbers: bool) -> sa.ColumnElement[bool]:
    """Whether an interaction matches: by its own texts, a finished note of one of its agents, or its customer,
    whom the customer search finds by the same words."""
    columns = (i.ani_name, i.subject, i.note, *(() if whole_numbers else (i.ani_raw,)))
    said = [column.icontains(q, autoescape=True) for column in columns]
    noted = sa.exists().where(s.interaction_id == i.id, s.note.icontains(q, autoescape=True), finished())
    found: list[sa.ColumnElement[bool]] = [*said, noted]
    if words := tokens.query_words(q):
        found.append(i.customer_id.in_(search_index.matching(words, engine)))
    if (fragment := tokens.number_fragment(q)) is not None:
        numbers = (i.ani_e164, i.ani_raw, i.dnis)
        if not whole_numbers:
            found += [column.contains(fragment, autoescape=True) for column in numbers]
        elif len(fragment) >= tokens.WHOLE_NUMBER:
            found += [column.endswith(fragment, autoescape=True) for column in numbers]
    return sa.or_(*found)


async def narrowed(conn: Connection, q: str) -> sa.ColumnElement[bool] | None:
    """That an interaction is one of the few that may match; None where they are many, or no index can tell."""
    engine = conn.dialect.name
    parts = [q, *([fragment] if (fragment := tokens.number_fragment(q)) is not None else [])]
    if not all(_is_indexed(part, engine) for part in parts):
        return None
    by_text = _by_grams(parts) if engine == "postgresql" else _by_fts(parts)
    goes_on = sa.select(i.id.label("id")).where(i.outcome.is_(None))
    ways = [*by_text, goes_on]
    if words := tokens.query_words(q):
        ways.append(sa.select(i.id.label("id")).where(i.customer_id.in_(search_index.matching(words, engine))))
    some = sa.union_all(*ways).subquery("some")
    ids = list(await conn.scalars(sa.select(some.c.id).limit(FEW + 1)))
    if len(ids) > FEW:
        return None
    if engine == "postgresql":
        return i.id == sa.any_(sa.cast(ids, postgresql.ARRAY(sa.BigInteger)))
    each = sa.func.json_each(json.dumps(ids)).table_valued(sa.column("value", Id))
    return i.id.in_(sa.select(each.c.value))


def _is_indexed(text: str, engine: str) -> bool:
    return len(text) >= GRAM or (engine == "postgresql" and not text.isascii())


def _by_grams(parts: list[str]) -> list[Any]:
    said: Any = sa.func.coalesce(TEXTS[0], sa.literal_column("''"))
    for column in TEXTS[1:]:
        said = said.concat(sa.literal_column(r"E'\n'")).concat(sa.func.coalesce(column, sa.literal_column("''")))
    in_texts = [_has_all(sa.func.cti_grams(said), part) for part in parts]
    in_notes = [_has_all(sa.func.cti_grams(s.note), part) for part in parts]
    return [
        sa.select(i.id.label("id")).where(i.outcome.is_not(None), sa.or_(*in_texts)),
        sa.select(s.interaction_id.label("id")).where(s.note.is_not(None), finished(), sa.or_(*in_notes)),
    ]


def _has_all(grams: Any, text: str) -> sa.ColumnElement[bool]:
    """That all parts of this text are among the grams. It is cut as what is stored was; of a longer text the
    shorter parts would only be read in vain."""
    given = sa.literal(text, sa.Text)
    gram = sa.func.unnest(sa.func.cti_grams(given)).column_valued("gram")
    longest = sa.func.least(GRAM, sa.func.length(sa.func.lower(given)))
    wanted = sa.select(sa.func.array_agg(gram)).where(sa.func.length(gram) == longest).scalar_subquery()
    return cast(sa.ColumnElement[bool], grams.op("@>", is_comparison=True)(wanted))


def _by_fts(parts: list[str]) -> list[Any]:
    wanted = " OR ".join('"' + part.replace('"', '""') + '"' for part in parts)
    in_texts = sa.literal_column("interactions_search").op("MATCH")(wanted)
    in_notes = sa.literal_column("segments_search").op("MATCH")(wanted)
    return [
        sa.select(_SAID.c.rowid.label("id")).where(in_texts),
        sa.select(s.interaction_id.label("id"))
        .join_from(segments, _NOTED, _NOTED.c.rowid == s.id)
        .where(in_notes),
    ]


_SAID = sa.table("interactions_search", sa.column("rowid", Id))
_NOTED = sa.table("segments_search", sa.column("rowid", Id))
