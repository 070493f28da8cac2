"""What is known of a channel's number: from events, from lists that were read meanwhile, and for how long."""

from __future__ import annotations

import asyncio

import pytest

from cti_server.asterisk import channels as module
from cti_server.asterisk.channels import Channels
from cti_server.floor.signals import LegEnded, LegNumbered, LegRow, LegStarted, Snapshot


def started(leg: str = "a.1", number: str | None = "100") -> LegStarted:
    return LegStarted(1.0, leg, leg, "PJSIP/t-1", False, number, None, None)


def numbered(number: str | None, leg: str = "a.1") -> LegNumbered:
    return LegNumbered(2.0, leg, leg, number, None)


def listed(number: str | None, leg: str = "a.1") -> Snapshot:
    return Snapshot(3.0, 1, (LegRow(leg, leg, "PJSIP/t-1", False, number, None, None, None, 1.0),))


@pytest.mark.parametrize(
    ("signals", "said"),
    [
        ([], None),
        ([started()], ["100"]),
        ([started(), numbered("100"), numbered("withheld")], ["100", "withheld"]),
        ([numbered("200"), listed("100")], ["100", "200"]),  # the list was older than the event
        ([started(), numbered("200"), listed("100")], ["100", "200"]),
        ([listed(None)], [None]),
        ([started(), LegEnded(9.0, "a.1", "a.1", 16)], None),
        ([started("b.1")], None),
    ],
)
def test_what_was_said(signals: list[LegStarted], said: list[str | None] | None) -> None:
    channels = Channels()
    for signal in signals:
        channels.note(signal)
    assert channels.said("a.1") == said


def test_a_new_connection_forgets_what_the_one_before_said() -> None:
    channels = Channels()
    channels.note(started())
    channels.begin()
    assert channels.said("a.1") is None


def test_it_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_CHANNELS", 1)
    channels = Channels()
    for n in range(50):
        channels.note(started("a.1", str(n)))
    assert channels.said("a.1") == ["0", *map(str, range(43, 50))]
    channels.note(started("b.1"))
    assert (channels.said("a.1"), channels.said("b.1"), len(channels)) == (None, ["100"], 1)


async def test_a_question_waits_until_the_manager_has_said_it() -> None:
    channels = Channels()
    waiting = asyncio.create_task(channels.until("a.1", lambda said: bool(said and said[-1] == "200"), 30))
    await asyncio.sleep(0)
    channels.note(started())
    await asyncio.sleep(0)
    assert not waiting.done()
    channels.note(numbered("200"))
    assert await waiting == ["100", "200"]
    assert not channels._waiting


async def test_and_no_longer_than_it_may() -> None:
    channels = Channels()
    channels.note(started("b.1"))
    assert await channels.until("a.1", bool, 0.01) is None
    assert not channels._waiting
