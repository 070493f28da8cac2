"""Live calls: those that concern me, the card of one, who it is, and that I am done with it."""

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
    """Whether I want it."""

    model_config = ConfigDict(extra="forbid")

    wanted: bool = True


# The floor makes these shapes many times a second and tests hold them to the schema: they are not checked
# again here.


@routes.get("", operation_id="listCalls", response_model=CallList, responses=documented(401))
async def list_calls(principal: Signed, deps: DepsIn) -> Response:
    """The live calls that ring at me, that I hold or wrap up, and those that I may take to my phone: parked ones,
    those that ring at colleagues and, by right, those who wait in my queues. For a supervisor, all.
    """
    viewer = principal.viewer(deps)
    shown = [one for one in deps.floor.calls() if may_see(viewer, one.thing) or may_take(viewer, one.thing)]
    return JSONResponse({"items": [dict(one.view()) for one in shown]})


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
    """What each agent has to do with a live call, or had, the first first."""
    visible_call(deps, principal, call)
    return JSONResponse([dict(part) for part in deps.floor.parts(call)])


@routes.get("/{call}/card", operation_id="getCard", response_model=Card, responses=documented(401, 404, 422))
async def get_card(call: CallId, principal: Signed, deps: DepsIn) -> Response:
    """The card of a live call, read from the record now: a note or an edit since it popped is on it."""
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
    """Say who calls. It is remembered for the number, and the new card comes as an event."""
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
    """Be done with a call: its wrap-up ends. As `finishInteraction`, by the call; a null note stays as it is."""
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
    """The time for wrap-up once more, as often as the queue allows. 409 when there is no more, or no limit."""
    visible_call(deps, principal, call)
    await deps.commands.extend_wrap_up(call, principal.id)


@routes.post(
    "/{call}/wrap-up/request",
    operation_id="requestWrapUp",
    status_code=204,
    responses=documented(401, 403, 404, 409, 422),
)
async def request_wrap_up(call: CallId, body: Wanted, principal: Signed, deps: DepsIn) -> None:
    """Have time after this call, though its queue gives none by itself; or have none after all."""
    visible_call(deps, principal, call)
    await deps.commands.want_wrap_up(call, principal.id, body.wanted)
