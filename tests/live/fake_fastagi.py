"""FastAGI listeners that are broken in one way each. One thread a listener; closed at the end of the block."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, Mapping

Behaviour = Callable[[socket.socket, threading.Event], None]


def _request(peer: socket.socket) -> bytes:
    received = b""
    while not received.endswith(b"\n\n"):
        data = peer.recv(4096)
        if not data:
            break
        received += data
    return received


def setting(values: Mapping[str, str]) -> Behaviour:
    """Sets these channel variables, as the server does."""

    def behave(peer: socket.socket, stop: threading.Event) -> None:
        _request(peer)
        for name, value in values.items():
            peer.sendall(f'SET VARIABLE {name} "{value}"\n'.encode())
            peer.recv(4096)

    return behave


def healthy(peer: socket.socket, stop: threading.Event) -> None:
    """What the server does when all is well."""
    setting({"CTI_STATUS": "ok", "CTI_CUSTOMER": "7", "CTI_PRIORITY": "5", "CTI_LANGUAGE": "zh"})(peer, stop)


def silent(peer: socket.socket, stop: threading.Event) -> None:
    """Reads, never answers."""
    _request(peer)
    stop.wait()


def slow(peer: socket.socket, stop: threading.Event) -> None:
    """Answers properly, long after the deadline."""
    _request(peer)
    if not stop.wait(3):
        with contextlib.suppress(OSError):
            healthy(peer, stop)


def dribbling(peer: socket.socket, stop: threading.Event) -> None:
    """One byte at a time, and never a whole line."""
    _request(peer)
    while not stop.wait(0.2):
        peer.sendall(b"V")


def half_a_line(peer: socket.socket, stop: threading.Event) -> None:
    """A command without its end, then nothing."""
    _request(peer)
    peer.sendall(b"SET VARIABLE CTI_")
    stop.wait()


def closing(peer: socket.socket, stop: threading.Event) -> None:
    """Closes at once."""


def rubbish(peer: socket.socket, stop: threading.Event) -> None:
    """Not AGI at all: lines of an HTTP server, then bytes that are no text."""
    peer.sendall(b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n" + bytes(range(128, 256)) + b"\n\n\n")
    stop.wait()


def endless(peer: socket.socket, stop: threading.Event) -> None:
    """Valid commands, one after the other, for ever."""
    _request(peer)
    while not stop.is_set():
        peer.sendall(b"NOOP\n")
        if not peer.recv(4096):
            return


def hostile(peer: socket.socket, stop: threading.Event) -> None:
    """Valid commands with values that a dialplan must not swallow."""
    attacks = {
        "CTI_PRIORITY": "1+${SHELL(id)}",
        "CTI_LANGUAGE": "../../etc",
        "CTI_AGENT": "PJSIP/1001&PJSIP/1002,600,U(x)",
        "CTI_CUSTOMER": "7 OR 1=1",
    }
    setting(attacks)(peer, stop)


@contextlib.contextmanager
def listener(port: int, behaviour: Behaviour | None) -> Iterator[None]:
    """Listens on the port; None never accepts, which is what a stopped process looks like from outside."""
    stop = threading.Event()
    threads: list[threading.Thread] = []
    peers: list[socket.socket] = []

    def handle(peer: socket.socket) -> None:
        assert behaviour is not None
        with peer, contextlib.suppress(OSError):
            behaviour(peer, stop)

    def accept() -> None:
        while True:
            try:
                peer, _ = server.accept()
            except OSError:
                return
            peers.append(peer)
            threads.append(threading.Thread(target=handle, args=(peer,), daemon=True))
            threads[-1].start()

    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", port))
        server.listen(16)
        if behaviour is not None:
            threads.append(threading.Thread(target=accept, daemon=True))
            threads[0].start()
        try:
            yield
        finally:
            stop.set()
            with contextlib.suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
            for peer in peers:
                with contextlib.suppress(OSError):
                    peer.shutdown(socket.SHUT_RDWR)
            for thread in threads:
                thread.join(5)
