"""A command from the asking to `command.done`, with everything real but Asterisk."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from cti_server import desk as desk_module
from cti_server.asterisk.call_actions import (
    Atxfer,
    BlindTransfer,
    CancelAtxfer,
    Hangup,
    Originate,
    PlayDTMF,
    Redirect,
    Setvar,
)
from cti_server.commands import AgentTarget, Asking, CallCommand, CommandRefused, NumberTarget, QueueTarget
from cti_server.control import work as work_module
from cti_server.control.requests import MAX_WAITING
from cti_server.floor.apply import Floor
from cti_server.floor.calls import Call
from cti_server.floor.desk_signals import ShiftBegan
from cti_server.floor.signals import (
    LegAnswered,
    LegDialled,
    LegEnded,
    LegRang,
    LegStarted,
    LegTransferred,
    LinkChanged,
    LinkState,
)
from cti_server.floor.standing import Scene, Standing, part_of, scene_of
from cti_server.floor.verbs import Verb
from cti_server.floor.views import part_view
from cti_server.record.database import Database
from tests.control.site import ALICE, Site, account, held, held_at_desk, hung_up, later, retrieved, settings, site

#: the phones of agents 2 and 3 are there
TALKING = ("attended-transfer", 2, Standing.TALKING)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a second instead of five for what does not come."""
    monkeypatch.setattr(work_module, "CONFIRM_S", 0.5)
    monkeypatch.setattr(work_module, "OVER_S", 0.2)


@pytest.fixture
async def here(database: Database) -> AsyncIterator[Site]:
    async with site(database) as made:
        yield made


async def test_a_command_is_done_when_the_floor_shows_it(here: Site) -> None:
    scene = await here.play(*TALKING)
    here.pbx.reply = lambda action: [held(here, scene)]

    request = await here.ask(Verb.HOLD, scene.call)
    assert here.results() == [], "202 comes before the result"
    (done,) = await here.done(request)

    assert done == {"request": request, "command": "hold", "call": scene.call.id, "ok": True, "problem": None}
    assert [type(action) for action in here.pbx.sent] == [PlayDTMF]
    (entry,) = [e for e in here.told if e.kind == "command.done"]
    assert entry.audience == desk_module.only(2)
    assert entry.stream == "desk"


async def test_what_the_pbx_took_and_the_floor_never_shows_is_not_confirmed(here: Site) -> None:
    scene = await here.play(*TALKING)
    (done,) = await here.done(await here.ask(Verb.HOLD, scene.call))
    assert done["ok"] is False
    assert done["problem"]["code"] == "not_confirmed"
    assert "the call is not on hold" in done["problem"]["detail"]
    assert len(here.pbx.sent) == 1, "never sent twice"


async def test_what_asterisk_refuses_is_told_in_its_words(here: Site) -> None:
    scene = await here.play(*TALKING)
    here.pbx.refuses = "Permission denied"
    (done,) = await here.done(await here.ask(Verb.HOLD, scene.call))
    assert done["problem"] == {"code": "refused_by_pbx", "detail": "Permission denied", "remedy": None}


async def test_a_pbx_that_is_lost_while_it_is_asked(here: Site) -> None:
    scene = await here.play(*TALKING)
    here.pbx.gone = True
    (done,) = await here.done(await here.ask(Verb.HOLD, scene.call))
    assert done["problem"]["code"] == "pbx_unreachable"
    assert len(here.pbx.sent) == 1


async def test_a_link_that_is_lost_before_the_effect_shows(here: Site) -> None:
    scene = await here.play(*TALKING)
    here.pbx.reply = lambda action: [LinkChanged(later(here.floor), LinkState.CONNECTING, "lost")]
    (done,) = await here.done(await here.ask(Verb.HOLD, scene.call))
    assert done["problem"]["code"] == "pbx_unreachable"


