"""Holds each question of a dialplan against what the manager of its PBX says (`rules/question.py`)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from cti_server.asterisk.channels import Numbers
from cti_server.attachment import Attachment
from cti_server.floor.signals import LinkState
from cti_server.ivr.identify import Caller, Heard
from cti_server.rules.question import Asked, Question, Ruling, agrees, judge

from .delivery import attached_to

MAX_ASKED = 5000  # questions kept; one that is forgotten is looked up again when it is asked again


class Questions:
    """Call `hear` with each question, before anything is looked up."""

    def __init__(self, attachments: Sequence[Attachment], region: str) -> None:
        """`region` is how numbers without a country code are read."""
        self._attachments = {attachment.pbx.name: attachment for attachment in attachments}
        self._region = region
        self._asked: OrderedDict[tuple[str, str], Asked] = OrderedDict()

    async def hear(self, caller: Caller, uniqueid: str, grace_s: float) -> Heard:
        """Decide about a question. The manager has `grace_s` to name the channel and its number."""
        pbx, ani, _, dnis, secret = caller
        attachment = attached_to(self._attachments, pbx)
        if attachment is None:
            return Heard(Ruling("refuse", "unknown_pbx", {"known": sorted(self._attachments)}), None)
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
