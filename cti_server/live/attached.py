"""The PBXs that this process may act on: which one carries a call, and where an agent is at work."""

from __future__ import annotations

from collections.abc import Sequence

from cti_server.attachment import Attachment
from cti_server.floor.books import Books
from cti_server.floor.calls import Call


class Attached:
    """Reads the books of the floors, which only the process that is attached to a PBX has."""

    def __init__(self, attachments: Sequence[Attachment]) -> None:
        self._attachments = {attachment.pbx.name: attachment for attachment in attachments}

    def find(self, call: str) -> tuple[Attachment, Call] | None:
        """The live call with this id, and the PBX that carries it."""
        attachment = self._attachments.get(call.split(":", 1)[0])
        found = attachment.pipeline.books.calls.get(call) if attachment is not None else None
        return (attachment, found) if attachment is not None and found is not None else None

    def at_pbx(self, pbx: str | None) -> Attachment:
        """The PBX of this name; the first PBX for an agent who belongs to none."""
        return self._attachments.get(pbx or "") or next(iter(self._attachments.values()))

    def at_work(self, agent: int) -> Attachment | None:
        """The PBX at which this agent is at work."""
        return next((a for a in self._attachments.values() if _has_shift(a.pipeline.books, agent)), None)


def _has_shift(books: Books, agent: int) -> bool:
    found = books.agents.get(agent)
    return found is not None and found.shift is not None
