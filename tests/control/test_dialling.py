"""The dial policy at every verb: nothing that it refuses reaches the PBX, whichever way it is asked for."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog.testing
from prometheus_client import CollectorRegistry

from cti_server.asterisk import call_actions, moves
from cti_server.asterisk.actions import Action, QueueAdd
from cti_server.asterisk.call_actions import BlindTransfer, Originate, Redirect, Setvar
from cti_server.commands import AgentTarget, Asking, CallCommand, CommandRefused, NumberTarget, QueueTarget
from cti_server.control import outside as outside_module
from cti_server.control import verbs as verbs_module
from cti_server.control import work as work_module
from cti_server.control.reaching import CONTEXTS, HARMLESS, VARIABLES, Unfenced, numbers
from cti_server.control.steps import Given, Step
from cti_server.control.verbs import STEPS
from cti_server.floor.desk_signals import AgentSeated, ShiftBegan, ShiftEnded
from cti_server.floor.signals import LegDialled, LegEnded, LegRang, LegStarted
from cti_server.floor.standing import Scene, Standing
from cti_server.floor.verbs import Verb
from cti_server.record.center import dial_policies, lines
from cti_server.record.database import Database
from cti_server.rules.dial_policy import DEFAULT, Hours, Limit, Policy, Rule
from cti_server.rules.facts import Line
from tests.control.site import Site, later, settings, site
from tests.rules.dialled_numbers import NONE_AT_ALL, NUMBERS, ROLES, WHO

TALKING = ("attended-transfer", 2, Standing.TALKING)
#: verb → what it takes to bring a number into a call; None where it takes no target
TARGETS: dict[Verb, str | None] = {
    Verb.DIAL: "number",
    Verb.TRANSFER: "number",
    Verb.CONSULT: "number",
    Verb.CONFERENCE: "number",
    # They ring the phone where the agent sits, whose number the record has: it is judged all the same.
    Verb.PICK_UP: "own phone",
    Verb.RECONNECT: "own phone",
    Verb.COMPLETE: None,
    **dict.fromkeys(
        [
            *(Verb.ANSWER, Verb.HANGUP, Verb.HOLD, Verb.RETRIEVE, Verb.MUTE, Verb.UNMUTE, Verb.DTMF),
            *(Verb.ALTERNATE, Verb.CANCEL, Verb.DROP, Verb.PARK),
            *(Verb.RECORD_START, Verb.RECORD_PAUSE, Verb.RECORD_RESUME, Verb.RECORD_STOP),
        ]
    ),
}
BY_NUMBER = [verb for verb, how in TARGETS.items() if how == "number"]
ALICE, BOB = 2, 3
ABROAD, AT_HOME = "+44 20 7946 0018", "138 0013 8000"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work_module, "CONFIRM_S", 0.3)
    monkeypatch.setattr(work_module, "OVER_S", 0.1)


@pytest.fixture
async def here(database: Database) -> AsyncIterator[Site]:
    async with database.begin() as conn:
        for line in (
            Line(0, "+862085550100", "02085550100", "CN"),
            Line(0, "+442079460100", "442079460100", "GB"),
        ):
            await lines.save(conn, line)
    async with site(database) as made:
        yield made


def asking(agent: int = ALICE, **more: Any) -> Asking:
    return Asking(agent, f"agent {agent}", login=f"agent{agent}", **more)


async def on_shift(here: Site, *agents: int) -> None:
    for agent in agents:
        seat = f"PJSIP/100{agent}"
        here.put(ShiftBegan(later(here.floor), agent, seat, f"100{agent}", "desk", ()))
    await here.attachment.pipeline.when(
        lambda floor: all(floor.agents[agent].shift is not None for agent in agents) or None, 5
    )


async def asks(here: Site, verb: Verb, number: str, scene: Scene, who: Asking) -> tuple[Asking, CallCommand]:
    """The command by which this verb brings this number into a call. Only who is in no call dials."""
    call = None if verb is Verb.DIAL else scene.call.id
    return who, CallCommand(verb, call, NumberTarget(number))


async def refused(here: Site, command: tuple[Asking, CallCommand]) -> CommandRefused:
    with pytest.raises(CommandRefused) as caught:
        await here.control.ask(*command)
    assert here.pbx.sent == [], "the PBX was asked for something"
    return caught.value


async def in_force(database: Database, here: Site, policy: Policy) -> None:
    async with database.begin() as conn:
        await dial_policies.save(conn, policy, datetime.now(UTC), "root")
    here.control.fence._read_at = float("-inf")  # a second has gone by


# --- number × role × verb ----------------------------------------------------------------------------------


def test_each_verb_has_a_row() -> None:
    assert set(TARGETS) == set(Verb) == set(STEPS)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("verb", BY_NUMBER)
async def test_number_by_role_by_verb(here: Site, verb: Verb, role: Any) -> None:
    scene = await here.play(*TALKING)
    await on_shift(here, ALICE, BOB)
    who = asking(BOB if verb is Verb.DIAL else ALICE, role=role)
    for region, text, kind, _ in NUMBERS:
        if region != "CN" or text == "1002":  # the site's region; 1002 is Alice's own phone
            continue
        command = await asks(here, verb, text, scene, who)
        if role in WHO[kind]:
            plan = here.control._plan(*command)
            assert [ruling.decision.allowed for ruling in plan.rulings] == [True], text
            assert plan.rulings[0].to.kind == kind
        else:
            why = await refused(here, command)
            assert why.code == "dial_refused", text
            assert why.reason is not None
            assert why.reason.params["kind"] == kind


@pytest.mark.parametrize("verb", BY_NUMBER)
async def test_what_is_no_number_is_refused_by_every_verb(here: Site, verb: Verb) -> None:
    scene = await here.play(*TALKING)
    await on_shift(here, ALICE, BOB)
    who = asking(BOB if verb is Verb.DIAL else ALICE, role="administrator")
    for region, text in NONE_AT_ALL:
        if region == "CN" and "@from" not in text:
            assert (await refused(here, await asks(here, verb, text, scene, who))).code == "bad_target", text


@pytest.mark.parametrize("target", [AgentTarget(BOB), QueueTarget("support")])
@pytest.mark.parametrize("verb", [Verb.TRANSFER, Verb.CONSULT])
async def test_a_colleague_and_a_queue_are_no_numbers_outside(here: Site, verb: Verb, target: Any) -> None:
    scene = await here.play(*TALKING)
    here.floor.queue("support")
    plan = here.control._plan(asking(), CallCommand(verb, scene.call.id, target))
    assert all(ruling.to.kind == "internal" for ruling in plan.rulings)


async def test_a_colleague_whose_extension_is_a_number_outside_is_judged(here: Site) -> None:
    """Of the record: a phone of 0044… would be dialled by the dialplan as any number is."""
    scene = await here.play(*TALKING)
    await on_shift(here, ALICE)
    here.put(AgentSeated(later(here.floor), BOB, "agent 3", "PJSIP/1003", "00442079460018"))
    here.put(ShiftBegan(later(here.floor), BOB, "PJSIP/1003", "00442079460018", "desk", ()))
    await here.attachment.pipeline.when(lambda floor: floor.agents[BOB].shift, 5)
    for verb in (Verb.TRANSFER, Verb.CONSULT):
        why = await refused(here, (asking(), CallCommand(verb, scene.call.id, AgentTarget(BOB))))
        assert why.code == "dial_refused", verb
    plan = here.control._plan(asking(), CallCommand(Verb.CONFERENCE, scene.call.id, AgentTarget(BOB)))
    assert plan.rulings == [], "a conference rings the phone itself, and no number"


async def test_a_phone_that_is_a_number_outside_does_not_pick_up(here: Site) -> None:
    """PICK_UP of a waiting caller, RECONNECT and the phone that is rung first: none dials past the policy."""
    judged = {
        "pick": list(numbers(moves.pick("PJSIP/trunk-00000001", "00442079460018", "support", 1))),
        "reconnect": list(numbers(moves.reconnect("PJSIP/trunk-00000001", "00442079460018"))),
        "dial": list(numbers(moves.dial("Local/00442079460018@from-internal", "1002"))),
        "fetch": list(numbers(moves.fetch("PJSIP/00442079460018@cti-trunk", "701"))),
        "take": list(numbers(moves.take("Local/00442079460018@x/n", "PJSIP/1002-00000001"))),
    }
    for how, found in judged.items():
        assert "00442079460018" in found, how


# --- a new verb cannot go round it -------------------------------------------------------------------------

#: each function of asterisk.moves: its arguments, and the numbers that it dials
MOVES: dict[str, tuple[tuple[Any, ...], list[str]]] = {
    "answer": (("PJSIP/1-0",), []),
    "hang_up": (("PJSIP/1-0",), []),
    "reject": (("PJSIP/1-0",), []),
    "hold": (("PJSIP/1-0",), []),
    "retrieve": (("PJSIP/1-0",), []),
    "mute": (("PJSIP/1-0",), []),
    "unmute": (("PJSIP/1-0",), []),
    "dtmf": (("PJSIP/1-0", "00442079460018"), []),
    "transfer": (("PJSIP/1-0", moves.Number("+44")), ["+44"]),
    "consult": (("PJSIP/1-0", moves.Number("+44")), ["+44"]),
    "alternate": (("PJSIP/1-0",), []),
    "complete": (("PJSIP/1-0",), []),
    "cancel": (("PJSIP/1-0",), []),
    "merge": (("PJSIP/1-0",), []),
    "open_room": (("PJSIP/1-0", "PJSIP/2-0", "12"), []),
    "invite_phone": (("PJSIP/1001", "12"), []),
    "invite_number": (("+44", "12"), ["+44"]),
    "park": (("PJSIP/1-0",), []),
    "fetch": (("PJSIP/1001", "701"), []),
    "take": (("PJSIP/1001", "PJSIP/2-0"), []),
    "pick": (("PJSIP/2-0", "1001", "support"), ["1001"]),
    "reconnect": (("PJSIP/2-0", "1001"), ["1001"]),
    "start_recording": (("PJSIP/1-0",), []),
    "pause_recording": (("PJSIP/1-0",), []),
    "resume_recording": (("PJSIP/1-0",), []),
    "stop_recording": (("PJSIP/1-0",), []),
    "dial": (("PJSIP/1001", "+44"), ["+44"]),
}


@pytest.mark.parametrize("name", MOVES)
def test_what_each_move_dials(name: str) -> None:
    arguments, dialled = MOVES[name]
    assert list(numbers(getattr(moves, name)(*arguments))) == dialled


def test_each_move_and_each_action_has_a_row() -> None:
    functions = inspect.getmembers(moves, inspect.isfunction)
    made = {n for n, f in functions if not n.startswith("_") and f.__module__ == moves.__name__ and n != "given"}
    assert made == set(MOVES)
    known = {
        call_actions.Originate,
        call_actions.Redirect,
        call_actions.BlindTransfer,
        call_actions.Atxfer,
        Setvar,
    }
    actions = {
        thing
        for _, thing in inspect.getmembers(call_actions, inspect.isclass)
        if issubclass(thing, Action) and thing is not Action
    }
    assert actions == known | set(HARMLESS)


def test_a_queue_is_no_number_though_its_name_is_digits() -> None:
    queue = moves.Queue("00442079460018")
    assert list(numbers([*moves.transfer("PJSIP/1-0", queue), *moves.consult("PJSIP/1-0", queue)])) == []


@pytest.mark.parametrize(
    "action",
    [
        Originate("PJSIP/1001", "from-internal", "0019005551234"),
        Redirect("PJSIP/1-0", "cti-outbound", "90019005551234"),
        BlindTransfer("PJSIP/1-0", "cti-phones", "90019005551234"),
        Setvar("PJSIP/1-0", "CTI_CHANNEL", "x"),
        call_actions.Atxfer("PJSIP/1-0", "from-internal", "0019005551234"),
        call_actions.Atxfer("PJSIP/1-0", "cti-consult", "00"),
        QueueAdd("support", "Local/0019005551234@from-internal"),
    ],
)
def test_what_has_no_row_is_refused(action: Action) -> None:
    assert not {"from-internal", "cti-outbound", "cti-phones"} & set(CONTEXTS)
    assert "CTI_CHANNEL" not in VARIABLES
    with pytest.raises(Unfenced):
        list(numbers([action]))


async def test_a_verb_that_somebody_adds_is_judged(here: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = await here.play(*TALKING)
    await on_shift(here, ALICE)

    def forgotten(scene: Scene, given: Given) -> list[Step]:
        return [Step(lambda s: [Originate("PJSIP/1002", "somewhere", "0019005551234")])]

    def dials(scene: Scene, given: Given) -> list[Step]:
        return [Step(lambda s: moves.invite_number("+19005551234", "12", "demo-1.1"))]

    for added in (forgotten, dials):
        monkeypatch.setitem(verbs_module.STEPS, Verb.PARK, added)  # type: ignore[arg-type]
        why = await refused(here, (asking(), CallCommand(Verb.PARK, scene.call.id)))
        assert why.code == "dial_refused"


async def test_a_step_dials_no_number_but_the_one_that_was_judged(
    here: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = await here.play(*TALKING)
    await on_shift(here, ALICE)
    told = iter(["+8613800138000", "+8613800138000", "+19005551234"])

    def changes(scene: Scene, given: Given) -> list[Step]:
        return [Step(lambda s: moves.invite_number(next(told), "12", "demo-1.1"))]

    monkeypatch.setitem(verbs_module.STEPS, Verb.PARK, changes)  # type: ignore[arg-type]
    (done,) = await here.done(await here.control.ask(asking(), CallCommand(Verb.PARK, scene.call.id)))
    assert done["problem"]["code"] == "dial_refused"
    assert here.pbx.sent == []


# --- the refusal, the log and the metric -------------------------------------------------------------------


async def test_a_refusal_names_rule_reason_and_remedy(here: Site) -> None:
    await here.play(*TALKING)
    await on_shift(here, BOB)
    with structlog.testing.capture_logs() as logs:
        why = await refused(here, (asking(BOB), CallCommand(Verb.DIAL, target=NumberTarget(ABROAD))))
    assert why.detail == "the dial policy's rule abroad does not let you dial numbers of other countries (GB)"
    assert "cti-server dialling show" in (why.remedy or "")
    assert "cti-server dialling set" in (why.remedy or "")
    assert why.reason is not None
    assert why.reason.code == "rule"
    assert dict(why.reason.params) == {"rule": "abroad", "kind": "international", "country": "GB", "role": "agent"}
    (entry,) = [one for one in logs if one["event"] == "dial.refused"]
    assert (entry["number"], entry["rule"], entry["verb"], entry["agent"]) == (
        "+4420••••0018",
        "abroad",
        "dial",
        3,
    )
    assert "2079460" not in str(logs)


async def test_decisions_are_counted_by_rule(here: Site) -> None:
    await here.play(*TALKING)
    await on_shift(here, BOB)
    registry = CollectorRegistry()
    registry.register(here.control.fence)
    for _ in range(2):
        await refused(here, (asking(BOB), CallCommand(Verb.DIAL, target=NumberTarget(ABROAD))))
    here.pbx.refuses = "no"
    await here.done(await here.control.ask(asking(BOB), CallCommand(Verb.DIAL, target=NumberTarget(AT_HOME))))
    count = registry.get_sample_value
    assert count("cti_dials_total", {"rule": "abroad", "answer": "refused"}) == 2
    assert count("cti_dials_total", {"rule": "home", "answer": "allowed"}) == 1


# --- shifts, limits, hours and changes ---------------------------------------------------------------------


async def test_only_on_shift_and_an_emergency_number_always(here: Site) -> None:
    await here.play(*TALKING)
    dial = (asking(BOB, role="administrator"), CallCommand(Verb.DIAL, target=NumberTarget(AT_HOME)))
    assert (await refused(here, dial)).detail == "only people on shift dial outside, and you are not"
    for number in ("110", "9-110", "1001"):
        here.control._plan(asking(BOB), CallCommand(Verb.DIAL, target=NumberTarget(number)))
    await on_shift(here, BOB)
    here.control._plan(*dial)
    here.put(ShiftEnded(later(here.floor), BOB))
    await here.attachment.pipeline.when(lambda floor: floor.agents[BOB].shift is None or None, 5)
    await refused(here, dial)


async def test_a_limit_of_calls_a_minute_holds_for_many_at_once(here: Site, database: Database) -> None:
    await here.play(*TALKING)
    await on_shift(here, BOB)
    await in_force(database, here, replace(DEFAULT, limits=(Limit(2, 50),)))
    clock = [1000.0]
    here.control.fence.outside._clock = lambda: clock[0]
    here.pbx.refuses = "congestion"

    async def attempt(number: str) -> str:
        try:
            (done,) = await here.done(
                await here.control.ask(asking(BOB), CallCommand(Verb.DIAL, target=NumberTarget(number)))
            )
        except CommandRefused as why:
            return why.code
        return str(done["problem"]["code"])

    codes = await asyncio.gather(*(attempt(f"1380013800{i}") for i in range(6)))
    assert sorted(codes) == ["dial_refused"] * 4 + ["refused_by_pbx"] * 2
    assert await attempt("110") == "refused_by_pbx", "an emergency number is no matter of limits"
    assert await attempt("1001") == "refused_by_pbx", "nor an extension"
    clock[0] += 61
    assert await attempt("13800138009") == "refused_by_pbx"


async def test_calls_at_once_are_those_that_go_on(here: Site, database: Database) -> None:
    """Also those that somebody gave away: whoever transfers callers to numbers outside fills the trunk as well."""
    scene = await here.play(*TALKING)
    await on_shift(here, ALICE)
    await in_force(database, here, replace(DEFAULT, limits=(Limit(50, 1),)))
    clock = [1000.0]
    here.control.fence.outside._clock = lambda: clock[0]
    leg, channel, linkedid = "demo-2.9", "PJSIP/cti-trunk-00000009", scene.call.linkedid

    def reply(action: object) -> list[object]:
        if not isinstance(action, call_actions.Atxfer):
            return []
        at = later(here.floor)
        return [
            LegStarted(at, leg, linkedid, channel, False, None, None, None),
            LegDialled(at, leg, linkedid, scene.mine.id if scene.mine else "", channel, "13800138000"),
            LegRang(at, leg, linkedid),
        ]

    here.pbx.reply = reply  # type: ignore[assignment]
    consult = (asking(), CallCommand(Verb.CONSULT, scene.call.id, NumberTarget(AT_HOME)))
    (done,) = await here.done(await here.control.ask(*consult))
    assert done["ok"] is True, done
    fence = here.control.fence
    clock[0] += 10 * outside_module.SHOWS_S
    assert fence.outside.recent(ALICE, fence._floor).at_once == 1
    assert not fence.written(here.attachment, asking(), AT_HOME).decision.allowed
    assert fence.written(here.attachment, asking(BOB), AT_HOME).decision.code == "off_shift", "it is Alice's"
    here.put(LegEnded(later(here.floor), leg, linkedid, 16))
    await here.attachment.pipeline.when(lambda floor: leg not in scene.call.legs or None, 5)
    assert fence.outside.recent(ALICE, fence._floor).at_once == 0
    assert fence.written(here.attachment, asking(), AT_HOME).decision.allowed


async def test_hours_are_those_of_the_moment(here: Site, database: Database) -> None:
    await here.play(*TALKING)
    await on_shift(here, BOB)
    office = Rule("office", "allow", hours=Hours("Asia/Shanghai", begins=8 * 60, ends=18 * 60))
    await in_force(database, here, Policy((office,)))
    fence = here.control.fence
    await fence.refresh()
    for hour, allowed in ((0, True), (9, True), (10, False), (23, False)):
        fence._now = lambda hour=hour: datetime(2026, 11, 25, hour, 59, tzinfo=UTC)  # type: ignore[misc]
        assert fence.written(here.attachment, asking(BOB), AT_HOME).decision.allowed is allowed, hour


async def test_another_processes_change_counts_at_the_next_command(here: Site, database: Database) -> None:
    await here.play(*TALKING)
    await on_shift(here, BOB)
    dial = (asking(BOB), CallCommand(Verb.DIAL, target=NumberTarget(ABROAD)))
    await refused(here, dial)
    await in_force(database, here, Policy((Rule("all", "allow"),)))
    here.pbx.refuses = "busy"
    (done,) = await here.done(await here.control.ask(*dial))
    assert done["problem"]["code"] == "refused_by_pbx", "it was allowed, and asked of the PBX"


async def test_a_record_that_is_away_leaves_the_policy_that_is_known(
    here: Site, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await here.play(*TALKING)
    await on_shift(here, BOB)
    await in_force(database, here, Policy((Rule("hong-kong", "allow", countries=("HK",)),)))
    assert (await here.control.decide(asking(BOB), "+85223456789")).decision.rule == "hong-kong"

    async def away(conn: object) -> int:
        raise OSError("gone")

    monkeypatch.setattr(dial_policies, "version", away)
    here.control.fence._read_at = float("-inf")
    assert (await here.control.decide(asking(BOB), "+85223456789")).decision.rule == "hong-kong"
    assert (await here.control.decide(asking(BOB), AT_HOME)).decision.code == "no_rule"


async def test_who_may_dial_anywhere(here: Site) -> None:
    await here.play(*TALKING)
    free = asking(BOB, dial_anywhere=True)
    decided = [(await here.control.decide(free, number)).decision.code for number in (ABROAD, "1-900-FLOWERS")]
    assert decided == ["off_shift", "not_a_number"]
    await on_shift(here, BOB)
    assert (await here.control.decide(free, "+19005551234")).decision.code == "anywhere"


@pytest.mark.parametrize("form", ["e164", "digits", "national"])
async def test_the_form_of_the_pbx_changes_nothing(database: Database, form: Any) -> None:
    async with site(database, settings().model_copy(update={"dial": form})) as made:
        await made.play(*TALKING)
        await on_shift(made, BOB)
        for region, text, kind, country in NUMBERS:
            if region == "CN" and kind != "own":
                ruling = await made.control.decide(asking(BOB), text)
                assert (ruling.to.kind, ruling.to.country) == (kind, country), text
