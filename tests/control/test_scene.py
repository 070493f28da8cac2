"""Who is who in a call, on floors that a real Asterisk made."""

from __future__ import annotations

import pytest

from cti_server.control.steps import other_side
from cti_server.floor.apply import Floor
from cti_server.floor.calls import Call
from cti_server.floor.standing import Scene, Standing, followed, scene_of
from tests.control.floors import floor_when, played, settled, standings

S = Standing


@pytest.mark.parametrize(
    ("transcript", "agent", "stood"),
    [
        ("answered", 2, [S.RINGING, S.TALKING, S.WRAP_UP]),
        ("pickup", 2, [S.RINGING, S.NONE]),
        ("pickup", 3, [S.TALKING, S.WRAP_UP]),
        ("hold-retrieve", 2, [S.RINGING, S.TALKING, S.PHONE_HOLD, S.TALKING, S.WRAP_UP]),
        (
            "phone-and-desk-hold",
            2,
            [S.RINGING, S.TALKING, S.HOLD, S.PHONE_HOLD, S.HOLD, S.TALKING, S.WRAP_UP],
        ),
        ("attended-transfer", 2, [S.RINGING, S.TALKING, S.REACHING, S.CONSULTING, S.WRAP_UP]),
        ("attended-transfer", 3, [S.RINGING, S.CONSULTED, S.TALKING, S.WRAP_UP]),
        ("attended-transfer-cancelled", 2, [S.REACHING, S.CONSULTING, S.TALKING, S.WRAP_UP]),
        ("attended-transfer-refused", 2, [S.TALKING, S.REACHING, S.TALKING, S.WRAP_UP]),
        ("blonde-transfer", 2, [S.TALKING, S.REACHING, S.WRAP_UP]),
        ("blonde-transfer", 3, [S.RINGING, S.TALKING, S.WRAP_UP]),
        ("three-way", 2, [S.CONSULTING, S.CONFERENCE, S.TALKING, S.WRAP_UP]),
        ("three-way", 3, [S.CONSULTED, S.CONFERENCE, S.TALKING, S.WRAP_UP]),
        (
            "desk-alternate",
            2,
            [S.REACHING, S.CONSULTING, S.ALTERNATED, S.CONSULTING, S.ALTERNATED, S.TALKING, S.WRAP_UP],
        ),
        ("desk-alternate", 3, [S.RINGING, S.CONSULTED, S.NONE]),
        ("desk-alternate-and-complete", 2, [S.CONSULTING, S.ALTERNATED, S.WRAP_UP]),
        ("desk-alternate-and-complete", 3, [S.CONSULTED, S.TALKING, S.WRAP_UP]),
        ("desk-merge", 2, [S.CONSULTING, S.CONFERENCE, S.WRAP_UP]),
        ("desk-room", 3, [S.CONFERENCE, S.WRAP_UP]),
        ("desk-hold", 2, [S.TALKING, S.HOLD, S.TALKING, S.HOLD, S.TALKING, S.WRAP_UP]),
        ("desk-consult-queue", 2, [S.TALKING, S.REACHING, S.CONSULTING, S.WRAP_UP]),
        ("desk-consult-while-ringing-cancelled", 2, [S.REACHING, S.TALKING, S.WRAP_UP]),
        ("desk-blind-not-answered", 2, [S.TALKING, S.WRAP_UP, S.RINGING, S.TALKING, S.WRAP_UP]),
        ("desk-reconnect", 2, [S.TALKING, S.RINGING, S.TALKING, S.WRAP_UP]),
        ("desk-dial", 1, [S.RINGING, S.CALLING, S.TALKING, S.HOLD, S.TALKING, S.WRAP_UP]),
        ("desk-pick", 3, [S.RINGING, S.TALKING, S.WRAP_UP]),
        ("desk-take-ringing", 3, [S.TALKING, S.WRAP_UP]),
        ("desk-park-and-fetch", 3, [S.TALKING, S.WRAP_UP]),
        ("conference", 3, [S.CONFERENCE, S.WRAP_UP]),
        ("blind-transfer", 3, [S.RINGING, S.TALKING, S.WRAP_UP]),
        ("park-and-retrieve", 3, [S.TALKING, S.WRAP_UP]),
        ("local-members", 1, [S.RINGING, S.TALKING, S.WRAP_UP]),
        ("outbound-answered", 1, [S.CALLING, S.TALKING, S.WRAP_UP]),
        ("click-to-dial", 1, [S.RINGING, S.CALLING, S.TALKING, S.WRAP_UP]),
        ("agent-to-agent", 2, [S.RINGING, S.TALKING]),
    ],
)
def test_an_agent_stands_in_a_call(transcript: str, agent: int, stood: list[Standing]) -> None:
    line = iter(standings(transcript, agent))
    assert all(one in line for one in stood), standings(transcript, agent)


