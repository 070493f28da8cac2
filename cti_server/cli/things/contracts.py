"""contract: what a customer is entitled to, and until when."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Annotated, Any, get_args

import typer

from cti_server.cli.common import fail, read, read_settings, say, write
from cti_server.cli.given import MAX_NUMBER, changes, one_of, some, text, there
from cti_server.cli.tables import Json, show_all, show_one
from cti_server.rules.facts import ContractStatus
from cti_server.settings import Settings

from .levels import of_code

contract = typer.Typer(no_args_is_help=True, help="Service contracts of customers.")

Number = Annotated[str, typer.Argument(help="The contract's number.")]
Customer = Annotated[
    str | None,
    typer.Option("--customer", help="Whose it is: their reference (external_ref) or a number of theirs."),
]
Level = Annotated[str | None, typer.Option("--level", help="The service level's code: `level list`.")]
Starts = Annotated[str | None, typer.Option("--from", help="Its first day, 2026-01-31; today unless given.")]
Ends = Annotated[str | None, typer.Option("--until", help="Its last day; '' for no end.")]
Status = Annotated[str | None, typer.Option("--status", help="active, suspended or cancelled.")]
Why = Annotated[str | None, typer.Option("--reason", help="Why it is suspended or cancelled; '' for none.")]
Minutes = Annotated[
    int | None, typer.Option("--minutes", min=0, max=MAX_NUMBER, help="Minutes of service in it; 0 for no limit.")
]
Used = Annotated[int | None, typer.Option("--minutes-used", min=0, max=MAX_NUMBER, help="Minutes that were used.")]
COLUMNS = ("number", "customer", "customer_name", "level", "status", "starts_on", "ends_on", "minutes_total")


@contract.command("list")
def list_contracts(customer: Customer = None, level: Level = None, json: Json = False) -> None:
    """Every contract; of one customer, or at one level, if named."""
    settings = read_settings()

    async def rows(conn: Any) -> list[dict[str, Any]]:
        from cti_server.record.crm import contracts

        owner = await _customer(conn, settings, customer) if customer is not None else None
        found = await (
            contracts.all_contracts(conn) if owner is None else contracts.of_customers(conn, [owner.id])
        )
        wanted = [one for one in found if level in (None, one.service_level.code)]
        return await _rows(conn, wanted)

    show_all(COLUMNS, read(settings, rows), json)


@contract.command("show")
def show_contract(number: Number, json: Json = False) -> None:
    """One contract, and what it covers."""

    async def row(conn: Any) -> dict[str, Any]:
        from cti_server.record.crm import products

        found = await _contract(conn, number)
        return (await _rows(conn, [found]))[0] | {"covers": await products.covered_by(conn, found.id)}

    show_one(read(read_settings(), row), json)


@contract.command("add")
def add_contract(
    number: Number,
    customer: Customer = None,
    level: Level = None,
    starts: Starts = None,
    ends: Ends = None,
    status: Status = None,
    reason: Why = None,
    minutes: Minutes = None,
    minutes_used: Used = None,
) -> None:
    """Add a contract."""
    from cti_server.rules.facts import Contract

    settings = read_settings()
    if not number.strip():
        fail("a contract needs a number", "cti-server contract add C-2026-01 --customer … --level …")
    text("the number", number)
    if customer is None or level is None:
        fail(
            "a contract needs a customer and a service level",
            f"cti-server contract add {number} --customer … --level …",
        )
    fields = _fields(starts, ends, status, reason, minutes, minutes_used)

    async def add(conn: Any) -> str:
        from cti_server.record.crm import contracts

        if await contracts.by_number(conn, number) is not None:
            fail(f"there is a contract {number} already", f"cti-server contract set {number} …")
        owner = await _customer(conn, settings, customer)
        made = Contract(0, owner.id, number, await of_code(conn, level), "active", None, _today(), None)
        await contracts.save(conn, _checked(replace(made, **fields)))
        return str(owner.name)

    owner = write(settings, add)
    say(f"added contract {number} of {owner}")


@contract.command("set")
def set_contract(
    number: Number,
    customer: Customer = None,
    level: Level = None,
    starts: Starts = None,
    ends: Ends = None,
    status: Status = None,
    reason: Why = None,
    minutes: Minutes = None,
    minutes_used: Used = None,
) -> None:
    """Change only what is given."""
    settings = read_settings()
    fields = _fields(starts, ends, status, reason, minutes, minutes_used)
    some(fields | changes(customer=customer, level=level), "cti-server contract set")

    async def change(conn: Any) -> None:
        from cti_server.record.crm import contracts

        known = await _contract(conn, number)
        if customer is not None:
            fields["customer_id"] = (await _customer(conn, settings, customer)).id
        if level is not None:
            fields["service_level"] = await of_code(conn, level)
        await contracts.save(conn, _checked(replace(known, **fields)))

    write(settings, change)
    say(f"changed contract {number}")


@contract.command("remove")
def remove_contract(
    number: Number,
    anyway: Annotated[bool, typer.Option("--anyway", help="Also when it covers products.")] = False,
) -> None:
    """Remove a contract, which takes it out of the history, too. `set --status cancelled` ends it and keeps it."""

    async def remove(conn: Any) -> None:
        from cti_server.record.crm import contracts, products

        known = await _contract(conn, number)
        covered = await products.covered_by(conn, known.id)
        if covered and not anyway:
            fail(
                f"contract {number} covers {', '.join(covered)}",
                f"cti-server contract set {number} --status cancelled   ends it and keeps it; --anyway removes it",
            )
        await contracts.remove(conn, known.id)

    write(read_settings(), remove)
    say(f"removed contract {number}")


async def _contract(conn: Any, number: str) -> Any:
    from cti_server.record.crm import contracts

    return there(await contracts.by_number(conn, number), f"contract {number}", "cti-server contract list")


async def _customer(conn: Any, settings: Settings, wanted: str) -> Any:
    """The customer with this reference, else with this number."""
    from cti_server.record.crm import customers
    from cti_server.rules.numbers import normalise

    if (by_ref := (await customers.ids_by_ref(conn, [wanted])).get(wanted)) is not None:
        return await customers.get(conn, by_ref)
    number = normalise(wanted, settings.default_region).e164
    found = await customers.by_number(conn, number) if number is not None else []
    if len(found) > 1:
        named = ", ".join(f"{one.name} ({one.external_ref or 'no reference'})" for one in found)
        fail(f"{wanted} is a number of several customers: {named}", "--customer REFERENCE   says which")
    return there(
        found[0] if found else None,
        f"customer with the reference or number {wanted}",
        "cti-server import customers FILE   brings customers in; or add them at the desktop",
    )


def _fields(
    starts: str | None,
    ends: str | None,
    status: str | None,
    reason: str | None,
    minutes: int | None,
    minutes_used: int | None,
) -> dict[str, Any]:
    one_of("--status", status, get_args(ContractStatus))
    found = changes(
        may_be_empty={"ends_on", "status_reason"},
        starts_on=starts,
        ends_on=ends,
        status=status,
        status_reason=reason,
        minutes_total=minutes,
        minutes_used=minutes_used,
    )
    for name in ("starts_on", "ends_on"):
        if found.get(name) is not None:
            found[name] = _day(found[name])
    return found | ({"minutes_total": None} if minutes == 0 else {})


def _today() -> date:
    return datetime.now().astimezone().date()


def _day(given: str) -> date:
    """The day, written in any way that can mean only one: 2027-12-31, 31.12.2027, 2027年12月31日."""
    from cti_server.imports.dates import readings

    days = set(readings(given).values())
    if len(days) > 1:
        meant = " or ".join(sorted(day.isoformat() for day in days))
        fail(f"{given} may be one of several days", f"write which: {meant}")
    if not days:
        fail(f"{given} is not a day", f"write it as {_today().isoformat()}")
    return days.pop()


def _checked(made: Any) -> Any:
    if made.ends_on is not None and made.ends_on < made.starts_on:
        fail(
            f"it ends on {made.ends_on}, before it starts on {made.starts_on}", "--from and --until name its days"
        )
    return made


async def _rows(conn: Any, found: list[Any]) -> list[dict[str, Any]]:
    from cti_server.record.crm import customers
    from cti_server.record.schema import chunks

    owners: dict[int, Any] = {}
    for ids in chunks({one.customer_id for one in found}):
        owners |= await customers.get_many(conn, ids)
    return [
        {
            "number": one.number,
            "customer": owners[one.customer_id].external_ref,
            "customer_name": owners[one.customer_id].name,
            "level": one.service_level.code,
            "status": one.status,
            "status_reason": one.status_reason,
            "starts_on": one.starts_on,
            "ends_on": one.ends_on,
            "minutes_total": one.minutes_total,
            "minutes_used": one.minutes_used,
        }
        for one in found
    ]
