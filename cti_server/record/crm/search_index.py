"""The index of the customer search, from words to customers: FTS5 on SQLite, a GIN index on PostgreSQL.

The words come from `tokens`, and each engine only stores them, so both find the same. The table is not in the
metadata, because a virtual table and a tsvector have nothing in common; `migrations` creates it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from cti_server.record.crm import tokens
from cti_server.record.engines import Connection
from cti_server.record.schema import Id

BATCH = 1000

_NAMES = sa.text(
    "SELECT c.id, c.name, c.external_ref, k.name AS company FROM customers c "
    "LEFT JOIN customers k ON k.id = c.company_id WHERE c.id IN :ids"
).bindparams(sa.bindparam("ids", expanding=True))
_EMAILS = sa.text(
    "SELECT customer_id, raw FROM contact_points WHERE kind = 'email' AND customer_id IN :ids"
).bindparams(sa.bindparam("ids", expanding=True))
_CONTRACTS = sa.text("SELECT customer_id, number FROM contracts WHERE customer_id IN :ids").bindparams(
    sa.bindparam("ids", expanding=True)
)
_REMOVE = {
    "sqlite": sa.text("DELETE FROM customers_search WHERE rowid IN :ids"),
    "postgresql": sa.text("DELETE FROM customers_search WHERE customer_id IN :ids"),
}
_INSERT = {
    "sqlite": sa.text("INSERT INTO customers_search (rowid, words) VALUES (:id, :words)"),
    "postgresql": sa.text(
        "INSERT INTO customers_search (customer_id, words) VALUES (:id, array_to_tsvector(:words)) "
        "ON CONFLICT (customer_id) DO UPDATE SET words = excluded.words"
    ).bindparams(sa.bindparam("words", type_=postgresql.ARRAY(sa.Text))),
}
_INDEX = sa.table(
    "customers_search", sa.column("rowid", Id), sa.column("customer_id", Id), sa.column("words", sa.Text)
)


async def update(conn: Connection, customer_ids: Collection[int]) -> None:
    """Index these customers anew: call it when a name, company, reference, e-mail address or contract number of
    theirs has changed. Customers who no longer exist leave the index."""
    ids = sorted(set(customer_ids))
    for start in range(0, len(ids), BATCH):
        await _update(conn, ids[start : start + BATCH])


async def _update(conn: Connection, ids: list[int]) -> None:
    texts: defaultdict[int, list[str]] = defaultdict(list)
    for row in await conn.execute(_NAMES, {"ids": ids}):
        texts[row.id] += filter(None, (row.name, row.company, row.external_ref))
    for row in await conn.execute(_EMAILS, {"ids": ids}):
        texts[row.customer_id].append(row.raw)
    for row in await conn.execute(_CONTRACTS, {"ids": ids}):
        # people search for C-1001 as C-1001, as 1001 and as C1001
        texts[row.customer_id] += (row.number, "".join(filter(str.isalnum, row.number)))
    engine = conn.dialect.name
    await conn.execute(_REMOVE[engine].bindparams(sa.bindparam("ids", expanding=True)), {"ids": ids})
    if texts:
        found = {customer_id: tokens.index_words(*of) for customer_id, of in texts.items()}
        await conn.execute(
            _INSERT[engine],
            [{"id": i, "words": " ".join(words) if engine == "sqlite" else words} for i, words in found.items()],
        )


def matching(words: list[tuple[str, bool]], engine: str) -> sa.Select[tuple[int]]:
    """A query for the ids of the customers who have all these words, which come from `tokens.query_words`."""
    # A word holds only letters, digits and marks, so it cannot close the quotes around it.
    if engine == "sqlite":
        wanted = " AND ".join(f'"{word}"*' if prefix else f'"{word}"' for word, prefix in words)
        return sa.select(_INDEX.c.rowid).where(sa.literal_column("customers_search").op("MATCH")(wanted))
    wanted = " & ".join(f"'{word}':*" if prefix else f"'{word}'" for word, prefix in words)
    query = sa.cast(sa.cast(wanted, sa.Text), postgresql.TSQUERY)
    return sa.select(_INDEX.c.customer_id).where(_INDEX.c.words.op("@@")(query))
