"""A question of one statement answers what many queries do, on both engines, and whatever the tables become."""

from __future__ import annotations

import asyncio
import random
import shutil
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import cti_server
from cti_server.record import card_facts
from cti_server.record.asking.question import Question
from cti_server.record.center import agents, shifts
from cti_server.record.contacts.interactions import save_calls
from cti_server.record.contacts.tables import segments
from cti_server.record.crm import cases, contracts, customers, notes, products
from cti_server.record.crm.contact_points import choose
from cti_server.record.database import Database
from cti_server.record.desk import promises
from cti_server.record.engines import Connection
from cti_server.record.schema import CleanText, UtcDateTime, Words
from tests.record import one_by_one
from tests.record.builders import NOON, a_contract, a_customer, after, an_agent, call, part

NUMBERS = [f"+86138001380{n:02}" for n in range(6)]
TEXTS = [
    "",
    "O'Brien",
    'said "yes"',
    "back\\slash\\",
    "新中关 𠮷",
    "two\nlines\t",
    "{1,2}",
    "[null]",
    "%",
    "€ ñ İ",
    None,
]


class World:
    """A record in which everything that a card shows is there, or not, by chance."""

    def __init__(self, conn: Connection, seed: int) -> None:
        self.conn, self.random = conn, random.Random(seed)
        self.customers: list[int] = []
        self.live: list[int | None] = [None]
        self.people: list[int | None] = [None]

    async def fill(self) -> None:
        pick = self.random.choice
        for n in range(3):
            agent = await an_agent(self.conn, f"agent{n}", seat=f"PJSIP/100{n}")
            self.people.append(agent)
        gone = sa.update(agents.agents).where(agents.agents.c.login == "agent2").values(active=False)
        await self.conn.execute(gone)
        first = self.people[1]
        assert first is not None
        shift = shifts.Shift(
            agent_id=first, seat="PJSIP/1101", pbx="demo", since=NOON, state="ready", state_since=NOON
        )
        await shifts.save(self.conn, shift)
        companies: list[int | None] = [None]
        for n in range(14):
            kind: Any = pick(["person", "person", "company"])
            fields = {
                "company_id": pick(companies),
                "preferred_agent_id": pick(self.people),
                "remarks": pick(TEXTS),
                "tier": pick(["gold", None]),
                "language": pick(["en", "zh", None]),
            }
            made = await a_customer(self.conn, pick(["Wang", "Li Na", "王小明", "O'Hara"]), kind=kind, **fields)
            self.customers.append(made.id)
            companies += [made.id] if kind == "company" else []
            await self._owned(made.id, n)

    async def _owned(self, customer: int, n: int) -> None:
        pick, conn = self.random.choice, self.conn
        for number in self.random.sample(NUMBERS, pick([0, 1, 2])):
            for extension in self.random.sample([None, "8001"], pick([1, 1, 2])):
                await customers.add_contact_point(
                    conn, customer, at=after(n), kind="phone", raw=number, e164=number, extension=extension
                )
            for turn in range(pick([0, 0, 1, 2])):
                await choose(
                    conn, number, customer, pick(self.people), NOON + timedelta(microseconds=n * 10 + turn)
                )
        for turn in range(pick([0, 1, 2])):
            until = pick([None, date(2027, 1, 1)])
            total = pick([None, 600])
            await a_contract(
                conn,
                customer,
                f"C-{customer}-{turn}",
                pick(["gold", "silver"]),
                ends_on=until,
                minutes_total=total,
            )
        held = await contracts.of_customers(conn, [customer])
        for _ in range(pick([0, 1, 2])):
            contract = pick(held).id if held else None
            await products.add(
                conn, customer, "Press", installed_on=pick([None, date(2020, 2, 29)]), contract_id=contract
            )
        for turn in range(pick([0, 1, 2])):
            await cases.add(
                conn,
                customer,
                number=f"K-{customer}-{turn}",
                subject=pick(TEXTS) or "s",
                opened_at=after(turn),
                priority=pick([1, 2, 3]),
                due_at=pick([None, after(99)]),
                status=pick(["open", "waiting", "closed"]),
            )
        for turn in range(pick([0, 1, 3])):
            written = after(pick([0, turn]))
            await notes.add(
                conn,
                customer,
                pick(TEXTS) or "n",
                at=written,
                agent_id=pick(self.people),
                pinned=pick([True, False]),
            )
        for turn in range(pick([0, 1, 3])):
            made = await promises.add(
                conn,
                customer_id=customer,
                kind="callback",
                text=pick(TEXTS) or "p",
                due_at=after(pick([5, 50, 5 + turn])),
                at=NOON,
                starts_at=pick([None, NOON]),
                owner_id=pick(self.people),
                created_by=pick(self.people),
            )
            state = pick(["open", "broken", "kept"])
            broken = (
                pick([NOON, NOON - promises.BROKEN_ON_CARD - timedelta(days=1)]) if state == "broken" else None
            )
            new = {"state": state, "broken_at": broken}
            await conn.execute(sa.update(promises.promises).where(promises.promises.c.id == made.id).values(new))
        await self._called(customer)

    async def _called(self, customer: int) -> None:
        pick = self.random.choice
        for turn in range(pick([0, 1, 12])):
            talks = tuple(
                part(at, agent_id=pick(self.people), answered_at=pick([None, after(at)]), talk_ms=pick([None, 5]))
                for at in range(pick([0, 1, 2]))
            )
            began = NOON - timedelta(days=pick([1, 1, turn]), microseconds=pick([0, 1]))
            one = call(f"{customer}.{turn}", customer_id=customer, started_at=began, segments=talks, talk_ms=7)
            [made] = (await save_calls(self.conn, [one])).values()
            self.live.append(made)
            note = {"note": pick(TEXTS), "finished_at": pick([None, NOON])}
            await self.conn.execute(sa.update(segments).where(segments.c.interaction_id == made).values(note))


