"""The dial policy as a dialplan: what Asterisk itself refuses, for a phone or a program that by-passes the server.

Asterisk knows neither who dials nor whether they are on shift. So the fence has two strictnesses:

* `everybody` lets through what the policy allows to everybody at all hours. A rule that allows only some people,
  or only at some hours, is left out; one that refuses them is a refusal for all.
* `anybody` lets through what at least one person may dial at some hour. It is the other way round.

What it cannot tell it refuses. The numbering plans are those of phonenumbers, written as regular expressions that
Asterisk's REGEX() takes.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import phonenumbers
from phonenumbers import PhoneMetadata

from cti_server.rules import numbers
from cti_server.rules.destinations import WORLD, Kind, Site
from cti_server.rules.dial_policy import Policy, Rule
from cti_server.rules.dial_policy_form import fingerprint
from cti_server.rules.facts import DialForm, Line

Strictness = Literal["everybody", "anybody"]
FILE: Final = "extensions_cti_fence.conf"
CONTEXT: Final = "cti-fence"
VERSION: Final = "CTI_FENCE_VERSION"
FORMAT: Final = 2
"""Rises when the same policy makes another file."""

#: the types of phonenumbers in the order in which it asks them, and the kind that each is
_TYPES: Final[tuple[tuple[str, Kind | None], ...]] = (
    ("premium_rate", "premium"),
    ("toll_free", "toll_free"),
    ("shared_cost", "shared_cost"),
    ("voip", None),
    ("personal_number", "premium"),
    ("pager", "premium"),
    ("uan", None),
    ("voicemail", None),
    ("fixed_line", None),
    ("mobile", None),
)
_ABROAD: Final[frozenset[Kind]] = frozenset(
    {"international", "premium", "shared_cost", "toll_free", "satellite", "unknown"}
)


@dataclass(frozen=True, slots=True)
class Fence:
    """`left_out` are the rules that Asterisk cannot keep as they are: each is stricter or laxer here."""

    text: str
    version: str
    left_out: Sequence[str]


def site_of(policy: Policy, region: str, form: DialForm, lines: Collection[Line]) -> Site:
    """What numbers mean at a PBX, as far as the record and the settings say so."""
    own = frozenset(line.e164 for line in lines if line.e164 is not None)
    return Site(region, form, internal=policy.internal, own=own, emergency=policy.emergency)


def version_of(policy: Policy, site: Site, strictness: Strictness) -> str:
    """What the file says of itself. It differs once the policy, the region, the form in which the PBX dials, the
    center's own numbers or the numbering plans differ."""
    plans = phonenumbers.__version__
    own = sorted(site.own)
    return f"{strictness}-{fingerprint(policy, site.region, site.form, own, strictness, FORMAT, plans)}"


def made(policy: Policy, site: Site, strictness: Strictness = "everybody") -> Fence:
    """The fence for a PBX."""
    rules = [rule for rule in policy.rules if _is_kept(rule, strictness)]
    left_out = [rule.name for rule in policy.rules if not rule.everybody or rule.hours is not None]
    version = version_of(policy, site, strictness)
    lines = [*_head(version, strictness, left_out), *_begin(policy, site, rules, version), *_judge(rules)]
    lines += _emergencies(site)
    lines += _plans(site, rules)
    return Fence("\n".join(lines) + "\n", version, left_out)


def _is_kept(rule: Rule, strictness: Strictness) -> bool:
    if rule.everybody and rule.hours is None:
        return True
    return rule.answer == ("refuse" if strictness == "everybody" else "allow")


# --- the file ----------------------------------------------------------------------------------------------


