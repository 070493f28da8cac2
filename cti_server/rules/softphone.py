"""Who is given the SIP password of a browser phone: with it one registers as that phone until it is changed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Literal

SHARED_A_DAY: Final = 3
"""Of how many shared phones one person is given the passwords in 24 hours: enough for whoever moves between desks,
and not for whoever sits down at one after the other to collect them."""


@dataclass(frozen=True, slots=True)
class Handing:
    """Whether the password is given, by which rule, and what the rule looked at: the owner, or the phones had."""

    given: bool
    rule: Literal["phone.own", "phone.anothers", "phone.shared", "phone.too_many"]
    evidence: tuple[str, ...] = ()


def may_register(agent: int, owner: int | None, phone: str, had: Collection[str] = ()) -> Handing:
    """`agent` sits at `phone`, which is `owner`'s own or, with None, shared; `had` are the shared phones whose
    password they were given in the last 24 hours."""
    if owner is not None:
        return Handing(owner == agent, "phone.own" if owner == agent else "phone.anothers", (str(owner),))
    if phone in had or len(had) < SHARED_A_DAY:
        return Handing(True, "phone.shared", tuple(sorted(had)))
    return Handing(False, "phone.too_many", tuple(sorted(had)))
