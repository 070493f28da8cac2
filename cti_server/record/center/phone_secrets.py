"""The passwords of browser phones: seals them, opens them, and seals those that an older version left in clear."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import sqlalchemy as sa

from cti_server.record.center.phones import Phone, all_phones, phones
from cti_server.record.database import Database, failure
from cti_server.record.engines import Connection
from cti_server.record.sealing import Sealer, SealingError, is_sealed

LOCK_WAIT = "2s"

State = Literal["none", "clear", "old_key", "sealed", "lost"]
"""`clear`: not sealed. `old_key`: sealed, but not with the first key. `lost`: sealed, and does not open."""


def about(phone: Phone) -> str:
    """What the password is sealed for: another phone's row cannot use it."""
    return f"phones/{phone.pbx}/{phone.seat}"


def with_password(phone: Phone, password: str, sealer: Sealer) -> Phone:
    """The phone with this password, sealed. Raises SealingError without a key."""
    return replace(phone, sip_password=sealer.seal(password, about(phone)))


def password_of(phone: Phone, sealer: Sealer) -> str:
    """The password in clear, '' for a phone without one. Raises SealingError where it does not open."""
    return "" if phone.sip_password is None else sealer.open(phone.sip_password, about(phone))


def state_of(phone: Phone, sealer: Sealer) -> State:
    """How the record has the password."""
    if phone.sip_password is None:
        return "none"
    if not is_sealed(phone.sip_password):
        return "clear"
    try:
        password_of(phone, sealer)
    except SealingError:
        return "lost"
    return "sealed" if sealer.is_current(phone.sip_password) else "old_key"


@dataclass(frozen=True, slots=True)
class Sealing:
    """What `seal_all` did, by seats. `left` has the SealingError of each password that does not open, by its seat.

    `traces` says why bytes of a password in clear may be left in the database's files; None where they are not.
    """

    sealed: tuple[str, ...] = ()
    resealed: tuple[str, ...] = ()
    clear: tuple[str, ...] = ()
    left: dict[str, SealingError] = field(default_factory=dict)
    traces: str | None = None


async def seal_all(database: Database, sealer: Sealer) -> Sealing:
    """Seal every password that is in clear, and seal anew what an older key has sealed. Again, it changes nothing.

    A row is written only where it is as it was read, so that several processes, and a command beside them, may do
    it at once. Without a key nothing is written: `clear` has the seats.
    """
    async with database.read() as conn:
        there = await all_phones(conn)
    wanted: dict[str, list[tuple[Phone, Phone]]] = {"clear": [], "old_key": []}
    left: dict[str, SealingError] = {}
    for phone in there:
        state = state_of(phone, sealer)
        if state == "none" or state == "sealed":
            continue
        try:
            password = password_of(phone, sealer)
        except SealingError as lost:
            left[phone.seat] = lost
            continue
        wanted[state].append((phone, with_password(phone, password, sealer) if sealer.ready else phone))
    if not sealer.ready:
        return Sealing(clear=tuple(phone.seat for phone, _ in wanted["clear"]), left=left)
    if not any(wanted.values()):
        return Sealing(left=left)
    async with database.begin() as conn:
        sealed, resealed = [
            tuple([old.seat for old, new in wanted[state] if await _replace(conn, old, new)])
            for state in ("clear", "old_key")
        ]
    return Sealing(sealed, resealed, (), left, await _wipe(database) if sealed else None)


async def _replace(conn: Connection, old: Phone, new: Phone) -> bool:
    same = sa.and_(phones.c.id == old.id, phones.c.sip_password == old.sip_password)
    done = await conn.execute(sa.update(phones).where(same).values(sip_password=new.sip_password))
    return done.rowcount == 1


async def _wipe(database: Database) -> str | None:
    """Take what was in clear out of the database's files too; why that failed, or None.

    An UPDATE leaves the old row behind: on SQLite in the write-ahead log and, unless it was built to overwrite
    what it deletes (Debian's is), in the file; on PostgreSQL in the table until that is written anew.
    """
    try:
        if not database.is_sqlite:
            async with database.read() as conn:  # autocommit: VACUUM runs in no transaction
                return await _rewrite(conn)
        async with database.engine.connect() as conn:
            if await conn.scalar(sa.text("PRAGMA secure_delete")) != 1:
                await conn.exec_driver_sql("VACUUM")
            row = (await conn.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")).one()
            return "another program reads the file" if row[0] else None
    except Exception as cause:
        return failure(cause)


async def _rewrite(conn: Connection) -> str | None:
    """Write PostgreSQL's table of phones anew. VACUUM only warns whoever does not own it: its file is asked."""
    file = sa.text("SELECT pg_relation_filenode('phones')")
    before = await conn.scalar(file)
    await conn.exec_driver_sql(f"SET lock_timeout = '{LOCK_WAIT}'")
    try:
        await conn.exec_driver_sql("VACUUM (FULL) phones")
    finally:
        await conn.exec_driver_sql("RESET lock_timeout")
    return None if await conn.scalar(file) != before else "this user does not own the table phones"