async def test_a_call_that_ends_instead(here: Site) -> None:
    scene = await here.play(*TALKING)
    here.pbx.reply = lambda action: hung_up(here, scene)
    (done,) = await here.done(await here.ask(Verb.HOLD, scene.call))
    assert done["problem"]["code"] == "call_over"


async def test_a_channel_that_was_gone_before_asterisk_looked_is_no_refusal(here: Site) -> None:
    scene = await here.play(*TALKING)
    here.pbx.refuses = "No such channel"
    here.pbx.gate = asyncio.Event()
    request = await here.ask(Verb.HOLD, scene.call)
    here.put(*hung_up(here, scene))
    here.pbx.gate.set()
    (done,) = await here.done(request)
    assert done["problem"]["code"] == "call_over"


async def test_a_call_that_ends_between_the_asking_and_the_doing(here: Site) -> None:
    scene = await here.play(*TALKING)
    here.put(*hung_up(here, scene))
    request = await here.ask(Verb.HOLD, scene.call)  # the floor has not heard of the end yet
    (done,) = await here.done(request)
    assert done["problem"]["code"] == "call_over"


async def test_hanging_up_ends_well_when_the_call_is_over_with_it(here: Site) -> None:
    scene = await here.play(*TALKING)
    here.pbx.reply = lambda action: hung_up(here, scene)
    (done,) = await here.done(await here.ask(Verb.HANGUP, scene.call))
    assert done["ok"] is True, done
    assert isinstance(here.pbx.sent[0], Hangup)


# --- refused at once ---------------------------------------------------------------------------------------


async def refused(here: Site, verb: Verb, code: str, **more: object) -> CommandRefused:
    with pytest.raises(CommandRefused) as caught:
        await here.ask(verb, **more)  # type: ignore[arg-type]
    assert caught.value.code == code
    assert here.pbx.sent == []
    return caught.value


async def test_nothing_is_sent_for_what_is_refused_at_once(here: Site) -> None:
    scene = await here.play(*TALKING)
    call = scene.call
    await refused(here, Verb.RETRIEVE, "already", call=call)
    await refused(here, Verb.COMPLETE, "wrong_state", call=call)
    await refused(here, Verb.HOLD, "not_yours", call=call, asking=Asking(3, "agent 3"))
    await refused(here, Verb.HOLD, "not_yours", call=call, asking=Asking(9, "boss", supervises=True))
    await refused(here, Verb.DIAL, "in_a_call", target=NumberTarget("1001"))
    await refused(here, Verb.TRANSFER, "bad_target", call=call, target=AgentTarget(2))
    await refused(here, Verb.TRANSFER, "bad_target", call=call, target=QueueTarget("nowhere"))
    await refused(here, Verb.TRANSFER, "bad_target", call=call, target=NumberTarget("12ab"))
    await refused(here, Verb.DROP, "leg_gone", call=call, leg="demo-1.99")
    assert scene.mine is not None
    await refused(here, Verb.DROP, "not_possible", call=call, leg=scene.mine.id)
    gone = replace(CallCommand(Verb.HOLD, call.id), call="demo:1:nothing")
    with pytest.raises(CommandRefused, match="over") as caught:
        await here.control.ask(ALICE, gone)
    assert caught.value.code == "call_over"
    assert here.results() == []


async def test_while_the_link_is_down_nothing_is_begun(here: Site) -> None:
    scene = await here.play(*TALKING)
    here.put(LinkChanged(later(here.floor), LinkState.STALE, "no answer"))
    await here.attachment.pipeline.when(lambda floor: True if floor.link is LinkState.STALE else None, 5)
    await refused(here, Verb.HOLD, "pbx_unreachable", call=scene.call)


async def test_a_process_that_only_waits_for_the_pbx_commands_nothing(here: Site) -> None:
    scene = await here.play(*TALKING)
    here.attachment.owner = False
    await refused(here, Verb.HOLD, "pbx_unreachable", call=scene.call)


