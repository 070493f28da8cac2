"""How duties wait that are told when there is something to do, and look by themselves from time to time, too."""

from __future__ import annotations

import asyncio
from contextlib import suppress


async def woken(wake: asyncio.Event, within_s: float) -> None:
    """Return once somebody sets `wake`, or after so many seconds. It is clear again then."""
    with suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            await wake.wait()
    wake.clear()
