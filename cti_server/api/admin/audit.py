"""The audit log, to read. `cti-server audit verify` follows its chains and seals."""

from __future__ import annotations

from typing import Annotated

import orjson
from fastapi import APIRouter, Query

from cti_server.api.admin.shapes import AuditEntryView, AuditPage
from cti_server.api.params import Cursor, Limit
from cti_server.api.principal import DepsIn, Signed
from cti_server.api.problems import documented
from cti_server.lookup.shapes import stamp
from cti_server.record.audit import entries
from cti_server.record.audit.entries import Entry

routes = APIRouter(prefix="/api/admin/audit", tags=["administration"])


@routes.get("", operation_id="listAudit", responses=documented(400, 401, 403, 422))
async def list_audit(
    _: Signed,
    deps: DepsIn,
    action: Annotated[str | None, Query(max_length=80, description="`user.` is all that begin so")] = None,
    actor: Annotated[str | None, Query(max_length=80, description="as `user:3`, `key:1`, `command:root`")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> AuditPage:
    """Who changed what, and which access only a grant or a scope allowed; the latest first."""
    async with deps.database.read() as conn:
        page = await entries.page(conn, action=action, actor=actor, cursor=cursor, limit=limit)
    return {"items": [entry_view(entry) for entry in page.items], "next": page.next}


def entry_view(entry: Entry) -> AuditEntryView:
    return {
        "id": entry.id,
        "at": stamp(entry.at),
        "actor": entry.actor,
        "actor_name": entry.actor_name,
        "address": entry.address,
        "action": entry.action,
        "thing": entry.thing,
        "allowed_by": entry.allowed_by,
        "detail": orjson.loads(entry.detail),
        "process": entry.process,
        "seq": entry.seq,
        "hash": entry.hash,
    }