def _head(version: str, strictness: Strictness, left_out: Collection[str]) -> Iterator[str]:
    yield "; Made by  cti-server dialling fence  from the dial policy: do not change it here, make it again."
    yield f"; Include it from extensions.conf (FreePBX, Issabel: extensions_custom.conf):   #tryinclude {FILE}"
    yield ";"
    yield f"; It lets through what the policy allows to {strictness}: Asterisk knows neither who dials nor when."
    if left_out:
        yield f"; Of these rules it cannot tell whom and when they are for: {', '.join(left_out)}"
    yield ";"
    yield "; Ask it before you dial a number outside:"
    yield ";   GosubIf($[${DIALPLAN_EXISTS(cti-fence,s,1)}]?cti-fence,s,1(${EXTEN}))"
    yield "; It returns 1 or 0 in GOSUB_RETVAL, and leaves the rule that decided in CTI_FENCE_RULE."
    yield ""


def _begin(policy: Policy, site: Site, rules: Sequence[Rule], version: str) -> Iterator[str]:
    """What is dialled, as digits in E.164 (`d`), and what it is (`k`: kind/country)."""
    yield f"[{CONTEXT}]"
    yield f"exten => s,1,Set(LOCAL({VERSION})={version})"
    yield " same => n,Set(LOCAL(n)=${FILTER(+0-9,${ARG1})})"
    yield " same => n,Set(CTI_FENCE_RULE=not_a_number)"
    yield " same => n,GotoIf($[${LEN(${n})} != ${LEN(${ARG1})} | ${LEN(${n})} = 0 | ${LEN(${n})} > 32]?refused)"
    yield ' same => n,GotoIf($[${REGEX("^x[+]?[0-9]+$" x${n})} = 0]?refused)'
    yield " same => n,Set(CTI_FENCE_RULE=emergency)"
    first = next((rule for rule in rules if "emergency" in rule.kinds), None)
    urgent = f'${{REGEX("^({"|".join(site.emergencies())})$" ${{n}})}}'
    if first is not None:
        yield f" same => n,Set(LOCAL(f)={urgent})"
        yield f" same => n,ExecIf(${{f}}?Set(CTI_FENCE_RULE={first.name}))"
        yield f" same => n,GotoIf(${{f}}?{'allowed' if first.answer == 'allow' else 'refused'})"
    else:
        yield f" same => n,GotoIf({urgent}?allowed)"
    yield " same => n,Set(LOCAL(d)=)"
    yield " same => n,Set(LOCAL(k)=unknown/)"
    yield ' same => n,GotoIf($["${n:0:1}" = "+"]?plus)'
    yield f" same => n,GotoIf($[${{LEN(${{n}})}} > {numbers.SHORTEST}]?whole)"
    yield from _short(policy, site)
    yield " same => n,Goto(rules)"
    yield " same => n(plus),Set(LOCAL(d)=${n:1})"
    yield " same => n,Goto(plan)"
    yield from _whole(site)
    # A Gosub() to an extension that is not there would end the call.
    yield " same => n(plan),Set(LOCAL(d)=${FILTER(0-9,${d})})"
    if site.own:
        own = "|".join(re.escape(number.removeprefix("+")) for number in sorted(site.own))
        yield f' same => n,Set(LOCAL(f)=${{REGEX("^({own})$" ${{d}})}})'
        yield f" same => n,ExecIf(${{f}}?Set(LOCAL(k)=own/{site.region}))"
        yield " same => n,GotoIf(${f}?rules)"
    yield " same => n,GotoIf($[${DIALPLAN_EXISTS(cti-fence-plan,${d},1)} = 0]?rules)"
    yield " same => n,Gosub(cti-fence-plan,${d},1)"
    yield " same => n,Set(LOCAL(k)=${GOSUB_RETVAL})"


