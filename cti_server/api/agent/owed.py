"""What the agent still owes: contacts that they had and have not finished."""

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
    """The contacts that the agent has not finished, the oldest first."""
    async with deps.database.read() as conn:
        found = await wrap_ups.owed(conn, principal.id, still_live(deps, principal.id))
        need_code = await wrap_ups.need_code(conn)
    items: list[OwedItem] = []
    viewer = principal.viewer(deps)
    for interaction in found:
        own_segments = [part for part in interaction.segments if part.agent_id == principal.id]
        unfinished = [part for part in own_segments if wrap_ups.is_owed(part)]
        main_segment = wrap_ups.that_counts(own_segments)
        if unfinished and main_segment is not None:
            because: Because = "unfinished"
            if any(part.owed for part in unfinished):
                because = "code"
            elif any(part.follow_up for part in unfinished):
                because = "follow_up"
            draft = view_of(interaction, main_segment, need_code)
            items.append(
                {"interaction": interaction_view(interaction, viewer), "draft": draft, "because": because}
            )
    return {"count": len(items), "items": items}


def still_live(deps: Deps, agent: int) -> list[int]:
    """The ids of the contacts that this agent is still in, or wraps up, on the floor."""
    return [call.interaction for call in deps.floor.calls_of(agent) if call.interaction is not None]
