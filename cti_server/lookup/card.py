"""Assemble the card: facts and conclusions in, JSON out. Reads nothing and decides nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from cti_server.lookup.places import Places
from cti_server.lookup.shapes import (
    BecauseView,
    Card,
    CaseView,
    ContactPointView,
    ContractView,
    CustomerBriefView,
    CustomerView,
    MatchView,
    Named,
    NoteView,
    NumberView,
    ProductView,
    PromiseView,
    ReasonView,
    RecentView,
    VerdictView,
    stamp,
    stamp_or_none,
)
from cti_server.rules.facts import (
    AgentBrief,
    Case,
    CompanyBrief,
    ContactPoint,
    Contract,
    Customer,
    InteractionBrief,
    Note,
    Product,
    Promise,
    Reason,
    texts_of,
)
from cti_server.rules.match import Match
from cti_server.rules.numbers import Number
from cti_server.rules.verdict import Verdict
from cti_server.rules.why import Because

TEXTS = [name for name in texts_of(Customer) if name in CustomerView.__annotations__]


@dataclass(frozen=True, slots=True)
class Background:
    """What the record knows about the customer beyond who they are. Empty for an unknown caller."""

    products: Sequence[Product] = ()
    cases: Sequence[Case] = ()
    notes: Sequence[Note] = ()
    recent: Sequence[InteractionBrief] = ()
    promises: Sequence[Promise] = ()


def card(
    call: str,
    number: Number,
    match: Match,
    verdict: Verdict,
    background: Background,
    why: Sequence[Because],
    places: Places,
) -> Card:
    """The card of `call`. `match.customer` is the customer it shows, if one was picked."""
    return {
        "call": call,
        "customer": customer_view(match.customer) if match.customer else None,
        "number": number_view(number, places),
        "match": match_view(match),
        "verdict": verdict_view(verdict),
        "products": [product_view(product) for product in background.products],
        "cases": [case_view(case) for case in background.cases],
        "notes": [note_view(note) for note in background.notes],
        "recent": [recent_view(brief) for brief in background.recent],
        "promises": [promise_view(promise) for promise in background.promises],
        "why": [because_view(because) for because in why],
    }


def number_view(number: Number, places: Places) -> NumberView:
    return {
        "raw": number.raw,
        "e164": number.e164,
        "extension": number.extension,
        "kind": number.kind,
        "reason": number.reason,
        "place": places.of(number.e164, "en") if number.e164 else None,
        "place_zh": places.of(number.e164, "zh") if number.e164 else None,
    }


def match_view(match: Match) -> MatchView:
    return {
        "standing": match.standing,
        "reason": reason_view(match.reason),
        "candidates": [
            {
                "customer": brief_view(candidate.customer),
                "standing": candidate.standing,
                "reason": reason_view(candidate.reason),
            }
            for candidate in match.candidates
        ],
    }


def verdict_view(verdict: Verdict) -> VerdictView:
    return {
        "code": verdict.code,
        "rule": reason_view(verdict.rule),
        "contract": contract_view(verdict.contract) if verdict.contract else None,
    }


def contract_view(contract: Contract) -> ContractView:
    level = contract.service_level
    return {
        "id": contract.id,
        "number": contract.number,
        "customer_id": contract.customer_id,
        "service_level": {
            "code": level.code,
            "name_en": level.name_en,
            "name_zh": level.name_zh,
            "response_minutes": level.response_minutes,
            "resolve_minutes": level.resolve_minutes,
            "queue_priority": level.queue_priority,
        },
        "starts_on": contract.starts_on.isoformat(),
        "ends_on": contract.ends_on.isoformat() if contract.ends_on else None,
        "minutes_total": contract.minutes_total,
        "minutes_used": contract.minutes_used,
        "status": contract.status,
        "status_reason": contract.status_reason,
    }


def reason_view(reason: Reason) -> ReasonView:
    return {"code": reason.code, "params": dict(reason.params)}


def named_view(brief: CompanyBrief | AgentBrief | None) -> Named | None:
    return {"id": brief.id, "name": brief.name} if brief else None


def brief_view(customer: Customer) -> CustomerBriefView:
    return {
        "id": customer.id,
        "kind": customer.kind,
        "name": customer.name,
        "tier": customer.tier,
        "company": named_view(customer.company),
    }


def customer_view(customer: Customer) -> CustomerView:
    view = {
        **_texts(customer),
        **brief_view(customer),
        "preferred_agent": named_view(customer.preferred_agent),
        "contact_points": [contact_point_view(point) for point in customer.contact_points],
        "version": customer.version,
    }
    return cast(CustomerView, view)


def _texts(customer: Customer) -> dict[str, str | None]:
    """The texts that a customer's view shows as they are stored."""
    return {name: getattr(customer, name) for name in TEXTS}


def contact_point_view(point: ContactPoint) -> ContactPointView:
    return {
        "id": point.id,
        "kind": point.kind,
        "label": point.label,
        "raw": point.raw,
        "e164": point.e164,
        "extension": point.extension,
        "standing": point.standing,
    }


def product_view(product: Product) -> ProductView:
    return {
        "id": product.id,
        "name": product.name,
        "serial": product.serial,
        "installed_on": product.installed_on.isoformat() if product.installed_on else None,
        "contract": product.contract,
    }


def case_view(case: Case) -> CaseView:
    return {
        "id": case.id,
        "number": case.number,
        "subject": case.subject,
        "status": case.status,
        "priority": case.priority,
        "opened_at": stamp(case.opened_at),
        "due_at": stamp_or_none(case.due_at),
        "closed_at": stamp_or_none(case.closed_at),
    }


def note_view(note: Note) -> NoteView:
    return {
        "id": note.id,
        "at": stamp(note.at),
        "agent": named_view(note.agent),
        "text": note.text,
        "pinned": note.pinned,
    }


def recent_view(brief: InteractionBrief) -> RecentView:
    return {
        "id": brief.id,
        "channel": brief.channel,
        "direction": brief.direction,
        "at": stamp(brief.at),
        "outcome": brief.outcome,
        "queue": brief.queue,
        "agent": brief.agent_name,
        "talk_ms": brief.talk_ms,
        "subject": brief.subject,
        "note": brief.note,
    }


def promise_view(promise: Promise) -> PromiseView:
    return {
        "id": promise.id,
        "customer": {"id": promise.customer_id, "name": promise.customer_name},
        "kind": promise.kind,
        "text": promise.text,
        "number": promise.number,
        "from": stamp_or_none(promise.starts_at),
        "due": stamp(promise.due_at),
        "remind_ms": promise.remind_ms,
        "state": promise.state,
        "owner": person_view(promise.owner_id, promise.owner_name),
        "created_by": person_view(promise.created_by, promise.created_by_name),
        "created_at": stamp(promise.created_at),
        "interaction": promise.interaction_id,
        "raised_at": stamp_or_none(promise.raised_at),
        "broken_at": stamp_or_none(promise.broken_at),
        "settled_at": stamp_or_none(promise.settled_at),
        "version": promise.version,
    }


def person_view(person: int | None, name: str | None) -> Named | None:
    return {"id": person, "name": name or ""} if person is not None else None


def because_view(because: Because) -> BecauseView:
    return {"code": because.code, "params": dict(because.params), "ref": because.ref}
