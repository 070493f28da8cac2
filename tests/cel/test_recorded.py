"""What CEL tells of calls on a real Asterisk 22, held against what the manager told of the same calls.

Each recording has both from one run. What CEL cannot tell is left out of the comparison by name, and why; all else
must be the same, and times within a second."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from cti_server.cel import source
from cti_server.cel.contacts import contact_of
from cti_server.cel.replay import Replay
from cti_server.cel.stories import Stories
from cti_server.floor.apply import Floor
from cti_server.floor.signals import MemberChanged, MemberStatus
from tests.floor.test_transcripts import described, seated

from .logs import look

FOLDER = Path(__file__).parent / "recorded"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))
CLOSE_MS = 1000
MEMBERS = {  # of the demo's queues, as far as their interface is not their phone
    "freepbx": [(f"Local/{n}@from-queue/n", f"PJSIP/{n}") for n in (1001, 1002)],
}

OWN_WORDS = (
    "the dialplan tells the manager of it by an event of its own (CTIFetched, CTIPreferred), which CEL has not"
)
#: what CEL says less, or more: scenario → the fields that are not compared ("times": waits and talk), and why
LESS: dict[str, tuple[set[str], str]] = {
    **{
        name: ({"segments", "outcome", "queue", "queues", "times"}, OWN_WORDS)
        for name in (
            "desk-pick",
            "desk-pick-not-answered",
            "desk-reconnect",
            "given-to-a-queue-comes-back",
            "preferred-agent",
            "preferred-agent-busy",
        )
    },
    "connection-lost": (
        {"ended_by", "outcome", "segments", "times"},
        "the manager's link was cut: CEL knows better",
    ),
    "hostile-names": ({"ani", "ani_name"}, "the manager escapes quotes, and spaces at the end are not kept"),
    "outbound-failed": ({"ended_by"}, "CEL does not say who ended a call that never got through"),
}


def floor() -> Floor:
    made = Floor("demo")
    for signal in seated():
        made.apply(signal)
    for queue, members in MEMBERS.items():
        for interface, seat in members:
            made.apply(MemberChanged(0, queue, interface, seat, seat, MemberStatus.IDLE, False, None))
    return made


def told(name: str) -> list[dict[str, Any]]:
    """The contacts that CEL tells of."""

    async def rows() -> list[Any]:
        where = look(str(FOLDER / f"{name}.csv"))
        return [row async for batch in source.rows(where, 0, 1e11) for row in batch]

    stories = Stories()
    found = [story for row in asyncio.run(rows()) for story in stories.take(row)] + list(stories.rest())
    replay = Replay(floor().books, 0.0)
    calls = [call for story in found for call in replay.calls(story, 1)]
    for call in calls:
        assert contact_of(call).told_by == "cel"
    made = [{"linkedid": call.linkedid, **described(call)} for call in calls if call.first_leg is not None]
    return sorted(made, key=lambda one: one["linkedid"])


def plain(call: dict[str, Any]) -> dict[str, Any]:
    """Without what CEL never has: steps of menus, holds, whether the end was seen."""
    kept = {k: v for k, v in call.items() if k not in ("ivr_path", "hold_ms", "complete", "talk_ms", "wait_ms")}
    kept["segments"] = [
        {k: v for k, v in part.items() if not k.endswith("_ms")}
        for part in sorted(
            call["segments"], key=lambda part: (part["seat"], part["origin"], part["outcome"] or "")
        )
    ]
    return kept


def without(call: dict[str, Any], less: set[str]) -> dict[str, Any]:
    return {name: value for name, value in plain(call).items() if name not in less}


@pytest.mark.parametrize("name", NAMES)
def test_cel_tells_what_the_manager_told(name: str) -> None:
    live = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))["live"]
    live = sorted(live, key=lambda one: one["linkedid"])
    mine = told(name)
    less = LESS.get(name, (set(), ""))[0]
    assert [without(one, less) for one in mine] == [without(one, less) for one in live]
    for one, other in zip(mine, live, strict=True) if "times" not in less else ():
        for what, value, wanted in (
            ("wait", one["wait_ms"], other["wait_ms"]),
            ("talk and hold", one["talk_ms"] + one["hold_ms"], other["talk_ms"] + other["hold_ms"]),
        ):
            assert abs((value or 0) - (wanted or 0)) <= CLOSE_MS, (what, value, wanted)
