"""Who may dial what: a policy, a person, a number and a moment in; allowed or refused, by which rule, and why.

A policy is an ordered list of rules, the first that fits decides, and limits. What holds whatever the rules say:

* An emergency number is refused by nothing but a rule that names the kind `emergency` itself: no limit, no role,
  no hours and no end of a shift does it.
* Only a person on shift dials outside; an extension of the PBX needs no shift.
* A number that no rule fits is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from cti_server.rules.destinations import INTERNAL, Destination, Kind
from cti_server.rules.facts import Role

Answer = Literal["allow", "refuse"]
Code = Literal[
    "rule",  # a rule of the policy decided; `rule` is its name
    "emergency",  # always allowed
    "anywhere",  # this person may dial anywhere
    "off_shift",
    "a_minute",  # more calls in a minute than this person may begin
    "at_once",  # more calls at once than this person may have
    "no_rule",  # none fits
    "not_a_number",  # what was written is no number that can be dialled
]
CODES: Final[tuple[Code, ...]] = (
    "rule",
    "emergency",
    "anywhere",
    "off_shift",
    "a_minute",
    "at_once",
    "no_rule",
    "not_a_number",
)
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: Final[tuple[Weekday, ...]] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MIN: Final = 24 * 60
INSIDE: Final[frozenset[Kind]] = frozenset({"internal"})
"""What needs no shift and counts for no limit."""


@dataclass(frozen=True, slots=True)
class Hours:
    """From minute `begins` to minute `ends` of the day, by the clock on the wall of `zone`, on these weekdays.

    With `ends` at or before `begins` it goes over midnight, and belongs to the day on which it began.
    """

    zone: str
    weekdays: tuple[Weekday, ...] = WEEKDAYS
    begins: int = 0
    ends: int = DAY_MIN

    def has(self, at: datetime) -> bool:
        """Whether this moment (aware) is within. The clock's own hour counts where it is set forward or back."""
        wall = at.astimezone(ZoneInfo(self.zone))
        minute = wall.hour * 60 + wall.minute
        today = WEEKDAYS[wall.weekday()]
        if self.begins < self.ends:
            return today in self.weekdays and self.begins <= minute < self.ends
        yesterday = WEEKDAYS[(wall.date() - timedelta(days=1)).weekday()]
        late, early = minute >= self.begins, minute < self.ends
        return (late and today in self.weekdays) or (early and yesterday in self.weekdays)


@dataclass(frozen=True, slots=True)
class Rule:
    """Empty is everybody, every kind, every country, every number, at all hours. `numbers` are beginnings: `+447`.

    A rule with `countries` fits no number that has none, such as an extension.
    """

    name: str
    answer: Answer
    roles: tuple[Role, ...] = ()
    logins: tuple[str, ...] = ()
    kinds: tuple[Kind, ...] = ()
    countries: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    hours: Hours | None = None

    @property
    def everybody(self) -> bool:
        return not self.roles and not self.logins

    def fits(self, who: Who, to: Destination, at: datetime) -> bool:
        return (
            _is_for(who, self.roles, self.logins)
            and (not self.kinds or to.kind in self.kinds)
            and (not self.countries or to.country in self.countries)
            and (not self.numbers or (to.e164 or to.number).startswith(self.numbers))
            and (self.hours is None or self.hours.has(at))
        )


@dataclass(frozen=True, slots=True)
class Limit:
    """How many calls outside one person may begin in a minute, and have at once. The first that fits counts."""

    a_minute: int
    at_once: int
    roles: tuple[Role, ...] = ()
    logins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    """`emergency` are the site's emergency numbers, empty for the region's own; `internal` patterns of extensions
    that the record does not know (X is any digit)."""

    rules: tuple[Rule, ...]
    limits: tuple[Limit, ...] = ()
    emergency: tuple[str, ...] = ()
    internal: tuple[str, ...] = INTERNAL


DEFAULT: Final = Policy(
    rules=(
        Rule("inside", "allow", kinds=("internal", "own")),
        Rule("costly", "refuse", kinds=("premium", "satellite", "shared_cost")),
        Rule("home", "allow", kinds=("national", "toll_free", "special")),
        Rule("abroad-administrators", "allow", roles=("administrator",), kinds=("international",)),
        Rule("abroad", "refuse", kinds=("international",)),
        Rule("unlisted", "refuse", kinds=("unknown",)),
    ),
    limits=(Limit(a_minute=20, at_once=3),),
)


@dataclass(frozen=True, slots=True)
class Who:
    """Who dials. `anywhere` passes the rules, but no limit and no end of a shift."""

    login: str
    role: Role = "agent"
    on_shift: bool = False
    anywhere: bool = False


@dataclass(frozen=True, slots=True)
class Recent:
    """The calls outside that this person has begun in the last 60 s, and those that they have now."""

    a_minute: int = 0
    at_once: int = 0


@dataclass(frozen=True, slots=True)
class Decision:
    """`rule` is the name of the policy's rule, where one decided, else the code again."""

    allowed: bool
    code: Code
    rule: str
    evidence: Mapping[str, str | int | None] = field(default_factory=dict)


def decide(policy: Policy, who: Who, to: Destination, now: datetime, recent: Recent = Recent()) -> Decision:
    """Whether this person may dial this number at this moment."""
    found: dict[str, str | int | None] = {"kind": to.kind, "country": to.country, "role": who.role}
    first = next((rule for rule in policy.rules if rule.fits(who, to, now)), None)
    if to.kind == "emergency":
        named = (rule for rule in policy.rules if "emergency" in rule.kinds and rule.fits(who, to, now))
        explicit = next(named, None)
        if explicit is not None and explicit.answer == "refuse":
            return Decision(False, "rule", explicit.name, found)
        return Decision(True, "emergency", explicit.name if explicit is not None else "emergency", found)
    outside = to.kind not in INSIDE
    if outside and not who.on_shift:
        return Decision(False, "off_shift", "off_shift", found)
    if who.anywhere:
        decision = Decision(True, "anywhere", "anywhere", found)
    elif first is None:
        decision = Decision(False, "no_rule", "no_rule", found)
    else:
        decision = Decision(first.answer == "allow", "rule", first.name, found)
    if not decision.allowed or not outside:
        return decision
    return _within(policy, who, recent, found) or decision


def not_a_number(reason: str) -> Decision:
    """The decision on a text that is no number. `reason` is what `numbers` says of it."""
    return Decision(False, "not_a_number", "not_a_number", {"kind": None, "country": None, "reason": reason})


def _within(policy: Policy, who: Who, recent: Recent, found: Mapping[str, str | int | None]) -> Decision | None:
    limit = next((one for one in policy.limits if _is_for(who, one.roles, one.logins)), None)
    if limit is None:
        return None
    if recent.a_minute >= limit.a_minute:
        return Decision(False, "a_minute", "a_minute", {**found, "limit": limit.a_minute})
    if recent.at_once >= limit.at_once:
        return Decision(False, "at_once", "at_once", {**found, "limit": limit.at_once})
    return None


def _is_for(who: Who, roles: tuple[Role, ...], logins: tuple[str, ...]) -> bool:
    """Whether a rule is for this person: named by role or by login, or it names nobody and is for everybody."""
    return (not roles and not logins) or who.role in roles or who.login in logins
