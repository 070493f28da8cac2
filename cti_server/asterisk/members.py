"""What the floor orders for queue members, done at the PBX one after the other, on the account of role `agent`."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Iterable
from time import time

import structlog

from cti_server.floor.desk_signals import OrderFailed
from cti_server.floor.orders import Join, Leave, Order, Pause
from cti_server.floor.signals import Signal

from .actions import Action, QueueAdd, QueuePause, QueueRemove
from .commands import Commands, NoAccount
from .link import SinkFull
from .session import ActionFailed

MAX_WAITING = 2000  # orders; some 20 for each of 100 agents. Past it the oldest fails, and is due again later

log = structlog.get_logger()


class Members:
    """Takes orders and never lets anybody wait; `run` does them. What cannot be done comes back as OrderFailed."""

    def __init__(self, commands: Commands, sink: Callable[[Signal], None], limit: int = MAX_WAITING) -> None:
        self._commands = commands
        self._sink = sink
        self._limit = limit
        self._waiting: deque[Order] = deque()
        self._wake = asyncio.Event()

    def take(self, orders: Iterable[Order]) -> None:
        for order in orders:
            if isinstance(order, Pause):
                self._forget_older(order)
            self._waiting.append(order)
            if len(self._waiting) > self._limit:
                self._failed(self._waiting.popleft(), "too many orders wait for the PBX")
        self._wake.set()

    async def run(self) -> None:
        """Do what is ordered, for as long as this runs."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                await self._do(self._waiting.popleft())

    async def _do(self, order: Order) -> None:
        try:
            await self._commands.run(action_of(order))
        except ActionFailed as cause:
            if not _is_so_already(order, str(cause)):
                self._failed(order, str(cause))
        except (NoAccount, OSError, TimeoutError, ValueError) as cause:
            self._failed(order, str(cause) or type(cause).__name__)

    def _failed(self, order: Order, why: str) -> None:
        log.warning(
            "order.failed", order=type(order).__name__, agent=order.agent, interface=order.interface, why=why
        )
        with contextlib.suppress(SinkFull):  # the link starts over then, and what is due is ordered anew
            self._sink(OrderFailed(time(), order.agent, why))

    def _forget_older(self, order: Pause) -> None:
        """Only the last of several pauses of one interface counts."""
        for waiting in list(self._waiting):
            if isinstance(waiting, Pause) and waiting.interface == order.interface:
                self._waiting.remove(waiting)


def action_of(order: Order) -> Action:
    match order:
        case Pause():
            return QueuePause(order.interface, order.paused, order.reason)
        case Join():
            return QueueAdd(
                order.queue, order.interface, order.name, order.penalty, paused=True, reason=order.reason
            )
        case Leave():
            return QueueRemove(order.queue, order.interface)
    raise TypeError(f"no action for {type(order).__name__}")


def _is_so_already(order: Order, said: str) -> bool:
    """What was wanted is there without us: somebody else was faster."""
    already = "Already there" if isinstance(order, Join) else "Not there"
    return already in said and not isinstance(order, Pause)
