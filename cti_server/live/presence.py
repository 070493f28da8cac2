"""Tells the floors whether an agent has a desktop connected: an agent who has none for long is not ready."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence

from cti_server.asterisk.link import SinkFull
from cti_server.attachment import Attachment
from cti_server.floor.desk_signals import DesktopSeen


class Presence:
    """Called by the hub when an agent's first desktop connects, and when their last one is gone."""

    def __init__(self, attachments: Sequence[Attachment]) -> None:
        self._attachments = attachments

    def __call__(self, agent: int, connected: bool) -> None:
        for attachment in self._attachments:
            # A full inbox starts the link over, and `Pipeline.read_again` tells the floor of presence then.
            with contextlib.suppress(SinkFull):
                attachment.pipeline.put(DesktopSeen(time.time(), agent, connected))
