"""The lookup over HTTP, for the AGI script of a PBX that cannot reach FastAGI."""

from __future__ import annotations

import hmac
from typing import Annotated

from fastapi import APIRouter, Header
from pydantic import BaseModel, ConfigDict, Field

from cti_server.api.ports import Deps
from cti_server.api.principal import DepsIn
from cti_server.api.problems import Problem, documented
from cti_server.api.shapes import IdentifyAnswer
from cti_server.wire.text import NONE_DECLARED, read_again

routes = APIRouter(prefix="/api/identify", tags=["identify"])

# Whatever a trunk sends as a number or a name gets an answer, never a refusal.
Anything = Annotated[str, Field(max_length=4096)]


class Caller(BaseModel):
    """What the PBX knows of the call. Unknown fields are ignored: a newer script may ask an older server.

    In `ani_name` U+EF80 to U+EFFF stand for bytes that are not UTF-8; `channel` says of which trunk they are.
    """

    model_config = ConfigDict(extra="ignore")

    uniqueid: Annotated[str, Field(min_length=1, max_length=200)]
    pbx: Annotated[str, Field(max_length=40)] | None = None
    channel: Annotated[str, Field(max_length=200)] | None = None
    ani: Anything | None = None
    ani_name: Anything | None = None
    dnis: Anything | None = None
    secret: Anything | None = None
    """The number of a caller who asked that it be shown to nobody; it finds the customer, and is kept nowhere."""


@routes.post("", operation_id="identifyCaller", responses=documented(401, 403, 413, 422))
async def identify_caller(
    body: Caller, deps: DepsIn, authorization: Annotated[str | None, Header(include_in_schema=False)] = None
) -> IdentifyAnswer:
    """The channel variables for a call, within the lookup's deadline. It needs the bearer token."""
    _authorize(deps, authorization)
    pbx = body.pbx or deps.default_pbx
    declared = deps.encodings.get(pbx, NONE_DECLARED).of(body.channel)
    name = None if body.ani_name is None else read_again(body.ani_name, declared)
    caller = (pbx, body.ani, name, body.dnis, body.secret or None)
    return {"variables": await deps.identify(caller, body.uniqueid)}


def _authorize(deps: Deps, authorization: str | None) -> None:
    if not deps.identify_token:
        raise Problem(
            403,
            "identify_off",
            "lookups over HTTP are turned off",
            remedy="Set CTI_IDENTIFY_TOKEN to turn them on.",
        )
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.casefold() != "bearer" or not hmac.compare_digest(
        token.strip().encode("utf-8", "surrogatepass"), deps.identify_token.encode()
    ):
        raise Problem(
            401,
            "wrong_token",
            "the bearer token is missing or wrong",
            remedy="Send the value of CTI_IDENTIFY_TOKEN.",
            headers={"WWW-Authenticate": "Bearer"},
        )
