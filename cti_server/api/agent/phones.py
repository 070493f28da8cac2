"""The phones that an agent may sit down at, and what a browser needs to be one of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

import structlog
from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from cti_server.api.desk_shapes import PhoneView, SoftphoneView
from cti_server.api.ports import Deps
from cti_server.api.principal import DepsIn, Principal, Signed
from cti_server.api.problems import Problem, documented
from cti_server.desk import only
from cti_server.lookup.shapes import Named
from cti_server.record.center import agents, phone_passwords, phone_secrets, phones, shifts
from cti_server.record.center.phones import Phone
from cti_server.record.sealing import SealingError
from cti_server.rules.softphone import may_register

routes = APIRouter(prefix="/api", tags=["phones"])
log = structlog.get_logger()

DAY: Final = timedelta(days=1)  # within which `rules.softphone` counts


class Claim(BaseModel):
    """A browser window, by a random id that it chose."""

    model_config = ConfigDict(extra="forbid")

    desktop: Annotated[str, Field(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9-]+$")]


@routes.get("/phones", operation_id="listPhones", responses=documented(401))
async def list_phones(principal: Signed, deps: DepsIn) -> list[PhoneView]:
    """The phones that the agent may sit down at, and who sits there. Supervisors also get others' own phones."""
    async with deps.database.read() as conn:
        found = await phones.all_phones(conn, None if principal.supervises else principal.agent.pbx)
        sitting = {(shift.pbx, shift.seat): shift.agent_id for shift in await shifts.all_open(conn)}
        names = {agent.id: agent.name for agent in await agents.all_active(conn)}
    own = phones.own_seat(principal.agent)
    if own is not None and all((phone.pbx, phone.seat) != (own.pbx, own.seat) for phone in found):
        found.insert(0, own)  # their record names it; the table of phones need not
    reachable = {member["agent"]: member["state"]["phone"]["reachable"] for member in deps.floor.team()}

    def view(phone: Phone) -> PhoneView:
        agent_id = sitting.get((phone.pbx, phone.seat))
        agent: Named | None = {"id": agent_id, "name": names.get(agent_id, "")} if agent_id is not None else None
        return {
            "id": phone.id,
            "pbx": phone.pbx,
            "seat": phone.seat,
            "extension": phone.extension,
            "label_en": phone.label_en,
            "label_zh": phone.label_zh,
            "kind": phone.kind,
            "personal": phone.agent_id is not None,
            "agent": agent,
            "reachable": reachable.get(agent_id) if agent_id is not None else None,
        }

    return [view(phone) for phone in found if principal.supervises or phone.agent_id in (None, principal.id)]


@routes.get("/me/softphone", operation_id="getSoftphone", responses=documented(401, 403, 409))
async def get_softphone(request: Request, principal: Signed, deps: DepsIn) -> SoftphoneView:
    """What the agent's browser registers with. 409 unless they sit at a browser phone.

    Whoever was given a phone's password is noted, and logged with their address. Of phones that are nobody's own
    one person is given the passwords of three in 24 hours: 409 `too_many_phones` after that.
    """
    phone = await _browser_phone(principal, deps)
    if deps.softphone_url is None:
        raise Problem(
            409,
            "softphone_off",
            "this server knows no websocket of Asterisk",
            remedy="Set CTI_SOFTPHONE_URL, e.g. wss://pbx.example:8089/ws, and restart the server.",
        )
    address = request.client.host if request.client else ""
    password = await _handed_over(principal, phone, deps, address)
    host = urlsplit(deps.softphone_url).hostname or "localhost"
    user = phone.sip_user or phone.extension
    return {
        "url": deps.softphone_url,
        "uri": f"sip:{user}@{f'[{host}]' if ':' in host else host}",
        "user": user,
        "password": password,
        "display_name": principal.agent.name,
        "ice": [_ice_server(url) for url in deps.softphone_ice],
    }


async def _handed_over(principal: Principal, phone: Phone, deps: Deps, address: str) -> str:
    """The phone's password, once it is noted who has it. Raises the problem for whoever is not to have it."""
    named = f"{phone.pbx}/{phone.seat}"
    told = log.bind(login=principal.agent.login, phone=named, address=address)
    at = deps.now()
    try:
        password = phone_secrets.password_of(phone, deps.sealer)
    except SealingError as lost:
        told.error("softphone.password_lost", cause=str(lost), remedy=lost.remedy)
        raise Problem(
            409,
            "password_lost",
            f"the server cannot decrypt the password of {phone.seat}",
            remedy="Sit at another phone. Your administrator finds the cause with cti-server doctor.",
        ) from None
    async with deps.database.begin() as conn:
        had = await phone_passwords.shared_since(conn, principal.id, at - DAY)
        handing = may_register(principal.id, phone.agent_id, named, had)
        if handing.given:
            shared = phone.agent_id is None
            await phone_passwords.note(conn, phone.pbx, phone.seat, principal.id, at, shared=shared)
    if handing.given:
        told.info("softphone.password_given", rule=handing.rule)
        return password
    told.warning("softphone.password_refused", rule=handing.rule, evidence=handing.evidence)
    if handing.rule == "phone.anothers":
        detail = f"{phone.seat} belongs to somebody else"
        raise Problem(403, "not_your_phone", detail, remedy="Sit at another phone.")
    raise Problem(
        409,
        "too_many_phones",
        f"you have had the passwords of {len(had)} shared phones in 24 hours",
        remedy=f"Sit at one of these: {', '.join(sorted(had))}. Your administrator can make a phone your own.",
    )


def _ice_server(given: str) -> dict[str, Any]:
    """`turn:user:secret@host:3478` as the browser's RTCIceServer, with the account in fields of its own."""
    scheme, _, rest = given.partition(":")
    account, at, host = rest.rpartition("@")
    user, _, secret = account.partition(":")
    return {"urls": f"{scheme}:{host}", "username": user, "credential": secret} if at else {"urls": given}


@routes.post(
    "/me/softphone/claim",
    operation_id="claimSoftphone",
    status_code=204,
    responses=documented(401, 403, 409, 422),
)
async def claim_softphone(body: Claim, principal: Signed, deps: DepsIn) -> None:
    """Make this window the agent's phone. Their other windows get `phone.claimed` and let go of it."""
    await _browser_phone(principal, deps)
    async with deps.desk.change() as change:
        event_body = {"agent": principal.id, "desktop": body.desktop}
        change.tell("phone.claimed", event_body, only(principal.id))


async def _browser_phone(principal: Principal, deps: Deps) -> Phone:
    async with deps.database.read() as conn:
        shift = await shifts.of_agent(conn, principal.id)
        phone = await phones.by_seat(conn, shift.pbx, shift.seat) if shift is not None else None
    if shift is None:
        raise Problem(409, "no_shift", "you are not at work", remedy="Sign in at a browser phone first.")
    if phone is None or phone.kind != "browser":
        raise Problem(
            409,
            "other_phone",
            f"you sit at {shift.seat}, which is not in a browser",
            remedy="Sign in at another phone.",
        )
    return phone
