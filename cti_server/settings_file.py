"""Which settings file counts: one place for a machine, whatever folder a command is run in.

The first of these, and only that one: the file that `CTI_CONFIG` names; `.env` in the current folder, if it has a
CTI_ line (other programs have a `.env`, too); `/etc/cti-server/cti-server.env`; `/var/lib/cti-server/.env`.
Variables of the environment count before any file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

NAMED_BY: Final = "CTI_CONFIG"
ETC: Final = Path("/etc/cti-server/cti-server.env")
"""Where the settings belong when there is no file yet."""
OF_THE_MACHINE: Final = (ETC, Path("/var/lib/cti-server/.env"))
ENCODING: Final = "utf-8-sig"  # some editors begin a file with a byte order mark

_OURS = re.compile(r"^\s*(?:export\s+)?CTI_\w+\s*=", re.MULTILINE | re.IGNORECASE)


class FileUnreadable(Exception):
    """A settings file that is there, or that CTI_CONFIG names, and cannot be read."""

    def __init__(self, file: Path, why: str) -> None:
        super().__init__(f"{file}: {why}")
        self.file = file
        self.why = why


def find(
    environ: Mapping[str, str], folder: Path, of_the_machine: tuple[Path, ...] = OF_THE_MACHINE
) -> Path | None:
    """The settings file that counts for a command run in `folder`; None when there is none.

    Raises FileUnreadable: settings that are silently left out would be worse than none.
    """
    if named := environ.get(NAMED_BY):
        try:
            file = folder / Path(named).expanduser()
        except RuntimeError as nobody:  # ~name of nobody
            raise FileUnreadable(Path(named), str(nobody)) from None
        if _text(file) is None:
            raise FileUnreadable(file, f"there is no such file, though {NAMED_BY} names it")
        return file
    if (text := _text(folder / ".env")) is not None and _OURS.search(text):
        return folder / ".env"
    return next((file for file in of_the_machine if _text(file) is not None), None)


def _text(file: Path) -> str | None:
    """What the file says; None when it does not exist."""
    try:
        return file.read_text(ENCODING)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except UnicodeDecodeError as wrong:
        raise FileUnreadable(file, f"it is not UTF-8 text (byte {wrong.start})") from None
    except OSError as wrong:
        raise FileUnreadable(file, wrong.strerror or str(wrong)) from None
