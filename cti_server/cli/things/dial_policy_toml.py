"""A dial policy as TOML: written so that it can be set again, read so that a mistake is named by its line."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from cti_server.cli.common import fail
from cti_server.rules.dial_policy import Policy
from cti_server.rules.dial_policy_form import BadPolicy, Mistake, read, written


def of_text(text: str, name: str) -> Policy:
    """The policy of a file, TOML or JSON by what it begins with. Fails with every mistake, each with its line."""
    is_json = text.lstrip().startswith("{")
    try:
        form = json.loads(text) if is_json else tomllib.loads(text)
    except tomllib.TOMLDecodeError as bad:
        fail(f"{name} is not TOML: {bad}", "cti-server dialling show   prints one that is")
    except json.JSONDecodeError as bad:
        fail(f"{name} is not JSON: {bad.msg} (at line {bad.lineno}, column {bad.colno})")
    try:
        return read(form)
    except BadPolicy as bad:
        lines = [f"{_place(text, one, is_json)}{one}" for one in bad.mistakes]
        what = "\n".join(f"{name}: {line}" for line in lines)
        fail(what, "Nothing was changed. docs/dialling.md says what each field takes.")


def to_text(policy: Policy) -> str:
    """TOML that `of_text` takes."""
    form = written(policy)
    lists = {name: value for name, value in form.items() if not isinstance(value, list) or name != "rules"}
    parts = [f"{name} = {_value(value)}" for name, value in lists.items() if name in ("emergency", "internal")]
    for section in ("rules", "limits"):
        for table in form.get(section, []):
            parts.append(f"\n[[{section}]]")
            parts += [f"{name} = {_value(value)}" for name, value in table.items()]
    return "\n".join(parts) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{name} = {_value(one)}" for name, one in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False)  # texts, whole numbers and lists of texts are the same in TOML


def _place(text: str, mistake: Mistake, is_json: bool) -> str:
    """`line 12: `, where the mistake can be found in the text of a TOML file."""
    if is_json:
        return ""
    section, _, rest = mistake.at.partition(".")
    index, _, field = rest.partition(".")
    field = field.partition(".")[0]
    if not index.isdecimal():
        found = next((n for n, line in _numbered(text) if re.match(rf"\s*(\[+\s*)?{section}\b", line)), None)
        return f"line {found}: " if found is not None else ""
    headers = [n for n, line in _numbered(text) if re.match(rf"\s*\[\[\s*{section}\s*\]\]", line)]
    if int(index) >= len(headers):
        return ""
    begins = headers[int(index)]
    ends = next((n for n, line in _numbered(text) if n > begins and line.lstrip().startswith("[[")), 1 << 30)
    named = (n for n, line in _numbered(text) if begins < n < ends and re.match(rf"\s*{field}\s*[=.\]]", line))
    return f"line {next(named, begins) if field else begins}: "


def _numbered(text: str) -> Iterator[tuple[int, str]]:
    return enumerate(text.splitlines(), 1)
