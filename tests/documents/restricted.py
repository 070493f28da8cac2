"""Runs a command under what docs/cti-server.service says, as far as it can be had without a booted systemd: no
capabilities and none to be gained, a file system that can only be read, no memory that is written and executed.

Root only: `python restricted.py STATE COMMAND…`. It stays root, without a right of root's: the Python of the tests
may lie where no other user can read it.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys

PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN = 65, 1
CLONE_NEWNS = 0x20000


def main(state: str, command: list[str]) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    mounts = (
        ["--make-rprivate", "/"],
        ["--bind", state, state],  # before / is read-only, and a mount of its own
        ["-t", "tmpfs", "-o", "mode=1777", "tmpfs", "/var/tmp"],
        ["-o", "remount,bind,ro", "/"],
        ["-o", "remount,bind,rw", state],
    )
    for options in mounts:
        subprocess.run(["mount", *options], check=True)
    # MemoryDenyWriteExecute; it stays over exec. Kernels before 6.3 do not know it: systemd has seccomp for them.
    libc.prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0)
    os.umask(0o077)
    os.chdir(state)
    drop = ["--clear-groups", "--inh-caps=-all", "--bounding-set=-all", "--no-new-privs"]
    os.execvp("setpriv", ["setpriv", *drop, *command])


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
