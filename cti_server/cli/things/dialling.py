"""dialling: who may dial what, and the same as a fence for the dialplan."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, get_args

import typer

from cti_server.cli.common import fail, read, read_settings, say, write
from cti_server.cli.given import Pbx, one_of, pbx_of
from cti_server.cli.tables import Json, show_all, show_one
from cti_server.rules.facts import Role

dialling = typer.Typer(no_args_is_help=True, help="Who may dial what: the dial policy, and its fence in the PBX.")

AUTHOR = "command line"
SOON = "; a running server decides by it within 2 s"
FENCE_TOO = "The fence in the PBX is of the policy before: cti-server dialling fence makes it again."
Name = Annotated[str, typer.Argument(help="The rule's name: small letters, digits and -.")]
Roles = Annotated[list[str] | None, typer.Option("--role", help="For this role; may be given more than once.")]
Logins = Annotated[list[str] | None, typer.Option("--login", help="For this person; may be given more than once.")]
Kinds = Annotated[list[str] | None, typer.Option("--kind", help="premium, satellite, international …; see rules.")]
Countries = Annotated[list[str] | None, typer.Option("--country", help="ISO regions, as HK; may be given twice.")]
Numbers = Annotated[list[str] | None, typer.Option("--number", help="How numbers begin, as +447.")]
Before = Annotated[
    str | None, typer.Option("--before", help="The rule that it comes before; the first of all unless given.")
]


# --- looking -----------------------------------------------------------------------------------------------


@dialling.command()
def show(json: Json = False) -> None:
    """The policy in force, as the file that `set` takes."""
    from cti_server.cli.things.dial_policy_toml import to_text
    from cti_server.rules.dial_policy_form import written

    kept = read(read_settings(), _current)
    if json:
        show_one(
            {"version": kept.version, "at": kept.at, "author": kept.author, "policy": written(kept.policy)}, True
        )
        return
    typer.echo(f"# version {kept.version}, {_made(kept)}\n{to_text(kept.policy)}", nl=False)


@dialling.command()
def rules(json: Json = False) -> None:
    """The rules in their order, the first that fits decides; and the limits."""
    from cti_server.rules.dial_policy_form import written

    form = written(read(read_settings(), _current).policy)
    columns = ("name", "answer", "roles", "logins", "kinds", "countries", "numbers", "hours")
    show_all(columns, form["rules"], json)
    if not json:
        typer.echo()
        show_all(("a_minute", "at_once", "roles", "logins"), form["limits"], False)


@dialling.command()
def history(json: Json = False) -> None:
    """Every version that was in force, who made it and when."""

    async def rows(conn: Any) -> list[dict[str, Any]]:
        from cti_server.record.center import dial_policies
        from cti_server.rules.dial_policy_form import written

        kept = await dial_policies.history(conn)
        return [
            {"version": k.version, "at": k.at, "author": k.author, "rules": len(k.policy.rules)}
            | ({"policy": written(k.policy)} if json else {})
            for k in kept
        ]

    show_all(("version", "at", "author", "rules"), read(read_settings(), rows), json)


@dialling.command()
def check(
    number: Annotated[str, typer.Argument(help="A number as a person writes it.")],
    login: Annotated[str, typer.Option("--as", help="Whose login.")],
    off_shift: Annotated[bool, typer.Option("--off-shift", help="As of somebody who is not on shift.")] = False,
    at: Annotated[str | None, typer.Option("--at", help="At this moment, as 2026-12-24T22:00+08:00.")] = None,
    json: Json = False,
) -> None:
    """What the policy says of a number for a person. The exit status is 0 where they may dial it, else 1."""
    settings = read_settings()
    moment = _moment(at)

    async def decided(conn: Any) -> dict[str, Any]:
        from cti_server.cli.things.users import of_login
        from cti_server.commands import CommandRefused
        from cti_server.control.targets import dialable
        from cti_server.record.center import agents, dial_policies, lines, phones
        from cti_server.rules.destinations import destination, emergency_of
        from cti_server.rules.dial_fence import site_of
        from cti_server.rules.dial_policy import Who, decide

        agent = await of_login(conn, login)
        policy = (await dial_policies.current(conn)).policy
        inside = {one.extension for one in await agents.everyone(conn)}
        inside |= {phone.extension for phone in await phones.all_phones(conn)}
        site = site_of(policy, settings.default_region, "e164", await lines.all_lines(conn))
        site = replace(site, phones=frozenset(one for one in inside if one and one.isdigit() and len(one) <= 6))
        try:
            told = emergency_of(number, site) or dialable(number, settings.default_region)
        except CommandRefused as refused:
            return {"allowed": False, "code": "not_a_number", "rule": "not_a_number", "why": refused.detail}
        to = destination(told, site)
        decision = decide(policy, Who(agent.login, agent.role, on_shift=not off_shift), to, moment)
        return {
            "allowed": decision.allowed,
            "code": decision.code,
            "rule": decision.rule,
            "number": to.number,
            "kind": to.kind,
            "country": to.country,
        }

    row = read(settings, decided)
    show_one(row, json)
    if not row["allowed"]:
        raise typer.Exit(1)


# --- changing ----------------------------------------------------------------------------------------------


@dialling.command("set")
def set_policy(
    file: Annotated[str, typer.Argument(help="TOML or JSON, as `show` prints it; - for what is typed in.")],
) -> None:
    """Put the policy of a file in force."""
    from cti_server.cli.things.dial_policy_toml import of_text

    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as unreadable:
        fail(
            f"{file} cannot be read: {unreadable}",
            "cti-server dialling show >policy.toml   makes one to begin with",
        )
    policy = of_text(text, "what was typed in" if file == "-" else file)
    _save(lambda _: policy)


@dialling.command()
def default() -> None:
    """Put the policy in force that a new center has."""
    from cti_server.rules.dial_policy import DEFAULT

    _save(lambda _: DEFAULT)


@dialling.command()
def allow(
    name: Name,
    role: Roles = None,
    login: Logins = None,
    kind: Kinds = None,
    country: Countries = None,
    number: Numbers = None,
    before: Before = None,
) -> None:
    """Add a rule that allows: cti-server dialling allow hong-kong --country HK --kind international"""
    _add(name, "allow", role, login, kind, country, number, before)


@dialling.command()
def refuse(
    name: Name,
    role: Roles = None,
    login: Logins = None,
    kind: Kinds = None,
    country: Countries = None,
    number: Numbers = None,
    before: Before = None,
) -> None:
    """Add a rule that refuses: cti-server dialling refuse no-mobiles --number +447"""
    _add(name, "refuse", role, login, kind, country, number, before)


@dialling.command()
def remove(name: Name) -> None:
    """Remove a rule."""

    def without(policy: Any) -> Any:
        _rule(policy, name)
        left = tuple(rule for rule in policy.rules if rule.name != name)
        if not left:
            fail(f"{name} is the last rule, and what no rule fits is refused", "cti-server dialling default")
        return replace(policy, rules=left)

    _save(without)


def _add(name: str, answer: str, *lists: Any) -> None:
    from cti_server.rules.dial_policy_form import BadPolicy, read, written

    *given, before = lists
    fields = ("roles", "logins", "kinds", "countries", "numbers")
    named = {field: list(value) for field, value in zip(fields, given, strict=True) if value}
    if not named:
        fail(f"{name} would be for everybody and every number", f"cti-server dialling {answer} --help")
    for one in named.get("roles", ()):
        one_of("the role", one, get_args(Role))

    def with_it(policy: Any) -> Any:
        at = policy.rules.index(_rule(policy, before)) if before is not None else 0
        form = written(policy)
        form["rules"].insert(at, {"name": name, "answer": answer, **named})
        try:
            return read(form)
        except BadPolicy as bad:
            fail("\n".join(str(one) for one in bad.mistakes), f"cti-server dialling {answer} --help")

    _save(with_it)


def _rule(policy: Any, name: str) -> Any:
    found = next((rule for rule in policy.rules if rule.name == name), None)
    if found is None:
        known = ", ".join(rule.name for rule in policy.rules)
        fail(f"there is no rule {name}", f"the rules are {known}")
    return found


def _save(change: Any) -> None:
    async def save(conn: Any) -> Any:
        from cti_server.record.center import dial_policies

        kept = await dial_policies.current(conn)
        policy = change(kept.policy)
        return await dial_policies.save(conn, policy, datetime.now(UTC), AUTHOR, expected=kept.version)

    kept = write(read_settings(), save)
    say(f"the dial policy is at version {kept.version}{SOON}")
    say(FENCE_TOO)


# --- the fence ---------------------------------------------------------------------------------------------


@dialling.command()
def fence(
    file: Annotated[
        Path | None, typer.Argument(help="Where to write it, as /etc/asterisk/extensions_cti_fence.conf.")
    ] = None,
    pbx: Pbx = None,
    anybody: Annotated[
        bool, typer.Option("--anybody", help="Let through what at least one person may dial at some hour.")
    ] = False,
) -> None:
    """Make extensions_cti_fence.conf: what the PBX itself refuses. Without a file it is printed."""
    settings = read_settings()
    name = pbx_of(settings, pbx)
    form = next(one.dial for one in settings.attached() if one.name == name)

    async def made(conn: Any) -> Any:
        from cti_server.record.center import dial_policies, lines
        from cti_server.rules import dial_fence

        policy = (await dial_policies.current(conn)).policy
        site = dial_fence.site_of(policy, settings.default_region, form, await lines.all_lines(conn))
        return dial_fence.made(policy, site, "anybody" if anybody else "everybody")

    found = read(settings, made)
    if file is None:
        typer.echo(found.text, nl=False)
    else:
        try:
            file.write_text(found.text, encoding="utf-8")
        except OSError as unwritable:
            fail(f"{file} cannot be written: {unwritable.strerror}", "cti-server dialling fence >FILE   prints it")
        say(f'wrote {file} ({found.version}); now: asterisk -rx "dialplan reload"')
    if found.left_out:
        kept = "let through" if anybody else "refused"
        rules_ = ", ".join(found.left_out)
        typer.echo(
            f"What {rules_} decide for some people or hours is {kept} for all: Asterisk cannot tell.", err=True
        )


# --- shared ------------------------------------------------------------------------------------------------


async def _current(conn: Any) -> Any:
    from cti_server.record.center import dial_policies

    return await dial_policies.current(conn)


def _made(kept: Any) -> str:
    return f"of {kept.author}, {kept.at:%Y-%m-%d %H:%M} UTC" if kept.at is not None else "the default"


def _moment(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        fail(f"{text} is no moment", "as 2026-12-24T22:00+08:00")
    if found.tzinfo is None:
        fail(f"{text} names no time zone", f"as {text}+08:00")
    return found
