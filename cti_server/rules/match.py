"""Whose number this is: the customers to whom it may belong, the likeliest first, each with the reason.

One customer is picked only when their evidence is strictly better than everyone else's. Among equals none is
picked, because a wrong card tells one customer's business to another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from cti_server.rules.facts import Customer, Holder, Reason, Standing
from cti_server.rules.numbers import Number

MatchStanding = Literal["verified", "shared", "guess", "none"]

_RANK: Final[dict[str, int]] = {"verified": 1, "shared": 2, "guess": 3}
_CHOSEN: Final = 0  # before any standing, because an agent has talked to them
_BEHIND_SWITCHBOARD: Final = 4
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A customer to whom the number may belong."""

    customer: Customer
    standing: Standing
    reason: Reason


@dataclass(frozen=True, slots=True)
class Match:
    """All candidates, the best first, and the customer who is picked, if any.

    `standing` is that of the picked customer; among equals it is `shared`, or `guess` if all are guesses.
    """

    standing: MatchStanding
    reason: Reason
    candidates: tuple[Candidate, ...]
    customer: Customer | None


@dataclass(frozen=True, slots=True)
class _Claim:
    """A holder and their rank: a smaller `place` is better, and claims of the same `place` are equals."""

    holder: Holder
    standing: Standing
    place: tuple[int, int, int]
    code: str

    @property
    def customer(self) -> Customer:
        return self.holder.customer


def match(number: Number, holders: Sequence[Holder], people: Sequence[Holder] = ()) -> Match:
    """Rank the `holders` of the number, then the `people` of a company that owns it (its switchboard called).

    Holders with another extension are left out when the caller's extension is known.
    """
    if number.kind != "e164":
        code = number.kind if number.kind in ("withheld", "malformed") else "unknown_number"
        params = {"why": number.reason} if number.kind == "malformed" else {}
        return Match("none", Reason(code, params), (), None)
    claims = _claims(number, holders, people)
    if not claims:
        return Match("none", Reason("unknown_number", {"number": number.e164}), (), None)
    candidates = tuple(_candidate(claim, alone=len(claims) == 1) for claim in claims)
    if _leads(claims):
        return Match(candidates[0].standing, candidates[0].reason, candidates, claims[0].customer)
    equals = [claim for claim in claims if claim.place == claims[0].place] or claims[:1]
    standing: MatchStanding = "guess" if all(claim.standing == "guess" for claim in equals) else "shared"
    return Match(standing, Reason("shared_number", {"customers": len(claims)}), candidates, None)


def _claims(number: Number, holders: Sequence[Holder], people: Sequence[Holder]) -> list[_Claim]:
    best: dict[int, _Claim] = {}
    exact = number.extension is not None and any(_extension(holder) == number.extension for holder in holders)
    for holder in holders:
        if number.extension is not None and _extension(holder) not in (None, number.extension):
            continue
        # Without an extension the number is the whole company's, so a person with one is only behind it.
        behind = number.extension is None and _extension(holder) is not None
        own = exact and _extension(holder) == number.extension
        claim = _person_behind(holder) if behind else _claim(holder, exact=own)
        earlier = best.get(holder.customer.id)
        if earlier is None or claim.place < earlier.place:
            best[holder.customer.id] = claim
    for holder in people:
        best.setdefault(holder.customer.id, _person_behind(holder))
    return sorted(best.values(), key=_order)


def _claim(holder: Holder, *, exact: bool) -> _Claim:
    point = holder.contact_point
    standing: Standing = point.standing if point else "guess"
    company = holder.customer.kind == "company"
    if holder.chosen_count:
        return _Claim(holder, standing, (_CHOSEN, 0, 0), "chosen_before")
    # A person's own extension is better than the company's main number. Otherwise the company is the safe answer
    # for its own people, because its contract is the one that counts.
    place = (_RANK[standing], 0 if exact else 1, 0 if company else 1)
    code = "company_number" if company else f"{standing}_number"
    return _Claim(holder, standing, place, code)


def _person_behind(holder: Holder) -> _Claim:
    if holder.chosen_count:
        return _Claim(holder, "guess", (_CHOSEN, 0, 0), "chosen_before")
    return _Claim(holder, "guess", (_BEHIND_SWITCHBOARD, 0, 0), "switchboard")


def _order(claim: _Claim) -> tuple[object, ...]:
    """The sort key: by place, then whom agents chose most and last, then by name to keep the order constant."""
    chosen_at = claim.holder.last_chosen_at or _NEVER
    return (
        *claim.place,
        -claim.holder.chosen_count,
        -(chosen_at - _NEVER).total_seconds(),
        claim.customer.name,
        claim.customer.id,
    )


def _leads(claims: Sequence[_Claim]) -> bool:
    """Whether the first claim has strictly better evidence than the rest, and is not only sorted first."""
    if len(claims) == 1:
        return True
    first, second = claims[0], claims[1]
    if first.place[0] == _CHOSEN == second.place[0]:
        # A single wrong choice must neither win nor block: the leader was chosen more often, and last.
        last = max((claim.holder.last_chosen_at or _NEVER) for claim in claims)
        return first.holder.chosen_count > second.holder.chosen_count and first.holder.last_chosen_at == last
    if first.place[:2] != second.place[:2]:
        return True
    company = first.customer if first.customer.kind == "company" else None
    return company is not None and all(
        claim.customer.company is not None and claim.customer.company.id == company.id
        for claim in claims[1:]
        if claim.place[:2] == first.place[:2]
    )


def _candidate(claim: _Claim, *, alone: bool) -> Candidate:
    params: dict[str, str | int | bool | None] = {}
    code = claim.code
    if code == "chosen_before":
        params = {"times": claim.holder.chosen_count}
    elif code == "switchboard" and claim.customer.company:
        params = {"company": claim.customer.company.name}
    elif code in ("shared_number", "guess_number") and alone:
        code = "only_customer"
    return Candidate(claim.customer, claim.standing, Reason(code, params))


def _extension(holder: Holder) -> str | None:
    return holder.contact_point.extension if holder.contact_point else None