@pytest.mark.parametrize("seed", range(6))
async def test_one_statement_answers_what_many_queries_do(database: Database, seed: int) -> None:
    async with database.begin() as conn:
        world = World(conn, seed)
        await world.fill()
    async with database.read() as conn:
        for number in (*NUMBERS, "+4930123456"):
            there = await one_by_one.callers(conn, number)
            for asked in (await card_facts.callers(database, number), await card_facts.callers(conn, number)):
                assert (asked.holders, asked.people) == (there.holders, there.people)
                for one in (*asked.holders, *asked.people):
                    assert asked.entitling(one.customer) == await one_by_one.entitlements(conn, one.customer)
        for customer in (*world.customers, 987654):
            without, at = world.random.choice(world.live), NOON
            there_is = await one_by_one.card(conn, customer, without, at)
            assert await card_facts.card(database, customer, without, at) == there_is
            assert await card_facts.card(conn, customer, without, at) == there_is


async def test_times_are_utc_whatever_zone_the_server_is_in(new_postgres_url: Any) -> None:
    url = new_postgres_url()
    async with Database(url) as database, database.begin() as conn:
        name = url.rpartition("/")[2]
        await conn.execute(sa.text(f"ALTER DATABASE {name} SET timezone = 'Asia/Kathmandu'"))
        li = await a_customer(conn, "Li")
        await notes.add(conn, li.id, "x", at=datetime(2026, 3, 1, 23, 59, 59, 999999, UTC))
    async with Database(url) as database:
        facts = await card_facts.card(database, li.id)
        async with database.read() as conn:
            again = await card_facts.card(conn, li.id)
    assert facts is not None
    assert facts == again
    for read in (facts, again):
        assert read is not None
        assert read.notes[0].at == datetime(2026, 3, 1, 23, 59, 59, 999999, UTC)
        assert (read.notes[0].at.tzinfo, read.customer.updated_at and read.customer.updated_at.tzinfo) == (
            UTC,
            UTC,
        )


# --- the tables as they become ----------------------------------------------------------------------------


