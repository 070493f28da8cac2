"""Commands in a tenth of the time: a process that has imported the program forks for each.

What the fork does is what `cti-server` does, in an environment, a folder and with files of its own. Only reading
900 modules is spent once a worker and not once a command.
"""

from __future__ import annotations

import atexit
import functools
import gc
import json
import os
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path


def command(
    arguments: Sequence[str], environment: Mapping[str, str], folder: Path | None, typed: str
) -> tuple[int, str, str]:
    """The exit status, and what was printed and complained."""
    with tempfile.TemporaryDirectory() as name:
        files = [Path(name) / which for which in ("in", "out", "err")]
        files[0].write_text(typed)
        asked = {
            "arguments": list(arguments),
            "environment": dict(environment),
            "folder": str(folder or Path.cwd()),
            "files": [str(file) for file in files],
        }
        parent = _parent(os.getpid())
        assert parent.stdin is not None
        assert parent.stdout is not None
        parent.stdin.write(json.dumps(asked) + "\n")
        parent.stdin.flush()
        status = int(parent.stdout.readline())
        return status, files[1].read_text(), files[2].read_text()


@functools.lru_cache(maxsize=1)
def _parent(process: int) -> subprocess.Popen[str]:
    made = subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", sys.executable, "-m", "tests.cli.forks"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"COLUMNS": "200"},
    )
    atexit.register(made.kill)
    return made


# --- in the parent of the forks ------------------------------------------------------------------------------


def main() -> None:
    import cti_server.api.access.passwords
    import cti_server.api.agent.codes
    import cti_server.app
    import cti_server.cli
    import cti_server.record.faults  # noqa: F401 it is for the forks

    gc.freeze()  # a fork that looks through all objects has to copy them
    while line := sys.stdin.readline():
        asked = json.loads(line)
        child = os.fork()
        if not child:
            os._exit(_do(asked))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _do(asked: dict[str, object]) -> int:
    """The exit status. Taking the interpreter down would take longer than most commands."""
    import cti_server.cli

    status: object = 0
    try:
        _become(asked)
        cti_server.cli.main()
    except SystemExit as ended:
        status = ended.code or 0
        if isinstance(status, str):
            print(status, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return status if isinstance(status, int) else 1


def _become(asked: dict[str, object]) -> None:
    folder, files = str(asked["folder"]), asked["files"]
    assert isinstance(files, list)
    for number, (file, how) in enumerate(zip(files, (os.O_RDONLY, os.O_WRONLY, os.O_WRONLY), strict=True)):
        opened = os.open(file, how | os.O_CREAT, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = open(0, closefd=False, encoding="utf-8")  # noqa: SIM115 it is the command's until its end
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(asked["environment"])  # type: ignore[call-overload]
    sys.argv = ["cti-server", *asked["arguments"]]  # type: ignore[misc]


if __name__ == "__main__":
    main()
