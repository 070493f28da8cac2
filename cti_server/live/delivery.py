"""Brings the results of the dialplan's lookups to the floor of the PBX that asked, whichever process has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import structlog

from cti_server.attachment import Attachment
from cti_server.lookup.identify import Identified, Lookup

from .mailbox import Mailbox

IDENTIFIED = "identified"

log = structlog.get_logger()
T = TypeVar("T")


def attached_to(attachments: Mapping[str, T], pbx: str) -> T | None:
    """The attachment of the PBX of this name. Where there is only one, a question comes from that, whatever name
    it gives: `CTI_PBX` of `cti_site.conf` is easily forgotten."""
    if len(attachments) == 1:
        return next(iter(attachments.values()))
    return attachments.get(pbx)


class Delivery:
    """Call it with each finished lookup; `who` is None when the lookup found nobody in time."""

    def __init__(self, attachments: Sequence[Attachment], mailbox: Mailbox, lookup: Lookup) -> None:
        self._attachments = {attachment.pbx.name: attachment for attachment in attachments}
        self._mailbox = mailbox
        self._lookup = lookup
        mailbox.handlers[IDENTIFIED] = self._take

    async def __call__(self, pbx: str, uniqueid: str, who: Identified | None) -> None:
        attachment = attached_to(self._attachments, pbx)
        if attachment is None:
            log.warning("lookup.unknown_pbx", pbx=pbx, known=sorted(self._attachments))
        elif who is not None and uniqueid:
            if attachment.owner:
                attachment.pipeline.identified(uniqueid, who)
            else:
                await self._mailbox.tell(attachment.pbx.name, IDENTIFIED, _brief(uniqueid, who))

    async def _take(self, attachment: Attachment, body: Mapping[str, Any]) -> None:
        """Another process has answered the dialplan: who calls is read again here, as it answered."""
        found = await self._lookup.identify(attachment.pbx.name, body["ani"], body["ani_name"], body["dnis"])
        customer = body["customer"]
        if customer is not None and (found.customer is None or found.customer.id != customer):
            found = await self._lookup.showing(found, customer) or found
        attachment.pipeline.identified(body["leg"], found)


def _brief(leg: str, who: Identified) -> dict[str, Any]:
    customer = who.customer.id if who.customer is not None else None
    return {
        "leg": leg,
        "ani": who.number.raw,
        "ani_name": who.ani_name,
        "dnis": who.dnis,
        "customer": customer,
    }
