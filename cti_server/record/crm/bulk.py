"""Writing many customers at once, from a file: find those already recorded, write what is new, report on each.

Nothing is ever removed and an empty value changes nothing, so what people typed into the record survives.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from cti_server.record.crm import customer_values, search_index, tokens
from cti_server.record.crm.contact_points import contact_points, values
from cti_server.record.crm.contracts import contracts, service_levels
from cti_server.record.crm.customer_values import Author, Valued
from cti_server.record.crm.customers import customers
from cti_server.record.crm.drafts import CustomerDraft, Flaw, Refused
from cti_server.record.engines import Connection
from cti_server.record.schema import chunks

Outcome = Literal["created", "updated", "unchanged"]
_NEW_CONTRACT = {"status": "active", "ends_on": None, "minutes_total": None, "minutes_used": 0}


async def save(
    conn: Connection, drafts: Sequence[CustomerDraft], at: datetime, by: Author, *, searchable: bool = True
) -> list[Outcome | Refused]:
    """Write these drafts in the caller's transaction; returns what became of each, in order. `by` is who gives
    customers their tier and preferred agent.

    Companies are written before people, so in the file a person may precede their company. A rehearsal has no
    search index of its own: it is not `searchable`.
    """
    batch = _Batch(conn, at, by)
    found: dict[int, Outcome | Refused] = {}
    for kind in ("company", "person"):
        chosen = {i: draft for i, draft in enumerate(drafts) if draft.kind == kind}
        found |= await batch.save(chosen)
    if searchable:
        await search_index.update(conn, batch.touched)
    return [found[i] for i in range(len(drafts))]


class _Batch:
    """The work of one transaction, and the customers that it touched."""

    def __init__(self, conn: Connection, at: datetime, by: Author) -> None:
        self.conn = conn
        self.at = at
        self.by = by
        self.touched: set[int] = set()

    async def save(self, drafts: Mapping[int, CustomerDraft]) -> dict[int, Outcome | Refused]:
        if not drafts:
            return {}
        companies = await self._companies({d.company for d in drafts.values() if d.company})
        existing = await self._existing(drafts.values())
        owners = await self._owners(drafts.values())
        refused = {
            i: Refused(flaw)
            for i, draft in drafts.items()
            if (flaw := _refusal(draft, existing, companies, owners)) is not None
        }
        kept = {i: draft for i, draft in drafts.items() if i not in refused}
        rows = {draft.external_ref: self._row(draft, companies) for draft in reversed(kept.values())}
        created = await self._insert([row for ref, row in rows.items() if ref not in existing])
        ids = {ref: row["id"] for ref, row in existing.items()} | created
        changed = await self._update(existing, rows)
        changed |= await self._points(ids, kept.values())
        changed |= await self._contracts(ids, kept.values())
        await self._values(existing, rows, created)
        fresh = set(created.values())
        self.touched |= changed | fresh
        await self._bump(changed - fresh)
        return refused | {i: _outcome(ids[d.external_ref], fresh, changed) for i, d in kept.items()}

    def _row(self, draft: CustomerDraft, companies: Mapping[str, list[int]]) -> dict[str, Any]:
        row = {**draft.fields, "external_ref": draft.external_ref, "kind": draft.kind, "name": draft.name}
        if draft.company:
            row["company_id"] = companies[draft.company][0]
        return row | {"name_key": tokens.key(draft.name)}

    async def _companies(self, wanted: set[str]) -> dict[str, list[int]]:
        """The ids of each company, found by its reference, else by its name; missing companies are added."""
        if not wanted:
            return {}
        c = customers.c
        by_ref: dict[str, int] = {}
        by_key: defaultdict[str, list[int]] = defaultdict(list)
        keys = {name: tokens.key(name) for name in wanted}
        matches = sa.or_(c.external_ref.in_(wanted), c.name_key.in_(list(keys.values())))
        query = sa.select(c.id, c.external_ref, c.name_key).where(c.kind == "company", matches).order_by(c.id)
        for row in await self.conn.execute(query):
            by_ref[row.external_ref] = row.id
            by_key[row.name_key].append(row.id)
        missing = {keys[name]: name for name in wanted if name not in by_ref and keys[name] not in by_key}
        for key, name in sorted(missing.items()):
            new = {"kind": "company", "name": name, "name_key": key} | self._stamp()
            made = await self.conn.scalar(sa.insert(customers).values(new).returning(c.id))
            assert made is not None
            by_key[key].append(made)
            self.touched.add(made)
        return {name: [by_ref[name]] if name in by_ref else by_key[keys[name]] for name in wanted}

    async def _existing(self, drafts: Iterable[CustomerDraft]) -> dict[str, dict[str, Any]]:
        """The recorded customers by reference. A company recorded by name only counts, too, and takes on its
        reference."""
        refs = {draft.external_ref for draft in drafts}
        query = sa.select(customers).where(customers.c.external_ref.in_(refs))
        query = query.order_by(customers.c.id).with_for_update()  # what is noted as before is what is written over
        existing = {row.external_ref: dict(row._mapping) for row in await self.conn.execute(query)}
        nameless = {
            tokens.key(draft.name): draft.external_ref
            for draft in drafts
            if draft.kind == "company" and draft.external_ref not in existing
        }
        c = customers.c
        query = (
            sa.select(customers)
            .where(c.kind == "company", c.external_ref.is_(None), c.name_key.in_(list(nameless)))
            .order_by(c.id.desc())
        )
        for row in await self.conn.execute(query):
            existing[nameless[row.name_key]] = dict(row._mapping)
        return existing

    async def _owners(self, drafts: Iterable[CustomerDraft]) -> dict[str, str | None]:
        """For each contract number already recorded, its owner's reference."""
        numbers = {draft.contract.number for draft in drafts if draft.contract}
        if not numbers:
            return {}
        query = (
            sa.select(contracts.c.number, customers.c.external_ref)
            .join_from(contracts, customers, customers.c.id == contracts.c.customer_id)
            .where(contracts.c.number.in_(numbers))
        )
        return {row.number: row.external_ref for row in await self.conn.execute(query)}

    async def _insert(self, rows: list[dict[str, Any]]) -> dict[str, int]:
        made: dict[str, int] = {}
        returned = sa.insert(customers).returning(customers.c.id, customers.c.external_ref)
        for alike in _by_columns(rows):
            inserted = await self.conn.execute(returned, [row | self._stamp() for row in alike])
            made |= {row.external_ref: row.id for row in inserted}
        return made

    async def _update(
        self, existing: Mapping[str, Mapping[str, Any]], rows: Mapping[str, Mapping[str, Any]]
    ) -> set[int]:
        changes = []
        for ref in existing.keys() & rows.keys():
            new = {name: value for name, value in rows[ref].items() if existing[ref][name] != value}
            if new:
                changes.append({"_id": existing[ref]["id"]} | new)
        for alike in _by_columns(changes):
            names = [name for name in alike[0] if name != "_id"]
            statement = sa.update(customers).where(customers.c.id == sa.bindparam("_id"))
            await self.conn.execute(
                statement.values({name: sa.bindparam(f"_{name}") for name in names}),
                [{"_id": c["_id"]} | {f"_{name}": c[name] for name in names} for c in alike],
            )
        return {change["_id"] for change in changes}

    async def _values(
        self,
        existing: Mapping[str, Mapping[str, Any]],
        rows: Mapping[str, Mapping[str, Any]],
        created: Mapping[str, int],
    ) -> None:
        """Keep who gave which tier and preferred agent, before the versions of those that changed are raised."""
        written = [Valued(customer_id, 1, {}, rows[ref]) for ref, customer_id in created.items()]
        written += [
            Valued(existing[ref]["id"], existing[ref]["version"] + 1, existing[ref], rows[ref])
            for ref in existing.keys() & rows.keys()
        ]
        await customer_values.add(self.conn, written, self.by, self.at)

    async def _points(self, ids: Mapping[str, int], drafts: Iterable[CustomerDraft]) -> set[int]:
        wanted = {
            (ids[draft.external_ref], *_identity(point)): point for draft in drafts for point in draft.points
        }
        if not wanted:
            return set()
        c = contact_points.c
        existing = sa.select(contact_points).where(c.customer_id.in_({key[0] for key in wanted}))
        for row in await self.conn.execute(existing):
            wanted.pop((row.customer_id, *_identity(row)), None)
        if not wanted:
            return set()
        holders = Counter((point.e164, point.extension or "") for point in wanted.values() if point.e164)
        others = sa.select(c.id, c.e164, c.extension, c.standing).where(c.e164.in_({n for n, _ in holders}))
        no_longer_alone = set()
        for row in await self.conn.execute(others):
            if (row.e164, row.extension) in holders:
                holders[row.e164, row.extension] += 1
                if row.standing == "verified":
                    no_longer_alone.add(row.id)
        for some in chunks(no_longer_alone):
            shared = sa.update(contact_points).where(c.id.in_(some)).values(standing="shared")
            await self.conn.execute(shared)
        rows = []
        for (customer_id, *_), p in wanted.items():
            standing: Literal["shared", "verified"] = (
                "shared" if p.e164 and holders[p.e164, p.extension or ""] > 1 else "verified"
            )
            rows.append(values(customer_id, p.kind, p.raw, p.e164, p.extension, p.label, standing))
        await self.conn.execute(sa.insert(contact_points), rows)
        return {key[0] for key in wanted}

    async def _contracts(self, ids: Mapping[str, int], drafts: Iterable[CustomerDraft]) -> set[int]:
        wanted = {d.contract.number: (ids[d.external_ref], d.contract) for d in drafts if d.contract}
        if not wanted:
            return set()
        levels = {
            row.code: row.id
            for row in await self.conn.execute(sa.select(service_levels.c.code, service_levels.c.id))
        }
        rows = await self.conn.execute(sa.select(contracts).where(contracts.c.number.in_(wanted)))
        existing = {row.number: dict(row._mapping) for row in rows}
        changed = set()
        added = []
        for number, (customer_id, draft) in wanted.items():
            new: dict[str, Any] = {
                "service_level_id": levels[draft.service_level],
                "starts_on": draft.starts_on,
                "ends_on": draft.ends_on,
                "status": draft.status,
                "minutes_total": draft.minutes_total,
                "minutes_used": draft.minutes_used,
            }
            given = {name: value for name, value in new.items() if value is not None}
            if draft.open_ended:
                given["ends_on"] = None
            if (old := existing.get(number)) is None:
                added.append(_NEW_CONTRACT | given | {"number": number, "customer_id": customer_id})
            elif any(old[name] != value for name, value in given.items()):
                await self.conn.execute(sa.update(contracts).where(contracts.c.id == old["id"]).values(given))
            else:
                continue
            changed.add(customer_id)
        if added:
            await self.conn.execute(sa.insert(contracts), added)
        return changed

    async def _bump(self, ids: set[int]) -> None:
        if ids:
            raised = {"version": customers.c.version + 1, "updated_at": self.at}
            await self.conn.execute(sa.update(customers).where(customers.c.id.in_(ids)).values(raised))

    def _stamp(self) -> dict[str, Any]:
        return {"created_at": self.at, "updated_at": self.at, "version": 1}