def _short(policy: Policy, site: Site) -> Iterator[str]:
    """Extensions and short codes, in `n`."""
    if inside := "|".join(pattern.replace("X", "[0-9]") for pattern in policy.internal):
        yield f' same => n,Set(LOCAL(f)=${{REGEX("^({inside})$" ${{n}})}})'
        yield ' same => n,ExecIf($[${f} = 1 & "${n:0:1}" != "0"]?Set(LOCAL(k)=internal/))'
    short: Any = PhoneMetadata.short_metadata_for_region(site.region)
    if short is None:
        return
    for desc, kind in ((short.short_code, "special"), (short.premium_rate, "premium")):
        if desc is not None and desc.national_number_pattern:
            yield f" same => n,ExecIf({_regex(desc.national_number_pattern, 'n')}?Set(LOCAL(k)={kind}/))"


def _whole(site: Site) -> Iterator[str]:
    """A number without a +, in `n`, as digits in E.164."""
    if site.form == "digits":
        yield " same => n(whole),Set(LOCAL(d)=${n})"
        return
    plan: Any = PhoneMetadata.metadata_for_region(site.region)
    code = phonenumbers.country_code_for_region(site.region)
    prefixes = ["00"]
    if plan.international_prefix and plan.international_prefix.isdigit():
        prefixes.insert(0, plan.international_prefix)
    yield f" same => n(whole),Set(LOCAL(d)={code}${{n}})"
    if plan.national_prefix:
        trunk = plan.national_prefix
        yield f' same => n,ExecIf($["${{n:0:{len(trunk)}}}" = "{trunk}"]?Set(LOCAL(d)={code}${{n:{len(trunk)}}}))'
    for prefix in dict.fromkeys(prefixes):
        size = len(prefix)
        yield f' same => n,ExecIf($["${{n:0:{size}}}" = "{prefix}"]?Set(LOCAL(d)=${{n:{size}}}))'


def _judge(rules: Sequence[Rule]) -> Iterator[str]:
    """The rules in their order, on `k` and `d`."""
    yield " same => n(rules),NoOp(${k})"
    for rule in rules:
        yield f" same => n,Set(CTI_FENCE_RULE={rule.name})"
        kinds = f"({'|'.join(rule.kinds)})" if rule.kinds else "[a-z_]+"
        countries = f"({'|'.join(rule.countries)})" if rule.countries else "[A-Z0-9]*"
        test = f'${{REGEX("^{kinds}/{countries}$" ${{k}})}}'
        if rule.numbers:
            whole = "|".join(re.escape(n.removeprefix("+")) for n in rule.numbers if n.startswith("+"))
            short = "|".join(n for n in rule.numbers if not n.startswith("+"))
            parts = []
            if whole:
                parts.append(f'${{REGEX("^x({whole})" x${{d}})}}')
            if short:  # such beginnings are for what is dialled without being a whole number
                parts.append(f'$[${{REGEX("^({short})" ${{n}})}} & "${{d}}" = ""]')
            test = f"$[{test} & ({' | '.join(parts)})]"
        yield f" same => n,GotoIf({test}?{'allowed' if rule.answer == 'allow' else 'refused'})"
    yield " same => n,Set(CTI_FENCE_RULE=no_rule)"
    yield " same => n(refused),Return(0)"
    yield " same => n(allowed),Return(1)"
    yield ""


def _emergencies(site: Site) -> Iterator[str]:
    yield "[cti-emergency]"
    yield "; By these extensions cti-device knows an emergency number, which no pattern of phones may swallow."
    for number in site.emergencies():
        yield f"exten => {number},1,Return(1)"
    yield ""


# --- the numbering plans -----------------------------------------------------------------------------------


def _plans(site: Site, rules: Sequence[Rule]) -> Iterator[str]:
    """One extension for each country code that a rule may let through; the extension is the number in E.164."""
    yield "[cti-fence-plan]"
    yield "; Returns kind/country. Codes that no rule allows are left out: what is not here is unknown."
    own = phonenumbers.country_code_for_region(site.region)
    for code in sorted(_codes(own, rules)):
        yield from _code(code, own, site.region)


