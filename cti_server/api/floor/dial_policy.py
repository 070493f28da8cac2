"""The dial policy: administrators read and set it, and everybody may ask what it says of a number."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final

import structlog
from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from cti_server.api.floor.control import asking_of
from cti_server.api.principal import DepsIn, Signed
from cti_server.api.problems import Problem, documented, not_found
from cti_server.record.center import agents, dial_policies
from cti_server.record.center.dial_policies import Kept
from cti_server.rules import dial_policy_form
from cti_server.rules.destinations import Kind
from cti_server.rules.dial_policy import Answer, Code, Weekday
from cti_server.rules.facts import Role

routes = APIRouter(prefix="/api/dial-policy", tags=["dial policy"])

log = structlog.get_logger()
Words = Annotated[list[Annotated[str, Field(max_length=80)]], Field(max_length=dial_policy_form.MAX_LIST)]
Version = Annotated[int, Field(ge=0, le=2_147_483_647)]
Count = Annotated[int, Field(ge=0, le=dial_policy_form.MAX_LIMIT)]
Clock = Annotated[str, Field(pattern=r"^[0-2][0-9]:[0-5][0-9]$")]
MAX_NUMBER: Final = 128


class Form(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class HoursForm(Form):
    """By the clock on the wall of `zone`. With `to` at or before `from` it goes over midnight."""

    zone: Annotated[str, Field(max_length=80)]
    weekdays: list[Weekday] | None = None
    begins: Annotated[Clock, Field(alias="from")] = "00:00"
    ends: Annotated[Clock, Field(alias="to")] = "24:00"


class RuleForm(Form):
    """What is left out is everybody, every kind, every country, every number, at all hours. `numbers` are
    beginnings in E.164: `+447`."""

    name: Annotated[str, Field(max_length=40)]
    answer: Answer
    roles: list[Role] | None = None
    logins: Words | None = None
    kinds: list[Kind] | None = None
    countries: Words | None = None
    numbers: Words | None = None
    hours: HoursForm | None = None


class LimitForm(Form):
    """For one person: calls outside that they may begin in a minute, and have at once. The first that fits
    counts."""

    a_minute: Count
    at_once: Count
    roles: list[Role] | None = None
    logins: Words | None = None


class PolicyForm(Form):
    """The first rule that fits decides; what none fits is refused. `emergency` are the site's emergency numbers in
    place of the region's own, `internal` patterns of extensions that the record does not know (X is any digit).
    """

    rules: Annotated[list[RuleForm], Field(min_length=1, max_length=dial_policy_form.MAX_RULES)]
    limits: Annotated[list[LimitForm], Field(max_length=dial_policy_form.MAX_RULES)] = []
    emergency: Words | None = None
    internal: Words | None = None


class NewPolicy(Form):
    """`version` is the one that this policy follows on: another one in force is a conflict."""

    version: Version
    policy: PolicyForm


class PolicyView(TypedDict):
    """Version 0 is the default, which nobody has made. `author` is a login, or `command line`."""

    version: int
    at: datetime | None
    author: str | None
    policy: dict[str, Any]


class DialDecisionView(TypedDict):
    """`code` says what decided; `rule` is the rule's name where it was one, else the code again. `number` is what
    the PBX would be told; `kind` and `country` (ISO region, `001` for none) are null for what is no number."""

    allowed: bool
    code: Code
    rule: str
    number: str | None
    kind: Kind | None
    country: str | None
    policy: int


@routes.get("", operation_id="getDialPolicy", responses=documented(401, 403))
async def get_policy(_: Signed, deps: DepsIn) -> PolicyView:
    """The policy that is in force."""
    async with deps.database.read() as conn:
        return _view(await dial_policies.current(conn))


@routes.put("", operation_id="setDialPolicy", responses=documented(401, 403, 409, 413, 422))
async def set_policy(body: NewPolicy, principal: Signed, deps: DepsIn) -> PolicyView:
    """Put a policy in force. Every process decides by it within two seconds."""
    try:
        policy = dial_policy_form.read(body.policy.model_dump(by_alias=True, exclude_none=True))
    except dial_policy_form.BadPolicy as bad:
        raise Problem(
            422,
            "bad_policy",
            "the dial policy cannot be used",
            remedy="Mend the fields that are named; nothing was changed.",
            errors=[{"at": f"body.policy.{one.at}", "message": str(one)[:300]} for one in bad.mistakes[:20]],
        ) from bad
    author = principal.agent
    async with deps.database.begin() as conn:
        kept = await dial_policies.save(conn, policy, deps.now(), author.login, author.id, body.version)
    log.info("dial_policy.set", version=kept.version, author=author.login)
    return _view(kept)


@routes.get("/decision", operation_id="decideDialling", responses=documented(401, 403, 404, 422))
async def decision(
    principal: Signed,
    deps: DepsIn,
    number: Annotated[str, Query(max_length=MAX_NUMBER)],
    login: Annotated[str | None, Query(max_length=80)] = None,
) -> DialDecisionView:
    """What the policy says now of a number as a person writes it: for oneself, or for any login to an
    administrator. Nothing is dialled, and nothing is counted."""
    agent = principal.agent
    async with deps.database.read() as conn:
        if login is not None and login.strip().casefold() != agent.login:
            if "administer" not in agent.all_grants:
                raise Problem(403, "forbidden", "what others may dial is for administrators to ask")
            other = await agents.by_login(conn, login)
            if other is None:
                raise not_found("agent")
            agent = other
        version = await dial_policies.version(conn)
    ruling = await deps.control.decide(asking_of(agent), number)
    known = ruling.decision.code != "not_a_number"
    return {
        "allowed": ruling.decision.allowed,
        "code": ruling.decision.code,
        "rule": ruling.decision.rule,
        "number": ruling.to.number if known else None,
        "kind": ruling.to.kind if known else None,
        "country": ruling.to.country,
        "policy": version,
    }


def _view(kept: Kept) -> PolicyView:
    form = dial_policy_form.written(kept.policy)
    return {"version": kept.version, "at": kept.at, "author": kept.author or None, "policy": form}
