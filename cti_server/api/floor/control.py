"""Call control: each command is a POST that answers 202, and ends in the event `command.done`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Header, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from cti_server.api.live_shapes import HandoverView
from cti_server.api.params import CallId, Id
from cti_server.api.ports import Deps
from cti_server.api.principal import DepsIn, Principal, Signed, visible_call
from cti_server.api.problems import documented, not_found
from cti_server.api.shapes import AcceptedView
from cti_server.commands import AgentTarget, Asking, CallCommand, NumberTarget, QueueTarget, Target
from cti_server.floor.verbs import Verb
from cti_server.record.center.agents import Agent
from cti_server.rules.rights import is_at_least, may_see

routes = APIRouter(prefix="/api/calls", tags=["call control"])

#: the verbs that take no argument but the call, with their descriptions for the OpenAPI document
PLAIN: Final[Mapping[Verb, str]] = {
    Verb.ANSWER: "Answer the call that rings at the agent's phone: in a browser, or at a desk where set up.",
    Verb.HANGUP: "End the agent's part of the call; reject a ringing call. During a consultation, complete it.",
    Verb.HOLD: "Put the other side on hold; they hear music.",
    Verb.RETRIEVE: "Take the other side off hold.",
    Verb.MUTE: "Mute the agent: nobody hears them.",
    Verb.UNMUTE: "End muting: the others hear the agent again.",
    Verb.ALTERNATE: "During a consultation, talk to whoever waits.",
    Verb.COMPLETE: "Complete the consultation: the two others talk to each other. Also while it still rings.",
    Verb.CANCEL: "End the consultation, and talk to the caller again.",
    Verb.PARK: "Park the call: the caller waits in a parking space, and the agent's phone is free.",
    Verb.PICK_UP: "Bring a parked, a colleague's ringing or (by right) a waiting call to the agent's phone.",
    Verb.RECORD_START: "Record the call.",
    Verb.RECORD_PAUSE: "Pause the recording: it has silence until it is resumed.",
    Verb.RECORD_RESUME: "Resume the recording.",
    Verb.RECORD_STOP: "End the recording.",
    Verb.RECONNECT: "Bring the call back to the agent's browser phone after the page was loaded anew.",
}
ERRORS: Final = documented(401, 403, 409, 422, 503)

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="the same key within ten minutes answers the first request and does nothing",
    ),
]
# The text goes to the PBX, so anything but a line of plain text is refused here.
PLAIN_TEXT: Final = r"^[^\x00-\x1f\x7f]*$"
Said = Annotated[str, Field(max_length=2000)]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Nothing(Body):
    """No arguments."""


class ToAgent(Body):
    """A colleague, wherever they sit now."""

    kind: Literal["agent"]
    id: Id


class ToQueue(Body):
    kind: Literal["queue"]
    name: Annotated[str, Field(min_length=1, max_length=64, pattern=PLAIN_TEXT)]


class ToNumber(Body):
    """An extension, or a number as a person writes it."""

    kind: Literal["number"]
    number: Annotated[str, Field(min_length=1, max_length=128, pattern=PLAIN_TEXT)]


ToTarget = Annotated[ToAgent | ToQueue | ToNumber, Field(discriminator="kind")]


class Transfer(Body):
    """Whom the call goes to, and in `said` what they should know."""

    target: ToTarget
    said: Said | None = None


class Conference(Body):
    """Whom to add; null merges the consultation."""

    target: ToTarget | None = None


class Keys(Body):
    digits: Annotated[str, Field(pattern=r"^[0-9*#A-D]{1,32}$")]


class Drop(Body):
    """The leg to drop: a `people[].leg` of the call."""

    leg: Annotated[str, Field(min_length=1, max_length=150)]


class Dial(Body):
    """The number as the page showed it. `from_page` is the page it came from, for the log."""

    to: Annotated[str, Field(min_length=1, max_length=128, pattern=PLAIN_TEXT)]
    from_page: Annotated[str, Field(max_length=500)] | None = None


def target_of(body: ToAgent | ToQueue | ToNumber) -> Target:
    match body:
        case ToAgent():
            return AgentTarget(body.id)
        case ToQueue():
            return QueueTarget(body.name)
        case ToNumber():
            return NumberTarget(body.number)


def asking_of(agent: Agent) -> Asking:
    """Who asks, with the rights that call control looks at."""
    supervises = is_at_least(agent.role, "supervisor")
    anywhere = "dial_anywhere" in agent.all_grants
    return Asking(agent.id, agent.name, supervises, agent.may_pick, agent.login, agent.role, anywhere)


async def ask(deps: Deps, principal: Principal, command: CallCommand, key: str | None) -> AcceptedView:
    viewer = principal.viewer(deps)
    live = deps.floor.call(command.call) if command.call is not None else None
    oversees = principal.supervises and (live is None or may_see(viewer, live.thing))
    asking = replace(asking_of(principal.agent), supervises=oversees)
    return {"request": await deps.control.ask(asking, command, key)}


@routes.post("", operation_id="dialNumber", status_code=202, responses=ERRORS)
async def dial(body: Dial, principal: Signed, deps: DepsIn, key: Key = None) -> AcceptedView:
    """Call a number: the agent's phone rings first, then the number is called."""
    return await ask(deps, principal, CallCommand(Verb.DIAL, target=NumberTarget(body.to)), key)


