"""An index of what contacts say: names, numbers, subjects and notes, found by any part of them."""

from __future__ import annotations

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

TEXTS = ("ani_raw", "ani_e164", "ani_name", "dnis", "subject", "note")

# Every three characters in a row; of writings that need no three for a word, every two, and each. lower() is what
# the search compares with. Not pg_trgm: it may not be there, not be ours to create, and in a database with the C
# locale it sees no Chinese. One pass over the characters: substr() would count from the beginning each time.
GRAMS = """
CREATE FUNCTION cti_grams(words text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(DISTINCT gram), '{}') FROM (
        SELECT c AS one, c || lead(c, 1) OVER place AS two,
               c || lead(c, 1) OVER place || lead(c, 2) OVER place AS three
        FROM unnest(string_to_array(lower(words), NULL)) WITH ORDINALITY AS chars (c, n)
        WINDOW place AS (ORDER BY n)
    ) AS grams, LATERAL (VALUES (one, 1), (two, 2), (three, 3)) AS each (gram, size)
    WHERE gram IS NOT NULL AND (size = 3 OR octet_length(gram) > size)
$$
"""
SAID = r" || E'\n' || ".join(f"coalesce({name}, '')" for name in TEXTS)
FINISHED = "finished_at IS NOT NULL OR wrapped_at IS NOT NULL"


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _sqlite()
        return
    op.execute(GRAMS)
    # Calls that go on are few, change often, and are read one by one.
    said, finished = "outcome IS NOT NULL", f"note IS NOT NULL AND ({FINISHED})"
    op.execute(f"CREATE INDEX ix_interactions_grams ON interactions USING gin (cti_grams({SAID})) WHERE {said}")
    op.execute(f"CREATE INDEX ix_segments_grams ON segments USING gin (cti_grams(note)) WHERE {finished}")
    op.execute("ANALYZE interactions, segments")  # how often each part occurs, which a new index does not know


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for table in ("interactions", "segments"):
            for event in ("insert", "update", "delete"):
                op.execute(f"DROP TRIGGER {table}_search_{event}")
            op.execute(f"DROP TABLE {table}_search")
        return
    op.execute("DROP INDEX ix_segments_grams")
    op.execute("DROP INDEX ix_interactions_grams")
    op.execute("DROP FUNCTION cti_grams(text)")


def _sqlite() -> None:
    """FTS5 with three characters in a row, filled by triggers: a table that is copied loses its triggers, so
    whoever does that makes them again (`test_migrate.py` looks)."""
    texts = " || char(10) || ".join(f"coalesce({{0}}{name}, '')" for name in TEXTS)
    _filled("interactions", TEXTS, texts, "{0}outcome IS NOT NULL", ("outcome",))
    finished = "{0}note IS NOT NULL AND ({0}finished_at IS NOT NULL OR {0}wrapped_at IS NOT NULL)"
    _filled("segments", ("note",), "{0}note", finished, ("finished_at", "wrapped_at"))


def _filled(table: str, columns: tuple[str, ...], texts: str, wanted: str, also: tuple[str, ...]) -> None:
    """An index of `texts` of the rows that are `wanted`; both have {0} before each column."""
    search = f"{table}_search"
    add = f"INSERT INTO {search} (rowid, words) SELECT {{0}}id, {texts}"
    remove = f"DELETE FROM {search} WHERE rowid = old.id;"  # noqa: S608 - a name of our own
    new = f"{add} WHERE {wanted};".format("new.")
    differs = " OR ".join(f"new.{name} IS NOT old.{name}" for name in (*columns, *also))
    op.execute(f"CREATE VIRTUAL TABLE {search} USING fts5(words, tokenize='trigram')")
    op.execute(f"{add} FROM {table} WHERE {wanted}".format(""))
    op.execute(f"CREATE TRIGGER {search}_insert AFTER INSERT ON {table} BEGIN {new} END")
    op.execute(f"CREATE TRIGGER {search}_update AFTER UPDATE ON {table} WHEN {differs} BEGIN {remove} {new} END")
    op.execute(f"CREATE TRIGGER {search}_delete AFTER DELETE ON {table} BEGIN {remove} END")
