"""Messages between agents and supervisors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from cti_server.api.desk_shapes import MessageList, MessageView
from cti_server.api.params import MAX_ID, Id
from cti_server.api.ports import Deps
from cti_server.api.principal import DepsIn, Principal, Signed, visible_call
from cti_server.api.problems import Problem, documented
from cti_server.desk import audience, only
from cti_server.lookup.card import person_view
from cti_server.lookup.shapes import stamp
from cti_server.record.center import agents
from cti_server.record.center.agents import Agent
from cti_server.record.desk import messages
from cti_server.record.desk.messages import Message, MessageTo
from cti_server.record.engines import Connection
from cti_server.rules.rights import may_write_to

routes = APIRouter(prefix="/api/messages", tags=["messages"])

SHOWN = 100


class ToColleague(BaseModel):
    """One person."""

    model_config = ConfigDict(extra="forbid")

    agent: Id


class ToRole(BaseModel):
    """All supervisors."""

    model_config = ConfigDict(extra="forbid")

    role: Literal["supervisors"]


class ToTeam(BaseModel):
    """Everybody."""

    model_config = ConfigDict(extra="forbid")

    team: Literal[True]


class NewMessage(BaseModel):
    """A message, perhaps about a call that the sender may see."""

    model_config = ConfigDict(extra="forbid")

    to: ToColleague | ToRole | ToTeam
    text: Annotated[str, Field(min_length=1, max_length=2000)]
    call: Annotated[str, Field(min_length=1, max_length=200)] | None = None


class Read(BaseModel):
    """The agent has read every message up to this one."""

    model_config = ConfigDict(extra="forbid")

    up_to: Annotated[int, Field(ge=0, le=MAX_ID)]


@routes.get("", operation_id="listMessages", responses=documented(401, 422))
async def list_messages(
    principal: Signed,
    deps: DepsIn,
    since: Annotated[
        int, Query(ge=0, le=MAX_ID, description="the id of the last message that the desktop has")
    ] = 0,
) -> MessageList:
    """The last 100 messages to and from the agent, in order."""
    async with deps.database.read() as conn:
        found = await messages.of_agent(
            conn, principal.id, supervises=principal.supervises, since=since, limit=SHOWN
        )
        return await _list(conn, principal, found)


@routes.post("", operation_id="sendMessage", status_code=201, responses=documented(401, 403, 404, 413, 422))
async def send_message(body: NewMessage, principal: Signed, deps: DepsIn) -> MessageView:
    """Send a message. Agents write to one supervisor or to all of them, supervisors to anybody."""
    if body.call is not None:
        visible_call(deps, principal, body.call)
    if not body.text.strip():
        raise Problem(422, "empty", "the message says nothing", remedy="Write something first.")
    async with deps.desk.change() as change:
        kind, receiver = await _receiver(change.conn, deps, principal, body.to)
        made = await messages.add(
            change.conn,
            at=change.at,
            sender_id=principal.id,
            to_kind=kind,
            to_agent_id=receiver.id if receiver is not None else None,
            text=body.text,
            call=body.call,
        )
        view = message_view(made)
        to = audience(
            principal.id,
            receiver.id if receiver is not None else None,
            supervisors=kind == "supervisors",
            everyone=kind == "team",
        )
        change.tell("message.sent", {"message": view}, to)
    return view


@routes.post("/read", operation_id="readMessages", responses=documented(401, 403, 422))
async def read_messages(body: Read, principal: Signed, deps: DepsIn) -> MessageList:
    """Mark messages as read, on all desktops of the agent. The answer has no `items`."""
    async with deps.desk.change() as change:
        await messages.mark_read(change.conn, principal.id, body.up_to)
        now = await _list(change.conn, principal, ())
        read_state = {"agent": principal.id, "read_to": now["read_to"], "unread": now["unread"]}
        change.tell("message.read", read_state, only(principal.id))
    return now


def message_view(message: Message) -> MessageView:
    return {
        "id": message.id,
        "at": stamp(message.at),
        "from": {"id": message.sender_id, "name": message.sender_name},
        "to": {
            "agent": person_view(message.to_agent_id, message.to_agent_name),
            "role": "supervisors" if message.to_kind == "supervisors" else None,
            "team": message.to_kind == "team",
        },
        "text": message.text,
        "call": message.call,
    }


async def _list(conn: Connection, principal: Principal, found: Sequence[Message]) -> MessageList:
    return {
        "items": [message_view(message) for message in found],
        "read_to": await messages.read_to(conn, principal.id),
        "unread": await messages.unread(conn, principal.id, supervises=principal.supervises),
    }


async def _receiver(
    conn: Connection, deps: Deps, principal: Principal, to: ToColleague | ToRole | ToTeam
) -> tuple[MessageTo, Agent | None]:
    if isinstance(to, ToRole):
        return "supervisors", None
    if isinstance(to, ToTeam):
        if not principal.supervises:
            raise _not_allowed()
        return "team", None
    receiver = await agents.get(conn, to.agent)
    if receiver is None or not receiver.active:
        raise Problem(404, "not_found", "there is no such agent")
    if not may_write_to(principal.viewer(deps), receiver.role):
        raise _not_allowed()
    return "agent", receiver


def _not_allowed() -> Problem:
    return Problem(403, "forbidden", "agents write to supervisors", remedy='Send it to {"role": "supervisors"}.')
