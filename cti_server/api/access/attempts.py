"""Limits how often passwords may be tried: budgets of a login, of an address and of its network.

A try is counted before it is known how it ends, so that sixty at once are no more than one after the other; one
that was right is given back. Who comes from a device on which this very person signed in before has a budget of
their own: strangers who guess cannot lock anybody out of the desk where they sit.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

KEPT: Final = 10_000  # keys of each kind; beyond it the oldest is forgotten, which lets that one guess sooner


@dataclass(frozen=True, slots=True)
class Budget:
    """So many tries at once, then one each `every` seconds, which each wrong one doubles up to `longest`."""

    at_once: int
    every: float
    longest: float


LOGIN: Final = Budget(5, 2.0, 300.0)
ADDRESS: Final = Budget(50, 6.0, 6.0)  # a call center behind one address begins its shift together
NETWORK: Final = Budget(200, 2.0, 2.0)


@dataclass(frozen=True, slots=True)
class Try:
    """One try that was counted, under these keys."""

    keys: tuple[tuple[Budget, str], ...]


class Attempts:
    """Times come from any monotonic clock, in seconds."""

    def __init__(self) -> None:
        self._spent: dict[Budget, OrderedDict[str, tuple[float, float]]] = {
            budget: OrderedDict() for budget in (LOGIN, ADDRESS, NETWORK)
        }

    def take(self, login: str, address: str, device: str | None, now: float) -> Try | float:
        """The try, or the seconds until the next one is allowed. `device` is that of a person known there."""
        keys: tuple[tuple[Budget, str], ...] = ((LOGIN, f"{login}\n{device}"),)
        if device is None:
            keys = ((LOGIN, login), (ADDRESS, address), (NETWORK, network_of(address)))
        return self._take(keys, now)

    def _take(self, keys: tuple[tuple[Budget, str], ...], now: float) -> Try | float:
        if (wait := max(self._wait(budget, key, now) for budget, key in keys)) > 0:
            return wait
        for budget, key in keys:
            count, _ = self._counted(budget, key, now)
            self._note(budget, key, count + 1, now)
        return Try(keys)

    def take_address(self, address: str, now: float) -> Try | float:
        """A try that names no login: only its address and network count."""
        keys = ((ADDRESS, address), (NETWORK, network_of(address)))
        return self._take(keys, now)

    def right(self, tried: Try, now: float) -> None:
        """The try was right: the login begins anew, and address and network get theirs back."""
        for budget, key in tried.keys:
            count, _ = self._counted(budget, key, now)
            self._note(budget, key, 0.0 if budget is LOGIN else max(0.0, count - 1), now)

    def undone(self, tried: Try, now: float) -> None:
        """The try did not come to a check."""
        for budget, key in tried.keys:
            count, _ = self._counted(budget, key, now)
            self._note(budget, key, max(0.0, count - 1), now)

    def _wait(self, budget: Budget, key: str, now: float) -> float:
        count, last = self._counted(budget, key, now)
        over = count - budget.at_once
        if over < 0:
            return 0.0
        pause: float = min(budget.longest, budget.every * 2.0 ** min(over, 30.0))
        return max(0.0, last + pause - now)

    def _counted(self, budget: Budget, key: str, now: float) -> tuple[float, float]:
        """How many tries count now, and when the last one was. Those of an address come back with the time; those
        of a login only once it has been left alone for as long as the longest wait."""
        count, last = self._spent[budget].get(key, (0.0, now))
        if budget is LOGIN:
            return (0.0 if now - last >= 2 * budget.longest else count), last
        return max(0.0, count - (now - last) / budget.every), last

    def _note(self, budget: Budget, key: str, count: float, now: float) -> None:
        spent = self._spent[budget]
        spent.pop(key, None)
        if count > 0:
            spent[key] = (count, now)
            if len(spent) > KEPT:
                spent.popitem(last=False)


def network_of(address: str) -> str:
    """The network that one person may have: a /24 of IPv4, a /64 of IPv6."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network(f"{parsed}/{24 if parsed.version == 4 else 64}", strict=False))
