"""Tells the floors whether an agent has a desktop connected: an agent without one is soon made not ready."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence

from cti_server.asterisk.link import SinkFull
from cti_server.attachment import Attachment
from cti_server.floor.desk_signals import DesktopSeen


class Presence:
    """The hub calls it when an agent's first desktop connects, and when their last one is gone."""

    def __init__(self, attachments: Sequence[Attachment]) -> None:
        self._attachments = attachments

    def __call__(self, agent: int, connected: bool) -> None:
        for attachment in self._attachments:
            # With a full inbox the signal is dropped: `Pipeline.read_again` corrects the floor later.
            with contextlib.suppress(SinkFull):
                attachment.pipeline.put(DesktopSeen(time.time(), agent, connected))
