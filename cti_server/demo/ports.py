"""Ports of 127.0.0.1 that no two programs of this machine are given: blocks of them, each held by a lock file.

A port that is only looked for and then let go may be another's before its program binds it. So each process takes
its ports in turn from a block that is its own while it lives; the kernel lets go of the lock, whatever ends it.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
import secrets
import socket
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

FIRST, LAST, BLOCK = 10000, 20000, 250
VOICE_FIRST, VOICE_LAST, VOICE_BLOCK = 20000, 32000, 1000  # below the ports of outgoing connections


@contextlib.contextmanager
def free_ports(count: int) -> Iterator[list[int]]:
    """Ports free for TCP and UDP, below those of outgoing connections; bound until the block ends, and after that
    not given again to anybody until this process has been through all of its own."""
    with contextlib.ExitStack() as bound:
        ports: list[int] = []
        while len(ports) < count:
            port = _own_ports(os.getpid()).next()
            with contextlib.ExitStack() as tried, contextlib.suppress(OSError):
                for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                    tried.enter_context(socket.socket(socket.AF_INET, kind)).bind(("127.0.0.1", port))
                bound.push(tried.pop_all())
                ports.append(port)
        yield ports


@contextlib.contextmanager
def voice_ports() -> Iterator[tuple[int, int]]:
    """A range of ports for voice that no other instance of this machine uses, held by a lock until the block ends.

    When all are taken the last is shared: Asterisk tries another port where one is in use.
    """
    first, lock = _locked_block("cti-demo-voice", VOICE_FIRST, VOICE_LAST, VOICE_BLOCK)
    with lock:
        yield first, first + VOICE_BLOCK - 1


class _OwnPorts:
    """The block of one process, gone through from its beginning to its end and over again."""

    def __init__(self) -> None:
        self._first, self._lock = _locked_block("cti-demo-ports", FIRST, LAST, BLOCK)
        self._turn = 0
        self._one = threading.Lock()  # phones are started in threads

    def next(self) -> int:
        with self._one:
            self._turn += 1
            return self._first + self._turn % BLOCK


@functools.lru_cache(maxsize=1)
def _own_ports(process: int) -> _OwnPorts:
    """By process: a fork must not go on with the block of its parent."""
    return _OwnPorts()


def _locked_block(name: str, first: int, end: int, size: int) -> tuple[int, IO[str]]:
    """The first port of a block that nobody else holds, and the file whose lock says so. When all are held, one of
    them is shared."""
    blocks = list(range(first, end, size))
    secrets.SystemRandom().shuffle(blocks)
    folder = Path(tempfile.gettempdir()) / name
    folder.mkdir(exist_ok=True)
    for block in blocks:
        lock = (folder / str(block)).open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            continue
        return block, lock
    return blocks[-1], (folder / str(blocks[-1])).open("w")
