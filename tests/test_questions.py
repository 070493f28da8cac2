"""A dialplan's question on its way from FastAGI to the manager: which PBX, how long it waits, what is kept."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from cti_server.asterisk.channels import Channels
from cti_server.floor.signals import LegNumbered, LegStarted, LinkState
from cti_server.live import questions as module
from cti_server.live.questions import Questions

LI = "13800138000"


class Pbx:
    """An attachment as Questions sees it; `answered` is what its callers are known to be, by leg."""

    def __init__(self, name: str, state: LinkState = LinkState.LIVE) -> None:
        self.pbx = SimpleNamespace(name=name)
        self.link = SimpleNamespace(state=state, channels=Channels())
        self.answers: dict[str, Any] = {}
        self.pipeline = SimpleNamespace(callers=SimpleNamespace(answered=self.answers.get))

    def begins(self, leg: str, number: str) -> None:
        self.link.channels.note(LegStarted(1.0, leg, leg, "PJSIP/t-1", False, number, None, None))


def asking(*pbxs: Any) -> Questions:
    return Questions(pbxs, "CN")


async def test_of_several_pbxs_the_named_one_is_asked_and_of_one_always_that() -> None:
    north, south = Pbx("north"), Pbx("south")
    south.begins("s.1", LI)
    both = asking(north, south)
    assert (await both.hear(("south", LI, None, None, None), "s.1", 0)).ruling.code == "first"
    assert (await both.hear(("north", LI, None, None, None), "s.1", 0)).ruling.code == "unknown_channel"
    unknown = (await both.hear(("nrth", LI, None, None, None), "s.1", 30)).ruling
    assert (unknown.answer, unknown.code, unknown.evidence) == (
        "refuse",
        "unknown_pbx",
        {"known": ["north", "south"]},
    )
    assert (await asking(south).hear(("nrth", LI, None, None, None), "s.1", 0)).ruling.code == "first"


async def test_it_waits_for_the_manager_and_not_where_there_is_none() -> None:
    pbx = Pbx("main")
    waiting = asyncio.create_task(asking(pbx).hear(("main", LI, None, None, None), "a.1", 30))
    await asyncio.sleep(0)
    pbx.begins("a.1", "anonymous")
    await asyncio.sleep(0)
    assert not waiting.done()
    pbx.link.channels.note(LegNumbered(2.0, "a.1", "a.1", LI, None))
    assert (await waiting).ruling.code == "first"

    for state in (LinkState.CONNECTING, LinkState.STALE, LinkState.REFUSED):
        away = await asking(Pbx("main", state)).hear(("main", LI, None, None, None), "a.1", 30)
        assert (away.ruling.answer, away.ruling.told) == ("ask", False)


async def test_an_answer_is_repeated_once_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ASKED", 1)
    pbx = Pbx("main")
    pbx.begins("a.1", LI)
    pbx.begins("b.1", LI)
    questions, question = asking(pbx), ("main", LI, None, None, None)
    for _ in range(2):  # the first lookup failed: it is done again
        assert (await questions.hear(question, "a.1", 0)).ruling.answer == "ask"
    pbx.answers["a.1"] = "li"
    again = await questions.hear(question, "a.1", 0)
    assert (again.ruling.code, again.before) == ("asked_before", "li")
    await questions.hear(question, "b.1", 0)
    assert (await questions.hear(question, "a.1", 0)).ruling.code == "first"  # forgotten: only so many are kept
