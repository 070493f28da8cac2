"""What is asked at the same moment is done together, each with its own answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from cti_server.api import together
from cti_server.api.together import Together


async def test_each_has_its_own_answer_and_they_share_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "MAX_TOGETHER", 3)
    batches: list[list[int]] = []

    async def double(numbers: Sequence[int]) -> list[int]:
        batches.append(list(numbers))
        await asyncio.sleep(0)
        return [2 * number for number in numbers]

    doubled = Together(double, "doubling")
    assert await asyncio.gather(*(doubled(number) for number in range(5))) == [0, 2, 4, 6, 8]
    assert await doubled(7) == 14
    assert batches == [[0, 1, 2], [3, 4], [7]]


async def test_an_error_is_everybodys_and_the_next_are_not_touched() -> None:
    failures = [OSError("the database is away")]

    async def work(asked: Sequence[int]) -> list[int]:
        if failures:
            raise failures.pop()
        return list(asked)

    same = Together(work, "the same")
    first = await asyncio.gather(same(1), same(2), return_exceptions=True)
    assert [str(one) for one in first] == ["the database is away"] * 2
    assert await same(3) == 3


async def test_who_is_gone_keeps_nobody_waiting() -> None:
    begun = asyncio.Event()

    async def work(asked: Sequence[int]) -> list[int]:
        await begun.wait()
        return list(asked)

    same = Together(work, "the same")
    gone, stays = asyncio.ensure_future(same(1)), asyncio.ensure_future(same(2))
    await asyncio.sleep(0)
    gone.cancel()
    begun.set()
    assert await stays == 2
