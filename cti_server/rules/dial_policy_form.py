"""A dial policy as people write it, in JSON or TOML, and as it is kept; each mistake is named by rule and field.

{"rules": [{"name": "home", "answer": "allow", "kinds": ["national"], "hours": {"zone": "Asia/Shanghai",
  "weekdays": ["mon"], "from": "08:00", "to": "18:00"}}], "limits": [{"a_minute": 20, "at_once": 3}]}
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cti_server.rules import numbers
from cti_server.rules.destinations import INTERNAL, KINDS, WORLD
from cti_server.rules.dial_policy import CODES, DAY_MIN, WEEKDAYS, Hours, Limit, Policy, Rule
from cti_server.rules.facts import Role

MAX_RULES: Final = 200
MAX_LIST: Final = 500
MAX_LIMIT: Final = 1000
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}\Z")
_TIME: Final = re.compile(r"([01][0-9]|2[0-4]):([0-5][0-9])\Z")
_BEGINNING: Final = re.compile(r"\+?[0-9]{1,15}\Z")
_PATTERN: Final = re.compile(r"[0-9X]{1,6}\Z")
_EMERGENCY: Final = re.compile(r"[0-9]{2,6}\Z")
_ROLES: Final[tuple[str, ...]] = get_args(Role)


@dataclass(frozen=True, slots=True)
class Mistake:
    """`at` is `rules.2.kinds` (counted from 0, as in JSON), `name` the rule's own name where it has one."""

    at: str
    why: str
    name: str | None = None

    def __str__(self) -> str:
        section, _, rest = self.at.partition(".")
        number, _, fieldname = rest.partition(".")
        if not number.isdecimal():
            return f"{self.at}: {self.why}"
        thing = {"rules": "rule", "limits": "limit"}.get(section, section)
        called = f" ({self.name})" if self.name else ""
        return f"{thing} {int(number) + 1}{called}{': ' + fieldname if fieldname else ''}: {self.why}"


