"""Asks the process that is attached to a PBX, whichever that is, and answers for the PBXs that this one has.

    here                              record                      the owner
    ask ── row `asked` ─────────────▶ ┌───────┐ ── notice ──────▶ claims it under its lease, and does it
         ◀──────────── notice ─────── └───────┘ ◀─ `answered` ──

What is asked here of a PBX that this process has does not take the way through the record.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import structlog

from cti_server.attachment import Attachment
from cti_server.commands import CommandRefused
from cti_server.record.database import Database
from cti_server.record.leases import LeaseLost
from cti_server.record.processes import asked
from cti_server.record.processes.notices import Notices
from cti_server.rules.facts import Reason

from .waking import woken

ASKED: Final = "asked"
ANSWERED: Final = "answered"
WITHIN_S: Final = 3.0  # for an owner to claim a question; after it the question is taken back
ANSWER_WITHIN_S: Final = 5.0  # for a claimed one to be answered
LOOK_EVERY_S: Final = 1.0  # also without a notice

log = structlog.get_logger()

Handler = Callable[[Attachment, Mapping[str, Any]], Awaitable[Any]]
"""Does what is asked, and returns the answer as JSON. It may raise CommandRefused."""


class NotAnswered(Exception):
    """The owner claimed the question and has not answered: it may have done it, or not."""


class Mailbox:
    """Run `run` as a duty. `handlers` are by what is asked."""

    def __init__(self, database: Database, notices: Notices, attachments: Sequence[Attachment]) -> None:
        self.handlers: dict[str, Handler] = {}
        self._database = database
        self._notices = notices
        self._attachments = {attachment.pbx.name: attachment for attachment in attachments}
        self._waiting: dict[int, asyncio.Event] = {}
        self._wake = asyncio.Event()
        self._doing: set[asyncio.Task[None]] = set()
        notices.on(ASKED, lambda said: self._wake.set())
        notices.on(ANSWERED, self._answered)

    async def close(self) -> None:
        await asyncio.gather(*self._doing, return_exceptions=True)

    def is_here(self, pbx: str) -> bool:
        """Whether what is asked of this PBX is answered by this process itself. One that was frozen finds its term
        ended, and asks whoever has the PBX now."""
        if self._notices.alone:
            return True
        attachment = self._attachments[pbx]
        lease = attachment.pipeline.lease
        return attachment.owner and lease is not None and lease.valid

    # --- asking ----------------------------------------------------------------------------------------

    async def ask(self, pbx: str, kind: str, body: Mapping[str, Any], within_s: float = WITHIN_S) -> Any:
        """The owner's answer. Raises CommandRefused, as the owner did, or because there is none; NotAnswered."""
        attachment = self._attachments[pbx]
        if self.is_here(pbx):
            return await self.handlers[kind](attachment, body)
        try:
            async with self._database.begin() as conn:
                number = await asked.ask(conn, pbx, kind, body)
        except Exception as cause:
            self._database.trouble.note(cause)
            raise CommandRefused(
                "record_away", "the record cannot be written; nothing was done", "Use the keys of your phone."
            ) from cause
        self._notices.tell(ASKED, pbx)
        question = await self._until(number, lambda found: found.state != "asked", within_s)
        if question is None or question.state == "asked":
            async with self._database.begin() as conn:
                if await asked.withdraw(conn, number):
                    why = f"no server that runs is attached to {pbx}; nothing was done"
                    raise CommandRefused("pbx_unreachable", why, "Try again in a moment.")
        if question is None or question.state != "answered":
            question = await self._until(number, lambda found: found.state == "answered", ANSWER_WITHIN_S)
        if question is None or question.answer is None:
            raise NotAnswered(f"question {number} of {pbx}")
        return _opened(question.answer)

    async def tell(self, pbx: str, kind: str, body: Mapping[str, Any]) -> None:
        """Ask without waiting for an answer. Raises what the database raises."""
        attachment = self._attachments[pbx]
        if self.is_here(pbx):
            await self.handlers[kind](attachment, body)
            return
        async with self._database.begin() as conn:
            await asked.ask(conn, pbx, kind, body)
        self._notices.tell(ASKED, pbx)

    async def _until(
        self, number: int, holds: Callable[[asked.Question], bool], within_s: float
    ) -> asked.Question | None:
        """The question once it is so, or as it was last read."""
        told = self._waiting[number] = asyncio.Event()
        found: asked.Question | None = None
        loop = asyncio.get_running_loop()
        ends = loop.time() + within_s
        try:
            while (left := ends - loop.time()) > 0:
                await woken(told, min(left, LOOK_EVERY_S))
                async with self._database.read() as conn:
                    found = await asked.find(conn, number)
                if found is not None and holds(found):
                    break
        finally:
            del self._waiting[number]
        return found

    def _answered(self, said: str) -> None:
        numbers = [int(said)] if said.isdecimal() else list(self._waiting)
        for number in numbers:
            if (told := self._waiting.get(number)) is not None:
                told.set()

    # --- answering -------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Claim and do what other processes ask, until cancelled. Raises what the database raises."""
        while True:
            await woken(self._wake, LOOK_EVERY_S)
            if self._notices.alone:
                continue
            for attachment in self._attachments.values():
                await self._serve(attachment)

    async def _serve(self, attachment: Attachment) -> None:
        lease = attachment.pipeline.lease
        if not attachment.owner or lease is None:
            return
        try:
            async with self._database.begin() as conn:
                claimed = await asked.claim(conn, lease)
        except LeaseLost:
            return
        for question in claimed:
            task = asyncio.create_task(self._do(attachment, question), name=f"asked {question.id}")
            self._doing.add(task)
            task.add_done_callback(self._doing.discard)

    async def _do(self, attachment: Attachment, question: asked.Question) -> None:
        try:
            answer = {"ok": await self.handlers[question.kind](attachment, question.body)}
        except CommandRefused as refused:
            answer = {"refused": _closed(refused)}
        except Exception as cause:
            log.exception("asked.failed", kind=question.kind, pbx=question.pbx)
            why = {"code": "internal", "detail": f"the server failed: {type(cause).__name__}"}
            answer = {"refused": {**why, "remedy": None, "reason": None}}
        async with self._database.begin() as conn:
            await asked.answer(conn, question.id, answer)
        self._notices.tell(ANSWERED, str(question.id))


def _closed(refused: CommandRefused) -> dict[str, Any]:
    reason = {"code": refused.reason.code, "params": dict(refused.reason.params)} if refused.reason else None
    return {"code": refused.code, "detail": refused.detail, "remedy": refused.remedy, "reason": reason}


def _opened(answer: Mapping[str, Any]) -> Any:
    if (refused := answer.get("refused")) is not None:
        why = refused["reason"]
        reason = Reason(why["code"], why["params"]) if why is not None else None
        raise CommandRefused(refused["code"], refused["detail"], refused["remedy"], reason)
    return answer["ok"]
