"""The codes of this call center: reasons for not being ready, and wrap-up codes. Supervisors set them."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from cti_server.api.desk_shapes import ReasonCodeView, WrapUpCodeView
from cti_server.api.principal import DepsIn, Signed
from cti_server.api.problems import FieldError, Problem, documented
from cti_server.floor.agents import SYSTEM_REASONS
from cti_server.record.center import reasons, wrap_up_codes
from cti_server.record.center.reasons import ReasonCode
from cti_server.record.center.wrap_up_codes import WrapUpCode
from cti_server.record.engines import Connection

routes = APIRouter(prefix="/api", tags=["codes"])

MAX_REASONS = 100
MAX_CODES = 1000
Title = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]*$")]
Position = Annotated[int, Field(ge=0, le=10_000)]


class NewReason(BaseModel):
    """A reason that agents may choose. The PBX gets its code as the reason of a pause."""

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
        return await reason_views(conn)


@routes.put("/reasons", operation_id="setReasons", responses=documented(401, 403, 413, 422))
async def set_reasons(
    body: Annotated[list[NewReason], Field(max_length=MAX_REASONS)], _: Signed, deps: DepsIn
) -> list[ReasonCodeView]:
    """Replace all reasons. One that is left out stays in the history, but can no longer be chosen."""
    _check_distinct(reason.code for reason in body)
    if taken := sorted({reason.code for reason in body} & SYSTEM_REASONS):
        raise _invalid(f"the server gives the reason {taken[0]} itself")
    async with deps.desk.change() as change:
        await reasons.replace(change.conn, [ReasonCode(**reason.model_dump()) for reason in body])
        found = await reason_views(change.conn)
        change.tell("reasons.changed", {"reasons": found})
    return found


@routes.get("/wrap-up-codes", operation_id="listWrapUpCodes", responses=documented(401, 422))
async def list_codes(
    _: Signed, deps: DepsIn, queue: Annotated[str | None, Query(max_length=80)] = None
) -> list[WrapUpCodeView]:
    """The tree of codes as a list, parents first. With `queue`, that queue's codes and those for all queues."""
    async with deps.database.read() as conn:
        return await _codes(conn, queue)


@routes.put("/wrap-up-codes", operation_id="setWrapUpCodes", responses=documented(401, 403, 413, 422))
async def set_codes(
    body: Annotated[list[NewWrapUpCode], Field(max_length=MAX_CODES)], _: Signed, deps: DepsIn
) -> list[WrapUpCodeView]:
    """Replace all codes. One that is left out stays in the history, but can no longer be chosen."""
    _check_distinct(code.code for code in body)
    given = {code.code: code for code in body}
    for code in body:
        parent = code.code.rpartition("/")[0]
        if parent and parent not in given:
            raise _invalid(f"{code.code} stands under {parent}, which is not in the list")
        if parent and given[parent].queue not in (None, code.queue):
            raise _invalid(f"{code.code} is for other queues than {parent}, under which it stands")
    async with deps.desk.change() as change:
        await wrap_up_codes.replace(change.conn, [WrapUpCode(**code.model_dump()) for code in body])
        found = await _codes(change.conn, None)
        change.tell("codes.changed", {})
    return found


async def reason_views(conn: Connection) -> list[ReasonCodeView]:
    """Every reason as desktops get it, in order."""
    return [
        {
            "code": reason.code,
            "title_en": reason.title_en,
            "title_zh": reason.title_zh,
            "position": reason.position,
            "active": reason.active,
        }
        for reason in await reasons.all_reasons(conn)
    ]


async def _codes(conn: Connection, queue: str | None) -> list[WrapUpCodeView]:
    found = await wrap_up_codes.all_codes(conn, queue)
    headings = {code.parent for code in found if code.active}
    return [
        {
            "code": code.code,
            "parent": code.parent,
            "queue": code.queue,
            "title_en": code.title_en,
            "title_zh": code.title_zh,
            "position": code.position,
            "active": code.active,
            "leaf": code.code not in headings,
        }
        for code in found
    ]


def _check_distinct(codes: Any) -> None:
    twice = [code for code, times in Counter(codes).items() if times > 1]
    if twice:
        raise _invalid(f"{twice[0]} is in the list twice")


def _invalid(message: str) -> Problem:
    errors: list[FieldError] = [{"at": "body", "message": message}]
    return Problem(422, "invalid", "the request does not fit the API", errors=errors)
