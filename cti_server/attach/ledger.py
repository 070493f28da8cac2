"""What an attachment did to a PBX: kept beside the settings, so that it can be taken back and compared.

It holds the digest of each file of /etc/asterisk as it was before the first step, the files that were written, the
edits that were made, and the whole text of each file of theirs that was edited.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .edits import Edit


class OfAnother(ValueError):
    """Two PBXs with one name, or a file that is none of ours: the way back of one would be lost."""


@dataclass(slots=True)
class Ledger:
    file: Path
    etc: str
    here: bool = True
    before: dict[str, str] = field(default_factory=dict)
    written: dict[str, str] = field(default_factory=dict)
    originals: dict[str, str] = field(default_factory=dict)
    edits: list[Edit] = field(default_factory=list)

    @classmethod
    def begun(cls, file: Path, etc: Path, *, here: bool = True) -> Ledger:
        """The ledger of an attachment that begins, or goes on after it was broken off. Raises OfAnother."""
        kept = cls.read(file)
        if kept is not None and kept.etc != str(etc):
            raise OfAnother(f"{file} notes the attachment of another PBX, in {kept.etc}")
        return kept or cls(file, str(etc), here, digests(etc))

    @classmethod
    def read(cls, file: Path) -> Ledger | None:
        try:
            kept: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
            kept["edits"] = [Edit(**{**edit, "new": tuple(edit["new"])}) for edit in kept["edits"]]
            return cls(file, **kept)
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError) as bad:
            raise OfAnother(f"{file} cannot be read: {bad}") from None

    def save(self) -> None:
        """Write it so that a power cut leaves the old one or the new one."""
        kept = asdict(self)
        del kept["file"]
        self.file.parent.mkdir(parents=True, exist_ok=True)
        half = self.file.with_name(self.file.name + ".new")
        with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
            json.dump(kept, out, indent=1)  # ASCII: a file of theirs may be no UTF-8
        half.replace(self.file)

    def note(self, edit: Edit, original: str) -> None:
        """Keep an edit before it is made, and the file's text of before the first one."""
        self.originals.setdefault(edit.file, original)
        if edit not in self.edits:
            self.edits.append(edit)
        self.save()


def digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


def digests(etc: Path) -> dict[str, str]:
    """The digest of every file in the folder, by its path in it."""
    files = (path for path in sorted(etc.rglob("*")) if path.is_file())
    return {str(path.relative_to(etc)): digest(path.read_bytes()) for path in files}