async def test_a_role_without_an_account_is_said_before_anything_is_done(database: Database) -> None:
    async with site(database, settings(call=None)) as here:
        scene = await here.play(*TALKING)
        why = await refused(here, Verb.HOLD, "no_account", call=scene.call)
        assert why.remedy == "Set CTI_AMI_CALL_USER and _SECRET."


async def test_every_account_that_a_later_step_needs_is_there_before_the_first(database: Database) -> None:
    async with site(database, settings(originate=None)) as here:
        scene = await here.play(*TALKING)
        # Opening the room needs `call`, inviting needs `originate`: the two who talk stay where they are.
        await refused(here, Verb.CONFERENCE, "no_account", call=scene.call, target=AgentTarget(3))


async def test_a_desk_phone_is_answered_by_hand_at_the_handset(database: Database) -> None:
    async with site(database) as here:
        scene = await here.play("answered", 2, Standing.RINGING)
        why = await refused(here, Verb.ANSWER, "not_possible", call=scene.call)
        assert why.remedy is not None
        assert why.remedy.startswith("Lift the handset")


async def test_a_desk_phone_that_can_be_told_is_told(database: Database) -> None:
    async with site(database, settings().model_copy(update={"notify": account("notify")})) as here:
        scene = await here.play("answered", 2, Standing.RINGING)
        await here.done(await here.ask(Verb.ANSWER, scene.call))
        assert [action.name for action in here.pbx.sent] == ["PJSIPNotify"]


# --- the same once more, and in order ----------------------------------------------------------------------


async def test_the_same_key_is_the_same_request_also_after_it_ended(here: Site) -> None:
    scene = await here.play(*TALKING)
    here.pbx.reply = lambda action: [held(here, scene)]
    first = await here.ask(Verb.HOLD, scene.call, key="k1")
    assert await here.ask(Verb.HOLD, scene.call, key="k1") == first
    await here.done(first)
    assert await here.ask(Verb.HOLD, scene.call, key="k1") == first, "held by now, and still the same answer"
    with pytest.raises(CommandRefused) as caught:
        await here.ask(Verb.RETRIEVE, scene.call, key="k1")
    assert caught.value.code == "key_reused"
    assert len(here.pbx.sent) == 1
    assert len(here.results()) == 1


async def test_a_key_belongs_to_an_agent(here: Site) -> None:
    scene = await here.play("attended-transfer", 2, Standing.CONSULTING)
    first = await here.ask(Verb.MUTE, scene.call, key="k")
    second = await here.ask(Verb.MUTE, scene.call, Asking(3, "agent 3"), key="k")
    assert first != second
    await here.done(first, second)
    assert len({action.channel for action in here.pbx.sent if isinstance(action, Setvar)}) == 2


async def test_a_refused_command_does_not_use_up_its_key(here: Site) -> None:
    scene = await here.play(*TALKING)
    with pytest.raises(CommandRefused):
        await here.ask(Verb.RETRIEVE, scene.call, key="k")
    here.put(held(here, scene))
    here.put(held_at_desk(here, scene))
    await here.attachment.pipeline.when(lambda floor: here.scene(2, Standing.HOLD), 5)
    here.pbx.reply = lambda action: [retrieved(here, scene)]
    (done,) = await here.done(await here.ask(Verb.RETRIEVE, scene.call, key="k"))
    assert done["ok"] is True, done


async def test_twice_in_a_row_is_once(here: Site) -> None:
    scene = await here.play(*TALKING)
    here.pbx.reply = lambda action: [held(here, scene)]
    requests = {await here.ask(Verb.HOLD, scene.call) for _ in range(5)}
    assert len(requests) == 1
    await here.done(*requests)
    assert len(here.pbx.sent) == 1
    await refused_after(here, scene.call.id)


async def refused_after(here: Site, call: str) -> None:
    """Once it is done the same command is refused for its state, not done again."""
    with pytest.raises(CommandRefused) as caught:
        await here.control.ask(ALICE, CallCommand(Verb.HOLD, call))
    assert caught.value.code == "already"


