"""Why they may be calling: facts from the record, the likeliest reason first, each with its source.

A fact says only that something happened, and recently; nothing more is inferred.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from cti_server.rules.facts import Case, InteractionBrief, Promise
from cti_server.rules.verdict import Verdict

MAX_FACTS: Final = 4
REPEAT_WITHIN: Final = timedelta(hours=24)
ABANDONED_WITHIN: Final = timedelta(hours=2)
CONTACT_WITHIN: Final = timedelta(days=7)
PROMISED_WITHIN: Final = timedelta(hours=24)
ENDING_WITHIN_DAYS: Final = 30
EXPIRED_WITHIN_DAYS: Final = 90

_ABANDONED: Final = frozenset(
    {"abandoned", "short_abandon", "no_agent", "left_in_ivr", "busy", "failed", "transfer_failed"}
)
_RECENT: Final = {"visit": "recent_visit", "email": "recent_email", "chat": "recent_chat"}


@dataclass(frozen=True, slots=True)
class Because:
    """One fact. `ref` names its source in the record: `case:12`, `interaction:7`, `contract:3`."""

    code: str
    ref: str
    params: Mapping[str, str | int | bool | None] = field(default_factory=dict)


def why(
    cases: Sequence[Case],
    recent: Sequence[InteractionBrief],
    verdict: Verdict | None,
    at: datetime,
    promises: Sequence[Promise] = (),
) -> tuple[Because, ...]:
    """At most `MAX_FACTS` facts. `recent` is the history, in any order, without the call itself."""
    history = sorted(
        (contact for contact in recent if contact.at <= at), key=lambda contact: contact.at, reverse=True
    )
    facts = [
        *_promised(promises, at),
        *_overdue(cases, at),
        *_gave_up(history, at),
        *_open(cases, at),
        *_repeat(history, at),
        *_contacts(history, at),
        *_ending(verdict),
    ]
    return tuple(facts[:MAX_FACTS])


def _promised(promises: Sequence[Promise], at: datetime) -> Iterator[Because]:
    """The broken promise that was due last; then the open one that is due next, if that is soon."""
    broken = [promise for promise in promises if promise.state == "broken"]
    for promise in sorted(broken, key=lambda promise: promise.due_at, reverse=True)[:1]:
        late_ms = int((at - promise.due_at).total_seconds() * 1000)
        yield Because("promise_broken", f"promise:{promise.id}", {**_promise_params(promise), "late_ms": late_ms})
    soon = [promise for promise in promises if promise.state == "open" and promise.due_at - at <= PROMISED_WITHIN]
    for promise in sorted(soon, key=lambda promise: promise.due_at)[:1]:
        yield Because("promise_due", f"promise:{promise.id}", _promise_params(promise))


def _promise_params(promise: Promise) -> dict[str, str | int | bool | None]:
    due = promise.due_at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"kind": promise.kind, "text": promise.text, "due": due, "owner": promise.owner_name}


def _overdue(cases: Sequence[Case], at: datetime) -> Iterator[Because]:
    late = [case for case in cases if _is_overdue(case, at)]
    for case in sorted(late, key=lambda case: (case.priority, case.due_at or at)):
        late_ms = int((at - (case.due_at or at)).total_seconds() * 1000)
        yield Because("open_case_overdue", f"case:{case.id}", {**_named(case), "late_ms": late_ms})


def _open(cases: Sequence[Case], at: datetime) -> Iterator[Because]:
    still = [case for case in cases if case.status != "closed" and not _is_overdue(case, at)]
    for case in sorted(still, key=lambda case: (case.priority, -case.opened_at.timestamp())):
        yield Because("open_case", f"case:{case.id}", _named(case))


def _gave_up(history: Sequence[InteractionBrief], at: datetime) -> Iterator[Because]:
    """The last inbound call, if it reached nobody and was shortly before `at`."""
    for contact in history:
        if contact.channel == "voice" and contact.direction == "inbound":
            if contact.outcome in _ABANDONED and at - contact.at <= ABANDONED_WITHIN:
                params = {"ago_ms": _ago(contact, at), "outcome": contact.outcome, "queue": contact.queue}
                yield Because("abandoned_before", f"interaction:{contact.id}", params)
            return


def _repeat(history: Sequence[InteractionBrief], at: datetime) -> Iterator[Because]:
    """Calls that were answered within the last day: whatever the agent said may not have helped."""
    calls = [
        contact
        for contact in history
        if contact.channel == "voice"
        and contact.outcome in ("answered", "transferred")
        and at - contact.at <= REPEAT_WITHIN
    ]
    if calls:
        last = calls[0]
        params = {"times": len(calls), "ago_ms": _ago(last, at), "agent": last.agent_name}
        yield Because("repeat_call", f"interaction:{last.id}", {**params, "subject": last.subject})


def _contacts(history: Sequence[InteractionBrief], at: datetime) -> Iterator[Because]:
    channels: set[str] = set()
    for contact in history:
        if contact.channel in _RECENT and contact.channel not in channels and at - contact.at <= CONTACT_WITHIN:
            channels.add(contact.channel)
            params = {"ago_ms": _ago(contact, at), "subject": contact.subject, "agent": contact.agent_name}
            yield Because(_RECENT[contact.channel], f"interaction:{contact.id}", params)


def _ending(verdict: Verdict | None) -> Iterator[Because]:
    if verdict is None or verdict.contract is None:
        return
    days = verdict.rule.params.get("days")
    if not isinstance(days, int):
        return
    params = {
        "contract": verdict.contract.number,
        "ends_on": verdict.rule.params.get("ends_on"),
        "days": days,
    }
    ref = f"contract:{verdict.contract.id}"
    if verdict.code == "expired" and days <= EXPIRED_WITHIN_DAYS:
        yield Because("contract_expired", ref, params)
    elif verdict.code in ("covered", "hours_left", "hours_spent") and days <= ENDING_WITHIN_DAYS:
        yield Because("contract_ending", ref, params)


def _is_overdue(case: Case, at: datetime) -> bool:
    return case.status != "closed" and case.due_at is not None and case.due_at < at


def _named(case: Case) -> dict[str, str | int | bool | None]:
    return {"case": case.number, "subject": case.subject, "status": case.status, "priority": case.priority}


def _ago(contact: InteractionBrief, at: datetime) -> int:
    return int((at - contact.at).total_seconds() * 1000)