class BadPolicy(ValueError):
    """What is wrong with a policy, all of it."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        super().__init__("; ".join(str(one) for one in mistakes))
        self.mistakes = tuple(mistakes)


def read(form: object) -> Policy:
    """The policy that was written. Raises BadPolicy with every mistake in it."""
    reader = _Reader()
    if not isinstance(form, Mapping):
        raise BadPolicy([Mistake("policy", "is to be a table with rules and limits")])
    reader.only("", form, ("rules", "limits", "emergency", "internal"))
    rules = tuple(reader.rule(i, one) for i, one in enumerate(reader.tables(form, "rules", required=True)))
    limits = tuple(reader.limit(i, one) for i, one in enumerate(reader.tables(form, "limits")))
    names = [rule.name for rule in rules]
    for i, name in enumerate(names):
        if name and name in names[:i]:
            reader.wrong(f"rules.{i}.name", f"another rule is called {name}", name)
    emergency = reader.words("emergency", form.get("emergency", ()), _EMERGENCY, "two to six digits")
    internal = reader.words("internal", form.get("internal", INTERNAL), _PATTERN, "digits and X, six at most")
    if reader.mistakes:
        raise BadPolicy(reader.mistakes)
    return Policy(rules, limits, emergency, internal)


def written(policy: Policy) -> dict[str, Any]:
    """The policy in the form that `read` takes; what is empty is left out."""
    form: dict[str, Any] = {"rules": [_rule(rule) for rule in policy.rules]}
    form["limits"] = [
        _full({"a_minute": one.a_minute, "at_once": one.at_once, "roles": one.roles, "logins": one.logins})
        for one in policy.limits
    ]
    if policy.emergency:
        form["emergency"] = list(policy.emergency)
    form["internal"] = list(policy.internal)
    return form


def fingerprint(policy: Policy, *more: object) -> str:
    """Twelve characters that differ for policies that differ; `more` is what else decides."""
    text = json.dumps([written(policy), *more], sort_keys=True, ensure_ascii=False, default=sorted)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _rule(rule: Rule) -> dict[str, Any]:
    form = _full(
        {
            "name": rule.name,
            "answer": rule.answer,
            "roles": rule.roles,
            "logins": rule.logins,
            "kinds": rule.kinds,
            "countries": rule.countries,
            "numbers": rule.numbers,
        }
    )
    if (hours := rule.hours) is not None:
        times = {"from": clock(hours.begins), "to": clock(hours.ends)}
        form["hours"] = {"zone": hours.zone, "weekdays": list(hours.weekdays), **times}
    return form


def _full(form: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: list(value) if isinstance(value, tuple) else value for name, value in form.items()}
    return {name: value for name, value in found.items() if value != []}


class _Reader:
    """Reads on after a mistake, so that all of them are named at once."""

    def __init__(self) -> None:
        self.mistakes: list[Mistake] = []

    def wrong(self, at: str, why: str, name: str | None = None) -> None:
        self.mistakes.append(Mistake(at, why, name))

    def only(self, at: str, form: Mapping[Any, Any], known: Collection[str], name: str | None = None) -> None:
        for field in form:
            if field not in known:
                where = f"{at}.{field}" if at else str(field)
                self.wrong(where, f"there is no such field; it has {', '.join(known)}", name)

    def tables(self, form: Mapping[Any, Any], field: str, *, required: bool = False) -> list[Mapping[Any, Any]]:
        found = form.get(field, ())
        if not isinstance(found, list | tuple):
            self.wrong(field, "is to be a list of tables")
            return []
        if required and not found:
            self.wrong(field, "there is to be a rule at least: what no rule fits is refused")
        if len(found) > MAX_RULES:
            self.wrong(field, f"has {len(found)}; the limit is {MAX_RULES}")
        for i, one in enumerate(found):
            if not isinstance(one, Mapping):
                self.wrong(f"{field}.{i}", "is to be a table")
        return [one if isinstance(one, Mapping) else {} for one in found[:MAX_RULES]]

    def rule(self, index: int, form: Mapping[Any, Any]) -> Rule:
        at = f"rules.{index}"
        name = form.get("name")
        known = ("name", "answer", "roles", "logins", "kinds", "countries", "numbers", "hours")
        called = name if isinstance(name, str) else None
        self.only(at, form, known, called)
        if not isinstance(name, str) or not _NAME.match(name):
            self.wrong(f"{at}.name", "is to be small letters, digits and -, 40 at most", called)
        elif name in CODES:
            self.wrong(f"{at}.name", f"{name} is a word of the server's own; choose another", called)
        answer: Any = form.get("answer")
        if answer not in ("allow", "refuse"):
            self.wrong(f"{at}.answer", "is allow or refuse", called)
        return Rule(
            called or "",
            answer,
            roles=self.some(at, form, "roles", _ROLES, called),
            logins=self.logins(at, form, called),
            kinds=self.some(at, form, "kinds", KINDS, called),
            countries=self.listed(at, form, "countries", _is_country, "ISO regions, as CN or US", called),
            numbers=self.listed(at, form, "numbers", _is_beginning, "beginnings of numbers, as +447", called),
            hours=self.hours(f"{at}.hours", form.get("hours"), called),
        )

    def limit(self, index: int, form: Mapping[Any, Any]) -> Limit:
        at = f"limits.{index}"
        self.only(at, form, ("a_minute", "at_once", "roles", "logins"))
        a_minute, at_once = (self.count(at, form, field) for field in ("a_minute", "at_once"))
        return Limit(a_minute, at_once, self.some(at, form, "roles", _ROLES), self.logins(at, form))

    def count(self, at: str, form: Mapping[Any, Any], field: str) -> int:
        found = form.get(field)
        if isinstance(found, bool) or not isinstance(found, int) or not 0 <= found <= MAX_LIMIT:
            self.wrong(f"{at}.{field}", f"is to be a whole number from 0 to {MAX_LIMIT}")
            return 0
        return found

    def some(
        self, at: str, form: Mapping[Any, Any], field: str, known: Collection[str], name: str | None = None
    ) -> tuple[Any, ...]:
        return self.listed(at, form, field, lambda one: one in known, f"of {', '.join(known)}", name)

    def logins(self, at: str, form: Mapping[Any, Any], name: str | None = None) -> tuple[str, ...]:
        found = self.listed(at, form, "logins", lambda one: bool(one.strip()), "logins", name)
        return tuple(login.strip().casefold() for login in found)  # as the record has them

    def listed(
        self,
        at: str,
        form: Mapping[Any, Any],
        field: str,
        good: Callable[[str], bool],
        what: str,
        name: str | None = None,
    ) -> tuple[str, ...]:
        found = form.get(field, ())
        if not isinstance(found, list | tuple):
            self.wrong(f"{at}.{field}", f"is to be a list {what}", name)
            return ()
        if field in form and not found:
            self.wrong(f"{at}.{field}", "is empty, which would fit everything; leave the field out for that", name)
        if len(found) > MAX_LIST:
            self.wrong(f"{at}.{field}", f"has {len(found)}; the limit is {MAX_LIST}", name)
        for one in found[:MAX_LIST]:
            if not isinstance(one, str) or not good(one):
                self.wrong(f"{at}.{field}", f"{one!r:.60} is none {what}", name)
        return tuple(str(one) for one in found[:MAX_LIST])

    def words(self, field: str, found: object, good: re.Pattern[str], what: str) -> tuple[str, ...]:
        if not isinstance(found, list | tuple) or len(found) > MAX_LIST:
            self.wrong(field, f"is to be a list of {what}")
            return ()
        for one in found:
            if not isinstance(one, str) or not good.match(one):
                self.wrong(field, f"{one!r:.60} is not {what}")
        return tuple(str(one) for one in found)

    def hours(self, at: str, form: object, name: str | None) -> Hours | None:
        if form is None:
            return None
        if not isinstance(form, Mapping):
            self.wrong(at, 'is to be a table: {zone = "Asia/Shanghai", from = "08:00", to = "18:00"}', name)
            return None
        self.only(at, form, ("zone", "weekdays", "from", "to"), name)
        zone = form.get("zone")
        if not isinstance(zone, str) or not _is_zone(zone):
            self.wrong(f"{at}.zone", "is to be a time zone, as Asia/Shanghai", name)
        begins = self.minute(f"{at}.from", form.get("from", "00:00"), name)
        ends = self.minute(f"{at}.to", form.get("to", "24:00"), name)
        if begins == ends:
            self.wrong(f"{at}.to", "is the same as from; leave both out for the whole day", name)
        days: Any = WEEKDAYS
        if "weekdays" in form:
            days = self.some(at, form, "weekdays", WEEKDAYS, name)
        return Hours(str(zone), days, begins, ends)

    def minute(self, at: str, text: object, name: str | None) -> int:
        found = _TIME.match(text) if isinstance(text, str) else None
        minute = int(found[1]) * 60 + int(found[2]) if found is not None else DAY_MIN + 1
        if minute > DAY_MIN:
            self.wrong(at, "is to be a time from 00:00 to 24:00", name)
            return 0
        return minute


def _is_country(text: str) -> bool:
    return text in numbers.REGIONS or text == WORLD


def _is_beginning(text: str) -> bool:
    return _BEGINNING.match(text) is not None


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