async def test_the_same_key_pressed_twice_is_two_keys(here: Site) -> None:
    scene = await here.play(*TALKING)
    first = await here.ask(Verb.DTMF, scene.call, digits="1")
    second = await here.ask(Verb.DTMF, scene.call, digits="1")
    assert first != second
    assert all(done["ok"] for done in await here.done(first, second))
    assert [(a.digit, a.receive) for a in here.pbx.sent if isinstance(a, PlayDTMF)] == [("1", False)] * 2


async def test_commands_of_one_agent_for_a_call_keep_their_order(here: Site) -> None:
    scene = await here.play(*TALKING)
    here.pbx.gate = asyncio.Event()
    answers = iter([held, retrieved])
    here.pbx.reply = lambda action: [next(answers)(here, scene)]

    hold = await here.ask(Verb.HOLD, scene.call)
    retrieve = await here.ask(Verb.RETRIEVE, scene.call)  # not possible yet, but when its turn comes
    await asyncio.sleep(0)
    assert len(here.pbx.sent) <= 1
    here.pbx.gate.set()
    done = await here.done(hold, retrieve)
    assert [(d["request"], d["ok"]) for d in done] == [(hold, True), (retrieve, True)]


async def test_what_turns_out_impossible_when_its_turn_comes_is_told_as_its_result(here: Site) -> None:
    scene = await here.play(*TALKING)
    here.pbx.reply = lambda action: [held(here, scene)]
    hold = await here.ask(Verb.HOLD, scene.call)
    cancel = await here.ask(Verb.CANCEL, scene.call)
    done = {d["request"]: d for d in await here.done(hold, cancel)}
    assert done[hold]["ok"] is True
    assert done[cancel]["problem"]["code"] == "wrong_state"


async def test_too_many_that_wait_are_refused(here: Site) -> None:
    scene = await here.play(*TALKING)
    here.pbx.gate = asyncio.Event()
    requests = [await here.ask(Verb.DTMF, scene.call, digits="1") for _ in range(1 + MAX_WAITING)]
    with pytest.raises(CommandRefused) as caught:
        await here.ask(Verb.DTMF, scene.call, digits="1")
    assert caught.value.code == "busy"
    here.pbx.gate.set()
    await here.done(*requests)
    await here.done(await here.ask(Verb.DTMF, scene.call, digits="1"))  # there is room again


async def test_hanging_up_does_not_wait_for_what_was_asked_before(here: Site) -> None:
    scene = await here.play(*TALKING)
    hold = await here.ask(Verb.HOLD, scene.call)  # this PBX never holds
    here.pbx.reply = lambda action: hung_up(here, scene) if isinstance(action, Hangup) else ()
    hangup = await here.ask(Verb.HANGUP, scene.call)
    done = {d["request"]: d for d in await here.done(hold, hangup)}
    assert done[hangup]["ok"] is True
    assert done[hold]["problem"]["code"] == "call_over"


async def test_another_agents_command_does_not_wait(here: Site) -> None:
    scene = await here.play("attended-transfer", 2, Standing.CONSULTING)
    here.pbx.gate = asyncio.Event()
    waits = await here.ask(Verb.ALTERNATE, scene.call)
    other = await here.ask(Verb.MUTE, scene.call, Asking(3, "agent 3"))
    async with asyncio.timeout(5):
        while len(here.pbx.sent) < 2:
            await asyncio.sleep(0)
    here.pbx.gate.set()
    await here.done(waits, other)


# --- the end of the server ---------------------------------------------------------------------------------


