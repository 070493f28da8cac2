"""Why they may be calling: facts of the record, the likeliest reason first, each citing its source.

Nothing is inferred beyond "this happened, and recently".
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

_ABANDONED: Final = frozenset({"abandoned", "short_abandon", "no_agent", "left_in_ivr", "busy", "failed"})
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
    """At most four facts. `recent` is any history before `at`, in any order, without the call itself."""
    history = sorted((one for one in recent if one.at <= at), key=lambda one: one.at, reverse=True)
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
    """What we did not keep, the latest first; then the next thing we owe, if that is soon."""
    broken = [one for one in promises if one.state == "broken"]
    for one in sorted(broken, key=lambda one: one.due_at, reverse=True)[:1]:
        late_ms = int((at - one.due_at).total_seconds() * 1000)
        yield Because("promise_broken", f"promise:{one.id}", {**_said(one), "late_ms": late_ms})
    soon = [one for one in promises if one.state == "open" and one.due_at - at <= PROMISED_WITHIN]
    for one in sorted(soon, key=lambda one: one.due_at)[:1]:
        yield Because("promise_due", f"promise:{one.id}", _said(one))


def _said(one: Promise) -> dict[str, str | int | bool | None]:
    due = one.due_at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"kind": one.kind, "text": one.text, "due": due, "owner": one.owner_name}


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
    """The last inbound call, if it reached nobody just before this one."""
    for one in history:
        if one.channel == "voice" and one.direction == "inbound":
            if one.outcome in _ABANDONED and at - one.at <= ABANDONED_WITHIN:
                params = {"ago_ms": _ago(one, at), "outcome": one.outcome, "queue": one.queue}
                yield Because("abandoned_before", f"interaction:{one.id}", params)
            return


def _repeat(history: Sequence[InteractionBrief], at: datetime) -> Iterator[Because]:
    """Calls that were answered within the last day: whatever was said then may not have helped."""
    calls = [
        one
        for one in history
        if one.channel == "voice" and one.outcome in ("answered", "transferred") and at - one.at <= REPEAT_WITHIN
    ]
    if calls:
        last = calls[0]
        params = {"times": len(calls), "ago_ms": _ago(last, at), "agent": last.agent_name}
        yield Because("repeat_call", f"interaction:{last.id}", {**params, "subject": last.subject})


def _contacts(history: Sequence[InteractionBrief], at: datetime) -> Iterator[Because]:
    seen: set[str] = set()
    for one in history:
        if one.channel in _RECENT and one.channel not in seen and at - one.at <= CONTACT_WITHIN:
            seen.add(one.channel)
            params = {"ago_ms": _ago(one, at), "subject": one.subject, "agent": one.agent_name}
            yield Because(_RECENT[one.channel], f"interaction:{one.id}", params)


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


def _ago(one: InteractionBrief, at: datetime) -> int:
    return int((at - one.at).total_seconds() * 1000)