@routes.post("/{call}/transfer", operation_id="transferCall", status_code=202, responses=ERRORS)
async def transfer(call: CallId, body: Transfer, principal: Signed, deps: DepsIn, key: Key = None) -> AcceptedView:
    """Transfer the call without asking first. When nobody takes it, the caller comes back to the agent."""
    command = CallCommand(Verb.TRANSFER, call, target_of(body.target), body.said)
    return await ask(deps, principal, command, key)


@routes.post("/{call}/consult", operation_id="consultCall", status_code=202, responses=ERRORS)
async def consult(call: CallId, body: Transfer, principal: Signed, deps: DepsIn, key: Key = None) -> AcceptedView:
    """Call somebody first; the caller hears music. Then alternate, complete, cancel, or make it a conference."""
    command = CallCommand(Verb.CONSULT, call, target_of(body.target), body.said)
    return await ask(deps, principal, command, key)


@routes.post("/{call}/conference", operation_id="conferenceCall", status_code=202, responses=ERRORS)
async def conference(
    call: CallId, body: Conference, principal: Signed, deps: DepsIn, key: Key = None
) -> AcceptedView:
    """Merge the consultation, or add somebody to the call."""
    target = target_of(body.target) if body.target is not None else None
    return await ask(deps, principal, CallCommand(Verb.CONFERENCE, call, target), key)


@routes.post("/{call}/dtmf", operation_id="sendKeys", status_code=202, responses=ERRORS)
async def dtmf(call: CallId, body: Keys, principal: Signed, deps: DepsIn, key: Key = None) -> AcceptedView:
    """Press keys for a voice menu at the other end."""
    return await ask(deps, principal, CallCommand(Verb.DTMF, call, digits=body.digits), key)


@routes.post("/{call}/drop", operation_id="dropParticipant", status_code=202, responses=ERRORS)
async def drop(call: CallId, body: Drop, principal: Signed, deps: DepsIn, key: Key = None) -> AcceptedView:
    """Drop one participant from the call."""
    return await ask(deps, principal, CallCommand(Verb.DROP, call, leg=body.leg), key)


def plain(verb: Verb) -> Callable[..., Awaitable[AcceptedView]]:
    async def command(
        call: CallId, principal: Signed, deps: DepsIn, body: Nothing | None = None, key: Key = None
    ) -> AcceptedView:
        return await ask(deps, principal, CallCommand(verb, call), key)

    return command


def operation(verb: Verb) -> str:
    """`recording/start` → startRecording, `pick-up` → pickUpCall, `hold` → holdCall."""
    noun, _, action = verb.value.partition("/")
    if action:
        return f"{action}{noun.capitalize()}"
    first, *more = verb.value.split("-")
    return f"{first}{''.join(word.capitalize() for word in more)}Call"


for verb, description in PLAIN.items():
    routes.add_api_route(
        f"/{{call}}/{verb.value}",
        plain(verb),
        methods=["POST"],
        operation_id=operation(verb),
        description=description,
        status_code=202,
        responses=ERRORS,
        response_model=AcceptedView,
    )


@routes.get(
    "/{call}/handover",
    operation_id="getHandover",
    response_model=HandoverView,
    responses=documented(401, 404, 422),
)
async def get_handover(call: CallId, principal: Signed, deps: DepsIn) -> Response:
    """What the colleague who gave the agent this call left for them, with their draft note as it is now."""
    visible_call(deps, principal, call)
    capsule: Mapping[str, Any] | None = await deps.control.handover(call, principal.id)
    if capsule is None:
        raise not_found("handover")
    return JSONResponse(dict(capsule))
