"""Answers what many ask at the same moment in one transaction: after a restart all desktops come back at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

WITHIN_S = 5.0  # one batch that hangs on a dead connection must not hold up all that come after it
MAX_TOGETHER = 200  # questions answered in one transaction; the next ones wait for it

Ask = TypeVar("Ask")
Answer = TypeVar("Answer")


class Together(Generic[Ask, Answer]):
    """Call it with one question to get its answer.

    `work` gets all questions that were asked meanwhile, and gives their answers in the same order. What it raises
    is raised to everyone who asked. `what` names the task.
    """

    def __init__(self, work: Callable[[Sequence[Ask]], Awaitable[Sequence[Answer]]], what: str) -> None:
        self._work = work
        self._what = what
        self._waiting: list[tuple[Ask, asyncio.Future[Answer]]] = []
        self._task: asyncio.Task[None] | None = None

    async def __call__(self, ask: Ask) -> Answer:
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((ask, answer))
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=self._what)
        return await answer

    async def _run(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:MAX_TOGETHER], self._waiting[MAX_TOGETHER:]
                await self._answer(batch)
        finally:
            self._task = None

    async def _answer(self, batch: list[tuple[Ask, asyncio.Future[Answer]]]) -> None:
        try:
            async with asyncio.timeout(WITHIN_S):
                answers = await self._work([ask for ask, _ in batch])
        except Exception as cause:
            for _, future in batch:
                if not future.done():
                    future.set_exception(cause)
            return
        for (_, future), answer in zip(batch, answers, strict=True):
            if not future.done():  # whoever asked may be gone
                future.set_result(answer)
