"""Carries out the floor's orders for queue members at the PBX, one after the other, with role `agent`."""

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

MAX_WAITING = 2000  # orders, about 20 for each of 100 agents. With one more the oldest fails; the floor repeats it

log = structlog.get_logger()


class Members:
    """A queue of orders for one PBX. `run` must be running, or none is carried out.

    An order that fails comes back through `sink` as OrderFailed; one that succeeds shows in the PBX's events.
    """

    def __init__(self, commands: Commands, sink: Callable[[Signal], None], limit: int = MAX_WAITING) -> None:
        self._commands = commands
        self._sink = sink
        self._limit = limit
        self._waiting: deque[Order] = deque()
        self._wake = asyncio.Event()

    def take(self, orders: Iterable[Order]) -> None:
        """Queue orders, in order; returns at once. Of more than `limit` waiting orders the oldest fails."""
        for order in orders:
            if isinstance(order, Pause):
                self._forget_older(order)
            self._waiting.append(order)
            if len(self._waiting) > self._limit:
                self._failed(self._waiting.popleft(), "too many orders wait for the PBX")
        self._wake.set()

    async def run(self) -> None:
        """Carry out orders until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                await self._do(self._waiting.popleft())

    async def _do(self, order: Order) -> None:
        try:
            await self._commands.run(action_of(order))
        except ActionFailed as cause:
            if not _was_done_already(order, str(cause)):
                self._failed(order, str(cause))
        except (NoAccount, OSError, TimeoutError, ValueError) as cause:
            self._failed(order, str(cause) or type(cause).__name__)

    def _failed(self, order: Order, why: str) -> None:
        log.warning(
            "order.failed", order=type(order).__name__, agent=order.agent, interface=order.interface, why=why
        )
        with contextlib.suppress(SinkFull):  # the link starts over then, and the floor orders anew what is due
            self._sink(OrderFailed(time(), order.agent, why))

    def _forget_older(self, order: Pause) -> None:
        """Drop waiting pauses of the same interface: only the newest counts."""
        for waiting in list(self._waiting):
            if isinstance(waiting, Pause) and waiting.interface == order.interface:
                self._waiting.remove(waiting)


def action_of(order: Order) -> Action:
    """The AMI action that carries out an order."""
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


def _was_done_already(order: Order, refusal: str) -> bool:
    """Whether Asterisk refused a join or leave because somebody else had done it before."""
    reason = "Already there" if isinstance(order, Join) else "Not there"
    return reason in refusal and not isinstance(order, Pause)