async def test_each_request_has_its_result_also_when_the_server_stops(here: Site) -> None:
    scene = await here.play(*TALKING)
    here.pbx.gate = asyncio.Event()
    running = await here.ask(Verb.HOLD, scene.call)
    waiting = await here.ask(Verb.RETRIEVE, scene.call)
    await asyncio.sleep(0.05)
    fresh = await here.ask(Verb.MUTE, scene.call)  # its task has not had a turn yet
    await here.control.close()
    done = await here.done(running, waiting, fresh)
    assert {d["problem"]["code"] for d in done} == {"server_stopping"}
    with pytest.raises(CommandRefused) as caught:
        await here.ask(Verb.HOLD, scene.call)
    assert caught.value.code == "server_stopping"


async def test_a_result_is_told_when_the_database_is_back(here: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = await here.play(*TALKING)
    here.pbx.reply = lambda action: [held(here, scene)]
    real, failures = here.control._desk.change, iter([OSError("gone"), OSError("gone")])

    def change() -> object:
        if (failure := next(failures, None)) is not None:
            raise failure
        return real()

    monkeypatch.setattr(desk_module, "TELL_AGAIN_S", 0.01)
    monkeypatch.setattr(here.control._desk, "change", change)
    (done,) = await here.done(await here.ask(Verb.HOLD, scene.call))
    assert done["ok"] is True, done


async def test_an_error_of_ours_is_a_result_too(here: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = await here.play(*TALKING)

    async def broken(self: object, steps: object, scene: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(work_module.Work, "through", broken)
    (done,) = await here.done(await here.ask(Verb.HOLD, scene.call))
    assert done["problem"]["code"] == "internal"


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_is_asked_of_whatever_pbx_each_request_has_one_result(here: Site, seed: int) -> None:
    scene = await here.play("desk-alternate", 2, Standing.CONSULTING)
    chance = random.Random(seed)

    def reply(action: object) -> list[object]:
        here.pbx.refuses = chance.choice([None, None, None, "No such channel"])
        return chance.choice([[], [], [held(here, scene)], [retrieved(here, scene)]])

    here.pbx.reply = reply  # type: ignore[assignment]
    more: dict[Verb, dict[str, Any]] = {Verb.DTMF: {"digits": "1"}, Verb.DROP: {"leg": scene.heard[0].id}}
    for verb in (Verb.TRANSFER, Verb.CONSULT, Verb.CONFERENCE):
        more[verb] = {"target": AgentTarget(1)}
    accepted: list[str] = []
    refusals: list[str] = []
    for _ in range(60):
        verb = chance.choice([one for one in Verb if one is not Verb.DIAL])
        try:
            accepted.append(await here.ask(verb, scene.call, **more.get(verb, {})))
        except CommandRefused as why:
            refusals.append(why.code)
        if chance.random() < 0.3:
            await asyncio.sleep(chance.random() / 20)
    await here.control.close()
    results = [one["request"] for one in here.results()]
    assert sorted(results) == sorted(set(accepted))
    assert len(set(accepted)) > 5
    assert not {"internal", "pbx_unreachable"} & set(refusals)


# --- verbs with more than one step -------------------------------------------------------------------------


async def test_mute_is_told_to_the_floor_because_nothing_else_tells_of_it(here: Site) -> None:
    scene = await here.play(*TALKING)
    (done,) = await here.done(await here.ask(Verb.MUTE, scene.call))
    assert done["ok"] is True, done
    assert shown_muted(scene) is True
    with pytest.raises(CommandRefused, match="you are muted"):
        await here.ask(Verb.MUTE, scene.call)
    (done,) = await here.done(await here.ask(Verb.UNMUTE, scene.call))
    assert done["ok"] is True, done
    assert shown_muted(scene) is False


async def on_hold(here: Site) -> Scene:
    scene = await here.play(*TALKING)
    here.put(held(here, scene))
    here.put(held_at_desk(here, scene))
    return await here.attachment.pipeline.when(lambda floor: here.scene(2, Standing.HOLD), 5)


async def test_a_held_call_is_retrieved_before_it_is_given_away(here: Site) -> None:
    scene = await on_hold(here)
    assert scene.mine is not None
    mine, linkedid = scene.mine.id, scene.call.linkedid

    def reply(action: object) -> list[object]:
        at = later(here.floor)
        if isinstance(action, PlayDTMF):
            return [retrieved(here, scene)]
        return [
            LegTransferred(at, mine, linkedid, attended=False, target="1003"),
            LegEnded(at, mine, linkedid, 16),
        ]

    here.pbx.reply = reply  # type: ignore[assignment]
    (done,) = await here.done(await here.ask(Verb.TRANSFER, scene.call, target=AgentTarget(3)))
    assert done["ok"] is True, done
    assert [type(action) for action in here.pbx.sent] == [PlayDTMF, BlindTransfer]


async def test_a_call_that_stays_on_hold_is_not_given_away(here: Site) -> None:
    scene = await on_hold(here)
    (done,) = await here.done(await here.ask(Verb.TRANSFER, scene.call, target=AgentTarget(3)))
    assert done["problem"]["code"] == "not_confirmed"
    assert [type(action) for action in here.pbx.sent] == [PlayDTMF], "the second step was not begun"


async def test_a_consultation_is_on_when_the_colleagues_phone_rings(here: Site) -> None:
    scene = await here.play(*TALKING)
    linkedid = scene.call.linkedid

    def reply(action: object) -> list[object]:
        if not isinstance(action, Atxfer):
            return []
        at, leg, channel = later(here.floor), "demo-2.9", "PJSIP/1003-00000009"
        return [
            LegStarted(at, leg, linkedid, channel, False, "1003", None, None),
            LegDialled(at, leg, linkedid, "demo-2.8", channel, "1003"),
            LegRang(at, leg, linkedid),
        ]

    here.pbx.reply = reply  # type: ignore[assignment]
    request = await here.ask(Verb.CONSULT, scene.call, target=AgentTarget(3), said="wants a refund")
    (done,) = await here.done(request)
    assert done["ok"] is True, done
    capsule = await here.handover(scene.call.id, 3)
    assert capsule is not None
    assert (capsule["from"], capsule["kind"], capsule["said"]) == (
        {"agent": 2, "name": "agent 2"},
        "consult",
        "wants a refund",
    )
    assert await here.handover(scene.call.id, 2) is None, "not for the one who sent it"


async def test_a_handover_that_did_not_take_place_is_forgotten(here: Site) -> None:
    scene = await here.play(*TALKING)
    here.pbx.refuses = "No such extension"
    await here.done(await here.ask(Verb.TRANSFER, scene.call, target=AgentTarget(3), said="hello"))
    assert await here.handover(scene.call.id, 3) is None


async def test_dialling_rings_the_agents_phone_and_names_the_call(here: Site) -> None:
    await here.play(*TALKING)
    here.put(ShiftBegan(later(here.floor), 3, "PJSIP/1003", "1003", "desk", ()))
    await here.attachment.pipeline.when(lambda floor: floor.agents[3].shift, 5)
    bob = Asking(3, "agent 3")

    def reply(action: object) -> list[object]:
        assert isinstance(action, Originate)
        assert action.leg is not None
        at, channel = later(here.floor), "PJSIP/1003-00000009"
        started = LegStarted(at, action.leg, action.leg, channel, False, "1003", None, "013800138000")
        return [
            started,
            LegDialled(at, action.leg, action.leg, None, channel, None),
            LegRang(at, action.leg, action.leg),
        ]

    here.pbx.reply = reply  # type: ignore[assignment]
    (done,) = await here.done(await here.ask(Verb.DIAL, None, bob, target=NumberTarget("138 0013 8000")))
    assert done["ok"] is True, done
    assert done["call"] in here.floor.calls
    (action,) = here.pbx.sent
    assert isinstance(action, Originate)
    assert (action.channel, action.exten) == ("PJSIP/1003", "+8613800138000")


def waits(floor: Floor) -> Call | None:
    return next((c for c in floor.calls.values() if c.waiting_since and not any(c.open_parts())), None)


async def test_a_waiting_caller_may_be_picked_by_right_only(here: Site) -> None:
    call = await here.play_until("abandon-with-nobody-ringing", waits)
    await refused(here, Verb.PICK_UP, "not_yours", call=call)

    def reply(action: object) -> list[object]:
        if not isinstance(action, Redirect):
            return []
        at, leg, channel = later(here.floor), "demo-2.9", "PJSIP/1002-00000009"
        return [
            LegStarted(at, leg, call.linkedid, channel, False, "1002", None, None),
            LegDialled(at, leg, call.linkedid, call.linkedid, channel, "1002"),
            LegRang(at, leg, call.linkedid),
        ]

    here.pbx.reply = reply  # type: ignore[assignment]
    (done,) = await here.done(await here.ask(Verb.PICK_UP, call, replace(ALICE, may_pick=True)))
    assert done["ok"] is True, done
    (redirect,) = [action for action in here.pbx.sent if isinstance(action, Redirect)]
    assert (redirect.channel, redirect.context, redirect.exten) == (
        call.legs[call.linkedid].channel,
        "cti-pick",
        "1002",
    )


async def test_a_colleagues_ringing_call_may_be_taken_by_anybody(here: Site) -> None:
    scene = await here.play("pickup", 2, Standing.RINGING)

    def reply(action: object) -> list[object]:
        assert isinstance(action, Originate)
        assert action.leg is not None
        at, channel = later(here.floor), "PJSIP/1003-00000009"
        started = LegStarted(at, action.leg, action.leg, channel, False, "1003", None, None)
        return [started, LegRang(at, action.leg, action.leg)]

    here.pbx.reply = reply  # type: ignore[assignment]
    (done,) = await here.done(await here.ask(Verb.PICK_UP, scene.call, Asking(3, "agent 3")))
    assert done["ok"] is True, done
    assert done["call"] == scene.call.id
    assert scene.mine is not None
    (action,) = here.pbx.sent
    assert isinstance(action, Originate)
    assert action.variables == (("CTI_CHANNEL", scene.mine.channel),)


def rings(floor: Floor) -> Scene | None:
    scenes = (scene_of(call, 2) for call in floor.calls.values())
    return next((s for s in scenes if s.mine is not None and s.mine.ringing), None)


async def test_a_browser_is_told_to_answer(here: Site) -> None:
    scene = await here.play_until("answered", rings)
    assert scene.mine is not None
    here.put(ShiftBegan(later(here.floor), 2, "PJSIP/1002", "1002", "browser", ()))
    await here.attachment.pipeline.when(lambda floor: floor.agents[2].shift, 5)
    request = await here.ask(Verb.ANSWER, scene.call)
    async with asyncio.timeout(5):
        while not here.results("phone.answer"):
            await asyncio.sleep(0.005)
    assert here.results("phone.answer") == [{"call": scene.call.id, "leg": scene.mine.id}]
    assert here.results() == [], "not done before the call is answered"
    here.put(LegAnswered(later(here.floor), scene.mine.id, scene.call.linkedid))
    (done,) = await here.done(request)
    assert done["ok"] is True, done
    assert here.pbx.sent == []


async def test_a_supervisor_drops_somebody_from_a_call_of_others(here: Site) -> None:
    scene = await here.play("three-way", 2, Standing.CONFERENCE)
    colleague = next(leg for leg in scene.heard if leg.device == "PJSIP/1003")
    here.pbx.reply = lambda action: [LegEnded(later(here.floor), colleague.id, scene.call.linkedid, 16)]
    boss = Asking(9, "boss", supervises=True)
    (done,) = await here.done(await here.ask(Verb.DROP, scene.call, boss, leg=colleague.id))
    assert done["ok"] is True, done
    assert [(type(a), a.channel) for a in here.pbx.sent if isinstance(a, Hangup)] == [(Hangup, colleague.channel)]


@pytest.mark.parametrize("asking", [ALICE, Asking(9, "boss", supervises=True)], ids=["agent", "supervisor"])
@pytest.mark.parametrize(
    ("tape", "standing"), [("three-way", Standing.CONFERENCE), ("desk-alternate", Standing.CONSULTING)]
)
async def test_a_contact_whose_customer_is_dropped_was_ended_by_the_center(
    here: Site, tape: str, standing: Standing, asking: Asking
) -> None:
    scene = await here.play(tape, 2, standing)
    customer = scene.call.customer_leg or ""
    ends = [LegEnded(later(here.floor), leg, scene.call.linkedid, 16) for leg in [customer, *scene.call.legs]]
    here.pbx.reply = lambda action: ends
    (done,) = await here.done(await here.ask(Verb.DROP, scene.call, asking, leg=customer))
    assert done["ok"] is True, done
    assert (scene.call.ended_by, scene.call.outcome) == ("agent", "answered")


async def test_who_is_in_the_room_is_not_rung_for_it_again(here: Site) -> None:
    scene = await here.play("three-way", 2, Standing.CONFERENCE)
    with pytest.raises(CommandRefused) as caught:
        await here.ask(Verb.CONFERENCE, scene.call, target=AgentTarget(3))
    assert (caught.value.code, here.pbx.sent) == ("already", [])


@pytest.mark.parametrize("verb", [Verb.TRANSFER, Verb.CONSULT])
async def test_a_call_is_not_given_to_whom_it_is_with(here: Site, verb: Verb) -> None:
    scene = await here.play("desk-dial-colleague", 1, Standing.TALKING)
    with pytest.raises(CommandRefused) as caught:
        await here.ask(verb, scene.call, asking=Asking(1, "agent 1"), target=AgentTarget(3))
    assert (caught.value.code, here.pbx.sent) == ("already", [])


async def test_who_is_only_asked_cannot_drop_the_caller(here: Site) -> None:
    scene = await here.play("desk-alternate", 3, Standing.CONSULTED)
    asked = Asking(3, "agent 3")
    caller = next(leg for leg in scene.call.legs.values() if leg.id == scene.call.first_leg)
    with pytest.raises(CommandRefused) as caught:
        await here.ask(Verb.DROP, scene.call, asking=asked, leg=caller.id)
    assert caught.value.code == "not_yours"
    assert here.pbx.sent == []


def shown_muted(scene: Scene) -> bool:
    """As agent 2's desktop is told of it."""
    part = part_of(scene.call, 2)
    assert part is not None
    muted: bool = part_view(scene.call, part)["muted"]
    return muted


async def test_who_hangs_up_while_completing_has_given_the_call_to_the_queue(here: Site) -> None:
    """Also where the queue rings the same agent at once: that is a part of its own."""
    reaching = ("desk-consult-queue", 2, Standing.REACHING)
    scene = await here.play(*reaching)
    assert scene.mine is not None
    assert scene.part is not None
    mine, linkedid, seat = scene.mine.id, scene.call.linkedid, scene.part.seat

    def reply(action: object) -> list[object]:
        at = later(here.floor)
        # The hang-up of another command: Asterisk gives the caller to the queue, which rings 1002 again.
        return [
            LegTransferred(at, mine, linkedid, attended=False, target="00"),
            LegStarted(at, "demo-2.99", linkedid, f"{seat}-00000099", False, "1002", None, None),
            LegRang(at, "demo-2.99", linkedid),
        ]

    here.pbx.reply = reply  # type: ignore[assignment]
    (done,) = await here.done(await here.ask(Verb.COMPLETE, scene.call))
    assert done["ok"] is True, done
    assert [type(action) for action in here.pbx.sent] == [CancelAtxfer], "it was not transferred twice"
