"""The hands of an attachment at the PBX: files in its folder, commands of its CLI; none where it is elsewhere."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

COMMAND_S = 60.0


@dataclass(frozen=True, slots=True)
class Hands:
    """`etc` is where the PBX's configuration is, or where its files are put for it; `command` is `asterisk`, or
    what reaches it, such as `docker exec pbx asterisk`."""

    etc: Path
    command: tuple[str, ...]
    here: bool

    @classmethod
    def on(cls, etc: Path, command: str, *, here: bool) -> Hands:
        return cls(etc, tuple(shlex.split(command)), here)

    def cli(self, line: str) -> str | None:
        """What `asterisk -rx` prints; None where it cannot be run from here."""
        if not self.here or shutil.which(self.command[0]) is None:
            return None
        try:
            done = subprocess.run(
                [*self.command, "-rx", line], capture_output=True, text=True, timeout=COMMAND_S, errors="replace"
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout if done.returncode == 0 else None

    def text(self, name: str) -> str:
        """A file of theirs, line ends as they are; empty where there is none."""
        try:
            return (self.etc / name).read_bytes().decode("utf-8", "surrogateescape")
        except FileNotFoundError:
            return ""

    def write(self, name: str, text: str) -> None:
        """Write a file whole or not at all. A file that is there keeps its owner and mode; a new one gets those of
        the files beside it, which Asterisk can read, and is closed to others."""
        path = (self.etc / name).resolve()  # of a link, what it leads to: somebody may keep it in a repository
        likes = (path, self.etc / "manager.conf", self.etc / "extensions.conf", self.etc)
        like = next(one for one in likes if one.exists())
        owner = like.stat()
        mode = owner.st_mode & 0o777 if like == path else owner.st_mode & 0o660 | 0o600
        half = path.with_name(f".{path.name}.cti-new")
        data = text.encode("utf-8", "surrogateescape")
        with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            out.write(data)
        if os.geteuid() == 0:
            os.chown(half, owner.st_uid, owner.st_gid)
        half.chmod(mode)
        half.replace(path)

    def remove(self, name: str) -> None:
        (self.etc / name).unlink(missing_ok=True)