def _refusal(
    draft: CustomerDraft,
    existing: Mapping[str, Mapping[str, Any]],
    companies: Mapping[str, Sequence[int]],
    owners: Mapping[str, str | None],
) -> Flaw | None:
    ref = draft.external_ref
    row = existing.get(ref)
    if row is not None and row["kind"] != draft.kind:
        return Flaw(f"{{}} is a {row['kind']} in the record, not a {draft.kind}", (ref,))
    if draft.company and len(companies[draft.company]) > 1:
        return Flaw("several companies are called {}; give the company's external_ref instead", (draft.company,))
    if draft.company and row is not None and row["id"] in companies[draft.company]:
        return Flaw("{} cannot belong to itself", (ref,))
    number = draft.contract.number if draft.contract else ""
    if number in owners and owners[number] != ref:
        owner = owners[number] or "without an external_ref"
        return Flaw("contract {} belongs to customer {} in the record", (number, owner))
    return None


def _identity(point: Any) -> tuple[str, str, str]:
    """Two contact points of one customer with equal identities are the same one."""
    return point.kind, point.e164 or point.raw.casefold(), point.extension or ""


def _outcome(customer_id: int, created: set[int], changed: set[int]) -> Outcome:
    if customer_id in created:
        return "created"
    return "updated" if customer_id in changed else "unchanged"


def _by_columns(rows: Iterable[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Rows grouped by the columns that they have: one statement writes a group."""
    groups: defaultdict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[tuple(sorted(row))].append(row)
    return list(groups.values())