async def test_values_are_read_by_their_columns_types(database: Database) -> None:
    table = sa.Table(
        "odds",
        sa.MetaData(),
        sa.Column("id", sa.BigInteger, primary_key=True),
        sa.Column("big", sa.BigInteger),
        sa.Column("yes", sa.Boolean),
        sa.Column("day", sa.Date),
        sa.Column("at", UtcDateTime),
        sa.Column("words", Words),
        sa.Column("text", CleanText),
    )
    rows = [
        {
            "id": 2,
            "big": 2**63 - 1,
            "yes": True,
            "day": date.max,
            "at": NOON,
            "words": {"b", "a"},
            "text": "\u2028'\\",
        },
        {"id": 1, "big": None, "yes": None, "day": None, "at": None, "words": None, "text": None},
        {"id": 3, "big": -1, "yes": False, "day": date(1, 1, 1), "at": NOON, "words": set(), "text": ""},
    ]
    wanted: sa.BindParameter[int] = sa.bindparam("least", type_=sa.BigInteger)
    question = Question(
        odds=sa.select(table).where(table.c.id >= wanted).order_by(table.c.id),
        none=sa.select(table.c.id).where(table.c.text == "it's"),
    )
    async with database.begin() as conn:
        await conn.run_sync(table.metadata.create_all)
        await conn.execute(sa.insert(table), rows)
    odds, none = await database.ask(question, {"least": 1})
    async with database.read() as conn:
        there = [tuple(row) for row in await conn.execute(sa.select(table).order_by(table.c.id))]
    assert [tuple(row) for row in odds] == there
    assert none == []
    assert [row.id for row in (await database.ask(question, {"least": 3}))[0]] == [3]
    with pytest.raises(KeyError):
        await database.ask(question, {})


def test_a_type_that_nobody_says_how_to_read_is_refused() -> None:
    table = sa.Table("odds", sa.MetaData(), sa.Column("id", sa.Integer), sa.Column("price", sa.Numeric))
    with pytest.raises(TypeError, match=r"odds\.price"):
        Question(odds=sa.select(table)).read(["[]"])


NEW_FIELD = """
import asyncio, sys
import sqlalchemy as sa
from cti_server.lookup.identify import Lookup
from cti_server.record.crm import customers
from cti_server.record.database import Database
from tests.record.builders import a_customer

async def main(url):
    async with Database(url) as database:
        async with database.begin() as conn:
            made = await a_customer(conn, "Li", "+8613800138000", nickname="小李")
        lookup = Lookup(database)
        identified = await lookup.identify("demo", "13800138000")
        card = await lookup.card("call", identified)
        print(identified.customer.nickname, card["customer"]["nickname"])

asyncio.run(main(sys.argv[1]))
"""


async def test_a_new_field_of_a_customer_is_one_line_in_each_of_its_places(
    database: Database, tmp_path: Path
) -> None:
    """The table, the fact and the view; the questions follow by themselves."""
    here = Path(cti_server.__file__).parent
    code = tmp_path / "code"
    shutil.copytree(here, code / "cti_server", ignore=shutil.ignore_patterns("__pycache__"))
    for file, line, new in (
        (
            "record/crm/customers.py",
            '    sa.Column("salutation", CleanText),\n',
            '    sa.Column("nickname", CleanText),\n',
        ),
        ("rules/facts.py", "    salutation: str | None = None\n", "    nickname: str | None = None\n"),
        ("lookup/shapes.py", "    salutation: str | None\n", "    nickname: str | None\n"),
    ):
        path = code / "cti_server" / file
        text = path.read_text()
        assert text.count(line) == 1
        path.write_text(text.replace(line, line + new))
    async with database.begin() as conn:
        await conn.execute(sa.text("ALTER TABLE customers ADD COLUMN nickname TEXT"))
    await database.close()
    (tmp_path / "run.py").write_text(NEW_FIELD)
    path = f"{code}:{here.parent}"
    url = database.url.render_as_string(hide_password=False)
    environment = {"PYTHONPATH": path, "PATH": "/usr/bin:/bin"}
    run = [sys.executable, str(tmp_path / "run.py"), url]
    done = await asyncio.to_thread(
        subprocess.run, run, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "小李 小李", done.stderr
