"""The signed-in agent: who they are, their settings, their shift, and whether they are ready."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Annotated, Literal, cast

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from cti_server.api.agent.owed import still_live
from cti_server.api.live_shapes import AgentStateView
from cti_server.api.ports import Deps
from cti_server.api.principal import DepsIn, Principal, Signed
from cti_server.api.problems import Problem, documented, not_found
from cti_server.api.shapes import AcceptedView, Me, ShiftView
from cti_server.api.together import Together
from cti_server.commands import Sitting
from cti_server.desk import only
from cti_server.record.center import agent_queues, agents, phones, reasons, shifts
from cti_server.record.center.agents import Agent
from cti_server.record.center.phones import Phone
from cti_server.record.contacts import wrap_ups
from cti_server.record.engines import Connection
from cti_server.rules.facts import Language

routes = APIRouter(prefix="/api/me", tags=["me"])


class MySettings(BaseModel):
    """The settings to change; a setting that is left out stays."""

    model_config = ConfigDict(extra="forbid")

    language: Language | None = None
    auto_answer: bool | None = None


class MyPhone(BaseModel):
    """Where the agent sits: an extension, or a seat such as PJSIP/1001; null for where they sat last."""

    model_config = ConfigDict(extra="forbid")

    phone: Annotated[str, Field(min_length=1, max_length=80)] | None = None


class MyState(BaseModel):
    """Ready, or not ready with a reason that supervisors see."""

    model_config = ConfigDict(extra="forbid")

    state: Literal["ready", "not_ready"]
    # The PBX gets it as the reason of a pause, and a line feed would end the AMI line.
    reason: Annotated[str, Field(max_length=80, pattern=r"^[^\x00-\x1f\x7f]*$")] | None = None


async def me_view(deps: Deps, principal: Principal) -> Me:
    """The agent as the floor has them now, with the number of contacts that the record says they owe."""
    live = still_live(deps, principal.id)
    async with deps.database.read() as conn:
        return _me_view(deps, principal, await wrap_ups.count_owed(conn, principal.id, live))


class Mes:
    """Makes the `Me` of desktops that connect; those that connect at the same moment are read together. While the
    record is away, from what it said last."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps
        self._last: dict[int, tuple[Agent | None, set[int]]] = {}
        self._reading: Together[int, tuple[Agent | None, set[int]]] = Together(self._read, "me of desktops")

    async def __call__(self, agent: int, live: Collection[int]) -> Me | None:
        """The `Me` of an agent who is still in the interactions `live`; None for an agent who is gone."""
        try:
            found, unfinished = self._last[agent] = await self._reading(agent)
        except Exception as cause:
            if agent not in self._last or not self._deps.database.trouble.note(cause):
                raise
            found, unfinished = self._last[agent]
        if found is None:
            return None
        return _me_view(self._deps, Principal(found), len(unfinished.difference(live)))

    async def _read(self, wanted: Sequence[int]) -> list[tuple[Agent | None, set[int]]]:
        async with self._deps.database.read() as conn:
            found = await agents.some(conn, set(wanted))
            unfinished = await wrap_ups.unfinished(conn, set(wanted))
        return [(found.get(agent), unfinished.get(agent, set())) for agent in wanted]


def _me_view(deps: Deps, principal: Principal, owed: int) -> Me:
    agent = principal.agent
    return {
        "id": agent.id,
        "login": agent.login,
        "name": agent.name,
        "role": agent.role,
        "language": agent.language,
        "seat": agent.seat,
        "extension": agent.extension,
        "pbx": agent.pbx,
        "state": cast(AgentStateView, dict(deps.floor.agent_state(agent.id))),
        "shift": cast("ShiftView | None", deps.floor.shift(agent.id)),
        "queues": sorted(queue.partition("/")[2] for queue in deps.floor.serves(agent.id)),
        "preferences": {"auto_answer": agent.auto_answer},
        "may_pick": agent.may_pick or principal.supervises,
        "owed": owed,
    }


@routes.get("", operation_id="getMe", responses=documented(401))
async def get_me(principal: Signed, deps: DepsIn) -> Me:
    """The signed-in agent as the floor has them now."""
    return await me_view(deps, principal)


