"""The shapes of what administration answers."""

from __future__ import annotations

from typing import Any

from typing_extensions import TypedDict

from cti_server.lookup.shapes import Named
from cti_server.rules.facts import Role


class UserView(TypedDict):
    """A user. `grants` were given to them, `all_grants` are these and what comes with the role."""

    id: int
    login: str
    name: str
    role: Role
    active: bool
    seat: str | None
    pbx: str | None
    grants: list[str]
    all_grants: list[str]


class QueueOfTeam(TypedDict):
    pbx: str
    queue: str


class TeamView(TypedDict):
    id: int
    name: str
    name_zh: str | None
    members: list[Named]
    supervisors: list[Named]
    queues: list[QueueOfTeam]


class ApiKeyView(TypedDict):
    """A key. `good` says that it opens something now."""

    id: int
    name: str
    scopes: list[str]
    created_by: str
    created_at: str
    expires_at: str
    revoked_at: str | None
    used_at: str | None
    good: bool


class NewApiKeyView(ApiKeyView):
    """A key that was just made. `token` is shown this once."""

    token: str


class AuditEntryView(TypedDict):
    """An entry of the audit log. `allowed_by` is the grant or scope without which it would have been refused."""

    id: int
    at: str
    actor: str
    actor_name: str
    address: str | None
    action: str
    thing: str
    allowed_by: str | None
    detail: dict[str, Any]
    process: str
    seq: int
    hash: str


class AuditPage(TypedDict):
    items: list[AuditEntryView]
    next: str | None
