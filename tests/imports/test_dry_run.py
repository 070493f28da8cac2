"""A dry run says what the real one would do (beads 4909, objectstack 3956: others do not), and leaves no trace."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cti_server.imports.customers import Options, import_customers
from cti_server.imports.report import Report
from cti_server.record.database import Database
from cti_server.record.tables import metadata
from tests.record.builders import NOON, a_contract, a_customer

Csv = Callable[[str], Path]
HEAD = "external_ref,kind,name,company,phone,email,contract,sla,start date,end date\n"
TEXT = HEAD + "".join(
    (
        "1,person,Li,Acme,13800138000,li@example.com,C-1,gold,2026-01-01,2026-12-31\n",
        "1,person,Li,Acme,13800138000,li@example.com,C-2,gold,2026-01-01,长期\n",
        "2,company,Acme,,13800138000,,,,,\n",
        "3,person,Wang,Nova,12,,,,,\n",
        "O,person,Other,,13900139000,,C-9,silver,2026-01-01,\n",
        "4,person,Thief,,,,C-taken,gold,2026-01-01,\n",
        "Robot,company,Robot Ltd,,,,,,,\n",
        *(f"x{n},person,Name {n},Nova {n % 7},1380013{n:04},,,,,\n" for n in range(250)),
        "x3,person,Another,,,,,,,\n",
    )
)


async def load(database: Database, path: Path, **options: object) -> Report:
    return await import_customers(database, path, Options(region="CN", **options), at=NOON)  # type: ignore[arg-type]


def found(report: Report) -> tuple[object, ...]:
    """All that a report says."""
    return (
        report.created, report.updated, report.unchanged, report.bad, report.others, report.dates, report.told,
    )  # fmt: skip


async def everything(database: Database) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table, the search index and the counters of ids too."""
    names = [*(table.name for table in metadata.sorted_tables), "customers_search"]
    async with database.read() as conn:
        rows = {
            name: sorted(map(tuple, (await conn.execute(sa.text(f"SELECT * FROM {name}"))).all()), key=repr)
            for name in names
        }
        counters = "sqlite_sequence" if database.is_sqlite else "pg_sequences"
        what = "*" if database.is_sqlite else "sequencename, last_value"
        where = "" if database.is_sqlite else " WHERE schemaname = 'public'"
        found = await conn.execute(sa.text(f"SELECT {what} FROM {counters}{where}"))
        return rows | {"counters": sorted(map(tuple, found.all()), key=repr)}


@pytest.fixture
async def begun(ready: Database) -> Database:
    async with ready.begin() as conn:
        other = await a_customer(conn, "Other", "+8613900139000", external_ref="O")
        await a_contract(conn, other.id, "C-taken")
        await a_customer(conn, "Robot", external_ref="Robot")
    return ready


async def test_the_same_counts_as_the_real_run_and_nothing_written(begun: Database, csv_file: Csv) -> None:
    path = csv_file(TEXT)
    for _ in range(2):  # on a record without these customers, and on one that has them
        before = await everything(begun)
        dry = await load(begun, path, dry_run=True)
        again = await load(begun, path, dry_run=True)
        assert await everything(begun) == before
        real = await load(begun, path)
        assert found(dry) == found(again) == found(real)
        assert real.bad
    assert await everything(begun) != before or real.unchanged


def _files(folder: Path) -> dict[str, bytes]:
    """The database and its log; -shm is the memory that processes share."""
    return {path.name: path.read_bytes() for path in folder.glob("cti.db*") if not path.name.endswith("-shm")}


async def test_the_file_of_a_sqlite_database_is_the_same_byte_for_byte(
    sqlite_url: str, tmp_path: Path, csv_file: Csv
) -> None:
    async with Database(sqlite_url) as database:
        async with database.begin() as conn:
            await a_customer(conn, "Other", external_ref="O")
        async with database.engine.connect() as conn:
            await conn.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        before = _files(tmp_path)
        report = await load(
            database, csv_file(HEAD + "O,person,Changed,,,,,,,\n1,person,Li,,,,,,,\n"), dry_run=True
        )
        assert (report.updated, report.created) == (1, 1)
        assert _files(tmp_path) == before


async def test_others_write_while_a_dry_run_goes_on(sqlite_url: str, csv_file: Csv) -> None:
    """It holds no lock on the one file that an SQLite database is."""
    async with Database(sqlite_url) as database:
        wrote = []

        def write(done: int, total: int) -> None:
            with sqlite3.connect(str(database.url.database), timeout=0) as other:
                other.execute(
                    "INSERT INTO import_mappings (shape, headings, meanings, file, used_at) "
                    "VALUES (?, '[]', '{}', '', '2026-01-01 00:00:00')",
                    (str(done),),
                )
            wrote.append(done)

        path = csv_file(TEXT)
        await import_customers(database, path, Options(region="CN", dry_run=True), at=NOON, progress=write)
        assert wrote == [100, 200, 258]


ROW = st.tuples(
    st.sampled_from(["1", "2", "3", "O", "Robot", ""]),
    st.sampled_from(["person", "company", "公司", "robot"]),
    st.sampled_from(["Li", "Wang", "Acme", "Other", ""]),
    st.sampled_from(["", "Acme", "2", "Nova"]),
    st.sampled_from(["", "13800138000", "13900139000", "12"]),
    st.sampled_from(["", "a@example.com"]),
    st.sampled_from(["", "C-1", "C-2", "C-taken"]),
    st.sampled_from(["", "gold", "silver"]),
    st.sampled_from(["", "2026-01-01", "02/03/2026", "31/03/2026"]),
    st.sampled_from(["", "2026-12-31", "长期"]),
).map(",".join)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ROW, min_size=1, max_size=12))
async def test_any_file_comes_out_as_its_dry_run_said(begun: Database, tmp_path: Path, rows: list[str]) -> None:
    path = tmp_path / "any.csv"
    path.write_text(HEAD + "\n".join(rows) + "\n", encoding="utf-8")
    dry = await load(begun, path, dry_run=True)
    assert found(dry) == found(await load(begun, path))
