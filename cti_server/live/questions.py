"""Holds each question of a dialplan against what the manager of its PBX says (`rules/question.py`)."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

from cti_server.asterisk.channels import Numbers
from cti_server.attachment import Attachment
from cti_server.commands import CommandRefused
from cti_server.floor.signals import LinkState
from cti_server.ivr.identify import Caller, Heard
from cti_server.rules.question import Asked, Question, Ruling, agrees, judge

from .delivery import attached_to
from .mailbox import Mailbox, NotAnswered

HEAR = "hear"
OWNER_S = 0.1  # for the way to the owner and back, beside the manager's own grace
MAX_ASKED = 5000  # questions kept; one that is forgotten is looked up again when it is asked again


class Questions:
    """Call `hear` with each question, before anything is looked up."""

    def __init__(self, attachments: Sequence[Attachment], region: str, mailbox: Mailbox | None = None) -> None:
        """`region` is how numbers without a country code are read. With a `mailbox`, the process that hears the
        manager is asked."""
        self._attachments = {attachment.pbx.name: attachment for attachment in attachments}
        self._region = region
        self._mailbox = mailbox
        if mailbox is not None:
            mailbox.handlers[HEAR] = self._hear_for_another
        self._asked: OrderedDict[tuple[str, str], Asked] = OrderedDict()

    async def hear(self, caller: Caller, uniqueid: str, grace_s: float) -> Heard:
        """Decide about a question. The manager has `grace_s` to name the channel and its number."""
        pbx = caller[0]
        attachment = attached_to(self._attachments, pbx)
        if attachment is None:
            return Heard(Ruling("refuse", "unknown_pbx", {"known": sorted(self._attachments)}), None)
        if self._mailbox is not None and not self._mailbox.is_here(attachment.pbx.name):
            return await self._ask_the_owner(attachment.pbx.name, caller, uniqueid, grace_s)
        return await self._hear(attachment, caller, uniqueid, grace_s)

    async def _ask_the_owner(self, pbx: str, caller: Caller, uniqueid: str, grace_s: float) -> Heard:
        """As where the manager is away, if nobody who hears it answers in time: the caller gets their queue."""
        assert self._mailbox is not None
        body = {"caller": list(caller), "uniqueid": uniqueid, "grace_s": grace_s}
        try:
            async with asyncio.timeout(grace_s + OWNER_S):
                said = await self._mailbox.ask(pbx, HEAR, body)
        except (CommandRefused, NotAnswered, TimeoutError):
            return Heard(Ruling("ask", "manager_away", told=False), None)
        if said["answer"] == "repeat":  # what was found before is with the owner, and on its floor
            return Heard(Ruling("ask", said["code"], said["evidence"], told=False), None)
        return Heard(Ruling(said["answer"], said["code"], said["evidence"], said["told"]), None)

    async def _hear_for_another(self, attachment: Attachment, body: Mapping[str, Any]) -> dict[str, Any]:
        pbx, ani, name, dnis, secret = body["caller"]
        heard = await self._hear(attachment, (pbx, ani, name, dnis, secret), body["uniqueid"], body["grace_s"])
        ruling = heard.ruling
        return {
            "answer": ruling.answer,
            "code": ruling.code,
            "evidence": dict(ruling.evidence),
            "told": ruling.told,
        }

    async def _hear(self, attachment: Attachment, caller: Caller, uniqueid: str, grace_s: float) -> Heard:
        _, ani, _, dnis, secret = caller
        question = Question(ani, dnis, secret)

        def clear(said: Numbers | None) -> bool:
            return agrees(question, said, self._region)

        connected = attachment.link.state is LinkState.LIVE
        channels = attachment.link.channels
        said = await channels.until(uniqueid, clear, grace_s if connected else 0.0)
        key = attachment.pbx.name, uniqueid
        found = attachment.pipeline.callers.answered(uniqueid)
        before = self._asked.get(key) if found is not None else None
        ruling = judge(question, said, before, connected=connected, region=self._region)
        if ruling.answer == "ask" and ruling.told:
            self._asked[key] = Asked.of(question)
            self._asked.move_to_end(key)
            while len(self._asked) > MAX_ASKED:
                self._asked.popitem(last=False)
        return Heard(ruling, found if ruling.answer == "repeat" else None)