def _codes(own: int, rules: Sequence[Rule]) -> set[int]:
    known = set(numbers.COUNTRIES)
    found = {own}
    for rule in rules:
        if rule.answer != "allow" or (rule.kinds and not _ABROAD & set(rule.kinds)):
            continue
        if "toll_free" in rule.kinds:
            found.add(800)
        if rule.countries:
            found |= {code for code in known if set(numbers.COUNTRIES[code]) & set(rule.countries)}
        elif rule.numbers:
            digits = [number.removeprefix("+") for number in rule.numbers]
            found |= {c for c in known if any(d.startswith(str(c)) or str(c).startswith(d) for d in digits)}
        elif not rule.kinds or (_ABROAD - {"toll_free"}) & set(rule.kinds):
            found |= known
    return found & known


def _code(code: int, own: int, region: str) -> Iterator[str]:
    regions = numbers.COUNTRIES[code]
    size = len(str(code))
    yield f"exten => _{code}!,1,Set(LOCAL(n)=${{EXTEN:{size}}})"
    if WORLD in regions:
        yield from _of_no_country(code)
        return
    for country in regions:
        plan: Any = PhoneMetadata.metadata_for_region(country)
        yield from _country(country, plan, country == region, code == own)
    yield f" same => n,Return(unknown/{regions[0] if len(regions) == 1 else WORLD})"


def _of_no_country(code: int) -> Iterator[str]:
    plan: Any = PhoneMetadata.metadata_for_nongeo_region(code)
    if re.match(r"87[0-4]|88[123]", str(code)):
        yield f" same => n,Return(satellite/{WORLD})"
        return
    if code == 979:
        yield f" same => n,Return(premium/{WORLD})"
        return
    for name, kind in _TYPES:
        if (pattern := _pattern(plan, name)) is not None:
            of = "international" if kind is None or (kind == "toll_free" and code != 800) else kind
            yield f" same => n,ExecIf({_regex(pattern, 'n')}?Return({of}/{WORLD}))"
    yield f" same => n,Return(unknown/{WORLD})"


def _country(country: str, plan: Any, home: bool, shares_code: bool) -> Iterator[str]:
    """What phonenumbers says of a number of this country, in the order in which it asks. Falls through where the
    number is none of the country's."""
    national: Kind = "national" if home else "international"
    if plan.leading_digits:
        yield f' same => n,Set(LOCAL(f)=${{REGEX("^x({_posix(plan.leading_digits)})" x${{n}})}})'
        yield f" same => n,GotoIf($[${{f}} = 0]?after-{country})"
    general = plan.general_desc.national_number_pattern
    yield f" same => n,Set(LOCAL(f)={_regex(general, 'n')})"
    missed = f"unknown-{country}" if plan.leading_digits else f"after-{country}"
    yield f" same => n,GotoIf($[${{f}} = 0]?{missed})"
    for name, kind in _TYPES:
        if (pattern := _pattern(plan, name)) is None:
            continue
        of: Kind = national if kind is None or (kind == "toll_free" and not shares_code) else kind
        yield f" same => n,ExecIf({_regex(pattern, 'n')}?Return({of}/{country}))"
    if plan.leading_digits:
        yield f" same => n(unknown-{country}),Return(unknown/{country})"
    yield f" same => n(after-{country}),NoOp()"


def _pattern(plan: Any, name: str) -> str | None:
    desc = getattr(plan, name)
    pattern = desc.national_number_pattern if desc is not None else None
    return pattern if pattern and pattern != "NA" else None


def _posix(pattern: str) -> str:
    """A pattern of phonenumbers as a POSIX regular expression: these have groups without a name, and \\d."""
    return pattern.replace("(?:", "(").replace("\\d", "[0-9]")


def _regex(pattern: str, variable: str) -> str:
    """1 where the whole of the variable fits. The x keeps REGEX() from reading an empty value as a missing one."""
    return f'${{REGEX("^x({_posix(pattern)})$" x${{{variable}}})}}'
