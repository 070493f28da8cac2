"""What I still owe: contacts that I had and have not finished."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter

from cti_server.api.agent.drafts import view_of
from cti_server.api.crm.interactions import interaction_view
from cti_server.api.desk_shapes import OwedItem, OwedView
from cti_server.api.ports import Deps
from cti_server.api.principal import DepsIn, Signed
from cti_server.api.problems import documented
from cti_server.record.contacts import wrap_ups

routes = APIRouter(prefix="/api", tags=["wrap-up"])

Because = Literal["code", "follow_up", "unfinished"]


@routes.get("/me/owed", operation_id="listOwed", responses=documented(401))
async def list_owed(principal: Signed, deps: DepsIn) -> OwedView:
    """The contacts that I have not finished, the oldest first."""
    async with deps.database.read() as conn:
        found = await wrap_ups.owed(conn, principal.id, still_live(deps, principal.id))
        need_code = await wrap_ups.need_code(conn)
    items: list[OwedItem] = []
    for one in found:
        mine = [part for part in one.segments if part.agent_id == principal.id]
        parts = [part for part in mine if wrap_ups.is_owed(part)]
        counts = wrap_ups.that_counts(mine)
        if parts and counts is not None:
            because: Because = "unfinished"
            if any(part.owed for part in parts):
                because = "code"
            elif any(part.follow_up for part in parts):
                because = "follow_up"
            draft = view_of(one, counts, need_code)
            items.append({"interaction": interaction_view(one), "draft": draft, "because": because})
    return {"count": len(items), "items": items}


def still_live(deps: Deps, agent: int) -> list[int]:
    """The contacts that this agent is still in, or wraps up, on the floor."""
    return [call.interaction for call in deps.floor.calls_of(agent) if call.interaction is not None]
