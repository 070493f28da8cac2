"""Brings the results of the dialplan's lookups to the pipeline of the PBX that asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import structlog

from cti_server.attachment import Attachment
from cti_server.lookup.identify import Identified

log = structlog.get_logger()


def attached_to(attachments: Mapping[str, Attachment], pbx: str) -> Attachment | None:
    """The attachment of the PBX of this name. Where there is only one, a question comes from that, whatever name
    it gives: `CTI_PBX` of `cti_site.conf` is easily forgotten."""
    if len(attachments) == 1:
        return next(iter(attachments.values()))
    return attachments.get(pbx)


class Delivery:
    """Call it with each finished lookup; `who` is None when the lookup found nobody in time."""

    def __init__(self, attachments: Sequence[Attachment]) -> None:
        self._attachments = {attachment.pbx.name: attachment for attachment in attachments}

    async def __call__(self, pbx: str, uniqueid: str, who: Identified | None) -> None:
        attachment = attached_to(self._attachments, pbx)
        if attachment is None:
            log.warning("lookup.unknown_pbx", pbx=pbx, known=sorted(self._attachments))
        elif who is not None and uniqueid:
            attachment.pipeline.identified(uniqueid, who)
