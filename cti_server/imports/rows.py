"""Reading one row of a customer file: into a draft, or into every reason why it cannot be imported."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar
from zoneinfo import available_timezones

from cti_server.imports import dates
from cti_server.imports.columns import NAME_PARTS, TEXTS
from cti_server.imports.dates import Habit
from cti_server.record.crm.drafts import ContractDraft, CustomerDraft, Flaw, PointDraft
from cti_server.rules.facts import ContractStatus, CustomerKind
from cti_server.rules.numbers import normalise

T = TypeVar("T")

MAX_TEXT = 200
MAX_REMARKS = 4000
MAX_PHONES = 20
_KINDS: dict[str, CustomerKind] = {
    **dict.fromkeys(("", "person", "个人", "个人客户", "p"), "person"),
    **dict.fromkeys(("company", "公司", "企业", "企业客户", "单位", "c"), "company"),
}
_LANGUAGES = {
    **dict.fromkeys(("en", "english", "英语", "英文"), "en"),
    **dict.fromkeys(("zh", "zh-cn", "chinese", "中文", "汉语", "普通话"), "zh"),
}
_STATUSES: dict[str, ContractStatus] = {
    **dict.fromkeys(("active", "有效", "生效", "正常"), "active"),
    **dict.fromkeys(("suspended", "暂停", "中止"), "suspended"),
    **dict.fromkeys(("cancelled", "canceled", "取消", "终止", "作废"), "cancelled"),
}
_EMAIL = re.compile(r"[^\s@<>,;\"]{1,64}@[^\s@<>,;\"]+\.[^\s@<>,;\"]+")
# What a spreadsheet makes of a long number: 2.02401E+11, with its own decimal mark, or zeros from the sixteenth
# digit on. `1E5` may well be somebody's customer number; a telephone number it is not.
_ROUNDED = re.compile(r"[+-]?\d[.,]\d+[eE]\+?\d+|[+-]?\d[eE]\+\d+|\d{15}0{3,}")
_ROUNDED_PHONE = re.compile(r"[+-]?\d+(?:[.,]\d+)?[eE]\+?\d+")
_IDEOGRAPHS = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff·]+")
_FAILED = re.compile(r"#(?:N/A|REF!|VALUE!|NAME\?|DIV/0!|NULL!|NUM!|#+)", re.IGNORECASE)
_WHOLE = re.compile(r"(\+?\d{7,})\.0+")  # a number that some program took for a decimal one
# A `;` may also begin a parameter of the number before it: tel:+86…;ext=12.
# Google puts ::: between several.
_SEPARATORS = re.compile(
    r"(?:[；、|\n\r]|:::|;(?!\s*(?:ext|isub|phone-context|npdi|rn|cic|user|tgrp|cpc|oli)\b))+"
)
# What people write into a cell that has nothing to say, where it cannot be anything else.
_NOTHING = frozenset(("-", "--", "—", "——", "/", "\\", "无", "暂无", "没有", "未知", "n/a", "null", "none", "nil"))


@dataclass(frozen=True, slots=True)
class Known:
    """What a row may refer to: agents' ids by login, and service levels' codes by each of their names. `region` is
    the one whose rules telephone numbers are read by, `dates` the habits of the columns with dates."""

    region: str
    agents: Mapping[str, int]
    service_levels: Mapping[str, str]
    dates: Mapping[str, Habit] = field(default_factory=dict)


class BadRow(ValueError):
    """Why a row was left out: every flaw of it."""

    def __init__(self, *flaws: Flaw) -> None:
        super().__init__("; ".join(map(str, flaws)))
        self.flaws = flaws


def draft(cells: Mapping[str, str], known: Known) -> CustomerDraft:
    """The row as a draft. `cells` has the text of each column. Raises BadRow, which lists every reason."""
    reader = _Reader(cells, known)
    made = reader.customer()
    if reader.problems:
        raise BadRow(*reader.problems)
    return made


class _Reader:
    """Reads the cells of one row and collects what is wrong with them."""

    def __init__(self, cells: Mapping[str, str], known: Known) -> None:
        self.cells = {column: _unwrap(text) for column, text in cells.items()}
        self.known = known
        self.problems: list[Flaw] = []

    def _flaw(self, form: str, *values: str) -> None:
        self.problems.append(Flaw(form, values))

    def customer(self) -> CustomerDraft:
        ref = self._identity("external_ref", required=True)
        name = self._name()
        kind = self._one_of("kind", _KINDS) or "person"
        company = self._identity("company")
        if company and kind == "company":
            self._flaw("a company cannot have a company")
        fields = {
            **{column: self._line(column) for column in TEXTS},
            "tier": self._line("tier").casefold(),
            "language": self._one_of("language", _LANGUAGES),
            "time_zone": self._time_zone(),
            "preferred_agent_id": self._one_of("preferred_agent", self.known.agents),
            "remarks": self._text("remarks", MAX_REMARKS),
        }
        return CustomerDraft(
            external_ref=ref,
            kind=kind,
            name=name,
            company=company or None,
            fields={column: value for column, value in fields.items() if value},
            points=(*self._phones(), *self._emails()),
            contract=self._contract(),
        )

    def _text(self, column: str, longest: int = MAX_TEXT) -> str:
        text = self.cells.get(column, "").strip()
        if len(text) > longest:
            self._flaw(f"{column} has {{}} characters, {longest} is the most", str(len(text)))
        return text[:longest]

    def _line(self, column: str, *, required: bool = False) -> str:
        text = " ".join("".join(c if c.isprintable() else " " for c in self._text(column)).split())
        if required and not text:
            self._flaw(f"{column} is empty")
        return text

    def _identity(self, column: str, *, required: bool = False) -> str:
        """A line by which something is known again: a wrong one would rename one customer to another."""
        text = self._line(column, required=required)
        if _ROUNDED.fullmatch(text):
            self._flaw(f"{column} {{}} was rounded by a spreadsheet; format that column as text", repr(text))
        elif _FAILED.fullmatch(text):
            self._flaw(f"{column} {{}} is a spreadsheet's error; correct its formula", repr(text))
        return text

    def _name(self) -> str:
        """The name, or what it is put together from: Erika Mustermann, 王小明."""
        if self.cells.get("name", "").strip() or not any(part in self.cells for part in NAME_PARTS):
            return self._identity("name", required=True)
        given, family = (self._identity(part) for part in NAME_PARTS)
        if not given and not family:
            self._flaw("name is empty")
        between = "" if _IDEOGRAPHS.fullmatch(given + family) else " "
        return f"{family}{given}" if not between else f"{given} {family}".strip()

    def _one_of(self, column: str, values: Mapping[str, T]) -> T | None:
        text = self._line(column).casefold()
        if text in values:
            return values[text]
        if text:
            near = difflib.get_close_matches(text, values, n=1)
            if near:
                self._flaw(f"{column} is {{}}; did you mean {{}}?", repr(text), near[0])
            else:
                self._flaw(f"{column} is {{}}; it may be {', '.join(filter(None, values))}", repr(text))
        return None

    def _time_zone(self) -> str | None:
        name = self._line("time_zone")
        if name and name not in available_timezones():
            self._flaw("time_zone is {}; write one like Asia/Shanghai", repr(name))
        return name or None

    def _phones(self) -> list[PointDraft]:
        given = [
            (column, raw)
            for column in ("phone", "phone_2", "phone_3", "mobile")
            for part in _SEPARATORS.split(self.cells.get(column, ""))
            if (raw := _unwrap(part)) and raw.casefold() not in _NOTHING
        ]
        if len(given) > MAX_PHONES:
            self._flaw(f"{{}} telephone numbers, {MAX_PHONES} is the most", str(len(given)))
        return [point for column, raw in given[:MAX_PHONES] for point in self._numbers(column, raw)]

    def _numbers(self, column: str, raw: str) -> list[PointDraft]:
        """The number, or the two where a slash stands between them: 13800138000/13900139000."""
        if _ROUNDED_PHONE.fullmatch(raw):
            self._flaw(f"{column} {{}} was rounded by a spreadsheet; format that column as text", repr(raw))
            return []
        written = _WHOLE.sub(r"\1", raw)
        label = "mobile" if column == "mobile" else ""
        whole = normalise(written, self.known.region)
        if whole.reason == "ambiguous" and "/" in written:
            parts = [(part, normalise(part, self.known.region)) for part in written.split("/")]
            if all(number.e164 for _, number in parts):
                return [PointDraft("phone", part.strip(), n.e164, n.extension, label) for part, n in parts]
        if whole.e164 is None:
            form = f"{column} {{}} is no telephone number of {self.known.region}: {whole.reason}"
            self._flaw(form, repr(raw[:40]))
            return []
        return [PointDraft("phone", written, whole.e164, whole.extension, label)]

    def _emails(self) -> list[PointDraft]:
        found = []
        for part in re.split(r"[;；,，、|\s]+|:::", self.cells.get("email", "")):
            if not part or part.casefold() in _NOTHING:
                continue
            if not (_EMAIL.fullmatch(part) and len(part) <= MAX_TEXT):
                self._flaw("email {} is no address", repr(part[:40]))
            else:
                found.append(PointDraft("email", part))
        return found

    def _contract(self) -> ContractDraft | None:
        number = self._identity("contract_number")
        columns = [column for column in self.cells if column.startswith("contract_") or column == "service_level"]
        if not number:
            if given := [column for column in columns if self._given(column)]:
                self._flaw(f"{', '.join(given)} without a contract_number")
            return None
        level = self._one_of("service_level", self.known.service_levels)
        open_ended = dates.is_open(self._line("contract_ends_on"))
        starts_on = self._date("contract_starts_on")
        ends_on = None if open_ended else self._date("contract_ends_on")
        status = self._one_of("contract_status", _STATUSES)
        total, used = self._minutes("contract_minutes_total"), self._minutes("contract_minutes_used")
        if not level and not self._line("service_level"):
            self._flaw("service_level is empty")
        if not starts_on and not self._given("contract_starts_on"):
            self._flaw("contract_starts_on is empty")
        if starts_on and ends_on and ends_on < starts_on:
            form = "contract {} ends on {}, before it starts on {}"
            self._flaw(form, number, str(ends_on), str(starts_on))
        if not level or not starts_on:
            return None
        return ContractDraft(number, level, starts_on, ends_on, status, total, used, open_ended)

    def _date(self, column: str) -> date | None:
        text = self._given(column)
        if not text:
            return None
        found = dates.read(text, self.known.dates.get(column))
        if isinstance(found, date):
            return found
        self._flaw(f"{column} is {{}}; {found}", repr(text[:40]))
        return None

    def _minutes(self, column: str) -> int | None:
        text = unicodedata.normalize("NFKC", self._given(column))
        if not text:
            return None
        if not (text.isascii() and text.isdigit() and len(text) <= 9):
            self._flaw(f"{column} is {{}}; write whole minutes, as 600", repr(text[:40]))
            return None
        return int(text)

    def _given(self, column: str) -> str:
        """The text of a column in which a dash is no value."""
        text = self._line(column)
        return "" if text.casefold() in _NOTHING else text


def _unwrap(text: str) -> str:
    """The text of a cell without the tricks that make a spreadsheet keep it as text: ="0138", '0138 and '+86."""
    text = text.strip()
    if len(text) > 3 and text.startswith('="') and text.endswith('"'):
        return text[2:-1]
    return text[1:] if text[:1] == "'" and (text[1:2].isdigit() or text[1:2] in ("+", "=", "-", "@")) else text
