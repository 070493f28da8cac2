"""When an owner that does not hear its PBX lets another process have it."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import cast

import pytest

from cti_server import unheard as module
from cti_server.asterisk.link import Link
from cti_server.floor.signals import LinkState
from cti_server.record.database import Database

LOST_S, NEVER_S = 0.2, 0.6


@pytest.fixture
def link(monkeypatch: pytest.MonkeyPatch) -> Link:
    monkeypatch.setattr(module, "LOOK_EVERY_S", 0.01)
    monkeypatch.setattr(module, "LOST_FOR_S", LOST_S)
    monkeypatch.setattr(module, "NEVER_FOR_S", NEVER_S)
    return cast(Link, SimpleNamespace(state=LinkState.LIVE, detail=None))


def awaited(monkeypatch: pytest.MonkeyPatch, answer: bool) -> None:
    async def is_awaited(database: Database, pbx: str) -> bool:
        return answer

    monkeypatch.setattr(module, "_is_awaited", is_awaited)


async def lets_go_within(link: Link, limit_s: float, lost: LinkState | None) -> float | None:
    """Seconds from the beginning, or from the loss, until it lets go."""
    loop = asyncio.get_running_loop()
    watching = asyncio.create_task(
        module.until_another_may_hear(link, cast(Database, None), "demo"), name="hearing"
    )
    await asyncio.sleep(0.05)
    if lost is not None:
        link.state = lost
    began = loop.time()
    done, _ = await asyncio.wait({watching}, timeout=limit_s)
    if not done:
        watching.cancel()
        return None
    assert isinstance(watching.exception(), module.Unheard)
    return loop.time() - began


async def test_a_link_that_is_lost_is_left_to_whoever_waits(link: Link, monkeypatch: pytest.MonkeyPatch) -> None:
    awaited(monkeypatch, True)
    took = await lets_go_within(link, 2, LinkState.STALE)
    assert took is not None
    assert LOST_S - 0.05 <= took < NEVER_S


async def test_one_that_was_never_live_is_left_later(link: Link, monkeypatch: pytest.MonkeyPatch) -> None:
    awaited(monkeypatch, True)
    link.state = LinkState.CONNECTING
    took = await lets_go_within(link, 2, None)
    assert took is not None
    assert took >= NEVER_S - 0.1


async def test_one_that_the_pbx_does_not_let_in_leaves_it_soon(
    link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "REFUSED_FOR_S", 0.1)
    awaited(monkeypatch, True)
    link.state = LinkState.CONNECTING
    took = await lets_go_within(link, 2, LinkState.REFUSED)
    assert took is not None
    assert took < LOST_S


@pytest.mark.parametrize(("waits", "lost"), [(False, LinkState.STALE), (True, None)])
async def test_it_is_kept(
    link: Link, monkeypatch: pytest.MonkeyPatch, waits: bool, lost: LinkState | None
) -> None:
    """Nobody waits for it; or it is heard."""
    awaited(monkeypatch, waits)
    assert await lets_go_within(link, 1, lost) is None
