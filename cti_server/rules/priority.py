"""How far forward a call is put in its queue: a small integer for QUEUE_PRIO, from contract and tier.

Asterisk serves larger numbers first and never ages them. The range is narrow, so that a priority is a limited
head start and never starves the others.
"""

from __future__ import annotations

from typing import Final

from cti_server.rules.verdict import Verdict

MAX_PRIORITY: Final = 20
_TIERS: Final = {"silver": 1, "gold": 2, "platinum": 3, "vip": 4}
# How many quarters of the contract's priority count: a spent or suspended contract still gets a little.
_QUARTERS: Final = {"covered": 4, "hours_left": 4, "hours_spent": 2, "suspended": 1}


def priority(verdict: Verdict, tier: str | None) -> int:
    """0 to 20: the share of the service level's queue priority that the verdict allows, plus the tier's."""
    level = verdict.contract.service_level.queue_priority if verdict.contract else 0
    of_contract = max(0, level) * _QUARTERS.get(verdict.code, 0) // 4
    return min(MAX_PRIORITY, of_contract + _TIERS.get((tier or "").casefold(), 0))
