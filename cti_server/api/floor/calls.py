"""Live calls: lists them, shows their parts and cards, sets who calls, and ends or extends a wrap-up."""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict

from cti_server.api.agent.drafts import Draft, not_written
from cti_server.api.agent.wrap_up import finish_interaction
from cti_server.api.live_shapes import CallList, CallView, PartView
from cti_server.api.params import CallId, Id
from cti_server.api.principal import DepsIn, Signed, visible_call
from cti_server.api.problems import Problem, documented, not_found
from cti_server.lookup.shapes import Card
from cti_server.record.crm import customers
from cti_server.rules.rights import may_see, may_take

routes = APIRouter(prefix="/api/calls", tags=["calls"])


class Choice(BaseModel):
    """Who the caller is."""

    model_config = ConfigDict(extra="forbid")

    customer_id: Id


class Wanted(BaseModel):
    """Whether the agent wants time for wrap-up."""

    model_config = ConfigDict(extra="forbid")

    wanted: bool = True


# The floor makes these shapes many times a second and tests hold them to the schema, so they are not checked again
# here.


@routes.get("", operation_id="listCalls", response_model=CallList, responses=documented(401))
async def list_calls(principal: Signed, deps: DepsIn) -> Response:
    """The live calls in which the agent has a part, and those that they may take to their phone: parked calls,
    calls that ring at colleagues and, by right, callers who wait in their queues. Supervisors get all.
    """
    viewer = principal.viewer(deps)
    shown = [call for call in deps.floor.calls() if may_see(viewer, call.thing) or may_take(viewer, call.thing)]
    return JSONResponse({"items": [dict(call.view()) for call in shown]})


@routes.get("/{call}", operation_id="getCall", response_model=CallView, responses=documented(401, 404, 422))
async def get_call(call: CallId, principal: Signed, deps: DepsIn) -> Response:
    """One live call."""
    return JSONResponse(dict(visible_call(deps, principal, call).view()))


@routes.get(
    "/{call}/parts",
    operation_id="listParts",
    response_model=list[PartView],
    responses=documented(401, 404, 422),
)
async def list_parts(call: CallId, principal: Signed, deps: DepsIn) -> Response:
    """What each agent has, or had, to do with a live call, in order."""
    visible_call(deps, principal, call)
    return JSONResponse([dict(part) for part in deps.floor.parts(call)])


@routes.get("/{call}/card", operation_id="getCard", response_model=Card, responses=documented(401, 404, 422))
async def get_card(call: CallId, principal: Signed, deps: DepsIn) -> Response:
    """The card of a live call, read from the record now, so that it has every note and edit since it popped."""
    visible_call(deps, principal, call)
    card = await deps.floor.card(call)
    if card is None:
        raise not_found("call")
    return JSONResponse(card)


@routes.put(
    "/{call}/customer",
    operation_id="chooseCustomer",
    status_code=204,
    responses=documented(401, 403, 404, 409, 422, 503),
)
async def choose_customer(call: CallId, body: Choice, principal: Signed, deps: DepsIn) -> None:
    """Set who calls. The choice is remembered for the number, and the new card comes as an event."""
    visible_call(deps, principal, call)
    async with deps.database.read() as conn:
        if await customers.get(conn, body.customer_id) is None:
            raise not_found("customer")
    await deps.commands.choose_customer(call, body.customer_id, principal.id)


@routes.post(
    "/{call}/wrap-up",
    operation_id="finishWrapUp",
    status_code=204,
    responses=documented(401, 403, 404, 409, 422, 503),
)
async def finish_wrap_up(call: CallId, body: Draft, principal: Signed, deps: DepsIn) -> None:
    """End the wrap-up of a call, as `finishInteraction` does by the contact; here a null note changes nothing."""
    found = visible_call(deps, principal, call)
    if deps.floor.part_state(call, principal.id) != "wrap_up":
        raise Problem(409, "not_in_wrap_up", "you are not wrapping up this call")
    if found.interaction is None:
        raise not_written()
    given = body.model_dump(mode="json", exclude_unset=True, by_alias=True)
    left = {name: value for name, value in given.items() if (name, value) != ("note", None)}
    await finish_interaction(found.interaction, Draft.model_validate(left), principal, deps)


@routes.post(
    "/{call}/wrap-up/extend",
    operation_id="extendWrapUp",
    status_code=204,
    responses=documented(401, 403, 404, 409, 422),
)
async def extend_wrap_up(call: CallId, principal: Signed, deps: DepsIn) -> None:
    """Get the time for wrap-up once more, as often as the queue allows. 409 when none is left, or no limit."""
    visible_call(deps, principal, call)
    await deps.commands.extend_wrap_up(call, principal.id)


@routes.post(
    "/{call}/wrap-up/request",
    operation_id="requestWrapUp",
    status_code=204,
    responses=documented(401, 403, 404, 409, 422),
)
async def request_wrap_up(call: CallId, body: Wanted, principal: Signed, deps: DepsIn) -> None:
    """Ask for wrap-up time after this call though its queue gives none, or take that back."""
    visible_call(deps, principal, call)
    await deps.commands.want_wrap_up(call, principal.id, body.wanted)
