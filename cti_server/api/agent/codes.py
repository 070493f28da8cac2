"""The words of this center: reasons for not being ready, and wrap-up codes. Supervisors choose them."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from cti_server.api.desk_shapes import ReasonCodeView, WrapUpCodeView
from cti_server.api.principal import DepsIn, Principal, Signed, at_least
from cti_server.api.problems import FieldError, Problem, documented
from cti_server.floor import agents as floor
from cti_server.record.center import reasons, wrap_up_codes
from cti_server.record.center.reasons import ReasonCode
from cti_server.record.center.wrap_up_codes import WrapUpCode
from cti_server.record.database import Connection

routes = APIRouter(prefix="/api", tags=["codes"])

MAX_REASONS = 100
MAX_CODES = 1000
SYSTEM_REASONS = frozenset(
    {
        floor.SIGNED_IN,
        floor.SIGNED_OUT,
        floor.ON_CALL,
        floor.NO_ANSWER,
        floor.REJECTED,
        floor.WRAP_UP_EXPIRED,
        floor.PHONE_UNREACHABLE,
        floor.CONNECTION_LOST,
        floor.LEFT_QUEUES,
    }
)
"""Reasons that the server gives; nobody can choose them, so nobody can name one of their own so."""

Supervisor = Annotated[Principal, Depends(at_least("supervisor"))]
Title = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]*$")]
Position = Annotated[int, Field(ge=0, le=10_000)]


class NewReason(BaseModel):
    """A reason to choose from. Its code goes to the PBX as the reason of a pause."""

    model_config = ConfigDict(extra="forbid")

    code: Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[a-z0-9_-]+$")]
    title_en: Title
    title_zh: Title
    position: Position = 0
    active: bool = True


class NewWrapUpCode(BaseModel):
    """A wrap-up code; `billing/refund` stands under `billing`."""

    model_config = ConfigDict(extra="forbid")

    code: Annotated[str, Field(min_length=1, max_length=120, pattern=r"^[a-z0-9_-]+(/[a-z0-9_-]+){0,4}$")]
    title_en: Title
    title_zh: Title
    queue: Annotated[str, Field(min_length=1, max_length=80)] | None = None
    position: Position = 0
    active: bool = True


@routes.get("/reasons", operation_id="listReasons", responses=documented(401))
async def list_reasons(_: Signed, deps: DepsIn) -> list[ReasonCodeView]:
    """The reasons for not being ready, in their order."""
    async with deps.database.read() as conn:
        return await _reasons(conn)


@routes.put("/reasons", operation_id="setReasons", responses=documented(401, 403, 413, 422))
async def set_reasons(
    body: Annotated[list[NewReason], Field(max_length=MAX_REASONS)], _: Supervisor, deps: DepsIn
) -> list[ReasonCodeView]:
    """All the reasons from now on. One that is left out is kept for the past, but cannot be chosen."""
    _once(one.code for one in body)
    if taken := sorted({one.code for one in body} & SYSTEM_REASONS):
        raise _invalid(f"the server gives the reason {taken[0]} itself")
    async with deps.desk.change() as change:
        await reasons.replace(change.conn, [ReasonCode(**one.model_dump()) for one in body])
        found = await _reasons(change.conn)
        change.tell("reasons.changed", {"reasons": found})
    return found


@routes.get("/wrap-up-codes", operation_id="listWrapUpCodes", responses=documented(401, 422))
async def list_codes(
    _: Signed, deps: DepsIn, queue: Annotated[str | None, Query(max_length=80)] = None
) -> list[WrapUpCodeView]:
    """The tree as a list, parents first; for one queue its own codes and those of all queues."""
    async with deps.database.read() as conn:
        return await _codes(conn, queue)


@routes.put("/wrap-up-codes", operation_id="setWrapUpCodes", responses=documented(401, 403, 413, 422))
async def set_codes(
    body: Annotated[list[NewWrapUpCode], Field(max_length=MAX_CODES)], _: Supervisor, deps: DepsIn
) -> list[WrapUpCodeView]:
    """All the codes from now on. One that is left out is kept for the past, but cannot be chosen."""
    _once(one.code for one in body)
    given = {one.code: one for one in body}
    for one in body:
        parent = one.code.rpartition("/")[0]
        if parent and parent not in given:
            raise _invalid(f"{one.code} stands under {parent}, which is not in the list")
        if parent and given[parent].queue not in (None, one.queue):
            raise _invalid(f"{one.code} is for other queues than {parent}, under which it stands")
    async with deps.desk.change() as change:
        await wrap_up_codes.replace(change.conn, [WrapUpCode(**one.model_dump()) for one in body])
        found = await _codes(change.conn, None)
        change.tell("codes.changed", {})
    return found


async def _reasons(conn: Connection) -> list[ReasonCodeView]:
    return [
        {
            "code": one.code,
            "title_en": one.title_en,
            "title_zh": one.title_zh,
            "position": one.position,
            "active": one.active,
        }
        for one in await reasons.all_reasons(conn)
    ]


async def _codes(conn: Connection, queue: str | None) -> list[WrapUpCodeView]:
    found = await wrap_up_codes.all_codes(conn, queue)
    headings = {one.parent for one in found if one.active}
    return [
        {
            "code": one.code,
            "parent": one.parent,
            "queue": one.queue,
            "title_en": one.title_en,
            "title_zh": one.title_zh,
            "position": one.position,
            "active": one.active,
            "leaf": one.code not in headings,
        }
        for one in found
    ]


def _once(codes: Any) -> None:
    twice = [code for code, times in Counter(codes).items() if times > 1]
    if twice:
        raise _invalid(f"{twice[0]} is in the list twice")


def _invalid(message: str) -> Problem:
    errors: list[FieldError] = [{"at": "body", "message": message}]
    return Problem(422, "invalid", "the request does not fit the API", errors=errors)
