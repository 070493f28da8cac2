"""Brings the results of the dialplan's lookups to the pipeline of the PBX that asked."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from cti_server.attachment import Attachment
from cti_server.lookup.identify import Identified

log = structlog.get_logger()


class Delivery:
    """Call it with each finished lookup; `who` is None when the lookup found nobody in time."""

    def __init__(self, attachments: Sequence[Attachment]) -> None:
        self._attachments = {attachment.pbx.name: attachment for attachment in attachments}

    async def __call__(self, pbx: str, uniqueid: str, who: Identified | None) -> None:
        attachment = self._attachments.get(pbx)
        if attachment is None and len(self._attachments) == 1:
            attachment = next(iter(self._attachments.values()))
        if attachment is None:
            log.warning("lookup.unknown_pbx", pbx=pbx, known=sorted(self._attachments))
        elif who is not None and uniqueid:
            attachment.pipeline.identified(uniqueid, who)
