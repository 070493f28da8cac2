"""Whoever lacks the grant `full_numbers` gets no customer's number in full, whatever they ask for or are sent."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from cti_server.api.create import openapi_document
from cti_server.api.masks import NAMES, NUMBERS, PROSE, WHERE, Masks
from cti_server.commands import CommandRefused
from cti_server.floor.apply import Floor
from cti_server.floor.views import call_view
from cti_server.push.frames import event as to_frame
from cti_server.record.center import agents
from cti_server.record.database import Database
from cti_server.rules.masking import DOT, is_number, masked
from tests.api.conftest import SignIn, problem
from tests.floor.test_transcripts import seated
from tests.lookup.seed import World
from tests.transcripts.play import Transcript, names

DOCUMENT = openapi_document()
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]
MOBILE = "+8613800138000"

#: texts that hold no number of a customer, by the name of their field
NO_NUMBER = frozenset(
    re.split(
        r"\s+",
        """\
action actor actor_name address after agent all_grants allowed_by at author base before browser call channel
choice code codes contract countries country created_by current database date description desktop detail
digits direction display_name dnis e164 emergency ended_by ends_on error error_description event extension
external_ref formulas from_page grants hash how installed_on interface internal iss kind label label_en
label_zh language leg links login logins match message name name_en name_zh new note numbers origin outcome
params parent park_space password pbx phone place place_zh process provisional q qr queue queues raw reason ref
remarks remedy request role role_title rule said salutation scopes seat secret serial server_time standing
starts_on stale state status status_reason step stream subject text thing ticket tier time_zone title title_en
title_zh token topic type uniqueid uri url user variables verdict version zone""",
    )
)
#: fields named `number` and the like that hold something else than a telephone number
NOT_TELEPHONE = {
    ("CaseView", "number"),
    ("ContractView", "number"),
    ("ContractBriefView", "number"),
}


def texts() -> list[tuple[str, str]]:
    """Every field of every schema that holds text a person could have written, and no date or fixed word."""
    found = []
    for name, schema in SCHEMAS.items():
        for field, of_field in schema.get("properties", {}).items():
            told = json.dumps(of_field)
            if '"string"' in told and '"enum"' not in told and '"date-time"' not in told and "$ref" not in told:
                found.append((name, field))
    return found


def test_every_text_that_leaves_is_a_number_or_none() -> None:
    """Fails when a new field has neither a row in `NUMBERS` nor a name that says what it holds."""
    known = NUMBERS | NAMES | PROSE | NOT_TELEPHONE
    asked = re.compile(r"^(New|To)[A-Z]|Change$|^Caller$")  # bodies, which come in
    unknown = [
        (schema, field)
        for schema, field in texts()
        if (schema, field) not in known
        and field not in NO_NUMBER
        and not re.search(r"(_at|_ms|_since|since|due|until|from|to|next)$", field)
        and not asked.search(schema)
    ]
    assert unknown == []


@pytest.mark.parametrize("field", sorted(NUMBERS | NAMES | PROSE))
def test_each_row_names_a_field_that_there_is(field: tuple[str, str]) -> None:
    assert field[1] in SCHEMAS[field[0]]["properties"]


@pytest.mark.parametrize("field", sorted(NUMBERS))
def test_each_row_masks(field: tuple[str, str]) -> None:
    """Whatever stands beside it, but for the rows that say where they hold for."""
    schema, name = field
    mask = Masks(DOCUMENT, b"k" * 32)._named(schema)
    assert mask is not None
    for kind in ("phone", "e164", "extension", "email", None):
        value = {name: MOBILE, "kind": kind, "direction": "inbound" if kind is None else "outbound"}
        is_masked = MOBILE not in str(mask(dict(value)))
        beside, wanted = WHERE.get(field, ("", None))
        assert is_masked == (wanted is None or value[beside] == wanted), value


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("+8613800138000", "+86138••••8000"),
        ("13800138000", "138••••8000"),
        ("021-62881234", "021••••1234"),
        ("+442079460018", "+4420••••0018"),
        ("62881234", "62••••34"),
        ("sip:13800138000@pbx.example", "138••••8000"),
        ("1102", "1102"),
        ("95588", "95588"),
        ("王小雨", "王小雨"),
        ("Room 1234567", "1••••67"),
        ("(021) 6288-1234", "021••••1234"),
        ("(0)138 0013 7001", "0138••••7001"),
        ("+86\N{NO-BREAK SPACE}138\N{NO-BREAK SPACE}0013\N{NO-BREAK SPACE}7001", "+86138••••7001"),
        ("＋８６－１３８－００１３－７００１", "+86138••••7001"),
        ("<sip:13800137001@x>", "138••••7001"),
        (' "138_0013_7001"', "138••••7001"),
        ("٠١٢٣٤٥٦٧٨٩", "01••••6789"),
        ("", ""),
    ],
)
def test_how_a_number_is_shown(number: str, shown: str) -> None:
    assert masked(number) == shown
    assert masked(shown) == shown


def test_a_handle_is_the_number_again_here_and_in_every_process_with_the_key() -> None:
    one, two, other = Masks(DOCUMENT, b"k" * 32), Masks(DOCUMENT, b"k" * 32), Masks(DOCUMENT, b"x" * 32)
    sent = one.number(MOBILE)
    assert MOBILE[4:10] not in sent
    assert sent != one.number(MOBILE), "of equal ones, whoever sends guesses in would learn which is right"
    assert two.opened(sent) == MOBILE
    assert other.opened(sent) == sent
    body = {"to": sent, "contact_points": [{"raw": sent}], "text": sent, "name": f"x {sent}", "raw": f"{sent} x"}
    told = json.loads(two.opened_body(json.dumps(body).encode()))
    assert told == body | {"to": MOBILE, "contact_points": [{"raw": MOBILE}]}, "only a field that takes a number"


async def without_grant(database: Database, login: str) -> None:
    async with database.begin() as conn:
        agent = await agents.by_login(conn, login)
        assert agent is not None
        await agents.update(conn, agent.id, grants=frozenset())


async def test_a_customer_read_without_the_grant(
    li: httpx.AsyncClient, world: World, database: Database, app: FastAPI
) -> None:
    whole = (await li.get(f"/api/customers/{world.li}")).json()
    numbers = [point["e164"] for point in whole["contact_points"] if point["kind"] == "phone"]
    assert numbers
    await without_grant(database, "li")
    told = await li.get(f"/api/customers/{world.li}")
    assert int(told.headers["content-length"]) == len(told.content)
    for number in numbers:
        assert number not in told.text
        assert number[4:-2] not in told.text
    shown = [point["e164"] for point in told.json()["contact_points"] if point["kind"] == "phone"]
    assert [app.state.masks.opened(one) for one in shown] == numbers
    assert told.json()["name"] == whole["name"]


async def test_a_number_that_was_shown_masked_can_be_dialled_and_kept(
    li: httpx.AsyncClient, world: World, database: Database, control: Any, app: FastAPI
) -> None:
    await without_grant(database, "li")
    points = (await li.get(f"/api/customers/{world.li}")).json()["contact_points"]
    shown = next(point["e164"] for point in points if point["kind"] == "phone")
    assert (await li.post("/api/calls", json={"to": shown})).status_code == 202
    (_, command, _) = control.asked[-1]
    assert command.target.number.startswith("+")
    assert DOT not in command.target.number
    made = await li.post(
        "/api/customers", json={"name": "Again", "contact_points": [{"kind": "phone", "raw": shown}]}
    )
    assert made.status_code == 201, made.text
    assert MOBILE not in made.text
    assert app.state.masks.opened(made.json()["contact_points"][0]["e164"]) == app.state.masks.opened(shown)


async def test_part_of_a_number_finds_nobody_without_the_grant(
    li: httpx.AsyncClient, world: World, database: Database
) -> None:
    points = (await li.get(f"/api/customers/{world.li}")).json()["contact_points"]
    number = next(point["e164"] for point in points if point["kind"] == "phone").removeprefix("+86")

    async def finds(q: str) -> bool:
        found = (await li.get("/api/customers", params={"q": q})).json()["items"]
        return world.li in [one["id"] for one in found]

    assert await finds(number[2:8])
    await without_grant(database, "li")
    assert not await finds(number[2:8])
    assert await finds(number)
    assert await finds(f"+86{number}")
    told = (await li.get("/api/interactions", params={"customer": str(world.li), "q": number[2:8]})).json()
    assert told["items"] == []


async def test_a_refusal_names_no_number_either(sign_in: SignIn, database: Database, control: Any) -> None:
    li = await sign_in("li")
    control.refusal = CommandRefused("bad_target", f"{MOBILE} cannot be dialled")
    dial = {"to": MOBILE}
    assert MOBILE in str(problem(await li.post("/api/calls", json=dial), 422, "bad_target")["detail"])
    await without_grant(database, "li")
    told = str(problem(await li.post("/api/calls", json=dial), 422, "bad_target")["detail"])
    assert told == "+86138••••8000 cannot be dialled"


@pytest.mark.parametrize("name", names())
def test_no_event_of_a_call_has_a_number_in_full(name: str) -> None:
    """Every event of every recorded call, as it is sent to a desktop that may not see numbers."""
    masks = Masks(DOCUMENT, b"k" * 32)
    transcript = Transcript.load(name)
    floor = Floor(transcript.truth["pbx"])
    numbers: set[str] = set()
    for signal in [*seated(), *transcript.signals()]:
        for event in floor.apply(signal):
            text = to_frame("pbx:demo", 1, "2026-11-22T05:00:00.000Z", event.kind, event.body)
            numbers |= {one for call in floor.calls.values() for one in (call.ani_raw, call.ani) if one}
            told = masks.frame(text)
            assert json.loads(told).keys() == json.loads(text).keys()
            for number in numbers:
                assert not is_number(number) or number not in told, event.kind
    calls = [call_view(call) for call in floor.calls.values()]
    snapshot = masks.frame(json.dumps({"type": "welcome", "snapshot": {"calls": calls}}))
    assert not any(is_number(number) and number in snapshot for number in numbers)


@pytest.mark.parametrize("where", ["name", "remarks", "salutation", "external_ref", "note", "message"])
async def test_a_handle_in_a_text_stays_a_handle(
    li: httpx.AsyncClient, world: World, database: Database, app: FastAPI, where: str
) -> None:
    """Otherwise the server would decrypt a number for whoever writes it into a note."""
    await without_grant(database, "li")
    points = (await li.get(f"/api/customers/{world.li}")).json()["contact_points"]
    shown = next(point["e164"] for point in points if point["kind"] == "phone")
    number = app.state.masks.opened(shown)
    match where:
        case "note":
            answer = await li.post(f"/api/customers/{world.li}/notes", json={"text": shown})
        case "message":
            answer = await li.post("/api/messages", json={"to": {"role": "supervisors"}, "text": shown})
        case _:
            answer = await li.post("/api/customers", json={"name": "X"} | {where: shown})
    assert answer.status_code in (201, 422), answer.text
    assert number not in answer.text
    assert number.removeprefix("+86") not in answer.text


@pytest.mark.parametrize(
    "spelt", ["(021)62881234", "(021) 6288-1234", "+86\N{NO-BREAK SPACE}138 0013 7001", "+86－138－0013－7001"]
)
async def test_a_number_is_masked_however_somebody_spelt_it(
    sign_in: SignIn, database: Database, spelt: str
) -> None:
    zhao, li = await sign_in("zhao"), await sign_in("li")
    point = {"kind": "phone", "raw": spelt}
    made = await zhao.post("/api/customers", json={"name": "Spelt", "contact_points": [point]})
    assert made.status_code == 201, made.text
    await without_grant(database, "li")
    told = (await li.get(f"/api/customers/{made.json()['id']}")).json()["contact_points"]
    assert DOT in told[0]["raw"]
    assert not [part for part in ("6288", "0013") if part in str(told).split("~")[0]]
