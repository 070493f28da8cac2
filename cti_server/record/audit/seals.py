"""Seals: the heads of all chains of a day that is over, signed, each naming the seal before it.

Whoever changes or removes an entry of a sealed day changes a head that a signature covers; whoever removes a seal
breaks the line of seals. The present day, and the last one until it is sealed, is covered by its chains only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection as Connection  # database.py stands above this

from cti_server.record.schema import CleanText, UtcDateTime, metadata, to_json
from cti_server.record.sealing import Signer, is_signed_by

from .entries import FIRST, Entry, audit, chains, note

IN_TIME: Final = timedelta(hours=2)  # after its end; a seal that comes later could be one that was made again
SETTLED: Final = timedelta(minutes=10)  # after midnight UTC: transactions that began before it have ended by then

audit_seals = sa.Table(
    "audit_seals",
    metadata,
    sa.Column("day", CleanText, primary_key=True),
    sa.Column("sealed_at", UtcDateTime, nullable=False),
    sa.Column("heads", CleanText, nullable=False),
    sa.Column("previous", CleanText, nullable=False),
    sa.Column("hash", CleanText, nullable=False),
    sa.Column("signer", CleanText),
    sa.Column("signature", CleanText),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """One day's seal. `heads` is JSON: process → [entries, hash of the last]. `signer` is the public key (Ed25519,
    hex), None where there was no key to sign with; `previous` is the hash of the seal before."""

    day: str
    sealed_at: datetime
    heads: str
    previous: str
    hash: str
    signer: str | None
    signature: str | None

    def hashed(self) -> str:
        at = self.sealed_at.astimezone(UTC).isoformat(timespec="microseconds")
        return hashlib.sha256(to_json([self.previous, self.day, at, self.heads]).encode()).hexdigest()


async def due(conn: Connection, now: datetime) -> list[str]:
    """The days that are over and have entries and no seal, the oldest first."""
    last = (now.astimezone(UTC) - SETTLED).date().isoformat()
    sealed = sa.select(audit_seals.c.day)
    query = sa.select(audit.c.day).distinct().where(audit.c.day < last, audit.c.day.not_in(sealed))
    return list((await conn.execute(query.order_by(audit.c.day))).scalars())


async def seal(conn: Connection, day: str, now: datetime, signer: Signer | None) -> Seal:
    """Seal a day, and say so in the chain of this one. Raises IntegrityError where another process has done it."""
    heads: dict[str, tuple[int, str]] = {}
    async for entry in chains(conn, day):
        heads[entry.process] = (entry.seq, entry.hash)
    before = sa.select(audit_seals.c.hash).order_by(audit_seals.c.day.desc()).limit(1)
    previous = await conn.scalar(before) or FIRST
    made = Seal(
        day=day, sealed_at=now, heads=to_json(heads), previous=previous, hash="", signer=None, signature=None
    )
    digest = made.hashed()
    values = asdict(made) | {"hash": digest}
    if signer is not None:
        values |= {"signer": signer.public, "signature": signer.sign(digest.encode())}
    await conn.execute(sa.insert(audit_seals).values(values))
    note("audit.sealed", f"day:{day}", {"hash": digest, "chains": len(heads)})
    return Seal(**values)


# --- looking whether all is there --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, by code, and where. `changed`, `missing`, `added` and `forged` are somebody's work;
    `unsigned`, `other_key`, `unsealed` and `late` say that nobody can prove that it is not."""

    code: str
    where: str
    detail: str

    @property
    def is_tampering(self) -> bool:
        return self.code not in UNPROVEN


UNPROVEN: Final = frozenset({"unsigned", "unsealed", "other_key", "late"})
Verdict = Literal["proven", "unproven", "tampered"]
"""`proven`: every day that is over is sealed in time by a key that is trusted. `unproven`: whoever has the
database could have written it anew."""


@dataclass(frozen=True, slots=True)
class Verified:
    entries: int
    chains: int
    seals: int
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Verdict:
        if any(finding.is_tampering for finding in self.findings):
            return "tampered"
        return "unproven" if self.findings else "proven"


