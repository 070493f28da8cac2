"""Keys of other programs: what each may do, and until when."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from cti_server.api.admin.shapes import ApiKeyView, NewApiKeyView
from cti_server.api.params import Id
from cti_server.api.principal import KEY_MARK, DepsIn, Signed, digest
from cti_server.api.problems import documented, not_found
from cti_server.lookup.shapes import stamp, stamp_or_none
from cti_server.record.center import api_keys
from cti_server.record.center.api_keys import ApiKey
from cti_server.record.engines import Connection
from cti_server.rules.operations import Scope

routes = APIRouter(prefix="/api/admin/api-keys", tags=["administration"])

MAX_DAYS = 730


class NewApiKey(BaseModel):
    """A key to make. With `full_numbers` among its scopes the program gets numbers in full."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
    scopes: Annotated[list[Scope | Literal["full_numbers"]], Field(min_length=1, max_length=20)]
    days: Annotated[int, Field(ge=1, le=MAX_DAYS)] = 365


@routes.get("", operation_id="listApiKeys", responses=documented(401, 403))
async def list_api_keys(_: Signed, deps: DepsIn) -> list[ApiKeyView]:
    """Every key, also those that are over. The keys themselves are not kept."""
    async with deps.database.read() as conn:
        return [key_view(key, deps.now()) for key in await api_keys.everything(conn)]


@routes.post("", operation_id="addApiKey", status_code=201, responses=documented(401, 403, 422))
async def add_api_key(body: NewApiKey, principal: Signed, deps: DepsIn) -> NewApiKeyView:
    """Make a key. It is shown this once; send it as `Authorization: Bearer …`."""
    async with deps.database.begin() as conn:
        token, made = await made_key(
            conn, body.name, frozenset(body.scopes), body.days, principal.agent.login, deps.now()
        )
    return {**key_view(made, deps.now()), "token": token}


@routes.delete("/{key}", operation_id="revokeApiKey", status_code=204, responses=documented(401, 403, 404))
async def revoke_api_key(key: Id, _: Signed, deps: DepsIn) -> None:
    """From now on the key opens nothing."""
    async with deps.database.begin() as conn:
        if await api_keys.get(conn, key) is None:
            raise not_found("key")
        await api_keys.revoke(conn, key, deps.now())


async def made_key(
    conn: Connection, name: str, scopes: frozenset[str], days: int, by: str, now: datetime
) -> tuple[str, ApiKey]:
    """A new key and its row."""
    token = KEY_MARK + secrets.token_urlsafe(32)
    key = ApiKey(
        name=name,
        token_hash=digest(token),
        scopes=scopes,
        created_by=by,
        created_at=now,
        expires_at=now + timedelta(days=days),
    )
    found = await api_keys.get(conn, await api_keys.add(conn, key))
    assert found is not None
    return token, found


def key_view(key: ApiKey, now: datetime) -> ApiKeyView:
    return {
        "id": key.id,
        "name": key.name,
        "scopes": sorted(key.scopes),
        "created_by": key.created_by,
        "created_at": stamp(key.created_at),
        "expires_at": stamp(key.expires_at),
        "revoked_at": stamp_or_none(key.revoked_at),
        "used_at": stamp_or_none(key.used_at),
        "good": key.is_good(now),
    }
