"""Runs a program chrooted in its own namespaces; when the parent is gone, so is all that it started and mounted.

Run it as a file with a bare Python: `jail.py ROOT WORK program args…`. WORK appears as /lab inside ROOT. The jail
lives as long as its standard input is open: the parent holds the other end, so even a `kill -9` of the parent
closes it. (PR_SET_PDEATHSIG alone would be tied to the parent's thread, not to its process.) The mounts are in a
private mount namespace and the program is process 1 of a process namespace: when it ends, the kernel ends and
unmounts the rest.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import sys
from typing import NoReturn

CLONE_NEWNS, CLONE_NEWPID = 0x00020000, 0x20000000
PR_SET_PDEATHSIG = 1


def main(root: str, work: str, program: list[str]) -> int:
    """Returns the program's exit status, or 128 + the signal that ended it."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS | CLONE_NEWPID) != 0:
        problem = os.strerror(ctypes.get_errno())
        sys.exit(
            f"cannot make a private namespace ({problem}): run as root; in a container add --cap-add=SYS_ADMIN"
        )
    child = os.fork()
    if child == 0:
        os.setsid()  # a Ctrl-C in the terminal goes to the parent only, which then stops this process in order
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        _enter(root, work)
        os.execv(program[0], program)  # noqa: S606 - no shell is the point
    return _watch(child)


def _watch(child: int) -> int:
    """Wait until the child ends, and kill it when standard input closes; returns its status."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGTERM))
    ended = os.pidfd_open(child)
    watched = [sys.stdin.fileno(), ended]
    while ended not in (ready := select.select(watched, [], [])[0]):
        if ready and not os.read(sys.stdin.fileno(), 1024):
            os.kill(child, signal.SIGKILL)
            watched.remove(sys.stdin.fileno())
    return _status(os.waitpid(child, 0)[1])


def _status(wait: int) -> int:
    return 128 + os.WTERMSIG(wait) if os.WIFSIGNALED(wait) else os.WEXITSTATUS(wait)


def _enter(root: str, work: str) -> None:
    """Mount and chroot. The tree itself is read-only inside, so that no instance can spoil what others share."""
    _mount("--make-rprivate", "/")
    if root == "/":
        _mount("-t", "proc", "proc", "/proc")
        return
    _mount("--bind", root, root)
    _mount("-o", "remount,bind,ro", root)
    _mount("--bind", work, f"{root}/lab")
    _mount("-t", "proc", "proc", f"{root}/proc")
    _mount("--rbind", "/dev", f"{root}/dev")
    for scratch in ("tmp", "run"):
        _mount("-t", "tmpfs", "-o", "size=64m", "tmpfs", f"{root}/{scratch}")
    os.chroot(root)
    os.chdir("/lab")


def _mount(*args: str) -> None:
    done = subprocess.run(["mount", *args], stderr=subprocess.PIPE, text=True)
    if done.returncode:
        _fail(f"mount {' '.join(args)}: {done.stderr.strip()}; in a container add --cap-add=SYS_ADMIN")


def _fail(text: str) -> NoReturn:
    print(text, file=sys.stderr, flush=True)
    os._exit(97)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