@routes.patch("", operation_id="changeMe", responses=documented(401, 403, 404, 422))
async def change_me(body: MySettings, principal: Signed, deps: DepsIn) -> Me:
    """Change the language of the desktop, or whether the phone answers a queue's call by itself."""
    changes = body.model_dump(exclude_none=True)
    if not changes:
        return await me_view(deps, principal)
    async with deps.desk.change() as change:
        changed = await agents.update(change.conn, principal.id, **changes)
        if changed is None:
            raise not_found("agent")
        settings = {"language": changed.language, "auto_answer": changed.auto_answer}
        change.tell("settings.changed", {"agent": principal.id, **settings}, only(principal.id))
    return await me_view(deps, Principal(changed))


@routes.post(
    "/shift", operation_id="beginShift", status_code=202, responses=documented(401, 403, 404, 409, 422, 503)
)
async def begin_shift(body: MyPhone, principal: Signed, deps: DepsIn) -> AcceptedView:
    """Begin work at a phone: join the agent's queues, not ready yet. With another phone, move there."""
    agent = principal.agent
    if _in_a_call(deps, agent.id):
        raise Problem(409, "in_a_call", "you are in a call", remedy="Change your phone when it is over.")
    pbx = agent.pbx or deps.default_pbx
    async with deps.database.read() as conn:
        phone = await _phone(conn, agent, pbx, body.phone)
        queues = await agent_queues.queues_of(conn, agent.id, pbx)
    if (sitting_agent := deps.floor.at_seat(pbx, phone.seat)) not in (None, agent.id):
        name = next((a["name"] for a in deps.floor.team() if a["agent"] == sitting_agent), "somebody else")
        raise Problem(409, "seat_taken", f"{name} is at this phone", remedy="Choose another phone, or ask them.")
    if phone.agent_id not in (None, agent.id):
        raise Problem(409, "seat_taken", "this phone belongs to somebody else", remedy="Choose another phone.")
    sitting = Sitting(phone.seat, phone.extension or None, phone.kind, tuple(queues))
    return {"request": await deps.commands.begin_shift(agent, sitting)}


@routes.delete("/shift", operation_id="endShift", status_code=202, responses=documented(401, 403, 409, 503))
async def end_shift(principal: Signed, deps: DepsIn) -> AcceptedView:
    """End work: leave the agent's queues. 409 while they are in a call."""
    return {"request": await deps.commands.end_shift(principal.id)}


@routes.post("/state", operation_id="setMyState", status_code=202, responses=documented(401, 403, 409, 422, 503))
async def set_my_state(body: MyState, principal: Signed, deps: DepsIn) -> AcceptedView:
    """Become ready or not ready, after the agent's call if they have one. The event `command.done` has the result.

    422 `unknown_reason` for a reason that is not active in GET /api/reasons.
    """
    reason = body.reason if body.state == "not_ready" else None
    if reason:
        async with deps.database.read() as conn:
            found = await reasons.find(conn, reason)
        if found is None or not found.active:
            raise Problem(
                422, "unknown_reason", "this reason cannot be chosen", remedy="Choose one of GET /api/reasons."
            )
    return {"request": await deps.commands.set_state(principal.id, body.state, reason or None)}


async def _phone(conn: Connection, agent: Agent, pbx: str, wanted: str | None) -> Phone:
    """The `wanted` phone; without one, the phone where the agent sat last, else the one that is theirs.

    An agent's own phone needs no row in the table of phones: their record names it.
    """
    own = phones.own_seat(agent)
    if wanted is None:
        last = await shifts.last_seat(conn, agent.id, pbx)
        found = await phones.find(conn, pbx, last) if last is not None else None  # it may be gone since
        if found is None and own is not None:
            found = await phones.by_seat(conn, pbx, own.seat) or own
        if found is None:
            raise Problem(409, "no_phone", "no phone is known to be yours", remedy="Say which one you sit at.")
        return found
    found = await phones.find(conn, pbx, wanted)
    if found is None and own is not None and wanted in (own.seat, own.extension):
        found = own
    if found is None:
        raise Problem(404, "unknown_phone", f"there is no phone {wanted}", remedy="Choose one of the list.")
    return found


def _in_a_call(deps: Deps, agent: int) -> bool:
    return deps.floor.agent_state(agent)["name"] in ("reserved", "talking", "hold")