async def verify(conn: Connection, now: datetime, trusted: Mapping[str, object]) -> Verified:
    """Follow every chain and every seal. `trusted` has the public keys whose signatures count. A seal that is
    signed by one proves those before it, too, for it names them."""
    found: list[Finding] = []
    heads: dict[str, dict[str, tuple[int, str]]] = {}
    count = 0
    last: Entry | None = None
    async for entry in chains(conn):
        count += 1
        goes_on = last is not None and (last.process, last.day) == (entry.process, entry.day)
        where = f"{entry.day} {entry.process} #{entry.seq}"
        expected = (last.seq + 1, last.hash) if goes_on and last is not None else (1, FIRST)
        if entry.seq != expected[0]:
            found.append(Finding("missing", where, f"entries {expected[0]} to {entry.seq - 1} are gone"))
        elif entry.previous != expected[1]:
            found.append(Finding("changed", where, "it does not follow the entry before it"))
        if entry.hashed() != entry.hash:
            found.append(Finding("changed", where, f"{entry.action} was changed after it was written"))
        heads.setdefault(entry.day, {})[entry.process] = (entry.seq, entry.hash)
        last = entry
    seals = [
        Seal(**row._mapping) for row in await conn.execute(sa.select(audit_seals).order_by(audit_seals.c.day))
    ]
    previous = FIRST
    proven = max((at for at, one in enumerate(seals) if _is_trusted(one, trusted)), default=-1)
    for at, one in enumerate(seals):
        found += _of_seal(one, previous, heads.get(one.day, {}), trusted, is_proven=at <= proven)
        previous = one.hash
    found += [Finding("unsealed", day, "the day is over and was not sealed") for day in await due(conn, now)]
    found += await _said(conn, {one.day: one.hash for one in seals})
    return Verified(count, sum(map(len, heads.values())), len(seals), tuple(found))


def _is_trusted(one: Seal, trusted: Mapping[str, object]) -> bool:
    if one.signer is None or one.signature is None or one.signer not in trusted:
        return False
    return is_signed_by(one.signer, one.signature, one.hash.encode()) and one.hashed() == one.hash


def _of_seal(
    one: Seal,
    previous: str,
    heads: Mapping[str, tuple[int, str]],
    trusted: Mapping[str, object],
    *,
    is_proven: bool,
) -> list[Finding]:
    found: list[Finding] = []
    if one.previous != previous:
        found.append(Finding("missing", one.day, "the seal before it is another, or gone"))
    if one.hashed() != one.hash:
        found.append(Finding("changed", one.day, "the seal was changed after it was made"))
    if one.signature is not None and one.signer is not None:
        if not is_signed_by(one.signer, one.signature, one.hash.encode()):
            found.append(Finding("forged", one.day, "the signature is not that of its key"))
        elif one.signer not in trusted and not is_proven:
            found.append(Finding("other_key", one.day, f"signed by {one.signer}, which nobody here trusts"))
    elif not is_proven:
        found.append(
            Finding("unsigned", one.day, "sealed without a key, and no later seal that is signed names it")
        )
    if one.sealed_at > _end_of(one.day) + IN_TIME:
        found.append(Finding("late", one.day, f"sealed only at {one.sealed_at:%Y-%m-%d %H:%M} UTC"))
    sealed: dict[str, Any] = orjson.loads(one.heads)
    for process, (entries, head) in sealed.items():
        now = heads.get(process)
        if now is None or now[0] < entries:
            found.append(Finding("missing", f"{one.day} {process}", f"{entries - (now[0] if now else 0)} entries"))
        elif now[0] > entries:
            found.append(Finding("added", f"{one.day} {process}", f"{now[0] - entries} entries after the seal"))
        elif now[1] != head:
            found.append(
                Finding("changed", f"{one.day} {process}", "its last entry is not the one that was sealed")
            )
    unknown = heads.keys() - sealed.keys()
    return found + [
        Finding("added", f"{one.day} {name}", "a chain that the seal does not know") for name in unknown
    ]


def _end_of(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(days=1)


async def _said(conn: Connection, sealed: Mapping[str, str]) -> list[Finding]:
    """Seals that a later chain speaks of, and that are gone or another."""
    query = sa.select(audit.c.thing, audit.c.detail).where(audit.c.action == "audit.sealed")
    found = []
    for thing, detail in await conn.execute(query):
        day = thing.removeprefix("day:")
        if sealed.get(day) != orjson.loads(detail).get("hash"):
            found.append(Finding("missing", day, "its seal is gone, or is not the one that was made"))
    return found


async def exported(conn: Connection, written: Callable[[Entry | Seal], None]) -> None:
    """Hand out every entry, chain by chain, then every seal."""
    async for entry in chains(conn):
        written(entry)
    for row in await conn.execute(sa.select(audit_seals).order_by(audit_seals.c.day)):
        written(Seal(**row._mapping))
