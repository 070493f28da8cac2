"""Ports of 127.0.0.1, handed out so that no two processes of this machine get the same: blocks held by lock files.

A port that was found free and released may be taken before the program that it is for binds it. So each process
takes its ports in turn from a block of its own; the kernel releases the lock, however the process ends.
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

FIRST, LAST, BLOCK = 10000, 20000, 500  # a worker of the tests takes some 300
VOICE_FIRST, VOICE_LAST, VOICE_BLOCK = 20000, 32000, 1000  # below the ports of outgoing connections


@contextlib.contextmanager
def free_ports(count: int) -> Iterator[list[int]]:
    """Ports in a row, free for TCP and UDP, below those of outgoing connections. They are bound until the `with`
    block ends; after that nobody is given them again until this process has used up its own block of ports."""
    while True:
        ports = _own_ports(os.getpid()).next(count)
        with contextlib.ExitStack() as bound:
            try:
                for port in ports:
                    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                        bound.enter_context(socket.socket(socket.AF_INET, kind)).bind(("127.0.0.1", port))
            except OSError:
                continue  # somebody who does not ask here has one of them
            yield ports
            return


@contextlib.contextmanager
def voice_ports() -> Iterator[tuple[int, int]]:
    """A range of ports for voice that no other instance on this machine uses, locked until the `with` block ends.

    When all ranges are taken one is shared: Asterisk tries another port when one is in use.
    """
    first, lock = _locked_block("cti-demo-voice", VOICE_FIRST, VOICE_LAST, VOICE_BLOCK)
    with lock:
        yield first, first + VOICE_BLOCK - 1


class _OwnPorts:
    """The ports of one process, given out in turn; after the last one it begins again."""

    def __init__(self) -> None:
        self._first, self._lock = _locked_block("cti-demo-ports", FIRST, LAST, BLOCK)
        self._given = 0
        self._turn_lock = threading.Lock()  # phones are started in threads

    def next(self, count: int) -> list[int]:
        with self._turn_lock:
            if self._given + count > BLOCK:
                self._given = 0
            first = self._first + self._given
            self._given += count
            return list(range(first, first + count))


@functools.lru_cache(maxsize=1)
def _own_ports(process: int) -> _OwnPorts:
    """The ports of this process, keyed by its id: a fork must not go on with its parent's block."""
    return _OwnPorts()


def _locked_block(name: str, first: int, end: int, size: int) -> tuple[int, IO[str]]:
    """The first port of a block that nobody else holds, and the locked file that reserves it. When all are held,
    one is shared, unlocked."""
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