@pytest.mark.parametrize(
    ("transcript", "never"),
    [
        ("answered", {S.REACHING, S.CONSULTING, S.ALTERNATED, S.CONSULTED, S.CONFERENCE, S.HOLD}),
        ("pickup", {S.REACHING, S.CONSULTING, S.ALTERNATED, S.CONSULTED, S.CONFERENCE}),
        ("local-members", {S.REACHING, S.CONSULTING, S.ALTERNATED, S.CONSULTED, S.CONFERENCE}),
        ("park-and-retrieve", {S.CONSULTING, S.ALTERNATED, S.CONSULTED}),
        ("hold-retrieve", {S.REACHING, S.CONSULTING, S.ALTERNATED, S.CONSULTED}),
        ("desk-reconnect", {S.CONSULTING, S.ALTERNATED, S.CONSULTED, S.CONFERENCE}),
        ("desk-record", {S.CONSULTING, S.ALTERNATED, S.CONSULTED, S.CONFERENCE}),
        ("desk-room", {S.CONSULTING, S.ALTERNATED, S.CONSULTED}),
        ("linkedid-merge", {S.CONSULTING, S.ALTERNATED, S.CONSULTED}),
    ],
)
def test_a_call_without_a_consultation_never_looks_like_one(transcript: str, never: set[Standing]) -> None:
    for agent in range(1, 6):
        assert not never & set(standings(transcript, agent)), agent


def test_whom_i_talk_to_is_known_before_the_bridge_is() -> None:
    """AgentConnect comes some milliseconds before the two BridgeEnter, more on a busy PBX."""
    _, scene = floor_when("answered", 2, Standing.TALKING)
    assert scene.heard == ()
    assert other_side(scene).device == "PJSIP/cti-trunk"


def devices(scene: Scene) -> tuple[list[str], list[str]]:
    return [leg.device for leg in scene.heard], [leg.device for leg in scene.waiting]


def test_who_is_heard_and_who_waits_while_consulting() -> None:
    _, mine = floor_when("attended-transfer", 2, S.CONSULTING)
    assert mine.mine is not None
    assert mine.mine.device == "PJSIP/1002"
    assert devices(mine) == (["PJSIP/1003"], ["PJSIP/cti-trunk"])
    assert mine.consulted is mine.heard[0]

    theirs = scene_of(mine.call, 3)
    assert theirs.standing is S.CONSULTED
    assert devices(theirs) == (["PJSIP/1002"], ["PJSIP/cti-trunk"])
    assert theirs.consulted is None, "they were asked, they asked nobody"


def test_nobody_is_heard_while_the_colleague_rings() -> None:
    _, scene = floor_when("attended-transfer", 2, S.REACHING)
    assert devices(scene) == ([], ["PJSIP/cti-trunk"])


def test_three_hear_each_other_in_a_conference() -> None:
    for transcript in ("three-way", "conference"):
        (scene,) = [s for s in settled(transcript, 2) if s.standing is S.CONFERENCE]
        assert devices(scene) == (["PJSIP/cti-trunk", "PJSIP/1003"], []), transcript


def test_the_phone_of_a_local_member_is_its_own_leg() -> None:
    _, scene = floor_when("local-members", 1, S.TALKING)
    assert scene.mine is not None
    assert scene.mine.channel.startswith("PJSIP/1001-"), "nobody speaks on the Local half that the queue made"


def test_a_phone_that_rings_for_somebody_else_is_found() -> None:
    _, scene = floor_when("pickup", 2, S.RINGING)
    for_others = scene_of(scene.call, 3)
    assert for_others.ringing is scene.mine
    assert scene.ringing is None, "my own is not somebody else's"


def test_a_parked_call_is_found_with_its_space() -> None:
    found = {
        (scene.parked.parked, scene.standing)
        for floor, _ in played("park-and-retrieve")
        for scene in (scene_of(call, 2) for call in floor.calls.values())
        if scene.parked is not None
    }
    assert found == {("701", S.WRAP_UP)}


def test_a_call_is_found_by_the_name_it_had_before_it_was_merged() -> None:
    names: dict[str, Call] = {}
    merged = 0
    for floor, _ in played("park-and-retrieve"):
        for call in floor.calls.values():
            names.setdefault(call.id, call)
        for name, call in names.items():
            if call.merged_into is not None and call.merged_into in floor.calls:
                merged += 1
                found = followed(floor.books, name)
                assert found is not None
                assert found.id == call.merged_into
    assert merged


def test_an_id_of_another_boot_or_of_nothing_finds_nothing() -> None:
    floor, scene = floor_when("answered", 2, S.TALKING)
    pbx, boot, linkedid = scene.call.id.split(":", 2)
    assert followed(floor.books, scene.call.id) is scene.call
    for wrong in (
        f"{pbx}:{int(boot) + 1}:{linkedid}",
        f"other:{boot}:{linkedid}",
        f"{pbx}:{boot}:",
        "",
        "x",
        "::",
    ):
        assert followed(floor.books, wrong) is None, wrong


def test_who_has_no_part_stands_nowhere() -> None:
    floor = Floor("demo")
    call = Call("demo", 1, "demo-1.1", 0.0)
    floor.books.add_call(call)
    assert scene_of(call, 1) == Scene(call, None, None, S.NONE)
