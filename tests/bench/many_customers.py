"""A PostgreSQL with very many customers, and how long a lookup, a card and a search take in it.

`python -m tests.bench.many_customers [CUSTOMERS]` prints the figures; `fill` is for other benchmarks.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import sqlalchemy as sa

from cti_server.lookup.identify import Lookup
from cti_server.record import card_facts, migrate
from cti_server.record.crm import search
from cti_server.record.database import Database
from tests.conftest import PostgresServer

# Every tenth customer is a company and the nine before it are its people. The numbers are mobiles of China:
# +86 130 0000 0000 + id. Half have a contract, one in five a case, each two contacts of the past.
FILL = """
INSERT INTO agents (login, name, role, language, active)
    SELECT 'a' || n, 'Agent ' || n, 'agent', 'en', true FROM generate_series(1, 50) n;
INSERT INTO service_levels (code, name_en, name_zh, tier_rank, queue_priority)
    VALUES ('gold', 'Gold', '金牌', 1, 10), ('silver', 'Silver', '银牌', 2, 5)
    ON CONFLICT (code) DO NOTHING;
INSERT INTO customers (id, kind, name, name_key, tier, external_ref, created_at, updated_at, version)
    SELECT n, CASE WHEN n % 10 = 0 THEN 'company' ELSE 'person' END, s.name, lower(s.name), 'gold', 'R' || n,
           now(), now(), 1
    FROM generate_series(1, :customers) n,
    LATERAL (SELECT substr('王李张刘陈杨赵黄周吴', 1 + n % 10, 1)
             || chr(19968 + n % 2000) || chr(19968 + n / 2000 % 2000)
             || CASE WHEN n % 3 = 0 THEN ' Smith' || n % 5000 ELSE '' END AS name) s;
UPDATE customers SET company_id = ((id / 10) + 1) * 10 WHERE id % 10 <> 0 AND ((id / 10) + 1) * 10 <= :customers;
INSERT INTO contact_points (customer_id, kind, label, raw, e164, extension, digits, standing, chosen_count)
    SELECT n, 'phone', '', '', '+86' || 13000000000 + n, '', '86' || 13000000000 + n, 'verified', 0
    FROM generate_series(1, :customers) n;
INSERT INTO contracts (customer_id, number, service_level_id, status, starts_on, ends_on, minutes_used)
    SELECT n, 'C-' || n, 1 + n % 2, 'active', '2026-01-01', '2027-01-01', 0
    FROM generate_series(2, :customers, 2) n;
INSERT INTO cases (customer_id, number, subject, status, priority, opened_at)
    SELECT n, 'CS-' || n, 'Something', 'open', 3, now() FROM generate_series(1, :customers, 5) n;
INSERT INTO interactions (channel, direction, customer_id, ivr_path, started_at, outcome, complete)
    SELECT 'voice', 'inbound', 1 + n % :customers, '[]', now() - n * interval '1 second', 'answered', true
    FROM generate_series(1, :customers * 2) n;
INSERT INTO segments (interaction_id, position, agent_id, origin, answered_at)
    SELECT id, 0, 1 + id % 50, 'offer', started_at FROM interactions;
INSERT INTO customers_search (customer_id, words)
    SELECT id, array_to_tsvector(array_remove(ARRAY[substr(name, 1, 1), substr(name, 2, 1), substr(name, 3, 1),
           substr(name, 1, 2), substr(name, 2, 2), lower(nullif(substr(name, 5), '')), 'r' || id], NULL))
    FROM customers;
ANALYZE
"""


async def fill(url: str, customers: int) -> None:
    """Put that many customers into an empty, migrated PostgreSQL database."""
    async with Database(url) as database, database.begin() as conn:
        for statement in FILL.split(";"):
            await conn.execute(sa.text(statement.replace(":customers", str(customers))))


async def measure(name: str, work: Callable[[int], Awaitable[object]], customers: int, times: int = 2000) -> None:
    """Print the median and the tail of `work` on random customers, one after another."""
    taken = []
    for customer_id in random.Random(1).choices(range(1, customers + 1), k=times):
        begun = time.perf_counter()
        await work(customer_id)
        taken.append((time.perf_counter() - begun) * 1000)
    p99 = statistics.quantiles(taken, n=100)[98]
    print(f"{name:28} p50 {statistics.median(taken):7.2f} ms  p99 {p99:7.2f} ms  max {max(taken):7.2f} ms")


async def main(customers: int) -> None:
    server = PostgresServer()
    try:
        server.execute("CREATE DATABASE many")
        url = server.url("many")
        await migrate.upgrade(url)
        begun = time.perf_counter()
        await fill(url, customers)
        print(f"{customers} customers in {time.perf_counter() - begun:.0f} s")
        async with Database(url) as database:
            await measure_all(database, customers)
    finally:
        server.stop()


async def measure_all(database: Database, customers: int) -> None:
    """The lookup as FastAGI asks for it, the card, and searches of each kind."""
    lookup = Lookup(database)
    now = datetime.now(UTC)

    async def identify(customer_id: int) -> None:
        found = await lookup.identify("demo", f"0{13000000000 + customer_id}", at=now)
        assert found.customer is not None, customer_id

    async def card(customer_id: int) -> None:
        async with database.read() as conn:
            assert await card_facts.card(conn, customer_id)

    def find(q: Callable[[int], str]) -> Callable[[int], Awaitable[object]]:
        async def work(customer_id: int) -> None:
            async with database.read() as conn:
                assert (await search.find(conn, q(customer_id), limit=20)).items

        return work

    async with database.read() as conn:
        some = list(await conn.scalars(sa.text("SELECT name FROM customers WHERE id % 97 = 0")))
    await measure("lookup (FastAGI)", identify, customers)
    await measure("facts of a card", card, customers)
    await measure("search: whole name", find(lambda n: some[n % len(some)]), customers, 200)
    await measure("search: two characters", find(lambda n: some[n % len(some)][:2]), customers, 200)
    await measure("search: Latin word", find(lambda n: f"smith{n % 1600 * 3}"), customers, 200)
    await measure("search: whole number", find(lambda n: str(13000000000 + n)), customers, 200)
    await measure("search: last six digits", find(lambda n: f"{n:06}"[-6:]), customers, 200)
    await measure("search: contract", find(lambda n: f"r{n}"), customers, 200)
    await measure("search: one character", find(lambda n: "王李张刘陈杨赵黄周吴"[n % 10]), customers, 20)
    await measure("list: first page", find(lambda n: ""), customers, 50)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
